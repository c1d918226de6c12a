"""Reference: a referee who is asked for a letter about one application. Letter: what the referee writes. Link: the way in."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Count, F, IntegerField, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from scholarships.applications.models import Application
from scholarships.applications.models import State as ApplicationState
from scholarships.calls.form import Letters, form_of
from scholarships.documents.models import DocumentVersion
from scholarships.events.codes import new_code
from scholarships.privacy.declarations import Period, Personal, Purpose


class Way(models.TextChoices):
    LINK = "link", _("By a link")
    SCAN = "scan", _("As a signed scan")


class State(models.TextChoices):
    ASKED = "asked", _("Asked")
    OPENED = "opened", _("Opened")
    RECEIVED = "received", _("Received")
    DECLINED = "declined", _("Declined")
    BOUNCED = "bounced", _("The mail came back")
    CANCELLED = "cancelled", _("Cancelled")


WAITING = [State.ASKED, State.OPENED]
STANDING = [*WAITING, State.RECEIVED]  # they count against the number that may be asked at once

DECLINE_REASONS = {
    "no_time": _("No time before it is due"),
    "not_well_known": _("I do not know the work well enough"),
    "conflict": _("A conflict of interest"),
    "not_mine": _("The scan is not my letter"),
    "wrong_person": _("I am not this person"),
    "other": _("Another reason"),
}


def check_code() -> str:
    return new_code(8)


class ReferenceQuerySet(models.QuerySet["Reference"]):
    def visible_to(self, user: Any) -> ReferenceQuerySet:
        """The requests that USER may see: the applicant's own, and those of the files of an officer; never what was written."""
        return self.filter(application__in=Application.objects.visible_to(user))

    def waiting(self) -> ReferenceQuerySet:
        return self.filter(state__in=WAITING)

    def needed(self) -> ReferenceQuerySet:
        """Those that still wait, of applications that are not withdrawn and have not got enough letters."""
        received = Reference.objects.filter(application=OuterRef("application"), state=State.RECEIVED).order_by().values("application")
        count = Subquery(received.annotate(n=Count("pk")).values("n"), output_field=IntegerField())
        rows = self.waiting().exclude(application__state=ApplicationState.WITHDRAWN).annotate(received=Coalesce(count, 0))
        return rows.filter(received__lt=F("application__version__letters__wanted"))


class Reference(models.Model):
    """A person without an account, known by ADDRESS alone, is asked for a letter about APPLICATION.

    ``note`` is what the applicant writes to the referee; ``words`` why the referee declined, for officers only;
    ``colleague`` whom the referee names instead, for the applicant. ``scan``: the applicant's own upload, which
    the referee confirms. ``check_code`` is what the public site confirms: it opens nothing.
    """

    code = models.CharField(max_length=12, unique=True, default=new_code, editable=False)
    check_code = models.CharField(max_length=8, unique=True, default=check_code, editable=False)
    application = models.ForeignKey(Application, models.PROTECT, related_name="references")
    way = models.CharField(_("how the letter comes"), max_length=4, choices=Way, default=Way.LINK)
    name = models.CharField(_("name"), max_length=120)
    position = models.CharField(_("position"), max_length=120, blank=True)
    institution = models.CharField(_("institution"), max_length=160, blank=True)
    address = models.EmailField(_("e-mail address"))
    language = models.CharField(_("language of the mail"), max_length=10, choices=settings.LANGUAGES, default=settings.LANGUAGE_CODE)
    note = models.TextField(_("note to the referee"), blank=True)
    is_confidential = models.BooleanField(_("confidential"), default=True)
    is_free_mail = models.BooleanField(_("free-mail address"), default=False)
    scan = models.ForeignKey(DocumentVersion, models.PROTECT, null=True, related_name="scanned_letters")
    state = models.CharField(_("state"), max_length=9, choices=State, default=State.ASKED, editable=False)
    reason = models.CharField(_("why not"), max_length=20, blank=True, editable=False)
    words = models.TextField(_("why not, in words"), blank=True, editable=False)
    colleague = models.CharField(_("who could write instead"), max_length=200, blank=True, editable=False)
    asked_at = models.DateTimeField(default=timezone.now, editable=False)
    opened_at = models.DateTimeField(null=True, editable=False)
    answered_at = models.DateTimeField(null=True, editable=False)
    reminded_at = models.DateTimeField(null=True, editable=False)
    reminders = models.PositiveSmallIntegerField(default=0, editable=False)

    PERSONAL = {
        "name": Personal(Purpose.SELECTION, Period.CALL),
        "position": Personal(Purpose.SELECTION, Period.CALL),
        "institution": Personal(Purpose.SELECTION, Period.CALL),
        "address": Personal(Purpose.CONTACT, Period.CALL, lambda row, name: f"erased-{row.pk}@erased.invalid"),
        "note": Personal(Purpose.CONTACT, Period.CALL),
        "words": Personal(Purpose.SELECTION, Period.CALL),
        "colleague": Personal(Purpose.CONTACT, Period.CALL),
    }
    NOT_PERSONAL = ("code", "check_code", "reason")

    objects = ReferenceQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["application", "address"], condition=Q(state__in=STANDING), name="reference_address_once",
                violation_error_message=_("This address is asked already."),
            ),
            models.CheckConstraint(name="reference_scan_has_a_file", condition=Q(way=Way.LINK, scan__isnull=True) | Q(way=Way.SCAN, scan__isnull=False)),
        ]  # fmt: skip
        indexes = [models.Index(fields=["address"], name="reference_of_address")]

    def __str__(self) -> str:
        return self.code

    @property
    def terms(self) -> Letters:
        """What the call asks for; a call that asks for no letters has no references."""
        terms = form_of(self.application.version).letters
        assert terms is not None
        return terms

    @property
    def asker(self) -> str:
        """What the referee knows the applicant as."""
        return self.application.applicant.name or self.application.name

    @property
    def reason_said(self) -> str:
        """Why the referee declined, in words of the list."""
        return str(DECLINE_REASONS.get(self.reason, ""))


class Known(models.TextChoices):
    SHORT = "short", _("Less than a year")
    MIDDLE = "middle", _("One to three years")
    LONG = "long", _("Longer")


class LetterQuerySet(models.QuerySet["Letter"]):
    def visible_to(self, user: Any) -> LetterQuerySet:
        """The letters whose words USER may read; agrees with ``rules.may_read_letter``.

        They are those that are sent: officers of the call read them, never about themselves; the applicant
        reads one that is not confidential.
        """
        sent = self.filter(sent_at__isnull=False)
        own = Q(reference__application__applicant=user)
        run = Q(reference__application__in=Application.objects.run_by(user))
        return sent.filter((run & ~own) | (own & Q(reference__is_confidential=False))) if user.is_authenticated else sent.none()


class Letter(models.Model):
    """What the referee writes: pasted TEXT, a FILE, or both. It is a draft until ``sent_at``; the last sent one counts.

    ``ratings``: key of a line -> 1 to 5, or None for "cannot say". ``prepared_at``: an assistant has it ready,
    and the referee releases it. ``version`` counts savings. ``extract`` is what the file says, for comparing;
    ``masked`` is TEXT without names, for reviewers.
    """

    reference = models.ForeignKey(Reference, models.PROTECT, related_name="letters")
    number = models.PositiveSmallIntegerField(default=1)
    text = models.TextField(_("letter"), blank=True)
    file = models.ForeignKey(DocumentVersion, models.PROTECT, null=True, related_name="letters")
    extract = models.TextField(blank=True)
    masked = models.TextField(blank=True)
    known = models.CharField(_("known for"), max_length=6, choices=Known, blank=True)
    ratings = models.JSONField(default=dict, blank=True)
    version = models.PositiveIntegerField(default=1)
    saved_at = models.DateTimeField(default=timezone.now)
    prepared_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)

    PERSONAL = {
        "text": Personal(Purpose.SELECTION, Period.CALL),
        "extract": Personal(Purpose.SELECTION, Period.CALL),
        "masked": Personal(Purpose.SELECTION, Period.CALL),
        "ratings": Personal(Purpose.SELECTION, Period.CALL),
    }

    objects = LetterQuerySet.as_manager()

    class Meta:
        ordering = ["reference", "number"]
        constraints = [
            models.UniqueConstraint(fields=["reference", "number"], name="letter_once"),
            models.UniqueConstraint(fields=["reference"], condition=Q(sent_at__isnull=True), name="letter_one_draft"),
        ]

    def __str__(self) -> str:
        return f"{self.reference_id}.{self.number}"


class Print(models.Model):
    """One of the fingerprints of a letter's words, by which the same text is found again; see ``prints``."""

    letter = models.ForeignKey(Letter, models.CASCADE, related_name="prints")
    value = models.BigIntegerField()

    class Meta:
        indexes = [models.Index(fields=["value", "letter"], name="print_value")]

    def __str__(self) -> str:
        return f"{self.letter_id} {self.value}"


class LinkPurpose(models.TextChoices):
    LETTER = "letter", _("To answer one request")
    RELEASE = "release", _("To release a letter that somebody has prepared")
    LIST = "list", _("To see all requests to one address")


class LinkQuerySet(models.QuerySet["Link"]):
    def valid(self, *, at: datetime) -> LinkQuerySet:
        return self.filter(revoked_at__isnull=True, expires_at__gt=at)


class Link(models.Model):
    """A key that was sent to ADDRESS, for one PURPOSE and, but for lists, one REFERENCE. The key itself is not here; see ``links``."""

    code = models.CharField(max_length=12, unique=True, default=new_code, editable=False)
    purpose = models.CharField(max_length=7, choices=LinkPurpose)
    reference = models.ForeignKey(Reference, models.CASCADE, null=True, related_name="links")
    address = models.EmailField()
    language = models.CharField(max_length=10, choices=settings.LANGUAGES, default=settings.LANGUAGE_CODE)
    nonce = models.CharField(max_length=64)
    sha256 = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    PERSONAL = {"address": Personal(Purpose.CONTACT, Period.CALL, lambda row, name: f"erased-{row.pk}@erased.invalid")}
    NOT_PERSONAL = ("code", "nonce", "sha256")

    objects = LinkQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="link_is_to_one_request_or_a_list",
                condition=Q(purpose=LinkPurpose.LIST, reference__isnull=True) | (~Q(purpose=LinkPurpose.LIST) & Q(reference__isnull=False)),
            )
        ]
        indexes = [models.Index(fields=["reference", "purpose"], name="link_of_reference"), models.Index(fields=["address", "made_at"], name="link_of_address")]  # fmt: skip

    def __str__(self) -> str:
        return self.code
