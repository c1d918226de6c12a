"""A call as a YAML file: read, checked against the schema and against itself, each fault with its line.

Reading touches nothing; ``loading`` writes what has been read.
"""

from __future__ import annotations

import json
import zoneinfo
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator, FormatChecker

from scholarships.calls.checks import Place, own_checks

SCHEMA = json.loads((Path(__file__).parent / "schema.json").read_text(encoding="utf-8"))
DEEPEST, MOST_NODES = 40, 50_000  # of a file: aliases of aliases would grow without end
_YAML = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_formats = FormatChecker(formats=())
_formats.checks("moment", raises=ValueError)(lambda said: not isinstance(said, str) or bool(datetime.fromisoformat(said)))
_formats.checks("day", raises=ValueError)(lambda said: not isinstance(said, str) or bool(date.fromisoformat(said)))
_formats.checks("zone", raises=(ValueError, OSError, zoneinfo.ZoneInfoNotFoundError))(
    lambda said: not isinstance(said, str) or bool(zoneinfo.ZoneInfo(said))
)


@dataclass(frozen=True)
class Fault:
    """What is wrong, in which line (from 1)."""

    line: int
    where: str
    message: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.where}: {self.message}" if self.where else f"line {self.line}: {self.message}"


class WrongFile(Exception):
    """The file is refused; ``faults`` says why."""

    def __init__(self, faults: list[Fault]):
        super().__init__("\n".join(map(str, faults)))
        self.faults = faults


@dataclass(frozen=True)
class CallFile:
    """The data of a file that passed all checks, and the line of each place in it."""

    data: Mapping[str, Any]
    lines: Mapping[Place, int] = field(default_factory=dict)

    def fault(self, place: Place, message: str) -> WrongFile:
        return WrongFile([Fault(_line(self.lines, place), _named(self.data, place), message)])


# Checks that later rooms add for their own parts of the file: part -> check(data) -> (place, message).
Check = Callable[[Mapping[str, Any]], Iterator[tuple[Place, str]]]
_checks: list[Check] = []


def register_check(check: Check) -> None:
    _checks.append(check)


def read(text: str) -> CallFile:
    """Read TEXT as a call file.

    Raises:
        WrongFile: with every fault found.
    """
    try:
        node = _composed(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise WrongFile([Fault(line, "", f"This is not YAML: {error.problem or error.context}.")]) from None
    except yaml.YAMLError as error:
        raise WrongFile([Fault(1, "", f"This is not YAML: {error}.")]) from None
    if node is None:
        raise WrongFile([Fault(1, "", "The file is empty.")])
    lines: dict[Place, int] = {}
    unread: list[Fault] = []
    data = _build(node, (), lines, unread)
    faults = unread + [
        Fault(_line(lines, tuple(error.absolute_path)), _named(data, tuple(error.absolute_path)), _plainly(error))
        for error in sorted(
            Draft202012Validator(SCHEMA, format_checker=_formats).iter_errors(data),
            key=lambda error: [str(part) for part in error.absolute_path],
        )
    ]
    if not faults:
        for check in (own_checks, *_checks):
            faults += [Fault(_line(lines, place), _named(data, place), message) for place, message in check(data)]
    if faults:
        raise WrongFile(sorted(faults, key=lambda fault: fault.line))
    return CallFile(data, lines)


def _composed(text: str) -> yaml.Node | None:
    """The tree of TEXT. Its depth is looked at first: composing is recursive, in C where there is C."""
    depth = 0
    for event in yaml.parse(text, Loader=_YAML):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEEPEST:
                raise WrongFile([Fault(event.start_mark.line + 1, "", "The file is nested too deeply.")])
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
    return yaml.compose(text, Loader=_YAML)


def _build(node: yaml.Node, place: Place, lines: dict[Place, int], unread: list[Fault]) -> Any:
    if len(place) > DEEPEST or len(lines) > MOST_NODES:
        raise WrongFile([Fault(node.start_mark.line + 1, "", "The file repeats itself without end.")])
    lines[place] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        built: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            if key in built:
                unread.append(Fault(key_node.start_mark.line + 1, key, "This key stands here twice."))
            built[key] = _build(value_node, (*place, key), lines, unread)
            lines[(*place, key)] = key_node.start_mark.line + 1
        return built
    if isinstance(node, yaml.SequenceNode):
        return [_build(child, (*place, index), lines, unread) for index, child in enumerate(node.value)]
    try:
        return _scalar(node)
    except (yaml.YAMLError, ValueError):
        unread.append(Fault(lines[place], "", f"“{node.value}” cannot be read as what it looks like. Write words in quotes."))
        return ""


def _scalar(node: yaml.Node) -> Any:
    value = yaml.constructor.SafeConstructor().construct_object(node)  # type: ignore[no-untyped-call]
    if isinstance(value, date):  # and datetime: as it is written, so that the schema sees seconds and zones that do not belong there
        return str(node.value)
    # "NO" (Norway) and "on" are words here, as people write them.
    if isinstance(value, bool) and str(node.value).lower() not in {"true", "false"}:
        return str(node.value)
    return value


def _line(lines: Mapping[Place, int], place: Place) -> int:
    while place and place not in lines:
        place = place[:-1]
    return lines.get(place, 1)


def _named(data: Any, place: Place) -> str:
    """A place as people find it: "sections personal / questions passport_number / limits"."""
    words, here = [], data
    for part in place:
        here = (
            here[part]
            if isinstance(here, list | dict) and (part in here if isinstance(here, dict) else isinstance(part, int) and part < len(here))
            else None
        )
        if isinstance(part, int):
            key = here.get("key") if isinstance(here, dict) else None
            words.append(f"{words.pop() if words else ''} {key or part + 1}".strip())
        else:
            words.append(part)
    return " / ".join(words)


_KINDS = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "object": "a part with keys",
    "string": "a text",
}


def _plainly(error: Any) -> str:
    """A sentence of jsonschema in plainer words."""
    match error.validator:
        case "required":
            missing = next(name for name in error.validator_value if name not in error.instance)
            return f"“{missing}” is missing."
        case "additionalProperties" | "unevaluatedProperties":
            known = set(error.schema.get("properties", {}))
            extra = ", ".join(f"“{name}”" for name in error.instance if name not in known)
            return f"{extra} is not known here. Known: {', '.join(sorted(known))}."
        case "enum":
            return f"“{error.instance}” is not one of {', '.join(map(str, error.validator_value))}."
        case "type":
            kinds = error.validator_value if isinstance(error.validator_value, list) else [error.validator_value]
            return f"This must be {' or '.join(_KINDS[kind] for kind in kinds)}, and is “{error.instance}”."
        case "pattern":
            return f"“{error.instance}” is not written as it must be ({error.schema.get('description', error.validator_value)})."
        case "format":
            return f"“{error.instance}” is no {error.validator_value}."
        case _:
            return f"{error.message.rstrip('.')}."
