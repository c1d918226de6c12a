"""The one small expression language of the house.

Form conditions, document conditions and criteria are written in it::

    level in ["master", "doctoral"] and not (language == "zh")
    age < 18
    study.months > 6 or arts

A word is a fact (``level``, ``study.months``). A fact may be missing, and then a comparison with
it is *unknown*: ``and``, ``or`` and ``not`` follow Kleene's three-valued logic, so that an answer
that is not yet given never turns into a yes or a no by accident.

Grammar (loosest first)::

    expression := conjunction ("or" conjunction)*
    conjunction := negation ("and" negation)*
    negation := "not" negation | comparison
    comparison := operand (("==" | "!=" | "<" | "<=" | ">" | ">=" | "in" | "not in") operand)?
    operand := text | number | date | "true" | "false" | list | fact | "(" expression ")"
    list := "[" operand ("," operand)* "]"
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

Value = str | bool | Decimal | date | tuple["Value", ...] | None


class ConditionError(ValueError):
    """The text is not a condition. ``position`` is the 0-based place in the text."""

    def __init__(self, message: str, position: int):
        super().__init__(message)
        self.position = position


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

MAX_LENGTH = 1_000
MAX_DEPTH = 40

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<date>\d{4}-\d{2}-\d{2})
      | (?P<number>-?\d+(?:\.\d+)?)
      | (?P<text>"[^"\\]*"|'[^'\\]*')
      | (?P<word>[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*)
      | (?P<sign>==|!=|<=|>=|<|>|\(|\)|\[|\]|,)
    )""",
    re.VERBOSE,
)
_COMPARISONS = {"==", "!=", "<", "<=", ">", ">="}
_RESERVED = {"and", "or", "not", "in", "true", "false"}


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    position: int


def _tokens(text: str) -> Iterator[_Token]:
    position = 0
    while text[position:].strip():
        match = _TOKEN.match(text, position)
        if not match or match.end() == position:
            start = position + len(text[position:]) - len(text[position:].lstrip())
            raise ConditionError(f"Cannot read “{text[start : start + 12]}”.", start)
        kind = str(match.lastgroup)
        word = match.group(kind)
        yield _Token("sign" if kind == "word" and word in _RESERVED else kind, word, match.start(kind))
        position = match.end()
    yield _Token("end", "", len(text))


class _Parser:
    def __init__(self, text: str):
        self.tokens = list(_tokens(text))
        self.at = 0
        self.depth = 0

    @property
    def now(self) -> _Token:
        return self.tokens[self.at]

    def takes(self, *texts: str) -> bool:
        if self.now.kind == "sign" and self.now.text in texts:
            self.at += 1
            return True
        return False

    def expect(self, text: str) -> None:
        if not self.takes(text):
            found = f"“{self.now.text}”" if self.now.text else "the end"
            raise ConditionError(f"Expected “{text}” but found {found}.", self.now.position)

    def expression(self) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ConditionError("The condition is nested too deeply.", self.now.position)
        left = self.conjunction()
        while self.takes("or"):
            left = Either(left, self.conjunction())
        self.depth -= 1
        return left

    def conjunction(self) -> Node:
        left = self.negation()
        while self.takes("and"):
            left = Both(left, self.negation())
        return left

    def negation(self) -> Node:
        if self.takes("not"):
            self.depth += 1
            if self.depth > MAX_DEPTH:
                raise ConditionError("The condition is nested too deeply.", self.now.position)
            inner = self.negation()
            self.depth -= 1
            return Not(inner)
        return self.comparison()

    def comparison(self) -> Node:
        left = self.operand()
        sign = self.now
        if sign.kind == "sign" and sign.text in _COMPARISONS:
            self.at += 1
            return Compare(sign.text, left, self.operand())
        if self.takes("in"):
            return Compare("in", left, self.operand())
        if sign.kind == "sign" and sign.text == "not" and self.tokens[self.at + 1].text == "in":
            self.at += 2
            return Not(Compare("in", left, self.operand()))
        return left

    def operand(self) -> Node:
        token = self.now
        if self.takes("("):
            inner = self.expression()
            self.expect(")")
            return inner
        if self.takes("["):
            items: list[Literal | Fact] = []
            while not self.takes("]"):
                item = self.operand()
                if not isinstance(item, Literal | Fact):
                    raise ConditionError("A list holds values and facts only.", token.position)
                items.append(item)
                if not self.takes(","):
                    self.expect("]")
                    break
            return Many(tuple(items))
        self.at += 1
        if token.kind == "date":
            try:
                return Literal(date.fromisoformat(token.text))
            except ValueError:
                raise ConditionError(f"{token.text} is not a day of the calendar.", token.position) from None
        if token.kind == "number":
            return Literal(Decimal(token.text))
        if token.kind == "text":
            return Literal(token.text[1:-1])
        if token.kind == "sign" and token.text in {"true", "false"}:
            return Literal(token.text == "true")
        if token.kind == "word":
            return Fact(token.text)
        found = f"“{token.text}”" if token.text else "the end"
        raise ConditionError(f"Expected a fact or a value but found {found}.", token.position)


@dataclass(frozen=True)
class Condition:
    """A parsed condition. The empty text is the condition that always holds."""

    text: str
    node: Node

    def holds(self, facts: Mapping[str, object]) -> bool | None:
        """True, False, or None where a missing fact leaves it open."""
        return _truth(self.node, facts)

    @property
    def facts(self) -> frozenset[str]:
        """The names of the facts it asks for."""
        return frozenset(_names(self.node))


def parse(text: str) -> Condition:
    """Read TEXT as a condition.

    Raises:
        ConditionError: it is not one; the error names the place.
    """
    if len(text) > MAX_LENGTH:
        raise ConditionError(f"A condition has at most {MAX_LENGTH} characters.", MAX_LENGTH)
    if not text.strip():
        return Condition("", Literal(True))
    parser = _Parser(text)
    node = parser.expression()
    if parser.now.kind != "end":
        raise ConditionError(f"Cannot go on after “{parser.now.text}”.", parser.now.position)
    return Condition(text.strip(), node)


def check(text: str, known: Iterable[str]) -> list[ConditionError]:
    """What is wrong with TEXT, where only the facts in KNOWN exist: a list, empty when all is well."""
    try:
        condition = parse(text)
    except ConditionError as error:
        return [error]
    unknown = sorted(condition.facts - set(known))
    return [ConditionError(f"There is no answer or fact called “{name}”.", text.find(name)) for name in unknown]


def cycles(conditions: Mapping[str, str]) -> list[tuple[str, ...]]:
    """Chains of questions whose conditions depend on each other in a circle.

    Args:
        conditions: the name of each question -> its condition.

    Returns:
        Each circle once, as the names on it in order, starting with the smallest.
    """
    asks = {name: sorted(parse(text).facts & conditions.keys()) for name, text in conditions.items()}
    found: set[tuple[str, ...]] = set()
    done: set[str] = set()

    def visit(name: str, path: list[str]) -> None:
        if name in path:
            circle = path[path.index(name) :]
            turn = circle.index(min(circle))
            found.add(tuple(circle[turn:] + circle[:turn]))
            return
        if name in done:
            return
        for other in asks[name]:
            visit(other, [*path, name])
        done.add(name)

    for name in sorted(asks):
        visit(name, [])
    return sorted(found)


def _names(node: Node) -> Iterator[str]:
    match node:
        case Fact(name):
            yield name
        case Many(items):
            for item in items:
                yield from _names(item)
        case Not(of):
            yield from _names(of)
        case Compare(_, left, right) | Both(left, right) | Either(left, right):
            yield from _names(left)
            yield from _names(right)


def _truth(node: Node, facts: Mapping[str, object]) -> bool | None:
    match node:
        case Both(left, right):
            first, second = _truth(left, facts), _truth(right, facts)
            if first is False or second is False:
                return False
            return None if first is None or second is None else True
        case Either(left, right):
            first, second = _truth(left, facts), _truth(right, facts)
            if first is True or second is True:
                return True
            return None if first is None or second is None else False
        case Not(of):
            inner = _truth(of, facts)
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
            return _truth(node, facts)


def _normal(value: object) -> Value:
    """A fact as the language sees it: numbers are Decimals, blanks are missing."""
    if value is None or value == "":
        return None
    if isinstance(value, bool | Decimal | date):
        return value
    if isinstance(value, int | float):
        return Decimal(str(value))
    if isinstance(value, list | tuple | set | frozenset):
        return tuple(_normal(item) for item in value)
    return str(value)


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
    if left is None or right is None:
        return None
    if operator == "==":
        return _same(left, right)
    if operator == "!=":
        return not _same(left, right)
    left, right = _alike(left, right)
    if type(left) is not type(right) or isinstance(left, tuple | bool):
        return None
    return _ORDER[operator](left, right)


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
        return Decimal(text) if isinstance(like, Decimal) else date.fromisoformat(text)
    except (ArithmeticError, ValueError):
        return text
