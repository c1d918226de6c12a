"""Writing into the thread of an application."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import IO, Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from scholarships.applications.models import Application
from scholarships.applications.once import event_key
from scholarships.correspondence.models import Enclosure, Post
from scholarships.correspondence.rules import is_applicant, may_write
from scholarships.documents import actions as papers
from scholarships.documents.checking import Limits
from scholarships.documents.models import DocumentVersion, Kind
from scholarships.events.actions import record
from scholarships.events.models import Event
from scholarships.events.names import declare
from scholarships.people.models import Role

WRITTEN = declare("correspondence.written", "Message written", "post", "by_office")

LONGEST = 5000  # characters
MOST_FILES = 3
MOST_UNANSWERED = 20  # posts of an applicant in a row
LIMITS = Limits()


def write(
    application: Application,
    *,
    by: Any,
    text: str,
    files: Sequence[tuple[IO[bytes], str]] = (),
    key: str | None = None,
    at: datetime | None = None,
) -> Post:
    """BY writes TEXT to the other side, with FILES (content and name). The same KEY a second time gives the post of the first.

    Raises:
        PermissionDenied: BY is neither the applicant nor an officer of the call, or nothing is handed in.
        ValidationError: at ``text`` or ``file``; code ``too_many`` when the office has enough to answer. Nothing is kept.
    """
    if not may_write(by, application):
        raise PermissionDenied
    if earlier := _written_with(application, key):
        return earlier
    by_office = not is_applicant(by, application)
    text = text.strip()
    _check(application, text, len(files), by_office)
    try:
        versions = papers.add_all(by, Kind.OTHER, files, limits=LIMITS)
    except ValidationError as refused:
        raise ValidationError({"file": refused}) from None
    try:
        return _post(application, by, by_office, text, versions, key, at or timezone.now())
    except ValidationError:  # the same page, sent twice at this very moment: the other one counts
        for version in versions:
            papers.remove(version.document, by=by)
        if earlier := _written_with(application, key):
            return earlier
        raise


def _check(application: Application, text: str, files: int, by_office: bool) -> None:
    if not text:
        raise ValidationError({"text": ValidationError(_("Write a message."), code="required")})
    if len(text) > LONGEST:
        said = _("Write at most %(most)s characters: this is %(has)s.") % {"most": LONGEST, "has": len(text)}
        raise ValidationError({"text": ValidationError(said, code="too_long")})
    if files > MOST_FILES:
        said = _("Send at most %(most)s files with one message.") % {"most": MOST_FILES}
        raise ValidationError({"file": ValidationError(said, code="too_many_files")})
    if not by_office and _waiting(application) >= MOST_UNANSWERED:
        raise ValidationError(_("The office has %(n)s messages of yours to answer. Please wait.") % {"n": MOST_UNANSWERED}, code="too_many")


def _waiting(application: Application) -> int:
    """How many posts the applicant has written since the office last wrote."""
    sides = list(Post.objects.filter(application=application).order_by("-pk").values_list("by_office", flat=True)[:MOST_UNANSWERED])
    return sides.index(True) if True in sides else len(sides)


@transaction.atomic
def _post(
    application: Application, by: Any, by_office: bool, text: str, versions: Sequence[DocumentVersion], key: str | None, now: datetime
) -> Post:
    post = Post.objects.create(application=application, author=by, by_office=by_office, text=text, at=now)
    Enclosure.objects.bulk_create(Enclosure(post=post, file=version, order=order) for order, version in enumerate(versions, start=1))
    record(
        WRITTEN, application, by=by, actor=Role.OFFICER if by_office else "", key=event_key(application, key), at=now,
        post=post.code, by_office=by_office,
    )  # fmt: skip
    return post


def _written_with(application: Application, key: str | None) -> Post | None:
    """The post that was written with KEY already."""
    event = Event.objects.filter(key=event_key(application, key), name=WRITTEN).first() if key else None
    return Post.objects.get(code=event.data["post"]) if event else None
