"""A body takes its list back, until the next step opens; it stands then as it stood before it was sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from scholarships.applications import rules
from scholarships.applications.door import advance_all
from scholarships.applications.models import State
from scholarships.calls.form import form_of
from scholarships.calls.models import Call
from scholarships.events.actions import record
from scholarships.events.names import declare
from scholarships.nominations.actions import ACTOR, lock_lists
from scholarships.nominations.lists import Acting, acting
from scholarships.nominations.models import Nomination, SentList, Standing
from scholarships.partners.models import Institution
from scholarships.people.rules import deciding_institutions_of
from scholarships.quotas import actions as quotas
from scholarships.quotas.models import Entry, Move, Purpose, Quota

LIST_TAKEN_BACK = declare("nomination.list_taken_back", "The list of a body was taken back", "call", "body", "list")


def until(here: Acting) -> datetime | None:
    """When the step after that of the body opens; None where the call gives it no date."""
    assert here.call.version is not None, "bodies act in published calls only"
    following = form_of(here.call.version).step_after(here.order)
    milestone = here.call.milestones.filter(key=following.milestone).first() if following and following.milestone else None
    return milestone.starts_at if milestone else None


def take_list_back(call: Call, body: Institution, *, by: Any, at: datetime | None = None) -> SentList:
    """Take the list of BODY back: its nominees return to it in their order, their places are free, and it can be sent again.

    Raises:
        PermissionDenied: BY does not decide for the body, or the body not in the call.
        ValidationError: ``not_sent``; ``too_late``: the next step has opened, or has decided on one of them. Nothing is done then.
    """
    now = at or timezone.now()
    here = next(iter(acting([body], call=call)), None)
    if here is None or body.code not in deciding_institutions_of(by):
        raise PermissionDenied
    opens = until(here)
    if opens is not None and now >= opens:
        raise _too_late()
    with transaction.atomic():
        lock_lists(body.pk)
        sent = SentList.objects.standing().filter(call=call, body=body, step=here.step).first()
        if sent is None:
            raise ValidationError(_("There is no list that could be taken back."), code="not_sent")
        SentList.objects.filter(pk=sent.pk).update(taken_back_at=now)
        rows = Nomination.objects.filter(call=call, body=body, stage__step=here.step, sent_at__isnull=False).select_related(
            "application__call", "application__version", "stage"
        )
        ranked = list(rows.filter(standing=Standing.RANKED).order_by("rank"))
        rows.update(sent_at=None)
        _free(call, [row.application.code for row in ranked], by)
        _return(body, [row for row in ranked if row.application.state != State.WITHDRAWN], by, now)
        record(LIST_TAKEN_BACK, sent, by=by, actor=ACTOR, at=now, call=call.code, body=body.code, list=sent.code)
    return sent


def _return(body: Institution, rows: Sequence[Nomination], by: Any, now: datetime) -> None:
    """The nominees come back to the body, and stand on its list with what was noted."""
    if any(row.application.state != State.NOMINATED for row in rows):
        raise _too_late()
    applications = [row.application for row in rows]
    if applications:
        advance_all(applications, "take_back", by=by, at=now, data={one.code: {"body": body.code} for one in applications})
    Nomination.objects.bulk_create(
        Nomination(
            call_id=row.call_id, application=row.application, stage=rules.current_stage(row.application), body=body,
            standing=row.standing, rank=rank, checks=row.checks, comment=row.comment, decided_by_id=row.decided_by_id, updated_at=row.updated_at,
        )
        for rank, row in enumerate(rows, start=1)
    )  # fmt: skip


def _free(call: Call, codes: Sequence[str], by: Any) -> None:
    """Give back the places that these nominations have taken: what the ledger says."""
    places = {quota.pk: quota for quota in Quota.objects.filter(call=call, purpose=Purpose.NOMINATION)}
    taken: Counter[tuple[str, int]] = Counter()
    moves = Entry.objects.filter(quota__in=places, subject__in=codes, move__in=[Move.USE, Move.FREE])
    for subject, quota, move in moves.values_list("subject", "quota_id", "move"):
        taken[subject, quota] += 1 if move == Move.USE else -1
    held: dict[str, list[Quota]] = {}
    for (subject, quota), number in taken.items():
        if number > 0:
            held.setdefault(subject, []).append(places[quota])
    quotas.free_all(held, by=by)


def _too_late() -> ValidationError:
    return ValidationError(_("It is too late: the next step has begun with your nominees. Write to the office."), code="too_late")
