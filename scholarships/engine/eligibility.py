"""Facts about a person and the criteria of a call -> a verdict with a reason for each criterion.

A criterion is met, not met, or *unknown* while a fact is missing; it is passed over where its
condition (``when``) says that it does not concern this person.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
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
    age             ``minimum``, ``maximum`` (years), ``inclusive`` (a person of exactly the
                    maximum may apply), ``on`` (the day at which age counts)
    education       ``at_least``: one of ``EDUCATION``; reads the fact ``education.highest``
    language        ``tests``: list of ``{test, level, score}``, any of which suffices; a test is
                    read from the facts ``<test>.level`` and ``<test>.score``
    valid_until     ``fact`` (a day) must not be before ``day``
    condition       ``holds``: an expression that must be true
    ==============  ======================================================================

    Raises:
        ValueError: the kind is unknown or a parameter is missing.
    """

    key: str
    kind: str
    params: Mapping[str, Any] = field(default_factory=dict)
    when: str = ""
    hard: bool = True

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"There is no kind of criterion called “{self.kind}”.")
        missing = [name for name in KINDS[self.kind] if name not in self.params]
        if missing:
            raise ValueError(f"The criterion “{self.key}” needs {', '.join(missing)}.")
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
            ``education.highest``, ``<test>.level``, ``<test>.score`` and whatever the conditions name.
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
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        return None


def _number(value: Any) -> Decimal | None:
    try:
        return None if value in (None, "") else Decimal(str(value))
    except InvalidOperation:
        return None


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
        if facts.get(f"{name}.none"):
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
