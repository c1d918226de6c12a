"""What the referee does, without an account: opens, writes, sends, releases, confirms a scan, declines."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import IO, Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.base import File
from django.db import IntegrityError, transaction
from django.db.models import F, Max
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from scholarships.applications.content import OWN_SCRIPT, content_of
from scholarships.applications.models import State as ApplicationState
from scholarships.documents import actions as papers
from scholarships.documents.models import Document, DocumentVersion, Kind
from scholarships.events.actions import record
from scholarships.events.names import declare
from scholarships.people.models import Role
from scholarships.references import links
from scholarships.references.actions import LIMITS
from scholarships.references.dates import due_of
from scholarships.references.masking import masked
from scholarships.references.models import DECLINE_REASONS, WAITING, Letter, Link, LinkPurpose, Reference, State, Way
from scholarships.references.prints import keep_prints
from scholarships.references.rules import may_read_letter

OPENED = declare("reference.opened", "Referee opened the request", "application")
PREPARED = declare("reference.prepared", "Letter prepared for the referee to release", "application")
RECEIVED = declare("reference.received", "Letter of a referee received", "application")
RENEWED = declare("reference.renewed", "Letter of a referee replaced", "application")
DECLINED = declare("reference.declined", "Referee declined", "application", "reason")
READ = declare("reference.read", "Letter of a referee read", "application")
LISTED = declare("reference.listed", "Link to all requests to one address asked for")

ACTOR = "referee"
LONGEST = 20_000  # characters of a letter
MOST_LISTS = 3  # links to the list of one address within a day


def require_writable(reference: Reference, *, now: datetime) -> None:
    """Refuse where no letter is taken (any more).

    Raises:
        ValidationError: ``closed``, ``not_needed`` or ``not_open``.
    """
    if reference.state not in (*WAITING, State.RECEIVED) or reference.application.state == ApplicationState.WITHDRAWN:
        raise ValidationError(_("This request is closed: no letter is needed."), code="not_open")
    if now > due_of(reference.application):
        raise ValidationError(_("The time for this letter is over. Please write to the office if it matters."), code="closed")
    if not is_needed(reference):
        raise ValidationError(_("Thank you: enough letters have arrived, and yours is no longer needed."), code="not_needed")


def is_needed(reference: Reference) -> bool:
    """Whether a letter is still waited for, or was given and may be replaced."""
    if reference.state == State.RECEIVED:
        return True
    received = Reference.objects.filter(application=reference.application_id, state=State.RECEIVED).count()
    return received < reference.terms.wanted


def note_opened(reference: Reference, *, at: datetime | None = None) -> None:
    """The referee has pressed a button of the page: a mail scanner, which only fetches, has not."""
    now = at or timezone.now()
    if reference.state != State.ASKED:
        return
    with transaction.atomic():
        if Reference.objects.filter(pk=reference.pk, state=State.ASKED).update(state=State.OPENED, opened_at=now):
            record(OPENED, reference, actor=ACTOR, at=now, application=reference.application.code)
    reference.refresh_from_db(fields=["state", "opened_at"])


def draft_of(reference: Reference) -> Letter | None:
    return Letter.objects.select_related("file__document").filter(reference=reference, sent_at__isnull=True).first()


def sent_of(reference: Reference) -> Letter | None:
    """The letter that counts."""
    rows = Letter.objects.select_related("file__document").filter(reference=reference, sent_at__isnull=False)
    return rows.order_by("-number").first()


# -- Writing ---------------------------------------------------------------------


def save(
    reference: Reference,
    *,
    text: str,
    known: str = "",
    ratings: Mapping[str, int | None] | None = None,
    upload: tuple[IO[bytes], str] | None = None,
    drops_file: bool = False,
    known_version: int | None,
    at: datetime | None = None,
) -> Letter:
    """Keep what was written so far; nothing is sent.

    Args:
        upload: content and name of the letter as a file; it takes the place of an earlier one.
        known_version: the version that the page showed, 0 for none; None, from a machine that saves by itself, is never right.

    Raises:
        ValidationError: at ``file`` or ``text``; ``changed_meanwhile``; or as ``require_writable``.
    """
    now = at or timezone.now()
    require_writable(reference, now=now)
    note_opened(reference, at=now)
    if len(text) > LONGEST:
        raise ValidationError(
            {"text": ValidationError(_("A letter has at most %(n)d characters here. Attach it as a file."), params={"n": LONGEST})}
        )
    draft = draft_of(reference)
    if (draft.version if draft else 0) != known_version:
        raise _changed_meanwhile()
    wanted = {line.key for line in reference.terms.ratings}
    fields: dict[str, Any] = {
        "text": text.strip(), "known": known, "ratings": {key: mark for key, mark in (ratings or {}).items() if key in wanted},
        "saved_at": now, "prepared_at": None,
    }  # fmt: skip
    before = draft.file if draft else None
    if upload is not None:
        fields |= _file_fields(*upload)
    elif drops_file:
        fields |= {"file": None, "extract": ""}
    try:
        letter = _write(reference, draft, fields)
    except ValidationError:
        if upload is not None:
            papers.discard(fields["file"].document)
        raise
    if before is not None and "file" in fields:
        _throw_away(before)
    return letter


def _file_fields(content: IO[bytes], name: str) -> dict[str, Any]:
    try:
        version = papers.add(None, Kind.LETTER, content, name, limits=LIMITS)
    except ValidationError as refused:
        raise ValidationError({"file": refused}) from None
    return {"file": version, "extract": papers.words_of(version)}


def _write(reference: Reference, draft: Letter | None, fields: dict[str, Any]) -> Letter:
    """The draft with FIELDS, if it is still what it was."""
    if draft is None:
        number = (Letter.objects.filter(reference=reference).aggregate(last=Max("number"))["last"] or 0) + 1
        try:
            with transaction.atomic():
                return Letter.objects.create(reference=reference, number=number, **fields)
        except IntegrityError:
            raise _changed_meanwhile() from None
    unchanged = Letter.objects.filter(pk=draft.pk, version=draft.version, sent_at__isnull=True)
    if not unchanged.update(version=F("version") + 1, **fields):
        raise _changed_meanwhile()
    draft.refresh_from_db()
    return draft


def _changed_meanwhile() -> ValidationError:
    return ValidationError(_("This letter was saved or sent in another window since you opened the page."), code="changed_meanwhile")


def _throw_away(version: DocumentVersion) -> None:
    """Delete a file that no letter holds any more; an applicant's own scan stays in the library."""
    document = Document.objects.get(pk=version.document_id)
    if document.owner_id is None and not Letter.objects.filter(file__document=document).exists():
        papers.discard(document)


# -- Sending ---------------------------------------------------------------------


def lacking(reference: Reference, letter: Letter | None) -> dict[str, ValidationError]:
    """What LETTER lacks before it can be sent: field -> why."""
    wrong: dict[str, ValidationError] = {}
    if letter is None or not (letter.text or letter.file_id):
        wrong["text"] = ValidationError(_("Attach the letter, or paste it here."), code="required")
    given = letter.ratings if letter else {}
    for line in reference.terms.ratings:
        if line.key not in given:
            said = _("Choose a level for “%(title)s”, or say that you cannot tell.")
            wrong[f"rating-{line.key}"] = ValidationError(said, code="required", params={"title": line.title})
    return wrong


def send(reference: Reference, *, at: datetime | None = None) -> Letter:
    """Hand in what was saved. Sent twice, it counts once.

    Raises:
        ValidationError: at each field that is lacking; or as ``require_writable``.
    """
    now = at or timezone.now()
    draft = draft_of(reference)
    if draft is None and (done := sent_of(reference)):
        return done
    require_writable(reference, now=now)
    if wrong := lacking(reference, draft):
        raise ValidationError(wrong)
    assert draft is not None
    return _receive(reference, draft, now)


def _receive(reference: Reference, draft: Letter, now: datetime) -> Letter:
    """DRAFT counts from now on, and what counted before is deleted."""
    is_first, names = reference.state != State.RECEIVED, _names(reference)
    earlier = list(Letter.objects.filter(reference=reference, sent_at__isnull=False).select_related("file"))
    with transaction.atomic():
        fresh = Letter.objects.filter(pk=draft.pk, version=draft.version, sent_at__isnull=True)
        if not fresh.update(sent_at=now, masked=masked(draft.text, names)):
            raise _changed_meanwhile()
        if is_first and not Reference.objects.filter(pk=reference.pk, state__in=WAITING).update(state=State.RECEIVED, answered_at=now):
            raise _changed_meanwhile()
        Letter.objects.filter(pk__in=[letter.pk for letter in earlier]).delete()
        draft.sent_at = now
        keep_prints(draft)
        record(RECEIVED if is_first else RENEWED, reference, actor=ACTOR, at=now, application=reference.application.code)
    for letter in earlier:
        if letter.file is not None:
            _throw_away(letter.file)
    reference.refresh_from_db(fields=["state", "answered_at"])
    return draft


def _names(reference: Reference) -> list[str]:
    """What the applicant and the referee are called, in all scripts that are known."""
    application = reference.application
    own_script = content_of(application).all_values.get(OWN_SCRIPT, "")
    return [name for name in (application.name, application.applicant.name, str(own_script or ""), reference.name) if name]


def prepare(reference: Reference, *, at: datetime | None = None) -> Letter:
    """Somebody else has the letter ready: the referee gets a mail by which to release it.

    Raises:
        ValidationError: as ``send``.
    """
    now = at or timezone.now()
    require_writable(reference, now=now)
    draft = draft_of(reference)
    if wrong := lacking(reference, draft):
        raise ValidationError(wrong)
    assert draft is not None
    with transaction.atomic():
        if not Letter.objects.filter(pk=draft.pk, version=draft.version, sent_at__isnull=True).update(prepared_at=now):
            raise _changed_meanwhile()
        links.link_to(reference, LinkPurpose.RELEASE, at=now)
        record(PREPARED, reference, actor=ACTOR, at=now, application=reference.application.code)
    draft.prepared_at = now
    return draft


def release(reference: Reference, *, known_version: int | None, at: datetime | None = None) -> Letter:
    """Send what was prepared, if it is still what the referee saw on the page.

    Raises:
        ValidationError: ``changed_meanwhile``; or as ``send``.
    """
    draft = draft_of(reference)
    if draft is not None and (draft.prepared_at is None or draft.version != known_version):
        raise _changed_meanwhile()
    return send(reference, at=at)


def confirm_scan(reference: Reference, *, at: datetime | None = None) -> Letter:
    """The referee says that the scan which the applicant has uploaded is their letter. A second time changes nothing.

    Raises:
        PermissionDenied: there is no scan to confirm.
        ValidationError: as ``require_writable``.
    """
    now = at or timezone.now()
    if reference.way != Way.SCAN or reference.scan is None:
        raise PermissionDenied
    if done := sent_of(reference):
        return done
    require_writable(reference, now=now)
    draft = draft_of(reference) or _write(
        reference, None, {"text": "", "file": reference.scan, "extract": papers.words_of(reference.scan), "saved_at": now}
    )
    return _receive(reference, draft, now)


def use_again(reference: Reference, earlier: Letter, *, known_version: int | None, at: datetime | None = None) -> Letter:
    """Take the words and the file of EARLIER, sent by the same address about the same applicant, as the draft here.

    Raises:
        PermissionDenied: it is another address or another applicant.
    """
    source = earlier.reference
    if (
        source.address != reference.address
        or source.application.applicant_id != reference.application.applicant_id
        or earlier.sent_at is None
        or source.way != Way.LINK
    ):
        raise PermissionDenied
    if earlier.file is None:
        return save(reference, text=earlier.text, known=earlier.known, known_version=known_version, at=at)
    with earlier.file.original.open("rb") as content:
        return save(
            reference, text=earlier.text, known=earlier.known, upload=(File(content), earlier.file.name), known_version=known_version, at=at
        )  # fmt: skip


def reusable(reference: Reference) -> list[Letter]:
    """Letters that the same address has sent about the same applicant."""
    rows = Letter.objects.filter(
        sent_at__isnull=False, reference__address=reference.address, reference__application__applicant=reference.application.applicant_id,
        reference__way=Way.LINK,
    )  # fmt: skip
    return list(rows.exclude(reference=reference).select_related("reference__application__call", "file").order_by("-sent_at")[:3])


# -- Not writing -----------------------------------------------------------------


def decline(reference: Reference, *, reason: str, words: str = "", colleague: str = "", at: datetime | None = None) -> Reference:
    """Say no, for a reason of ``DECLINE_REASONS``. WORDS stay with the officers; COLLEAGUE, a name, goes to the applicant.

    Raises:
        ValidationError: ``no_reason``; ``wrong_state``: it is answered already.
    """
    now = at or timezone.now()
    if reason not in DECLINE_REASONS:
        raise ValidationError({"reason": ValidationError(_("Choose one of the reasons."), code="no_reason")})
    if reference.state == State.DECLINED:
        return reference
    with transaction.atomic():
        open_now = Reference.objects.filter(pk=reference.pk, state__in=WAITING)
        if not open_now.update(
            state=State.DECLINED, reason=reason, words=words.strip()[:2000], colleague=colleague.strip()[:200], answered_at=now
        ):
            raise ValidationError(_("This request is answered already."), code="wrong_state")
        links.revoke(reference, at=now)
        record(DECLINED, reference, actor=ACTOR, at=now, application=reference.application.code, reason=reason)
    for draft in Letter.objects.filter(reference=reference, sent_at__isnull=True).select_related("file"):
        draft.delete()
        if draft.file is not None:
            _throw_away(draft.file)
    reference.refresh_from_db()
    return reference


# -- Finding, reading ------------------------------------------------------------


def send_list(address: str, *, at: datetime | None = None) -> Link | None:
    """Send a link to all requests that went to ADDRESS, there alone. None, and no mail, where none did or enough were sent today."""
    now = at or timezone.now()
    address = address.strip().lower()
    last = Reference.objects.filter(address=address).exclude(reason="wrong_person").order_by("-pk").first()
    today = Link.objects.filter(address=address, purpose=LinkPurpose.LIST, made_at__gt=now - links.LIST_FOR).count()
    if last is None or today >= MOST_LISTS:
        return None
    with transaction.atomic():
        link = links.list_link(address, last.language, at=now)
        record(LISTED, link, actor=ACTOR, at=now)
    return link


def requests_to(address: str) -> list[Reference]:
    """All requests that went to ADDRESS, the newest first."""
    rows = Reference.objects.filter(address=address).exclude(state=State.CANCELLED)
    return list(rows.select_related("application__call", "application__version", "application__applicant").order_by("-pk")[:50])


def note_reading(letter: Letter, *, by: Any, at: datetime | None = None) -> None:
    """Write down that BY, an officer, reads LETTER.

    Raises:
        PermissionDenied: it is not for BY.
    """
    if not may_read_letter(by, letter):
        raise PermissionDenied
    if letter.reference.application.applicant_id != by.pk:
        record(READ, letter.reference, by=by, actor=Role.OFFICER, at=at, application=letter.reference.application.code)
