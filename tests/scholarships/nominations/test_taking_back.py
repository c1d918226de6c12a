"""A sent list is taken back: everything stands as before it was sent, and only until the next step opens."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from scholarships.applications import actions as applications
from scholarships.applications.models import State
from scholarships.calls.models import Call
from scholarships.events.models import Event
from scholarships.nominations import actions
from scholarships.nominations.lists import acting, list_of
from scholarships.nominations.models import SentList, Standing
from scholarships.nominations.taking_back import take_list_back, until
from scholarships.partners.models import Institution
from scholarships.people.models import User
from scholarships.quotas.models import Purpose, Quota
from tests.factories import close_call, make_body_member, make_call, make_institution, make_nomination, make_officer

pytestmark = pytest.mark.django_db


def ministry() -> Institution:
    return make_institution("kg-ministry")


def names(call: Call) -> tuple[list[str], list[str]]:
    """The ranked and the reserve, by code, in their order."""
    found = list_of(acting([ministry()], call=call)[0])
    return [row.application.code for row in found.ranked], [row.application.code for row in found.reserve]


@pytest.fixture
def member() -> User:
    make_call()
    return make_body_member(ministry())


def sent(member: User, ranked: int = 2, code: str = "small-2027") -> Call:
    """The call, after MEMBER has sent a list with RANKED nominees and one on reserve."""
    call = Call.objects.get(code=code)
    for standing in [*["ranked"] * ranked, "reserve"]:
        make_nomination(member, call, standing=standing)
    close_call(call)
    actions.send_list(call, ministry(), by=member)
    return Call.objects.get(code=code)


def used(call: Call) -> int:
    return sum(Quota.objects.filter(call=call, purpose=Purpose.NOMINATION).values_list("used", flat=True))


def test_the_list_stands_as_before_and_can_be_sent_again(member):
    call = sent(member)
    before, places = names(call), used(call)

    take_list_back(call, ministry(), by=member)
    after, freed = names(call), used(call)
    again = actions.send_list(call, ministry(), by=member)

    assert (after, names(call)) == (before, before)
    assert (places > 0, freed, used(call)) == (True, 0, places)
    assert (again.nominated, again.reserve, SentList.objects.standing().count(), SentList.objects.count()) == (2, 1, 1, 2)
    assert [event.name for event in Event.objects.filter(name__startswith="nomination.list").order_by("pk")] == [
        "nomination.list_sent",
        "nomination.list_taken_back",
        "nomination.list_sent",
    ]


def test_the_files_are_with_the_body_again_with_their_history_and_checks(member):
    call = sent(member)
    row = list_of(acting([ministry()], call=call)[0]).ranked[0]
    row.__class__.objects.filter(pk=row.pk).update(checks={"passport": "yes"}, comment="Fine.")

    take_list_back(call, ministry(), by=member)

    back = list_of(acting([ministry()], call=call)[0]).ranked[0]
    assert (back.application.pk, back.checks, back.comment, back.standing, back.sent_at) == (
        row.application.pk,
        {"passport": "yes"},
        "Fine.",
        Standing.RANKED,
        None,
    )
    assert back.application.state == State.SUBMITTED
    assert list(back.application.stages.order_by("pk").values_list("kind", "outcome")) == [
        ("nomination", "passed"),
        ("eligibility", "returned"),
        ("nomination", ""),
    ]
    actions.put_on_list(back, Standing.RESERVE, by=member)


def test_who_has_withdrawn_meanwhile_stays_away_and_leaves_the_place(member):
    call = sent(member)
    first = list_of(acting([ministry()], call=call)[0]).ranked[0].application
    applications.withdraw(first, by=first.applicant, reason="mistake")

    take_list_back(call, ministry(), by=member)

    ranked, _reserve = names(call)
    assert first.code not in ranked and len(ranked) == 1
    assert used(call) == 0


def test_it_is_too_late_once_the_next_step_has_opened():
    dates = "  - {key: eligibility, title: Eligibility, from: 2027-01-11T09:00}\nsections:\n"
    step = "{key: eligibility, kind: eligibility, title: Eligibility"
    make_call(**{"sections:\n": dates, step: f"{step}, milestone: eligibility"})
    member = make_body_member(ministry())
    call = sent(member)
    opens = until(acting([ministry()], call=call)[0])
    assert opens is not None

    with pytest.raises(ValidationError) as refused:
        take_list_back(call, ministry(), by=member, at=opens)

    assert refused.value.code == "too_late"
    assert SentList.objects.standing().exists()
    take_list_back(call, ministry(), by=member, at=opens - timedelta(minutes=1))


def test_it_is_too_late_once_one_of_them_is_decided(member):
    call = sent(member)
    row = list_of(acting([ministry()], call=call)[0]).ranked[0]
    applications.decide_eligibility(row.application, is_eligible=True, by=make_officer())

    with pytest.raises(ValidationError) as refused:
        take_list_back(call, ministry(), by=member)

    assert refused.value.code == "too_late"
    assert (SentList.objects.standing().count(), used(call) > 0) == (1, True)


def test_only_a_member_who_decides_and_only_what_was_sent(member):
    call = sent(member)
    for somebody in (make_body_member(make_institution("kz-ministry")), make_officer()):
        with pytest.raises(PermissionDenied):
            take_list_back(call, ministry(), by=somebody)
    take_list_back(call, ministry(), by=member)

    with pytest.raises(ValidationError) as refused:
        take_list_back(call, ministry(), by=member)

    assert refused.value.code == "not_sent"


def test_no_query_is_added_by_a_nominee(member):
    make_call("other-2027")
    counts = []
    for code, ranked in (("small-2027", 2), ("other-2027", 3)):
        call = sent(member, ranked, code)
        with CaptureQueriesContext(connection) as queries:
            take_list_back(call, ministry(), by=member)
        counts.append(len(queries))
    assert counts[0] == counts[1]
