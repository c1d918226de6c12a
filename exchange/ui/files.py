"""A person's file on its way to a reader: never shown as a page of ours, never kept by a cache."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from django.http import FileResponse, Http404
from django.http.response import HttpResponseBase

from scholarships.documents.actions import page_image
from scholarships.documents.models import DocumentVersion, Format

_TYPES = {Format.PDF: ("application/pdf", "pdf"), Format.JPEG: ("image/jpeg", "jpg"), Format.PNG: ("image/png", "png")}


Answer = TypeVar("Answer", bound=HttpResponseBase)


def guarded(response: Answer) -> Answer:
    """RESPONSE with what every file and picture of a person carries."""
    response["Cache-Control"] = "no-store"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def original_file(version: DocumentVersion) -> FileResponse:
    """The file as its owner sent it, for the owner only, under a name of ours."""
    kind, extension = _TYPES[Format(version.format)]
    return _download(version.original.path, f"{version.document.kind}-{version.code}.{extension}", kind)


def rebuilt_file(version: DocumentVersion, name: str) -> FileResponse:
    """The rebuilt copy, for everybody else, under the neutral NAME."""
    kind, extension = _TYPES[Format.PDF if version.format == Format.PDF else Format.JPEG]
    return _download(version.rebuilt.path, f"{name}.{extension}", kind)


def _download(path: str, name: str, kind: str) -> FileResponse:
    try:
        return guarded(FileResponse(Path(path).open("rb"), as_attachment=True, filename=name, content_type=kind))
    except FileNotFoundError:
        raise Http404 from None


def page_response(version: DocumentVersion, number: int) -> FileResponse:
    """One page of the rebuilt copy as an image."""
    try:
        return guarded(FileResponse(page_image(version, number).open("rb"), content_type="image/jpeg"))
    except (LookupError, FileNotFoundError):
        raise Http404 from None
