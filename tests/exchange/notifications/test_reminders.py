"""Reminders are planned from dates, told once, moved with the date, and gone with the reason."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from exchange.notifications import reminders
from exchange.notifications.models import Message, Reminder
from scholarships.applications import actions
from scholarships.calls.actions import close_now, open_for
from scholarships.calls.models import Call
from scholarships.nominations import actions as nominations
from scholarships.offers import actions as offers
from scholarships.partners.models import Institution
from scholarships.reviews import actions as reviews
from tests.exchange.notifications.stories import end_of_review, offer_to, published
from tests.factories import (
    make_application,
    make_assignment,
    make_at_review,
    make_body_member,
    make_call,
    make_draft,
    make_nomination,
    make_officer,
    make_user,
)

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def told(kind: str) -> list[str]:
    """The addresses of the letters of KIND, in the order of their writing."""
    return list(Message.objects.filter(kind__startswith=kind).order_by("pk").values_list("address", flat=True))


def occasions() -> list[tuple[str, datetime, bool]]:
    rows = Reminder.objects.filter(kind=reminders.DRAFT).order_by("due_at").values_list("occasion", "due_at", "done_at")
    return [(occasion.partition(".")[0], due_at, done_at is not None) for occasion, due_at, done_at in rows]


@pytest.fixture
def call() -> Call:
    call = make_call()
    Call.objects.update(closes_at=timezone.now() + 20 * DAY)
    return Call.objects.get(pk=call.pk)


def test_an_unfinished_draft_is_reminded_seven_two_and_one_days_before_the_call_closes(call):
    draft = make_draft(call)
    make_application(call)

    reminders.plan()
    planned = occasions()
    for days in (8, 7, 6, 2, 1, 0):
        reminders.tell_due(at=call.closes_at - days * DAY + timedelta(minutes=1))

    assert planned == [(str(days), call.closes_at - days * DAY, False) for days in (7, 2, 1)]
    assert told("reminder.draft") == [draft.applicant.email] * 3


def test_whoever_has_handed_in_by_then_hears_nothing(call):
    draft = make_draft(call)
    reminders.plan()
    actions.submit(draft, by=draft.applicant)

    assert (reminders.tell_due(at=call.closes_at - DAY), told("reminder.draft")) == (0, [])


def test_two_clocks_tell_once(call):
    draft = make_draft(call)
    reminders.plan()
    reminders.plan()

    counts = [reminders.tell_due(at=call.closes_at - 2 * DAY) for _clock in range(2)]

    assert (counts, told("reminder.draft")) == ([1, 0], [draft.applicant.email])
    assert len(occasions()) == 3


def test_a_clock_that_stood_still_tells_the_nearest_occasion_alone(call):
    draft = make_draft(call)
    reminders.plan()

    reminders.tell_due(at=call.closes_at - timedelta(hours=18))

    assert told("reminder.draft") == [draft.applicant.email]
    assert [is_done for _occasion, _due_at, is_done in occasions()] == [True] * 3


def test_a_clock_that_wakes_after_the_deadline_tells_nothing(call):
    make_draft(call)
    reminders.plan()

    assert (reminders.tell_due(at=call.closes_at + timedelta(hours=6)), told("reminder.draft")) == (0, [])


def test_a_moved_deadline_moves_what_is_planned_and_reminds_again_before_the_new_one(call):
    draft = make_draft(call)
    reminders.plan()
    reminders.tell_due(at=call.closes_at - 2 * DAY)

    open_for(call, 25, by=make_officer())
    moved = Call.objects.get(pk=call.pk)
    reminders.plan()
    waiting = [due_at for _occasion, due_at, is_done in occasions() if not is_done]
    reminders.tell_due(at=moved.closes_at - 2 * DAY)

    assert waiting == [moved.closes_at - days * DAY for days in (7, 2, 1)]
    assert told("reminder.draft") == [draft.applicant.email] * 2


def test_what_was_planned_for_a_date_that_has_moved_is_not_told_even_before_the_next_planning(call):
    make_draft(call)
    reminders.plan()
    before = call.closes_at

    open_for(call, 28, by=make_officer())

    assert (reminders.tell_due(at=before - DAY), told("reminder.draft")) == (0, [])


def test_a_deadline_that_moves_is_told_to_those_whom_it_concerns(call):
    draft, submitted = make_draft(call), make_application(call)

    open_for(call, 25, by=make_officer())

    assert sorted(told("call.dates_moved")) == sorted([draft.applicant.email, submitted.applicant.email])


def test_closing_at_once_is_no_news_about_time_left(call):
    make_draft(call)

    close_now(call, by=make_officer())

    assert told("call.dates_moved") == []


def test_what_is_nearer_than_the_occasion_is_not_reminded_at_once():
    call = make_call()
    Call.objects.update(closes_at=timezone.now() + 1.5 * DAY)
    make_draft(call)

    reminders.plan()

    assert [occasion for occasion, _due_at, _is_done in occasions()] == ["1"]


def test_open_reviews_are_reminded_of_until_they_are_handed_in(call):
    first, second = (make_assignment(make_at_review(call)) for _file in range(2))
    due = end_of_review(call)
    reviews.recuse(second, "other", by=second.reviewer)

    reminders.plan(at=due - 10 * DAY)
    reminders.tell_due(at=due - 3 * DAY)

    assert told("reminder.review") == [first.reviewer.email]


def test_a_list_that_is_due_is_asked_for_before_and_after_until_it_is_sent(call):
    due = call.milestones.get(key="nomination").ends_at
    ministry, other = (make_body_member(Institution.objects.get(code=f"{code}-ministry")) for code in ("kg", "kz"))
    make_nomination(ministry, call, standing="ranked")
    make_application(call, citizenship="KZ")
    Call.objects.filter(pk=call.pk).update(closes_at=due - 12 * DAY)
    reminders.plan(at=due - 10 * DAY)

    reminders.tell_due(at=due - 7 * DAY)
    both = told("reminder.list")
    nominations.send_list(Call.objects.get(pk=call.pk), Institution.objects.get(code="kg-ministry"), by=ministry, at=due - 6 * DAY)
    for days in (-2, 1, 7, 20):
        reminders.plan(at=due + days * DAY)
        reminders.tell_due(at=due + days * DAY + timedelta(minutes=1))

    assert sorted(both) == sorted([ministry.email, other.email])
    assert told("reminder.list")[2:] == [other.email] * 3


def test_an_offer_is_reminded_of_until_it_is_answered():
    _officer, people = published()
    first, second = offer_to(people[0]), offer_to(people[1])
    reminders.plan()
    offers.accept(first, by=people[0].applicant)

    reminders.tell_due(at=second.answer_by - DAY)

    assert told("reminder.offer") == [people[1].applicant.email]


def test_planning_and_telling_cost_the_same_for_one_draft_and_for_many(call):
    def queries() -> int:
        Reminder.objects.all().delete()
        with CaptureQueriesContext(connection) as captured:
            reminders.plan()
            reminders.tell_due(at=call.closes_at - days.pop() * DAY)
        return len(captured)

    days = [1, 2]
    make_draft(call)
    with_one = queries()
    for _draft in range(20):
        make_draft(call, make_user())

    assert queries() == with_one
