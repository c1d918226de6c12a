"""Mailings: the office writes the same words to many. Held first, looked through, released by a second officer, and taken back in time.

Held letters are rows of the outbox that no worker claims; one UPDATE lets them go.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from exchange.notifications.bounces import stopped
from exchange.notifications.models import Delivery, Mailing, MailingState, Message, Rewording
from exchange.notifications.outbox import ring_on_commit, row
from exchange.notifications.wordings import check_words, says
from scholarships.applications.models import Application, ApplicationQuerySet
from scholarships.calls.models import Call
from scholarships.calls.rules import ALONE, may_run, needs_second
from scholarships.events.actions import record
from scholarships.events.models import Event
from scholarships.events.names import declare
from scholarships.texts.fields import Text

HELD = declare("mailing.held", "A mailing was written and held", "call", "letters")
RELEASED = declare("mailing.released", "A mailing was released", "call", "letters")
TAKEN_BACK = declare("mailing.taken_back", "A release was taken back", "call")
CANCELLED = declare("mailing.cancelled", "A mailing was cancelled", "call")
REWORDED = declare("mailing.letter_reworded", "One letter of a mailing was changed", "call", "application")
REMOVED = declare("mailing.letter_removed", "One letter was taken out of a mailing", "call", "application")

KIND = "mailing.held:applicant"
BATCH = 500  # rows a transaction
LEFT_BEHIND = timedelta(minutes=1)  # after that another process goes on with a mailing that is still being written
_PLACEHOLDERS = ("name", "code", "call", "closes", "office")


def placeholders() -> dict[str, str | Promise]:
    """What the words of a mailing may name -> what it stands for."""
    return says(_PLACEHOLDERS)


# -- To whom ---------------------------------------------------------------------


class Addressee(NamedTuple):
    """One application, and the person who reads the letter about it."""

    pk: int
    code: str
    name: str
    applicant: int
    address: str
    language: str
    is_active: bool


@dataclass(frozen=True)
class Addressees:
    """Who gets a letter, who is left out and why, how many read which language, and how many read it in the inbox only.

    ``mark`` names exactly these: a list that has changed since is not written to unseen.
    """

    fits: list[Addressee]
    left_out: list[tuple[Addressee, str]]
    silent: int
    languages: Counter[str] = field(default_factory=Counter)

    @property
    def mark(self) -> str:
        return hashlib.sha256(" ".join(str(one.pk) for one in self.fits).encode()).hexdigest()[:20]


def addressees(applications: ApplicationQuerySet) -> Addressees:
    """Whom a mailing to APPLICATIONS, in their order, would reach: nobody twice. Two queries."""
    fits: list[Addressee] = []
    left_out: list[tuple[Addressee, str]] = []
    seen: dict[int, str] = {}
    names = ("pk", "code", "name", "applicant", "applicant__email", "applicant__language", "applicant__is_active")
    for one in map(Addressee._make, applications.values_list(*names)):
        if not one.is_active:
            left_out.append((one, _("The account is closed.")))
        elif one.applicant in seen:
            left_out.append((one, _("The same person gets the letter about %(code)s. Nobody gets two.") % {"code": seen[one.applicant]}))
        else:
            seen[one.applicant] = one.code
            fits.append(one)
    silent = stopped({one.address for one in fits}) if fits else set()
    return Addressees(
        fits, left_out, sum(one.address.lower() in silent for one in fits), Counter(one.language or settings.LANGUAGE_CODE for one in fits)
    )


# -- Writing ---------------------------------------------------------------------


def check(subject: Mapping[str, str], text: Mapping[str, str]) -> None:
    """Refuse words that could not be sent.

    Raises:
        ValidationError: at ``subject-<language>`` or ``text-<language>``; at none where no language has both.
    """
    wrong: dict[str, Any] = {}
    for language, _name in settings.LANGUAGES:
        has_subject, has_text = bool(subject.get(language, "").strip()), bool(text.get(language, "").strip())
        if has_subject != has_text:
            part = "subject" if has_text else "text"
            sentence = _("Write a subject too.") if has_text else _("Write a text too.")
            wrong[f"{part}-{language}"] = ValidationError(sentence, code="half")
        try:
            check_words(set(_PLACEHOLDERS), subject.get(language, ""), text.get(language, ""))
        except ValidationError as refused:
            wrong |= {f"{part}-{language}": problem for part, problem in refused.error_dict.items()}
    if wrong:
        raise ValidationError(wrong)
    if not any(said.strip() for said in subject.values()):
        raise ValidationError(_("Write subject and text in one language at least."), code="empty")


def hold(
    call: Call, people: Addressees, *, subject: Mapping[str, str], text: Mapping[str, str], by: Any, key: str | None = None
) -> Mailing:
    """Write the letters, and hold them. The same KEY a second time gives the mailing of the first.

    Raises:
        PermissionDenied: BY is not an officer of the call.
        ValidationError: as ``check``; ``nobody``: it would reach no one.
    """
    if not may_run(by, call):
        raise PermissionDenied
    check(subject, text)
    if not people.fits:
        raise ValidationError(_("Nobody would get this letter."), code="nobody")
    name = f"mailing:{key}"[:120] if key else None
    if earlier := _held_with(name):
        return earlier
    try:
        with transaction.atomic():
            mailing = Mailing.objects.create(
                call=call, subject=said(subject), text=said(text), by=by, waiting=[one.pk for one in people.fits]
            )
            record(HELD, mailing, by=by, key=name, call=call.code, letters=len(people.fits))
    except ValidationError:  # the same page, sent twice at this very moment
        if earlier := _held_with(name):
            return earlier
        raise
    return write(mailing)


def _held_with(key: str | None) -> Mailing | None:
    """The mailing that was written with KEY already."""
    event = Event.objects.filter(key=key, name=HELD).first() if key else None
    return Mailing.objects.get(code=event.subject_key) if event else None


def said(words: Mapping[str, str]) -> Text:
    """What was typed, by language, without what is empty."""
    return Text({language: typed.strip() for language, typed in words.items() if typed.strip()})


def write(mailing: Mailing) -> Mailing:
    """Write the letters that are still to be written, some hundred in one transaction. May run twice, and go on after a stop."""
    event = Event.objects.get(name=HELD, subject_kind="mailing", subject_key=mailing.code)
    for start in range(0, len(mailing.waiting), BATCH):
        pks = mailing.waiting[start : start + BATCH]
        with transaction.atomic():
            if not Mailing.objects.select_for_update().filter(pk=mailing.pk, state=MailingState.WRITING).exists():
                break  # cancelled, or written by somebody else
            people = (
                Application.objects.filter(pk__in=pks).select_related("applicant").only("code", "applicant__email", "applicant__language")
            )
            Message.objects.bulk_create((_letter(event, mailing, one) for one in people), ignore_conflicts=True)
    Mailing.objects.filter(pk=mailing.pk, state=MailingState.WRITING).update(state=MailingState.HELD, waiting=[])
    mailing.refresh_from_db()
    return mailing


def _letter(event: Event, mailing: Mailing, application: Application) -> Message:
    user = application.applicant
    letter = row(event, KIND, user.email, user=user, language=user.language, call=event.data["call"], application=application.code)
    letter.mailing, letter.delivery = mailing, Delivery.HELD
    return letter


# -- One letter of it ------------------------------------------------------------


def reword(message: Message, *, subject: str, text: str, by: Any) -> None:
    """Words of its own for one letter that is held.

    Raises:
        PermissionDenied: BY is not an officer of the call.
        ValidationError: at ``subject`` or ``text``; ``wrong_state``: it is not held.
    """
    check_words(set(_PLACEHOLDERS), subject, text)
    with _held(message, by) as mailing:
        Rewording.objects.update_or_create(message=message, defaults={"subject": subject, "text": text})
        record(REWORDED, mailing, by=by, call=mailing.call.code, application=message.application)


def remove(message: Message, *, by: Any) -> None:
    """Take one letter out of what is held. Raises as ``reword``."""
    with _held(message, by) as mailing:
        record(REMOVED, mailing, by=by, call=mailing.call.code, application=message.application)
        message.delete()


@contextmanager
def _held(message: Message, by: Any) -> Iterator[Mailing]:
    """A transaction in which the mailing of MESSAGE is locked, and held."""
    with transaction.atomic():
        mailing = Mailing.objects.select_for_update(of=("self",)).select_related("call").get(pk=message.mailing_id)
        _allow(mailing, by)
        if mailing.state != MailingState.HELD:
            raise _wrong_state()
        yield mailing


def _allow(mailing: Mailing, by: Any) -> None:
    if not may_run(by, mailing.call):
        raise PermissionDenied


def _wrong_state() -> ValidationError:
    return ValidationError(_("This mailing is no longer held: somebody was quicker."), code="wrong_state")


# -- Release ---------------------------------------------------------------------


def release(mailing: Mailing, *, by: Any, at: datetime | None = None) -> Mailing:
    """Let the letters go, UNDO_SECONDS from now.

    Raises:
        PermissionDenied: BY is not an officer of the call.
        ValidationError: ``second_officer``: above ALONE letters somebody else than the writer releases;
            ``wrong_state``; ``nobody``: no letter is left.
    """
    _allow(mailing, by)
    now = at or timezone.now()
    with transaction.atomic():
        fresh = Mailing.objects.select_for_update().get(pk=mailing.pk)
        if fresh.state != MailingState.HELD:
            raise _wrong_state()
        letters = Message.objects.filter(mailing=fresh, delivery=Delivery.HELD).count()
        if not letters:
            raise ValidationError(_("No letter is left in this mailing."), code="nobody")
        if needs_second(letters, fresh.by_id, by.pk):
            sentence = _("These are more than %(most)s letters: a second officer must release them.") % {"most": ALONE}
            raise ValidationError(sentence, code="second_officer")
        fresh.state, fresh.letters, fresh.released_by, fresh.released_at = MailingState.RELEASED, letters, by, now
        fresh.sends_at = now + timedelta(seconds=settings.UNDO_SECONDS)
        fresh.save(update_fields=["state", "letters", "released_by", "released_at", "sends_at"])
        record(RELEASED, fresh, by=by, at=now, call=mailing.call.code, letters=letters)
        if not settings.UNDO_SECONDS:
            ring_on_commit()
    return fresh


def hurry(mailing: Mailing, *, by: Any, at: datetime | None = None) -> None:
    """Do not wait for the end of the time to take it back.

    Raises:
        PermissionDenied: BY is not an officer of the call.
        ValidationError: ``wrong_state``: it is not released, or has gone.
    """
    _allow(mailing, by)
    with transaction.atomic():
        if not _released(mailing).update(sends_at=at or timezone.now()):
            raise _wrong_state()
        ring_on_commit()


def take_back(mailing: Mailing, *, by: Any) -> None:
    """Hold again what is released and has not gone. Raises as ``hurry``."""
    _allow(mailing, by)
    with transaction.atomic():
        if not _released(mailing).update(state=MailingState.HELD, released_by=None, released_at=None, sends_at=None):
            raise ValidationError(_("It is too late: the letters are on their way."), code="wrong_state")
        record(TAKEN_BACK, mailing, by=by, call=mailing.call.code)


def cancel(mailing: Mailing, *, by: Any) -> None:
    """Send none of it. Raises as ``hurry``."""
    _allow(mailing, by)
    open_ = [MailingState.WRITING, MailingState.HELD, MailingState.RELEASED]
    with transaction.atomic():
        done = {"state": MailingState.CANCELLED, "waiting": [], "released_by": None, "released_at": None, "sends_at": None}
        if not Mailing.objects.filter(pk=mailing.pk, state__in=open_).update(**done):
            raise ValidationError(_("It is too late: the letters are on their way."), code="wrong_state")
        Message.objects.filter(mailing=mailing, delivery=Delivery.HELD).delete()
        record(CANCELLED, mailing, by=by, call=mailing.call.code)


def _released(mailing: Mailing) -> Any:
    return Mailing.objects.filter(pk=mailing.pk, state=MailingState.RELEASED)


# -- On the clock ----------------------------------------------------------------


def go_on(*, at: datetime | None = None) -> int:
    """Let go what is released and whose time has come, and finish what a process that died left unwritten. Gives how many have gone."""
    now = at or timezone.now()
    left = Q(state=MailingState.WRITING, created_at__lt=now - LEFT_BEHIND)
    gone = 0
    for mailing in Mailing.objects.filter(left | Q(state=MailingState.RELEASED, sends_at__lte=now)):
        if mailing.state == MailingState.WRITING:
            write(mailing)
        else:
            gone += _let_go(mailing, now)
    return gone


def _let_go(mailing: Mailing, now: datetime) -> bool:
    """One UPDATE, whatever their number: each is written when a worker claims it."""
    with transaction.atomic():
        if not _released(mailing).filter(sends_at__lte=now).update(state=MailingState.GONE):
            return False  # taken back at this moment, or let go by another worker
        Message.objects.filter(mailing=mailing, delivery=Delivery.HELD).update(delivery=Delivery.QUEUED, due_at=now)
    return True
