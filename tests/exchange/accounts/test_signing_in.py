"""Signing in: by a code of six digits, or with a password; no answer tells who has an account, and nobody guesses for long."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from exchange.notifications.models import Message
from scholarships.people.models import User
from tests.exchange.pages import all_in, browser, main_of, problem_targets, problems, typed
from tests.factories import make_call, make_user

pytestmark = pytest.mark.django_db

ASK, CONFIRM, SIGN_IN, HOME = "/accounts/login/code/", "/accounts/login/code/confirm/", "/accounts/login/", "/accounts/home/"
SENTENCE = "a sentence that is long enough"


@pytest.fixture(autouse=True)
def _no_throttle_of_another_test():
    cache.clear()


def make_account(address: str = "nuray@sapar.example", *, password: str | None = None) -> User:
    person = make_user(email=address)
    EmailAddress.objects.create(user=person, email=address, primary=True, verified=True)
    person.set_password(password)
    person.save(update_fields=["password"])
    return person


def letters_to(address: str) -> list[str]:
    return list(Message.objects.filter(address=address).order_by("pk").values_list("subject", flat=True))


def code_to(address: str = "nuray@sapar.example") -> str:
    return re.match(r"(\d{6}) is your code for Sapar$", letters_to(address)[-1]).group(1)


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06}"


def asked(address: str = "nuray@sapar.example", client: Client | None = None) -> Client:
    """A browser in which a code for ADDRESS was asked for."""
    client = client or browser()
    answer = client.post(ASK, {"email": address})
    assert (answer.status_code, answer["Location"]) == (302, CONFIRM)
    return client


def is_in(client: Client) -> bool:
    return client.get("/apply/").status_code == 200


# -- By a code -------------------------------------------------------------------


def test_a_code_of_six_digits_comes_by_mail_and_signs_in():
    make_account()
    client = asked()

    answer = client.post(CONFIRM, {"code": code_to()})

    assert (answer.status_code, answer["Location"], is_in(client)) == (302, HOME, True)


def test_the_letter_says_the_code_how_long_it_works_and_what_to_do_if_it_was_not_asked_for():
    make_account()
    asked()

    letter = Message.objects.get()
    assert letter.subject == f"{code_to()} is your code for Sapar"
    assert f"Your code for Sapar: {code_to()}" in letter.text
    assert "It works for 10 minutes. If you did not ask for it, somebody has mistyped an address: you need to do nothing." in letter.text


@pytest.mark.parametrize("shape", ["{0}{1}", "{0} {1}", " {0}{1} ", "{0}\u00a0{1}"])
def test_the_code_may_be_pasted_with_spaces(shape):
    make_account()
    client, code = asked(), code_to()

    client.post(CONFIRM, {"code": shape.format(code[:3], code[3:])})

    assert is_in(client)


def test_the_address_may_be_written_in_capitals():
    make_account()

    client = asked(" Nuray@SAPAR.example ")

    client.post(CONFIRM, {"code": code_to()})
    assert (is_in(client), User.objects.count()) == (True, 1)


def test_a_new_address_gets_a_code_too_and_with_it_an_account_that_is_asked_three_questions():
    client = asked("new@sapar.example")
    client.post(CONFIRM, {"code": code_to("new@sapar.example")})

    home = client.get(HOME)

    assert (home.status_code, home["Location"]) == (302, "/accounts/welcome/")
    answer = client.post("/accounts/welcome/", {"name": "Nuray Asanova", "citizenship": "KG", "language": "en"})
    assert (answer.status_code, answer["Location"]) == (302, HOME)
    assert client.get(HOME)["Location"] == "/apply/"


@pytest.mark.parametrize("code", ["", "12345", "abcdef", "1234567", "x" * 5000, "１２３４５６", "' OR 1=1", "-12345", "\u0661\u0662\u0663\u0664\u0665\u0666"])  # fmt: skip
def test_a_wrong_code_is_said_and_signs_nobody_in(code):
    make_account()
    client = asked()

    answer = client.post(CONFIRM, {"code": code})

    says = "Type the six digits from your mail." if not code else "This code is wrong. Type the six digits of the newest mail."
    assert (answer.status_code, problems(answer), problem_targets(answer), is_in(client)) == (422, [says], ["id_code"], False)


def test_after_a_wrong_code_the_right_one_still_works():
    make_account()
    client = asked()
    client.post(CONFIRM, {"code": wrong(code_to())})

    client.post(CONFIRM, {"code": code_to()})

    assert is_in(client)


def test_after_five_wrong_codes_the_code_is_void():
    make_account()
    client, code = asked(), code_to()

    answers = [client.post(CONFIRM, {"code": wrong(code)}) for _time in range(5)]
    right = client.post(CONFIRM, {"code": code})

    assert [answer.status_code for answer in answers] == [422, 422, 422, 422, 302]
    assert answers[-1]["Location"] == ASK
    assert "The code was wrong too often and no longer works. Ask for a new one." in main_of(client.get(ASK))
    assert (right.status_code, is_in(client)) == (302, False)


def test_a_code_works_for_ten_minutes():
    make_account()
    moment = timezone.now()
    with time_machine.travel(moment, tick=False) as clock:
        client, late = asked(), asked(client=browser())
        codes = [code_to(), code_to()]
        codes = [re.match(r"\d{6}", subject).group(0) for subject in letters_to("nuray@sapar.example")]
        clock.shift(timedelta(minutes=10))
        client.post(CONFIRM, {"code": codes[0]})
        clock.shift(timedelta(seconds=1))
        answer = late.post(CONFIRM, {"code": codes[1]})

        assert is_in(client)
        assert (answer.status_code, answer["Location"], is_in(late)) == (302, ASK, False)


def test_a_code_works_once_and_in_its_own_browser_only():
    make_account()
    client, code = asked(), code_to()
    other = asked(client=browser())

    assert other.post(CONFIRM, {"code": code}).status_code == 422
    client.post(CONFIRM, {"code": code})
    client.post("/accounts/logout/")
    again = client.post(CONFIRM, {"code": code})

    assert (again.status_code, is_in(client)) == (302, False)


def test_a_new_code_can_be_sent_twice_and_the_newest_counts():
    make_account()
    client, first = asked(), code_to()
    assert "Send a new code" in main_of(client.get(CONFIRM))

    answer = client.post(CONFIRM, {"action": "resend"})
    second = code_to()

    assert (answer.status_code, answer["Location"], len(letters_to("nuray@sapar.example"))) == (302, CONFIRM, 2)
    assert client.post(CONFIRM, {"code": first}).status_code == 422 if first != second else True
    client.post(CONFIRM, {"action": "resend"})
    assert "Send a new code" not in main_of(client.get(CONFIRM))
    client.post(CONFIRM, {"code": code_to()})
    assert is_in(client)


def test_without_having_asked_there_is_nothing_to_confirm():
    answers = browser().get(CONFIRM), browser().post(CONFIRM, {"code": "123456"})

    assert [(answer.status_code, answer["Location"]) for answer in answers] == [(302, ASK)] * 2


@pytest.mark.parametrize("address", ["", "nuray", "nuray@", "@sapar.example", "a b@sapar.example", "x" * 300 + "@sapar.example", "nuray@sapar.example\r\nBcc: a@b.c", "<script>@x.y"])  # fmt: skip
def test_an_address_that_is_none_is_said_and_stays(address):
    answer = browser().post(ASK, {"email": address})

    assert (answer.status_code, len(problems(answer)), problem_targets(answer)) == (422, 1, ["id_email"])
    assert (typed(answer, "email"), Message.objects.count(), User.objects.count()) == (address, 0, 0)


def test_after_signing_in_one_returns_to_the_page_one_came_from():
    make_call()
    make_account()
    client = browser()
    wanted = client.get("/apply/start/small-2027/?add=small-b")["Location"]
    page = client.get(wanted)
    assert 'name="next" value="/apply/start/small-2027/?add=small-b"' in page.content.decode()

    asked_for = client.post(ASK, {"email": "nuray@sapar.example", "next": "/apply/start/small-2027/?add=small-b"})
    answer = client.post(asked_for["Location"], {"code": code_to(), "next": "/apply/start/small-2027/?add=small-b"})

    assert answer["Location"] == "/apply/start/small-2027/?add=small-b"


@pytest.mark.parametrize("wanted", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "\\\\evil.example", "/\\evil.example", "http:///evil.example"])  # fmt: skip
def test_nobody_is_sent_to_another_site(wanted):
    make_account()
    client = browser()
    client.post(ASK, {"email": "nuray@sapar.example", "next": wanted})

    answer = client.post(CONFIRM, {"code": code_to(), "next": wanted})

    assert answer["Location"] == HOME


def test_links_in_letters_come_from_the_settings_and_never_from_the_request():
    make_account()

    Client(HTTP_HOST="localhost").post(ASK, {"email": "nuray@sapar.example"}, headers={"X-Forwarded-Host": "evil.example"})

    assert "http://127.0.0.1:8000/accounts/login/" in Message.objects.get().text
    assert "localhost" not in Message.objects.get().text
    assert Client(HTTP_HOST="evil.example").post(ASK, {"email": "nuray@sapar.example"}).status_code == 400


# -- Nobody is told who has an account -------------------------------------------


def shape_of(answer: Any, address: str) -> tuple[int, str, str]:
    """Status, address and page, without what is different each time."""
    page = re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", answer.content.decode())
    return answer.status_code, answer.get("Location", ""), page.replace(address, "ADDRESS")


@pytest.mark.parametrize("kind", ["an account", "nobody", "an account that is closed"])
def test_asking_for_a_code_answers_the_same_for_every_address(kind):
    make_account("a@sapar.example")
    closed = make_account("c@sapar.example")
    User.objects.filter(pk=closed.pk).update(is_active=False)
    address = {"an account": "a", "nobody": "b", "an account that is closed": "c"}[kind] + "@sapar.example"
    client = browser()

    asked_for = shape_of(client.post(ASK, {"email": address}), address)
    page = shape_of(client.get(CONFIRM), address)
    tried = shape_of(client.post(CONFIRM, {"code": "000000"}), address)

    known = browser()
    assert asked_for == shape_of(known.post(ASK, {"email": "a@sapar.example"}), "a@sapar.example")
    assert page == shape_of(known.get(CONFIRM), "a@sapar.example")
    assert tried == shape_of(known.post(CONFIRM, {"code": "000000"}), "a@sapar.example")


def test_an_account_that_is_closed_gets_no_code():
    closed = make_account()
    User.objects.filter(pk=closed.pk).update(is_active=False)

    asked()

    assert Message.objects.count() == 0


@pytest.mark.parametrize("path", [SIGN_IN, "/accounts/password/reset/"])
def test_a_password_and_a_forgotten_one_answer_the_same_for_every_address(path):
    make_account("a@sapar.example", password=SENTENCE)
    sent = {SIGN_IN: lambda address: {"login": address, "password": "a wrong sentence"}, "/accounts/password/reset/": lambda address: {"email": address}}[path]  # fmt: skip

    found = [shape_of(browser().post(path, sent(address)), address) for address in ("a@sapar.example", "b@sapar.example")]

    assert found[0] == found[1]


def test_a_wrong_password_takes_as_long_for_an_address_without_an_account():
    make_account("a@sapar.example", password=SENTENCE)
    make_account("c@sapar.example")  # has no password

    def seconds(address: str) -> float:
        cache.clear()
        began = time.process_time()
        browser().post(SIGN_IN, {"login": address, "password": "a wrong sentence"})
        return time.process_time() - began

    known, unknown, without = (min(seconds(f"{name}@sapar.example") for _time in range(5)) for name in "abc")

    assert 0.5 < unknown / known < 2
    assert 0.5 < without / known < 2


def test_asking_for_a_code_takes_as_long_for_an_address_without_an_account():
    make_account("a@sapar.example")

    def seconds(address: str) -> float:
        cache.clear()
        began = time.process_time()
        browser().post(ASK, {"email": address})
        return time.process_time() - began

    known = min(seconds("a@sapar.example") for _time in range(7))
    unknown = min(seconds(f"b{number}@sapar.example") for number in range(7))

    assert 0.5 < unknown / known < 2


# -- Guessing ends soon ----------------------------------------------------------


def test_the_fourth_code_for_an_address_within_a_minute_is_refused_with_the_page_for_it():
    make_account()

    answers = [browser().post(ASK, {"email": "nuray@sapar.example"}, REMOTE_ADDR=f"10.0.0.{number}") for number in range(4)]

    assert [answer.status_code for answer in answers] == [302, 302, 302, 429]
    assert all_in(answers[3], "h2")[0] == "Too many tries"
    assert len(letters_to("nuray@sapar.example")) == 3


def test_a_minute_later_a_code_is_sent_again():
    make_account()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _time in range(4):
            browser().post(ASK, {"email": "nuray@sapar.example"})
        clock.shift(timedelta(seconds=61))
        answer = browser().post(ASK, {"email": "nuray@sapar.example"})

    assert answer.status_code == 302


def test_from_one_place_twenty_codes_a_minute_are_sent_for_whatever_addresses():
    found = [browser().post(ASK, {"email": f"person{number}@sapar.example"}).status_code for number in range(21)]

    assert found == [302] * 20 + [429]
    assert browser().post(ASK, {"email": "other@sapar.example"}, REMOTE_ADDR="10.0.0.1").status_code == 302


def test_the_sixth_wrong_password_for_an_address_is_refused_with_the_page_for_it():
    make_account(password=SENTENCE)

    answers = [browser().post(SIGN_IN, {"login": "nuray@sapar.example", "password": "a wrong sentence"}, REMOTE_ADDR=f"10.0.0.{number}") for number in range(6)]  # fmt: skip
    right = browser().post(SIGN_IN, {"login": "nuray@sapar.example", "password": SENTENCE})

    assert [answer.status_code for answer in answers] == [422] * 5 + [429]
    assert all_in(answers[5], "h2")[0] == "Too many tries"
    assert right.status_code == 429


def test_guessing_passwords_of_many_addresses_from_one_place_ends_too():
    found = [browser().post(SIGN_IN, {"login": f"person{number}@sapar.example", "password": "a wrong sentence"}).status_code for number in range(11)]  # fmt: skip

    assert found == [422] * 10 + [429]


def test_right_passwords_are_not_counted():
    make_account(password=SENTENCE)

    found = [browser().post(SIGN_IN, {"login": "nuray@sapar.example", "password": SENTENCE}).status_code for _time in range(12)]

    assert found == [302] * 12


def test_forgotten_passwords_are_throttled_too():
    make_account(password=SENTENCE)

    found = [browser().post("/accounts/password/reset/", {"email": "nuray@sapar.example"}, REMOTE_ADDR=f"10.0.0.{number}").status_code for number in range(6)]  # fmt: skip

    assert found == [302] * 5 + [429]


def test_a_header_that_anybody_can_send_does_not_change_whom_a_throttle_counts():
    headers = [{"X-Forwarded-For": f"10.0.0.{number}", "X-Real-IP": f"10.0.0.{number}"} for number in range(21)]

    found = [browser().post(ASK, {"email": f"p{number}@sapar.example"}, headers=one).status_code for number, one in enumerate(headers)]

    assert found == [302] * 20 + [429]


def test_behind_the_proxy_of_production_each_visitor_is_counted_apart(settings):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1

    found = [browser().post(ASK, {"email": f"p{number}@sapar.example"}, headers={"X-Forwarded-For": f"6.6.6.6, 10.0.{number}.1"}).status_code for number in range(25)]  # fmt: skip

    assert found == [302] * 25


# -- With a password -------------------------------------------------------------


def test_a_password_signs_in():
    make_account(password=SENTENCE)
    client = browser()

    answer = client.post(SIGN_IN, {"login": "nuray@sapar.example", "password": SENTENCE})

    assert (answer.status_code, answer["Location"], is_in(client)) == (302, HOME, True)


def test_a_wrong_password_is_said_and_the_address_stays():
    make_account(password=SENTENCE)

    answer = browser().post(SIGN_IN, {"login": "nuray@sapar.example", "password": "a wrong sentence"})

    assert (answer.status_code, problems(answer)) == (422, ["Address and password do not fit. Try again, or ask for a code instead."])
    assert typed(answer, "login") == "nuray@sapar.example"
    assert "a wrong sentence" not in answer.content.decode()


@pytest.mark.parametrize("sent", [{}, {"login": "nuray@sapar.example"}, {"login": "x" * 5000, "password": "y" * 5000}, {"login": "a@b.c", "password": "\U0001f512" * 100}])  # fmt: skip
def test_whatever_is_typed_the_page_answers(sent):
    make_account(password=SENTENCE)

    answer = browser().post(SIGN_IN, sent)

    assert (answer.status_code, len(problems(answer)) >= 1) == (422, True)


def test_a_forgotten_password_is_set_anew_by_a_code():
    make_account(password=SENTENCE)
    client = browser()
    asked_for = client.post("/accounts/password/reset/", {"email": "nuray@sapar.example"})
    confirmed = client.post(asked_for["Location"], {"code": code_to()})
    new = "another sentence, long enough"

    answer = client.post(confirmed["Location"], {"password1": new, "password2": new})

    assert answer.status_code == 302
    assert browser().post(SIGN_IN, {"login": "nuray@sapar.example", "password": new})["Location"] == HOME
    assert browser().post(SIGN_IN, {"login": "nuray@sapar.example", "password": SENTENCE}).status_code == 422
    assert letters_to("nuray@sapar.example")[1:] == ["Your account was changed"]


@pytest.mark.parametrize(
    ("new", "says"),
    [
        ("short", "Use at least 15 characters; a sentence is easy to remember."),
        ("nuray@sapar.example", "The password is too similar to the e-mail address."),
        ("123456789123456", "This password is too common."),
    ],
)
def test_a_password_that_is_easy_to_guess_is_refused(new, says):
    person = make_account(password=SENTENCE)
    client = browser(person)

    answer = client.post("/accounts/password/change/", {"oldpassword": SENTENCE, "password1": new, "password2": new})

    assert answer.status_code == 422
    assert says in main_of(answer)


def test_there_is_no_page_for_signing_up():
    answers = browser().get("/accounts/signup/"), browser().post("/accounts/signup/", {"email": "new@sapar.example", "password1": SENTENCE})

    assert [answer.status_code for answer in answers] == [200, 200]
    assert "the first code makes your account" in main_of(answers[0])
    assert User.objects.count() == 0


def test_signing_out_ends_the_session():
    client = browser(make_account())
    old = client.cookies["sapar"].value

    answer = client.post("/accounts/logout/")

    assert (answer.status_code, answer["Location"], is_in(client)) == (302, "/", False)
    client.cookies["sapar"] = old
    assert not is_in(client)


def test_the_session_gets_a_new_key_when_somebody_signs_in():
    make_account()
    client = asked()
    before = client.cookies["sapar"].value

    client.post(CONFIRM, {"code": code_to()})

    cookie = client.cookies["sapar"]
    assert cookie.value != before
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
