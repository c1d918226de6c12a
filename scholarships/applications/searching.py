"""The query language of lists, mails and exports: words and ``key:value`` -> which applications.

``call:silk-road-2027 country:KG,UZ -state:withdrawn with:reviewers score:>8 "nuray asanova"``

Values of one key are alternatives, different keys all have to be true, a minus says "not". What is not
understood is left out and said in a note; a query is never an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from functools import reduce
from operator import and_, or_
from typing import Any

from django.db.models import F, Q
from django.db.models.lookups import Exact, GreaterThan, GreaterThanOrEqual, In, IsNull, LessThan, LessThanOrEqual
from django.utils.translation import gettext as _

from scholarships.applications.expressions import Merit, Read
from scholarships.applications.models import Application, Stage, State
from scholarships.applications.words import folded
from scholarships.calls.models import StepKind
from scholarships.programmes.models import Level, Programme

KEYS = ("call", "country", "level", "state", "host", "with", "step", "score")
LONGEST, MOST_TERMS = 300, 20
APPLICANT, REVIEWERS, OFFICE = "applicant", "reviewers", "office"

_AT_APPLICANT = (State.RETURNED, State.OFFERED)  # they have to correct, or to answer
_AT_OFFICE = (StepKind.ELIGIBILITY, StepKind.ALLOCATION, StepKind.OFFER)


# -- Text -> terms ---------------------------------------------------------------


@dataclass(frozen=True)
class Term:
    """One part of a query: ``values`` are alternatives; without a ``key`` it is one word or phrase."""

    key: str
    values: tuple[str, ...]
    is_not: bool = False

    def __str__(self) -> str:
        said = ",".join(_quoted(value) for value in self.values)
        return ("-" if self.is_not else "") + (f"{self.key}:{said}" if self.key else said)


def _quoted(value: str) -> str:
    return f'"{value}"' if re.search(r"[\s,:]|^-", value) or not value else value


_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")  # PostgreSQL takes no NUL
_TOKEN = re.compile(r'(?:[^\s"]|"[^"]*"?)+')
_KEYED = re.compile(r"([^\W\d]\w*):(.*)", re.DOTALL)
_VALUE = re.compile(r'(?:[^,"]|"[^"]*"?)+')


def parse(text: str) -> tuple[Term, ...]:
    """The terms of TEXT as they were typed, known or not; an open quotation mark closes at the end."""
    terms = []
    for token in _TOKEN.findall(_CONTROL.sub(" ", text[:LONGEST])):
        is_not = token.startswith("-")
        body = token.removeprefix("-")
        keyed = _KEYED.fullmatch(body)
        if keyed:
            values = tuple(_bare(value) for value in _VALUE.findall(keyed[2]))
            terms.append(Term(keyed[1].casefold(), tuple(value for value in values if value), is_not))
        elif _bare(body):
            terms.append(Term("", (_bare(body),), is_not))
    return tuple(terms[:MOST_TERMS])


def _bare(value: str) -> str:
    return " ".join(value.replace('"', "").split())


def written(terms: Iterable[Term]) -> str:
    """TERMS as text that ``parse`` reads the same way."""
    return " ".join(str(term) for term in terms)


# -- Terms -> applications -------------------------------------------------------


@dataclass(frozen=True)
class Vocabulary:
    """What the reader may name: folded code or name -> key of the row."""

    calls: Mapping[str, int] = field(default_factory=dict)
    countries: Mapping[str, str] = field(default_factory=dict)
    hosts: Mapping[str, int] = field(default_factory=dict)
    bodies: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Query:
    """``where`` finds the applications; ``terms`` are those understood; ``notes`` name what was left out."""

    where: Q
    terms: tuple[Term, ...]
    notes: tuple[str, ...]

    def __str__(self) -> str:
        return written(self.terms)

    def only(self, key: str) -> str:
        """The one value that KEY has to have, "" where it may have others."""
        found = [term for term in self.terms if term.key == key]
        return found[0].values[0] if len(found) == 1 and len(found[0].values) == 1 and not found[0].is_not else ""


def read(text: str, vocabulary: Vocabulary) -> Query:
    """TEXT as a query in the words of VOCABULARY."""
    conditions: dict[tuple[str, bool], list[Q]] = {}
    understood, notes = [], []
    for term in parse(text):
        if term.key and term.key not in KEYS:
            notes.append(_("“%(word)s” is no search word and was left out.") % {"word": term})
            continue
        known, found = [], []
        for value in term.values:
            try:
                found.append(_READERS[term.key](value, vocabulary))
            except LookupError:
                notes.append(_("“%(word)s” is not known and was left out.") % {"word": Term(term.key, (value,), term.is_not)})
            else:
                known.append(value)
        if found:
            understood.append(Term(term.key, tuple(known), term.is_not))
            conditions.setdefault((term.key, term.is_not), []).append(reduce(or_, found))
    parts = [_joined(key, is_not, found) for (key, is_not), found in conditions.items()]
    return Query(reduce(and_, parts, Q()), tuple(understood), tuple(notes))


def _joined(key: str, is_not: bool, found: list[Q]) -> Q:
    """Words and scores narrow; of a country or a state an application has one, so that several are alternatives."""
    if is_not:
        return ~reduce(or_, found)
    return reduce(and_ if key in {"", "score"} else or_, found)


def _word(value: str, vocabulary: Vocabulary) -> Q:
    word = folded(value)
    if not word:
        raise LookupError(value)
    return Q(search__has=word)


def _is(column: str, value: Any) -> Q:
    return Q(Exact(Read(F(column)), value))


def _is_known(column: str) -> Q:
    """The column has a value: "not from KG" is then true of somebody whose country is not known."""
    return Q(IsNull(Read(F(column)), False))


def _call(value: str, vocabulary: Vocabulary) -> Q:
    return _is("call_id", vocabulary.calls[folded(value)])


def _country(value: str, vocabulary: Vocabulary) -> Q:
    return _is("country_id", vocabulary.countries[folded(value)]) & _is_known("country_id")


def _level(value: str, vocabulary: Vocabulary) -> Q:
    return _is("level", _one_of(Level, value))


def _state(value: str, vocabulary: Vocabulary) -> Q:
    return _is("state", _one_of(State, value))


def _one_of(choices: Any, value: str) -> str:
    """The key of a choice, by its key or its name: "in_review", "in-review", "In review"."""
    wanted = folded(value).replace("-", "_").replace(" ", "_")
    for key, label in choices.choices:
        if wanted in (key, folded(str(label)).replace(" ", "_")):
            return str(key)
    raise LookupError(value)


def _host(value: str, vocabulary: Vocabulary) -> Q:
    programmes = Programme.objects.filter(host=vocabulary.hosts[folded(value)]).order_by()
    return Q(In(Read(F("first_choice_id")), programmes.values("pk"))) & _is_known("first_choice_id")


def _open_at(kinds: Iterable[str], **more: Any) -> Q:
    """At an open step of one of KINDS."""
    stages = Stage.objects.filter(left_at__isnull=True, kind__in=list(kinds), **more)
    return Q(In(Read(F("pk")), stages.order_by().values("application")))


def _with(value: str, vocabulary: Vocabulary) -> Q:
    """Who has to act; ``holder_of`` says the same of one application."""
    at_applicant = Q(In(Read(F("state")), [*_AT_APPLICANT]))
    in_review = _is("state", State.IN_REVIEW)
    match folded(value):
        case "applicant":
            return at_applicant
        case "reviewers":
            return in_review & _open_at([StepKind.REVIEW])
        case "office":
            return ~at_applicant & (_open_at(_AT_OFFICE) | (_open_at([StepKind.REVIEW]) & ~in_review))
        case body:
            return ~at_applicant & _open_at([StepKind.NOMINATION], body=vocabulary.bodies[body])


def holder_of(application: Application, stage: Stage | None) -> str:
    """Who has to act on APPLICATION, whose open stage is STAGE: a body's code, applicant, reviewers, office, or nobody ("")."""
    if application.state in _AT_APPLICANT:
        return APPLICANT
    if stage is None:
        return ""
    if stage.kind == StepKind.NOMINATION:
        return stage.body.code if stage.body else ""
    return REVIEWERS if stage.kind == StepKind.REVIEW and application.state == State.IN_REVIEW else OFFICE


def _step(value: str, vocabulary: Vocabulary) -> Q:
    return _open_at([_one_of(StepKind, value)])


_SCORE = re.compile(r"(>=|<=|>|<|=)?\s*(\d{1,2}(?:[.]\d{1,2})?)")
_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    ">": GreaterThan, ">=": GreaterThanOrEqual, "<": LessThan, "<=": LessThanOrEqual, "=": Exact,
}  # fmt: skip


def _score(value: str, vocabulary: Vocabulary) -> Q:
    found = _SCORE.fullmatch(value)
    if not found:
        raise LookupError(value)
    try:
        number = float(Decimal(found[2]))
    except InvalidOperation:
        raise LookupError(value) from None
    merit = Merit(F("score"))
    return Q(_COMPARE[found[1] or "="](merit, number)) & Q(GreaterThanOrEqual(merit, 0.0))


_READERS: dict[str, Callable[[str, Vocabulary], Q]] = {
    "": _word, "call": _call, "country": _country, "level": _level, "state": _state, "host": _host, "with": _with, "step": _step, "score": _score,
}  # fmt: skip
