"""From an open call to a receipt in the mailbox: browser's requests, event, outbox, worker, SMTP."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from scholarships.applications.models import Application
from scholarships.calls.models import Call
from tests.factories import make_call, make_draft
from tests.services import Mailbox, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_student_signs_in_by_code_submits_and_gets_the_receipt(post):
    call = make_call()
    browser = Client(HTTP_HOST="127.0.0.1")

    when_the_student_asks_for_a_code(browser, "nuray@sapar.example")
    when_the_student_types_the_code(browser, then_a_code_arrives(post, "nuray@sapar.example"))
    application = given_a_complete_draft(browser, call)
    when_the_student_submits(browser, application)

    then_the_receipt_arrives(post, application)


def when_the_student_asks_for_a_code(browser: Client, address: str) -> None:
    answer = browser.post("/accounts/login/code/", {"email": address})
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/login/code/confirm/")


def then_a_code_arrives(post: Mailbox, address: str) -> str:
    letter = wait_until(lambda: post.to(address), what="the letter with the code")[0]
    return re.search(r"\b(\d{6})\b", letter["Subject"]).group(1)


def when_the_student_types_the_code(browser: Client, code: str) -> None:
    answer = browser.post("/accounts/login/code/confirm/", {"code": f"{code[:3]} {code[3:]}"})
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/home/")
    assert browser.get("/accounts/home/")["Location"] == "/accounts/welcome/"
    answer = browser.post("/accounts/welcome/", {"name": "Nuray Asanova", "citizenship": "KG", "language": "en"})
    assert answer["Location"] == "/accounts/home/"


def given_a_complete_draft(browser: Client, call: Call) -> Application:
    from scholarships.people.models import User

    return make_draft(call, User.objects.get(email="nuray@sapar.example"))


def when_the_student_submits(browser: Client, application: Application) -> None:
    page = browser.get(f"/apply/{application.code}/check/")
    key = re.search(r'name="key" value="([^"]+)"', page.content.decode()).group(1)
    answer = browser.post(f"/apply/{application.code}/check/", {"key": key})
    assert (answer.status_code, answer["Location"]) == (302, f"/apply/{application.code}/receipt/")


def then_the_receipt_arrives(post: Mailbox, application: Application) -> None:
    application.refresh_from_db()
    wait_until(lambda: f"Your receipt {application.code}" in post.subjects_to("nuray@sapar.example"), what="the receipt")
    letter = post.to("nuray@sapar.example")[-1]
    text = letter.get_body(("plain",)).get_content()
    assert application.revision.sha256 in text
    assert f"http://127.0.0.1:8000/apply/{application.code}/status/" in text
