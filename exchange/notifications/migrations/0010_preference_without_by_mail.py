from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("notifications", "0009_keep_wishes")]

    operations = [migrations.RemoveField(model_name="preference", name="by_mail")]
