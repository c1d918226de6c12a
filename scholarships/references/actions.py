"""What the applicant does: asks referees, reminds them, replaces them, cancels; and what becomes of a mail that comes back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import IO, Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from scholarships.applications.answers import sections_for
from scholarships.applications.content import content_of
from scholarships.applications.models import Application
from scholarships.applications.models import State as ApplicationState
from scholarships.applications.once import event_key
from scholarships.calls.form import Letters, form_of
from scholarships.calls.models import LetterWays, Openness, SectionKind
from scholarships.documents import actions as papers
from scholarships.documents.checking import Limits
from scholarships.documents.models import DocumentVersion, Kind
from scholarships.events.actions import record
from scholarships.events.models import Event
from scholarships.events.names import declare
from scholarships.references import links
from scholarships.references.dates import due_of
from scholarships.references.models import STANDING, WAITING, Reference, State, Way
from scholarships.references.rules import may_ask

ASKED = declare("reference.asked", "Referee asked for a letter", "application", "way", "instead")
REMINDED = declare("reference.reminded", "Referee reminded by the applicant", "application", "n")
CANCELLED = declare("reference.cancelled", "Request to a referee cancelled", "application")
BOUNCED = declare("reference.bounced", "The mail to a referee came back", "application")

MOST_REMINDERS, BETWEEN_REMINDERS = 3, timedelta(days=1)
MOST_IN_ALL = 12  # people who may be asked about one application, whatever became of it
LONGEST_NOTE = 1000  # characters
LIMITS = Limits(pages=6)

# Addresses that anybody can make in a minute: they do not show that somebody belongs to an institution.
FREE_MAIL = frozenset({
    "gmail.com", "googlemail.com", "mail.ru", "bk.ru", "inbox.ru", "list.ru", "internet.ru", "yandex.ru", "yandex.com", "yandex.kz",
    "yandex.by", "yandex.uz", "ya.ru", "rambler.ru", "outlook.com", "hotmail.com", "live.com", "msn.com", "yahoo.com", "ymail.com",
    "icloud.com", "me.com", "aol.com", "gmx.com", "gmx.de", "gmx.net", "web.de", "proton.me", "protonmail.com", "tutanota.com",
    "qq.com", "foxmail.com", "163.com", "126.com", "yeah.net", "sina.com", "sina.cn", "sohu.com", "139.com", "aliyun.com", "tut.by",
    "ukr.net", "i.ua", "umail.uz",
})  # fmt: skip


@dataclass(frozen=True)
class Referee:
    """Who is asked, as the applicant says it."""

    name: str
    address: str
    position: str = ""
    institution: str = ""
    language: str = "en"
    note: str = ""
    is_confidential: bool = True


def terms_of(application: Application) -> Letters | None:
    """What letters the call asks for from this person, None where it asks for none."""
    form = form_of(application.version)
    if form.letters is None:
        return None
    facts = content_of(application).facts
    return form.letters if any(section.kind == SectionKind.LETTERS for section in sections_for(form, facts)) else None


def is_free_mail(address: str) -> bool:
    return address.rpartition("@")[2].lower() in FREE_MAIL


def ways_of(terms: Letters) -> list[Way]:
    """How a letter may come."""
    return {LetterWays.LINK: [Way.LINK], LetterWays.SCAN: [Way.SCAN]}.get(LetterWays(terms.ways), [Way.LINK, Way.SCAN])


def ask(
    application: Application,
    referee: Referee,
    *,
    by: Any,
    scan: tuple[IO[bytes], str] | None = None,
    instead: Reference | None = None,
    is_sure: bool = False,
    key: str | None = None,
    at: datetime | None = None,
) -> Reference:
    """Ask REFEREE for a letter, or, with a SCAN (content and name), to confirm that it is theirs. The same KEY again gives the first.

    Args:
        instead: the request that this one replaces; it is cancelled where it still waits.
        is_sure: BY knows that the address is one of a free-mail service.

    Raises:
        PermissionDenied: BY is not the applicant.
        ValidationError: at the field; codes ``own``, ``twice``, ``unwanted``, ``free_mail``; or ``not_asked``, ``closed``, ``enough``, ``too_many``.
    """
    now = at or timezone.now()
    if not may_ask(by, application):
        raise PermissionDenied
    if earlier := _asked_with(application, key):
        return earlier
    terms = _open_terms(application, now)
    address = referee.address.strip().lower()
    _check(application, terms, referee, address, scan is not None, instead, is_sure)
    version = _kept(by, scan)
    try:
        return _write(application, terms, referee, address, version, instead, by, key, now)
    except (IntegrityError, ValidationError) as refused:
        if version is not None:
            papers.remove(version.document, by=by)
        if earlier := _asked_with(application, key):  # the same page, sent twice at this very moment: the other one counts
            return earlier
        if isinstance(refused, ValidationError):
            raise
        raise _twice() from None


def _open_terms(application: Application, now: datetime) -> Letters:
    terms = terms_of(application)
    if terms is None:
        raise ValidationError(_("The call asks for no letters from you."), code="not_asked")
    if application.state == ApplicationState.WITHDRAWN:
        raise ValidationError(_("Your application is withdrawn."), code="not_open")
    if now > due_of(application):
        raise ValidationError(_("The time for letters is over."), code="closed")
    return terms


def _check(
    application: Application, terms: Letters, referee: Referee, address: str, has_scan: bool, instead: Reference | None, is_sure: bool
) -> None:
    rows = list(application.references.all())
    standing = [row for row in rows if row.state in STANDING and (instead is None or row.pk != instead.pk)]
    if sum(row.state == State.RECEIVED for row in rows) >= terms.wanted:
        raise ValidationError(_("Enough letters have arrived: nobody else need be asked."), code="enough")
    if len(standing) >= terms.most:
        raise _too_many(terms)
    if len(rows) >= MOST_IN_ALL:
        raise ValidationError(_("You have asked too many people. Please write to the office."), code="too_many")
    if not has_scan and Way.LINK not in ways_of(terms):
        raise ValidationError({"file": ValidationError(_("Upload the signed letter."), code="required")})
    wrong = _wrong_address(application, terms, address, rows, standing, is_sure)
    if wrong is not None:
        raise ValidationError({"sure" if wrong.code == "free_mail" else "address": wrong})
    if len(referee.note) > LONGEST_NOTE:
        raise ValidationError({"note": ValidationError(_("Write at most %(n)d characters."), code="too_long", params={"n": LONGEST_NOTE})})


def _wrong_address(
    application: Application, terms: Letters, address: str, rows: Sequence[Reference], standing: Sequence[Reference], is_sure: bool
) -> ValidationError | None:
    if address == application.applicant.email.lower():
        return ValidationError(_("This is your own address. Give the referee’s."), code="own")
    if any(row.address == address for row in standing):
        return _twice_said()
    if any(row.address == address and row.reason == "wrong_person" for row in rows):
        return ValidationError(
            _("Whoever reads mail at this address says that it is not your referee’s. Give another one."), code="unwanted"
        )
    if terms.is_institutional and is_free_mail(address) and not is_sure:
        said = _("This is an address of a free-mail service. Does the referee have one at the institution? Officers see the difference.")
        return ValidationError(said, code="free_mail")
    return None


def _too_many(terms: Letters) -> ValidationError:
    return ValidationError(_("At most %(n)d referees can be asked at once. Cancel one first."), code="too_many", params={"n": terms.most})


def _twice_said() -> ValidationError:
    return ValidationError(_("You have asked this address already. Two letters must come from two people."), code="twice")


def _twice() -> ValidationError:
    return ValidationError({"address": _twice_said()})


def _kept(by: Any, scan: tuple[IO[bytes], str] | None) -> DocumentVersion | None:
    if scan is None:
        return None
    try:
        return papers.add(by, Kind.LETTER, *scan, limits=LIMITS)
    except ValidationError as refused:
        raise ValidationError({"file": refused}) from None


@transaction.atomic
def _write(
    application: Application, terms: Letters, referee: Referee, address: str, scan: DocumentVersion | None, instead: Reference | None,
    by: Any, key: str | None, now: datetime,
) -> Reference:  # fmt: skip
    Application.objects.select_for_update().filter(pk=application.pk).first()  # two at once: one waits for the other's count
    standing = application.references.filter(state__in=STANDING)
    if instead is not None:
        standing = standing.exclude(pk=instead.pk)
    if standing.count() >= terms.most:
        raise _too_many(terms)
    if instead is not None and instead.state in WAITING:
        _close(instead, State.CANCELLED, now)
    openness = {Openness.CONFIDENTIAL: True, Openness.OPEN: False}.get(Openness(terms.openness), referee.is_confidential)
    reference = Reference.objects.create(
        application=application, way=Way.SCAN if scan else Way.LINK, scan=scan, name=referee.name.strip(), position=referee.position.strip(),
        institution=referee.institution.strip(), address=address, language=referee.language, note=referee.note.strip(),
        is_confidential=openness and scan is None, is_free_mail=is_free_mail(address), asked_at=now,
    )  # fmt: skip
    links.link_to(reference, at=now)
    record(
        ASKED, reference, by=by, key=event_key(application, key), at=now,
        application=application.code, way=reference.way, instead=instead.code if instead else None,
    )  # fmt: skip
    return reference


def _asked_with(application: Application, key: str | None) -> Reference | None:
    event = Event.objects.filter(key=event_key(application, key), name=ASKED).first() if key else None
    return Reference.objects.filter(code=event.subject_key).first() if event else None


def remind(reference: Reference, *, by: Any, at: datetime | None = None) -> Reference:
    """Write to the referee once more: once a day and three times in all.

    Raises:
        PermissionDenied: BY is not the applicant.
        ValidationError: ``too_soon``, ``too_many``, ``closed``, or ``wrong_state`` where nobody is waited for.
    """
    now = at or timezone.now()
    if not may_ask(by, reference.application):
        raise PermissionDenied
    _open_terms(reference.application, now)
    if not Reference.objects.needed().filter(pk=reference.pk).exists():
        raise ValidationError(_("This referee is not waited for."), code="wrong_state")
    if reference.reminders >= MOST_REMINDERS:
        raise ValidationError(
            _("You have reminded this referee three times. Another mail would not help; another person may."), code="too_many"
        )
    if now < next_reminder(reference):
        raise ValidationError(_("This referee has had a mail within the last day. Remind again tomorrow."), code="too_soon")
    with transaction.atomic():
        unchanged = Reference.objects.filter(pk=reference.pk, reminders=reference.reminders, state__in=WAITING)
        if unchanged.update(reminders=F("reminders") + 1, reminded_at=now):
            record(REMINDED, reference, by=by, at=now, application=reference.application.code, n=reference.reminders + 1)
    reference.refresh_from_db()
    return reference


def next_reminder(reference: Reference) -> datetime:
    """From when on the referee may be reminded."""
    return (reference.reminded_at or reference.asked_at) + BETWEEN_REMINDERS


def may_remind(reference: Reference, now: datetime) -> bool:
    return reference.state in WAITING and reference.reminders < MOST_REMINDERS and now >= next_reminder(reference)


def cancel(reference: Reference, *, by: Any, at: datetime | None = None) -> Reference:
    """Take the request back: its links open nothing any more, and the referee is told. A second time changes nothing.

    Raises:
        PermissionDenied: BY is not the applicant.
        ValidationError: ``wrong_state``: the letter is there, or the referee has declined.
    """
    if not may_ask(by, reference.application):
        raise PermissionDenied
    if reference.state == State.CANCELLED:
        return reference
    now = at or timezone.now()
    with transaction.atomic():
        _close(reference, State.CANCELLED, now)
        record(CANCELLED, reference, by=by, at=now, application=reference.application.code)
    return reference


def come_back(code: str, address: str, *, at: datetime | None = None) -> None:
    """A mail to the referee at ADDRESS could not be delivered: the request is open again, for another address or another person."""
    now = at or timezone.now()
    reference = Reference.objects.select_related("application").filter(code=code, address=address, state=State.ASKED).first()
    if reference is None:
        return
    with transaction.atomic():
        if Reference.objects.filter(pk=reference.pk, state=State.ASKED).update(state=State.BOUNCED):
            links.revoke(reference, at=now)
            record(BOUNCED, reference, at=now, application=reference.application.code)


def _close(reference: Reference, state: State, now: datetime, **fields: Any) -> None:
    """Take REFERENCE out of waiting, if it still waits, and close its links.

    Raises:
        ValidationError: code ``wrong_state``.
    """
    open_states = [*WAITING, State.BOUNCED] if state == State.CANCELLED else WAITING
    if not Reference.objects.filter(pk=reference.pk, state__in=open_states).update(state=state, **fields):
        raise ValidationError(_("This request does not wait any more. Reload the page."), code="wrong_state")
    links.revoke(reference, at=now)
    reference.refresh_from_db()
