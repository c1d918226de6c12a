"""The tree of a condition, and its truth in Kleene's three-valued logic; see ``conditions`` for the language."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

Value = str | bool | Decimal | date | tuple["Value", ...] | None


@dataclass(frozen=True)
class Literal:
    value: Value


@dataclass(frozen=True)
class Fact:
    name: str


@dataclass(frozen=True)
class Many:
    items: tuple[Literal | Fact, ...]


@dataclass(frozen=True)
class Compare:
    operator: str
    left: Node
    right: Node


@dataclass(frozen=True)
class Not:
    of: Node


@dataclass(frozen=True)
class Both:
    left: Node
    right: Node


@dataclass(frozen=True)
class Either:
    left: Node
    right: Node


Node = Literal | Fact | Many | Compare | Not | Both | Either


def names_in(node: Node) -> Iterator[str]:
    """The facts that NODE asks for."""
    match node:
        case Fact(name):
            yield name
        case Many(items):
            for item in items:
                yield from names_in(item)
        case Not(of):
            yield from names_in(of)
        case Compare(_, left, right) | Both(left, right) | Either(left, right):
            yield from names_in(left)
            yield from names_in(right)


def truth_of(node: Node, facts: Mapping[str, object]) -> bool | None:
    """True, False, or None where a missing fact leaves it open."""
    match node:
        case Both(left, right):
            first, second = truth_of(left, facts), truth_of(right, facts)
            if first is False or second is False:
                return False
            return None if first is None or second is None else True
        case Either(left, right):
            first, second = truth_of(left, facts), truth_of(right, facts)
            if first is True or second is True:
                return True
            return None if first is None or second is None else False
        case Not(of):
            inner = truth_of(of, facts)
            return None if inner is None else not inner
        case Compare(operator, left, right):
            return _compare(operator, _value(left, facts), _value(right, facts))
        case _:
            value = _value(node, facts)
            return None if value is None else bool(value)


def _value(node: Node, facts: Mapping[str, object]) -> Value:
    match node:
        case Literal(value):
            return value
        case Fact(name):
            return _normal(facts.get(name))
        case Many(items):
            return tuple(_value(item, facts) for item in items)
        case _:
            return truth_of(node, facts)


def _normal(value: object) -> Value:
    """A fact as the language sees it: numbers are Decimals, a datetime is its day, blanks are missing."""
    if value is None:
        return None
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, bool | date):
        return value
    if isinstance(value, int | float | Decimal):
        number = Decimal(str(value))
        return number if number.is_finite() else None
    if isinstance(value, list | tuple | set | frozenset):
        return tuple(_normal(item) for item in value) or None
    return str(value) if str(value).strip() else None


_ORDER: dict[str, Callable[[Value, Value], bool]] = {
    "<": lambda a, b: a < b,  # type: ignore[operator]
    "<=": lambda a, b: a <= b,  # type: ignore[operator]
    ">": lambda a, b: a > b,  # type: ignore[operator]
    ">=": lambda a, b: a >= b,  # type: ignore[operator]
}


def _compare(operator: str, left: Value, right: Value) -> bool | None:
    if operator == "in":
        # A fact that holds several values ("languages") is in a list when any of them is.
        if left is None or right is None:
            return None
        inside = right if isinstance(right, tuple) else (right,)
        wanted = left if isinstance(left, tuple) else (left,)
        if any(one is not None and any(_same(one, other) for other in inside) for one in wanted):
            return True
        return None if None in inside or None in wanted else False
    if left is None or right is None or _has_gap(left) or _has_gap(right):
        return None
    if operator == "==":
        return _same(left, right)
    if operator == "!=":
        return not _same(left, right)
    left, right = _alike(left, right)
    if type(left) is not type(right) or isinstance(left, tuple | bool):
        return None
    return _ORDER[operator](left, right)


def _has_gap(value: Value) -> bool:
    return isinstance(value, tuple) and None in value


def _same(left: Value, right: Value) -> bool:
    left, right = _alike(left, right)
    return type(left) is type(right) and left == right


def _alike(left: Value, right: Value) -> tuple[Value, Value]:
    """Bring the text of an answer ("2027-09-01", "6.5") to the type of what it is compared with."""
    if isinstance(left, str) and isinstance(right, Decimal | date):
        return _read(left, right), right
    if isinstance(right, str) and isinstance(left, Decimal | date):
        return left, _read(right, left)
    return left, right


def _read(text: str, like: Decimal | date) -> Value:
    try:
        if isinstance(like, date):
            return date.fromisoformat(text)
        number = Decimal(text)
    except (ArithmeticError, ValueError):
        return text
    return number if number.is_finite() else text  # "NaN" is a word here: comparing it as a number would raise
