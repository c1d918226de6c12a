"""When a call is open, who sees it, and what the database holds."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import IntegrityError, transaction
from django.utils import timezone

from scholarships.calls import rules
from scholarships.calls.models import Call, Milestone, Requirement, Step, is_open
from scholarships.people.models import Scope
from tests.factories import make_body_member, make_call, make_institution, make_officer, make_reviewer, make_user

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)


@pytest.fixture
def call() -> Call:
    return make_call()


def hidden(call: Call) -> Call:
    """CALL as before it was published."""
    Call.objects.filter(pk=call.pk).update(version=None)
    return Call.objects.get(pk=call.pk)


def test_a_call_is_open_from_its_opening_to_its_deadline_and_grace(call):
    last = call.closes_at + timedelta(minutes=call.grace)

    assert call.last_moment() == last
    assert [is_open(call, moment) for moment in (call.opens_at - SECOND, call.opens_at, call.closes_at + SECOND, last, last + SECOND)] == [
        False, True, True, True, False,
    ]  # fmt: skip


def test_a_call_that_is_not_published_is_never_open(call):
    assert is_open(hidden(call), call.opens_at + SECOND) is False


def test_the_list_of_open_calls_ends_at_the_deadline_without_the_grace(call):
    def listed(moment) -> bool:
        return Call.objects.open_now(at=moment).exists()

    assert [listed(call.opens_at - SECOND), listed(call.opens_at), listed(call.closes_at - SECOND), listed(call.closes_at)] == [
        False, True, True, False,
    ]  # fmt: skip
    assert list(Call.objects.open_now()) == [call]


def people(call: Call) -> dict:
    return {
        "officer of the call": make_officer(scope=Scope.CALL, key=call.code),
        "officer of the site": make_officer(),
        "officer of another call": make_officer(scope=Scope.CALL, key="other"),
        "reviewer": make_reviewer(call),
        "member of a body": make_body_member(make_institution("kg-ministry")),
        "student": make_user(),
        "technician": make_user(is_staff=True, is_superuser=True),
        "anonymous": AnonymousUser(),
    }


def test_a_published_call_is_public(call):
    assert [who for who, person in people(call).items() if call not in Call.objects.visible_to(person)] == []
    assert [who for who, person in people(call).items() if not rules.may_read(person, call)] == []


def test_a_call_that_is_not_published_is_seen_by_its_officers(call):
    call = hidden(call)
    persons = people(call)

    seen = {who for who, person in persons.items() if call in Call.objects.visible_to(person)}

    assert (
        seen == {who for who, person in persons.items() if rules.may_read(person, call)} == {"officer of the call", "officer of the site"}
    )


def test_officers_run_their_own_calls(call):
    other = make_call("other")
    persons = people(call)

    assert {who: set(Call.objects.run_by(person)) for who, person in persons.items() if Call.objects.run_by(person)} == {
        "officer of the call": {call},
        "officer of the site": {call, other},
        "officer of another call": {other},
    }
    assert {who for who, person in persons.items() if rules.may_run(person, call)} == {"officer of the call", "officer of the site"}


def refused(act) -> bool:
    with pytest.raises(IntegrityError), transaction.atomic():
        act()
    return True


def test_the_database_keeps_the_dates_of_a_call_in_order(call):
    rows = Call.objects.filter(pk=call.pk)

    assert refused(lambda: rows.update(closes_at=call.opens_at))
    assert refused(lambda: rows.update(results_at=call.closes_at - SECOND))
    assert rows.update(results_at=call.closes_at) == 1


def test_the_database_keeps_parts_apart_and_whole(call):
    now = timezone.now()
    step = Step.objects.get(version=call.version, key="nomination")

    assert refused(lambda: Milestone.objects.create(call=call, key="x", starts_at=now, ends_at=now - SECOND))
    assert refused(lambda: Milestone.objects.create(call=call, key="nomination", starts_at=now))
    assert refused(lambda: Requirement.objects.filter(version=call.version).update(least=3, most=2))
    assert refused(lambda: Step.objects.filter(pk=step.pk).update(body_by=""))
    assert refused(lambda: Step.objects.filter(version=call.version, kind="review").update(body_by="home"))
    assert refused(lambda: Step.objects.filter(version=call.version, key="review").update(order=step.order))
