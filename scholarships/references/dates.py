"""Until when letters are taken: a milestone of the call of their own, whatever the deadline for handing in."""

from __future__ import annotations

from datetime import datetime

from django.db.models import F

from scholarships.applications.models import Application
from scholarships.calls.form import form_of
from scholarships.calls.models import Milestone


def due_of(application: Application) -> datetime:
    """When letters about APPLICATION are due."""
    terms = form_of(application.version).letters
    row = Milestone.objects.filter(call=application.call_id, key=terms.milestone).first() if terms else None
    return row.ends_at if row is not None and row.ends_at is not None else application.call.closes_at


def dues_of_calls(near: tuple[datetime, datetime]) -> dict[int, datetime]:
    """Call pk -> when its letters are due, of the calls where that lies within NEAR."""
    rows = Milestone.objects.filter(call__version__letters__milestone=F("key"), ends_at__range=near)
    return {call: ends for call, ends in rows.values_list("call_id", "ends_at") if ends is not None}
