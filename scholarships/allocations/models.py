"""Run and Placement."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from scholarships.applications.models import Application
from scholarships.calls.models import Call
from scholarships.events.codes import new_code
from scholarships.programmes.models import Programme


class RunQuerySet(models.QuerySet["Run"]):
    def visible_to(self, user: Any) -> RunQuerySet:
        return self.filter(call__in=Call.objects.run_by(user))

    def confirmed(self) -> RunQuerySet:
        return self.filter(confirmed_at__isnull=False)


class Run(models.Model):
    """One allocation: PROBLEM as it went in and RESULT as it came out, with their SHA-256.

    A run never changes; a confirmed one counts. At most one run of a call is confirmed.
    """

    code = models.CharField(max_length=12, unique=True, default=new_code, editable=False)
    call = models.ForeignKey(Call, models.PROTECT, related_name="runs")
    at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    problem = models.JSONField()
    result = models.JSONField()
    input_digest = models.CharField(max_length=64)
    output_digest = models.CharField(max_length=64)
    awarded = models.PositiveIntegerField()
    confirmed_at = models.DateTimeField(null=True)
    confirmed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    published_at = models.DateTimeField(null=True)

    NOT_PERSONAL = ("code", "problem", "result", "input_digest", "output_digest")

    objects = RunQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["call"], condition=Q(confirmed_at__isnull=False), name="run_one_confirmed"),
        ]

    def __str__(self) -> str:
        return self.code


class Result(models.TextChoices):
    PLACE = "place", _("Place")
    RESERVE = "reserve", _("Reserve")
    NONE = "none", _("No place")


class Placement(models.Model):
    """What a run gives one application, and why: ``reasons`` has one entry for each choice."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="placements")
    application = models.ForeignKey(Application, models.PROTECT, related_name="placements")
    rank = models.PositiveIntegerField()
    score = models.DecimalField(max_digits=4, decimal_places=2)
    result = models.CharField(max_length=8, choices=Result)
    programme = models.ForeignKey(Programme, models.PROTECT, null=True, related_name="+")
    reasons = models.JSONField(default=list)

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

    def __str__(self) -> str:
        return f"{self.run_id} {self.application_id} {self.result}"
