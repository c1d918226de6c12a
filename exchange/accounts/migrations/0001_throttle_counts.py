"""The table in which the counts of tries at signing in are kept, so that they hold when Redis is down."""

from django.core.management import call_command
from django.db import migrations


def create(apps, schema_editor):
    call_command("createcachetable", database=schema_editor.connection.alias, verbosity=0)


class Migration(migrations.Migration):
    dependencies = []

    # Going back leaves the table: it holds counts of some minutes.
    operations = [migrations.RunPython(create, migrations.RunPython.noop)]
