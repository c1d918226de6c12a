"""Call and its dates; CallVersion and all that a version fixes: form, documents, criteria, rubric, steps."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from scholarships.documents.models import Kind as DocumentKind
from scholarships.engine.eligibility import KINDS as CRITERION_KINDS
from scholarships.events.codes import new_code
from scholarships.partners.models import Country, Institution, validate_zone
from scholarships.people.models import Role, Scope
from scholarships.people.rules import scopes_of
from scholarships.programmes.models import Programme
from scholarships.schemes.models import Scheme
from scholarships.texts.fields import MultilingualField


class CallQuerySet(models.QuerySet["Call"]):
    def published(self) -> CallQuerySet:
        return self.filter(version__isnull=False)

    def open_now(self, *, at: datetime | None = None) -> CallQuerySet:
        now = at or timezone.now()
        return self.published().filter(opens_at__lte=now, closes_at__gt=now)

    def visible_to(self, user: Any) -> CallQuerySet:
        """Published calls are public; a call that is not published is seen by its officers."""
        return self.filter(Q(version__isnull=False) | Q(pk__in=Call.objects.run_by(user).values("pk")))

    def run_by(self, user: Any) -> CallQuerySet:
        """The calls of which USER is an officer."""
        scopes = scopes_of(user, Role.OFFICER)
        if Scope.SITE in scopes:
            return self
        return self.filter(code__in=scopes.get(Scope.CALL, ()))


class Call(models.Model):
    """One intake. Its dates may be moved by an officer; everything else is fixed in a version.

    ``zone`` is the zone in which its deadlines are said. ``grace`` (minutes) is published: a
    submission that arrives within it after ``closes_at`` still counts. Until ``results_at`` no
    page and no mail tells an applicant what has been decided about a place.
    """

    code = models.SlugField(_("code"), max_length=60, unique=True)
    scheme = models.ForeignKey(Scheme, models.PROTECT, related_name="calls")
    title = MultilingualField(_("title"))
    summary = MultilingualField(_("summary"), blank=True)
    zone = models.CharField(_("time zone"), max_length=40, validators=[validate_zone])
    opens_at = models.DateTimeField(_("opens"))
    closes_at = models.DateTimeField(_("closes"))
    grace = models.PositiveSmallIntegerField(_("grace in minutes"), default=0, validators=[MaxValueValidator(24 * 60)])
    results_at = models.DateTimeField(_("results"))
    answer_days = models.PositiveSmallIntegerField(_("days to answer an offer"), default=14)
    starts_on = models.DateField(_("studies start"))
    main_language = models.CharField(_("main language"), max_length=10, choices=settings.LANGUAGES, default=settings.LANGUAGE_CODE)
    countries = models.ManyToManyField(Country, related_name="calls", verbose_name=_("open to citizens of"))
    levels = models.JSONField(_("levels"), default=list)
    reviews_wanted = models.PositiveSmallIntegerField(
        _("reviews of each application"), default=2, validators=[MinValueValidator(1), MaxValueValidator(9)]
    )
    choices_max = models.PositiveSmallIntegerField(
        _("how many choices"), default=3, validators=[MinValueValidator(1), MaxValueValidator(10)]
    )
    programmes = models.ManyToManyField(Programme, related_name="calls", through="CallProgramme")
    version = models.ForeignKey("CallVersion", models.PROTECT, null=True, related_name="+", editable=False)

    NOT_PERSONAL = ("code", "title", "summary", "zone", "starts_on", "levels")

    objects = CallQuerySet.as_manager()

    class Meta:
        ordering = ["closes_at", "code"]
        constraints = [
            models.CheckConstraint(
                name="call_closes_after_it_opens",
                condition=Q(closes_at__gt=F("opens_at")),
                violation_error_message=_("A call closes after it opens."),
            ),
            models.CheckConstraint(
                name="call_results_after_close",
                condition=Q(results_at__gte=F("closes_at")),
                violation_error_message=_("Results come after the call closes."),
            ),
        ]

    def __str__(self) -> str:
        return str(self.title)

    def last_moment(self) -> datetime:
        """When the last submission is taken: the deadline and its published grace."""
        return self.closes_at + timedelta(minutes=self.grace)


def is_open(call: Call, at: datetime) -> bool:
    """Whether CALL takes submissions at the instant AT. The one place where this is decided."""
    return call.version_id is not None and call.opens_at <= at <= call.last_moment()


class CallProgramme(models.Model):
    """PROGRAMME may be chosen in CALL."""

    call = models.ForeignKey(Call, models.CASCADE)
    programme = models.ForeignKey(Programme, models.PROTECT)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["call", "programme"], name="call_programme_once")]

    def __str__(self) -> str:
        return f"{self.call_id} {self.programme_id}"


class Milestone(models.Model):
    """A dated step in the calendar of a call, beside opening, closing and results."""

    call = models.ForeignKey(Call, models.CASCADE, related_name="milestones")
    key = models.SlugField(max_length=40)
    title = MultilingualField(_("title"))
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"), null=True, blank=True)

    NOT_PERSONAL = ("key", "title")

    class Meta:
        ordering = ["call", "starts_at", "key"]
        constraints = [
            models.UniqueConstraint(fields=["call", "key"], name="milestone_once"),
            models.CheckConstraint(
                name="milestone_ends_after_it_starts", condition=Q(ends_at__isnull=True) | Q(ends_at__gte=F("starts_at"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.call_id} {self.key}"


class CallVersion(models.Model):
    """What was published once: it never changes, a change is the next version.

    Applications keep the version they were handed in under.
    """

    code = models.CharField(max_length=12, unique=True, default=new_code, editable=False)
    call = models.ForeignKey(Call, models.CASCADE, related_name="versions")
    number = models.PositiveSmallIntegerField()
    published_at = models.DateTimeField(null=True, editable=False)

    NOT_PERSONAL = ("code",)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["call", "number"], name="call_version_once")]

    def __str__(self) -> str:
        return f"{self.call_id} v{self.number}"


class _Part(models.Model):
    """A keyed, ordered part of a version."""

    key = models.CharField(max_length=40)
    order = models.PositiveSmallIntegerField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.key


class SectionKind(models.TextChoices):
    QUESTIONS = "questions", _("Questions")
    CHOICES = "choices", _("Ranked choices of programmes")
    DOCUMENTS = "documents", _("Documents")
    LETTERS = "letters", _("Letters of referees")


class Section(_Part):
    """One page of the form, one topic. ``condition`` says for whom."""

    version = models.ForeignKey(CallVersion, models.CASCADE, related_name="sections")
    kind = models.CharField(max_length=10, choices=SectionKind, default=SectionKind.QUESTIONS)
    group = MultilingualField(_("group in the task list"), blank=True)
    title = MultilingualField(_("title"))
    help = MultilingualField(_("why we ask"), blank=True)
    condition = models.CharField(max_length=300, blank=True)

    NOT_PERSONAL = ("key", "group", "title", "help", "condition")

    class Meta:
        ordering = ["version", "order"]
        constraints = [models.UniqueConstraint(fields=["version", "key"], name="section_once")]


class QuestionKind(models.TextChoices):
    TEXT = "text", _("Short text")
    LONG = "long", _("Long text")
    NUMBER = "number", _("Number")
    DATE = "date", _("Date")
    CHOICE = "choice", _("Choice")
    CHOICES = "choices", _("Several choices")
    COUNTRY = "country", _("Country")
    INSTITUTION = "institution", _("Institution")
    YES_NO = "yes_no", _("Yes or no")
    EMAIL = "email", _("E-mail address")
    PHONE = "phone", _("Telephone")
    GROUP = "group", _("Repeating entries")
    STATEMENT = "statement", _("Statement with consent")


class Question(_Part):
    """One question. ``parent`` makes it a column of a repeating entry.

    ``key`` is the same from year to year, so that an answer can be offered again.
    ``is_identity`` keeps the answer from reviewers: it is stored apart and never fetched for them.
    ``options``: ``[{"value": "...", "label": {...}}]``. ``limits``: ``words_min``, ``words_max``,
    ``length_max``, ``minimum``, ``maximum``, ``pattern`` (a name of ``answers.PATTERNS``), ``most`` entries.
    """

    section = models.ForeignKey(Section, models.CASCADE, related_name="questions")
    parent = models.ForeignKey("self", models.CASCADE, null=True, blank=True, related_name="columns")
    kind = models.CharField(max_length=12, choices=QuestionKind)
    label = MultilingualField(_("question"))
    help = MultilingualField(_("help"), blank=True)
    is_required = models.BooleanField(_("must be answered"), default=True)
    is_identity = models.BooleanField(_("hidden from reviewers"), default=False)
    condition = models.CharField(max_length=300, blank=True)
    options = models.JSONField(default=list, blank=True)
    limits = models.JSONField(default=dict, blank=True)

    NOT_PERSONAL = ("key", "label", "help", "condition", "options", "limits")

    class Meta:
        ordering = ["section", "order"]
        constraints = [
            models.UniqueConstraint(fields=["section", "key"], condition=Q(parent__isnull=True), name="question_once"),
            models.UniqueConstraint(fields=["parent", "key"], condition=Q(parent__isnull=False), name="question_column_once"),
        ]


class Requirement(_Part):
    """A paper that the call asks for. ``condition`` says from whom.

    ``validity``: ``months_before_close``, how old it may be at the deadline.
    ``reviewers_see``: reviewers read its pages as images.
    """

    version = models.ForeignKey(CallVersion, models.CASCADE, related_name="requirements")
    kind = models.CharField(max_length=12, choices=DocumentKind)
    title = MultilingualField(_("title"))
    help = MultilingualField(_("rules"), blank=True)
    condition = models.CharField(max_length=300, blank=True)
    is_required = models.BooleanField(default=True)
    most = models.PositiveSmallIntegerField(_("how many files"), default=1, validators=[MinValueValidator(1), MaxValueValidator(20)])
    least = models.PositiveSmallIntegerField(_("at least"), default=1, validators=[MinValueValidator(1), MaxValueValidator(20)])
    max_megabytes = models.PositiveSmallIntegerField(default=5)
    max_pages = models.PositiveSmallIntegerField(default=30)
    validity = models.JSONField(default=dict, blank=True)
    reviewers_see = models.BooleanField(default=False)

    NOT_PERSONAL = ("key", "title", "help", "condition", "validity")

    class Meta:
        ordering = ["version", "order"]
        constraints = [
            models.UniqueConstraint(fields=["version", "key"], name="requirement_once"),
            models.CheckConstraint(name="requirement_least_within_most", condition=Q(least__lte=F("most"))),
        ]


class Criterion(_Part):
    """One rule of eligibility; see ``engine.eligibility`` for kinds and parameters."""

    version = models.ForeignKey(CallVersion, models.CASCADE, related_name="criteria")
    kind = models.CharField(max_length=12, choices=[(kind, kind) for kind in CRITERION_KINDS])
    params = models.JSONField(default=dict, blank=True)
    condition = models.CharField(max_length=300, blank=True)
    is_hard = models.BooleanField(_("decides"), default=True)
    title = MultilingualField(_("rule in words"))
    message = MultilingualField(_("what to do when it is not met"), blank=True)

    NOT_PERSONAL = ("key", "params", "condition", "title", "message")

    class Meta:
        ordering = ["version", "order"]
        constraints = [models.UniqueConstraint(fields=["version", "key"], name="criterion_once")]


class RubricItem(_Part):
    """One line of the sheet on which reviewers score 0 to 10. ``anchors``: five worded levels
    (0-2, 3-4, 5-6, 7-8, 9-10). ``may_skip``: "not applicable" is possible and never counts as zero.
    """

    version = models.ForeignKey(CallVersion, models.CASCADE, related_name="rubric")
    title = MultilingualField(_("title"))
    help = MultilingualField(_("what to look at"), blank=True)
    weight = models.PositiveSmallIntegerField(_("weight"), validators=[MinValueValidator(1), MaxValueValidator(100)])
    anchors = models.JSONField(default=list)
    may_skip = models.BooleanField(default=False)

    NOT_PERSONAL = ("key", "title", "help", "anchors")

    class Meta:
        ordering = ["version", "order"]
        constraints = [models.UniqueConstraint(fields=["version", "key"], name="rubric_item_once")]


class LetterWays(models.TextChoices):
    LINK = "link", _("The referee sends it by a link")
    SCAN = "scan", _("The applicant uploads a signed scan, which the referee confirms")
    EITHER = "either", _("By a link, or as a signed scan that the referee confirms")


class Openness(models.TextChoices):
    CONFIDENTIAL = "confidential", _("Confidential")
    OPEN = "open", _("Open to the applicant")
    CHOICE = "choice", _("As the applicant chooses")


class LetterTerms(models.Model):
    """Which letters of referees the version asks for; whom they concern, the section of kind "letters" says.

    ``wanted`` letters are enough: then the other referees are no longer needed. Fewer than ``least`` are
    told to officers, and hold the review up where ``review_waits`` says so; nothing holds up handing in.
    ``most`` may be asked at once. ``milestone`` ends when letters are due.
    ``ratings``: ``[{"key": "...", "title": {...}, "anchors": [{...} x 5]}]``, none as a rule.
    """

    version = models.OneToOneField(CallVersion, models.CASCADE, related_name="letters")
    ways = models.CharField(_("how letters come"), max_length=8, choices=LetterWays, default=LetterWays.LINK)
    wanted = models.PositiveSmallIntegerField(_("how many are enough"), default=2, validators=[MinValueValidator(1), MaxValueValidator(5)])
    least = models.PositiveSmallIntegerField(_("at least"), default=2, validators=[MinValueValidator(0), MaxValueValidator(5)])
    most = models.PositiveSmallIntegerField(_("asked at once"), default=3, validators=[MinValueValidator(1), MaxValueValidator(9)])
    milestone = models.CharField(max_length=40)
    who = MultilingualField(_("who is a good referee"), blank=True)
    needs = MultilingualField(_("what is needed, for the referee"), blank=True)
    is_institutional = models.BooleanField(_("of an institution"), default=True)
    openness = models.CharField(_("who may read"), max_length=12, choices=Openness, default=Openness.CONFIDENTIAL)
    review_waits = models.BooleanField(_("review waits for the letters"), default=False)
    reviewers_see = models.BooleanField(_("reviewers read them"), default=False)
    ratings = models.JSONField(default=list, blank=True)

    NOT_PERSONAL = ("milestone", "who", "needs", "ratings")

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="letters_least_wanted_most", condition=Q(least__lte=F("wanted")) & Q(wanted__lte=F("most")) & Q(wanted__gte=1)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.version_id}: {self.wanted}"


class StepKind(models.TextChoices):
    NOMINATION = "nomination", _("Nomination")
    ELIGIBILITY = "eligibility", _("Eligibility")
    REVIEW = "review", _("Review")
    ALLOCATION = "allocation", _("Places")
    OFFER = "offer", _("Offer")


class BodyBy(models.TextChoices):
    CITIZENSHIP = "citizenship", _("The applicant’s citizenship")
    HOME = "home", _("The applicant’s home institution")


class Step(_Part):
    """One step on the way of an application, in the call's order. ``milestone`` names its dates."""

    version = models.ForeignKey(CallVersion, models.CASCADE, related_name="steps")
    kind = models.CharField(max_length=12, choices=StepKind)
    title = MultilingualField(_("title"))
    says = MultilingualField(_("what happens, for the applicant"), blank=True)
    body_by = models.CharField(_("the body follows from"), max_length=12, choices=BodyBy, blank=True)
    milestone = models.CharField(max_length=40, blank=True)

    NOT_PERSONAL = ("key", "title", "says", "milestone")

    class Meta:
        ordering = ["version", "order"]
        constraints = [
            models.UniqueConstraint(fields=["version", "key"], name="step_once"),
            models.UniqueConstraint(fields=["version", "order"], name="step_order_once"),
            models.CheckConstraint(
                name="step_nomination_has_its_body",
                condition=(Q(kind=StepKind.NOMINATION) & ~Q(body_by="")) | (~Q(kind=StepKind.NOMINATION) & Q(body_by="")),
                violation_error_message=_("A nomination step says which body acts; other steps do not."),
            ),
        ]


class StepBody(models.Model):
    """Who acts in a nomination step: INSTITUTION for the citizens of COUNTRY, or, without a
    country, INSTITUTION for its own students."""

    step = models.ForeignKey(Step, models.CASCADE, related_name="bodies")
    country = models.ForeignKey(Country, models.PROTECT, null=True, blank=True, related_name="+")
    institution = models.ForeignKey(Institution, models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["step", "country"], condition=Q(country__isnull=False), name="step_body_country_once"),
            models.UniqueConstraint(fields=["step", "institution"], condition=Q(country__isnull=True), name="step_body_institution_once"),
        ]

    def __str__(self) -> str:
        return f"{self.step_id} {self.country_id} {self.institution_id}"
