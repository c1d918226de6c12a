"""The officers' page of a call's nominating bodies."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from scholarships.calls.models import Milestone
from scholarships.people.models import Scope, User
from tests.factories import make_body_member, make_call, make_institution, make_nomination, make_officer

pytestmark = pytest.mark.django_db

PAGE = "/manage/calls/small-2027/bodies/"


def client_of(user: User) -> Client:
    client = Client(HTTP_HOST="127.0.0.1")
    client.force_login(user)
    return client


def test_a_late_body_is_seen_and_the_officer_goes_on_to_its_list():
    call, officer = make_call(), make_officer()
    make_nomination(make_body_member(make_institution("kg-ministry")), call)
    Milestone.objects.filter(call=call, key="nomination").update(starts_at=timezone.now().replace(year=2020), ends_at=timezone.now())
    client = client_of(officer)

    page = client.get(PAGE).content.decode()
    refused = client.post(PAGE, {"body": "kg-ministry", "reason": ""})
    answer = client.post(PAGE, {"body": "kg-ministry", "reason": "late"})

    assert "Late" in page and "Nobody decides for it." in page
    assert refused.status_code == 422 and "Choose why you act for this body." in refused.content.decode()
    assert answer["Location"] == f"/nominate/calls/{call.code}/kg-ministry/"
    assert client.get(answer["Location"]).status_code == 200


def test_an_officer_of_the_call_sees_it_and_cannot_act():
    call = make_call()
    client = client_of(make_officer(scope=Scope.CALL, key=call.code))

    assert "Act for it" not in client.get(PAGE).content.decode()
    assert client.post(PAGE, {"body": "kg-ministry", "reason": "late"}).status_code == 403


def test_it_is_a_page_of_the_officers_of_the_call():
    make_call()
    other = make_officer(scope=Scope.CALL, key=make_call("other-2027").code)

    assert client_of(other).get(PAGE).status_code == 404
    assert client_of(make_body_member(make_institution("kg-ministry"))).get(PAGE).status_code == 403
    assert client_of(make_officer()).post(PAGE, {"body": "nowhere"}).status_code == 404
