"""The outbox: rows written with what happened, rendered once, sent until they are through.

A row owns its retries. Celery only wakes; with Redis down, wiped or frozen nothing is lost,
because the sweep finds every row that is due.
"""

from __future__ import annotations

import logging
import secrets
import smtplib
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.cache import caches
from django.core.mail import EmailMultiAlternatives, get_connection
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from exchange.celery import app as celery
from exchange.notifications.catalogue import notices_for
from exchange.notifications.letters import Letter, compose
from exchange.notifications.models import Delivery, Message, Relay
from scholarships.events.codes import new_code
from scholarships.events.models import Event

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=45)
BATCH = 20  # messages a claim
GIVE_UP = timedelta(hours=24)
FIRST_WAIT, LONGEST_WAIT = 10, 1800  # seconds
MOST_TRIES_OF_POISON = 5
BREAKER_LEAST, BREAKER_SHARE, BREAKER_PAUSE = 5, 0.5, timedelta(minutes=5)
DOORBELL = "outbox-doorbell"
DELIVER = "notifications.deliver_due"  # the task that runs ``deliver_due``


# -- Writing rows ----------------------------------------------------------------


def write(events: list[Event]) -> None:
    """Write the rows of EVENTS, in the transaction in which they happened: one INSERT for each kind."""
    rows = [
        _row(hearing.event, notice.kind, hearing.address, user=hearing.user, language=hearing.language)
        for notice in notices_for(events[0].name)
        for hearing in notice.audience(events)
    ]
    if rows:
        Message.objects.bulk_create(rows, batch_size=500, ignore_conflicts=True)
        ring_on_commit()


def post(event: Event, kind: str, address: str, letter: Letter, *, user: Any = None, language: str = "") -> Message:
    """Write a letter that is rendered already (sign-in codes)."""
    message = _row(event, kind, address, user=user, language=language)
    _keep(message, letter)
    message.save(force_insert=True)
    ring_on_commit()
    return message


def _row(event: Event, kind: str, address: str, *, user: Any, language: str) -> Message:
    code = new_code()
    return Message(
        code=code,
        event=event,
        kind=kind,
        user=user,
        address=address,
        language=language or settings.LANGUAGE_CODE,
        message_id=f"<{code.lower()}.{event.pk}@{settings.DEFAULT_FROM_EMAIL.rpartition('@')[2].rstrip('>')}>",
        created_at=event.at,
        due_at=event.at,
    )


def _keep(message: Message, letter: Letter) -> None:
    message.subject, message.text, message.html, message.link = letter.subject[:250], letter.text, letter.html, letter.link[:200]


# -- The doorbell ----------------------------------------------------------------


def ring_on_commit() -> None:
    """Wake a worker once this transaction is through; many rows make one ring."""
    transaction.on_commit(_ring, robust=True)


def _ring() -> None:
    if caches["fast"].add(DOORBELL, 1, timeout=30):
        try:
            celery.send_task(DELIVER)
        except (OperationalError, OSError) as error:
            log.warning("Nobody heard the doorbell (%s); the sweep will deliver.", type(error).__name__)


# -- Delivering ------------------------------------------------------------------


def deliver_due(*, seconds: int = 50, now: Any = timezone.now) -> int:
    """Send what is due until nothing is, or SECONDS are over. Gives how many were tried.

    Safe to run in several workers at once and to be killed at any moment.
    """
    caches["fast"].delete(DOORBELL)  # whoever writes a row after this rings again
    until = now() + timedelta(seconds=seconds)
    tried = 0
    connection = None if settings.MAIL_STAYS_HERE else get_connection()
    try:
        while now() < until and not _is_paused(now()):
            batch = _claim(now())
            if not batch:
                break
            tried += len(batch)
            _deliver(batch, connection, now)
    finally:
        if connection is not None:
            _close(connection)
    return tried


def _is_paused(now: datetime) -> bool:
    return Relay.objects.filter(paused_until__gt=now).exists()


def _claim(now: datetime) -> list[Message]:
    """Lease at most BATCH due rows: whoever writes the claim owns them until the lease runs out."""
    token = secrets.token_hex(16)
    due = list(Message.objects.due(at=now).order_by("due_at", "pk").values_list("pk", flat=True)[:BATCH])
    if not due:
        return []
    Message.objects.due(at=now).filter(pk__in=due).update(delivery=Delivery.SENDING, claim=token, leased_until=now + LEASE)
    return list(Message.objects.filter(pk__in=due, claim=token).select_related("event", "user").order_by("pk"))


def _deliver(batch: list[Message], connection: Any, now: Any) -> None:
    refused: list[tuple[Message, str]] = []
    for message in batch:
        if not _renew(message, now()):
            continue  # the lease ran out and another worker has it
        try:
            if not message.subject:
                _keep(message, compose(message))
                _mine(message).update(subject=message.subject, text=message.text, html=message.html, link=message.link)
            _send(message, connection)
        except smtplib.SMTPRecipientsRefused as error:
            code, reply = next(iter(error.recipients.values()))
            _refused(message, code, _said(reply), refused, now())
        except smtplib.SMTPResponseException as error:
            _refused(message, error.smtp_code, _said(error.smtp_error), refused, now())
        except (smtplib.SMTPException, OSError) as error:
            _close(connection)
            _later(message, f"{type(error).__name__}: {error}", now())
        except Exception as error:  # a letter that cannot be made: it must not stop the others
            log.exception("Message %s could not be made", message.code)
            _poison(message, f"{type(error).__name__}: {error}", now())
        else:
            _mine(message).update(delivery=Delivery.SENT, sent_at=now(), claim="", leased_until=None, error="")
    _bury(refused, len(batch), now())


def _mine(message: Message) -> Any:
    """The row, if this worker still holds it."""
    return Message.objects.filter(pk=message.pk, claim=message.claim)


def _renew(message: Message, now: datetime) -> bool:
    """Make sure that the lease outlasts one try."""
    assert message.leased_until is not None
    if message.leased_until - now > timedelta(seconds=2 * settings.EMAIL_TIMEOUT):
        return True
    message.leased_until = now + LEASE
    return bool(_mine(message).update(leased_until=message.leased_until))


def _send(message: Message, connection: Any) -> None:
    if connection is None:  # the demo: the letter stays in the mailbox page
        return
    mail = EmailMultiAlternatives(
        message.subject,
        message.text,
        settings.DEFAULT_FROM_EMAIL,
        [message.address],
        connection=connection,
        headers={"Message-ID": message.message_id, "Auto-Submitted": "auto-generated"},
        reply_to=[settings.OFFICE_EMAIL],
    )
    if message.html:
        mail.attach_alternative(message.html, "text/html")
    connection.open()
    mail.send()


def _close(connection: Any) -> None:
    try:
        connection.close()
    except (smtplib.SMTPException, OSError):
        connection.connection = None


def _said(reply: bytes | str) -> str:
    return reply.decode("utf-8", "replace") if isinstance(reply, bytes) else str(reply)


def _refused(message: Message, code: int, reply: str, refused: list[tuple[Message, str]], now: datetime) -> None:
    said = f"{code} {reply}"
    if 500 <= code < 600:
        refused.append((message, said))
    else:
        _later(message, said, now)


def _later(message: Message, error: str, now: datetime) -> None:
    """Try again after a wait that triples from 10 s to 30 min; after 24 h it has failed."""
    if now - message.created_at > GIVE_UP:
        _mine(message).update(delivery=Delivery.FAILED, error=error[:250], tries=message.tries + 1, claim="", leased_until=None)
        return
    wait = min(FIRST_WAIT * 3**message.tries, LONGEST_WAIT)
    _mine(message).update(
        delivery=Delivery.QUEUED,
        due_at=now + timedelta(seconds=wait),
        tries=message.tries + 1,
        error=error[:250],
        claim="",
        leased_until=None,
    )


def _poison(message: Message, error: str, now: datetime) -> None:
    if message.tries + 1 >= MOST_TRIES_OF_POISON:
        _mine(message).update(delivery=Delivery.FAILED, tries=message.tries + 1, error=error[:250], claim="", leased_until=None)
    else:
        _later(message, error, now)


def _bury(refused: list[tuple[Message, str]], size: int, now: datetime) -> None:
    """Refused for good: dead letters, unless most of the batch was refused: then the fault is ours,
    nothing is buried, and the way out rests for a while."""
    if len(refused) >= BREAKER_LEAST and len(refused) > BREAKER_SHARE * size:
        log.error("The relay refused %d of %d messages: delivery rests for %s.", len(refused), size, BREAKER_PAUSE)
        Relay.objects.update_or_create(pk=1, defaults={"paused_until": now + BREAKER_PAUSE})
        for message, said in refused:
            _mine(message).update(delivery=Delivery.QUEUED, due_at=now + BREAKER_PAUSE, error=said[:250], claim="", leased_until=None)
        return
    for message, said in refused:
        _mine(message).update(delivery=Delivery.FAILED, tries=message.tries + 1, error=said[:250], claim="", leased_until=None)


def retry(messages: Iterable[Message]) -> int:
    """Put failed messages back into the queue; gives how many."""
    pks = [message.pk for message in messages]
    count = Message.objects.filter(pk__in=pks, delivery=Delivery.FAILED).update(
        delivery=Delivery.QUEUED, due_at=timezone.now(), tries=0, error=""
    )
    if count:
        ring_on_commit()
    return count
