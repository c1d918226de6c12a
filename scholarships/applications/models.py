"""Application, its revisions with answers, choices and attachments, and the stages it passes."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.lookups import Exact, GreaterThan, In, LessThan
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from scholarships.applications.expressions import Merit, Read
from scholarships.applications.words import HasWord
from scholarships.calls.models import Call, CallVersion, StepKind
from scholarships.documents.models import DocumentVersion
from scholarships.events.codes import new_code
from scholarships.partners.models import Country, Institution
from scholarships.privacy.declarations import Period, Personal, Purpose
from scholarships.programmes.models import Level, Programme


class State(models.TextChoices):
    """Staff names. The applicant's names stand in ``lifecycle.APPLICANT_NAMES``."""

    DRAFT = "draft", _("Draft")
    SUBMITTED = "submitted", _("Submitted")
    RETURNED = "returned", _("Returned")
    NOMINATED = "nominated", _("Nominated")
    ELIGIBLE = "eligible", _("Eligible")
    INELIGIBLE = "ineligible", _("Ineligible")
    IN_REVIEW = "in_review", _("In review")
    SELECTED = "selected", _("Selected")
    RESERVE = "reserve", _("Reserve")
    NOT_SELECTED = "not_selected", _("Not selected")
    OFFERED = "offered", _("Offered")
    ACCEPTED = "accepted", _("Accepted")
    DECLINED = "declined", _("Declined")
    LAPSED = "lapsed", _("Lapsed")
    WITHDRAWN = "withdrawn", _("Withdrawn")


NEVER_HANDED_IN = [State.DRAFT, State.WITHDRAWN]

# The orders of a list, each with its index: what is sorted by, whether downwards, and whether the key, which decides ties, is too.
ORDERS: dict[str, tuple[Any, bool, bool]] = {
    "newest": (models.F("moved_at"), True, True),
    "name": (models.F("sort_key"), False, False),
    "score": (Merit("score"), True, False),
}
LISTED = ("state", "call", "country", "level", "first_choice")


class ApplicationQuerySet(models.QuerySet["Application"]):
    def visible_to(self, user: Any) -> ApplicationQuerySet:
        """The applications that USER may read whole; agrees with ``rules.may_read``.

        Officers see what has been handed in, not drafts. Bodies and reviewers come through their
        own rooms (``nominations``, ``reviews``).
        """
        if not user.is_authenticated:
            return self.none()
        return self.filter(Q(applicant=user) | self._run_by(user))

    def run_by(self, user: Any) -> ApplicationQuerySet:
        """The applications that USER reads as an officer: ``visible_to`` without the own ones to calls that others run."""
        return self.filter(self._run_by(user)) if user.is_authenticated else self.none()

    @staticmethod
    def _run_by(user: Any) -> Q:
        calls = Call.objects.run_by(user)
        return Q(In(Read("call_id"), calls.values("pk"))) & ~Q(Exact(Read("state"), State.DRAFT))

    def of(self, user: Any) -> ApplicationQuerySet:
        return self.filter(applicant=user)

    def in_order(self, order: str, *, backwards: bool = False) -> ApplicationQuerySet:
        """Sorted by one of ``ORDERS``, or from its end."""
        what, is_down, is_key_down = ORDERS[order]
        return self.order_by(
            what.desc() if is_down != backwards else what.asc(), models.F("id").desc() if is_key_down != backwards else models.F("id").asc()
        )

    def after(self, application: Application, order: str, *, backwards: bool = False) -> ApplicationQuerySet:
        """Those behind APPLICATION in an order, the nearest first; BACKWARDS: those before it."""
        what, is_down, is_key_down = ORDERS[order]
        here = {
            "newest": application.moved_at,
            "name": application.sort_key,
            "score": -1.0 if application.score is None else float(application.score),
        }[order]
        beyond, beyond_key = (LessThan if down != backwards else GreaterThan for down in (is_down, is_key_down))
        tie = Q(Exact(what, here)) & Q(beyond_key(models.F("id"), application.pk))
        return self.filter(Q(beyond(what, here)) | tie).in_order(order, backwards=backwards)

    def handed_in(self) -> ApplicationQuerySet:
        return self.exclude(state__in=NEVER_HANDED_IN)


class Application(models.Model):
    """One person's application to one call.

    ``state`` changes only through ``door.advance``; see ``lifecycle`` for the table.
    ``level``, ``country``, ``name``, ``search``, ``sort_key`` and ``first_choice`` repeat what the
    answers say, for lists and quotas; ``actions`` writes them when answers are saved.
    ``score`` is the weighted mean of its reviews, 0 to 10.
    """

    code = models.CharField(_("reference"), max_length=12, unique=True, default=new_code, editable=False)
    call = models.ForeignKey(Call, models.PROTECT, related_name="applications")
    version = models.ForeignKey(CallVersion, models.PROTECT, related_name="+")
    applicant = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="applications")
    state = models.CharField(_("state"), max_length=12, choices=State, default=State.DRAFT, editable=False)
    reason = models.CharField(_("reason code"), max_length=40, blank=True, editable=False)
    level = models.CharField(_("level"), max_length=10, choices=Level, blank=True)
    country = models.ForeignKey(Country, models.PROTECT, null=True, related_name="+", verbose_name=_("citizenship"))
    home = models.ForeignKey(Institution, models.PROTECT, null=True, related_name="+", verbose_name=_("home institution"))
    first_choice = models.ForeignKey(Programme, models.PROTECT, null=True, related_name="+")
    name = models.CharField(_("name"), max_length=200, blank=True)
    search = models.CharField(max_length=400, blank=True)
    sort_key = models.CharField(max_length=120, blank=True)
    revision = models.ForeignKey("Revision", models.PROTECT, null=True, related_name="+", editable=False)
    score = models.DecimalField(_("score"), max_digits=4, decimal_places=2, null=True, editable=False)
    started_at = models.DateTimeField(default=timezone.now, editable=False)
    submitted_at = models.DateTimeField(null=True, editable=False)
    moved_at = models.DateTimeField(_("last act"), default=timezone.now, editable=False)
    note = models.TextField(_("what the applicant is told"), blank=True, editable=False)
    reopened = models.JSONField(_("sections opened for correction"), default=list, editable=False)
    correct_by = models.DateTimeField(_("correction due"), null=True, editable=False)

    PERSONAL = {
        "name": Personal(Purpose.IDENTITY, Period.CALL),
        "search": Personal(Purpose.SELECTION, Period.CALL),
        "sort_key": Personal(Purpose.SELECTION, Period.CALL),
        "note": Personal(Purpose.PROOF, Period.CALL),
    }
    NOT_PERSONAL = ("code", "reason", "reopened")

    objects = ApplicationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["call", "applicant"],
                name="application_once_a_call",
                violation_error_message=_("You have an application to this call already."),
            ),
            models.CheckConstraint(
                name="application_submitted_has_a_date",
                condition=Q(state__in=NEVER_HANDED_IN) | (Q(submitted_at__isnull=False) & Q(revision__isnull=False)),
                violation_error_message=_("A submitted application needs its date of submission."),
            ),
            models.CheckConstraint(name="application_score_0_to_10", condition=Q(score__isnull=True) | Q(score__gte=0, score__lte=10)),
        ]
        # One index for each order of a list, with all that a list is filtered by: whatever is asked, a
        # page is found by walking one of them, and rows are read for that page only.
        indexes = [
            models.Index(fields=["-moved_at", "-id", *LISTED], name="application_by_act"),
            models.Index(fields=["sort_key", "id", *LISTED], name="application_by_name"),
            models.Index(Merit("score").desc(), "id", *LISTED, "score", name="application_by_score"),
            models.Index(fields=["call", "state"], name="application_by_state"),
        ]

    def __str__(self) -> str:
        return self.code


Application._meta.get_field("search").register_lookup(HasWord)


class Revision(models.Model):
    """One edition of an application's content. At most one is open (being written).

    When it is handed in it is frozen, and ``sha256`` covers its canonical content
    (``content.canonical``). A later edit opens the next one; the last handed-in one stays valid.
    """

    application = models.ForeignKey(Application, models.CASCADE, related_name="revisions")
    version = models.ForeignKey(CallVersion, models.PROTECT, related_name="+")
    number = models.PositiveSmallIntegerField()
    opened_at = models.DateTimeField(default=timezone.now, editable=False)
    handed_in_at = models.DateTimeField(null=True, editable=False)
    sha256 = models.CharField("SHA-256", max_length=64, blank=True, editable=False)

    NOT_PERSONAL = ("sha256",)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["application", "number"], name="revision_once"),
            models.UniqueConstraint(fields=["application"], condition=Q(handed_in_at__isnull=True), name="revision_one_open"),
            models.CheckConstraint(name="revision_handed_in_has_its_hash", condition=Q(handed_in_at__isnull=True) | ~Q(sha256="")),
        ]

    def __str__(self) -> str:
        return f"{self.application_id}.{self.number}"


class Answer(models.Model):
    """What a revision says in one section: question key -> value.

    Answers that tell who somebody is lie in ``identity``, apart from ``values``, so that a reviewer's
    query need not fetch them. ``version`` counts savings: a save that does not know the newest
    version is refused, so that two tabs never overwrite each other.
    """

    revision = models.ForeignKey(Revision, models.CASCADE, related_name="answers")
    section = models.CharField(max_length=40)
    values = models.JSONField(default=dict)
    identity = models.JSONField(default=dict)
    is_done = models.BooleanField(_("marked complete"), default=False)
    version = models.PositiveIntegerField(default=1)
    saved_at = models.DateTimeField(default=timezone.now)

    PERSONAL = {
        "values": Personal(Purpose.SELECTION, Period.CALL),
        "identity": Personal(Purpose.IDENTITY, Period.CALL),
    }
    NOT_PERSONAL = ("section",)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["revision", "section"], name="answer_once_a_section")]

    def __str__(self) -> str:
        return f"{self.revision_id} {self.section}"


class Choice(models.Model):
    """A ranked wish: 1 is the first."""

    revision = models.ForeignKey(Revision, models.CASCADE, related_name="choices")
    rank = models.PositiveSmallIntegerField()
    programme = models.ForeignKey(Programme, models.PROTECT, related_name="+")

    class Meta:
        ordering = ["revision", "rank"]
        constraints = [
            models.UniqueConstraint(fields=["revision", "rank"], name="choice_rank_once"),
            models.UniqueConstraint(fields=["revision", "programme"], name="choice_programme_once"),
        ]

    def __str__(self) -> str:
        return f"{self.revision_id}.{self.rank} {self.programme_id}"


class Attachment(models.Model):
    """A version of a paper, handed in for one requirement of the call."""

    revision = models.ForeignKey(Revision, models.CASCADE, related_name="attachments")
    requirement = models.CharField(max_length=40)
    order = models.PositiveSmallIntegerField(default=1)
    file = models.ForeignKey(DocumentVersion, models.PROTECT, related_name="attachments")

    NOT_PERSONAL = ("requirement",)

    class Meta:
        ordering = ["revision", "requirement", "order"]
        constraints = [models.UniqueConstraint(fields=["revision", "requirement", "file"], name="attachment_once")]

    def __str__(self) -> str:
        return f"{self.revision_id} {self.requirement}"


class Outcome(models.TextChoices):
    PASSED = "passed", _("Passed on")
    RETURNED = "returned", _("Returned")
    ENDED = "ended", _("Ended here")


class Stage(models.Model):
    """An application in one step of its call: entered, left, with which outcome, with which body.

    The open stage (``left_at`` empty) says where the file is now and who acts.
    """

    application = models.ForeignKey(Application, models.CASCADE, related_name="stages")
    step = models.CharField(max_length=40)
    kind = models.CharField(max_length=12, choices=StepKind)
    order = models.PositiveSmallIntegerField()
    body = models.ForeignKey(Institution, models.PROTECT, null=True, related_name="+")
    entered_at = models.DateTimeField(default=timezone.now)
    left_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=8, choices=Outcome, blank=True)

    NOT_PERSONAL = ("step",)

    class Meta:
        ordering = ["application", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["application"], condition=Q(left_at__isnull=True), name="stage_one_open"),
            models.CheckConstraint(
                name="stage_left_has_an_outcome",
                condition=Q(left_at__isnull=True, outcome="") | (Q(left_at__isnull=False) & ~Q(outcome="")),
            ),
        ]
        indexes = [
            models.Index(fields=["body", "left_at"], name="stage_of_body"),
            models.Index(fields=["kind", "body", "application"], condition=Q(left_at__isnull=True), name="stage_open"),
        ]

    def __str__(self) -> str:
        return f"{self.application_id} {self.step}"
