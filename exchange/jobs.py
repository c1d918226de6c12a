"""What runs on the clock. Each may run twice or late and does no harm."""

from __future__ import annotations

from exchange.celery import app
from scholarships.events.actions import seal


@app.task(name="jobs.seal_events")
def seal_events() -> None:
    while seal():
        pass
