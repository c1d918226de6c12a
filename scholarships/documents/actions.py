"""Papers are added, replaced, removed and read."""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from scholarships.documents.checking import PAGE_WIDTH, Checked, Limits, ask_child, checked
from scholarships.documents.models import Document, DocumentVersion, Format, erase_files, random_path
from scholarships.events.actions import record
from scholarships.events.names import declare

ADDED = declare("document.added", "Paper added", "kind", "version")
REPLACED = declare("document.replaced", "Paper replaced", "kind", "version")
REMOVED = declare("document.removed", "Paper removed from the library", "kind")
OPENED = declare("document.opened", "Paper opened", "kind", "version", "application")


def add(
    owner: Any, kind: str, upload: IO[bytes], name: str, *, limits: Limits | None = None, issued_on: date | None = None
) -> DocumentVersion:
    """Check UPLOAD and keep it as a new paper of OWNER, None for somebody without an account.

    Raises:
        ValidationError: code ``file_...``; nothing is kept.
    """
    with checked(upload, name, limits or Limits()) as file:
        return _keep(file, name, issued_on, owner, kind, None)


def add_all(owner: Any, kind: str, uploads: Sequence[tuple[IO[bytes], str]], *, limits: Limits | None = None) -> list[DocumentVersion]:
    """Check each of UPLOADS (content and name) and keep them as new papers of OWNER; where one is refused none is kept."""
    with ExitStack() as opened_files:
        files = [(opened_files.enter_context(checked(upload, name, limits or Limits())), name) for upload, name in uploads]
        return [_keep(file, name, None, owner, kind, None) for file, name in files]


def replace(
    document: Document, upload: IO[bytes], name: str, *, by: Any, limits: Limits | None = None, issued_on: date | None = None
) -> DocumentVersion:
    """Check UPLOAD and keep it as the next version; older ones stay where they have been handed in."""
    if document.owner_id is None or document.owner_id != by.pk:
        raise PermissionDenied
    with checked(upload, name, limits or Limits()) as file:
        return _keep(file, name, issued_on, document.owner, document.kind, document)


def _keep(file: Checked, name: str, issued_on: date | None, owner: Any, kind: str, document: Document | None) -> DocumentVersion:
    stored: list[str] = []
    try:
        for path in (file.original, file.clean):  # files first: nothing but the database within the transaction
            stored.append(_store(path))
        return _write_row(file, name, issued_on, owner, kind, document, *stored)
    except BaseException:
        for kept in stored:
            default_storage.delete(kept)
        raise


@transaction.atomic
def _write_row(
    file: Checked, name: str, issued_on: date | None, owner: Any, kind: str, document: Document | None, original: str, rebuilt: str
) -> DocumentVersion:
    is_new = document is None
    if document is None:
        document = Document.objects.create(owner=owner, kind=kind)
    else:  # two replacements at once: one waits for the other's number
        Document.objects.select_for_update().get(pk=document.pk)
    number = document.versions.count() + 1
    version = DocumentVersion.objects.create(
        document=document, number=number, format=file.format, name=plain_name(name), size=file.size, pages=file.pages,
        sha256=file.sha256, issued_on=issued_on, original=original, rebuilt=rebuilt,
    )  # fmt: skip
    document.current = version
    document.save(update_fields=["current"])
    record(ADDED if is_new else REPLACED, document, by=owner, kind=kind, version=number)
    return version


def _store(path: Path) -> str:
    with path.open("rb") as source:
        return default_storage.save(random_path(None, ""), File(source))


def plain_name(name: str) -> str:
    """The file's name as its owner knows it, without path and control characters, at most 120 characters."""
    last = name.replace("\\", "/").rpartition("/")[2]
    kept = "".join(letter for letter in last if unicodedata.category(letter)[0] != "C").strip() or "file"
    stem, dot, extension = kept.rpartition(".")
    return kept if len(kept) <= 120 else (stem[: 119 - len(extension)] + dot + extension)[:120]


@transaction.atomic
def remove(document: Document, *, by: Any) -> None:
    """Take a paper out of the library. Where it has been handed in it stays.

    Raises:
        ValidationError: code ``in_use``: an application that is being written uses it.
    """
    if document.owner_id != by.pk:
        raise PermissionDenied
    # ``pk__isnull``: without it the outer join would also find papers that are attached nowhere.
    if document.versions.filter(attachments__pk__isnull=False, attachments__revision__handed_in_at__isnull=True).exists():
        raise ValidationError(_("An application you are writing uses this paper. Take it out there first."), code="in_use")
    document.removed_at = timezone.now()
    document.save(update_fields=["removed_at"])
    record(REMOVED, document, by=by, kind=document.kind)


def discard(document: Document) -> None:
    """Delete a paper that belongs to nobody, with its files: whoever sent it has replaced it before it counted.

    Raises:
        PermissionDenied: it is somebody's own.
    """
    if document.owner_id is not None:
        raise PermissionDenied
    versions = list(document.versions.all())
    with transaction.atomic():
        Document.objects.filter(pk=document.pk).update(current=None)
        document.versions.all().delete()
        record(REMOVED, document, kind=document.kind)
        document.delete()
    for version in versions:
        erase_files(version)


def opened(version: DocumentVersion, *, by: Any, actor: str, application: str) -> None:
    """Write down that BY, who is not the owner, read a paper as ACTOR (a role): the owner sees when and in which role."""
    if by.pk != version.document.owner_id:
        record(OPENED, version.document, by=by, actor=actor, kind=version.document.kind, version=version.number, application=application)


def words_of(version: DocumentVersion) -> str:
    """The words of a PDF as its clean copy holds them, read in the child; "" of a picture, and where there are none."""
    if version.format != Format.PDF or not version.rebuilt:
        return ""
    with TemporaryDirectory(prefix="words-") as folder:
        target = Path(folder) / "words"
        answer = ask_child({"do": "words", "source": version.rebuilt.path, "format": "pdf", "target": str(target)})
        return "" if "refused" in answer or not target.is_file() else target.read_text(encoding="utf-8", errors="replace").replace("\0", "")


def page_image(version: DocumentVersion, number: int) -> Path:
    """Page NUMBER (from 1) of the clean copy as a JPEG; drawn once in the child and kept beside it.

    Raises:
        LookupError: there is no such page, or it cannot be drawn.
    """
    if not 1 <= number <= version.pages or not version.rebuilt:
        raise LookupError("no such page")
    source = Path(version.rebuilt.path)
    drawn = source.with_name(f"{source.name}.{number}.jpg")
    if not drawn.exists():
        drawing = drawn.with_name(f"{drawn.name}.{secrets.token_hex(8)}.part")
        kind = Format.PDF if version.format == Format.PDF else Format.JPEG
        answer = ask_child(
            {"do": "page", "source": str(source), "format": kind.value, "target": str(drawing), "number": number, "width": PAGE_WIDTH}
        )
        if "refused" in answer:
            drawing.unlink(missing_ok=True)
            raise LookupError("the page cannot be drawn")
        drawing.replace(drawn)
    return drawn
