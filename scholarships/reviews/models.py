"""Assignment and Review."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Case, Exists, OuterRef, Q, Value, When
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from scholarships.applications.models import Application, Revision, Stage, State
from scholarships.calls.models import Call, StepKind
from scholarships.events.codes import new_code
from scholarships.people.models import Role, Scope
from scholarships.people.rules import scopes_of
from scholarships.privacy.declarations import Period, Personal, Purpose


class Progress(models.TextChoices):
    TODO = "todo", _("To do")
    DRAFT = "draft", _("Draft")
    DONE = "done", _("Done")
    RECUSED = "recused", _("Conflict")


OPEN = [Progress.TODO, Progress.DRAFT]


class Conflict(models.TextChoices):
    RELATIVE = "relative", _("I am related to, or a friend of, the applicant")
    TEACHER = "teacher", _("I taught, supervised or employed the applicant")
    INSTITUTION = "institution", _("We are, or lately were, at the same institution")
    PROJECT = "project", _("We work on the same project")
    OTHER = "other", _("Another reason why I should not judge")


# What a reviewer's pages read of an assignment. No column in it tells who the applicant is.
BLIND = (
    "code", "progress", "scored", "reviewer",
    "call__code", "call__title", "call__zone", "call__reviews_wanted",
    "application__code", "application__state", "application__level", "application__country", "application__call", "application__revision",
    "application__version__code", "application__version__published_at",
    "application__first_choice__title", "application__first_choice__field", "application__first_choice__host__name",
    "review__scores", "review__comment", "review__total", "review__version", "review__saved_at", "review__submitted_at",
)  # fmt: skip


class AssignmentQuerySet(models.QuerySet["Assignment"]):
    def visible_to(self, user: Any) -> AssignmentQuerySet:
        """The files that USER may read as their reviewer; agrees with ``rules.may_read``.

        A file left for a conflict, taken back by its applicant, or whose review was closed before
        this reviewer handed in, is gone everywhere at once: from lists, counts, pages and images.
        """
        scopes = scopes_of(user, Role.REVIEWER)
        mine = self.filter(reviewer=user) if scopes else self.none()
        if Scope.SITE not in scopes:
            mine = mine.filter(call__code__in=scopes.get(Scope.CALL, ()))
        at_review = Stage.objects.filter(application=OuterRef("application"), left_at__isnull=True, kind=StepKind.REVIEW)
        return mine.exclude(application__state=State.WITHDRAWN).filter(
            Q(progress=Progress.DONE) | (Q(progress__in=OPEN) & Exists(at_review))
        )

    def open(self) -> AssignmentQuerySet:
        return self.filter(progress__in=OPEN)

    def blind(self) -> AssignmentQuerySet:
        """With what a reviewer may see of each file; who applies is never fetched."""
        return self.select_related("call", "application__version", "application__first_choice__host", "review").only(*BLIND)

    def in_order(self) -> AssignmentQuerySet:
        """What is open first. Then by the random code: the order in which an officer dealt the files could tell their names."""
        return self.order_by(Case(When(progress=Progress.DONE, then=Value(1)), default=Value(0)), "code")


class Assignment(models.Model):
    """REVIEWER is to review APPLICATION. ``conflict`` says why the file was left, if it was.

    ``scored`` repeats the total of a handed-in review, for lists.
    """

    code = models.CharField(max_length=12, unique=True, default=new_code, editable=False)
    call = models.ForeignKey(Call, models.PROTECT, related_name="assignments")
    application = models.ForeignKey(Application, models.PROTECT, related_name="assignments")
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="assignments")
    progress = models.CharField(_("progress"), max_length=8, choices=Progress, default=Progress.TODO)
    conflict = models.CharField(_("conflict"), max_length=12, choices=Conflict, blank=True)
    scored = models.DecimalField(max_digits=4, decimal_places=2, null=True)
    assigned_at = models.DateTimeField(default=timezone.now)

    NOT_PERSONAL = ("code",)

    objects = AssignmentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["application", "reviewer"], name="assignment_once"),
            models.CheckConstraint(
                name="assignment_recused_says_why",
                condition=(Q(progress=Progress.RECUSED) & ~Q(conflict="")) | (~Q(progress=Progress.RECUSED) & Q(conflict="")),
            ),
        ]
        indexes = [models.Index(fields=["reviewer", "progress", "id"], name="assignment_of_reviewer")]

    def __str__(self) -> str:
        return self.code

    @property
    def total(self) -> Decimal | None:
        """What the review says so far, draft or handed in; the review is at hand."""
        review = getattr(self, "review", None)
        return review.total if review else None


class Review(models.Model):
    """One reviewer's whole judgement. ``scores``: rubric key -> 0..10, or null for "not applicable".

    ``total`` is the weighted mean of the scores given, 0 to 10, two decimals. ``version`` counts
    savings, as in answers. A review is tied to the revision that was read.
    """

    assignment = models.OneToOneField(Assignment, models.CASCADE, related_name="review")
    revision = models.ForeignKey(Revision, models.PROTECT, related_name="+")
    scores = models.JSONField(default=dict)
    comment = models.TextField(_("comment for the panel"), blank=True)
    total = models.DecimalField(max_digits=4, decimal_places=2, null=True)
    version = models.PositiveIntegerField(default=1)
    saved_at = models.DateTimeField(default=timezone.now)
    submitted_at = models.DateTimeField(null=True)

    PERSONAL = {"comment": Personal(Purpose.SELECTION, Period.CALL)}
    NOT_PERSONAL = ("scores",)

    class Meta:
        constraints = [
            models.CheckConstraint(name="review_submitted_has_a_total", condition=Q(submitted_at__isnull=True) | Q(total__isnull=False)),
            models.CheckConstraint(name="review_total_0_to_10", condition=Q(total__isnull=True) | Q(total__gte=0, total__lte=10)),
        ]

    def __str__(self) -> str:
        return f"review of {self.assignment_id}"
