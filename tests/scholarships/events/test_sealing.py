"""The chain of seals over the log: it goes on where it stopped, and shows where somebody has been."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from scholarships.events.actions import broken_seal, record, seal
from scholarships.events.models import Event, Seal
from tests.factories import make_user
from tests.scholarships.events import HAPPENED

pytestmark = pytest.mark.django_db

NOW = datetime(2027, 3, 14, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def events(request) -> list[Event]:
    """Five events a second apart, and nothing else in the log."""
    user = make_user()
    seal(now=datetime.now(UTC) + timedelta(days=1))  # what making a user has written
    return [record(HAPPENED, user, by=user, key=f"k{number}", at=NOW + timedelta(seconds=number), what=f"w{number}") for number in range(5)]


def sealed() -> list[int]:
    return list(Seal.objects.filter(event__name=HAPPENED).order_by("seq").values_list("event", flat=True))


def tampered(*statements: str) -> None:
    """Change the log as somebody with the keys of the database could: without its triggers."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("DROP TRIGGER event_append_only ON events_event")
            cursor.execute("DROP TRIGGER seal_append_only ON events_seal")
        else:
            cursor.execute("DROP TRIGGER event_append_only")
            cursor.execute("DROP TRIGGER seal_append_only")
        for statement in statements:
            cursor.execute(statement)


def test_events_are_sealed_in_order_and_the_chain_holds(events):
    assert seal(now=LATER) == 5

    assert sealed() == [event.pk for event in events]
    assert broken_seal() is None


def test_the_numbers_of_the_links_have_no_gap(events):
    seal(now=LATER)

    assert list(Seal.objects.order_by("seq").values_list("seq", flat=True)) == list(range(1, Seal.objects.count() + 1))


def test_a_second_round_goes_on_where_the_first_stopped(events):
    assert (seal(limit=2, now=LATER), seal(limit=2, now=LATER), seal(now=LATER), seal(now=LATER)) == (2, 2, 1, 0)

    assert sealed() == [event.pk for event in events]
    assert broken_seal() is None


def test_only_what_is_older_than_a_minute_is_sealed(events):
    border = events[2].at + timedelta(minutes=1)

    assert seal(now=border) == 2  # the third is exactly a minute old
    assert seal(now=border + timedelta(microseconds=1)) == 1


def test_an_empty_log_has_no_seals_and_none_is_broken(events):
    assert seal(now=NOW) == 0
    assert broken_seal() is None


@pytest.mark.parametrize(
    "change",
    [
        "name = 'test.other'",
        "subject_kind = 'call'",
        "subject_key = 'X'",
        "by_id = NULL",
        "actor = 'officer'",
        "key = 'other'",
        "key = NULL",
        'data = \'{"what": "x"}\'',
        "at = '2027-03-14 12:00:02.000001+00:00'",
    ],
)
def test_a_changed_event_breaks_its_seal(events, change):
    seal(now=LATER)

    tampered(
        f"UPDATE events_event SET {change.replace('+00:00', '') if connection.vendor == 'sqlite' else change} WHERE id = {events[2].pk}"
    )

    assert broken_seal().event_id == events[2].pk


def test_a_changed_event_with_a_new_seal_breaks_the_next(events):
    seal(now=LATER)
    before = Seal.objects.get(event=events[1]).hash

    tampered(f"UPDATE events_event SET name = 'test.other' WHERE id = {events[2].pk}")
    from scholarships.events.actions import _link

    forged = _link(before, Event.objects.get(pk=events[2].pk))
    with connection.cursor() as cursor:
        cursor.execute("UPDATE events_seal SET hash = %s WHERE event_id = %s", [forged, events[2].pk])

    assert broken_seal().event_id == events[3].pk


def test_a_removed_event_breaks_the_seal_after_it(events):
    seal(now=LATER)

    tampered(f"DELETE FROM events_seal WHERE event_id = {events[2].pk}", f"DELETE FROM events_event WHERE id = {events[2].pk}")

    assert broken_seal().event_id == events[3].pk


def test_two_events_that_changed_places_break_the_chain(events):
    seal(now=LATER)
    one, two = events[1].pk, events[2].pk

    tampered(
        f'UPDATE events_event SET data = \'{{"what": "w2"}}\' WHERE id = {one}',
        f'UPDATE events_event SET data = \'{{"what": "w1"}}\' WHERE id = {two}',
    )

    assert broken_seal().event_id == one
