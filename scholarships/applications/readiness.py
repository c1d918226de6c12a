"""Is it ready to be handed in? Section by section, paper by paper, with the sentence for each gap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from scholarships.applications.answers import Problem, is_blank, join, problems_of, sections_for
from scholarships.applications.content import Content, facts_of, oldest_allowed, requirements_for
from scholarships.applications.models import Answer, Application, Choice
from scholarships.calls.form import Section, form_of
from scholarships.calls.models import SectionKind
from scholarships.engine.eligibility import Verdict, assess
from scholarships.programmes.models import Programme


class Status(StrEnum):
    """The five a task can have."""

    COMPLETED = "completed"
    IN_PROGRESS = "in_progress"
    NOT_STARTED = "not_started"
    PROBLEM = "problem"
    CANNOT_START = "cannot_start"


@dataclass(frozen=True)
class Task:
    section: Section
    status: Status
    problems: tuple[Problem, ...]


def tasks_of(content: Content) -> list[Task]:
    """Each section that concerns this person, with its status and what is wrong or missing in it."""
    facts = content.facts
    return [_task(section, content, facts) for section in sections_for(content.form, facts)]


def _task(section: Section, content: Content, facts: Mapping[str, Any]) -> Task:
    row = content.answers.get(section.key)
    problems = problems_of_section(section, content, facts)
    is_started = _is_started(section, content)
    if row is not None and row.is_done:
        status = Status.PROBLEM if problems else Status.COMPLETED
    elif not is_started:
        status = Status.NOT_STARTED
    else:
        status = Status.IN_PROGRESS
    return Task(section, status, tuple(problems))


def _is_started(section: Section, content: Content) -> bool:
    match section.kind:
        case SectionKind.CHOICES:
            return bool(content.choices)
        case SectionKind.DOCUMENTS:
            return bool(content.attachments)
        case _:
            return any(not is_blank(value) for value in content.values(section.key).values())


def problems_of_section(section: Section, content: Content, facts: Mapping[str, Any]) -> list[Problem]:
    match section.kind:
        case SectionKind.CHOICES:
            return _choice_problems(content, facts)
        case SectionKind.DOCUMENTS:
            return _document_problems(content, facts)
        case _:
            return problems_of(section, content.values(section.key), facts)


def _choice_problems(content: Content, facts: Mapping[str, Any]) -> list[Problem]:
    if not content.choices:
        return [Problem("choices", _("Choose at least one programme."), "required")]
    level = facts.get("level")
    return [
        Problem(
            f"choice-{choice.rank}",
            _("“%(programme)s” is not offered at the level you chose.") % {"programme": choice.programme.title},
            "wrong_level",
        )
        for choice in content.choices
        if level and choice.programme.level != level
    ]


def _document_problems(content: Content, facts: Mapping[str, Any]) -> list[Problem]:
    found = []
    for requirement in requirements_for(content.form, facts):
        files = content.attached(requirement.key)
        if requirement.is_required and len(files) < requirement.least:
            missing = requirement.least - len(files)
            message = (
                _("Upload: %(paper)s.")
                if requirement.least == 1
                else ngettext("Upload %(missing)d more file: %(paper)s.", "Upload %(missing)d more files: %(paper)s.", missing)
            )
            found.append(Problem(requirement.key, message % {"paper": requirement.title, "missing": missing}, "required"))
        oldest = oldest_allowed(requirement, content.application)
        for attachment in files:
            if oldest and (attachment.file.issued_on is None or attachment.file.issued_on < oldest):
                message = _("%(paper)s: it must be issued on %(day)s or later. Give its date, or upload a newer one.")
                found.append(Problem(requirement.key, message % {"paper": requirement.title, "day": date_format(oldest)}, "too_old"))
            if attachment.file.size > requirement.max_bytes or attachment.file.pages > requirement.max_pages:
                found.append(
                    Problem(
                        requirement.key,
                        _("%(paper)s: the file is larger than this call allows.") % {"paper": requirement.title},
                        "too_large",
                    )
                )
    return found


def problems_in(content: Content) -> list[Problem]:
    """All that blocks handing in; each problem's field begins with its section's key and "/"."""
    facts = content.facts
    found = [
        Problem(f"{section.key}/{problem.field}", problem.message, problem.code)
        for section in sections_for(content.form, facts)
        for problem in problems_of_section(section, content, facts)
    ]
    level = facts.get("level")
    if level and level not in content.application.call.levels:
        found.append(Problem("/level", _("This call is not open for the level you chose."), "wrong_level"))
    return found


def verdict_of(content: Content) -> Verdict:
    """The criteria of the call, held against what the application says."""
    return assess([criterion.rule for criterion in content.form.criteria], content.facts)


def verdicts_of(applications: Sequence[Application]) -> dict[int, Verdict]:
    """The same for what each of APPLICATIONS has handed in, by its key; two queries, whatever their number."""
    revisions = [application.revision_id for application in applications]
    values: dict[int | None, dict[str, Any]] = {}
    for revision, shown, identity in Answer.objects.filter(revision__in=revisions).values_list("revision", "values", "identity"):
        values.setdefault(revision, {}).update(join(shown, identity))
    programmes: dict[int | None, list[Programme]] = {}
    for choice in Choice.objects.filter(revision__in=revisions).select_related("programme").order_by("rank"):
        programmes.setdefault(choice.revision_id, []).append(choice.programme)
    verdicts = {}
    for application in applications:
        said = application.revision_id
        facts = facts_of(application, values.get(said, {}), programmes.get(said, []))
        verdicts[application.pk] = assess([criterion.rule for criterion in form_of(application.version).criteria], facts)
    return verdicts
