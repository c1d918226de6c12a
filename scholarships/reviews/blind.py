"""What a reviewer may see of a file. Identity is not hidden here: it is never fetched.

Other reviewers' judgements of the same file are shown to a reviewer only after the own review is handed
in, and then as totals and comments without names, the highest first: enough to learn from, nothing to
bargain with. Single scores and names are for the officers of the call.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet

from scholarships.applications.models import Answer, Application, Attachment, Choice
from scholarships.calls.form import Form, Requirement, Section, form_of
from scholarships.documents.models import DocumentVersion
from scholarships.programmes.models import Programme
from scholarships.references.models import Letter
from scholarships.reviews.models import Assignment, Progress, Review
from scholarships.reviews.rules import may_see_others

# No original, no rebuilt path is shown, and neither the owner's name for the file nor its hash is fetched.
_FILE = ("requirement", "order", "file__code", "file__number", "file__pages", "file__format", "file__rebuilt")
_VERSION = ("code", "number", "pages", "format", "rebuilt", "document__code", "document__kind")
_LETTER = ("number", "masked", "known", "ratings", "file__code", "file__number", "file__pages", "file__format", "file__rebuilt")
_DOCUMENT = ("file__document__code", "file__document__kind")


@dataclass(frozen=True)
class BlindFile:
    """``answers``: section -> values without identity; ``papers``: requirement -> attachments whose pages may be seen."""

    code: str
    level: str
    country: str
    form: Form
    programmes: tuple[Programme, ...]
    answers: tuple[tuple[Section, dict[str, Any]], ...]
    papers: tuple[tuple[Requirement, tuple[Attachment, ...]], ...]
    letters: tuple[Letter, ...] = ()


def blind_file(assignment: Assignment) -> BlindFile:
    """The file of ASSIGNMENT in four queries, five where it has letters of referees, none of which names the applicant."""
    row = (
        Application.objects.filter(pk=assignment.application_id)
        .select_related("version")
        .only("code", "level", "country", "revision", "version__code", "version__published_at")
        .get()
    )
    form = form_of(row.version)
    stored = dict(Answer.objects.filter(revision=row.revision_id).values_list("section", "values"))
    choices = Choice.objects.filter(revision=row.revision_id).select_related("programme__host").order_by("rank")
    files: dict[str, list[Attachment]] = {}
    for attachment in _attachments(form, row.revision_id).select_related("file").only(*_FILE).order_by("order", "pk"):
        files.setdefault(attachment.requirement, []).append(attachment)
    return BlindFile(
        code=row.code,
        level=row.level,
        country=row.country_id or "",
        form=form,
        programmes=tuple(choice.programme for choice in choices),
        answers=tuple((section, shown) for section in form.sections if (shown := _shown(section, stored.get(section.key, {})))),
        letters=_letters(form, row.pk),
        papers=tuple((requirement, tuple(files[requirement.key])) for requirement in form.requirements if requirement.key in files),
    )


def _letters(form: Form, application: int) -> tuple[Letter, ...]:
    """The letters of referees, where the call shows them: their words without names, their pages; not who wrote them."""
    if form.letters is None or not form.letters.reviewers_see:
        return ()
    rows = Letter.objects.filter(reference__application=application, sent_at__isnull=False)
    return tuple(rows.select_related("file").only(*_LETTER).order_by("sent_at", "pk"))


def _attachments(form: Form, revision: int | None) -> QuerySet[Attachment]:
    visible = [requirement.key for requirement in form.requirements if requirement.reviewers_see]
    return Attachment.objects.filter(revision=revision, requirement__in=visible)


def _shown(section: Section, values: Mapping[str, Any]) -> dict[str, Any]:
    """VALUES without answers, and without columns of repeating entries, that tell who it is."""
    shown: dict[str, Any] = {}
    for question in section.questions:
        if question.is_identity or question.key not in values:
            continue
        value = values[question.key]
        hidden = {column.key for column in question.columns if column.is_identity}
        shown[question.key] = [{key: said for key, said in row.items() if key not in hidden} for row in value] if hidden else value
    return shown


def paper_of(assignment: Assignment, code: str) -> Attachment | None:
    """The attachment whose file is called CODE, with file and document, if reviewers see it."""
    form = form_of(assignment.application.version)
    found = _attachments(form, assignment.application.revision_id).filter(file__code=code)
    return found.select_related("file__document").only(*_FILE, *_DOCUMENT).order_by("pk").first()


def letter_of(assignment: Assignment, code: str) -> DocumentVersion | None:
    """The file of a letter that is called CODE, with its document, if reviewers see letters."""
    letters = _letters(form_of(assignment.application.version), assignment.application_id)
    held = next((letter.file for letter in letters if letter.file is not None and letter.file.code == code), None)
    return DocumentVersion.objects.select_related("document").only(*_VERSION).get(pk=held.pk) if held else None


@dataclass(frozen=True)
class OtherReview:
    total: Decimal | None
    comment: str


def other_reviews(assignment: Assignment, *, by: Any) -> tuple[OtherReview, ...]:
    """What others have handed in about the same file, without names; nothing before BY has handed in."""
    if not may_see_others(by, assignment):
        return ()
    rows = Review.objects.filter(assignment__application=assignment.application_id, assignment__progress=Progress.DONE)
    others = rows.exclude(assignment=assignment.pk).order_by("-total", "pk")
    return tuple(OtherReview(total, comment) for total, comment in others.values_list("total", "comment"))
