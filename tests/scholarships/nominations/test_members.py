"""Members of a body: who prepares, who decides, deputies until a day, and never a body without anybody who decides."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from scholarships.calls.models import Call
from scholarships.events.models import Event
from scholarships.nominations import actions, members
from scholarships.nominations.models import Nomination
from scholarships.partners.models import Institution
from scholarships.people.models import Membership, User
from scholarships.people.rules import deciding_institutions_of, institutions_of
from tests.factories import close_call, make_body_member, make_call, make_institution, make_nomination, make_user

pytestmark = pytest.mark.django_db

TODAY = timezone.now().date()


@pytest.fixture
def head() -> User:
    make_call()
    return make_body_member(ministry())


def ministry() -> Institution:
    return make_institution("kg-ministry")


def fresh(user: User) -> User:
    return User.objects.get(pk=user.pk)


def test_whoever_prepares_notes_checks_and_decides_nothing(head: User):
    assistant = make_user("Aida")
    members.add(ministry(), assistant, decides=False, by=head)
    assistant = fresh(assistant)
    call = Call.objects.get()
    nomination = make_nomination(head, call)

    actions.save_checks(nomination, {"passport": "yes"}, "Fine.", by=assistant)
    with pytest.raises(PermissionDenied):
        actions.put_on_list(nomination, "ranked", by=assistant)
    with pytest.raises(PermissionDenied):
        actions.turn_down(nomination, by=assistant, note="No.")
    with pytest.raises(PermissionDenied):
        actions.give_file_back(
            nomination, by=assistant, reason="unreadable", sections=["documents"], until=timezone.now() + timedelta(days=3), note="Again."
        )
    actions.put_on_list(nomination, "ranked", by=head)
    close_call(call)
    with pytest.raises(PermissionDenied):
        actions.send_list(call, ministry(), by=assistant)

    assert Nomination.objects.visible_to(assistant).get().comment == "Fine."


def test_a_deputy_decides_until_the_last_day(head: User):
    deputy = make_user("Bakyt")

    members.add(ministry(), deputy, decides=True, ends_on=TODAY, by=head)
    assert deciding_institutions_of(fresh(deputy)) == {"kg-ministry"}
    Membership.objects.filter(user=deputy).update(ends_on=TODAY - timedelta(days=1))

    assert (deciding_institutions_of(fresh(deputy)), institutions_of(fresh(deputy))) == (frozenset(), frozenset())
    assert [member.user for member in members.members_of(ministry())] == [head]
    event = Event.objects.filter(name="person.role_given", subject_key=deputy.code).get()
    assert (event.by, event.data["decides"], event.data["until"]) == (head, True, TODAY.isoformat())


def test_a_day_that_is_over_is_refused_at_its_field(head: User):
    with pytest.raises(ValidationError) as refused:
        members.add(ministry(), make_user(), decides=True, ends_on=TODAY - timedelta(days=1), by=head)

    assert set(refused.value.error_dict) == {"ends_on"}


def test_only_those_who_decide_add_and_end(head: User):
    assistant = make_user()
    membership = members.add(ministry(), assistant, decides=False, by=head)
    stranger = make_body_member(make_institution("kz-ministry"))

    for somebody in (fresh(assistant), stranger):
        with pytest.raises(PermissionDenied):
            members.add(ministry(), make_user(), decides=False, by=somebody)
        with pytest.raises(PermissionDenied):
            members.end(membership, by=somebody)


@pytest.mark.parametrize("change", [{"decides": False}, {"decides": True, "ends_on": TODAY}])
def test_a_body_keeps_somebody_who_decides_for_good(head: User, change: dict):
    own = Membership.objects.get(user=head, role="body")
    members.add(ministry(), make_user(), decides=True, ends_on=TODAY, by=head)

    with pytest.raises(ValidationError) as lowered:
        members.add(ministry(), head, by=head, **change)
    with pytest.raises(ValidationError) as ended:
        members.end(own, by=head)
    assert (lowered.value.code, ended.value.code) == ("last", "last")

    members.add(ministry(), make_user(), decides=True, by=head)
    members.end(own, by=head)
    assert institutions_of(fresh(head)) == frozenset()


def test_adding_somebody_again_changes_what_they_may(head: User):
    assistant = make_user()
    members.add(ministry(), assistant, decides=False, by=head)
    members.add(ministry(), assistant, decides=False, by=head)
    members.add(ministry(), assistant, decides=True, by=head)

    assert deciding_institutions_of(fresh(assistant)) == {"kg-ministry"}
    assert Event.objects.filter(name="person.role_given", subject_key=assistant.code).count() == 2
