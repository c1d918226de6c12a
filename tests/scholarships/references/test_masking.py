"""What reviewers read of a letter says neither whom it is about nor who wrote it."""

from __future__ import annotations

import io

import pytest

from scholarships.references.answering import draft_of
from scholarships.references.masking import masked
from scholarships.references.models import Letter
from scholarships.reviews.blind import blind_file, letter_of
from tests.exchange.pages import browser, text_of
from tests.factories import make_application, make_assignment, make_at_review, make_call_with_letters, make_reference, picture, send_letter

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("text", "names", "left"), [
    ("Nuray Asanova is good. ASANOVA works.", ["NURAY ASANOVA"], "… … is good. … works."),
    ("Я рекомендую Нурай Асанову; Асановой можно верить.", ["Нурай Асанова"], "Я рекомендую … …; … можно верить."),
    ("我推荐王小明。小明很努力。", ["王小明"], "我推荐…。…很努力。"),
    ("Prof. Karimova, karimova@ksu.example", ["Prof. Aigul Karimova"], "Prof. …, …"),
    ("An honest man", ["Ho"], "An honest man"),
    ("A.B. (x) [y]", ["(x) [y].*"], "A.B. (x) [y]"),
])  # fmt: skip
def test_names_become_gaps_with_whatever_ending(text, names, left):
    assert masked(text, names) == left


def test_reviewers_read_the_words_without_names_and_the_pages_where_the_call_shows_letters():
    call = make_call_with_letters(reviewers_see=True)
    application = make_at_review(call)
    reference = make_reference(application, name="Prof. Zqxjv Karimova", address="zqxjv@ksu.example", institution="Zqxjv University")
    send_letter(reference, "Nuray Asanova measured. Prof. Zqxjv", upload=(io.BytesIO(picture()), "zqxjv.jpg"))
    make_reference(application)
    assignment = make_assignment(application)

    (letter,) = blind_file(assignment).letters
    page = browser(assignment.reviewer).get(f"/review/{assignment.code}/")
    image = browser(assignment.reviewer).get(f"/review/{assignment.code}/papers/{letter.file.code}/pages/1/")

    assert letter.masked == "… … measured. Prof. …"
    assert ("measured. Prof. …" in text_of(page), "zqxjv" in page.content.decode().lower()) == (True, False)
    assert (image["Content-Type"], "zqxjv" in image["Content-Disposition"].lower()) == ("image/jpeg", False)
    assert {"text", "extract"} <= letter.get_deferred_fields()


def test_where_the_call_does_not_show_letters_reviewers_get_none():
    application = make_at_review(make_call_with_letters())
    letter = send_letter(make_reference(application), upload=(io.BytesIO(picture()), "a.jpg"))
    assignment = make_assignment(application)

    assert blind_file(assignment).letters == ()
    assert letter_of(assignment, letter.file.code) is None
    assert browser(assignment.reviewer).get(f"/review/{assignment.code}/papers/{letter.file.code}/pages/1/").status_code == 404


def test_a_draft_is_masked_when_it_is_sent():
    reference = make_reference(make_application(make_call_with_letters()))
    send_letter(reference, "NURAY is good.")

    assert (Letter.objects.get().masked, draft_of(reference)) == ("… is good.", None)
