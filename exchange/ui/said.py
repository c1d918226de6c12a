"""Answers as people read them: section by section, label and words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from exchange.ui.forms import country_name
from exchange.ui.templatetags.ui import iso_day
from scholarships.applications.answers import is_asked, is_blank, words_in
from scholarships.calls.form import Question, Section
from scholarships.calls.models import QuestionKind
from scholarships.partners.models import Institution


@dataclass(frozen=True)
class Said:
    """One answer: ``text`` in words, or ``entries`` (each a list of label and words) of a repeating question."""

    key: str
    label: str
    text: str
    is_long: bool = False
    entries: tuple[tuple[tuple[str, str], ...], ...] = ()

    @property
    def words(self) -> int:
        return words_in(self.text)


@dataclass(frozen=True)
class SaidSection:
    section: Section
    answers: tuple[Said, ...]


def said_section(section: Section, values: Mapping[str, Any], facts: Mapping[str, Any], *, blanks: bool = True) -> SaidSection:
    """The answers of SECTION in words; with BLANKS also what is asked and not answered."""
    answers = [
        said(question, values.get(question.key))
        for question in section.questions
        if (is_asked(question, facts) or not is_blank(values.get(question.key)))
    ]
    return SaidSection(section, tuple(answer for answer in answers if blanks or answer.text or answer.entries))


def said(question: Question, value: Any) -> Said:
    if question.kind == QuestionKind.GROUP:
        entries = tuple(
            tuple(
                (str(column.label), words_of(column, row.get(column.key)))
                for column in question.columns
                if not is_blank(row.get(column.key))
            )
            for row in value or []
        )
        return Said(question.key, str(question.label), "", entries=entries)
    return Said(question.key, str(question.label), words_of(question, value), is_long=question.kind == QuestionKind.LONG)


def words_of(question: Question, value: Any) -> str:
    """VALUE in the reader's words; "" for no answer."""
    if is_blank(value):
        return ""
    match question.kind:
        case QuestionKind.CHOICE:
            return question.label_of(str(value))
        case QuestionKind.CHOICES:
            return ", ".join(question.label_of(str(one)) for one in value)
        case QuestionKind.COUNTRY:
            return country_name(str(value))
        case QuestionKind.INSTITUTION:
            institution = Institution.objects.filter(code=value).first()
            return str(institution or value)
        case QuestionKind.DATE:
            return iso_day(value)
        case QuestionKind.YES_NO:
            return _("Yes") if value else _("No")
        case QuestionKind.STATEMENT:
            return _("Agreed") if value else ""
        case _:
            return str(value)
