"""What lies on a reviewer's desk: how much is left and until when, and the way from file to file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from django.db.models import Count, Sum
from django.db.models.functions import Floor
from django.utils import timezone

from exchange.review.queries import Query, matching
from scholarships.calls.form import form_of
from scholarships.calls.models import Call, Milestone, StepKind
from scholarships.reviews.models import Assignment, AssignmentQuerySet, Progress

_HEIGHT = 26  # of the highest column of the little chart


@dataclass(frozen=True)
class CallOnDesk:
    """``closes_at``: when its reviews are due, None where the call says nothing."""

    call: Call
    left: int
    closes_at: datetime | None


@dataclass(frozen=True)
class Desk:
    """``mean``: of the own reviews handed in; ``columns``: x, y and height of each whole score from 0 to 10."""

    counts: Counter[str]
    mean: Decimal | None
    columns: tuple[tuple[str, str, str], ...]
    calls: tuple[CallOnDesk, ...]

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def left(self) -> int:
        return self.counts[Progress.TODO] + self.counts[Progress.DRAFT]

    @property
    def due(self) -> CallOnDesk | None:
        """The call whose reviews are due first."""
        waiting = [row for row in self.calls if row.left and row.closes_at]
        return min(waiting, key=lambda row: (row.closes_at, row.call.code), default=None)

    @property
    def is_late(self) -> bool:
        return self.due is not None and self.due.closes_at is not None and self.due.closes_at < timezone.now()


def desk_of(assignments: AssignmentQuerySet) -> Desk:
    """The desk of one reviewer's ASSIGNMENTS, in three queries."""
    rows = list(
        assignments.annotate(whole=Floor("scored"))
        .order_by()
        .values_list("call", "progress", "whole")
        .annotate(count=Count("pk"), points=Sum("scored"))
    )
    counts, left, heights = Counter[str](), Counter[int](), Counter[int]()
    points = Decimal()
    for call, progress, whole, count, given in rows:
        counts[progress] += count
        left[call] += count if progress != Progress.DONE else 0
        if progress == Progress.DONE:
            heights[int(whole)] += count
            points += Decimal(given)
    done = counts[Progress.DONE]
    return Desk(
        counts=counts,
        mean=(points / done).quantize(Decimal("0.01"), ROUND_HALF_UP) if done else None,
        columns=_columns(heights),
        calls=_calls(left),
    )


def counts_of(assignments: AssignmentQuerySet) -> Counter[str]:
    """How many of ASSIGNMENTS are to do, drafted, done."""
    return Counter(dict(assignments.order_by().values_list("progress").annotate(count=Count("pk"))))


def _columns(heights: Counter[int]) -> tuple[tuple[str, str, str], ...]:
    highest = max(heights.values(), default=0)
    if not highest:
        return ()
    tall = [_HEIGHT * heights[score] / highest for score in range(11)]
    return tuple((f"{2 + score * 8.8:.1f}", f"{30 - height:.1f}", f"{height:.1f}") for score, height in enumerate(tall))


def _calls(left: Counter[int]) -> tuple[CallOnDesk, ...]:
    rows = Call.objects.select_related("version").only("code", "title", "zone", "version__code", "version__published_at")
    calls = rows.order_by().in_bulk(list(left))
    dates = Milestone.objects.filter(call__in=list(left)).order_by().values_list("call", "key", "ends_at")
    ends = {(call, key): ends_at for call, key, ends_at in dates}
    found = []
    for pk, call in calls.items():
        step = form_of(call.version).first_step_of(StepKind.REVIEW) if call.version else None
        found.append(CallOnDesk(call, left[pk], ends.get((pk, step.milestone)) if step else None))
    return tuple(sorted(found, key=lambda row: row.call.code))


@dataclass(frozen=True)
class Place:
    """Where a file stands in the list it was opened from; ``number`` is None when it is no longer part of it.

    ``previous`` and ``next`` are its neighbours, ``to_do`` is the next one that waits for a review: codes, or "".
    """

    number: int | None
    count: int
    previous: str
    next: str
    to_do: str


def place_of(assignment: Assignment | None, assignments: AssignmentQuerySet, query: Query) -> Place:
    """The place of ASSIGNMENT, or of the beginning, in what QUERY finds: one query."""
    return place_among(list(matching(assignments, query).in_order().values_list("code", "progress")), assignment)


def place_among(rows: Sequence[tuple[str, str]], assignment: Assignment | None) -> Place:
    """As ``place_of``; ROWS are (code, progress) in the order of the list."""
    keys = [(progress == Progress.DONE, code) for code, progress in rows]
    own = (assignment.progress == Progress.DONE, assignment.code) if assignment else (False, "")
    waiting = [code for is_done, code in keys if not is_done and code != own[1]]
    return Place(
        number=keys.index(own) + 1 if own in keys else None,
        count=len(keys),
        previous=max((key for key in keys if key < own), default=(False, ""))[1],
        next=min((key for key in keys if key > own), default=(False, ""))[1],
        to_do=next((code for code in waiting if code > own[1]), waiting[0] if waiting else ""),
    )
