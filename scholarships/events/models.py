"""Event and Seal."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from scholarships.events.names import declared

APPEND_ONLY = "The event log is append-only."


class AppendOnlyQuerySet(models.QuerySet):
    """Rows are added and read. Nothing changes or deletes them."""

    def update(self, **kwargs: Any) -> int:
        raise TypeError(APPEND_ONLY)

    def delete(self) -> tuple[int, dict[str, int]]:
        raise TypeError(APPEND_ONLY)

    def about(self, subject: Any) -> AppendOnlyQuerySet:
        """What happened to SUBJECT, first to last."""
        return self.filter(subject_kind=subject._meta.model_name, subject_key=subject.code).order_by("pk")


class _AppendOnly(models.Model):
    """A row that is written once. Against raw UPDATEs the database has a trigger of its own."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError(APPEND_ONLY)
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise TypeError(APPEND_ONLY)


class Event(_AppendOnly):
    """NAME happened to a subject.

    ``key`` makes a thing happen once: the same key a second time is refused by the database.
    ``by`` is empty when the clock acted. ``data`` holds codes, numbers and times, never words
    about a person (``actions.record`` refuses them).
    """

    name = models.CharField(max_length=60)
    subject_kind = models.CharField(max_length=30)
    subject_key = models.CharField(max_length=60)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    actor = models.CharField(_("in which role"), max_length=30, blank=True)
    at = models.DateTimeField(default=timezone.now)
    key = models.CharField(max_length=120, null=True, unique=True)
    data = models.JSONField(default=dict)

    NOT_PERSONAL = ("name", "subject_kind", "subject_key", "actor", "key", "data")

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["subject_kind", "subject_key", "id"], name="event_subject"),
            models.Index(fields=["name", "at"], name="event_name_at"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.subject_key}"

    @property
    def says(self) -> str:
        return declared(self.name).says


class Seal(_AppendOnly):
    """A link of the hash chain over the event log: ``hash`` covers the event and the link before.

    Source: the usual hash chain, h(n) = SHA-256(h(n-1) + canonical event n).
    """

    seq = models.PositiveBigIntegerField(unique=True)
    event = models.OneToOneField(Event, models.PROTECT, related_name="seal")
    hash = models.CharField(max_length=64)

    NOT_PERSONAL = ("hash",)

    objects = AppendOnlyQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.seq} {self.hash[:12]}"
