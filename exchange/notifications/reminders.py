"""Reminders: planned from the dates of calls and offers, told once, moved with the date, gone with the reason.

A row of ``Reminder`` is one occasion ("7 days before this call closes at this moment"). Whom it
concerns is asked when it is due: whoever has handed in by then hears nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import QuerySet
from django.utils import timezone

from exchange.notifications.models import Reminder
from scholarships.applications.models import Application, State
from scholarships.calls.models import Call, Milestone, StepKind
from scholarships.events.actions import record
from scholarships.events.names import declare
from scholarships.nominations.lists import waiting_for_a_list
from scholarships.offers.models import Offer, OfferState
from scholarships.references.dates import dues_of_calls
from scholarships.references.models import Reference
from scholarships.reviews.models import Assignment

log = logging.getLogger(__name__)

DRAFT = declare("reminder.draft", "Reminded of unfinished applications", "days")
REVIEW = declare("reminder.review", "Reminded of open reviews", "days")
LETTER = declare("reminder.letter", "Reminded of the letter that is due", "days")
OFFER = declare("reminder.offer", "Reminded to answer the offer", "days")
LIST = declare("reminder.list", "Reminded to send the list of nominations", "days")

DAYS = {DRAFT: (7, 2, 1), LETTER: (7, 2), REVIEW: (3, 1), OFFER: (3, 1), LIST: (7, 2, -1, -7)}  # before the date; negative: after it
HORIZON = timedelta(days=30)  # what is further away is planned when it comes nearer
LATE = timedelta(days=14)  # for so long a list that is missing is still asked for


@dataclass(frozen=True)
class Deadline:
    """A date that somebody has to keep. SUBJECT is the call, the offer or the request to a referee."""

    kind: str
    subject: models.Model
    at: datetime

    @property
    def key(self) -> str:
        return str(self.subject.code)  # type: ignore[attr-defined]

    def occasion(self, days: int) -> str:
        return f"{days}.{self.at:%Y%m%d%H%M}"


def deadlines(now: datetime) -> Iterator[Deadline]:
    """Every date within the horizon that still concerns somebody, in a number of queries that no call raises."""
    near = (now, now + HORIZON)
    drafts = Application.objects.filter(state=State.DRAFT).values("call")
    for call in Call.objects.open_now(at=now).filter(closes_at__range=near, pk__in=drafts):
        yield Deadline(DRAFT, call, call.closes_at)
    dues = dues_of_calls(near)
    for reference in Reference.objects.needed().filter(application__call__in=dues).select_related("application") if dues else ():
        yield Deadline(LETTER, reference, dues[reference.application.call_id])
    ends = _by_call(_ends_of(StepKind.REVIEW, Assignment.objects.open().values("call"), near))
    for call in Call.objects.filter(pk__in=ends):
        yield Deadline(REVIEW, call, ends[call.pk])
    lists = _ends_of(StepKind.NOMINATION, waiting_for_a_list().values("application__call"), (now - LATE, now + HORIZON))
    ends = _by_call(lists.order_by("-ends_at"))  # where several steps have bodies, the first counts
    for call in Call.objects.filter(pk__in=ends):
        yield Deadline(LIST, call, ends[call.pk])
    for offer in Offer.objects.filter(state=OfferState.MADE, answer_by__range=near):
        yield Deadline(OFFER, offer, offer.answer_by)


def _ends_of(kind: StepKind, calls: QuerySet[Any, Any], near: tuple[datetime, datetime]) -> QuerySet[Milestone]:
    """The milestones of CALLS by which their steps of KIND end, within NEAR."""
    return Milestone.objects.filter(
        call__in=calls, call__version__steps__kind=kind, call__version__steps__milestone=models.F("key"), ends_at__range=near
    )


def _by_call(milestones: QuerySet[Milestone]) -> dict[int, datetime]:
    """Call pk -> when it ends; of several the last."""
    return dict(milestones.values_list("call_id", "ends_at"))


# -- Planning --------------------------------------------------------------------


def plan(*, at: datetime | None = None) -> None:
    """Make the rows agree with the dates: new ones, and none that waits for a date which has moved or lost its reason."""
    now = at or timezone.now()
    wanted = {
        (one.kind, one.key, one.occasion(days)): Reminder(
            kind=one.kind, subject_kind=one.subject._meta.model_name, subject_key=one.key, occasion=one.occasion(days),
            due_at=one.at - timedelta(days=days),
        )
        for one in deadlines(now)
        for days in DAYS[one.kind]
    }  # fmt: skip
    waiting = {(row.kind, row.subject_key, row.occasion): row.pk for row in Reminder.objects.filter(done_at__isnull=True)}
    with transaction.atomic():
        gone = [pk for key, pk in waiting.items() if key not in wanted]
        Reminder.objects.filter(pk__in=gone, done_at__isnull=True).delete()
        new = [row for key, row in wanted.items() if key not in waiting and row.due_at > now]  # never at once
        Reminder.objects.bulk_create(new, batch_size=500, ignore_conflicts=True)


# -- Telling ---------------------------------------------------------------------


def tell_due(*, at: datetime | None = None) -> int:
    """Record what is due, which writes the letters; gives how many occasions were told.

    Of several that have come due while the clock stood still only the nearest to the date is told.
    """
    now = at or timezone.now()
    due = list(Reminder.objects.filter(done_at__isnull=True, due_at__lte=now).order_by("kind", "subject_key", "-due_at"))
    if not due:  # nearly always: then no date is asked for
        return 0
    told = 0
    dates = {(one.kind, one.key): one for one in deadlines(now)}
    for rows in _by_subject(due):
        nearest = rows[0]
        deadline = dates.get((nearest.kind, nearest.subject_key))
        try:
            told += _tell(rows, deadline, now)
        except Exception:
            log.exception("The reminder %s could not be told.", nearest)
    return told


def _by_subject(rows: Iterable[Reminder]) -> Iterator[list[Reminder]]:
    found: dict[tuple[str, str], list[Reminder]] = {}
    for row in rows:
        found.setdefault((row.kind, row.subject_key), []).append(row)
    yield from found.values()


def _tell(rows: list[Reminder], deadline: Deadline | None, now: datetime) -> bool:
    """Whether the nearest of ROWS was told by us; all of them are done afterwards."""
    nearest = rows[0]
    with transaction.atomic():
        mine = Reminder.objects.filter(pk__in=[row.pk for row in rows], done_at__isnull=True).update(done_at=now)
        if not mine or deadline is None or not nearest.occasion.endswith(f".{deadline.at:%Y%m%d%H%M}"):
            return False
        days = int(nearest.occasion.partition(".")[0])
        try:
            record(nearest.kind, deadline.subject, key=f"{nearest.kind}:{nearest.subject_key}:{nearest.occasion}", at=now, days=days)
        except ValidationError:  # told by another clock
            return False
    return True
