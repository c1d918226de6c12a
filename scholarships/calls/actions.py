"""An officer moves the dates of a call; everything else of it is fixed in its version."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from scholarships.calls.models import Call
from scholarships.calls.rules import may_run
from scholarships.events.actions import record
from scholarships.events.names import declare

DATES_MOVED = declare("call.dates_moved", "Dates of the call were moved", "opens", "closes", "results")


@transaction.atomic
def move_dates(
    call: Call, *, by: Any, opens_at: datetime | None = None, closes_at: datetime | None = None, results_at: datetime | None = None
) -> Call:
    """Move opening, closing or results of CALL; what is not given stays.

    Raises:
        PermissionDenied: BY is not an officer of the call.
        ValidationError: code ``order``: the dates would be in another order.
    """
    if not may_run(by, call):
        raise PermissionDenied
    opens, closes, results = opens_at or call.opens_at, closes_at or call.closes_at, results_at or call.results_at
    if not opens < closes <= results:
        raise ValidationError(_("A call opens, then closes, then has its results. Give dates in this order."), code="order")
    call.opens_at, call.closes_at, call.results_at = opens, closes, results
    call.save(update_fields=["opens_at", "closes_at", "results_at"])
    record(DATES_MOVED, call, by=by, opens=opens, closes=closes, results=results)
    return call


def close_now(call: Call, *, by: Any) -> Call:
    """Close CALL this minute, with no grace left: for a rehearsal or the demo."""
    now = timezone.now()
    return move_dates(
        call, by=by, opens_at=min(call.opens_at, now - timedelta(minutes=call.grace + 2)), closes_at=now - timedelta(minutes=call.grace + 1)
    )


def publish_now(call: Call, *, by: Any) -> Call:
    """Let the results be published this minute."""
    now = timezone.now()
    closes = min(call.closes_at, now - timedelta(minutes=call.grace + 1))
    return move_dates(call, by=by, opens_at=min(call.opens_at, closes - timedelta(minutes=1)), closes_at=closes, results_at=now)


def open_for(call: Call, days: int, *, by: Any) -> Call:
    """Let CALL take applications for DAYS from now."""
    now = timezone.now()
    closes = now + timedelta(days=days)
    return move_dates(call, by=by, opens_at=min(call.opens_at, now), closes_at=closes, results_at=max(call.results_at, closes))
