"""Whoever wanted a kind of letter in the inbox only wants it so under the new name; run twice it changes nothing more."""

from django.db import migrations


def keep(apps, schema_editor):
    apps.get_model("notifications", "Preference").objects.filter(by_mail=False).update(way="inbox")


def give_back(apps, schema_editor):
    """The daily letter did not exist: who had chosen it gets each letter by mail again."""
    apps.get_model("notifications", "Preference").objects.filter(way="inbox").update(by_mail=False)


class Migration(migrations.Migration):
    dependencies = [("notifications", "0008_daily_letter")]

    operations = [migrations.RunPython(keep, give_back)]
