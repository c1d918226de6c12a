"""The words of a letter as the officers of a call set them: subject and text with placeholders, in versions.

A placeholder is a word in braces, ``{name}``. Which ones a letter knows is fixed here and checked when
words are saved. They are filled in one pass, so that what an applicant typed is never read as one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from exchange.notifications.models import Wording
from exchange.ui.templatetags.ui import moment
from scholarships.calls.models import Call
from scholarships.calls.rules import may_run
from scholarships.events.actions import record
from scholarships.events.names import declare

WORDED = declare("call.letter_worded", "The words of a letter were changed", "letter", "language", "number")

STANDARD = "standard"  # stands for the whole standard text of the letter


@dataclass(frozen=True)
class Placeholder:
    """``says`` what stands in its place; ``value`` of a letter's context."""

    says: str | Promise
    value: Callable[[Mapping[str, Any]], str]


def _application(context: Mapping[str, Any]) -> Any:
    return context.get("application") or context["own"]


_KNOWN: dict[str, Placeholder] = {
    "name": Placeholder(_("the applicant's name"), lambda context: _application(context).name),
    "code": Placeholder(_("the code of the application"), lambda context: _application(context).code),
    "call": Placeholder(_("the title of the call"), lambda context: str(context["call"].title)),
    "closes": Placeholder(_("when the call closes"), lambda context: moment(context["call"].closes_at, context["call"].zone)),
    "office": Placeholder(_("the address of the office"), lambda context: settings.OFFICE_EMAIL),
    "reason": Placeholder(_("the reason, from the list"), lambda context: str(context["reason"])),
    "note": Placeholder(_("what the office or body wrote"), lambda context: _application(context).note),
    "correct_by": Placeholder(
        _("until when to correct it"), lambda context: moment(_application(context).correct_by, context["call"].zone)
    ),
    "programme": Placeholder(_("the programme offered"), lambda context: str(context["offer"].programme.title)),
    "host": Placeholder(_("the university that offers it"), lambda context: str(context["offer"].programme.host.name)),
    "answer_by": Placeholder(_("until when to answer"), lambda context: moment(context["offer"].answer_by, context["call"].zone)),
}
_ALWAYS = ("name", "code", "call", "office")
_OFFER = ("programme", "host", "answer_by")

# The letters whose words a call may set, with what each knows beside ``_ALWAYS``. Their names are those of the events.
LETTERS: dict[str, tuple[str, ...]] = {
    "application.submitted": (),
    "application.changed": (),
    "application.withdrawn": (),
    "application.returned": ("reason", "note", "correct_by"),
    "application.nominated": (),
    "application.taken_back": (),
    "application.not_nominated": ("note",),
    "application.ineligible": ("note",),
    "application.offered": _OFFER,
    "application.accepted": ("programme", "host"),
    "application.declined": ("programme", "host"),
    "application.lapsed": ("programme", "host"),
    "application.told": (),
    "call.dates_moved": ("closes",),
    "reminder.draft": ("closes",),
    "reminder.offer": _OFFER,
}
_BRACES = re.compile(r"\{([^{}]*)\}")


def placeholders_of(letter: str) -> dict[str, str | Promise]:
    """Every placeholder that LETTER knows -> what it stands for."""
    return {**says((*_ALWAYS, *LETTERS[letter])), STANDARD: _("the whole standard text, without the link")}


def says(names: Iterable[str]) -> dict[str, str | Promise]:
    """The placeholders NAMES -> what each stands for."""
    return {name: _KNOWN[name].says for name in names}


# -- Setting ---------------------------------------------------------------------


def check(letter: str, subject: str, text: str) -> None:
    """Refuse words that could not be filled.

    Raises:
        ValidationError: at ``subject`` or ``text``, with the placeholders that are allowed.
    """
    check_words(set(placeholders_of(letter)), subject, text)


def check_words(allowed: set[str], subject: str, text: str) -> None:
    """The same for words that know the placeholders ALLOWED."""
    wrong = {
        part: problem
        for part, words, known in (("subject", subject, allowed - {STANDARD}), ("text", text, allowed))
        if (problem := _problem(words, known))
    }
    if wrong:
        raise ValidationError(wrong)


def _problem(words: str, allowed: set[str]) -> ValidationError | None:
    listed = ", ".join(f"{{{name}}}" for name in sorted(allowed))
    unknown = [name for name in _BRACES.findall(words) if name not in allowed]
    if unknown:
        sentence = _("There is no placeholder %(name)s here. Allowed are %(allowed)s.")
        return ValidationError(sentence, code="unknown_placeholder", params={"name": f"{{{unknown[0]}}}", "allowed": listed})
    if set("{}") & set(_BRACES.sub("", words)):
        sentence = _("A brace stands alone. A placeholder is a word in two braces. Allowed are %(allowed)s.")
        return ValidationError(sentence, code="lonely_brace", params={"allowed": listed})
    return None


def reword(call: Call, letter: str, language: str, *, subject: str, text: str, known: int | None, by: Any) -> Wording:
    """Set the words of LETTER from now on; letters that are written already stay as they are.

    Args:
        known: the number of the version that BY saw, 0 for none; None, where the page did not say, is never right.

    Raises:
        PermissionDenied: BY is not an officer of the call.
        ValidationError: as ``check``; ``changed_meanwhile``: another officer has saved since.
    """
    check(letter, subject, text)
    return _save(call, letter, language, known, by, subject=subject, text=text)


def reset(call: Call, letter: str, language: str, *, known: int | None, by: Any) -> Wording:
    """The standard words again. Raises as ``reword``."""
    return _save(call, letter, language, known, by, is_standard=True)


def _save(call: Call, letter: str, language: str, known: int | None, by: Any, **words: Any) -> Wording:
    if not may_run(by, call):
        raise PermissionDenied
    latest = newest(call, letter, language)
    number = latest.number if latest else 0
    if known != number:
        raise _changed_meanwhile()
    try:
        with transaction.atomic():
            wording = Wording.objects.create(call=call, letter=letter, language=language, number=number + 1, by=by, **words)
            record(WORDED, call, by=by, letter=letter, language=language, number=wording.number)
    except IntegrityError:
        raise _changed_meanwhile() from None
    return wording


def _changed_meanwhile() -> ValidationError:
    return ValidationError(
        _("Somebody has changed this letter since you opened it. Look at the new words first."), code="changed_meanwhile"
    )


# -- Using -----------------------------------------------------------------------


def newest(call: Call, letter: str, language: str) -> Wording | None:
    return _newest(call=call, letter=letter, language=language)


def _newest(**of: Any) -> Wording | None:
    return Wording.objects.filter(**of).order_by("-number").first()


def own(row: Wording | None) -> Wording | None:
    """ROW, the newest of a letter, if the call has words of its own."""
    return None if row is None or row.is_standard else row


def current(call: str, letter: str, language: str) -> Wording | None:
    """The words that count for LETTER in the call with this code, None for the standard ones."""
    if not call or letter not in LETTERS:
        return None
    return own(_newest(call__code=call, letter=letter, language=language))


def fill(words: str, context: Mapping[str, Any], *, standard: str = "") -> str:
    """WORDS with each placeholder replaced, once and in one pass. Plain text: whoever makes HTML of it escapes all of it."""

    def value(found: re.Match[str]) -> str:
        name = found.group(1)
        return standard if name == STANDARD else unlinked(_KNOWN[name].value(context))

    return _BRACES.sub(value, words)


def unlinked(value: str) -> str:
    """Without control characters but line breaks, and with nothing that a mail programme would make a link of."""
    kept = "".join(letter for letter in value if letter == "\n" or unicodedata.category(letter)[0] != "C")
    return re.sub(r"(?<=\w)([.@])(?=\w)", "\\1\u2060", kept.replace("://", ": //"))


def filled(own: Any, context: Mapping[str, Any]) -> dict[str, str]:
    """``subject`` and ``words`` of OWN, which has subject and text with placeholders, as the templates of a mailing take them."""
    return {"subject": fill(str(own.subject), context), "words": fill(str(own.text), context)}
