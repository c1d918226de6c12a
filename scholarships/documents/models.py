"""Document and its versions."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from scholarships.events.codes import new_code
from scholarships.privacy.declarations import Period, Personal, Purpose, delete_file


class Kind(models.TextChoices):
    """What a paper is. A call asks for kinds; a person's library is kept by them."""

    PASSPORT = "passport", _("Passport")
    PHOTO = "photo", _("Photo")
    DIPLOMA = "diploma", _("Diploma or proof of study")
    TRANSCRIPT = "transcript", _("Transcript")
    LANGUAGE = "language", _("Language certificate")
    ADMISSION = "admission", _("Pre-admission letter")
    PLAN = "plan", _("Study or research plan")
    LETTER = "letter", _("Recommendation letter")
    WORKS = "works", _("Works of art or music")
    GUARDIAN = "guardian", _("Guardian papers")
    MEDICAL = "medical", _("Physical examination form")
    CONDUCT = "conduct", _("Non-criminal record")
    EMPLOYMENT = "employment", _("Certificate of employment")
    OTHER = "other", _("Other paper")


def random_path(instance: Any, filename: str) -> str:
    """Files lie under random names; what the person called them is only a field."""
    name = secrets.token_hex(20)
    return f"{name[:2]}/{name}"


def delete_with_pages(row: models.Model, name: str) -> str:
    """Delete the clean copy and the pages that have been drawn from it (``actions.page_image``)."""
    file = getattr(row, name)
    if file:
        for drawn in Path(file.path).parent.glob(f"{Path(file.path).name}.*"):
            drawn.unlink(missing_ok=True)
    return str(delete_file(row, name))


class DocumentQuerySet(models.QuerySet["Document"]):
    def visible_to(self, user: Any) -> DocumentQuerySet:
        """A person's own papers; others read them through an application."""
        return self.filter(owner=user, removed_at__isnull=True) if user.is_authenticated else self.none()

    def kept(self) -> DocumentQuerySet:
        return self.filter(removed_at__isnull=True)


class Document(models.Model):
    """One paper of one person, in one or more versions; ``current`` is the newest good one.

    Without an owner it is of somebody who has no account (a referee's letter): it stands in nobody's
    library, and only the room that holds it says who reads it.
    """

    code = models.CharField(max_length=12, unique=True, default=new_code, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="documents")
    kind = models.CharField(_("kind"), max_length=12, choices=Kind)
    current = models.ForeignKey("DocumentVersion", models.PROTECT, null=True, related_name="+", editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    removed_at = models.DateTimeField(null=True, editable=False)

    NOT_PERSONAL = ("code",)

    objects = DocumentQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["owner", "kind"], name="document_owner_kind")]

    def __str__(self) -> str:
        return f"{self.kind} {self.code}"


class Format(models.TextChoices):
    PDF = "pdf", "PDF"
    JPEG = "jpeg", "JPG"
    PNG = "png", "PNG"


class DocumentVersion(models.Model):
    """A file as it came (``original``) and as it was rebuilt (``rebuilt``): images re-encoded, PDF
    rewritten without metadata, attachments and scripts. Whoever is not the owner gets ``rebuilt``.

    ``pages`` counts pages, 1 for an image; ``size`` is in bytes, of the original.
    """

    code = models.CharField(max_length=12, unique=True, default=new_code, editable=False)
    document = models.ForeignKey(Document, models.PROTECT, related_name="versions")
    number = models.PositiveSmallIntegerField(_("version"))
    format = models.CharField(max_length=5, choices=Format)
    name = models.CharField(_("file name"), max_length=120)
    size = models.PositiveIntegerField(_("size in bytes"))
    pages = models.PositiveSmallIntegerField(_("pages"), default=1)
    sha256 = models.CharField("SHA-256", max_length=64)
    issued_on = models.DateField(_("issued on"), null=True, blank=True)
    original = models.FileField(upload_to=random_path, max_length=80)
    rebuilt = models.FileField(upload_to=random_path, max_length=80)
    uploaded_at = models.DateTimeField(default=timezone.now, editable=False)

    PERSONAL = {
        "name": Personal(Purpose.SELECTION, Period.CALL),
        "issued_on": Personal(Purpose.SELECTION, Period.CALL),
        "original": Personal(Purpose.SELECTION, Period.CALL, delete_file),
        "rebuilt": Personal(Purpose.SELECTION, Period.CALL, delete_with_pages),
    }
    NOT_PERSONAL = ("code", "sha256")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["document", "number"], name="document_version_once"),
            models.CheckConstraint(name="document_version_has_pages", condition=Q(pages__gte=1)),
        ]

    def __str__(self) -> str:
        return f"{self.document_id}.{self.number}"


def erase_files(version: DocumentVersion) -> None:
    """Delete the files of VERSION, whose row is gone."""
    delete_with_pages(version, "rebuilt")
    delete_file(version, "original")
