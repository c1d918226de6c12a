"""Doors with a name, and nothing else: the rows own their retries."""

from __future__ import annotations

import mmap
from typing import Any

from celery.signals import worker_shutting_down

from exchange.celery import app
from exchange.notifications import mailings, outbox, relay

# One byte that the worker shares with its hands, which are forked later: a lock would be left closed by a killed one.
_stopping = mmap.mmap(-1, 1)


@worker_shutting_down.connect(dispatch_uid="notifications.stopping")
def stop(**kwargs: Any) -> None:
    """The worker is asked to end: its hands finish the letter they hold, and give the rest back."""
    _stopping[0] = 1


def is_stopping() -> bool:
    return bool(_stopping[0])


@app.task(name=outbox.DELIVER)
def deliver_due() -> None:
    mailings.go_on()
    relay.deliver_due(is_stopping=is_stopping)
