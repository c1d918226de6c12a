"""Outside the demo staff works behind a second factor; the first officer comes in by a link that works once."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.core import signing
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from exchange.accounts.first_officer import first_officer_link
from exchange.notifications.models import Message
from scholarships.partners.models import Institution
from scholarships.people.models import Membership, Role, User
from tests.exchange.pages import all_in, browser, hidden, main_of
from tests.factories import make_body_member, make_call, make_officer, make_reviewer, make_user

pytestmark = pytest.mark.django_db

SENTENCE = "a sentence that is long enough"
SET_UP = "/accounts/2fa/totp/activate/"


@pytest.fixture(autouse=True)
def _no_throttle_of_another_test():
    cache.clear()


@pytest.fixture
def outside_the_demo(settings) -> None:
    settings.SECOND_FACTOR_FOR_STAFF = True


def with_password(person: User) -> User:
    EmailAddress.objects.create(user=person, email=person.email, primary=True, verified=True)
    person.set_password(SENTENCE)
    person.save(update_fields=["password"])
    return person


def staff() -> dict[str, User]:
    call = make_call()
    return {
        "/manage/": make_officer(),
        "/nominate/": make_body_member(Institution.objects.get(code="kg-ministry")),
        "/review/": make_reviewer(call),
        "/admin/": make_user("The Technician", is_staff=True, is_superuser=True),
    }


def six_digits(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))


def test_every_page_leads_staff_to_the_second_factor_until_it_is_set_up(outside_the_demo):
    for path, person in staff().items():
        client = browser(person)
        for wanted in (path, "/apply/", "/"):
            answer = client.get(wanted)
            assert (wanted, answer.status_code, answer["Location"]) == (wanted, 302, SET_UP)
        assert client.post("/apply/start/small-2027/").status_code == 302


def test_students_and_visitors_need_none(outside_the_demo):
    make_call()

    assert (browser(make_user()).get("/apply/").status_code, browser().get("/").status_code) == (200, 200)


def test_staff_whose_role_has_ended_needs_none(outside_the_demo):
    person = make_officer()
    Membership.objects.filter(user=person).update(ends_on=timezone.localdate() - timedelta(days=1))

    assert browser(person).get("/apply/").status_code == 200


def test_in_the_demo_staff_needs_none():
    for path, person in staff().items():
        assert (path, browser(person).get(path, follow=True).status_code) == (path, 200)


def set_up(client: Client, password: str = SENTENCE) -> str:
    """Set up the second factor as a person does, from the page to which every page leads. Gives its secret."""
    page = client.get(SET_UP, follow=True)
    if "password" in page.context["form"].fields:
        page = client.post(page.request["PATH_INFO"] + "?" + page.request["QUERY_STRING"], {"password": password}, follow=True)
    assert page.status_code == 200, page.redirect_chain
    secret = page.context["form"].secret
    answer = client.post(SET_UP, {"code": six_digits(secret)})
    assert answer.status_code == 302, main_of(answer)
    return secret


def signed_in(person: User) -> Client:
    """A browser in which PERSON has typed the password."""
    client = browser()
    assert client.post("/accounts/login/", {"login": person.email, "password": SENTENCE}).status_code == 302
    return client


def test_with_the_second_factor_set_up_staff_works_and_signs_in_by_both(outside_the_demo):
    officer = with_password(make_officer())
    client = signed_in(officer)
    assert client.get("/manage/calls/")["Location"] == SET_UP

    secret = set_up(client)

    assert client.get("/manage/calls/").status_code == 200
    cache.clear()
    other = signed_in(officer)
    assert other.get("/manage/calls/")["Location"].startswith("/accounts/login/")  # half signed in is not signed in
    wrong = other.post("/accounts/2fa/authenticate/", {"code": "000000"})
    assert (wrong.status_code, other.get("/manage/calls/").status_code) == (422, 302)
    with time_machine.travel(timezone.now() + timedelta(seconds=60), tick=True):  # a code works once
        other.post("/accounts/2fa/authenticate/", {"code": six_digits(secret)})
        assert other.get("/manage/calls/").status_code == 200


def test_a_code_from_the_mail_does_not_do_without_the_second_factor(outside_the_demo):
    officer = with_password(make_officer())
    TOTP.activate(officer, "JBSWY3DPEHPK3PXP")
    client = browser()
    client.post("/accounts/login/code/", {"email": officer.email})
    code = Message.objects.get(address=officer.email, kind="account.code").subject[:6]
    answer = client.post("/accounts/login/code/confirm/", {"code": code})

    assert (answer.status_code, answer["Location"]) == (302, "/accounts/2fa/authenticate/")
    assert client.get("/manage/calls/").status_code == 302


def test_setting_up_and_taking_away_is_told_by_mail(outside_the_demo, django_capture_on_commit_callbacks):
    officer = with_password(make_officer())
    client = signed_in(officer)

    with django_capture_on_commit_callbacks(execute=True):
        set_up(client)
    assert told_of_a_change(officer) == ["totp_activated"]

    with django_capture_on_commit_callbacks(execute=True):
        client.post("/accounts/2fa/totp/deactivate/")
    assert told_of_a_change(officer) == ["totp_activated", "totp_deactivated"]
    assert client.get("/manage/calls/")["Location"] == SET_UP


def told_of_a_change(person: User) -> list[str]:
    """What PERSON was written to about, letter by letter."""
    letters = Message.objects.filter(address=person.email, subject="Your account was changed").order_by("pk").select_related("event")
    return [letter.event.data["what"] for letter in letters]


def test_the_pages_of_the_second_factor_are_ours(outside_the_demo):
    officer = with_password(make_officer())
    client = signed_in(officer)
    set_up(client)

    for path in (
        "/accounts/2fa/",
        "/accounts/2fa/recovery-codes/",
        "/accounts/2fa/totp/deactivate/",
        "/accounts/password/change/",
        "/accounts/profile/",
    ):
        answer = client.get(path, follow=True)
        assert (path, answer.status_code, 'class="mast"' in answer.content.decode()) == (path, 200, True)


# -- The first officer -----------------------------------------------------------


def path_of(link: str) -> str:
    return link.removeprefix("http://127.0.0.1:8000")


def test_the_first_officer_comes_in_by_a_link_that_works_once():
    link = first_officer_link()
    person, second = make_user(), make_user("Second Comer")
    client = browser(person)
    page = client.get(path_of(link))
    assert (page.status_code, all_in(page, "h1")) == (200, ["Become the first officer"])
    assert Membership.objects.count() == 0  # opening it does nothing

    answer = client.post(path_of(link), follow=True)

    assert "You are the first officer of this site." in main_of(answer)
    person.refresh_from_db()
    assert (person.is_staff, person.is_superuser, list(Membership.objects.values_list("user", "role", "scope_kind"))) == (True, True, [(person.pk, Role.OFFICER, "site")])  # fmt: skip
    assert [browser(second).get(path_of(link)).status_code, browser(second).post(path_of(link)).status_code, client.post(path_of(link)).status_code] == [404] * 3  # fmt: skip
    assert (first_officer_link(), Membership.objects.count()) == ("", 1)


def test_the_link_asks_to_sign_in_first_and_comes_back():
    link = path_of(first_officer_link())

    answer = browser().get(link)

    assert (answer.status_code, answer["Location"].startswith("/accounts/login/?next=/accounts/first-officer/")) == (302, True)
    assert browser().post(link).status_code == 302
    assert Membership.objects.count() == 0


def test_the_link_works_for_an_hour():
    link, client = path_of(first_officer_link()), browser(make_user())

    with time_machine.travel(timezone.now() + timedelta(minutes=59), tick=False):
        assert client.get(link).status_code == 200
    with time_machine.travel(timezone.now() + timedelta(minutes=61), tick=False):
        assert (client.get(link).status_code, client.post(link).status_code) == (404, 404)


@pytest.mark.parametrize(
    "token",
    ["x", "first", "first:abc", "x" * 2000, signing.dumps("first", salt="another"), signing.dumps("second", salt="first officer")],
    ids=["short", "unsigned", "wrong signature", "long", "signed for another purpose", "another text"],
)
def test_a_token_that_is_not_ours_is_a_missing_page(token):
    client = browser(make_user())

    assert (client.get(f"/accounts/first-officer/{token}/").status_code, client.post(f"/accounts/first-officer/{token}/").status_code) == (
        404,
        404,
    )


def test_the_page_of_the_link_is_not_kept_and_tells_nobody_its_address():
    answer = browser(make_user()).get(path_of(first_officer_link()))

    assert (answer["Cache-Control"], answer["Referrer-Policy"]) == ("no-store", "no-referrer")
    assert hidden(answer, "csrfmiddlewaretoken")
