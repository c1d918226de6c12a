"""What is to be allocated: applicants, options and quotas, brought into their merit order; and PROBLEM, the same as a file.

Source: docs/selection.md, 1.2 (semantics) and 1.7 (format).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import Any

DECIMALS = 2  # of a published score; more where a score has more
LARGEST = Decimal(10) ** 12
MOST_DECIMALS = 12


@dataclass(frozen=True)
class Applicant:
    """``choices``: ids of options, best first.

    ``tie``: what decides between equal scores, smaller is better: numbers, or texts that sort (a day, "2026-06-30").
    """

    id: str
    score: Decimal
    choices: tuple[str, ...]
    attrs: Mapping[str, str] = field(default_factory=dict)
    tie: tuple[Decimal | str, ...] = ()


@dataclass(frozen=True)
class Option:
    """What can be awarded."""

    id: str
    attrs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Quota:
    """Caps on awards, one bucket for each tuple of values of ``by`` ("a.country", "o.level", "o.id").

    ``caps``: values -> cap, None for none; ``default``: cap of a tuple that is not named, None for none.
    ``where``: attribute -> values that count ("a.gender": ("m",)); a pair outside is not counted.
    """

    id: str
    by: tuple[str, ...] = ()
    caps: Mapping[tuple[str, ...], int | None] = field(default_factory=dict)
    default: int | None = None
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Model:
    """A compiled call: applicants in merit order, and for each pair the buckets in which it counts."""

    seed: str
    order: tuple[Applicant, ...]
    options: Mapping[str, Option]
    quotas: tuple[Quota, ...]

    def type_of(self, applicant: Applicant) -> tuple[str, ...]:
        """What quotas look at: applicants of one type count in the same buckets, and ten thousand are some dozen types."""
        return tuple([applicant.attrs.get(name, "") for name in self._looked_at])

    def buckets(self, applicant: Applicant, option: str) -> Sequence[tuple[str, int]]:
        """The buckets in which an award of OPTION to APPLICANT counts: (name, cap), in the order of the quotas."""
        cell = (self.type_of(applicant), option)
        if cell not in self._found:
            self._found[cell] = self._buckets(applicant, option)
        return self._found[cell]

    @cached_property
    def _looked_at(self) -> list[str]:
        names = {name for quota in self.quotas for name in (*quota.by, *quota.where)}
        return sorted(name.removeprefix("a.") for name in names if name.startswith("a."))

    @cached_property
    def _found(self) -> dict[tuple[tuple[str, ...], str], Sequence[tuple[str, int]]]:
        return {}

    def _buckets(self, applicant: Applicant, option: str) -> Sequence[tuple[str, int]]:
        found = []
        attrs = self.options[option].attrs
        for quota in self.quotas:
            if not all(_value(name, applicant, option, attrs) in allowed for name, allowed in quota.where.items()):
                continue
            values = tuple(_value(name, applicant, option, attrs) for name in quota.by)
            cap = quota.caps.get(values, quota.default)
            if cap is not None:
                found.append((bucket_name(quota.id, values), cap))
        return found


def _value(name: str, applicant: Applicant, option: str, attrs: Mapping[str, str]) -> str:
    side, _dot, key = name.partition(".")
    if side == "a":
        return applicant.attrs.get(key, "")
    return option if key == "id" else attrs.get(key, "")


def bucket_name(quota: str, values: Sequence[str]) -> str:
    """ "country[KG]", or "total" for a quota without dimensions."""
    return f"{quota}[{','.join(values)}]" if values else quota


def lottery(seed: str, applicant: str) -> int:
    """The published draw: smaller goes first. Source: docs/selection.md, 1.2."""
    return int.from_bytes(hashlib.sha256(f"{seed}\0{applicant}".encode()).digest()[:8], "big")


def compile_call(applicants: Iterable[Applicant], options: Iterable[Option], quotas: Iterable[Quota], seed: str) -> Model:
    """Bring the input into its merit order: score, then ties, then the lottery, then id.

    All scores are written with the same number of decimals, two or more, so that equal scores have equal text.

    Raises:
        ValueError: an id stands twice, a choice names no option, a score is no number, or a quota cannot be meant.
    """
    chosen, people, rules = list(options), list(applicants), tuple(quotas)
    known = {option.id: option for option in chosen}
    for what, ids in (
        ("options", [option.id for option in chosen]),
        ("applicants", [person.id for person in people]),
        ("quotas", [quota.id for quota in rules]),
    ):
        if len(set(ids)) != len(ids):
            raise ValueError(f"Two {what} have the same id.")
    for person in people:
        unknown = [choice for choice in person.choices if choice not in known]
        if unknown or len(set(person.choices)) != len(person.choices):
            raise ValueError(f"Applicant {person.id}: {'unknown choice ' + unknown[0] if unknown else 'a choice stands twice'}.")
        if not person.score.is_finite() or abs(person.score) >= LARGEST or _decimals(person.score) > MOST_DECIMALS:
            raise ValueError(f"Applicant {person.id}: {person.score} cannot be a score.")
    for quota in rules:
        _check_quota(quota)
        _check_commas(quota, people, chosen)
    step = Decimal(1).scaleb(-max([DECIMALS, *(_decimals(person.score) for person in people)]))
    people = [replace(person, score=person.score.quantize(step)) for person in people]
    return Model(seed, tuple(sorted(people, key=lambda person: merit_key(person, seed))), known, rules)


def _decimals(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0


def _check_quota(quota: Quota) -> None:
    wrong = [name for name in (*quota.by, *quota.where) if name[:2] not in ("a.", "o.")]
    if wrong:
        raise ValueError(f"Quota {quota.id}: “{wrong[0]}” must begin with a. or o.")
    if "[" in quota.id:
        raise ValueError(f"Quota {quota.id}: a name may not contain a bracket.")
    if any(cap is not None and cap < 0 for cap in (*quota.caps.values(), quota.default)):
        raise ValueError(f"Quota {quota.id}: a cap is negative.")
    if any(len(values) != len(quota.by) for values in quota.caps):
        raise ValueError(f"Quota {quota.id}: a cap needs {len(quota.by)} values, one for each of “by”.")


def _check_commas(quota: Quota, people: Iterable[Applicant], options: Iterable[Option]) -> None:
    """Two buckets must not have one name: with several values in it none may contain the comma between them."""
    if len(quota.by) < 2:
        return
    for name in quota.by:
        side, _dot, key = name.partition(".")
        values = (
            (person.attrs.get(key, "") for person in people) if side == "a" else (_value(name, _NOBODY, o.id, o.attrs) for o in options)
        )
        if any("," in value for value in values):
            raise ValueError(f"Quota {quota.id}: a value of {name} contains a comma.")


_NOBODY = Applicant("", Decimal(0), ())


def merit_key(person: Applicant, seed: str) -> tuple[Any, ...]:
    ties = tuple((isinstance(tie, str), tie) for tie in person.tie)
    return (-person.score, ties, lottery(seed, person.id), person.id)


# -- PROBLEM as a file -----------------------------------------------------------


def canonical(value: Any) -> bytes:
    """The bytes that digests cover: sorted keys, no blanks, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest(value: Any) -> str:
    return hashlib.sha256(canonical(value)).hexdigest()


def problem_json(model: Model) -> dict[str, Any]:
    """PROBLEM of MODEL. Applicants, options and caps stand in the order of their ids, so that equal input has equal
    bytes; the order of the quotas means something: of two that fill at once the first is named as the reason.
    """
    return {
        "mode": "merit",
        "seed": model.seed,
        "options": [
            {"id": option.id, "attrs": dict(option.attrs), "cost": 1}
            for option in sorted(model.options.values(), key=lambda option: option.id)
        ],
        "applicants": [
            {
                "id": person.id,
                "score": str(person.score),
                "tie": [str(tie) for tie in person.tie],
                "choices": list(person.choices),
                "attrs": dict(person.attrs),
            }
            for person in sorted(model.order, key=lambda person: person.id)
        ],
        "quotas": [
            {
                "id": quota.id,
                "by": list(quota.by),
                "caps": [[list(values), cap] for values, cap in sorted(quota.caps.items(), key=lambda named: named[0])],
                "default": quota.default,
                "where": {name: sorted(values) for name, values in quota.where.items()},
                "reserves": [],
                "open_first": False,
                "use_cost": False,
            }
            for quota in model.quotas
        ],
    }


def read_problem(data: Any) -> Model:
    """PROBLEM -> Model.

    Raises:
        ValueError: a part is missing or is not what it must be, with its place; it asks for what this engine does
            not do (mode lists, reserves, costs); or it is inconsistent.
    """
    if _get(data, "mode", str, "PROBLEM", "merit") != "merit":
        raise ValueError("Only mode “merit” is known here.")
    return compile_call(
        [
            Applicant(
                _get(row, "id", str, where),
                _number(_get(row, "score", object, where), where),
                _texts(_get(row, "choices", list, where), f"{where}: a choice"),
                _attrs(row, where),
                tuple(_tie(tie, where) for tie in _get(row, "tie", list, where, [])),
            )
            for where, row in _rows(data, "applicants")
        ],
        [Option(_get(row, "id", str, where), _attrs(row, where)) for where, row in _rows(data, "options")],
        [_quota(row, where) for where, row in _rows(data, "quotas")],
        _get(data, "seed", str, "PROBLEM"),
    )


def _quota(row: Any, where: str) -> Quota:
    if any(_get(row, name, object, where, False) for name in ("reserves", "open_first", "use_cost")):
        raise ValueError(f"{where}: reserves and costs are not known here.")
    caps: dict[tuple[str, ...], int | None] = {}
    for named in _get(row, "caps", list, where):
        if not isinstance(named, list) or len(named) != 2 or not isinstance(named[0], list):
            raise ValueError(f"{where}: a cap is written [[values], number].")
        values = _texts(named[0], f"{where}: a value of a cap")
        if values in caps:
            raise ValueError(f"{where}: there are two caps for {','.join(values) or 'all'}.")
        caps[values] = _cap(named[1], where)
    return Quota(
        _get(row, "id", str, where),
        _texts(_get(row, "by", list, where), f"{where}: an attribute"),
        caps,
        _cap(row.get("default"), where),
        {name: _texts(values, f"{where}: a value of “where”") for name, values in _get(row, "where", Mapping, where, {}).items()},
    )


_NAMES = {str: "a text", list: "a list", Mapping: "an object"}


def _get(row: Any, name: str, kind: Any, where: str, default: Any = None) -> Any:
    if not isinstance(row, Mapping):
        raise ValueError(f"{where} must be an object.")
    value = row.get(name, default)
    if value is None:
        raise ValueError(f"{where}: “{name}” is missing.")
    if not isinstance(value, kind):
        raise ValueError(f"{where}: “{name}” must be {_NAMES[kind]}.")
    return value


def _rows(data: Any, name: str) -> list[tuple[str, Any]]:
    """The rows of a part, each with its place: "applicants[0]"."""
    return [(f"{name}[{index}]", row) for index, row in enumerate(_get(data, name, list, "PROBLEM"))]


def _texts(values: Any, what: str) -> tuple[str, ...]:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise ValueError(f"{what} must be a text.")
    return tuple(values)


def _attrs(row: Any, where: str) -> dict[str, str]:
    attrs = _get(row, "attrs", Mapping, where, {})
    _texts(list(attrs.values()), f"{where}: an attribute")
    return dict(attrs)


def _cap(value: Any, where: str) -> int | None:
    if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
        raise ValueError(f"{where}: a cap is a whole number or null, not “{value}”.")
    return value


def _number(value: Any, where: str) -> Decimal:
    try:
        if isinstance(value, bool):
            raise InvalidOperation
        return Decimal(str(value))
    except InvalidOperation:
        raise ValueError(f"{where}: “{value}” is not a number.") from None


def _tie(value: Any, where: str) -> Decimal | str:
    try:
        number = _number(value, where)
    except ValueError:
        if isinstance(value, str):
            return value
        raise
    if not number.is_finite():
        raise ValueError(f"{where}: “{value}” is not a number.")
    return number
