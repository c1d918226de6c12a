"""A file as a reviewer reads it: the study plan in full, the answers in words, each page of each paper as an image."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from exchange.ui.said import Said, SaidSection, said_section
from scholarships.applications.answers import words_in
from scholarships.calls.form import Section
from scholarships.calls.models import QuestionKind
from scholarships.reviews.blind import BlindFile
from scholarships.texts.fields import Text


@dataclass(frozen=True)
class LongText:
    answer: Said
    words: int


@dataclass(frozen=True)
class Plan:
    """A section with a text that the call wants at length: its short answers above, its texts in full."""

    section: Section
    answers: tuple[Said, ...]
    texts: tuple[LongText, ...]


@dataclass(frozen=True)
class Sheet:
    """One page of a paper: the code of the file, the number of the page; ``file`` counts where there are several files."""

    code: str
    file: int
    number: int
    pages: int


@dataclass(frozen=True)
class Paper:
    key: str
    title: Text
    files: int
    sheets: tuple[Sheet, ...]


@dataclass(frozen=True)
class LetterRead:
    """A referee's letter without the name: its words, for how long the referee has known the applicant, its pages."""

    number: int
    text: str
    known: str
    sheets: tuple[Sheet, ...]


@dataclass(frozen=True)
class Reading:
    """The parts of a file in the order in which they are read; each is an anchor of the page."""

    plans: tuple[Plan, ...]
    answers: tuple[SaidSection, ...]
    papers: tuple[Paper, ...]
    letters: tuple[LetterRead, ...] = ()


def reading_of(file: BlindFile) -> Reading:
    long = {section.key for section, values in file.answers if any(_is_at_length(section, key) for key in values)}
    said = [said_section(section, values, {}, blanks=False) for section, values in file.answers]
    return Reading(
        plans=tuple(_plan(one) for one in said if one.section.key in long),
        answers=tuple(shown for one in said if one.section.key not in long and (shown := _without_statements(one)).answers),
        papers=tuple(
            Paper(
                requirement.key,
                requirement.title,
                len(attachments),
                tuple(
                    Sheet(attachment.file.code, number, page, attachment.file.pages)
                    for number, attachment in enumerate(attachments, start=1)
                    for page in range(1, attachment.file.pages + 1)
                ),
            )
            for requirement, attachments in file.papers
        ),
        letters=tuple(
            LetterRead(
                number,
                letter.masked,
                letter.get_known_display() if letter.known else "",
                tuple(Sheet(letter.file.code, 1, page, letter.file.pages) for page in range(1, letter.file.pages + 1))
                if letter.file
                else (),
            )
            for number, letter in enumerate(file.letters, start=1)
        ),
    )


def _is_at_length(section: Section, key: str) -> bool:
    """The call asks for a number of words: this is a text to be read, not an answer to be looked up."""
    return any(question.key == key and "words_min" in question.limits for question in section.questions)


def _plan(one: SaidSection) -> Plan:
    short = tuple(answer for answer in one.answers if not answer.is_long)
    return Plan(one.section, short, tuple(LongText(answer, words_in(answer.text)) for answer in one.answers if answer.is_long))


def _without_statements(one: SaidSection) -> SaidSection:
    """What was ticked to be allowed to apply says nothing about the applicant."""
    statements = set(_keys_of(one.section, QuestionKind.STATEMENT))
    return SaidSection(one.section, tuple(answer for answer in one.answers if answer.key not in statements))


def _keys_of(section: Section, kind: str) -> Iterator[str]:
    return (question.key for question in section.questions if question.kind == kind)
