"""Every address of the site says who may come in, and holds to it, whatever is asked there."""

from __future__ import annotations

import itertools
import re

import pytest
from django.http import HttpRequest, HttpResponse
from django.urls import path

from exchange.ui.guards import DECLARED_ELSEWHERE, each_route_declares_its_rule, is_ours, open_to_everybody, routes
from scholarships.partners.models import Institution
from scholarships.people.models import User
from scholarships.people.rules import is_body_member, is_officer, is_reviewer
from tests.exchange.pages import browser
from tests.factories import make_body_member, make_call, make_officer, make_reviewer, make_user

pytestmark = pytest.mark.django_db

EVERYBODY, SIGNED_IN = ("everybody",), ("signed in",)
# Room -> who may come in. What differs within a room stands below.
ROOMS = {
    "": EVERYBODY,
    "apply/": SIGNED_IN,
    "nominate/": (is_body_member,),
    "review/": (is_reviewer,),
    "manage/": (is_officer,),
    "inbox/": SIGNED_IN,
    "accounts/": SIGNED_IN,
    "refer/": EVERYBODY,
}
APART = {
    "accounts/language/": "a visitor reads too",
    "healthz": "a load balancer asks",
    "readyz": "an alarm asks, and hears figures only",
    "metrics": "METRICS_TOKEN is the key",
    "mail/bounces/": "BOUNCE_TOKEN is the key",
    "inbox/unsubscribe/<str:token>/": "the token of the letter is the key: mail programs send it without signing in",
    "accounts/first-officer/<str:token>/": "the token is the key; signing in is asked for when it is good",
}
# Pages of allauth that show something to a visitor; all others lead to signing in, or on to the step that is next.
OPEN_OF_ALLAUTH = {"login/", "login/code/", "signup/", "inactive/", "password/reset/", "password/reset/done/"}


def filled(pattern: str) -> str:
    """An address that fits PATTERN and names nothing that exists."""
    pattern = re.sub(r"^admin/\^\(\?P<app_label>.*$", "admin/people/", pattern).replace("(?P<url>.*)$", "nothing/")
    return "/" + re.sub(r"<(\w+):\w+>", lambda found: "1" if found.group(1) == "int" else "nothing", pattern)


OURS = [(pattern, view) for pattern, view in routes() if is_ours(view)]
OTHERS = [pattern for pattern, view in routes() if not is_ours(view)]


def rule_of(pattern: str) -> tuple:
    room = max((room for room in ROOMS if pattern.startswith(room)), key=len)
    return EVERYBODY if pattern in APART else ROOMS[room]


def people() -> dict[str, User]:
    call = make_call()
    return {
        "student": make_user(),
        "officer": make_officer(),
        "body": make_body_member(Institution.objects.get(code="kg-ministry")),
        "reviewer": make_reviewer(call),
    }


# -- The declaration -------------------------------------------------------------


def test_every_route_declares_its_rule():
    assert each_route_declares_its_rule() == []


def test_the_rule_of_every_route_is_that_of_its_room():
    assert {pattern: view.rule for pattern, view in OURS} == {pattern: rule_of(pattern) for pattern, _view in OURS}
    assert APART.keys() - {pattern for pattern, _view in OURS} == set()


def page_of_ours(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


page_of_ours.__module__ = "exchange.accounts.views"

urlpatterns = [
    path("new/", page_of_ours),
    path("accounts/new/", page_of_ours),
    path("accounts/theirs/", test_every_route_declares_its_rule),
    path("declared/", open_to_everybody(page_of_ours)),
]


def test_a_route_that_does_not_is_named_also_among_those_of_others(settings):
    settings.ROOT_URLCONF = __name__

    assert [fault.msg for fault in each_route_declares_its_rule()] == [
        "The route “new/” does not say who may come in.",
        "The route “accounts/new/” does not say who may come in.",
    ]


def test_only_what_is_not_ours_is_left_to_others_each_with_its_reason():
    assert {pattern.split("/")[0] + "/" for pattern in OTHERS} == DECLARED_ELSEWHERE.keys()
    assert all(DECLARED_ELSEWHERE.values())


# -- What happens at the door -----------------------------------------------------


def test_a_visitor_is_led_to_signing_in_by_every_page_that_is_not_for_everybody():
    make_call()
    client = browser()

    found = {path: (answer.status_code, answer.headers.get("Location")) for path in _closed() for answer in [client.get(path)]}

    assert found == {path: (302, f"/accounts/login/?next={path}") for path in _closed()}


def _closed() -> list[str]:
    return [filled(pattern) for pattern, _view in OURS if rule_of(pattern) != EVERYBODY]


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_page_of_a_role_is_refused_to_everybody_else(method):
    persons = people()
    rooms = {"nominate/": "body", "review/": "reviewer", "manage/": "officer"}
    clients = {role: browser(person) for role, person in persons.items()}

    let_in = []
    for (pattern, _view), (role, client) in itertools.product(OURS, clients.items()):
        needed = next((needed for room, needed in rooms.items() if pattern.startswith(room)), role)
        refused = getattr(client, method)(filled(pattern)).status_code == 403
        if refused != (role != needed):
            let_in.append((pattern, role))

    assert let_in == []


def test_what_does_not_exist_is_missing_to_all_and_never_a_fault():
    faults = []
    for role, person in people().items():
        client = browser(person)
        client.raise_request_exception = False
        for (pattern, _view), method in itertools.product(OURS, ("get", "post")):
            answer = getattr(client, method)(filled(pattern))
            wanted = {403, 404, 405} if "<" in pattern else {200, 302, 403, 404, 405, 422}
            wanted |= {503} if pattern == "readyz" else set()  # no worker runs here, and it says so
            if answer.status_code not in wanted:
                faults.append((role, method, pattern, answer.status_code))

    assert faults == []


def test_nothing_is_sent_from_another_site():
    person = make_user()
    sent = {}
    for pattern, _view in OURS:
        client = browser(person, enforce_csrf_checks=True)
        sent[pattern] = client.post(filled(pattern), {"next": "/"}).status_code

    assert sent == dict.fromkeys(sent, 403) | {"inbox/unsubscribe/<str:token>/": 404, "mail/bounces/": 404} | {
        pattern: 404
        for pattern, _view in OURS
        if pattern.startswith("refer/") and "<str:key>" in pattern  # the key is its own proof
    }


def test_the_admin_is_closed_to_everybody_but_the_technician():
    persons = people()
    paths = [filled(pattern) for pattern in OTHERS if pattern.startswith("admin/") and pattern not in {"admin/login/", "admin/logout/"}]

    for person in (None, persons["student"], persons["officer"], persons["body"], persons["reviewer"]):
        client = browser(person)
        assert [path for path in paths if client.get(path).headers.get("Location") != f"/admin/login/?next={path}"] == []


def test_of_allauth_a_visitor_sees_the_pages_for_signing_in_and_no_other():
    client = browser()
    paths = [pattern.removeprefix("accounts/") for pattern in OTHERS if pattern.startswith("accounts/")]

    assert {path for path in paths if client.get(f"/accounts/{path}").status_code == 200} == OPEN_OF_ALLAUTH
