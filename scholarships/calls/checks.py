"""What is wrong with a call file that its schema cannot see: dates, conditions, steps and parts that contradict each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from scholarships.engine import conditions, eligibility

# What conditions may ask beside the answers of the form; see ``applications.content.facts_of``.
CHOSEN_FACTS = frozenset({"taught_in", "months", "fields", "age_at_start"})
DERIVED_FACTS = CHOSEN_FACTS | {"level", "citizenship"}

Place = tuple[str | int, ...]


def own_checks(data: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    for check in (
        _unique_keys,
        _dates,
        _special_sections,
        _questions,
        _papers,
        _letters,
        _conditions,
        _circles,
        _criteria,
        _steps,
        _rubric,
    ):
        yield from check(data)


def _unique_keys(data: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    for part in ("sections", "requirements", "criteria", "rubric", "steps", "milestones"):
        yield from _twice([item["key"] for item in data.get(part, [])], part)
    seen: set[str] = set()
    for at, section in enumerate(data["sections"]):
        for index, question in enumerate(section.get("questions", [])):
            if question["key"] in seen:
                yield ("sections", at, "questions", index), f"There is another question called “{question['key']}”."
            seen.add(question["key"])
            for column in _twice_in(column["key"] for column in question.get("columns", [])):
                yield ("sections", at, "questions", index, "columns"), f"There are two columns called “{column}”."


def _twice(keys: list[str], part: str) -> Iterator[tuple[Place, str]]:
    for index, key in enumerate(keys):
        if key in keys[:index]:
            yield (part, index), f"There is another one called “{key}”."


def _twice_in(values: Iterable[Any]) -> list[Any]:
    return [value for value, times in Counter(values).items() if times > 1]


def _dates(data: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    if not data["opens"] < data["closes"] <= data["results"]:
        yield ("closes",), "A call opens, then closes, then has its results: these dates are in another order."
    for index, milestone in enumerate(data.get("milestones", [])):
        if milestone.get("until", milestone["from"]) < milestone["from"]:
            yield ("milestones", index, "until"), "This ends before it begins."
    milestones = {milestone["key"] for milestone in data.get("milestones", [])}
    for index, step in enumerate(data["steps"]):
        if step.get("milestone") and step["milestone"] not in milestones:
            yield ("steps", index, "milestone"), f"There is no milestone “{step['milestone']}”."


def _special_sections(data: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    for index, section in enumerate(data["sections"]):
        kind = section.get("kind", "questions")
        if kind != "questions" and section["key"] != kind:
            yield ("sections", index, "key"), f"The section of {kind} must be called “{kind}”."
        if (kind == "questions") != bool(section.get("questions")):
            yield ("sections", index), "A section of questions needs at least one; other sections have none."
    kinds = [section.get("kind", "questions") for section in data["sections"]]
    if data.get("requirements") and "documents" not in kinds:
        yield ("sections",), "The call asks for papers but has no section of kind “documents”."
    if "choices" not in kinds:
        yield ("sections",), "There is no section of kind “choices”."


def _every_question(data: Mapping[str, Any]) -> Iterator[tuple[Place, Mapping[str, Any]]]:
    """Each question and each column, with its place."""
    for at, section in enumerate(data["sections"]):
        for index, question in enumerate(section.get("questions", [])):
            place: Place = ("sections", at, "questions", index)
            yield place, question
            for number, column in enumerate(question.get("columns", [])):
                yield (*place, "columns", number), column


def _questions(data: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    for place, question in _every_question(data):
        is_column = len(place) > 4
        if question["key"] in CHOSEN_FACTS and not is_column:
            yield place, f"“{question['key']}” follows from the choices and cannot be the name of a question."
        if question["kind"] == "group" and is_column:
            yield place, "An entry cannot hold entries of its own."
        if question.get("columns") and question["kind"] != "group":
            yield place, "Only a question of kind “group” has columns."
        for value in _twice_in(option["value"] for option in question.get("options", [])):
            yield (*place, "options"), f"There are two options with the value “{value}”."
        yield from _limits((*place, "limits"), question["kind"], question.get("limits", {}))


def _limits(place: Place, kind: str, limits: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    if limits.get("words_min", 0) > limits.get("words_max", limits.get("words_min", 0)):
        yield place, "The least number of words is greater than the most."
    read: Callable[[Any], Any] = date.fromisoformat if kind == "date" else lambda said: Decimal(str(said))
    bounds = []
    for name in ("minimum", "maximum"):
        if name in limits:
            try:
                bounds.append(read(limits[name]))
            except (TypeError, ValueError, InvalidOperation):
                yield (*place, name), f"“{limits[name]}” is no {'day' if kind == 'date' else 'number'}."
    if len(bounds) == 2 and bounds[0] > bounds[1]:
        yield place, "The minimum is greater than the maximum."


def _papers(data: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    for index, paper in enumerate(data.get("requirements", [])):
        least = paper.get("least", 1)
        if paper.get("most", least) < least:
            yield ("requirements", index), f"At least {least} files are asked for and at most {paper['most']} taken."


def _letters(data: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    kinds = [section.get("kind", "questions") for section in data["sections"]]
    letters = data.get("letters")
    if letters is None:
        if "letters" in kinds:
            yield ("sections", kinds.index("letters")), "The call has a section of letters but does not say how they come (“letters”)."
        return
    if "letters" not in kinds:
        yield ("letters",), "The call asks for letters but has no section of kind “letters”."
    wanted = letters.get("wanted", 2)
    if letters.get("least", wanted) > wanted:
        yield ("letters", "least"), f"At least {letters['least']} letters are asked for, and {wanted} are enough."
    if letters.get("most", wanted + 1) < wanted:
        yield ("letters", "most"), f"Only {letters['most']} referees can be asked for {wanted} letters."
    due = next((milestone for milestone in data.get("milestones", []) if milestone["key"] == letters["due"]), None)
    if due is None:
        yield ("letters", "due"), f"There is no milestone “{letters['due']}”."
    elif "until" not in due:
        yield ("letters", "due"), f"The milestone “{letters['due']}” has no end (“until”), so that letters would never be due."
    for key in _twice_in(line["key"] for line in letters.get("ratings", [])):
        yield ("letters", "ratings"), f"There are two lines called “{key}”."


def known_facts(data: Mapping[str, Any]) -> frozenset[str]:
    """What the conditions of this file may ask."""
    return DERIVED_FACTS | {question["key"] for section in data["sections"] for question in section.get("questions", [])}


def _conditions(data: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    for place, item, facts in _conditional(data, known_facts(data)):
        for error in conditions.check(item.get("when", ""), facts):
            yield (*place, "when"), str(error)


def _circles(data: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    """Questions that wait for each other are never asked. A question waits for what its section waits for, too."""
    asking: dict[str, str] = {}
    for at, section in enumerate(data["sections"]):
        for index, question in enumerate(section.get("questions", [])):
            asking[question["key"]] = _both(section, question)
            columns = {column["key"]: _both(column) for column in question.get("columns", [])}
            for circle in conditions.cycles(columns):
                yield ("sections", at, "questions", index, "columns"), _waits(circle)
    for circle in conditions.cycles(asking):
        yield ("sections",), _waits(circle)


def _both(*items: Mapping[str, Any]) -> str:
    """The conditions of ITEMS as one; what cannot be read is said elsewhere."""
    said = [item["when"] for item in items if item.get("when", "").strip()]
    return " and ".join(f"({when})" for when in said if conditions.is_condition(when))


def _waits(circle: tuple[str, ...]) -> str:
    return f"These questions wait for each other: {' → '.join((*circle, circle[0]))}."


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
        elif step.get("body") == "citizenship":
            yield from _bodies_of_countries(("steps", index, "bodies"), step.get("bodies", {}), data["countries"])
        elif step.get("body") == "home" and not (step.get("bodies") and isinstance(step["bodies"], list)):
            yield ("steps", index), "Name the institutions that send their own (“bodies”, a list): others could not apply."
        elif "bodies" in step and not step.get("body"):
            yield ("steps", index, "bodies"), "Only a nomination step has bodies."
    if kinds[-2:] != ["allocation", "offer"] or kinds.count("allocation") != 1 or kinds.count("offer") != 1:
        yield ("steps",), "The last two steps must be “allocation” and “offer”: without them no application ever ends."
    elif "review" not in kinds:
        yield ("steps",), "There is no step “review” before “allocation”: places are given in the order of the scores."


def _bodies_of_countries(place: Place, bodies: Any, countries: list[str]) -> Iterator[tuple[Place, str]]:
    if not isinstance(bodies, Mapping):
        yield place, "Name the body of each country, like “KG: kg-ministry”."
        return
    missing = sorted(set(countries) - set(bodies))
    if missing:
        yield place, f"No body is named for {', '.join(missing)}: applications from there would reach nobody."


def _rubric(data: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    weights = sum(item["weight"] for item in data.get("rubric", []))
    if data.get("rubric") and weights != 100:
        yield ("rubric",), f"The weights of the rubric add up to {weights}, not to 100."
    if not data.get("rubric") and any(step["kind"] == "review" for step in data["steps"]):
        yield ("steps",), "There is a step of review but no rubric to score by."
