"""The outbox: rows written with what happened, in its transaction, and the doorbell that wakes a worker for them.

Celery only wakes; with Redis down, wiped or frozen nothing is lost, because the sweep finds every row
that is due. ``relay`` sends them.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.cache import caches
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from exchange.celery import app as celery
from exchange.notifications.audiences import calls_of
from exchange.notifications.catalogue import notices_for
from exchange.notifications.letters import Letter
from exchange.notifications.models import Delivery, Message
from scholarships.events.codes import new_code
from scholarships.events.models import Event

log = logging.getLogger(__name__)

OVERTAKES = timedelta(days=1)  # a letter with a code does not queue behind ten thousand results
DOORBELL = "outbox-doorbell"
DELIVER = "notifications.deliver_due"  # the task that runs ``relay.deliver_due``


# -- Writing rows ----------------------------------------------------------------


def write(events: list[Event]) -> None:
    """Write the rows of EVENTS, in the transaction in which they happened: one INSERT for each kind."""
    heard = [(notice.kind, hearing) for notice in notices_for(events[0].name) for hearing in notice.audience(events)]
    if heard:
        calls = {hearing.event.pk: hearing.call for _kind, hearing in heard if hearing.call}
        others = {hearing.event.pk: hearing.event for _kind, hearing in heard if hearing.event.pk not in calls}
        calls |= calls_of(others.values())
        rows = [
            row(hearing.event, kind, hearing.address, user=hearing.user, language=hearing.language, call=calls.get(hearing.event.pk, ""))
            for kind, hearing in heard
        ]
        Message.objects.bulk_create(rows, batch_size=500, ignore_conflicts=True)
        ring_on_commit()


def post(event: Event, kind: str, address: str, letter: Letter, *, user: Any = None, language: str = "") -> Message:
    """Write a letter that is rendered already (sign-in codes)."""
    message = row(event, kind, address, user=user, language=language)
    message.due_at -= OVERTAKES
    keep_words(message, letter)
    message.save(force_insert=True)
    ring_on_commit()
    return message


def row(event: Event, kind: str, address: str, *, user: Any, language: str, call: str = "", application: str = "") -> Message:
    """A letter of KIND about EVENT that is not written yet, and not saved."""
    code = new_code()
    return Message(
        code=code,
        event=event,
        kind=kind,
        call=call,
        application=application or (event.subject_key if event.subject_kind == "application" else ""),
        user=user,
        address=address,
        language=language or settings.LANGUAGE_CODE,
        message_id=f"<{code.lower()}.{event.pk}@{settings.DEFAULT_FROM_EMAIL.rpartition('@')[2].rstrip('>')}>",
        created_at=event.at,
        due_at=event.at,
    )


def keep_words(message: Message, letter: Letter) -> None:
    """The words of LETTER, in MESSAGE: they stay the same on each try. Saving is left to the caller."""
    message.subject, message.text, message.html, message.link = letter.subject[:250], letter.text, letter.html, letter.link[:200]


# -- The doorbell ----------------------------------------------------------------


def ring_on_commit() -> None:
    """Wake a worker once this transaction is through; many rows make one ring."""
    transaction.on_commit(ring, robust=True)


def ring() -> None:
    """Wake a worker now, unless one has been rung for that has not come yet."""
    if caches["fast"].add(DOORBELL, 1, timeout=30):
        try:
            celery.send_task(DELIVER)
        except (OperationalError, OSError) as error:
            log.warning("Nobody heard the doorbell (%s); the sweep will deliver.", type(error).__name__)


# -- By hand ---------------------------------------------------------------------


def retry(messages: Iterable[Message]) -> int:
    """Put failed messages back into the queue; gives how many."""
    pks = [message.pk for message in messages]
    count = Message.objects.filter(pk__in=pks, delivery=Delivery.FAILED).update(
        delivery=Delivery.QUEUED, due_at=timezone.now(), tries=0, error=""
    )
    if count:
        ring_on_commit()
    return count
