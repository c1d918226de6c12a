"""Behind a no stands another door, shown on the shipped calls themselves."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from scholarships.calls.models import Call
from tests.exchange.browse.test_can_apply import ask, doors, lines
from tests.exchange.pages import all_in, browser, main_of

pytestmark = pytest.mark.django_db


def test_a_citizen_whom_the_sco_scholarship_does_not_take_is_shown_the_call_that_does(shipped_calls):
    answer = ask(browser(), "/calls/sco-2027/can-i-apply/", citizenship="TM")

    assert all_in(answer, "h1") == ["This call is not for you, another may be"]
    assert lines(answer)[0] == (
        "Citizen of a member state of the SCO other than China: not met "
        "This call is for citizens of nine countries. Look at the other open calls: one of them may be for yours."
    )
    assert doors(answer) == [str(Call.objects.get(code="xinjiang-tm-2027").title)]
    assert 'href="/calls/xinjiang-tm-2027/"' in answer.content.decode()
    assert "/apply/start/" not in answer.content.decode()


def test_another_door_is_one_that_is_open_to_the_same_person(shipped_calls):
    now = timezone.now()
    Call.objects.filter(code="xinjiang-tm-2027").update(opens_at=now - timedelta(days=9), closes_at=now - timedelta(days=1))

    answer = ask(browser(), "/calls/sco-2027/can-i-apply/", citizenship="TM")

    assert doors(answer) == []
    assert "No other call is open to you today." in main_of(answer)
    assert 'href="/programmes/"' in answer.content.decode()


def test_who_is_of_no_country_of_any_call_reads_what_else_can_be_done(shipped_calls):
    answer = ask(browser(), "/calls/sco-2027/can-i-apply/", citizenship="DE")

    assert doors(answer) == []
    assert "No other call is open to you today." in main_of(answer)
