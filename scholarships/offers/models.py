"""Offer: the truth about a place offered to a person; the application's state mirrors it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from scholarships.allocations.models import Run
from scholarships.applications.models import Application
from scholarships.calls.models import Call
from scholarships.events.codes import new_code
from scholarships.programmes.models import Programme


class OfferState(models.TextChoices):
    MADE = "made", _("Waits for an answer")
    ACCEPTED = "accepted", _("Accepted")
    DECLINED = "declined", _("Declined")
    LAPSED = "lapsed", _("Lapsed")


LIVE = [OfferState.MADE, OfferState.ACCEPTED]


class OfferQuerySet(models.QuerySet["Offer"]):
    def visible_to(self, user: Any) -> OfferQuerySet:
        if not user.is_authenticated:
            return self.none()
        return self.filter(Q(application__applicant=user) | Q(application__call__in=Call.objects.run_by(user)))

    def live(self) -> OfferQuerySet:
        """Offers that hold a place."""
        return self.filter(state__in=LIVE)

    def overdue(self, *, at: Any) -> OfferQuerySet:
        return self.filter(state=OfferState.MADE, answer_by__lt=at)


class Offer(models.Model):
    """A place in PROGRAMME offered to one application. It holds a place in each quota it counts in."""

    code = models.CharField(max_length=12, unique=True, default=new_code, editable=False)
    application = models.ForeignKey(Application, models.PROTECT, related_name="offers")
    run = models.ForeignKey(Run, models.PROTECT, related_name="offers")
    programme = models.ForeignKey(Programme, models.PROTECT, related_name="+")
    choice = models.PositiveSmallIntegerField(_("which choice"))
    state = models.CharField(max_length=8, choices=OfferState, default=OfferState.MADE, editable=False)
    made_at = models.DateTimeField(default=timezone.now)
    answer_by = models.DateTimeField(_("answer by"))
    answered_at = models.DateTimeField(null=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    NOT_PERSONAL = ("code",)

    objects = OfferQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["application"], condition=Q(state__in=LIVE), name="offer_one_live"),
            models.CheckConstraint(
                name="offer_answered_has_a_date",
                condition=Q(state=OfferState.MADE, answered_at__isnull=True) | (~Q(state=OfferState.MADE) & Q(answered_at__isnull=False)),
            ),
        ]
        indexes = [models.Index(fields=["state", "answer_by"], name="offer_overdue")]

    def __str__(self) -> str:
        return self.code
