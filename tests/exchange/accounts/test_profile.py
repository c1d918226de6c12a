"""The three questions, the profile, the language, and where each kind of person goes after signing in."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.core.cache import cache

from exchange.notifications.models import Message
from scholarships.calls.models import Call
from scholarships.partners.models import Institution
from scholarships.people.models import Profile, User
from tests.exchange.pages import all_in, browser, main_of, problem_targets, problems, text_of, typed
from tests.factories import make_body_member, make_call, make_officer, make_reviewer, make_user

pytestmark = pytest.mark.django_db

WELCOME, PROFILE, HOME, LANGUAGE = "/accounts/welcome/", "/accounts/profile/", "/accounts/home/", "/accounts/language/"
GOOD = {"name": "Nuray Asanova", "citizenship": "KG", "language": "en"}


@pytest.fixture
def newcomer() -> User:
    return User.objects.create_user("new@sapar.example")


def test_a_visitor_is_asked_to_sign_in():
    assert [browser().get(path)["Location"] for path in (HOME, WELCOME, PROFILE)] == [f"/accounts/login/?next={path}" for path in (HOME, WELCOME, PROFILE)]  # fmt: skip


@pytest.mark.parametrize(
    ("who", "page"), [("student", "/apply/"), ("officer", "/manage/"), ("body", "/nominate/"), ("reviewer", "/review/")]
)
def test_each_goes_home_to_what_the_role_comes_for(who, page):
    make_call()
    person = {"student": make_user, "officer": make_officer, "body": lambda: make_body_member(Institution.objects.get(code="kg-ministry")), "reviewer": make_reviewer}[who]()  # fmt: skip

    answer = browser(person).get(HOME)

    assert (answer.status_code, answer["Location"].startswith(page)) == (302, True)


def test_who_is_new_is_asked_three_questions_and_goes_on_to_the_page_wanted(newcomer):
    client = browser(newcomer)
    assert client.get(HOME)["Location"] == WELCOME
    page = client.get(f"{WELCOME}?next=/apply/library/")
    assert all_in(page, "label")[-3:] == ["Your name", "Citizenship (optional)", "Language of pages and mails"]

    answer = client.post(WELCOME, {**GOOD, "next": "/apply/library/"})

    assert (answer.status_code, answer["Location"]) == (302, "/apply/library/")
    newcomer.refresh_from_db()
    assert (newcomer.name, newcomer.language, newcomer.profile.citizenship_id) == ("Nuray Asanova", "en", "KG")


@pytest.mark.parametrize(
    "wanted", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil.example", "", "x" * 5000 + "://"]
)
def test_nobody_is_sent_to_another_site(newcomer, wanted):
    answer = browser(newcomer).post(WELCOME, {**GOOD, "next": wanted})

    assert answer["Location"] == HOME


@pytest.mark.parametrize("path", [WELCOME, PROFILE])
@pytest.mark.parametrize(
    ("wrong", "says", "target"),
    [
        ({"name": ""}, "Enter an answer: Your name", "id_name"),
        ({"name": "   "}, "Enter an answer: Your name", "id_name"),
        ({"name": "x" * 500}, "Ensure this value has at most 150 characters (it has 500).", "id_name"),
        ({"citizenship": "ZZ"}, "Choose one of the answers offered.", "id_citizenship"),
        ({"language": "tlh"}, "Choose one of the answers offered.", "id_language"),
    ],
)
def test_a_wrong_answer_is_said_at_its_field_and_the_others_stay(newcomer, path, wrong, says, target):
    answer = browser(newcomer).post(path, {**GOOD, **wrong})

    assert (answer.status_code, problems(answer), problem_targets(answer)) == (422, [says], [target])
    kept = {name: value for name, value in GOOD.items() if name not in wrong}
    assert {name: typed(answer, name) for name in kept} == kept
    newcomer.refresh_from_db()
    assert newcomer.name == ""


@pytest.mark.parametrize("path", [WELCOME, PROFILE])
def test_a_form_sent_empty_is_refused(newcomer, path):
    assert browser(newcomer).post(path, {}).status_code == 422


def test_a_profile_is_changed_and_shown_again():
    person = make_user()
    sent = {"name": "Нурай Асанова", "name_own_script": "Асанова Нурай", "citizenship": "KZ", "language": "en", "zone": "Europe/Moscow"}
    client = browser(person)

    answer = client.post(PROFILE, sent, follow=True)

    assert "Your profile is saved." in main_of(answer)
    assert {name: typed(answer, name) for name in sent} == sent
    profile = Profile.objects.get(user=person)
    assert (profile.citizenship_id, profile.name_own_script) == ("KZ", "Асанова Нурай")


def test_a_zone_that_is_not_offered_is_refused():
    answer = browser(make_user()).post(PROFILE, {**GOOD, "zone": "Mars/Olympus"})

    assert (answer.status_code, problems(answer)) == (422, ["Choose one of the answers offered."])


def test_a_profile_changes_nobody_elses_and_no_role():
    person, other = make_user(), make_user("Somebody Else")

    browser(person).post(
        PROFILE, {**GOOD, "user": other.pk, "email": "evil@sapar.example", "is_staff": "1", "is_superuser": "1", "role": "officer"}
    )

    again, theirs = User.objects.get(pk=person.pk), User.objects.get(pk=other.pk)
    assert (again.email, again.is_staff, again.is_superuser, again.memberships.count()) == (person.email, False, False, 0)
    assert theirs.name == "Somebody Else"


def test_the_zone_of_the_profile_is_the_one_deadlines_are_said_in():
    person = make_user()
    with time_machine.travel(datetime(2026, 12, 1, 12, tzinfo=UTC), tick=False):
        make_call()
        Call.objects.update(closes_at=datetime(2026, 12, 20, 10, tzinfo=UTC))
        client = browser(person)
        client.post(PROFILE, {**GOOD, "zone": "Europe/Moscow"})

        assert "18:00 Beijing (13:00 in Moscow)" in text_of(client.get("/calls/small-2027/"))


# -- Language --------------------------------------------------------------------


def language_of(answer) -> str:
    return re.search(r'<html lang="([^"]+)"', answer.content.decode()).group(1)


@pytest.mark.parametrize("language", ["en", "zh-hans", "ru"])
def test_a_visitor_switches_the_language_of_this_device(language):
    client = browser()

    answer = client.post(LANGUAGE, {"language": language, "next": "/help/"})

    assert (answer.status_code, answer["Location"]) == (302, "/help/")
    assert (language_of(client.get("/help/")), client.get("/help/")["Content-Language"]) == (language, language)


def test_who_is_signed_in_switches_the_language_of_the_account():
    person = make_user()

    browser(person).post(LANGUAGE, {"language": "ru"})

    assert language_of(browser(person).get("/apply/")) == "ru"


@pytest.mark.parametrize("language", ["tlh", "", "x" * 5000, "en\r\nSet-Cookie: a=b", "../.."])
def test_a_language_that_the_site_does_not_speak_changes_nothing(language):
    client = browser()

    answer = client.post(LANGUAGE, {"language": language})

    assert (answer.status_code, answer["Location"], "language" in client.cookies, language_of(client.get("/"))) == (302, "/", False, "en")


def test_a_language_is_not_switched_by_a_link_or_by_another_site():
    assert browser().get(f"{LANGUAGE}?language=ru").status_code == 405
    assert browser(enforce_csrf_checks=True).post(LANGUAGE, {"language": "ru"}).status_code == 403
    assert browser().post(LANGUAGE, {"language": "ru", "next": "https://evil.example/"})["Location"] == "/"


def test_without_a_choice_it_is_the_language_of_the_browser():
    assert language_of(browser().get("/help/", headers={"Accept-Language": "ru,en;q=0.5"})) == "ru"
    assert language_of(browser().get("/help/", headers={"Accept-Language": "fr"})) == "en"


# -- Another address -------------------------------------------------------------


def test_another_address_is_confirmed_by_a_code_and_then_signs_in_too():
    cache.clear()
    person = make_user(email="nuray@sapar.example")
    EmailAddress.objects.create(user=person, email=person.email, primary=True, verified=True)
    client = browser(person)

    answer = client.post("/accounts/email/", {"action_add": "1", "email": "nuray@another.example"})
    code = re.match(r"\d{6}", Message.objects.get(address="nuray@another.example").subject).group(0)
    client.post(answer["Location"], {"code": code})

    assert list(EmailAddress.objects.filter(user=person).order_by("pk").values_list("email", "verified")) == [("nuray@sapar.example", True), ("nuray@another.example", True)]  # fmt: skip
    page = client.get("/accounts/email/")
    assert "nuray@another.example Confirmed Send all mail here" in main_of(page)
    assert "nuray@sapar.example Your address for mail" in main_of(page)
    visitor = browser()
    visitor.post("/accounts/login/code/", {"email": "nuray@another.example"})
    code = re.match(r"\d{6}", Message.objects.filter(address="nuray@another.example").latest("pk").subject).group(0)
    visitor.post("/accounts/login/code/confirm/", {"code": code})
    assert (visitor.get("/apply/").status_code, User.objects.count()) == (200, 1)
