"""The event log is added to and read; nothing changes or deletes what stands in it."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction

from scholarships.events.actions import record, seal
from scholarships.events.models import Event, Seal
from tests.factories import make_user
from tests.scholarships.events import HAPPENED

pytestmark = pytest.mark.django_db


@pytest.fixture
def event() -> Event:
    return record(HAPPENED, make_user(), what="before")


def test_a_queryset_neither_updates_nor_deletes(event):
    for rows in (Event.objects.all(), Event.objects.filter(pk=event.pk), Seal.objects.all()):
        with pytest.raises(TypeError, match="append-only"):
            rows.update(pk=1)
        with pytest.raises(TypeError, match="append-only"):
            rows.delete()


def test_a_row_is_neither_saved_again_nor_deleted(event):
    event.name = "test.other"

    for act in (event.save, event.delete, lambda: event.save(update_fields=["name"]), lambda: Event.objects.get(pk=event.pk).save()):
        with pytest.raises(TypeError, match="append-only"):
            act()

    assert Event.objects.get(pk=event.pk).name == HAPPENED


def test_rows_are_not_changed_in_bulk(event):
    event.name = "test.other"

    for act in (
        lambda: Event.objects.bulk_update([event], ["name"]),
        lambda: Event.objects.update_or_create(pk=event.pk, defaults={"name": "test.other"}),
    ):
        with pytest.raises(TypeError, match="append-only"), transaction.atomic():
            act()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events_event SET name = 'test.other'",
        "UPDATE events_event SET data = '{}' WHERE name = 'test.happened'",
        "UPDATE events_seal SET hash = ''",
    ],
)
def test_the_database_itself_refuses_a_raw_update(event, statement):
    seal(now=event.at.replace(year=event.at.year + 1))

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)

    assert Event.objects.get(pk=event.pk).data == {"what": "before"}


@pytest.mark.skipif(
    connection.vendor != "postgresql", reason="only PostgreSQL refuses a raw DELETE: SQLite has no other way to empty a table"
)
def test_postgresql_refuses_a_raw_delete(event):
    seal(now=event.at.replace(year=event.at.year + 1))
    before = (Seal.objects.count(), Event.objects.count())

    for table in ("events_seal", "events_event"):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {table}")

    assert before > (0, 0)
    assert (Seal.objects.count(), Event.objects.count()) == before


def test_an_insert_that_would_overwrite_is_refused(event):
    event.name = "test.other"

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        Event.objects.bulk_create([event], update_conflicts=True, unique_fields=["id"], update_fields=["name"])


def test_who_appears_in_the_log_cannot_be_deleted(event):
    user = make_user()
    record(HAPPENED, make_user(), by=user)

    with pytest.raises(DatabaseError), transaction.atomic():
        user.delete()
