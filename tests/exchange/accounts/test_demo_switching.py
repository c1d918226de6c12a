"""“See this as”: one click in the demo, and no door at all outside it."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys

import pytest

from exchange.demo.people import MINISTRY, OFFICER, REVIEWER, STUDENT
from scholarships.partners.models import Institution
from scholarships.people.actions import give_role
from scholarships.people.models import Role, Scope, User
from tests.exchange.pages import browser, text_of
from tests.factories import make_application, make_call, make_user
from tests.services import ROOT

pytestmark = pytest.mark.django_db

SWITCH = "/demo/switch/"


@pytest.fixture
def people() -> dict[str, User]:
    """The invented persons one can be."""
    call = make_call()
    found = {role: make_user(persona.name, email=persona.email) for role, persona in (("student", STUDENT), ("ministry", MINISTRY), ("reviewer", REVIEWER), ("officer", OFFICER))}  # fmt: skip
    give_role(found["officer"], Role.OFFICER)
    give_role(found["ministry"], Role.BODY, scope=Scope.INSTITUTION, key=Institution.objects.get(code="kg-ministry").code)
    give_role(found["reviewer"], Role.REVIEWER, scope=Scope.CALL, key=call.code)
    return found


def who(client) -> str:
    return User.objects.get(pk=client.session["_auth_user_id"]).email


@pytest.mark.parametrize("role", ["student", "ministry", "reviewer", "officer"])
def test_one_click_signs_in_as_the_person_of_the_role(people, role):
    client = browser()

    answer = client.post(SWITCH, {"as": role})

    assert (answer.status_code, answer["Location"], who(client)) == (302, "/accounts/home/", people[role].email)


def test_the_same_file_is_opened_in_each_role(people):
    application = make_application_of(people["student"])
    client = browser()

    found = {role: client.post(SWITCH, {"as": role, "file": application.code})["Location"] for role in ("student", "officer")}

    assert found == {"student": f"/apply/{application.code}/status/", "officer": f"/manage/applications/{application.code}/"}


def test_the_ministry_finds_a_file_that_came_a_moment_ago(people):
    application = make_application_of(people["student"])

    answer = browser().post(SWITCH, {"as": "ministry", "file": application.code}, follow=True)

    assert (answer.status_code, answer.request["PATH_INFO"]) == (200, f"/nominate/files/{application.code}/")


def make_application_of(person: User):
    from scholarships.calls.models import Call

    return make_application(Call.objects.get(), person)


def test_only_invented_people_can_be_chosen(people):
    real = make_application_of(make_user("A Real Person", email="real@university.example"))
    client = browser()

    client.post(SWITCH, {"as": "student", "file": real.code})

    assert who(client) == STUDENT.email


@pytest.mark.parametrize(
    "sent", [{}, {"as": "technician"}, {"as": "x" * 5000}, {"as": "real@university.example"}, {"as": "student'--", "file": "x" * 5000}]
)
def test_a_role_that_is_none_is_a_missing_page(people, sent):
    client = browser()

    assert (client.post(SWITCH, sent).status_code, "_auth_user_id" in client.session) == (404, False)


def test_a_link_or_another_site_does_not_switch(people):
    assert browser().get(SWITCH, {"as": "officer"}).status_code == 405
    assert browser(enforce_csrf_checks=True).post(SWITCH, {"as": "officer"}).status_code == 403


def test_the_bar_and_the_mailbox_stand_on_the_pages_of_the_demo(people):
    page = browser().get("/")

    assert 'action="/demo/switch/"' in page.content.decode()
    assert "Demo mailbox" in text_of(page)


# -- Outside the demo --------------------------------------------------------------


@pytest.fixture
def outside_the_demo(settings):
    """The addresses and pages of a site that is not the demo."""
    settings.IS_DEMO = False
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "OPTIONS": {**settings.TEMPLATES[0]["OPTIONS"], "context_processors": [name for name in settings.TEMPLATES[0]["OPTIONS"]["context_processors"] if "demo" not in name]}}]  # fmt: skip
    from django.urls import clear_url_caches

    import exchange.urls

    importlib.reload(exchange.urls)
    clear_url_caches()
    yield
    settings.IS_DEMO = True
    importlib.reload(exchange.urls)
    clear_url_caches()


def test_outside_the_demo_there_is_no_door(people, outside_the_demo):
    client = browser()

    found = [client.post(SWITCH, {"as": "officer"}), client.get(SWITCH), client.get("/demo/mailbox/"), client.get("/demo/mailbox/x/")]

    assert ([answer.status_code for answer in found], "_auth_user_id" in client.session) == ([404] * 4, False)
    page = client.get("/").content.decode()
    assert ("/demo/" in page, "See this as" in page, "Sample figures" in client.get("/calls/small-2027/").content.decode()) == (
        False,
        False,
        False,
    )


def test_a_site_whose_address_is_https_is_not_the_demo():
    said = subprocess.run(
        [sys.executable, "-c", "import django; django.setup(); from django.conf import settings; from django.urls import resolve, Resolver404\ntry:\n    resolve('/demo/switch/'); print('a door')\nexcept Resolver404: print(settings.IS_DEMO, settings.SECOND_FACTOR_FOR_STAFF, settings.ALLAUTH_TRUSTED_PROXY_COUNT)"],
        cwd=ROOT, capture_output=True, text=True, check=True,
        env={**os.environ, "SITE_URL": "https://sapar.example", "SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghij", "EMAIL_URL": "smtp://127.0.0.1:25", "DJANGO_SETTINGS_MODULE": "exchange.settings"},
    ).stdout  # fmt: skip

    assert said.strip() == "False True 1"
