"""A body checks its candidates, ranks them and sends its list, within its places."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from scholarships.applications.actions import give_back
from scholarships.applications.door import advance, advance_all
from scholarships.applications.lifecycle import NOT_NOMINATED
from scholarships.applications.models import Stage
from scholarships.calls.models import Call, StepKind
from scholarships.documents import actions as papers
from scholarships.documents.models import DocumentVersion
from scholarships.events.actions import record, record_many
from scholarships.events.models import Event
from scholarships.events.names import declare
from scholarships.nominations.lists import BodyList, acting, list_of, what_blocks
from scholarships.nominations.models import Nomination, SentList, Standing
from scholarships.nominations.rules import may_decide, may_prepare
from scholarships.partners.models import Institution
from scholarships.people.rules import deciding_institutions_of, institutions_of
from scholarships.quotas import actions as quotas

LIST_SENT = declare("nomination.list_sent", "The list of a body was sent", "call", "body", "nominated", "reserve")
CHECKED = declare("nomination.checked", "A file was checked by a body", "body", "standing")

ACTOR = "nominating body"
ONE_READING = timedelta(hours=1)  # who turns pages for so long has opened a paper once


def take_in(user: Any, *, at: datetime | None = None) -> int:
    """Make a row for each file that has come to a body of USER since. Runs at every look, and does nothing mostly."""
    fresh = Stage.objects.filter(
        kind=StepKind.NOMINATION, left_at__isnull=True, nomination__isnull=True, body__code__in=institutions_of(user)
    )
    rows = [
        Nomination(call_id=call, application_id=application, stage_id=stage, body_id=body, updated_at=at or timezone.now())
        for stage, application, call, body in fresh.order_by("pk").values_list("pk", "application_id", "application__call_id", "body_id")
    ]
    if rows:
        Nomination.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)
    return len(rows)


# -- One file --------------------------------------------------------------------


def _open(nomination: Nomination, by: Any, rule: Any = may_decide) -> None:
    if not rule(by, nomination):
        raise PermissionDenied
    if not nomination.is_at_hand:
        raise ValidationError(_("This file is no longer with you."), code="wrong_state")


def _changed_meanwhile() -> ValidationError:
    return ValidationError(
        _("Someone else has just changed this list. Look at it again and repeat what you wanted."), code="changed_meanwhile"
    )


def is_done(nomination: Nomination, key: str | None) -> bool:
    """Whether the act with this KEY has been done: a page was sent twice."""
    return key is not None and Event.objects.filter(key=_event_key(nomination, key)).exists()


def _event_key(nomination: Nomination, key: str | None) -> str | None:
    return f"{nomination.application.code}:{key}"[:120] if key else None


def read_paper(nomination: Nomination, file: DocumentVersion, *, by: Any, at: datetime | None = None) -> None:
    """Write down that BY reads a paper of the file: once an hour, however many of its pages are looked at."""
    now = at or timezone.now()
    code = nomination.application.code
    same = {"data__version": file.number, "data__application": code}
    lately = Event.objects.about(file.document).filter(name=papers.OPENED, by=by, at__gt=now - ONE_READING, **same)
    if not lately.exists():
        papers.opened(file, by=by, actor=ACTOR, application=code)


@transaction.atomic
def save_checks(nomination: Nomination, checks: Mapping[str, str], comment: str, *, by: Any, known: datetime | None = None) -> None:
    """Keep what was ticked, without deciding: every member of the body may.

    Args:
        known: ``updated_at`` of the file as the page showed it; None saves in any case.

    Raises:
        ValidationError: ``changed_meanwhile``: somebody else has saved the file since; nothing is overwritten.
    """
    _open(nomination, by, may_prepare)
    row = Nomination.objects.at_hand().filter(pk=nomination.pk)
    if known is not None:
        row = row.filter(updated_at=known)
    now = timezone.now()
    if row.update(checks=dict(checks), comment=comment, decided_by=by, updated_at=now):
        nomination.checks, nomination.comment, nomination.decided_by, nomination.updated_at = dict(checks), comment, by, now
        return
    nomination.refresh_from_db(fields=["checks", "comment", "updated_at"])
    if (nomination.checks, nomination.comment) != (dict(checks), comment):  # the same page sent twice is no conflict
        raise ValidationError(_("Somebody has saved this file since you opened the page."), code="changed_meanwhile")


def put_on_list(nomination: Nomination, standing: str, *, by: Any) -> Nomination:
    """Put the file at the end of the nominated or of the reserve list.

    Raises:
        ValidationError: ``wrong_state``, ``changed_meanwhile`` or ``sent_already``.
    """
    put_all_on_list([nomination], standing, by=by)
    return nomination


@transaction.atomic
def put_all_on_list(nominations: Sequence[Nomination], standing: str, *, by: Any) -> int:
    """Put files of one call and body at the end of the nominated or of the reserve list, in this order; all or none.

    Gives how many have moved; a file that is on this list already stays where it is.
    """
    for nomination in nominations:
        _open(nomination, by)
    moving = [nomination for nomination in nominations if nomination.standing != standing]
    if not moving:
        return 0
    first, now = moving[0], timezone.now()
    lock_lists(first.body_id)
    if SentList.objects.standing().filter(call=first.call_id, body=first.body_id, step=first.stage.step).exists():
        raise ValidationError(
            _(
                "Your list has been sent, so that nobody can be put on it any more. You can still tell the applicant that you do not nominate."
            ),
            code="sent_already",
        )
    last = _list(first, standing).aggregate(last=Max("rank"))["last"] or 0
    before = {nomination.standing for nomination in moving}
    for old in before:
        pks = [nomination.pk for nomination in moving if nomination.standing == old]
        looked = {"updated_at": now} if old == Standing.TO_CHECK else {}
        unchanged = Nomination.objects.at_hand().filter(pk__in=pks, standing=old)
        if unchanged.update(standing=standing, rank=last + 1, decided_by=by, **looked) != len(pks):
            raise _changed_meanwhile()
    for rank, nomination in enumerate(moving, start=last + 1):
        if nomination.standing == Standing.TO_CHECK:
            nomination.updated_at = now
        nomination.standing, nomination.rank, nomination.decided_by = standing, rank, by
    Nomination.objects.bulk_update(moving[1:], ["rank"], batch_size=500)
    for old in before - {Standing.TO_CHECK}:
        _renumber(first, old)
    data = {nomination.application.code: {"body": nomination.body.code, "standing": standing} for nomination in moving}
    record_many(CHECKED, [nomination.application for nomination in moving], by=by, actor=ACTOR, data=data)
    return len(moving)


def lock_lists(body: int) -> None:
    """Changes of the lists of BODY wait for each other; only the database of a server needs it, SQLite has one writer."""
    Institution.objects.select_for_update(no_key=True).get(pk=body)


def _list(nomination: Nomination, standing: str) -> Any:
    return Nomination.objects.at_hand().filter(call=nomination.call_id, body=nomination.body_id, standing=standing)


def _renumber(nomination: Nomination, standing: str, order: Sequence[Nomination] | None = None) -> None:
    """Give the files of a list the ranks 1, 2, 3 ... in their ORDER, else in the one they have."""
    rows = list(_list(nomination, standing).order_by("rank", "pk")) if order is None else order
    moved = [row for rank, row in enumerate(rows, start=1) if row.rank != rank]
    for rank, row in enumerate(rows, start=1):
        row.rank = rank
    Nomination.objects.bulk_update(moved, ["rank"], batch_size=500)


@transaction.atomic
def move(nomination: Nomination, step: int, *, by: Any, known: int | None = None) -> None:
    """Move the file one place up (STEP -1) or down (STEP +1) in its list; at the end of the list it stays.

    Args:
        known: the rank that the page showed. A second click on the same button changes nothing.

    Raises:
        ValidationError: ``changed_meanwhile``: the file is somewhere else now.
    """
    _open(nomination, by)
    lock_lists(nomination.body_id)
    order = list(_list(nomination, nomination.standing).order_by("rank", "pk"))
    here = next((place for place, row in enumerate(order) if row.pk == nomination.pk), None)
    if here is None or nomination.rank is None:
        raise _changed_meanwhile()
    rank = order[here].rank
    if known is not None and rank != known:
        if rank == known + step:
            return
        raise _changed_meanwhile()
    there = here + step
    if 0 <= there < len(order):
        order[here], order[there] = order[there], order[here]
    _renumber(nomination, nomination.standing, order)


def give_file_back(
    nomination: Nomination, *, by: Any, reason: str, sections: list[str], until: datetime, note: str, key: str | None = None
) -> None:
    """Return the file to the applicant; it comes back as a new row. The same KEY a second time changes nothing.

    Raises:
        ValidationError: ``no_sections``, ``too_early``, ``wrong_state`` or ``changed_meanwhile``.
    """
    if is_done(nomination, key):
        return
    _open(nomination, by)
    with transaction.atomic():
        _take_off(nomination, Standing.TO_CHECK, by)
        give_back(nomination.application, by=by, reason=reason, sections=sections, until=until, note=note.strip(), key=key)


def turn_down(nomination: Nomination, *, by: Any, note: str, key: str | None = None) -> None:
    """Do not nominate; the applicant reads NOTE at once. The same KEY a second time changes nothing.

    Raises:
        ValidationError: ``no_reason``, ``wrong_state`` or ``changed_meanwhile``.
    """
    if is_done(nomination, key):
        return
    _open(nomination, by)
    if not note.strip():
        raise ValidationError(_("Give the reason in words: the applicant reads it."), code="no_reason")
    with transaction.atomic():
        _take_off(nomination, Standing.NOT_NOMINATED, by)
        advance(
            nomination.application, "not_nominate", by=by, key=_event_key(nomination, key),
            data={"body": nomination.body.code}, reason=NOT_NOMINATED, note=note.strip(),
        )  # fmt: skip


def _take_off(nomination: Nomination, standing: str, by: Any) -> None:
    """Take the file off its list, if it stands where it stood when it was read."""
    lock_lists(nomination.body_id)
    old = nomination.standing
    unchanged = Nomination.objects.at_hand().filter(pk=nomination.pk, standing=old)
    if not unchanged.update(standing=standing, rank=None, decided_by=by, updated_at=timezone.now()):
        raise _changed_meanwhile()
    if nomination.rank is not None:
        _renumber(nomination, old)


# -- The list --------------------------------------------------------------------


def send_list(call: Call, body: Institution, *, by: Any, at: datetime | None = None, seen: str | None = None) -> SentList:
    """Send the list of BODY: the nominated go on to the next step, the reserve waits. It is sent once.

    Args:
        seen: ``BodyList.digest`` of the list that BY has read and confirmed.

    Raises:
        PermissionDenied: BY does not decide for the body, or the body not in the call.
        ValidationError: ``too_early`` while the call is open, ``to_check`` while files are undecided,
            ``empty``, ``over_places`` naming who is over, ``sent_already``; ``changed_meanwhile``: the list
            is not what was SEEN. Nothing is sent then.
    """
    now = at or timezone.now()
    here = next(iter(acting([body], call=call)), None)
    if here is None or body.code not in deciding_institutions_of(by):
        raise PermissionDenied
    with transaction.atomic():
        lock_lists(body.pk)
        found = list_of(here)
        blocks = what_blocks(found, at=now)
        if blocks:
            raise ValidationError(blocks)
        if seen is not None and seen != found.digest:
            raise _changed_meanwhile()
        for rows in filter(None, (found.ranked, found.reserve)):
            _renumber(rows[0], rows[0].standing, rows)
        sent = _sent_list(found, by, now)
        _take_places(found, by)
        Nomination.objects.filter(pk__in=[row.pk for row in (*found.ranked, *found.reserve)]).update(sent_at=now)
        advance_all(
            [row.application for row in found.ranked],
            "nominate",
            by=by,
            at=now,
            data={row.application.code: {"body": body.code, "rank": row.rank} for row in found.ranked},
        )
        record(LIST_SENT, sent, by=by, actor=ACTOR, at=now, call=call.code, body=body.code, nominated=sent.nominated, reserve=sent.reserve)
    return sent


def _sent_list(found: BodyList, by: Any, now: datetime) -> SentList:
    here = found.here
    try:
        with transaction.atomic():
            return SentList.objects.create(
                call=here.call, step=here.step, body=here.body, nominated=len(found.ranked), reserve=len(found.reserve), sent_at=now, by=by
            )
    except IntegrityError:
        raise ValidationError(_("This list has been sent already."), code="sent_already") from None


def _take_places(found: BodyList, by: Any) -> None:
    wanted = {
        row.application.code: [
            places.quota for places in found.places if places.quota and places.concern(row.application.level, row.application.country_id)
        ]
        for row in found.ranked
    }
    try:
        quotas.hold_all(wanted, by=by)
    except quotas.NoPlace:
        raise ValidationError(_("The places have just changed. Look at your list again."), code="changed_meanwhile") from None
    for code, taken in wanted.items():
        quotas.use(taken, subject=code, by=by)
