"""The page of a body's members."""

from __future__ import annotations

import pytest
from django.test import Client

from scholarships.calls.models import Call
from scholarships.people.models import Membership, User
from tests.factories import make_body_member, make_call, make_institution, make_nomination

pytestmark = pytest.mark.django_db

PAGE = "/nominate/bodies/kg-ministry/members/"


def client_of(user: User) -> Client:
    client = Client(HTTP_HOST="127.0.0.1")
    client.force_login(user)
    return client


@pytest.fixture
def head() -> User:
    make_call()
    return make_body_member(make_institution("kg-ministry"))


def add(client: Client, **changed: str):
    return client.post(PAGE, {"email": "Aida@Sapar.example", "power": "prepare", "ends_on": "", **changed})


def test_a_new_member_is_told_by_mail_and_signs_in_with_a_code(head: User):
    answer = add(client_of(head))

    member = User.objects.get(email="aida@sapar.example")
    assert answer.status_code == 302
    assert member.messages.filter(kind="person.role_given:person").count() == 1
    page = client_of(head).get(PAGE).content.decode()
    assert "aida@sapar.example" in page and "Prepares" in page
    asked = Client(HTTP_HOST="127.0.0.1").post("/accounts/login/code/", {"email": "aida@sapar.example"})
    assert asked.status_code == 302
    assert member.messages.filter(kind="account.code").count() == 1


def test_what_is_wrong_is_said_at_its_field(head: User):
    client = client_of(head)

    wrong = [add(client, **one) for one in ({"email": "x"}, {"power": ""}, {"ends_on": "2020-01-01"})]

    assert [answer.status_code for answer in wrong] == [422, 422, 422]
    assert "This day is over." in wrong[2].content.decode()
    assert Membership.objects.filter(role="body").count() == 1


def test_the_last_who_decides_stays(head: User):
    answer = client_of(head).post(PAGE, {"end": head.code})

    assert answer.status_code == 422
    assert "One member must decide" in answer.content.decode()


def test_whoever_prepares_sees_no_button_that_decides(head: User):
    client = client_of(head)
    add(client)
    nomination = make_nomination(head, Call.objects.get(), standing="ranked")
    assistant = client_of(User.objects.get(email="aida@sapar.example"))
    place = f"/nominate/calls/{nomination.call.code}/kg-ministry/"

    ranking, file = (assistant.get(address).content.decode() for address in (place, f"/nominate/files/{nomination.application.code}/"))

    assert "You prepare files for this body" in ranking and 'name="up"' not in ranking
    assert 'value="turn_down"' not in file and 'value="stay"' in file
    assert assistant.post(place, {"reserve": nomination.application.code}).status_code == 403
    assert (add(assistant).status_code, assistant.post(PAGE, {"end": head.code}).status_code) == (403, 403)


def test_a_member_is_ended(head: User):
    client = client_of(head)
    add(client)
    member = User.objects.get(email="aida@sapar.example")

    client.post(PAGE, {"end": member.code})

    assert not Membership.objects.filter(user=member).exists()


def test_members_of_other_bodies_are_not_shown(head: User):
    other = make_body_member(make_institution("kz-ministry"))

    assert client_of(other).get(PAGE).status_code == 404
