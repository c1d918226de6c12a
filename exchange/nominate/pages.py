"""How the pages of a body find its lists and files, and what they show of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _

from exchange.ui.marks import mark_of
from exchange.ui.said import SaidSection, said_section
from scholarships.applications.answers import sections_for
from scholarships.applications.content import Content, content_of, requirements_for
from scholarships.applications.models import Attachment
from scholarships.applications.readiness import verdict_of
from scholarships.calls.form import Requirement, Section
from scholarships.calls.models import SectionKind
from scholarships.documents.models import DocumentVersion
from scholarships.nominations.lists import Acting, acting
from scholarships.nominations.models import Check, Nomination, Standing
from scholarships.partners.models import Institution
from scholarships.people.rules import deciding_institutions_of, institutions_of


def own_bodies(user: Any) -> list[Institution]:
    return list(Institution.objects.filter(code__in=institutions_of(user)))


def decides(user: Any, body: Institution) -> bool:
    """Whether USER decides for BODY, or prepares only."""
    return body.code in deciding_institutions_of(user)


def own_list(request: HttpRequest, call: str, body: str) -> Acting:
    """Where a body of the reader acts in CALL; any other list is not there."""
    bodies = [one for one in own_bodies(request.user) if one.code == body]
    found = next((one for one in acting(bodies) if one.call.code == call), None) if bodies else None
    if found is None:
        raise Http404
    return found


def own_files(user: Any) -> Any:
    return Nomination.objects.visible_to(user).select_related(
        "call",
        "body",
        "stage",
        "decided_by",
        "application__call",
        "application__version",
        "application__revision__version",
        "application__first_choice__host",
    )


def own_file(request: HttpRequest, code: str) -> Nomination:
    """The newest row of a file that is or was with a body of the reader; any other file is not there."""
    found = own_files(request.user).filter(application__code=code).order_by("-pk").first()
    if found is None or found.application.revision is None:
        raise Http404
    return found


def own_paper(nomination: Nomination, paper: str) -> Attachment:
    """A paper of what was handed in, and of nothing else."""
    rows = Attachment.objects.filter(revision=nomination.application.revision_id, file__code=paper).select_related("file__document")
    return get_object_or_404(rows[:1])


def address_of_list(here: Acting | Nomination) -> str:
    return reverse("nominate:list", args=[here.call.code, here.body.code])


def files_to_check(nomination: Nomination) -> list[str]:
    """The codes of the files that the body of this one still has to check, in the order in which they came."""
    rows = Nomination.objects.at_hand().filter(call=nomination.call_id, body=nomination.body_id, standing=Standing.TO_CHECK)
    return list(rows.order_by("pk").values_list("application__code", flat=True))


def after(code: str, codes: list[str]) -> str | None:
    """The file after CODE among CODES, from the first again after the last; None where there is no other."""
    at = codes.index(code) + 1 if code in codes else 0
    return next((other for other in codes[at:] + codes[:at] if other != code), None)


def links_of(errors: ValidationError | None) -> list[tuple[str, str]]:
    """What an action refused, each sentence with the row of the file that it names."""
    if errors is None:
        return []
    return [(f"file-{code}" if (code := (error.params or {}).get("code")) else "", error.messages[0]) for error in errors.error_list]


# -- What the page of a file shows -----------------------------------------------


@dataclass(frozen=True)
class Sheet:
    """A file and the numbers of its pages."""

    file: DocumentVersion
    numbers: range


@dataclass(frozen=True)
class Paper:
    """What a call asks for, with the files handed in for it. Optional papers that nobody sent need no check."""

    requirement: Requirement
    files: tuple[Sheet, ...]

    @property
    def is_to_check(self) -> bool:
        return bool(self.files) or self.requirement.is_required


@dataclass(frozen=True)
class Hint:
    """One rule of the call beside the answers: ``look`` is the mark ("" met, "no", "ask")."""

    look: str
    title: str
    message: str


@dataclass(frozen=True)
class Shown:
    """A file as its body reads it: the whole of what was handed in."""

    content: Content
    papers: tuple[Paper, ...]
    sections: tuple[Section, ...]
    answers: tuple[SaidSection, ...]
    hints: tuple[Hint, ...]


def shown(nomination: Nomination) -> Shown:
    content = content_of(nomination.application, nomination.application.revision)
    facts = content.facts
    sections = tuple(sections_for(content.form, facts))
    return Shown(
        content=content,
        papers=tuple(
            Paper(requirement, tuple(Sheet(one.file, range(1, one.file.pages + 1)) for one in content.attached(requirement.key)))
            for requirement in requirements_for(content.form, facts)
        ),
        sections=sections,
        answers=tuple(
            said_section(section, content.values(section.key), facts) for section in sections if section.kind != SectionKind.DOCUMENTS
        ),
        hints=tuple(_hints(content)),
    )


def _hints(content: Content) -> Iterable[Hint]:
    by_key = {criterion.rule.key: criterion for criterion in content.form.criteria}
    for finding in verdict_of(content).findings:
        look = mark_of(finding)
        criterion = by_key[finding.key]
        yield Hint(look, str(criterion.title), str(criterion.message) if look else "")


def noted(nomination: Nomination, papers: Iterable[Paper]) -> list[tuple[str, str]]:
    """What the body ticked, in words."""
    words = {str(value): str(label) for value, label in Check.choices}
    return [
        (str(paper.requirement.title), words.get(nomination.checks.get(paper.requirement.key, ""), "–"))
        for paper in papers
        if paper.is_to_check
    ]


def check_tag(nomination: Nomination) -> tuple[str, str]:
    """What the checks of a file come to: look and words."""
    ticked = list(nomination.checks.values())
    if nomination.is_changed_since:
        return "wait", _("Changed since the check")
    if Check.NO in ticked:
        return "bad", _("Not in order")
    if Check.UNCLEAR in ticked:
        return "wait", _("Something unclear")
    return ("ok", _("In order")) if ticked else ("todo", _("No check noted"))
