"""An officer moves the dates of a call; everything else of it is fixed in its version."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from scholarships.calls.models import Call
from scholarships.calls.rules import may_run
from scholarships.events.actions import record
from scholarships.events.models import Event
from scholarships.events.names import declare

CLOSED = declare("call.closed", "Call closed")
DATES_MOVED = declare("call.dates_moved", "Dates of the call were moved", "opens", "closes", "results", "closed")
RESULTS_PUBLISHED = declare("call.results_published", "Results were published", "run")


def edition(call: Call) -> str:
    """A mark of the dates as they stand: a page that shows them can tell whether others were set since."""
    return "|".join(at.astimezone(UTC).isoformat() for at in (call.opens_at, call.closes_at, call.results_at))


def are_results_out(call: Call) -> bool:
    return Event.objects.about(call).filter(name=RESULTS_PUBLISHED).exists()


def move_dates(
    call: Call,
    *,
    by: Any,
    opens_at: datetime | None = None,
    closes_at: datetime | None = None,
    results_at: datetime | None = None,
    seen: str | None = None,
    key: str | None = None,
) -> Call:
    """Move opening, closing or results of CALL; what is not given stays.

    Args:
        seen: ``edition`` of the dates that BY saw.
        key: the same key again is refused.

    Raises:
        PermissionDenied: BY is not an officer of the call.
        ValidationError: ``order``: the dates would be in another order; ``published``: the results are out, so that
            their date stays; ``changed_meanwhile``: the dates are not what was SEEN; ``already_done``.
    """
    if not may_run(by, call):
        raise PermissionDenied
    with transaction.atomic():
        call.refresh_from_db(fields=["opens_at", "closes_at", "results_at"])
        if seen is not None and seen != edition(call):
            raise ValidationError(_("Somebody has moved the dates since you opened this page."), code="changed_meanwhile")
        opens, closes, results = opens_at or call.opens_at, closes_at or call.closes_at, results_at or call.results_at
        if not opens < closes <= results:
            raise ValidationError(_("A call opens, then closes, then has its results. Give dates in this order."), code="order")
        if results != call.results_at and are_results_out(call):
            raise ValidationError(_("The results are out: their date can no longer be moved."), code="published")
        Call.objects.filter(pk=call.pk).update(opens_at=opens, closes_at=closes, results_at=results)
        record(
            DATES_MOVED, call, by=by, key=f"{call.code}:dates:{key}" if key else None,
            opens=opens, closes=closes, results=results, closed=call.closes_at,
        )  # fmt: skip
    call.opens_at, call.closes_at, call.results_at = opens, closes, results
    return call


def close_now(call: Call, *, by: Any, key: str | None = None) -> Call:
    """Close CALL this minute, with no grace left, and say so at once. A call that is closed stays as it is."""
    now = timezone.now()
    closes = min(call.closes_at, now - timedelta(minutes=call.grace + 1))
    with transaction.atomic():
        move_dates(call, by=by, opens_at=min(call.opens_at, closes - timedelta(minutes=1)), closes_at=closes, key=key)
        with suppress(ValidationError), transaction.atomic():  # announced already: that alone is undone
            announce_closed(call, at=now)
    return call


def publish_now(call: Call, *, by: Any, key: str | None = None, wait: timedelta = timedelta()) -> Call:
    """Let the results be published this minute, or when WAIT is over; a call that is still open closes."""
    now = timezone.now()
    closes = min(call.closes_at, now - timedelta(minutes=call.grace + 1))
    return move_dates(
        call, by=by, opens_at=min(call.opens_at, closes - timedelta(minutes=1)), closes_at=closes, results_at=now + wait, key=key
    )


def open_for(call: Call, days: int, *, by: Any, key: str | None = None) -> Call:
    """Let CALL take applications for DAYS from now; the results come no earlier than it closes."""
    now = timezone.now()
    closes = now + timedelta(days=days)
    return move_dates(call, by=by, opens_at=min(call.opens_at, now), closes_at=closes, results_at=max(call.results_at, closes), key=key)


def announce_closed(call: Call, *, at: datetime | None = None) -> None:
    """Write down, once for each deadline, that CALL has closed: the bodies that have files hear of it.

    Raises:
        ValidationError: code ``already_done``.
    """
    now = at or timezone.now()
    if now > call.last_moment():
        record(CLOSED, call, key=f"{call.code}:closed:{call.closes_at:%Y%m%d%H%M}", at=now)
