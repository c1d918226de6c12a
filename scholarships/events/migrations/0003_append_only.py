"""The database itself refuses to change what is written in the event log."""

from django.db import migrations

POSTGRES = """
CREATE OR REPLACE FUNCTION event_is_append_only() RETURNS trigger AS $$
BEGIN
    RAISE EXCEPTION 'The event log is append-only.';
END;
$$ LANGUAGE plpgsql;
CREATE TRIGGER event_append_only BEFORE UPDATE OR DELETE ON events_event FOR EACH ROW EXECUTE FUNCTION event_is_append_only();
CREATE TRIGGER seal_append_only BEFORE UPDATE OR DELETE ON events_seal FOR EACH ROW EXECUTE FUNCTION event_is_append_only();
"""
POSTGRES_BACK = """
DROP TRIGGER event_append_only ON events_event;
DROP TRIGGER seal_append_only ON events_seal;
DROP FUNCTION event_is_append_only();
"""
# Not on DELETE here: SQLite has no TRUNCATE, so that nothing could ever empty the tables, tests' ones neither.
# What is sealed cannot be deleted unseen in any case: the chain breaks.
SQLITE = (
    "CREATE TRIGGER event_append_only BEFORE UPDATE ON events_event BEGIN SELECT RAISE(ABORT, 'The event log is append-only.'); END",
    "CREATE TRIGGER seal_append_only BEFORE UPDATE ON events_seal BEGIN SELECT RAISE(ABORT, 'The event log is append-only.'); END",
)
SQLITE_BACK = ("DROP TRIGGER event_append_only", "DROP TRIGGER seal_append_only")


def forwards(apps, schema_editor):
    _run(schema_editor, POSTGRES, SQLITE)


def backwards(apps, schema_editor):
    _run(schema_editor, POSTGRES_BACK, SQLITE_BACK)


def _run(schema_editor, postgres, sqlite):
    for statement in (postgres,) if schema_editor.connection.vendor == "postgresql" else sqlite:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("events", "0002_initial")]

    operations = [migrations.RunPython(forwards, backwards)]
