"""Several at the same moment, each with a connection of its own: one succeeds, nothing is done twice or lost."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from exchange.notifications.models import Message
from scholarships.applications import actions
from scholarships.applications.models import Answer, Application, Revision, Stage, State
from scholarships.calls.form import form_of
from scholarships.calls.models import Call
from scholarships.events.models import Event
from tests.factories import make_application, make_call, make_draft, make_user

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(times: int, act: Callable[[int], Any]) -> list[Any]:
    """What ACT(0), ACT(1) ... gave or raised, all begun together; a refusal is its code."""
    start, found = threading.Barrier(times), [None] * times

    def run(number: int) -> None:
        try:
            start.wait(30)
            found[number] = act(number)
        except ValidationError as refused:
            found[number] = refused.code
        except Exception as error:
            found[number] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def fresh(application: Application) -> Application:
    return Application.objects.select_related("call", "version", "applicant").get(pk=application.pk)


def handed_in(application: Application) -> tuple[int, int, int, int]:
    """Submissions, events, steps entered and letters to the applicant."""
    events = Event.objects.about(application).filter(name="application.submitted")
    return (
        Revision.objects.filter(application=application, handed_in_at__isnull=False).count(),
        events.count(),
        Stage.objects.filter(application=application).count(),
        Message.objects.filter(event__in=events, user=application.applicant).count(),
    )


def test_a_page_sent_twenty_times_hands_in_once_and_each_hears_that_it_is_done():
    draft = make_draft(make_call())

    found = at_once(20, lambda _number: actions.submit(fresh(draft), by=draft.applicant, key="the same page").state)

    assert found == [State.SUBMITTED] * 20
    assert handed_in(draft) == (1, 1, 1, 1)


def test_of_twenty_pages_one_hands_in_and_the_others_are_told():
    draft = make_draft(make_call())

    found = at_once(20, lambda number: actions.submit(fresh(draft), by=draft.applicant, key=f"page {number}").state)

    assert found.count(State.SUBMITTED) == 1
    assert set(found) <= {State.SUBMITTED, "not_open", "already_done", "changed_meanwhile"}
    assert handed_in(draft) == (1, 1, 1, 1)


def test_an_application_started_several_times_is_one():
    call, person = make_call(), make_user()

    found = at_once(6, lambda _number: actions.start(Call.objects.select_related("version").get(pk=call.pk), by=person).pk)

    assert set(found) == {Application.objects.get().pk}
    assert Revision.objects.count() == 1
    assert Event.objects.filter(name="application.started").count() == 1


def test_a_change_opened_several_times_is_one():
    application = make_application(make_call())

    found = at_once(6, lambda _number: actions.open_change(fresh(application), by=application.applicant).number)

    assert found == [2] * 6
    assert Answer.objects.filter(revision__application=application, revision__number=2).count() == 4


def test_of_two_pages_that_save_at_once_one_is_told_and_its_words_are_not_lost_silently():
    draft = make_draft(make_call())
    section = form_of(draft.version).section("plan")
    texts = [f"Text number {number}" for number in range(6)]

    found = at_once(
        6,
        lambda number: actions.save_answers(
            fresh(draft), section, {"plan": texts[number]}, is_done=False, known_version=1, by=draft.applicant
        ).values["plan"],
    )

    kept = Answer.objects.get(revision__application=draft, section="plan")
    assert [one for one in found if one in texts] == [kept.values["plan"]]
    assert found.count("changed_meanwhile") == 5
    assert kept.version == 2


def test_withdrawing_and_handing_in_a_change_at_once_leaves_one_truth():
    application = make_application(make_call())
    actions.open_change(application, by=application.applicant)

    at_once(
        2,
        lambda number: (
            actions.withdraw(fresh(application), by=application.applicant)
            if number
            else actions.submit(fresh(application), by=application.applicant)
        ),
    )

    kept = fresh(application)
    assert kept.state == State.WITHDRAWN or (kept.state == State.SUBMITTED and kept.revision.number == 2)
    assert Stage.objects.filter(application=kept, left_at__isnull=True).count() == (kept.state == State.SUBMITTED)
