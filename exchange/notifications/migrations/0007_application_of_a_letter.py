from django.db import migrations
from django.db.models import OuterRef, Subquery


def fill(apps, schema_editor):
    Message, Event = apps.get_model("notifications", "Message"), apps.get_model("events", "Event")
    about = Event.objects.filter(pk=OuterRef("event")).values("subject_key")
    Message.objects.filter(event__subject_kind="application").update(application=Subquery(about))


class Migration(migrations.Migration):
    dependencies = [("notifications", "0006_mailings")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
