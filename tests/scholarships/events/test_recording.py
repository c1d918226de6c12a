"""What happened is written down once, with codes only, in the transaction of the act, and told to whoever listens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from scholarships.events.actions import record, record_many, recorded
from scholarships.events.models import Event
from scholarships.events.names import all_names, declare, declared
from tests.factories import make_user
from tests.scholarships.events import HAPPENED

pytestmark = pytest.mark.django_db


@contextmanager
def listening() -> Iterator[list[list[str]]]:
    """The names of the events in each signal that is sent meanwhile."""
    heard: list[list[str]] = []

    def listen(sender: Any, events: list[Event], **kwargs: Any) -> None:
        heard.append([event.name for event in events])

    recorded.connect(listen)
    try:
        yield heard
    finally:
        recorded.disconnect(listen)


def written() -> list[tuple[Any, ...]]:
    return list(Event.objects.filter(name=HAPPENED).order_by("pk").values_list("subject_kind", "subject_key", "by", "actor", "data"))


# -- One event -------------------------------------------------------------------


def test_an_event_says_what_happened_to_whom_by_whom_and_in_which_role():
    user, officer = make_user(), make_user()

    event = record(HAPPENED, user, by=officer, actor="officer", what="done")

    assert written() == [("user", user.code, officer.pk, "officer", {"what": "done"})]
    assert (event.says, event.key) == ("Something happened in a test", None)


def test_the_clock_acts_without_a_person():
    user = make_user()

    record(HAPPENED, user)

    assert written() == [("user", user.code, None, "", {})]


def test_the_time_is_now_unless_it_is_given():
    moment = datetime(2027, 3, 14, 9, 26, 53, 589793, tzinfo=UTC)

    record(HAPPENED, make_user(), at=moment)

    assert Event.objects.get(name=HAPPENED).at == moment


def test_what_happened_to_a_subject_is_read_first_to_last():
    one, other = make_user(), make_user()
    record(HAPPENED, one, what="1")
    record(HAPPENED, other, what="2")
    record(HAPPENED, one, what="3")

    assert [event.data.get("what") for event in Event.objects.about(one).filter(name=HAPPENED)] == ["1", "3"]


# -- Once ------------------------------------------------------------------------


def test_the_same_key_a_second_time_is_refused_and_writes_nothing():
    one, other = make_user(), make_user()
    record(HAPPENED, one, key="k")

    with pytest.raises(ValidationError) as refused, transaction.atomic():
        record(HAPPENED, other, key="k")

    assert refused.value.code == "already_done"
    assert [row[1] for row in written()] == [one.code]


def test_events_without_a_key_happen_as_often_as_they_happen():
    user = make_user()
    record(HAPPENED, user)
    record(HAPPENED, user)

    assert len(written()) == 2


# -- What may be written ---------------------------------------------------------


def test_a_name_that_no_room_has_declared_is_refused():
    with pytest.raises(LookupError, match="No room has declared the event “test.unheard_of”"):
        record("test.unheard_of", make_user())


def test_data_that_was_not_declared_is_refused():
    with pytest.raises(TypeError, match="The event “test.happened” has no data called whose"):
        record(HAPPENED, make_user(), whose="x")


@pytest.mark.parametrize(
    "words",
    [
        "Nuray Asanova",
        "Нурай",
        "努莱",
        "nuray@sapar.example",
        "It was a mistake",
        "a" * 81,
        1.5,
        {"a": 1},
        ["fine", "not fine"],
        object(),
    ],
)
def test_words_about_a_person_are_refused(words):
    with pytest.raises(TypeError, match="may not hold words"):
        record(HAPPENED, make_user(), what=words)

    assert written() == []


def test_codes_numbers_times_and_lists_of_them_are_taken():
    moment = datetime(2027, 3, 14, 9, 26, tzinfo=UTC)

    record(
        HAPPENED, make_user(), what="a.country,o.level[KG,master]", when=moment, many=["a", 1, True, Decimal("8.50"), date(2027, 1, 2), []]
    )

    assert written()[0][4] == {
        "what": "a.country,o.level[KG,master]",
        "when": "2027-03-14T09:26:00+00:00",
        "many": ["a", 1, True, "8.50", "2027-01-02", []],
    }


def test_data_without_a_value_is_left_out():
    record(HAPPENED, make_user(), what=None, when=0)

    assert written()[0][4] == {"when": 0}


def test_a_name_is_declared_once_with_one_meaning():
    assert declare("test.happened", "Something happened in a test", "what", "when", "many") == HAPPENED
    with pytest.raises(ValueError, match="The event “test.happened” is declared twice."):
        declare("test.happened", "Something else")


def test_every_name_is_noun_dot_what_happened_and_fits_its_column():
    assert [name for name in all_names() if name.count(".") != 1 or len(name) > 60 or name != name.lower()] == []
    assert declared(HAPPENED).data == ("what", "when", "many")


# -- Many ------------------------------------------------------------------------


def test_many_events_take_as_many_queries_as_one():
    people = [make_user() for _number in range(30)]

    with CaptureQueriesContext(connection) as one:
        record_many(HAPPENED, people[:1])
    with CaptureQueriesContext(connection) as many:
        record_many(HAPPENED, people)

    assert (len(many), len(written())) == (len(one), 31)


def test_each_of_many_has_its_own_data_and_all_have_one_time():
    one, other = make_user(), make_user()

    events = record_many(HAPPENED, [one, other], by=one, actor="officer", data={other.code: {"what": "x"}})

    assert written() == [("user", one.code, one.pk, "officer", {}), ("user", other.code, one.pk, "officer", {"what": "x"})]
    assert len({event.at for event in events}) == 1
    assert None not in {event.pk for event in events}


def test_of_many_nothing_is_written_where_one_holds_words():
    one, other = make_user(), make_user()

    with pytest.raises(TypeError):
        record_many(HAPPENED, [one, other], data={other.code: {"what": "two words"}})

    assert written() == []


def test_none_at_all_is_nothing():
    with listening() as heard:
        assert record_many(HAPPENED, []) == []

    assert heard == []


# -- Told ------------------------------------------------------------------------


def test_who_listens_hears_each_event_once_and_many_together():
    people = [make_user(), make_user()]

    with listening() as heard:
        record(HAPPENED, people[0])
        record_many(HAPPENED, people)

    assert heard == [[HAPPENED], [HAPPENED, HAPPENED]]


def test_a_refused_event_is_not_told():
    user = make_user()
    record(HAPPENED, user, key="k")

    with listening() as heard, pytest.raises(ValidationError), transaction.atomic():
        record(HAPPENED, user, key="k")

    assert heard == []


def test_what_a_listener_writes_is_rolled_back_with_the_event():
    user = make_user()

    def listen(sender: Any, events: list[Event], **kwargs: Any) -> None:
        type(user).objects.create_user("written-by-a-listener@sapar.example")

    recorded.connect(listen)
    try:
        with pytest.raises(RuntimeError), transaction.atomic():
            record(HAPPENED, user)
            raise RuntimeError
    finally:
        recorded.disconnect(listen)

    assert written() == []
    assert not type(user).objects.filter(email="written-by-a-listener@sapar.example").exists()


@pytest.mark.django_db(transaction=True)
def test_a_listener_runs_inside_a_transaction_even_where_the_caller_opened_none():
    user = make_user()
    inside = []

    def listen(sender: Any, events: list[Event], **kwargs: Any) -> None:
        inside.append(connection.in_atomic_block)
        raise RuntimeError

    recorded.connect(listen)
    try:
        with pytest.raises(RuntimeError):
            record(HAPPENED, user)
        with pytest.raises(RuntimeError):
            record_many(HAPPENED, [user])
    finally:
        recorded.disconnect(listen)

    assert (inside, written()) == ([True, True], [])
