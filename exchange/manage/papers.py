"""Papers of an application for its officer: rebuilt copies only, and each opening is written down."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

from django.http import Http404, HttpResponse
from django.utils import timezone
from PIL import Image

from exchange.ui.files import guarded
from scholarships.applications.models import Application, Attachment
from scholarships.documents.actions import OPENED, opened, page_image
from scholarships.documents.models import DocumentVersion
from scholarships.events.models import Event
from scholarships.people.models import Role

THUMB_WIDTH = 180  # pixels: enough to tell papers apart, too little to read one
ONE_READING = timedelta(hours=1)


def paper_of(application: Application, code: str) -> Attachment:
    """The paper that APPLICATION has handed in; one that it has taken out again is not there."""
    rows = Attachment.objects.filter(revision=application.revision_id).select_related("file__document").order_by("pk")
    found = rows.filter(file__code=code).first() if code.isalnum() else None
    if found is None:
        raise Http404
    return found


def note_reading(version: DocumentVersion, application: Application, *, by: Any) -> None:
    """Write the reading down for the owner to see; all pages within an hour are one."""
    lately = Event.objects.filter(
        name=OPENED, subject_kind="document", subject_key=version.document.code, by=by, at__gt=timezone.now() - ONE_READING
    )
    if not any(event.data.get("version") == version.number for event in lately.only("data")):
        opened(version, by=by, actor=Role.OFFICER, application=application.code)


def thumbnail(version: DocumentVersion) -> HttpResponse:
    """The first page, so small that it cannot be read."""
    try:
        with Image.open(page_image(version, 1)) as page:
            page.draft("RGB", (THUMB_WIDTH, THUMB_WIDTH * 2))
            page.thumbnail((THUMB_WIDTH, THUMB_WIDTH * 4))
            out = io.BytesIO()
            page.convert("RGB").save(out, "JPEG", quality=70)
    except (LookupError, OSError):
        raise Http404 from None
    return guarded(HttpResponse(out.getvalue(), content_type="image/jpeg"))
