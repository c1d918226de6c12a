"""Nomination and the list in which a body sends its nominations."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from scholarships.applications.models import Application, Outcome, Stage, State
from scholarships.calls.models import Call
from scholarships.events.codes import new_code
from scholarships.partners.models import Institution
from scholarships.people.rules import institutions_of
from scholarships.privacy.declarations import Period, Personal, Purpose


class Standing(models.TextChoices):
    TO_CHECK = "to_check", _("To check")
    RANKED = "ranked", _("Nominated")
    RESERVE = "reserve", _("Reserve")
    NOT_NOMINATED = "not_nominated", _("Not nominated")


class Check(models.TextChoices):
    YES = "yes", _("Yes")
    NO = "no", _("No")
    UNCLEAR = "unclear", _("Cannot tell")


class NominationQuerySet(models.QuerySet["Nomination"]):
    def visible_to(self, user: Any) -> NominationQuerySet:
        """The candidates of the bodies for which USER acts; agrees with ``rules.may_read``."""
        return self.filter(body__code__in=institutions_of(user))

    def at_hand(self) -> NominationQuerySet:
        """Those with which the body still has to do: not returned, not withdrawn, not turned down, not sent."""
        return self.filter(stage__left_at__isnull=True, sent_at__isnull=True)

    def at_hand_or_sent(self) -> NominationQuerySet:
        return self.filter(Q(stage__left_at__isnull=True) | Q(sent_at__isnull=False))

    def gone(self) -> NominationQuerySet:
        """Those that left without being sent: with the applicant, withdrawn or turned down, and not come back since."""
        later = Stage.objects.filter(application=OuterRef("application"), pk__gt=OuterRef("stage"))
        return self.filter(stage__left_at__isnull=False, sent_at__isnull=True).exclude(Exists(later))


class Nomination(models.Model):
    """One candidate at one body, in one step of the call.

    ``rank`` orders the nominated and the reserve; a withdrawn file may leave a gap until the list is
    next changed or sent. ``checks``: requirement key -> a ``Check``, as the body ticked them.
    ``updated_at``: when somebody of the body last looked at the file and saved; moves within the list do not count.
    """

    call = models.ForeignKey(Call, models.PROTECT, related_name="nominations")
    application = models.ForeignKey(Application, models.PROTECT, related_name="nominations")
    stage = models.OneToOneField(Stage, models.PROTECT, related_name="nomination")
    body = models.ForeignKey(Institution, models.PROTECT, related_name="nominations")
    standing = models.CharField(_("standing"), max_length=14, choices=Standing, default=Standing.TO_CHECK)
    rank = models.PositiveIntegerField(_("rank"), null=True)
    checks = models.JSONField(default=dict)
    comment = models.TextField(_("comment for the next body"), blank=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    updated_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True)

    PERSONAL = {"comment": Personal(Purpose.SELECTION, Period.CALL)}
    NOT_PERSONAL = ("checks",)

    objects = NominationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="nomination_on_a_list_has_a_rank",
                condition=Q(standing__in=[Standing.RANKED, Standing.RESERVE], rank__isnull=False)
                | (~Q(standing__in=[Standing.RANKED, Standing.RESERVE]) & Q(rank__isnull=True)),
            ),
        ]
        indexes = [models.Index(fields=["call", "body", "standing", "rank"], name="nomination_list_order")]

    def __str__(self) -> str:
        return f"{self.application_id} {self.standing} {self.rank or ''}"

    @property
    def is_at_hand(self) -> bool:
        return self.stage.left_at is None and self.sent_at is None

    @property
    def is_checked(self) -> bool:
        return self.decided_by_id is not None

    @property
    def is_changed_since(self) -> bool:
        """The applicant has handed in a change after the body looked."""
        submitted = self.application.submitted_at
        return self.is_checked and submitted is not None and submitted > self.updated_at

    @property
    def is_with_applicant(self) -> bool:
        return self.stage.outcome == Outcome.RETURNED and self.application.state == State.RETURNED

    @property
    def is_withdrawn(self) -> bool:
        return self.application.state == State.WITHDRAWN


class SentListQuerySet(models.QuerySet["SentList"]):
    def visible_to(self, user: Any) -> SentListQuerySet:
        """The lists of the bodies for which USER acts."""
        return self.filter(body__code__in=institutions_of(user))

    def standing(self) -> SentListQuerySet:
        """Those that were not taken back."""
        return self.filter(taken_back_at__isnull=True)


class SentList(models.Model):
    """A body's list for one step of a call, as it was sent. It is sent once, or again after it was taken back."""

    code = models.CharField(max_length=12, unique=True, default=new_code, editable=False)
    call = models.ForeignKey(Call, models.PROTECT, related_name="sent_lists")
    step = models.CharField(max_length=40)
    body = models.ForeignKey(Institution, models.PROTECT, related_name="sent_lists")
    nominated = models.PositiveIntegerField()
    reserve = models.PositiveIntegerField()
    sent_at = models.DateTimeField(default=timezone.now)
    taken_back_at = models.DateTimeField(null=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    NOT_PERSONAL = ("code", "step")

    objects = SentListQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["call", "step", "body"],
                condition=Q(taken_back_at__isnull=True),
                name="sent_list_once",
                violation_error_message=_("This list has been sent already."),
            )
        ]

    def __str__(self) -> str:
        return self.code
