"""Run with its two files, and Placement."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from scholarships.applications.models import Application
from scholarships.calls.models import Call
from scholarships.calls.rules import ALONE
from scholarships.events.codes import new_code
from scholarships.programmes.models import Programme


class RunQuerySet(models.QuerySet["Run"]):
    def visible_to(self, user: Any) -> RunQuerySet:
        return self.filter(call__in=Call.objects.run_by(user))

    def whole(self) -> RunQuerySet:
        """Runs whose last row is written: only these are shown and can be confirmed."""
        return self.filter(finished_at__isnull=False)

    def confirmed(self) -> RunQuerySet:
        return self.filter(confirmed_at__isnull=False)

    def published(self) -> RunQuerySet:
        return self.filter(published_at__isnull=False)

    def to_publish(self, *, at: datetime) -> RunQuerySet:
        return self.confirmed().filter(published_at__isnull=True, call__results_at__lte=at)


class Run(models.Model):
    """One allocation of the places of a call. It never changes; a confirmed one counts, at most one of a call.

    ``input_digest`` and ``output_digest`` are those of the engine over its files. ``fingerprint`` tells
    in two queries whether the input has probably changed since; the digest tells for certain.
    ``promoted_through``: the last row of the ledger whose freed place has been offered on.
    """

    code = models.CharField(max_length=12, unique=True, default=new_code, editable=False)
    call = models.ForeignKey(Call, models.PROTECT, related_name="runs")
    at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    seed = models.CharField(_("seed of the lottery"), max_length=64)
    fingerprint = models.CharField(max_length=64)
    input_digest = models.CharField(max_length=64)
    output_digest = models.CharField(max_length=64)
    candidates = models.PositiveIntegerField(_("took part"))
    awarded = models.PositiveIntegerField(_("got a place"))
    finished_at = models.DateTimeField(null=True)
    confirmed_at = models.DateTimeField(null=True)
    confirmed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    published_at = models.DateTimeField(null=True)
    promoted_through = models.PositiveBigIntegerField(default=0)

    NOT_PERSONAL = ("code", "seed", "fingerprint", "input_digest", "output_digest")

    objects = RunQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["call"], condition=Q(confirmed_at__isnull=False), name="run_one_confirmed"),
            models.CheckConstraint(
                name="run_two_keys", condition=Q(confirmed_by__isnull=True) | Q(candidates__lte=ALONE) | ~Q(confirmed_by=models.F("by"))
            ),
            models.CheckConstraint(name="run_confirmed_is_whole", condition=Q(confirmed_at__isnull=True) | Q(finished_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.code


class RunFile(models.Model):
    """PROBLEM or RESULT of a run, in the very bytes that its digest covers.

    A table of its own: at ten thousand applications they are megabytes, and whoever reads a run must not read them.
    """

    class Name(models.TextChoices):
        PROBLEM = "problem", _("Problem")
        RESULT = "result", _("Result")

    run = models.ForeignKey(Run, models.CASCADE, related_name="files")
    name = models.CharField(max_length=8, choices=Name)
    content = models.TextField()

    NOT_PERSONAL = ("content",)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "name"], name="run_file_once")]

    def __str__(self) -> str:
        return f"{self.run_id} {self.name}"


class Result(models.TextChoices):
    PLACE = "place", _("Place")
    RESERVE = "reserve", _("Reserve")
    NONE = "none", _("No place")


class Placement(models.Model):
    """What a run gives one application, and why: ``reasons`` has one entry for each choice.

    ``told_at``: when its applicant was told of a result that is no offer.
    """

    run = models.ForeignKey(Run, models.CASCADE, related_name="placements")
    application = models.ForeignKey(Application, models.PROTECT, related_name="placements")
    rank = models.PositiveIntegerField()
    score = models.DecimalField(max_digits=4, decimal_places=2)
    result = models.CharField(max_length=8, choices=Result)
    programme = models.ForeignKey(Programme, models.PROTECT, null=True, related_name="+")
    reasons = models.JSONField(default=list)
    told_at = models.DateTimeField(null=True)

    NOT_PERSONAL = ("reasons",)

    class Meta:
        ordering = ["run", "rank"]
        constraints = [
            models.UniqueConstraint(fields=["run", "application"], name="placement_once"),
            models.UniqueConstraint(fields=["run", "rank"], name="placement_rank_once"),
            models.CheckConstraint(
                name="placement_place_names_a_programme",
                condition=Q(result=Result.PLACE, programme__isnull=False) | (~Q(result=Result.PLACE) & Q(programme__isnull=True)),
            ),
        ]
        indexes = [models.Index(fields=["run", "result", "rank"], name="placement_by_result")]

    def __str__(self) -> str:
        return f"{self.run_id} {self.application_id} {self.result}"
