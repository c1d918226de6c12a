"""Who signs in, which role each has in which scope, and until when."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from scholarships.events.models import Event
from scholarships.people.actions import give_role, settle, take_role
from scholarships.people.models import Membership, Role, Scope, User
from scholarships.people.rules import (
    forget_scopes,
    institutions_of,
    is_body_member,
    is_officer,
    is_reviewer,
    is_site_officer,
    is_staff_of_any_kind,
    scopes_of,
)
from tests.factories import make_user

pytestmark = pytest.mark.django_db

TODAY = timezone.now().date()


def happened(name: str) -> list[tuple]:
    return list(Event.objects.filter(name=name).order_by("pk").values_list("subject_key", "by", "data"))


# -- Accounts --------------------------------------------------------------------


def test_an_address_is_kept_in_small_letters_without_blanks():
    assert User.objects.create_user("  Nuray@Sapar.Example ").email == "nuray@sapar.example"
    assert User.objects.get_by_natural_key("NURAY@sapar.example").email == "nuray@sapar.example"


@pytest.mark.parametrize("again", ["nuray@sapar.example", "NURAY@sapar.example"])
def test_there_is_one_account_for_an_address_however_it_is_written(again):
    User.objects.create_user("nuray@sapar.example")

    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create(email=again)


def test_an_account_without_a_password_cannot_be_entered_by_one():
    user = User.objects.create_user("nuray@sapar.example")

    assert (user.has_usable_password(), user.check_password("")) == (False, False)


def test_the_technician_opens_the_admin_and_has_no_role():
    technician = User.objects.create_superuser("root@sapar.example")

    assert (technician.is_staff, technician.is_superuser) == (True, True)
    assert not is_staff_of_any_kind(technician)


def test_a_person_is_called_by_name_else_by_address():
    user = User.objects.create_user("nuray@sapar.example")
    assert (str(user), user.get_short_name()) == ("nuray@sapar.example", "nuray")

    user.name = "Nuray Asanova"
    assert (str(user), user.get_short_name()) == ("Nuray Asanova", "Nuray")


def test_people_are_named_by_random_codes():
    codes = {make_user().code for _number in range(20)}

    assert len(codes) == 20
    assert {len(code) for code in codes} == {9}


def test_what_a_person_says_at_first_is_kept_and_they_join_once():
    user = User.objects.create_user("nuray@sapar.example")

    settle(user, name=" Nuray Asanova ", citizenship="KG", language="ru", name_own_script=" Нурай ", zone="Asia/Bishkek")
    settle(user, name="Nuray A.", citizenship=None)

    kept = User.objects.select_related("profile").get(pk=user.pk)
    assert (kept.name, kept.language, kept.zone) == ("Nuray A.", "ru", "")
    assert (kept.profile.citizenship_id, kept.profile.name_own_script) == (None, "")
    assert happened("person.joined") == [(user.code, user.pk, {})]


# -- Roles -----------------------------------------------------------------------


def test_a_role_is_given_once_and_written_down():
    user, officer = make_user(), make_user()

    give_role(user, Role.OFFICER, scope=Scope.CALL, key="sco-2027", by=officer)
    give_role(user, Role.OFFICER, scope=Scope.CALL, key="sco-2027", by=officer)

    assert Membership.objects.count() == 1
    assert happened("person.role_given") == [(user.code, officer.pk, {"role": "officer", "scope": "call", "of": "sco-2027"})]


def test_a_role_that_is_taken_back_is_gone_at_once_and_written_down():
    user, officer = make_user(), make_user()
    membership = give_role(user, Role.REVIEWER, by=officer)
    assert is_reviewer(user)

    take_role(membership, by=officer)

    assert not is_reviewer(membership.user)
    assert not is_reviewer(User.objects.get(pk=user.pk))
    assert happened("person.role_taken") == [(user.code, officer.pk, {"role": "reviewer", "scope": "site", "of": ""})]


@pytest.mark.parametrize(("role", "predicate"), [(Role.OFFICER, is_officer), (Role.REVIEWER, is_reviewer), (Role.BODY, is_body_member)])
def test_each_role_is_known_by_its_own_question_only(role, predicate):
    user = make_user()
    give_role(user, role, scope=Scope.INSTITUTION, key="x")

    assert [question(user) for question in (is_officer, is_reviewer, is_body_member)] == [
        question is predicate for question in (is_officer, is_reviewer, is_body_member)
    ]
    assert is_staff_of_any_kind(user)


def test_an_officer_of_one_call_is_none_of_the_site():
    one, site = make_user(), make_user()
    give_role(one, Role.OFFICER, scope=Scope.CALL, key="sco-2027")
    give_role(site, Role.OFFICER)

    assert [is_site_officer(user) for user in (one, site)] == [False, True]
    assert scopes_of(one, Role.OFFICER) == {"call": {"sco-2027"}}
    assert scopes_of(site, Role.OFFICER) == {"site": {""}}


def test_a_member_acts_for_the_institutions_of_the_own_memberships():
    user = make_user()
    give_role(user, Role.BODY, scope=Scope.INSTITUTION, key="kg-ministry")
    give_role(user, Role.BODY, scope=Scope.INSTITUTION, key="karakol-state")
    give_role(user, Role.OFFICER, scope=Scope.INSTITUTION, key="kz-ministry")

    assert institutions_of(user) == {"kg-ministry", "karakol-state"}
    assert institutions_of(make_user()) == set()


@pytest.mark.parametrize(("days", "is_active"), [(None, True), (1, True), (0, True), (-1, False)])
def test_a_role_ends_after_its_last_day(days, is_active):
    user = make_user()
    ends_on = None if days is None else TODAY + timedelta(days=days)
    Membership.objects.create(user=user, role=Role.OFFICER, scope_kind=Scope.SITE, ends_on=ends_on)

    assert is_officer(user) is is_active
    assert Membership.objects.active().exists() is is_active


def test_roles_are_read_once_for_a_person_and_anew_when_forgotten(django_assert_num_queries):
    user = make_user()
    with django_assert_num_queries(1):
        assert not is_officer(user)
        assert not is_reviewer(user)
    Membership.objects.create(user=user, role=Role.OFFICER, scope_kind=Scope.SITE)

    assert not is_officer(user)
    forget_scopes(user)
    assert is_officer(user)


def test_nobody_has_no_role():
    nobody = AnonymousUser()

    assert [question(nobody) for question in (is_officer, is_reviewer, is_body_member, is_site_officer, is_staff_of_any_kind)] == [
        False
    ] * 5
    assert (institutions_of(nobody), list(Membership.objects.of(nobody, *Role.values))) == (set(), [])


@pytest.mark.parametrize(("scope", "key"), [(Scope.SITE, "sco-2027"), (Scope.CALL, ""), (Scope.INSTITUTION, "")])
def test_the_database_wants_a_key_for_each_scope_but_the_site(scope, key):
    user = make_user()

    with pytest.raises(IntegrityError), transaction.atomic():
        Membership.objects.create(user=user, role=Role.OFFICER, scope_kind=scope, scope_key=key)


def test_a_zone_that_does_not_exist_is_refused():
    user = make_user()
    user.zone = "Asia"

    with pytest.raises(ValidationError) as refused:
        user.clean_fields(exclude=["password"])

    assert set(refused.value.error_dict) == {"zone"}
