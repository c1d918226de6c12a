"""A published version as frozen values: what is asked, in which order, judged and decided how.

A version never changes once it is published, so that it is read from the database once in each
process and kept under its random code.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from scholarships.calls import models
from scholarships.engine import eligibility
from scholarships.engine.conditions import Condition, parse
from scholarships.texts.fields import Text, text


@dataclass(frozen=True)
class Option:
    value: str
    label: Text


@dataclass(frozen=True)
class Question:
    key: str
    kind: str
    label: Text
    help: Text
    is_required: bool
    is_identity: bool
    condition: Condition
    options: tuple[Option, ...]
    limits: Mapping[str, Any]
    columns: tuple[Question, ...] = ()

    def label_of(self, value: str) -> str:
        """What the option VALUE is called; the value itself where there is no such option."""
        return next((str(option.label) for option in self.options if option.value == value), value)


@dataclass(frozen=True)
class Section:
    key: str
    kind: str
    group: Text
    title: Text
    help: Text
    condition: Condition
    questions: tuple[Question, ...]


@dataclass(frozen=True)
class Requirement:
    key: str
    kind: str
    title: Text
    help: Text
    condition: Condition
    is_required: bool
    least: int
    most: int
    max_bytes: int
    max_pages: int
    validity: Mapping[str, Any]
    reviewers_see: bool


@dataclass(frozen=True)
class Rating:
    """One line of the grid in which a referee rates; ``anchors``: five worded levels, the lowest first."""

    key: str
    title: Text
    anchors: tuple[Text, ...]


@dataclass(frozen=True)
class Letters:
    """The letters of referees that are asked for; see ``models.LetterTerms``."""

    ways: str
    wanted: int
    least: int
    most: int
    milestone: str
    who: Text
    needs: Text
    is_institutional: bool
    openness: str
    review_waits: bool
    reviewers_see: bool
    ratings: tuple[Rating, ...]


@dataclass(frozen=True)
class Criterion:
    rule: eligibility.Criterion
    title: Text
    message: Text


@dataclass(frozen=True)
class RubricItem:
    key: str
    title: Text
    help: Text
    weight: int
    anchors: tuple[Text, ...]
    may_skip: bool


@dataclass(frozen=True)
class Step:
    """``bodies``: country code -> institution pk, or "" -> pks of the institutions that send their own."""

    key: str
    order: int
    kind: str
    title: Text
    says: Text
    body_by: str
    milestone: str
    bodies: Mapping[str, frozenset[int]]


@dataclass(frozen=True)
class Form:
    sections: tuple[Section, ...]
    requirements: tuple[Requirement, ...]
    criteria: tuple[Criterion, ...]
    rubric: tuple[RubricItem, ...]
    steps: tuple[Step, ...]
    letters: Letters | None = None

    def section(self, key: str) -> Section | None:
        return next((section for section in self.sections if section.key == key), None)

    def requirement(self, key: str) -> Requirement | None:
        return next((requirement for requirement in self.requirements if requirement.key == key), None)

    def step(self, key: str) -> Step | None:
        return next((step for step in self.steps if step.key == key), None)

    def step_after(self, order: int) -> Step | None:
        return next((step for step in self.steps if step.order > order), None)

    def first_step_of(self, kind: str) -> Step | None:
        return next((step for step in self.steps if step.kind == kind), None)

    def questions(self) -> Iterator[tuple[Section, Question]]:
        for section in self.sections:
            for question in section.questions:
                yield section, question

    def question(self, key: str) -> Question | None:
        return next((question for _section, question in self.questions() if question.key == key), None)


def form_of(version: models.CallVersion) -> Form:
    """The form of VERSION; cached once it is published."""
    return _published(version.code, version.pk) if version.published_at else _read(version.pk)


@lru_cache(maxsize=64)
def _published(code: str, pk: int) -> Form:
    return _read(pk)


def _read(pk: int) -> Form:
    return Form(
        sections=_sections(pk),
        requirements=tuple(
            Requirement(
                key=row.key,
                kind=row.kind,
                title=row.title,
                help=row.help,
                condition=parse(row.condition),
                is_required=row.is_required,
                least=row.least,
                most=row.most,
                max_bytes=row.max_megabytes * 1024 * 1024,
                max_pages=row.max_pages,
                validity=row.validity,
                reviewers_see=row.reviewers_see,
            )
            for row in models.Requirement.objects.filter(version=pk).order_by("order")
        ),
        criteria=tuple(
            Criterion(eligibility.Criterion(row.key, row.kind, row.params, row.condition, row.is_hard), row.title, row.message)
            for row in models.Criterion.objects.filter(version=pk).order_by("order")
        ),
        rubric=tuple(
            RubricItem(row.key, row.title, row.help, row.weight, tuple(text(anchor) for anchor in row.anchors), row.may_skip)
            for row in models.RubricItem.objects.filter(version=pk).order_by("order")
        ),
        steps=_steps(pk),
        letters=_letters(pk),
    )


def _letters(pk: int) -> Letters | None:
    row = models.LetterTerms.objects.filter(version=pk).first()
    if row is None:
        return None
    return Letters(
        ways=row.ways,
        wanted=row.wanted,
        least=row.least,
        most=row.most,
        milestone=row.milestone,
        who=row.who,
        needs=row.needs,
        is_institutional=row.is_institutional,
        openness=row.openness,
        review_waits=row.review_waits,
        reviewers_see=row.reviewers_see,
        ratings=tuple(Rating(line["key"], text(line["title"]), tuple(text(anchor) for anchor in line["anchors"])) for line in row.ratings),
    )


def _sections(pk: int) -> tuple[Section, ...]:
    rows = list(models.Question.objects.filter(section__version=pk).order_by("order"))
    columns: dict[int, list[Question]] = {}
    for row in rows:
        if row.parent_id:
            columns.setdefault(row.parent_id, []).append(_question(row))
    questions: dict[int, list[Question]] = {}
    for row in rows:
        if not row.parent_id:
            questions.setdefault(row.section_id, []).append(_question(row, tuple(columns.get(row.pk, ()))))
    return tuple(
        Section(row.key, row.kind, row.group, row.title, row.help, parse(row.condition), tuple(questions.get(row.pk, ())))
        for row in models.Section.objects.filter(version=pk).order_by("order")
    )


def _question(row: models.Question, columns: tuple[Question, ...] = ()) -> Question:
    return Question(
        key=row.key,
        kind=row.kind,
        label=row.label,
        help=row.help,
        is_required=row.is_required,
        is_identity=row.is_identity,
        condition=parse(row.condition),
        options=tuple(Option(option["value"], text(option["label"])) for option in row.options),
        limits=row.limits,
        columns=columns,
    )


def _steps(pk: int) -> tuple[Step, ...]:
    bodies: dict[int, dict[str, set[int]]] = {}
    for step, country, institution in models.StepBody.objects.filter(step__version=pk).values_list(
        "step_id", "country_id", "institution_id"
    ):
        bodies.setdefault(step, {}).setdefault(country or "", set()).add(institution)
    return tuple(
        Step(
            key=row.key,
            order=row.order,
            kind=row.kind,
            title=row.title,
            says=row.says,
            body_by=row.body_by,
            milestone=row.milestone,
            bodies={country: frozenset(pks) for country, pks in bodies.get(row.pk, {}).items()},
        )
        for row in models.Step.objects.filter(version=pk).order_by("order")
    )
