"""Officers read which letters the site writes."""

from __future__ import annotations

import pytest
from django.urls import reverse

from exchange.notifications.catalogue import NOTICES, SILENT
from exchange.notifications.models import Wording
from exchange.notifications.wordings import LETTERS
from scholarships.people.models import Scope
from tests.exchange.pages import browser
from tests.factories import make_call, make_officer, make_user

pytestmark = pytest.mark.django_db


def test_every_event_stands_there_with_its_letters_or_the_reason_for_none():
    html = browser(make_officer()).get(reverse("manage:catalogue")).content.decode()

    assert [name for name in [*NOTICES, *SILENT] if f">{name}<" not in html] == []
    assert "Officers of the call" in html
    assert "A trial until it is confirmed" in html


def test_it_is_for_officers():
    assert browser(make_user()).get(reverse("manage:catalogue")).status_code == 403


# -- The words of a call's letters -----------------------------------------------


@pytest.fixture
def page() -> str:
    return reverse("manage:letter", args=[make_call().code, "application.submitted", "en"])


def send(address: str, act: str, *, known: int = 0, user=None, **words: str):
    return browser(user or make_officer()).post(address, {"act": act, "known": known, "subject": "S {name}", "text": "T {code}", **words})


def test_the_call_leads_to_its_letters_and_each_letter_to_its_words():
    call, client = make_call(), browser(make_officer())

    listed = client.get(reverse("manage:letters", args=[call.code])).content.decode()

    assert reverse("manage:letters", args=[call.code]) in client.get(reverse("manage:call", args=[call.code])).content.decode()
    assert all(reverse("manage:letter", args=[call.code, letter, "ru"]) in listed for letter in LETTERS)


def test_a_preview_shows_what_it_becomes_and_saves_nothing(page):
    answer = send(page, "preview", subject="For {name}")

    assert "For NURAY ASANOVA" in answer.content.decode()
    assert (answer.status_code, Wording.objects.count()) == (200, 0)


def test_words_are_saved_and_shown_and_the_standard_ones_come_back(page):
    client = browser(make_officer())
    saved = client.post(page, {"act": "save", "known": 0, "subject": "S {name}", "text": "T"}, follow=True)
    back = client.post(page, {"act": "reset", "known": 1}, follow=True)
    again = client.get(f"{page}?version=1").content.decode()

    assert "S NURAY ASANOVA" in saved.content.decode()
    assert "The standard words count again." in back.content.decode()
    assert 'value="S {name}"' in again
    assert [row.is_standard for row in Wording.objects.order_by("number")] == [False, True]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"subject": ""}, "Write a subject."),
        ({"text": " "}, "Write a text."),
        ({"text": "Dear {nmae}"}, "There is no placeholder {nmae} here. Allowed are"),
        ({"subject": "x" * 201}, "200"),
    ],
)
def test_what_is_wrong_is_said_at_the_field_and_what_was_typed_stays(page, words, said):
    answer = send(page, "save", **words)

    html = answer.content.decode()
    assert (answer.status_code, Wording.objects.count()) == (422, 0)
    assert 'id="errors"' in html
    assert said in html
    assert "T {code}" in html or "Dear {nmae}" in html or words == {"text": " "}


def test_whoever_saves_over_newer_words_is_told(page):
    send(page, "save")

    answer = send(page, "save", subject="Mine")

    assert (answer.status_code, Wording.objects.count()) == (409, 1)
    assert "Somebody has changed this letter" in answer.content.decode()


@pytest.mark.parametrize("known", ["", "x", "-1", "9" * 30])
def test_a_number_that_is_none_is_an_older_page(page, known):
    assert send(page, "save", known=known).status_code == 409


def test_an_officer_of_another_call_and_a_letter_or_language_that_is_not_there_find_nothing(page):
    other = make_officer(scope=Scope.CALL, key=make_call("other-2027").code)

    assert browser(other).get(page).status_code == 404
    assert browser(make_officer()).get(page.replace("/en/", "/fr/")).status_code == 404
    assert browser(make_officer()).get(page.replace("application.submitted", "account.code")).status_code == 404
