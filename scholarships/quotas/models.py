"""Quota and its ledger."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from scholarships.calls.models import Call


class Purpose(models.TextChoices):
    NOMINATION = "nomination", _("Places a body may nominate for")
    AWARD = "award", _("Scholarship places")


class Quota(models.Model):
    """PLACES for one cell of one dimension of a call.

    ``by`` names the dimension as the engine does: attributes of the applicant (``a.``) and of the
    option (``o.``), joined by commas ("a.country,o.level"); ``cell`` holds their values in the same
    order ("KG,master"). Both are stored normalised, so that case and blanks make no second cell.
    """

    call = models.ForeignKey(Call, models.PROTECT, related_name="quotas")
    purpose = models.CharField(max_length=10, choices=Purpose)
    by = models.CharField(_("dimension"), max_length=60)
    cell = models.CharField(_("cell"), max_length=120)
    places = models.PositiveIntegerField(_("places"))
    held = models.PositiveIntegerField(_("held"), default=0, editable=False)
    used = models.PositiveIntegerField(_("used"), default=0, editable=False)

    NOT_PERSONAL = ("by", "cell")

    class Meta:
        ordering = ["call", "purpose", "by", "cell"]
        constraints = [
            models.UniqueConstraint(fields=["call", "purpose", "by", "cell"], name="quota_once"),
            models.CheckConstraint(
                name="quota_within_its_places",
                condition=Q(places__gte=F("held") + F("used")),
                violation_error_message=_("There are not that many places."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.by}[{self.cell}] {self.held}+{self.used}/{self.places}"

    @property
    def free(self) -> int:
        return self.places - self.held - self.used


class Move(models.TextChoices):
    SET = "set", _("Places set")
    HOLD = "hold", _("Held")
    RELEASE = "release", _("Released")
    USE = "use", _("Taken")
    FREE = "free", _("Given back")


class Entry(models.Model):
    """One move of the ledger: who did what to a quota, how many, for which subject (a code) and why."""

    quota = models.ForeignKey(Quota, models.PROTECT, related_name="entries")
    move = models.CharField(max_length=8, choices=Move)
    places = models.IntegerField()
    subject = models.CharField(max_length=60, blank=True)
    reason = models.CharField(max_length=200, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    NOT_PERSONAL = ("subject", "reason")

    class Meta:
        ordering = ["pk"]
        indexes = [
            models.Index(fields=["quota", "id"], name="quota_entry_order"),
            models.Index(fields=["subject", "move"], name="quota_entry_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.quota_id} {self.move} {self.places}"


def normal(part: Any) -> str:
    """One value of a cell as it is stored."""
    text = str(part).strip()
    return text.upper() if len(text) == 2 else text.casefold()


def cell_of(*values: Any) -> str:
    """The stored name of a cell: ``cell_of("kg", "Master")`` is "KG,master"."""
    return ",".join(normal(value) for value in values)
