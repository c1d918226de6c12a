"""What a good answer is: each question's value, checked the same way on the page and at submission.

Values are JSON: text, ``"2027-03-14"`` for a day, numbers as text, lists, true/false; a repeating
entry is a list of ``{column key: value}``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from scholarships.calls.form import Form, Question, Section
from scholarships.calls.models import QuestionKind
from scholarships.texts.fields import text

PATTERNS = {
    "passport": (re.compile(r"[A-Z0-9<]{5,15}"), lambda: _("Enter the passport number with letters and digits only, like AN1234567.")),
    "latin": (re.compile(r"[A-Za-zÀ-ɏʻʼ’'`.\- ]+"), lambda: _("Use Latin letters, exactly as in the passport.")),
    "year": (re.compile(r"(19|20)\d\d"), lambda: _("Enter a year, like 2024.")),
}
_PHONE = re.compile(r"\+?[\d\s().-]{6,24}")
_CJK = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
LONGEST = {QuestionKind.TEXT: 200, QuestionKind.LONG: 20_000}


@dataclass(frozen=True)
class Problem:
    """What is wrong with one answer: ``field`` is the question key, or "key.row.column"."""

    field: str
    message: str
    code: str


def words_in(text: str) -> int:
    """Words of TEXT; in Chinese each character counts as a word, as in study plan minima."""
    return len(_CJK.findall(text)) + len(_CJK.sub(" ", text).split())


def is_blank(value: Any) -> bool:
    return value in (None, "", [], {}) or (isinstance(value, str) and not value.strip())


def is_asked(question: Question, facts: Mapping[str, Any]) -> bool:
    """Whether QUESTION concerns a person with these FACTS; while they are missing it is not asked."""
    return question.condition.holds(facts) is True


def problems_of(section: Section, values: Mapping[str, Any], facts: Mapping[str, Any]) -> list[Problem]:
    """What keeps the answers of SECTION from being complete and right."""
    found: list[Problem] = []
    for question in section.questions:
        if is_asked(question, facts):
            found += _problems(question, values.get(question.key), question.key)
    return found


def _problems(question: Question, value: Any, field: str) -> list[Problem]:
    if question.kind == QuestionKind.STATEMENT:
        if question.is_required and value is not True:
            return [Problem(field, _("Agree to go on: “%(statement)s”") % {"statement": question.label}, "required")]
        return []
    if is_blank(value):
        return [Problem(field, _required(question), "required")] if question.is_required else []
    if question.kind == QuestionKind.GROUP:
        return _group_problems(question, value, field)
    try:
        check(question, value)
    except ValidationError as wrong:
        return [Problem(field, wrong.messages[0], str(wrong.code or "invalid"))]
    return []


def _group_problems(question: Question, rows: Any, field: str) -> list[Problem]:
    found = []
    if not isinstance(rows, list) or len(rows) > most_entries(question):
        return [Problem(field, too_many_entries(question), "too_many")]
    if not all(isinstance(row, Mapping) for row in rows):
        return [Problem(field, _("These entries cannot be read. Enter them again."), "not_offered")]
    for number, row in enumerate(rows):
        for column in question.columns:
            if is_asked(column, row):
                found += _problems(column, row.get(column.key), f"{field}.{number}.{column.key}")
    return found


def most_entries(question: Question) -> int:
    """How many entries the repeating QUESTION takes."""
    return int(question.limits.get("most", 10))


def too_many_entries(question: Question) -> str:
    most = most_entries(question)
    return ngettext("Enter at most %d entry.", "Enter at most %d entries.", most) % most


def _required(question: Question) -> str:
    match question.kind:
        case QuestionKind.CHOICE | QuestionKind.CHOICES | QuestionKind.COUNTRY | QuestionKind.INSTITUTION | QuestionKind.YES_NO:
            return _("Choose an answer: %(question)s") % {"question": question.label}
        case QuestionKind.DATE:
            return _("Enter a date: %(question)s") % {"question": question.label}
        case QuestionKind.GROUP:
            return _("Add at least one entry: %(question)s") % {"question": question.label}
        case _:
            return _("Enter an answer: %(question)s") % {"question": question.label}


def check(question: Question, value: Any) -> None:
    """Whether VALUE, which is not blank, is a possible answer to QUESTION.

    Raises:
        ValidationError: with a sentence for the person and a code.
    """
    _CHECKS[QuestionKind(question.kind)](question, value)


def _text(question: Question, value: Any) -> None:
    _same_type(value, str)
    limits = question.limits
    longest = int(limits.get("length_max", LONGEST.get(QuestionKind(question.kind), 200)))
    if len(value) > longest:
        raise ValidationError(
            _("This has %(has)d characters; at most %(most)d fit.") % {"has": len(value), "most": longest}, code="too_long"
        )
    if "pattern" in limits:
        pattern, message = PATTERNS[limits["pattern"]]
        if not pattern.fullmatch(value):
            raise ValidationError(message(), code="pattern")
    words = words_in(value)
    least, most = limits.get("words_min"), limits.get("words_max")
    if least and words < least:
        raise ValidationError(
            _("This has %(has)d words; the call asks for at least %(least)d.") % {"has": words, "least": least}, code="too_few_words"
        )
    if most and words > most:
        raise ValidationError(
            _("This has %(has)d words; the call allows at most %(most)d.") % {"has": words, "most": most}, code="too_many_words"
        )


def _number(question: Question, value: Any) -> None:
    try:
        number = Decimal(str(value))
        if not number.is_finite():
            raise InvalidOperation
    except InvalidOperation:
        raise ValidationError(_("Enter a number, like 86 or 4.5."), code="not_a_number") from None
    least, most = question.limits.get("minimum"), question.limits.get("maximum")
    if (least is not None and number < Decimal(str(least))) or (most is not None and number > Decimal(str(most))):
        if most is None:
            raise ValidationError(_("Enter %(least)s or more.") % {"least": least}, code="out_of_range")
        if least is None:
            raise ValidationError(_("Enter %(most)s or less.") % {"most": most}, code="out_of_range")
        raise ValidationError(_("Enter a number from %(least)s to %(most)s.") % {"least": least, "most": most}, code="out_of_range")


def _date(question: Question, value: Any) -> None:
    try:
        day = date.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValidationError(_("Enter a real date, like 27 3 2030."), code="not_a_date") from None
    least, most = question.limits.get("minimum"), question.limits.get("maximum")
    if (least and day < date.fromisoformat(least)) or (most and day > date.fromisoformat(most)):
        raise ValidationError(str(text(question.limits.get("message"))) or _("This date cannot be right here."), code="out_of_range")


def _choice(question: Question, value: Any) -> None:
    if value not in [option.value for option in question.options]:  # a list: VALUE may be anything
        raise ValidationError(_("Choose one of the answers offered."), code="not_offered")


def _choices(question: Question, value: Any) -> None:
    _same_type(value, list)
    for one in value:
        _choice(question, one)


def _code(question: Question, value: Any) -> None:
    _same_type(value, str)
    if len(value) > 40:
        raise ValidationError(_("Choose one of the answers offered."), code="not_offered")


def _yes_no(question: Question, value: Any) -> None:
    _same_type(value, bool)


def _email(question: Question, value: Any) -> None:
    _same_type(value, str)
    try:
        validate_email(value)
    except ValidationError:
        raise ValidationError(_("Enter an e-mail address like name@example.org."), code="not_an_address") from None


def _phone(question: Question, value: Any) -> None:
    if not isinstance(value, str) or not _PHONE.fullmatch(value):
        raise ValidationError(_("Enter a telephone number with its country code, like +996 555 123456."), code="not_a_number")


def _same_type(value: Any, kind: type) -> None:
    if not isinstance(value, kind):
        raise ValidationError(_("Choose one of the answers offered."), code="not_offered")


_CHECKS = {
    QuestionKind.TEXT: _text,
    QuestionKind.LONG: _text,
    QuestionKind.NUMBER: _number,
    QuestionKind.DATE: _date,
    QuestionKind.CHOICE: _choice,
    QuestionKind.CHOICES: _choices,
    QuestionKind.COUNTRY: _code,
    QuestionKind.INSTITUTION: _code,
    QuestionKind.YES_NO: _yes_no,
    QuestionKind.EMAIL: _email,
    QuestionKind.PHONE: _phone,
}


def split(section: Section, values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """VALUES as they are stored: (what reviewers may see, what tells who it is); unknown keys fall away.

    A repeating entry with some columns that tell who it is lies in both, row by row; ``join`` brings it together.
    """
    shown: dict[str, Any] = {}
    identity: dict[str, Any] = {}
    for question in section.questions:
        if question.key not in values:
            continue
        value = values[question.key]
        hidden = {column.key for column in question.columns if column.is_identity}
        is_rows = isinstance(value, list) and all(isinstance(row, Mapping) for row in value)
        if question.is_identity or (hidden and not is_rows):  # what cannot be taken apart is not shown
            identity[question.key] = value
        elif hidden:
            shown[question.key] = [{key: said for key, said in row.items() if key not in hidden} for row in value]
            identity[question.key] = [{key: said for key, said in row.items() if key in hidden} for row in value]
        else:
            shown[question.key] = value
    return shown, identity


def join(shown: Mapping[str, Any], identity: Mapping[str, Any]) -> dict[str, Any]:
    """What ``split`` took apart."""
    values = {**shown, **identity}
    for key in shown.keys() & identity.keys():
        values[key] = [{**row, **hidden} for row, hidden in zip(shown[key], identity[key], strict=True)]
    return values


def sections_for(form: Form, facts: Mapping[str, Any]) -> list[Section]:
    """The sections that concern a person with these FACTS, in order."""
    return [section for section in form.sections if section.condition.holds(facts) is True]
