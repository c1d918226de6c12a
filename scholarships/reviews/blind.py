"""What a reviewer may see of a file. Identity is not hidden here: it is never fetched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from scholarships.applications.models import Answer, Application, Attachment, Choice
from scholarships.calls.form import Form, Requirement, Section, form_of
from scholarships.documents.models import DocumentVersion
from scholarships.programmes.models import Programme
from scholarships.reviews.models import Assignment


@dataclass(frozen=True)
class BlindFile:
    """``answers``: section -> values without identity; ``papers``: requirement -> files whose pages may be seen."""

    code: str
    level: str
    country: str
    revision: int | None
    form: Form
    programmes: tuple[Programme, ...]
    answers: tuple[tuple[Section, dict[str, Any]], ...]
    papers: tuple[tuple[Requirement, tuple[DocumentVersion, ...]], ...]


def blind_file(assignment: Assignment) -> BlindFile:
    """The file of ASSIGNMENT in four queries, none of which names the applicant."""
    row = (
        Application.objects.filter(pk=assignment.application_id)
        .select_related("version")
        .only("code", "level", "country_id", "revision_id", "version")
        .get()
    )
    form = form_of(row.version)
    visible = [requirement for requirement in form.requirements if requirement.reviewers_see]
    stored = dict(Answer.objects.filter(revision=row.revision_id).values_list("section", "values"))
    files: dict[str, list[DocumentVersion]] = {}
    shown = Attachment.objects.filter(revision=row.revision_id, requirement__in=[requirement.key for requirement in visible])
    for attachment in (
        shown.select_related("file")
        .only("requirement", "order", "file__code", "file__pages", "file__format", "file__rebuilt", "file__document_id")
        .order_by("order")
    ):
        files.setdefault(attachment.requirement, []).append(attachment.file)
    return BlindFile(
        code=row.code,
        level=row.level,
        country=row.country_id or "",
        revision=row.revision_id,
        form=form,
        programmes=tuple(
            choice.programme
            for choice in Choice.objects.filter(revision=row.revision_id).select_related("programme__host").order_by("rank")
        ),
        answers=tuple((section, stored[section.key]) for section in form.sections if stored.get(section.key)),
        papers=tuple((requirement, tuple(files[requirement.key])) for requirement in visible if requirement.key in files),
    )
