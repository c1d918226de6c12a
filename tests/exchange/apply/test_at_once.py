"""The same button pressed many times at the same moment, over real connections: it counts once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from exchange.notifications.models import Message
from scholarships.allocations import actions as allocations
from scholarships.allocations.models import Run
from scholarships.applications.models import Application, Revision, Stage, State
from scholarships.calls.actions import publish_now
from scholarships.calls.models import Call
from scholarships.events.models import Event
from scholarships.offers import actions as offers
from scholarships.people.models import User
from scholarships.quotas.models import Purpose, Quota
from tests.exchange.pages import browser
from tests.factories import make_application, make_call, make_candidate, make_draft, make_officer, make_user

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(person: User, times: int, act: Callable[[Client, int], Any]) -> list[tuple[int, str]]:
    """Status and address of each answer to what the browsers of PERSON sent, all begun together."""
    browsers = [browser(person, raise_request_exception=False) for _number in range(times)]
    start, found = threading.Barrier(times), [(0, "")] * times

    def run(number: int) -> None:
        try:
            start.wait(30)
            answer = act(browsers[number], number)
            found[number] = (answer.status_code, answer.get("Location", ""))
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def handed_in(application: Application) -> tuple[int, int, int, int]:
    """Submissions, events, steps entered and letters to the applicant."""
    events = Event.objects.about(application).filter(name="application.submitted")
    return (
        Revision.objects.filter(application=application, handed_in_at__isnull=False).count(),
        events.count(),
        Stage.objects.filter(application=application).count(),
        Message.objects.filter(event__in=events, user=application.applicant).count(),
    )


@pytest.mark.parametrize("keys", ["one", "many", "none"])
def test_of_twenty_pages_sent_at_once_exactly_one_hands_in_and_all_lead_to_the_receipt(keys):
    draft = make_draft(make_call())
    key = {"one": lambda number: "the same page", "many": lambda number: f"page {number}", "none": lambda number: ""}[keys]

    found = at_once(draft.applicant, 20, lambda client, number: client.post(f"/apply/{draft.code}/check/", {"key": key(number)}))

    assert found == [(302, f"/apply/{draft.code}/receipt/")] * 20
    assert handed_in(draft) == (1, 1, 1, 1)


def test_a_start_pressed_many_times_starts_one():
    make_call()
    person = make_user()

    found = at_once(person, 8, lambda client, _number: client.post("/apply/start/small-2027/"))

    application = Application.objects.get()
    assert found == [(302, f"/apply/{application.code}/")] * 8


def test_of_pages_saved_at_once_one_is_kept_and_the_others_are_told():
    draft = make_draft(make_call())
    path = f"/apply/{draft.code}/sections/plan/"

    found = at_once(
        draft.applicant, 6, lambda client, number: client.post(path, {"version": "1", "plan": f"Text number {number}", "done": "n"})
    )

    assert sorted(status for status, _address in found) == [302, *[409] * 5]


def test_a_withdrawal_sent_at_once_counts_once():
    application = make_application(make_call())

    at_once(
        application.applicant,
        6,
        lambda client, _number: client.post(f"/apply/{application.code}/withdraw/", {"reason": "plans", "key": "k"}),
    )

    assert Event.objects.about(application).filter(name="application.withdrawn").count() == 1
    assert Application.objects.get(pk=application.pk).state == State.WITHDRAWN


def test_an_offer_accepted_and_declined_at_once_has_one_answer():
    call, officer = make_call(), make_officer()
    first, second = make_candidate(call, "9.00"), make_candidate(call, "8.00")
    Quota.objects.filter(call=call, purpose=Purpose.AWARD, cell="KG,master").update(places=1)
    run = allocations.confirm(allocations.allocate(call, by=officer), by=officer)
    publish_now(Call.objects.get(pk=call.pk), by=officer)
    offers.make_from(Run.objects.select_related("call").get(pk=run.pk))

    found = at_once(
        first.applicant, 8,
        lambda client, number: client.post(f"/apply/{first.code}/result/", {"answer": "accept" if number % 2 else "decline", "confirmed": "1", "key": f"k{number % 2}"}),
    )  # fmt: skip

    states = [Application.objects.get(pk=one.pk).state for one in (first, second)]
    row = Quota.objects.get(call=call, purpose=Purpose.AWARD, cell="KG,master")
    assert (states, row.held, row.used) in [
        ([State.ACCEPTED, State.RESERVE], 0, 1),
        ([State.DECLINED, State.OFFERED], 1, 0),
    ]
    assert {status for status, _address in found} == {302, 409}


def test_the_deadline_falls_for_all_at_the_same_moment():
    draft = make_draft(make_call())
    Call.objects.update(closes_at=timezone.now() - timedelta(days=1))

    found = at_once(draft.applicant, 6, lambda client, number: client.post(f"/apply/{draft.code}/check/", {"key": f"{number}"}))

    assert ([status for status, _address in found], handed_in(draft)) == ([409] * 6, (0, 0, 0, 0))
