"""What people do with an application: start, fill in, hand in, change, withdraw, give back.

Its state changes through ``door.advance`` alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from scholarships.applications import rules
from scholarships.applications.answers import split
from scholarships.applications.content import CITIZENSHIP, FAMILY_NAME, GIVEN_NAMES, HOME, LEVEL, OWN_SCRIPT, content_of, digest
from scholarships.applications.door import advance
from scholarships.applications.lifecycle import STARTED, face
from scholarships.applications.models import Answer, Application, Attachment, Choice, Revision, State
from scholarships.applications.readiness import problems_in
from scholarships.calls.form import Section, form_of
from scholarships.calls.models import Call, is_open
from scholarships.documents.models import DocumentVersion
from scholarships.events.actions import record
from scholarships.events.models import Event
from scholarships.partners.models import Country, Institution
from scholarships.programmes.models import Programme

# -- Writing ---------------------------------------------------------------------


def start(call: Call, *, by: Any, answers: Mapping[str, Any] | None = None, at: datetime | None = None) -> Application:
    """Start an application of BY to CALL, prefilled with ANSWERS (question key -> value); a second start gives the first.

    Raises:
        ValidationError: code ``closed``: the call takes no applications now.
    """
    now = at or timezone.now()
    existing = Application.objects.filter(call=call, applicant=by).first()
    if existing:
        return existing
    if not is_open(call, now) or call.version is None:
        raise ValidationError(_("This call takes no applications now."), code="closed")
    known = {key: value for key, value in (answers or {}).items() if value not in (None, "")}
    try:
        with transaction.atomic():
            application = Application.objects.create(call=call, version=call.version, applicant=by, started_at=now, moved_at=now)
            revision = Revision.objects.create(application=application, version=call.version, number=1, opened_at=now)
            for section in form_of(call.version).sections:
                prefilled = {question.key: known[question.key] for question in section.questions if question.key in known}
                if prefilled:
                    values, identity = split(section, prefilled)
                    Answer.objects.create(revision=revision, section=section.key, values=values, identity=identity, saved_at=now)
            _repeat(application, {LEVEL: call.levels[0], **known} if len(call.levels) == 1 else known)
            record(STARTED, application, by=by, at=now)
    except IntegrityError:  # two starts at once: the first one counts
        return Application.objects.get(call=call, applicant=by)
    return application


def require_writable(application: Application, section: str | None, *, by: Any, now: datetime) -> Revision:
    """The revision that BY may write now.

    Raises:
        PermissionDenied: BY is not the applicant.
        ValidationError: code ``closed`` after the deadline, ``not_open`` where this section may not be changed.
    """
    if not rules.may_act_as_applicant(by, application):
        raise PermissionDenied
    if application.state == State.RETURNED:
        if application.correct_by and now > application.correct_by:
            raise ValidationError(_("The time for this correction is over."), code="closed")
        if section is not None and application.reopened and section not in application.reopened:
            raise ValidationError(_("Only the sections named in the message are open for correction."), code="not_open")
    elif application.state not in {State.DRAFT, State.SUBMITTED}:
        raise ValidationError(_("This application can no longer be changed."), code="not_open")
    elif not is_open(application.call, now):
        raise ValidationError(_("The call has closed. What you saved is kept, but nothing can be changed any more."), code="closed")
    revision = application.revisions.select_related("version").filter(handed_in_at__isnull=True).first()
    if revision is None:
        raise ValidationError(_("Open your application for a change first."), code="not_open")
    return revision


@transaction.atomic
def save_answers(
    application: Application,
    section: Section,
    values: Mapping[str, Any],
    *,
    is_done: bool,
    known_version: int,
    by: Any,
    at: datetime | None = None,
) -> Answer:
    """Keep what was typed in SECTION.

    Args:
        known_version: the version that the page showed, 0 for none.

    Raises:
        ValidationError: code ``changed_meanwhile``: another page has saved since; nothing is overwritten.
    """
    now = at or timezone.now()
    revision = require_writable(application, section.key, by=by, now=now)
    shown, identity = split(section, values)
    if known_version == 0:
        try:
            with transaction.atomic():
                answer = Answer.objects.create(
                    revision=revision, section=section.key, values=shown, identity=identity, is_done=is_done, saved_at=now
                )
        except IntegrityError:
            raise _changed_in_another_page() from None
    else:
        row = Answer.objects.filter(revision=revision, section=section.key, version=known_version)
        if not row.update(values=shown, identity=identity, is_done=is_done, saved_at=now, version=F("version") + 1):
            raise _changed_in_another_page()
        answer = Answer.objects.get(revision=revision, section=section.key)
    _repeat(application, {**shown, **identity})
    return answer


def _changed_in_another_page() -> ValidationError:
    return ValidationError(_("This page was saved in another window or on another device since you opened it."), code="changed_meanwhile")


def _repeat(application: Application, values: Mapping[str, Any]) -> None:
    """Write down on the application what lists and quotas need of VALUES."""
    fields: dict[str, Any] = {}
    if LEVEL in values:
        fields["level"] = values[LEVEL] or ""
    if CITIZENSHIP in values:
        fields["country"] = Country.objects.filter(pk=values[CITIZENSHIP] or "").first()
    if HOME in values:
        fields["home"] = Institution.objects.filter(code=values[HOME] or "").first()
    if FAMILY_NAME in values or GIVEN_NAMES in values:
        family, given, own = (str(values.get(key) or "").strip() for key in (FAMILY_NAME, GIVEN_NAMES, OWN_SCRIPT))
        name = " ".join(part for part in (given, family) if part)
        fields["name"] = name[:200]
        fields["search"] = " ".join([name, f"{family} {given}", own, application.code]).casefold()[:400]
        fields["sort_key"] = " ".join([family or given, given]).casefold()[:120]
    if fields:
        for field, value in fields.items():
            setattr(application, field, value)
        application.save(update_fields=list(fields))


@transaction.atomic
def set_choices(application: Application, programmes: Sequence[Programme], *, by: Any, at: datetime | None = None) -> None:
    """Set the ranked choices, best first.

    Raises:
        ValidationError: ``too_many``, ``twice`` or ``not_in_call``.
    """
    revision = require_writable(application, "choices", by=by, now=at or timezone.now())
    if len(programmes) > application.call.choices_max:
        raise ValidationError(
            _("This call takes at most %(most)d choices."), code="too_many", params={"most": application.call.choices_max}
        )
    pks = [programme.pk for programme in programmes]
    if len(set(pks)) < len(pks):
        raise ValidationError(_("You have chosen this programme already."), code="twice")
    if application.call.programmes.filter(pk__in=pks).count() != len(pks):
        raise ValidationError(_("This programme is not part of the call."), code="not_in_call")
    revision.choices.all().delete()
    Choice.objects.bulk_create(
        Choice(revision=revision, rank=rank, programme=programme) for rank, programme in enumerate(programmes, start=1)
    )


@transaction.atomic
def attach(application: Application, requirement: str, file: DocumentVersion, *, by: Any, at: datetime | None = None) -> Attachment:
    """Hand in FILE, one of BY's own, for the REQUIREMENT of the call.

    Raises:
        ValidationError: ``too_many`` files for it; ``not_asked``: the call does not ask for it.
    """
    revision = require_writable(application, "documents", by=by, now=at or timezone.now())
    asked = form_of(revision.version).requirement(requirement)
    if asked is None or file.document.owner_id != by.pk:
        raise ValidationError(_("The call does not ask for this paper."), code="not_asked")
    present = list(revision.attachments.filter(requirement=requirement).order_by("order"))
    for attachment in present:
        if attachment.file.document_id == file.document_id:  # a newer version of the same paper takes its place
            attachment.file = file
            attachment.save(update_fields=["file"])
            return attachment
    if len(present) >= asked.most:
        raise ValidationError(_("At most %(most)d files fit here. Remove one first."), code="too_many", params={"most": asked.most})
    order = max((attachment.order for attachment in present), default=0) + 1
    return Attachment.objects.create(revision=revision, requirement=requirement, order=order, file=file)


@transaction.atomic
def detach(application: Application, attachment: Attachment, *, by: Any, at: datetime | None = None) -> None:
    """Take a paper out of the application; it stays in the person's library."""
    revision = require_writable(application, "documents", by=by, now=at or timezone.now())
    revision.attachments.filter(pk=attachment.pk).delete()


# -- Handing in ------------------------------------------------------------------


def submit(application: Application, *, by: Any, key: str | None = None, at: datetime | None = None) -> Application:
    """Hand in the open revision: freeze it, hash it, enter the first step (or the one that returned the file).

    The same KEY a second time, and a second submission of what is handed in already, change nothing.

    Raises:
        PermissionDenied: BY is not the applicant.
        ValidationError: ``closed`` after the deadline and its grace; ``incomplete`` with all that is missing.
    """
    now = at or timezone.now()
    if _is_done(application, key):
        return application
    revision = require_writable(application, None, by=by, now=now)
    content = content_of(application, revision)
    problems = problems_in(content)
    if problems:
        raise ValidationError([ValidationError(problem.message, code="incomplete") for problem in problems])
    sha256 = digest(content)
    is_change = application.state == State.SUBMITTED
    first = content.choices[0].programme if content.choices else None
    with transaction.atomic():
        frozen = Revision.objects.filter(pk=revision.pk, handed_in_at__isnull=True)
        if not frozen.update(handed_in_at=now, sha256=sha256):
            raise ValidationError(_("This has already been handed in."), code="already_done")
        advance(
            application, "change" if is_change else "submit", by=by, key=_key(application, key), at=now,
            data={"revision": revision.number, "sha256": sha256},
            revision=revision, version=revision.version, submitted_at=now, first_choice=first, note="", reason="", reopened=[], correct_by=None,
        )  # fmt: skip
    revision.handed_in_at, revision.sha256 = now, sha256
    return application


def _key(application: Application, key: str | None) -> str | None:
    return f"{application.code}:{key}"[:120] if key else None


def _is_done(application: Application, key: str | None) -> bool:
    """Whether the act with this KEY has been done: a page was sent twice."""
    return key is not None and Event.objects.filter(key=_key(application, key)).exists()


@transaction.atomic
def open_change(application: Application, *, by: Any, at: datetime | None = None) -> Revision:
    """Open the next revision as a copy of the last; the handed-in one stays valid until the new one is handed in.

    Raises:
        ValidationError: ``closed`` after the deadline; ``not_open`` when the first step has begun.
    """
    now = at or timezone.now()
    if not rules.may_act_as_applicant(by, application):
        raise PermissionDenied
    if application.state not in {State.DRAFT, State.SUBMITTED, State.RETURNED}:
        raise ValidationError(_("This application can no longer be changed."), code="not_open")
    if application.state == State.SUBMITTED and not is_open(application.call, now):
        raise ValidationError(_("The call has closed: what you handed in counts."), code="closed")
    return _copy_revision(application, now)


def _copy_revision(application: Application, now: datetime) -> Revision:
    last = application.revisions.order_by("-number").first()
    assert last is not None, "an application always has a revision"
    if last.handed_in_at is None:
        return last
    version = application.call.version or last.version
    revision = Revision.objects.create(application=application, version=version, number=last.number + 1, opened_at=now)
    Answer.objects.bulk_create(
        Answer(revision=revision, section=row.section, values=row.values, identity=row.identity, is_done=row.is_done, saved_at=now)
        for row in last.answers.all()
    )
    Choice.objects.bulk_create(Choice(revision=revision, rank=row.rank, programme_id=row.programme_id) for row in last.choices.all())
    Attachment.objects.bulk_create(
        Attachment(revision=revision, requirement=row.requirement, order=row.order, file_id=row.file_id) for row in last.attachments.all()
    )
    return revision


@transaction.atomic
def drop_change(application: Application, *, by: Any) -> None:
    """Give up the open change; what was handed in stays as it is."""
    if not rules.may_act_as_applicant(by, application):
        raise PermissionDenied
    if application.state == State.SUBMITTED:
        application.revisions.filter(handed_in_at__isnull=True).delete()


def withdraw(application: Application, *, by: Any, reason: str = "", key: str | None = None, at: datetime | None = None) -> Application:
    """Take the application back, with a reason code of ``WITHDRAWAL_REASONS`` or none."""
    now = at or timezone.now()
    if application.state == State.NOT_SELECTED and face(application, at=now).key != "under_consideration":
        raise ValidationError(_("This application is decided."), code="wrong_state")
    return advance(application, "withdraw", by=by, key=_key(application, key), at=now, data={"reason": reason}, reason=reason)


WITHDRAWAL_REASONS = {
    "other_offer": _("I have another offer"),
    "plans": _("My plans have changed"),
    "money": _("I cannot pay what is not covered"),
    "mistake": _("I applied by mistake"),
    "no_reason": _("I would rather not say"),
}


@transaction.atomic
def reopen(application: Application, *, by: Any, at: datetime | None = None) -> Application:
    """Make a withdrawn application a draft again, until the deadline. It must then be submitted again."""
    now = at or timezone.now()
    if not is_open(application.call, now):
        raise ValidationError(_("The call has closed, so that this application cannot be opened again."), code="closed")
    advance(application, "reopen", by=by, at=now, reason="")
    _copy_revision(application, now)
    return application


def give_back(
    application: Application,
    *,
    by: Any,
    reason: str,
    sections: Iterable[str],
    until: datetime,
    note: str = "",
    key: str | None = None,
    at: datetime | None = None,
) -> Application:
    """Return the file to the applicant: only SECTIONS are open for correction, UNTIL a date.

    Raises:
        ValidationError: ``no_sections``, ``too_early``.
    """
    now = at or timezone.now()
    open_sections = list(sections)
    known = {section.key for section in form_of(application.version).sections}
    if not open_sections or not set(open_sections) <= known:
        raise ValidationError(_("Say which sections are to be corrected."), code="no_sections")
    if until <= now:
        raise ValidationError(_("Set a date in the future for the correction."), code="too_early")
    with transaction.atomic():
        advance(
            application, "return", by=by, key=_key(application, key), at=now,
            data={"reason": reason, "sections": open_sections, "until": until},
            reason=reason, note=note, reopened=open_sections, correct_by=until,
        )  # fmt: skip
        _copy_revision(application, now)
    return application


RETURN_REASONS = {
    "unreadable": _("A page cannot be read"),
    "expired": _("A paper has expired"),
    "wrong_paper": _("This is not the paper asked for"),
    "names_differ": _("Names differ between papers"),
    "incomplete": _("Something is missing"),
    "other": _("Something else"),
}
