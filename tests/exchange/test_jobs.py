"""What runs on the clock does its thing once, though it runs twice or in two workers at once, and one bad row stops nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection
from django.utils import timezone

from exchange import jobs
from exchange.accounts.forms import new_account
from exchange.celery import app
from exchange.notifications.letters import Letter
from exchange.notifications.models import Message, Way
from exchange.notifications.outbox import post
from exchange.notifications.relay import deliver_due
from exchange.notifications.wishes import set_wish
from scholarships.allocations import actions as allocations
from scholarships.allocations.models import Placement, Run
from scholarships.applications.models import Application, State
from scholarships.calls.models import Call
from scholarships.correspondence.actions import write
from scholarships.events.actions import broken_seal, record, recorded
from scholarships.events.models import Event, Seal
from scholarships.offers import actions as offers
from scholarships.offers.models import Offer
from scholarships.people.models import Role, User
from scholarships.quotas.models import Entry, Move, Purpose, Quota
from tests.factories import close_call, make_application, make_body_member, make_call, make_candidate, make_institution, make_officer

pytestmark = pytest.mark.django_db
ASKED = "correspondence.from_applicant:officer"
committed = pytest.mark.django_db(transaction=True)


def twice(job: Callable[[], None]) -> None:
    for _time in range(2):
        job()


def in_two_workers(job: Callable[[], None]) -> None:
    """Run JOB twice at the same moment, each with a connection of its own."""
    start, errors = threading.Barrier(2), []

    def run() -> None:
        try:
            start.wait(30)
            job()
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _worker in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (errors, [thread.is_alive() for thread in threads]) == ([], [False, False])


def names_of(event: str) -> list[str]:
    return list(Event.objects.filter(name=event).order_by("subject_key").values_list("subject_key", flat=True))


def test_each_job_of_the_timetable_is_a_task_that_exists():
    app.loader.import_default_modules()

    assert [entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values() if entry["task"] not in app.tasks] == []


# -- A call has closed -----------------------------------------------------------


def closed_call(code: str = "small-2027", *, days_ago: int = 1) -> Call:
    call = make_call(code)
    make_application(call)
    Call.objects.filter(pk=call.pk).update(opens_at=timezone.now() - timedelta(days=90))
    return close_call(call, days_ago=days_ago)


@committed
def test_a_closed_call_is_announced_once_to_the_bodies_with_files():
    call = closed_call()
    member = make_body_member(make_institution("kg-ministry"))

    twice(jobs.announce_closed_calls)

    assert names_of("call.closed") == [call.code]
    assert list(Message.objects.filter(event__name="call.closed").values_list("address", flat=True)) == [member.email]


@committed
def test_two_workers_announce_a_closed_call_once():
    closed_call()
    make_body_member(make_institution("kg-ministry"))

    in_two_workers(jobs.announce_closed_calls)

    assert Message.objects.filter(event__name="call.closed").count() == 1


def test_a_call_in_its_grace_or_still_open_is_not_announced():
    make_call("open-2027")
    call = make_call()
    Call.objects.filter(pk=call.pk).update(closes_at=timezone.now() - timedelta(minutes=call.grace - 1))

    jobs.announce_closed_calls()

    assert names_of("call.closed") == []


def test_a_clock_that_stood_still_for_a_week_announces_late():
    call = closed_call(days_ago=7)
    closed_call("old-2027", days_ago=60)

    jobs.announce_closed_calls()

    assert names_of("call.closed") == [call.code]


def test_a_call_that_is_opened_again_is_announced_again_when_it_closes_again():
    call = closed_call(days_ago=3)
    jobs.announce_closed_calls()
    close_call(call, days_ago=1)

    jobs.announce_closed_calls()

    assert names_of("call.closed") == [call.code] * 2


@committed
def test_a_call_that_cannot_be_announced_does_not_hold_up_the_others(caplog):
    closed_call("a-bad-one"), closed_call("good-one")

    def refuse(sender: Any, events: list[Event], **kwargs: Any) -> None:
        if events[0].subject_key == "a-bad-one":
            raise LookupError("an address that nobody can read")

    recorded.connect(refuse)
    try:
        jobs.announce_closed_calls()
    finally:
        recorded.disconnect(refuse)

    assert names_of("call.closed") == ["good-one"]
    assert "Call a-bad-one could not be announced as closed." in caplog.text


# -- Results ---------------------------------------------------------------------


def confirmed(code: str = "small-2027", *, results_in: timedelta = timedelta(seconds=-1)) -> Call:
    """Three for the two places of a call; the allocation is confirmed, its results due."""
    call, officer = make_call(code), make_officer()
    for score in ("9.00", "8.00", "7.00"):
        make_candidate(call, score)
    allocations.confirm(allocations.allocate(call, by=officer), by=officer)
    close_call(call, days_ago=10)
    Call.objects.filter(pk=call.pk).update(results_at=timezone.now() + results_in)
    return call


def states(call: Call) -> list[str]:
    return list(Application.objects.filter(call=call).order_by("-score").values_list("state", flat=True))


OUT = [State.OFFERED, State.OFFERED, State.RESERVE]


def test_results_that_are_due_are_published_once():
    call = confirmed()

    twice(jobs.publish_results)

    assert states(call) == OUT
    assert (names_of("call.results_published"), Offer.objects.count()) == ([call.code], 2)
    assert Event.objects.filter(name="application.told").count() == 1


@committed
def test_two_workers_publish_results_once():
    call = confirmed()

    in_two_workers(jobs.publish_results)

    assert states(call) == OUT
    assert (names_of("call.results_published"), Offer.objects.count()) == ([call.code], 2)
    assert Event.objects.filter(name__in=["application.offered", "application.told"]).count() == 3


def test_results_wait_for_their_moment():
    call = confirmed(results_in=timedelta(minutes=1))

    jobs.publish_results()

    assert (states(call), Offer.objects.count()) == ([State.SELECTED, State.SELECTED, State.RESERVE], 0)


def test_a_run_that_cannot_be_published_does_not_hold_up_the_others(caplog):
    bad, good = confirmed("a-bad-one"), confirmed("good-one")
    Placement.objects.filter(run__call=bad).update(reasons=[])

    jobs.publish_results()

    assert names_of("call.results_published") == [good.code]
    assert f"Run {Run.objects.get(call=bad).code} could not be published." in caplog.text


# -- Offers that nobody answers ---------------------------------------------------


def published(code: str = "small-2027", *, overdue: int = 2) -> Call:
    """Two have an offer, one is on the reserve list; the time of the best OVERDUE is over."""
    call = confirmed(code)
    offers.publish_due()
    late = Offer.objects.filter(application__call=call).order_by("-application__score")[:overdue]
    Offer.objects.filter(pk__in=[offer.pk for offer in late]).update(answer_by=timezone.now() - timedelta(minutes=1))
    return call


def places(call: Call) -> tuple[int, int, int]:
    row = Quota.objects.get(call=call, purpose=Purpose.AWARD, by="a.country,o.level", cell="KG,master")
    return row.places, row.held, row.used


def test_an_offer_that_nobody_answers_lapses_once_and_the_next_gets_the_place():
    call = published(overdue=1)

    twice(jobs.lapse_offers)

    assert states(call) == [State.LAPSED, State.OFFERED, State.OFFERED]
    assert (len(names_of("application.lapsed")), places(call)) == (1, (2, 2, 0))


@committed
def test_two_workers_let_an_offer_lapse_once():
    call = published()

    in_two_workers(jobs.lapse_offers)

    assert states(call) == [State.LAPSED, State.LAPSED, State.OFFERED]
    assert (len(names_of("application.lapsed")), places(call), Offer.objects.count()) == (2, (2, 1, 0), 3)
    assert Entry.objects.filter(move=Move.RELEASE, quota__by="a.country,o.level").count() == 2


def test_an_offer_whose_time_is_not_over_stays():
    call = published(overdue=0)

    jobs.lapse_offers()

    assert states(call) == OUT


def test_an_offer_that_cannot_lapse_does_not_hold_up_the_others(caplog):
    bad, good = published("a-bad-one", overdue=1), published("good-one", overdue=1)
    Quota.objects.filter(call=bad).update(held=0)  # somebody has tampered with the places

    jobs.lapse_offers()

    assert states(bad)[0] == State.OFFERED
    assert states(good) == [State.LAPSED, State.OFFERED, State.OFFERED]
    assert f"Offer {Offer.objects.filter(application__call=bad).earliest('pk').code} could not lapse." in caplog.text


# -- The daily letter ------------------------------------------------------------


def waits_since_yesterday() -> User:
    """An officer for whom a message has waited since before the last seven o'clock."""
    officer = make_officer()
    set_wish(officer, ASKED, Way.DAILY)
    application = make_application(make_call())
    write(application, by=application.applicant, text="Hello.", at=timezone.now() - timedelta(days=1))
    deliver_due()
    return officer


@committed
def test_two_workers_write_a_daily_letter_once():
    officer = waits_since_yesterday()

    in_two_workers(jobs.daily_letters)
    twice(jobs.daily_letters)

    assert names_of("digest.due") == [officer.code]
    assert [letter.bundled.count() for letter in Message.objects.filter(kind="digest:person")] == [1]


# -- Seals -----------------------------------------------------------------------


def old_events(count: int) -> None:
    call, before = make_call(), timezone.now() - timedelta(minutes=5)
    for _event in range(count):
        record("call.results_published", call, at=before, run="run-1")


def test_events_are_sealed_once_each():
    old_events(3)

    twice(jobs.seal_events)

    old = Event.objects.filter(at__lt=timezone.now() - timedelta(minutes=1)).order_by("pk")
    assert list(Seal.objects.order_by("seq").values_list("event", flat=True)) == [event.pk for event in old]
    assert (old.count() >= 3, broken_seal()) == (True, None)


@committed
def test_two_workers_seal_each_event_once_in_one_chain():
    old_events(20)

    in_two_workers(jobs.seal_events)
    jobs.seal_events()

    count = Event.objects.filter(at__lt=timezone.now() - timedelta(minutes=1)).count()
    assert list(Seal.objects.order_by("seq").values_list("seq", flat=True)) == list(range(1, count + 1))
    assert broken_seal() is None


# -- Forgetting ------------------------------------------------------------------


def unused_account(email: str, *, days_ago: int = 2) -> User:
    """Somebody typed EMAIL, a code was sent, and nobody came back with it."""
    user = new_account(email)
    post(record("account.code_sent", user), "account.code", email, Letter("123456 is your code", "123456\n"), user=user)
    User.objects.filter(pk=user.pk).update(joined_at=timezone.now() - timedelta(days=days_ago))
    return user


def test_an_account_that_nobody_confirmed_is_forgotten_with_its_letters():
    unused_account("mistyped@sapar.example")

    twice(jobs.forget)

    assert (User.objects.count(), Message.objects.count()) == (0, 0)


@committed
def test_two_workers_forget_without_harm():
    for number in range(5):
        unused_account(f"mistyped{number}@sapar.example")

    in_two_workers(jobs.forget)

    assert (User.objects.count(), Message.objects.count()) == (0, 0)


def test_who_asked_for_a_code_today_has_signed_in_has_a_name_or_a_role_stays():
    unused_account("today@sapar.example", days_ago=0)
    User.objects.filter(pk=unused_account("signed.in@sapar.example").pk).update(last_login=timezone.now())
    User.objects.filter(pk=unused_account("has.a.name@sapar.example").pk).update(name="Nuray")
    unused_account("invited@sapar.example").memberships.create(role=Role.REVIEWER, scope_kind="site")

    jobs.forget()

    assert sorted(User.objects.values_list("email", flat=True)) == [
        "has.a.name@sapar.example",
        "invited@sapar.example",
        "signed.in@sapar.example",
        "today@sapar.example",
    ]
    assert Message.objects.filter(kind="account.code").count() == 4


def test_an_account_that_something_hangs_on_stays_and_does_not_hold_up_the_others():
    used = unused_account("used@sapar.example")
    unused_account("mistyped@sapar.example")
    post(record("person.joined", used), "test.letter", used.email, Letter("A letter", "Words.\n"), user=used)

    jobs.forget()

    assert list(User.objects.values_list("email", flat=True)) == ["used@sapar.example"]
    assert sorted(Message.objects.values_list("kind", flat=True)) == ["account.code", "test.letter"]


def test_sessions_that_are_over_are_forgotten():
    now = timezone.now()
    Session.objects.create(session_key="over", session_data="", expire_date=now - timedelta(seconds=1))
    Session.objects.create(session_key="live", session_data="", expire_date=now + timedelta(days=1))

    twice(jobs.forget)

    assert list(Session.objects.values_list("session_key", flat=True)) == ["live"]
