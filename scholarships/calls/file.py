"""A call as a YAML file: read, checked against the schema and against itself, each fault with its line.

Reading touches nothing; ``loading`` writes what has been read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

from scholarships.engine import conditions, eligibility

SCHEMA = json.loads((Path(__file__).parent / "schema.json").read_text(encoding="utf-8"))

# What conditions may ask beside the answers of the form; see ``applications.content.facts_of``.
DERIVED_FACTS = frozenset({"level", "citizenship", "taught_in", "months", "fields", "age_at_start"})

Place = tuple[str | int, ...]


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
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise WrongFile([Fault(line, "", f"This is not YAML: {error.problem or error.context}.")]) from None
    except yaml.YAMLError as error:
        raise WrongFile([Fault(1, "", f"This is not YAML: {error}.")]) from None
    if node is None:
        raise WrongFile([Fault(1, "", "The file is empty.")])
    lines: dict[Place, int] = {}
    doubles: list[Fault] = []
    data = _build(node, (), lines, doubles)
    faults = doubles + [
        Fault(_line(lines, tuple(error.absolute_path)), _named(data, tuple(error.absolute_path)), _plainly(error))
        for error in sorted(
            Draft202012Validator(SCHEMA, format_checker=None).iter_errors(data),
            key=lambda error: [str(part) for part in error.absolute_path],
        )
    ]
    if not faults:
        for check in (_own_checks, *_checks):
            faults += [Fault(_line(lines, place), _named(data, place), message) for place, message in check(data)]
    if faults:
        raise WrongFile(sorted(faults, key=lambda fault: fault.line))
    return CallFile(data, lines)


def _build(node: yaml.Node, place: Place, lines: dict[Place, int], doubles: list[Fault]) -> Any:
    lines[place] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        built: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            if key in built:
                doubles.append(Fault(key_node.start_mark.line + 1, key, "This key stands here twice."))
            built[key] = _build(value_node, (*place, key), lines, doubles)
            lines[(*place, key)] = key_node.start_mark.line + 1
        return built
    if isinstance(node, yaml.SequenceNode):
        return [_build(child, (*place, index), lines, doubles) for index, child in enumerate(node.value)]
    return _scalar(node)


def _scalar(node: yaml.Node) -> Any:
    value = yaml.SafeLoader("").construct_object(node)  # type: ignore[no-untyped-call]
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M")
    if isinstance(value, date):
        return value.isoformat()
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
            return f"This must be a {error.validator_value}, and is “{error.instance}”."
        case "pattern":
            return f"“{error.instance}” is not written as it must be ({error.schema.get('description', error.validator_value)})."
        case _:
            return f"{error.message}."


# -- Checks beyond the schema ----------------------------------------------------


def _own_checks(data: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    yield from _unique_keys(data)
    yield from _dates(data)
    yield from _special_sections(data)
    yield from _conditions(data)
    yield from _criteria(data)
    yield from _steps(data)
    weights = sum(item["weight"] for item in data.get("rubric", []))
    if data.get("rubric") and weights != 100:
        yield ("rubric",), f"The weights of the rubric add up to {weights}, not to 100."


def _unique_keys(data: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    for part in ("sections", "requirements", "criteria", "rubric", "steps", "milestones"):
        yield from _twice([item["key"] for item in data.get(part, [])], part)
    seen: set[str] = set()
    for at, section in enumerate(data["sections"]):
        for index, question in enumerate(section.get("questions", [])):
            if question["key"] in seen:
                yield ("sections", at, "questions", index), f"There is another question called “{question['key']}”."
            seen.add(question["key"])


def _twice(keys: list[str], part: str) -> Iterator[tuple[Place, str]]:
    for index, key in enumerate(keys):
        if key in keys[:index]:
            yield (part, index), f"There is another one called “{key}”."


def _dates(data: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    if not data["opens"] < data["closes"] <= data["results"]:
        yield ("closes",), "A call opens, then closes, then has its results: these dates are in another order."
    milestones = {milestone["key"] for milestone in data.get("milestones", [])}
    for index, step in enumerate(data["steps"]):
        if step.get("milestone") and step["milestone"] not in milestones:
            yield ("steps", index, "milestone"), f"There is no milestone “{step['milestone']}”."


def _special_sections(data: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    for index, section in enumerate(data["sections"]):
        kind = section.get("kind", "questions")
        if kind != "questions" and section["key"] != kind:
            yield ("sections", index, "key"), f"The section of {kind} must be called “{kind}”."
        if kind == "questions" and not section.get("questions"):
            yield ("sections", index), "A section of questions needs at least one."
    kinds = [section.get("kind", "questions") for section in data["sections"]]
    if data.get("requirements") and "documents" not in kinds:
        yield ("sections",), "The call asks for papers but has no section of kind “documents”."
    if "choices" not in kinds:
        yield ("sections",), "There is no section of kind “choices”."


def known_facts(data: Mapping[str, Any]) -> frozenset[str]:
    """What the conditions of this file may ask."""
    return DERIVED_FACTS | {question["key"] for section in data["sections"] for question in section.get("questions", [])}


def _conditions(data: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    known = known_facts(data)
    asking: dict[str, str] = {}
    for place, item, facts in _conditional(data, known):
        for error in conditions.check(item.get("when", ""), facts):
            yield (*place, "when"), str(error)
        if place[0] == "sections" and len(place) == 4 and not conditions.check(item.get("when", ""), facts):
            asking[item["key"]] = item.get("when", "")
    for circle in conditions.cycles(asking):
        yield ("sections",), f"These questions wait for each other: {' → '.join((*circle, circle[0]))}."


def _conditional(data: Mapping[str, Any], known: frozenset[str]) -> Iterator[tuple[Place, Mapping[str, Any], frozenset[str]]]:
    for at, section in enumerate(data["sections"]):
        yield ("sections", at), section, known
        for index, question in enumerate(section.get("questions", [])):
            yield ("sections", at, "questions", index), question, known
            columns = frozenset(column["key"] for column in question.get("columns", []))
            for number, column in enumerate(question.get("columns", [])):
                yield ("sections", at, "questions", index, "columns", number), column, columns
    for part in ("requirements", "criteria"):
        for index, item in enumerate(data.get(part, [])):
            yield (part, index), item, known


def _criteria(data: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    known = known_facts(data)
    for index, item in enumerate(data.get("criteria", [])):
        try:
            eligibility.Criterion(item["key"], item["kind"], item.get("params", {}), item.get("when", ""))
        except ValueError as error:
            yield ("criteria", index), str(error)
            continue
        if item["kind"] == "condition":
            for wrong in conditions.check(item["params"]["holds"], known):
                yield ("criteria", index, "params"), str(wrong)
        if item["kind"] == "valid_until" and item["params"]["fact"] not in known:
            yield ("criteria", index, "params"), f"There is no question called “{item['params']['fact']}”."


def _steps(data: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    kinds = [step["kind"] for step in data["steps"]]
    for index, step in enumerate(data["steps"]):
        if (step["kind"] == "nomination") != bool(step.get("body")):
            yield ("steps", index), "A nomination step says which body acts (“body”); other steps do not."
        if step.get("body") == "citizenship":
            missing = sorted(set(data["countries"]) - set(step.get("bodies", {})))
            if missing:
                yield ("steps", index, "bodies"), f"No body is named for {', '.join(missing)}: applications from there would reach nobody."
    if kinds[-2:] != ["allocation", "offer"]:
        yield ("steps",), "The last two steps must be “allocation” and “offer”: without them no application ever ends."
