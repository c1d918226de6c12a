"""Message, a row of the outbox, Mailing, many of them with the same words, and Relay, the state of the way out."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from scholarships.calls.models import Call
from scholarships.calls.rules import ALONE
from scholarships.events.codes import new_code
from scholarships.events.models import Event
from scholarships.people.models import Role, Scope
from scholarships.people.rules import scopes_of
from scholarships.privacy.declarations import Period, Personal, Purpose
from scholarships.texts.fields import MultilingualField


class Delivery(models.TextChoices):
    HELD = "held", _("Held")
    QUEUED = "queued", _("Queued")
    SENDING = "sending", _("Being sent")
    SENT = "sent", _("Sent")
    FAILED = "failed", _("Failed")
    BOUNCED = "bounced", _("Came back")
    KEPT = "kept", _("In the inbox only")
    BUNDLED = "bundled", _("In the daily letter")


WAITING = [Delivery.QUEUED, Delivery.SENDING]
UNSENT = [Delivery.HELD, *WAITING, Delivery.FAILED, Delivery.BOUNCED]  # few, and counted by the index
_LOOKS = {
    Delivery.HELD: "todo",
    Delivery.QUEUED: "wait",
    Delivery.SENDING: "doing",
    Delivery.SENT: "ok",
    Delivery.FAILED: "bad",
    Delivery.BOUNCED: "bad",
    Delivery.KEPT: "ok",
    Delivery.BUNDLED: "ok",
}
PRIVATE = "account."  # letters with codes for signing in: nobody but their reader sees the words


class Way(models.TextChoices):
    """How a person wants letters of one kind. The inbox shows all of them, whatever is chosen."""

    MAIL = "mail", _("By mail, at once")
    DAILY = "daily", _("By mail once a day, in one letter")
    INBOX = "inbox", _("Only in the inbox")


class MessageQuerySet(models.QuerySet["Message"]):
    def due(self, *, at: datetime) -> MessageQuerySet:
        """What may be sent now: queued and due, or left behind by a worker whose lease has run out."""
        return self.filter(Q(delivery=Delivery.QUEUED, due_at__lte=at) | Q(delivery=Delivery.SENDING, leased_until__lt=at))

    def waiting(self) -> MessageQuerySet:
        return self.filter(delivery__in=WAITING)

    def visible_to(self, user: Any) -> MessageQuerySet:
        """The messages that USER may see as an officer: of the site all, of a call those that belong to it."""
        scopes = scopes_of(user, Role.OFFICER)
        return self if Scope.SITE in scopes else self.filter(call__in=scopes.get(Scope.CALL, ()))

    def saying(self, words: str) -> MessageQuerySet:
        """WORDS stand in the address or the subject; what only its reader may read is not searched."""
        return self.filter(Q(address__icontains=words) | (Q(subject__icontains=words) & ~Q(kind__startswith=PRIVATE)))

    def about(self, subject: Any) -> MessageQuerySet:
        kind = subject._meta.model_name
        if kind == "application":
            return self.filter(application=subject.code)
        return self.filter(event__subject_kind=kind, event__subject_key=subject.code)

    def released(self) -> MessageQuerySet:
        """What its reader may know of."""
        return self.exclude(delivery=Delivery.HELD)


class MailingState(models.TextChoices):
    WRITING = "writing", _("Being written")
    HELD = "held", _("Held")
    RELEASED = "released", _("Released, leaves soon")
    GONE = "gone", _("On its way")
    CANCELLED = "cancelled", _("Cancelled")


_MAILING_LOOKS = {
    MailingState.WRITING: "doing",
    MailingState.HELD: "wait",
    MailingState.RELEASED: "doing",
    MailingState.GONE: "ok",
    MailingState.CANCELLED: "todo",
}


class MailingQuerySet(models.QuerySet["Mailing"]):
    def visible_to(self, user: Any) -> MailingQuerySet:
        return self.filter(call__in=Call.objects.run_by(user))


class Mailing(models.Model):
    """The same words of the office to many applicants of one call, held until they are released.

    ``waiting``: keys of the applications whose letters are still to be written. ``letters``: how many left with
    the release. ``sends_at``: until then the release can be taken back.
    """

    code = models.CharField(max_length=12, unique=True, default=new_code, editable=False)
    call = models.ForeignKey(Call, models.PROTECT, related_name="mailings")
    subject = MultilingualField(_("subject"))
    text = MultilingualField(_("text"))
    state = models.CharField(max_length=9, choices=MailingState, default=MailingState.WRITING)
    waiting = models.JSONField(default=list)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    letters = models.PositiveIntegerField(default=0)
    released_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    released_at = models.DateTimeField(null=True)
    sends_at = models.DateTimeField(null=True)

    NOT_PERSONAL = ("code", "subject", "text", "waiting")

    objects = MailingQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                name="mailing_two_keys",
                condition=Q(released_by__isnull=True) | Q(letters__lte=ALONE) | ~Q(released_by=models.F("by")),
            ),
            models.CheckConstraint(
                name="mailing_released_by_somebody",
                condition=~Q(state__in=["released", "gone"])
                | Q(released_by__isnull=False, released_at__isnull=False, sends_at__isnull=False),
            ),
        ]
        indexes = [models.Index(fields=["sends_at"], condition=Q(state__in=["writing", "released"]), name="mailing_to_go_on")]

    def __str__(self) -> str:
        return self.code

    @property
    def look(self) -> str:
        """How its state is marked on the officers' pages."""
        return _MAILING_LOOKS[MailingState(self.state)]


class Message(models.Model):
    """One letter to one recipient about one event.

    The row is written in the transaction of what happened; a worker renders it once (``subject``,
    ``text``, ``html``), keeps that, and sends it until it is through. ``claim`` is the fencing
    token of the worker that holds the lease: whoever lost it cannot write the outcome any more.
    ``tries`` counts refused tries; ``message_id`` stays the same on each. ``call`` is the code of the
    call to which the event belongs, "" where it belongs to none: by it officers find their letters.
    ``application`` is the code of the application that it is about: of a letter of a ``mailing`` the event does not tell.
    One that is ``BUNDLED`` is not sent singly: it waits for the reader's next daily letter, and then
    ``digest`` is the row of that letter.
    """

    code = models.CharField(max_length=12, unique=True, default=new_code, editable=False)
    event = models.ForeignKey(Event, models.PROTECT, related_name="messages")
    kind = models.CharField(max_length=60)
    call = models.SlugField(max_length=60, blank=True, db_index=False)
    mailing = models.ForeignKey(Mailing, models.PROTECT, null=True, related_name="messages")
    application = models.CharField(max_length=12, blank=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="messages")
    address = models.EmailField(_("address"))
    language = models.CharField(max_length=10, choices=settings.LANGUAGES, default=settings.LANGUAGE_CODE)
    subject = models.CharField(_("subject"), max_length=250, blank=True)
    text = models.TextField(blank=True)
    html = models.TextField(blank=True)
    link = models.CharField(max_length=200, blank=True)
    message_id = models.CharField(max_length=120, unique=True)
    delivery = models.CharField(_("delivery"), max_length=8, choices=Delivery, default=Delivery.QUEUED)
    created_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField(default=timezone.now)
    claim = models.CharField(max_length=32, blank=True)
    leased_until = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(_("what went wrong"), max_length=250, blank=True)
    sent_at = models.DateTimeField(null=True)
    bounced_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField(null=True)
    digest = models.ForeignKey("self", models.SET_NULL, null=True, db_index=False, related_name="bundled")

    PERSONAL = {
        "address": Personal(Purpose.CONTACT, Period.MESSAGE, lambda row, name: "erased@erased.invalid"),
        "subject": Personal(Purpose.PROOF, Period.MESSAGE),
        "text": Personal(Purpose.PROOF, Period.MESSAGE),
        "html": Personal(Purpose.PROOF, Period.MESSAGE),
        "error": Personal(Purpose.PROOF, Period.MESSAGE),
    }
    NOT_PERSONAL = ("code", "kind", "call", "application", "link", "message_id", "claim")

    objects = MessageQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["event", "address", "kind"], name="message_once"),
            models.CheckConstraint(name="message_sent_has_a_date", condition=~Q(delivery=Delivery.SENT) | Q(sent_at__isnull=False)),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(delivery=Delivery.QUEUED), name="message_due"),
            models.Index(fields=["leased_until"], condition=Q(delivery=Delivery.SENDING), name="message_leased"),
            models.Index(fields=["user", "-id"], name="message_of_user"),
            models.Index(fields=["user"], condition=Q(read_at__isnull=True), name="message_unread"),
            models.Index(fields=["delivery", "-id"], name="message_by_delivery"),
            models.Index(fields=["application"], name="message_of_application"),
            models.Index(fields=["user"], condition=Q(delivery=Delivery.BUNDLED, digest__isnull=True), name="message_for_digest"),
            models.Index(fields=["digest"], condition=Q(digest__isnull=False), name="message_of_digest"),
            models.Index(fields=["call", "-id"], name="message_of_call"),
            models.Index(fields=["call", "delivery", "-id"], name="message_of_call_by_delivery"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.code}"

    @property
    def look(self) -> str:
        """How its delivery is marked on the pages of those who look after the mail."""
        return _LOOKS[Delivery(self.delivery)]

    @property
    def is_private(self) -> bool:
        """Whether nobody but its reader may see the words."""
        return self.kind.startswith(PRIVATE)


class Rewording(models.Model):
    """Words for one letter of a mailing alone, while it is held."""

    message = models.OneToOneField(Message, models.CASCADE, related_name="rewording")
    subject = models.CharField(_("subject"), max_length=200)
    text = models.TextField(_("text"), max_length=5000)

    PERSONAL = {"subject": Personal(Purpose.PROOF, Period.MESSAGE), "text": Personal(Purpose.PROOF, Period.MESSAGE)}

    def __str__(self) -> str:
        return str(self.message)


class Relay(models.Model):
    """One row: until when the way out is paused, after most of a batch was refused; and what has left in this minute."""

    paused_until = models.DateTimeField(null=True)
    minute = models.DateTimeField(null=True)
    taken = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"paused until {self.paused_until}" if self.paused_until else "open"


class Address(models.Model):
    """An address from which letters came back. ``stopped_at``: nothing is sent to it any more; the inbox still shows all."""

    address = models.EmailField(unique=True)
    hard_bounces = models.PositiveSmallIntegerField(default=0)
    bounced_at = models.DateTimeField(null=True)
    said = models.CharField(max_length=250, blank=True)
    stopped_at = models.DateTimeField(null=True)

    PERSONAL = {
        "address": Personal(Purpose.CONTACT, Period.MESSAGE, lambda row, name: f"erased-{row.pk}@erased.invalid"),
        "said": Personal(Purpose.PROOF, Period.MESSAGE),
    }

    class Meta:
        verbose_name_plural = "addresses"

    def __str__(self) -> str:
        return self.address


class Preference(models.Model):
    """A person's wish about one kind of letter of which one may choose the way; the inbox shows it all the same."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="preferences")
    kind = models.CharField(max_length=60)
    way = models.CharField(max_length=5, choices=Way, default=Way.MAIL)

    NOT_PERSONAL = ("kind",)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "kind"], name="preference_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.way}"


class Heartbeat(models.Model):
    """When the worker and the clock last showed that they live."""

    name = models.CharField(max_length=20, unique=True)
    at = models.DateTimeField()

    NOT_PERSONAL = ("name",)

    def __str__(self) -> str:
        return f"{self.name} {self.at:%Y-%m-%d %H:%M:%S}"


class Reminder(models.Model):
    """One planned occasion to remind those whom it then concerns, such as "7" days before a call closes.

    ``subject_key`` is the code of the call or offer. Moved when the date moves, done once.
    """

    kind = models.CharField(max_length=60)
    subject_kind = models.CharField(max_length=40)
    subject_key = models.CharField(max_length=60)
    occasion = models.CharField(max_length=20)
    due_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)

    NOT_PERSONAL = ("kind", "subject_kind", "subject_key", "occasion")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "subject_key", "occasion"], name="reminder_once")]
        indexes = [models.Index(fields=["due_at"], condition=Q(done_at__isnull=True), name="reminder_due")]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject_key}, {self.occasion}"


class Wording(models.Model):
    """The words of one letter of a call in one language, as an officer set them. The highest ``number`` counts.

    ``is_standard``: from here on the standard words again; then ``subject`` and ``text`` are empty.
    """

    call = models.ForeignKey(Call, models.CASCADE, related_name="wordings")
    letter = models.CharField(max_length=60)
    language = models.CharField(max_length=10, choices=settings.LANGUAGES)
    number = models.PositiveSmallIntegerField()
    subject = models.CharField(_("subject"), max_length=200, blank=True)
    text = models.TextField(_("text"), blank=True, max_length=5000)
    is_standard = models.BooleanField(default=False)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    saved_at = models.DateTimeField(default=timezone.now)

    NOT_PERSONAL = ("letter", "subject", "text")

    class Meta:
        ordering = ["call", "letter", "language", "-number"]
        constraints = [models.UniqueConstraint(fields=["call", "letter", "language", "number"], name="wording_once")]

    def __str__(self) -> str:
        return f"{self.letter} {self.language} {self.number}"
