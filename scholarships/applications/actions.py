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
from django.utils.translation import ngettext

from scholarships.applications import rules
from scholarships.applications.answers import split
from scholarships.applications.content import LEVEL, content_of, digest
from scholarships.applications.door import advance, advance_all, follow_body
from scholarships.applications.lifecycle import STARTED, face
from scholarships.applications.models import Answer, Application, Attachment, Choice, Revision, State
from scholarships.applications.once import event_key, once
from scholarships.applications.readiness import problems_in, verdicts_of
from scholarships.applications.reasons import RETURN_REASONS, WITHDRAWAL_REASONS
from scholarships.applications.repeating import repeat
from scholarships.applications.revisions import copy_revision, open_correction
from scholarships.calls.form import Section, form_of
from scholarships.calls.models import Call, is_open
from scholarships.documents.models import DocumentVersion
from scholarships.engine.eligibility import Outcome
from scholarships.events.actions import record
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
            repeat(application, {LEVEL: call.levels[0], **known} if len(call.levels) == 1 else known)
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
    if application.state == State.DRAFT:  # what has been handed in counts until the change is handed in too
        repeat(application, {**shown, **identity})
    return answer


def _changed_in_another_page() -> ValidationError:
    return ValidationError(_("This page was saved in another window or on another device since you opened it."), code="changed_meanwhile")


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
        raise too_many_files(asked.most)
    order = max((attachment.order for attachment in present), default=0) + 1
    return Attachment.objects.create(revision=revision, requirement=requirement, order=order, file=file)


def too_many_files(most: int) -> ValidationError:
    sentence = ngettext("Only one file fits here. Remove it first.", "At most %(most)d files fit here. Remove one first.", most)
    return ValidationError(sentence, code="too_many", params={"most": most})


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
    return once(application, key, lambda: _submit(application, by=by, key=key, now=at or timezone.now()))


def _submit(application: Application, *, by: Any, key: str | None, now: datetime) -> Application:
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
        if application.state != State.DRAFT:
            repeat(application, content.all_values)
        advance(
            application, "change" if is_change else "submit", by=by, key=event_key(application, key), at=now,
            data={"revision": revision.number, "sha256": sha256},
            revision=revision, version=revision.version, submitted_at=now, first_choice=first, note="", reason="", reopened=[], correct_by=None,
        )  # fmt: skip
        if is_change:
            follow_body(application, at=now)
    revision.handed_in_at, revision.sha256 = now, sha256
    return application


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
    return copy_revision(application, now)


@transaction.atomic
def drop_change(application: Application, *, by: Any) -> None:
    """Give up the open change; what was handed in stays as it is."""
    if not rules.may_act_as_applicant(by, application):
        raise PermissionDenied
    if application.state == State.SUBMITTED:
        application.revisions.filter(handed_in_at__isnull=True).delete()


def withdraw(application: Application, *, by: Any, reason: str = "", key: str | None = None, at: datetime | None = None) -> Application:
    """Take the application back, with a reason code of ``WITHDRAWAL_REASONS`` or none. The same KEY again changes nothing.

    Raises:
        PermissionDenied: BY is not the applicant.
        ValidationError: ``no_reason``: there is no such reason; ``wrong_state``: it is decided, or withdrawn already.
    """
    if reason and reason not in WITHDRAWAL_REASONS:
        raise ValidationError(_("Choose one of the reasons."), code="no_reason")
    return once(application, key, lambda: _withdraw(application, by=by, reason=reason, key=key, now=at or timezone.now()))


def _withdraw(application: Application, *, by: Any, reason: str, key: str | None, now: datetime) -> Application:
    if application.state == State.NOT_SELECTED and face(application, at=now).key != "under_consideration":
        raise ValidationError(_("This application is decided."), code="wrong_state")
    return advance(application, "withdraw", by=by, key=event_key(application, key), at=now, data={"reason": reason}, reason=reason)


@transaction.atomic
def reopen(application: Application, *, by: Any, at: datetime | None = None) -> Application:
    """Make a withdrawn application a draft again, until the deadline. It must then be submitted again."""
    now = at or timezone.now()
    if not is_open(application.call, now):
        raise ValidationError(_("The call has closed, so that this application cannot be opened again."), code="closed")
    advance(application, "reopen", by=by, at=now, reason="", note="", reopened=[], correct_by=None)
    repeat(application, content_of(application, copy_revision(application, now)).all_values)
    return application


# -- Deciding on eligibility -----------------------------------------------------


def decide_eligibility(
    application: Application,
    *,
    is_eligible: bool,
    criteria: Iterable[str] = (),
    note: str = "",
    by: Any,
    key: str | None = None,
    at: datetime | None = None,
) -> Application:
    """Find APPLICATION eligible, or not eligible because of CRITERIA (keys) for the reason NOTE, which the applicant reads at once.

    An officer may find eligible what the site would not; the event then names the criteria decided by hand.

    Raises:
        PermissionDenied: BY is not an officer of the call.
        ValidationError: at ``criteria`` with code ``no_criteria``, at ``note`` with ``no_reason``; or as ``door.advance``.
    """
    if is_eligible:
        findings = verdicts_of([application])[application.pk].findings
        by_hand = [finding.key for finding in findings if finding.hard and finding.outcome != Outcome.MET]
        move, data, fields = "find_eligible", {"by_hand": by_hand or None}, {}
    else:
        named = _named(application, criteria, note)
        move, data, fields = "find_ineligible", {"criteria": named}, {"note": note.strip(), "reason": named[0]}
    return once(application, key, lambda: advance(application, move, by=by, key=event_key(application, key), at=at, data=data, **fields))


def _named(application: Application, criteria: Iterable[str], note: str) -> list[str]:
    """Those of CRITERIA that the call has, where a reason stands beside them."""
    named = [criterion.rule.key for criterion in form_of(application.version).criteria if criterion.rule.key in set(criteria)]
    missing = {}
    if not named:
        missing["criteria"] = ValidationError(_("Say which criteria are not met."), code="no_criteria")
    if not note.strip():
        missing["note"] = ValidationError(_("Give the reason in words: the applicant reads it at once."), code="no_reason")
    if missing:
        raise ValidationError(missing)
    return named


def find_eligible(applications: Sequence[Application], *, by: Any, at: datetime | None = None) -> None:
    """Find eligible together those that meet every criterion: all or none, some hundred at most.

    Raises:
        ValidationError: ``by_hand``: one of them is to be decided on its own; or as ``door.advance_all``.
    """
    verdicts = verdicts_of(applications)
    for application in applications:
        if not verdicts[application.pk].is_eligible:
            raise ValidationError(_("%(code)s is to be decided on its own page."), code="by_hand", params={"code": application.code})
    advance_all(applications, "find_eligible", by=by, at=at)


# -- Giving back -----------------------------------------------------------------


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
        PermissionDenied: BY is neither an officer of the call nor acts for the body that has the file.
        ValidationError: ``no_reason``: it is none of ``RETURN_REASONS``; ``no_sections``, ``too_early``, ``wrong_state``.
    """
    now = at or timezone.now()
    open_sections = list(sections)
    if reason not in RETURN_REASONS:
        raise ValidationError(_("Choose one of the reasons."), code="no_reason")
    known = {section.key for section in form_of(application.version).sections}
    if not open_sections or not set(open_sections) <= known:
        raise ValidationError(_("Say which sections are to be corrected."), code="no_sections")
    if until <= now:
        raise ValidationError(_("Set a date in the future for the correction."), code="too_early")
    with transaction.atomic():
        advance(
            application, "return", by=by, key=event_key(application, key), at=now,
            data={"reason": reason, "sections": open_sections, "until": until},
            reason=reason, note=note, reopened=open_sections, correct_by=until,
        )  # fmt: skip
        open_correction(application, open_sections, now)
    return application
