"""The one small expression language of the house.

Form conditions, document conditions and criteria are written in it::

    level in ["master", "doctoral"] and not (language == "zh")
    age < 18
    study.months > 6 or arts

A word is a fact (``level``, ``study.months``). A fact may be missing (also a blank text, an empty
list), and then a comparison with it is *unknown*: ``and``, ``or`` and ``not`` follow Kleene's
three-valued logic, so that an answer that is not yet given never turns into a yes or a no by accident.

Grammar (loosest first)::

    expression := conjunction ("or" conjunction)*
    conjunction := negation ("and" negation)*
    negation := "not" negation | comparison
    comparison := operand (("==" | "!=" | "<" | "<=" | ">" | ">=" | "in" | "not in") operand)?
    operand := value | list | "(" expression ")"
    list := "[" value ("," value)* "]"
    value := text | number | date | "true" | "false" | fact
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from scholarships.engine.truth import Both, Compare, Either, Fact, Literal, Many, Node, Not, names_in, truth_of


class ConditionError(ValueError):
    """The text is not a condition. ``position`` is the 0-based place in the text."""

    def __init__(self, message: str, position: int):
        super().__init__(message)
        self.position = position


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
        if self.takes("("):
            inner = self.expression()
            self.expect(")")
            return inner
        if self.takes("["):
            items = [self.value()]
            while self.takes(","):
                items.append(self.value())
            self.expect("]")
            return Many(tuple(items))
        return self.value()

    def value(self) -> Literal | Fact:
        token = self.now
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
        return truth_of(self.node, facts)

    @property
    def facts(self) -> frozenset[str]:
        """The names of the facts it asks for."""
        return frozenset(names_in(self.node))


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


def is_condition(text: str) -> bool:
    try:
        parse(text)
    except ConditionError:
        return False
    return True


def check(text: str, known: Iterable[str]) -> list[ConditionError]:
    """What is wrong with TEXT, where only the facts in KNOWN exist: a list, empty when all is well."""
    try:
        condition = parse(text)
    except ConditionError as error:
        return [error]
    places = {token.text: token.position for token in reversed(list(_tokens(text))) if token.kind == "word"}
    unknown = sorted(condition.facts - set(known), key=places.__getitem__)
    return [ConditionError(f"There is no answer or fact called “{name}”.", places[name]) for name in unknown]


def cycles(conditions: Mapping[str, str]) -> list[tuple[str, ...]]:
    """Chains of questions whose conditions depend on each other in a circle.

    Args:
        conditions: the name of each question -> its condition.

    Returns:
        The circles found, as the names on each in order, starting with the smallest; of circles
        that share questions one at least.
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
