"""Revisions are opened as copies of what was handed in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import IntegrityError, transaction

from scholarships.applications.models import Answer, Application, Attachment, Choice, Revision
from scholarships.calls.models import SectionKind


def copy_revision(application: Application, now: datetime) -> Revision:
    """Open the next revision as a copy of the last; one that is open already stays as it is."""
    last = application.revisions.order_by("-number").first()
    assert last is not None, "an application always has a revision"
    if last.handed_in_at is None:
        return last
    version = application.call.version or last.version
    try:
        with transaction.atomic():
            revision = Revision.objects.create(application=application, version=version, number=last.number + 1, opened_at=now)
    except IntegrityError:  # opened twice at once: the first one counts
        return application.revisions.get(handed_in_at__isnull=True)
    _copy_content(last, revision, now)
    return revision


def _copy_content(source: Revision, target: Revision, now: datetime, *, but: Iterable[str] = ()) -> None:
    """Copy what SOURCE says into TARGET, except in the sections BUT, of which TARGET has its own."""
    own = set(but)
    Answer.objects.bulk_create(
        Answer(revision=target, section=row.section, values=row.values, identity=row.identity, is_done=row.is_done, saved_at=now)
        for row in source.answers.exclude(section__in=own)
    )
    if SectionKind.CHOICES not in own:
        Choice.objects.bulk_create(Choice(revision=target, rank=row.rank, programme_id=row.programme_id) for row in source.choices.all())
    if SectionKind.DOCUMENTS not in own:
        Attachment.objects.bulk_create(
            Attachment(revision=target, requirement=row.requirement, order=row.order, file_id=row.file_id)
            for row in source.attachments.all()
        )


def open_correction(application: Application, sections: Sequence[str], now: datetime) -> None:
    """Open a revision for the correction of SECTIONS. A change that was being written goes on in these; the rest is as handed in."""
    draft = application.revisions.filter(handed_in_at__isnull=True).first()
    if draft is None or application.revision is None:
        copy_revision(application, now)
        return
    draft.answers.exclude(section__in=sections).delete()
    if SectionKind.CHOICES not in sections:
        draft.choices.all().delete()
    if SectionKind.DOCUMENTS not in sections:
        draft.attachments.all().delete()
    _copy_content(application.revision, draft, now, but=sections)
