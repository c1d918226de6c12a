"""Facts about a person and the criteria of a call -> a verdict with a reason for each criterion.

A criterion is met, not met, or *unknown* while a fact is missing; it is passed over where its
condition (``when``) says that it does not concern this person.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from scholarships.engine.conditions import ConditionError, parse


class Outcome(StrEnum):
    MET = "met"
    NOT_MET = "not_met"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Criterion:
    """One rule of a call.

    ``kind`` and its ``params``:

    ==============  ======================================================================
    citizenship     ``countries`` (ISO codes that may apply) and/or ``excluded``
    age             ``minimum`` and/or ``maximum`` (years), ``inclusive`` (a person of exactly the
                    maximum may apply), ``on`` (the day at which age counts)
    education       ``at_least``: one of ``EDUCATION``; reads the fact ``education.highest``
    language        ``tests``: list of ``{test, level, score}``, any of which suffices; a test is
                    read from the facts ``<test>.level`` and ``<test>.score``. A test without an
                    answer leaves the criterion unknown, even where another is definitely not met;
                    ``<test>.none`` (true: "I have no such certificate") answers it with a no
    valid_until     ``fact`` (a day) must not be before ``day``
    condition       ``holds``: an expression that must be true
    ==============  ======================================================================

    Raises:
        ValueError: the kind is unknown, or a parameter is missing, unknown or not what it must be.
    """

    key: str
    kind: str
    params: Mapping[str, Any] = field(default_factory=dict)
    when: str = ""
    hard: bool = True

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"There is no kind of criterion called “{self.kind}”.")
        needed, possible = KINDS[self.kind], OPTIONAL.get(self.kind, ())
        missing = [name for name in needed if name not in self.params]
        if missing:
            raise ValueError(f"The criterion “{self.key}” needs {', '.join(missing)}.")
        if possible and not self.params.keys() & set(possible):
            raise ValueError(f"The criterion “{self.key}” needs one of {', '.join(possible)}.")
        unknown = sorted(self.params.keys() - {*needed, *possible})
        if unknown:
            raise ValueError(f"The criterion “{self.key}” does not know {', '.join(unknown)}.")
        for name, value in self.params.items():
            if not _FITS[name](value):
                raise ValueError(f"The criterion “{self.key}”: “{value}” is no {name}.")
        try:
            parse(self.when)
            if self.kind == "condition":
                parse(self.params["holds"])
        except ConditionError as error:
            raise ValueError(f"The condition of “{self.key}”: {error}") from error


# Kind -> parameters that it cannot do without.
KINDS: dict[str, tuple[str, ...]] = {
    "citizenship": (),
    "age": ("on",),
    "education": ("at_least",),
    "language": ("tests",),
    "valid_until": ("fact", "day"),
    "condition": ("holds",),
}
# Kind -> further parameters, of which one at least must be there.
OPTIONAL: dict[str, tuple[str, ...]] = {"citizenship": ("countries", "excluded"), "age": ("minimum", "maximum", "inclusive")}

# What somebody has finished, lowest first (EQF 4, 6, 7, 8 where it maps).
EDUCATION = ("none", "secondary", "bachelor", "master", "doctoral")


@dataclass(frozen=True)
class Finding:
    """What came of one criterion; ``values`` are the figures behind it, for the sentence."""

    key: str
    outcome: Outcome
    hard: bool
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    findings: tuple[Finding, ...]

    @property
    def is_eligible(self) -> bool | None:
        """True, False, or None while a hard criterion is unknown."""
        hard = [finding.outcome for finding in self.findings if finding.hard]
        if Outcome.NOT_MET in hard:
            return False
        return None if Outcome.UNKNOWN in hard else True

    def of(self, outcome: Outcome) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.outcome == outcome)


def assess(criteria: Iterable[Criterion], facts: Mapping[str, Any]) -> Verdict:
    """Hold FACTS against CRITERIA.

    Args:
        facts: name -> value. Read: ``citizenship`` (ISO code), ``birth_date`` (day or ISO text),
            ``education.highest``, ``<test>.level``, ``<test>.score``, ``<test>.none`` and whatever the conditions name.
    """
    findings = []
    for criterion in criteria:
        concerns = parse(criterion.when).holds(facts)
        if concerns is False:
            continue
        outcome, values = _JUDGES[criterion.kind](criterion.params, facts)
        if concerns is None:
            outcome = Outcome.UNKNOWN
        findings.append(Finding(criterion.key, outcome, criterion.hard, values))
    return Verdict(tuple(findings))


def age_on(born: date, day: date) -> int:
    """Full years between BORN and DAY; who is born on 29 February turns a year older on 1 March."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def _day(value: Any) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        return None


def _number(value: Any) -> Decimal | None:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _is_list_of_texts(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(one, str) for one in value)


def _is_years(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 150


def _is_list_of_tests(value: Any) -> bool:
    """Each names its test and asks for a level, a score or both; without either everybody would pass."""
    return (
        isinstance(value, list | tuple)
        and bool(value)
        and all(
            isinstance(test, Mapping)
            and isinstance(test.get("test"), str)
            and {"test"} < test.keys() <= {"test", "level", "score"}
            and all(_number(test[part]) is not None for part in ("level", "score") if part in test)
            for test in value
        )
    )


# Parameter -> whether a value can be it.
_FITS: dict[str, Callable[[Any], bool]] = {
    "countries": _is_list_of_texts,
    "excluded": _is_list_of_texts,
    "minimum": _is_years,
    "maximum": _is_years,
    "inclusive": lambda value: isinstance(value, bool),
    "on": lambda value: _day(value) is not None,
    "at_least": lambda value: value in EDUCATION,
    "tests": _is_list_of_tests,
    "fact": lambda value: isinstance(value, str),
    "day": lambda value: _day(value) is not None,
    "holds": lambda value: isinstance(value, str),
}

Judgement = tuple[Outcome, dict[str, Any]]


def _verdict(is_met: bool) -> Outcome:
    return Outcome.MET if is_met else Outcome.NOT_MET


def _citizenship(params: Mapping[str, Any], facts: Mapping[str, Any]) -> Judgement:
    country = facts.get("citizenship")
    if not country:
        return Outcome.UNKNOWN, {}
    allowed, excluded = params.get("countries"), params.get("excluded", ())
    return _verdict(country not in excluded and (allowed is None or country in allowed)), {"country": country}


def _age(params: Mapping[str, Any], facts: Mapping[str, Any]) -> Judgement:
    born, on = _day(facts.get("birth_date")), _day(params["on"])
    minimum, maximum = params.get("minimum"), params.get("maximum")
    values: dict[str, Any] = {"on": on, "minimum": minimum, "maximum": maximum}
    if born is None or on is None:
        return Outcome.UNKNOWN, values
    age = age_on(born, on)
    old = maximum is not None and (age > maximum or (age == maximum and not params.get("inclusive", False)))
    young = minimum is not None and age < minimum
    return _verdict(not old and not young), values | {"age": age}


def _education(params: Mapping[str, Any], facts: Mapping[str, Any]) -> Judgement:
    highest = facts.get("education.highest")
    values = {"at_least": params["at_least"], "highest": highest}
    if highest not in EDUCATION:
        return Outcome.UNKNOWN, values
    return _verdict(EDUCATION.index(highest) >= EDUCATION.index(params["at_least"])), values


def _language(params: Mapping[str, Any], facts: Mapping[str, Any]) -> Judgement:
    outcomes = []
    for test in params["tests"]:
        name, wanted = test["test"], []
        if facts.get(f"{name}.none") is True:
            outcomes.append(Outcome.NOT_MET)
            continue
        for part in ("level", "score"):
            if part in test:
                has = _number(facts.get(f"{name}.{part}"))
                wanted.append(None if has is None else has >= Decimal(str(test[part])))
        if None in wanted:
            outcomes.append(Outcome.UNKNOWN)
        else:
            outcomes.append(_verdict(all(wanted)))
    values = {"tests": params["tests"]}
    for outcome in (Outcome.MET, Outcome.UNKNOWN):
        if outcome in outcomes:
            return outcome, values
    return Outcome.NOT_MET, values


def _valid_until(params: Mapping[str, Any], facts: Mapping[str, Any]) -> Judgement:
    day, wanted = _day(facts.get(params["fact"])), _day(params["day"])
    values = {"day": wanted, "found": day}
    if day is None or wanted is None:
        return Outcome.UNKNOWN, values
    return _verdict(day >= wanted), values


def _condition(params: Mapping[str, Any], facts: Mapping[str, Any]) -> Judgement:
    holds = parse(params["holds"]).holds(facts)
    return (Outcome.UNKNOWN if holds is None else _verdict(holds)), {}


_JUDGES = {
    "citizenship": _citizenship,
    "age": _age,
    "education": _education,
    "language": _language,
    "valid_until": _valid_until,
    "condition": _condition,
}
