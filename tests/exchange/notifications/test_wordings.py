"""Officers set the words of a call's letters: checked, filled, kept in versions, and never a way for an applicant's words to act."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import translation

from exchange.notifications import wordings
from exchange.notifications.letters import Letter, compose
from exchange.notifications.models import Message
from exchange.notifications.sample import sample_letter
from scholarships.applications.models import Application
from scholarships.calls.models import Call
from scholarships.people.models import Scope
from tests.factories import make_application, make_call, make_officer

pytestmark = pytest.mark.django_db

LETTER = "application.submitted"


@pytest.fixture
def call() -> Call:
    return make_call()


def reword(call: Call, subject: str, text: str, *, letter: str = LETTER, language: str = "en", known: int = 0, by=None):
    return wordings.reword(call, letter, language, subject=subject, text=text, known=known, by=by or make_officer())


def receipt(call: Call, **changed: str) -> Letter:
    make_application(call, **changed)
    return compose(Message.objects.select_related("event", "user").get(kind=f"{LETTER}:applicant"))


def test_the_words_of_the_call_stand_in_its_letter_with_the_link_and_the_footer(call):
    reword(call, "{code}: thank you, {name}", "Dear {name},\n\n{standard}\n\nWrite to {office}.")

    letter = receipt(call)

    code = Application.objects.get().code
    assert letter.subject == f"{code}: thank you, NURAY ASANOVA"
    assert letter.text.startswith("Dear NURAY ASANOVA,\n\nDear")
    assert f"Reference: {code}" in letter.text
    assert letter.link
    assert letter.text.count(letter.link) == 1
    assert "SHA-256" in letter.html


def test_another_call_and_another_language_keep_the_standard_words(call):
    reword(call, "Ours", "Ours alone")
    reword(call, "По-русски", "По-русски", language="ru")

    assert wordings.current(make_call("other-2027").code, LETTER, "en") is None
    assert receipt(call).subject == "Ours"


@pytest.mark.parametrize(
    ("subject", "text", "part"),
    [
        ("Dear {nam}", "x", "subject"),
        ("x", "Dear {Name}", "text"),
        ("x", "Answer by {answer_by}", "text"),
        ("{standard}", "x", "subject"),
        ("x", "{name} and {", "text"),
        ("x", "{{name}}", "text"),
        ("x", "{name.__class__}", "text"),
        ("x", "{}", "text"),
    ],
)
def test_what_cannot_be_filled_is_refused_with_the_list_of_what_is_allowed(call, subject, text, part):
    with pytest.raises(ValidationError) as refused:
        reword(call, subject, text)

    assert list(refused.value.message_dict) == [part]
    assert "{call}" in refused.value.message_dict[part][0]
    assert wordings.newest(call, LETTER, "en") is None


def test_nothing_in_a_name_becomes_markup_a_header_a_link_or_a_placeholder(call):
    reword(call, "For {name}", "Dear {name}, your {code}")
    make_application(call)
    Application.objects.update(name="<b>X</b>\r\nBcc: a@b.example {code} https://evil.example www.evil.example")

    letter = compose(Message.objects.select_related("event", "user").get(kind=f"{LETTER}:applicant"))

    assert ("\n" in letter.subject, "\r" in letter.subject) == (False, False)
    assert "<b>X</b>" not in letter.html
    assert "&lt;b&gt;X" in letter.html
    assert "{code} https: //evil" in letter.text
    assert [word for word in ("https://evil", "evil.example", "a@b") if word in letter.text or word in letter.html] == []


def test_each_version_is_kept_and_the_standard_words_come_back(call):
    officer = make_officer()
    first = reword(call, "One", "One", by=officer)
    second = reword(call, "Two", "Two", known=1, by=officer)
    wordings.reset(call, LETTER, "en", known=2, by=officer)

    assert (first.number, second.number) == (1, 2)
    assert wordings.current(call.code, LETTER, "en") is None
    assert receipt(call).subject not in {"One", "Two"}


def test_of_two_officers_at_once_the_second_is_shown_the_new_words_first(call):
    reword(call, "One", "One")

    with pytest.raises(ValidationError) as refused:
        reword(call, "Mine", "Mine", known=0)

    assert refused.value.code == "changed_meanwhile"
    assert wordings.current(call.code, LETTER, "en").subject == "One"


def test_only_officers_of_the_call_set_its_words(call):
    with pytest.raises(PermissionDenied):
        reword(call, "x", "x", by=make_officer(scope=Scope.CALL, key=make_call("other-2027").code))


@pytest.mark.parametrize("letter", sorted(wordings.LETTERS))
@pytest.mark.parametrize("language", ["en", "ru", "zh-hans"])
def test_every_letter_can_be_shown_to_an_invented_applicant_with_all_its_placeholders(call, letter, language):
    every = " ".join(f"{{{name}}}" for name in wordings.placeholders_of(letter))
    words = type("Words", (), {"subject": "{name}", "text": every})

    with translation.override(language):
        standard, own = sample_letter(call, letter, None), sample_letter(call, letter, words)

    assert standard.subject
    assert own.subject == "NURAY ASANOVA"
    assert "{" not in own.text
