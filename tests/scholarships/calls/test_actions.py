"""The dates of a call: moved by its officers, in their order, and logged."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from scholarships.allocations import actions as allocations
from scholarships.calls import actions
from scholarships.calls.models import Call, is_open
from scholarships.events.models import Event
from scholarships.offers import actions as offers
from scholarships.people.models import Scope
from tests.factories import make_call, make_candidate, make_officer, make_user

pytestmark = pytest.mark.django_db


def dates(call) -> tuple:
    fresh = Call.objects.get(pk=call.pk)
    return fresh.opens_at, fresh.closes_at, fresh.results_at


def test_moving_a_date_leaves_the_others_and_writes_one_event():
    call, officer = make_call(), make_officer(scope=Scope.CALL, key="small-2027")
    opens, closes, results = dates(call)

    actions.move_dates(call, by=officer, closes_at=closes + timedelta(days=1))

    assert dates(call) == (opens, closes + timedelta(days=1), results)
    event = Event.objects.about(call).last()
    assert (event.name, event.by, event.data["closes"]) == ("call.dates_moved", officer, (closes + timedelta(days=1)).isoformat())


@pytest.mark.parametrize(
    ("name", "days"),
    [("opens_at", 900), ("closes_at", -900), ("closes_at", 900), ("results_at", -900)],
)
def test_dates_out_of_order_are_refused(name, days):
    call, officer = make_call(), make_officer()
    before = dates(call)

    with pytest.raises(ValidationError) as refused:
        actions.move_dates(call, by=officer, **{name: getattr(call, name) + timedelta(days=days)})

    assert (refused.value.code, dates(call)) == ("order", before)


def test_only_an_officer_of_the_call_moves_its_dates():
    call = make_call()

    for somebody in (make_user(), make_officer(scope=Scope.CALL, key="other")):
        with pytest.raises(PermissionDenied):
            actions.close_now(call, by=somebody)


def test_dates_that_are_not_what_was_seen_are_not_overwritten():
    call, officer = make_call(), make_officer()
    seen = actions.edition(call)
    actions.close_now(Call.objects.get(pk=call.pk), by=officer)

    with pytest.raises(ValidationError) as refused:
        actions.move_dates(call, by=officer, results_at=call.results_at + timedelta(days=1), seen=seen)

    assert refused.value.code == "changed_meanwhile"


def test_closing_now_leaves_no_grace_and_a_closed_call_as_it_is():
    call, officer = make_call(), make_officer()

    actions.close_now(call, by=officer)
    closed = dates(call)
    actions.close_now(call, by=officer)

    assert is_open(call, timezone.now()) is False
    assert dates(call) == closed


def test_a_call_that_was_to_open_later_can_be_closed_and_opened():
    call, officer = make_call(opened_days_ago=-5), make_officer()

    actions.close_now(call, by=officer)
    was_open = is_open(call, timezone.now())
    actions.open_for(call, 14, by=officer)

    assert (was_open, is_open(call, timezone.now())) == (False, True)


def test_publishing_now_closes_the_call_and_brings_the_results_to_this_minute():
    call, officer = make_call(), make_officer()

    actions.publish_now(call, by=officer)

    _opens, closes, results = dates(call)
    assert closes < results
    assert timezone.now() - results < timedelta(seconds=10)


def test_the_same_key_moves_once():
    call, officer = make_call(), make_officer()
    actions.open_for(call, 14, by=officer, key="k")
    before = dates(call)

    with pytest.raises(ValidationError) as refused:
        actions.open_for(call, 30, by=officer, key="k")

    assert (refused.value.code, dates(call)) == ("already_done", before)


def test_results_that_are_out_cannot_be_taken_back():
    call, officer = make_call(), make_officer()
    make_candidate(call)
    offers.publish(allocations.confirm(allocations.allocate(call, by=officer), by=officer), by=officer)
    call.refresh_from_db()
    before = dates(call)

    for act in (
        lambda: actions.move_dates(call, by=officer, results_at=call.results_at + timedelta(days=9)),
        lambda: actions.open_for(call, 14, by=officer),
        lambda: actions.publish_now(call, by=officer),
    ):
        with pytest.raises(ValidationError) as refused:
            act()
        assert refused.value.code == "published"

    assert dates(call) == before
