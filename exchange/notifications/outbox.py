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
from exchange.notifications.audiences import calls_of
from exchange.notifications.catalogue import notices_for
from exchange.notifications.letters import Letter, compose
from exchange.notifications.models import Delivery, Message, Relay
from scholarships.events.codes import new_code
from scholarships.events.models import Event

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=45)
BATCH = 20  # messages a claim
FIRST_WAIT, LONGEST_WAIT = 10, 1800  # seconds; doubled in between
MOST_TRIES, MOST_TRIES_OF_POISON = 56, 5  # with these waits 56 tries last 24 hours
BREAKER_LEAST, BREAKER_SHARE = 5, 0.5
PAUSE_OF_SILENCE, PAUSE_OF_REFUSAL = timedelta(seconds=15), timedelta(minutes=1)
OVERTAKES = timedelta(days=1)  # a letter with a code does not queue behind ten thousand results
DOORBELL = "outbox-doorbell"
DELIVER = "notifications.deliver_due"  # the task that runs ``deliver_due``


# -- Writing rows ----------------------------------------------------------------


def write(events: list[Event]) -> None:
    """Write the rows of EVENTS, in the transaction in which they happened: one INSERT for each kind."""
    heard = [(notice.kind, hearing) for notice in notices_for(events[0].name) for hearing in notice.audience(events)]
    if heard:
        calls = calls_of({hearing.event.pk: hearing.event for _kind, hearing in heard}.values())
        rows = [
            _row(hearing.event, kind, hearing.address, user=hearing.user, language=hearing.language, call=calls.get(hearing.event.pk, ""))
            for kind, hearing in heard
        ]
        Message.objects.bulk_create(rows, batch_size=500, ignore_conflicts=True)
        ring_on_commit()


def post(event: Event, kind: str, address: str, letter: Letter, *, user: Any = None, language: str = "") -> Message:
    """Write a letter that is rendered already (sign-in codes)."""
    message = _row(event, kind, address, user=user, language=language)
    message.due_at -= OVERTAKES
    _keep(message, letter)
    message.save(force_insert=True)
    ring_on_commit()
    return message


def _row(event: Event, kind: str, address: str, *, user: Any, language: str, call: str = "") -> Message:
    code = new_code()
    return Message(
        code=code,
        event=event,
        kind=kind,
        call=call,
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
            tried += _deliver(batch, connection, now, until)
    finally:
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
    return list(Message.objects.filter(pk__in=due, claim=token).select_related("event", "user").order_by("due_at", "pk"))


def _deliver(batch: list[Message], connection: Any, now: Any, until: datetime) -> int:
    """Try each of BATCH while there is time and a way out; gives how many. The others go back as they were."""
    tried, trouble = 0, ""
    refused: list[tuple[Message, str]] = []
    for message in batch:
        if now() >= until:
            break
        try:
            _open(connection)
            if _renew(message, now()):  # else the lease ran out, and another worker has it
                _try(message, connection, refused, now)
        except NoWayOut as closed:
            trouble = str(closed)
            _rest(now(), PAUSE_OF_SILENCE, trouble)
            break
        tried += 1
    _bury(refused, tried, now())
    _give_back(batch[tried:], trouble)
    return tried


class NoWayOut(Exception):
    """The mail server takes nothing at all from us: no fault of any message."""


def _open(connection: Any) -> None:
    """Make sure that there is a way out.

    Raises:
        NoWayOut: the server does not answer, or refuses our name, password or TLS.
    """
    if connection is None:
        return
    try:
        connection.open()
    except (smtplib.SMTPException, OSError) as error:
        _close(connection)
        raise NoWayOut(_words(error)) from None


def _try(message: Message, connection: Any, refused: list[tuple[Message, str]], now: Any) -> None:
    """Write and send MESSAGE, and write down how it went; one that is refused for good joins REFUSED.

    Raises:
        NoWayOut: the server does not take our own address.
    """
    try:
        if not message.subject:
            _keep(message, compose(message))
            _mine(message).update(subject=message.subject, text=message.text, html=message.html, link=message.link)
        _send(message, connection)
    except smtplib.SMTPSenderRefused as error:
        _close(connection)
        raise NoWayOut(_words(error)) from None
    except smtplib.SMTPRecipientsRefused as error:
        code, reply = next(iter(error.recipients.values()))
        _refused(message, code, _said(reply), connection, refused, now())
    except smtplib.SMTPResponseException as error:
        _refused(message, error.smtp_code, _said(error.smtp_error), connection, refused, now())
    except (smtplib.SMTPException, OSError) as error:
        _close(connection)
        _later(message, _words(error), now())
    except Exception as error:  # a letter that cannot be made: it must not stop the others
        log.exception("Message %s could not be made", message.code)
        _close(connection)  # perhaps in the middle of a command
        _poison(message, _words(error), now())
    else:
        _mine(message).update(delivery=Delivery.SENT, sent_at=now(), claim="", leased_until=None, error="")


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
        headers={
            "Message-ID": message.message_id,
            "Auto-Submitted": "auto-generated",  # so that no machine answers; a bounce may still come back
            "X-Auto-Response-Suppress": "OOF, AutoReply",
        },
        reply_to=[settings.OFFICE_EMAIL],
    )
    if message.html:
        mail.attach_alternative(message.html, "text/html")
    mail.send()


def _close(connection: Any) -> None:
    if connection is None:
        return
    try:
        connection.close()
    except (smtplib.SMTPException, OSError):
        connection.connection = None


def _said(reply: bytes | str) -> str:
    return reply.decode("utf-8", "replace") if isinstance(reply, bytes) else str(reply)


def _words(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_said(error.smtp_error)}"
    return f"{type(error).__name__}: {error}"


def _refused(message: Message, code: int, reply: str, connection: Any, refused: list[tuple[Message, str]], now: datetime) -> None:
    """For good (5xx), or for now. "5.1." says that the address is wrong: that is never a fault of ours."""
    said = f"{code} {reply}"
    if code == 421:  # and smtplib has hung up
        _close(connection)
    if not 500 <= code < 600:
        _later(message, said, now)
    elif reply.startswith("5.1."):
        _fail(message, said)
    else:
        refused.append((message, said))


def _later(message: Message, error: str, now: datetime, *, most: int = MOST_TRIES) -> None:
    """Try again after a wait that doubles from 10 s to 30 min; after MOST tries it has failed."""
    if message.tries + 1 >= most:
        _fail(message, error)
        return
    _mine(message).update(
        delivery=Delivery.QUEUED,
        due_at=now + wait_after(message.tries),
        tries=message.tries + 1,
        error=error[:250],
        claim="",
        leased_until=None,
    )


def wait_after(tries: int) -> timedelta:
    """How long a message rests that was refused after TRIES earlier tries."""
    return timedelta(seconds=min(FIRST_WAIT * 2 ** min(tries, 20), LONGEST_WAIT))


def _fail(message: Message, error: str) -> None:
    _mine(message).update(delivery=Delivery.FAILED, tries=message.tries + 1, error=error[:250], claim="", leased_until=None)


def _poison(message: Message, error: str, now: datetime) -> None:
    _later(message, error, now, most=MOST_TRIES_OF_POISON)


def _give_back(messages: list[Message], trouble: str) -> None:
    """Into the queue as they were; TROUBLE says why they wait."""
    if messages:
        mine = Message.objects.filter(pk__in=[message.pk for message in messages], claim=messages[0].claim)
        mine.update(delivery=Delivery.QUEUED, claim="", leased_until=None, **({"error": trouble[:250]} if trouble else {}))


def _bury(refused: list[tuple[Message, str]], tried: int, now: datetime) -> None:
    """Refused for good: dead letters, unless most of the batch was refused: then the fault is likely ours,
    they are tried again for a day, and the way out rests for a while."""
    is_our_fault = len(refused) >= BREAKER_LEAST and len(refused) > BREAKER_SHARE * tried
    if is_our_fault:
        _rest(now, PAUSE_OF_REFUSAL, f"{len(refused)} of {tried} were refused")
    for message, said in refused:
        if is_our_fault:
            _later(message, said, now)
        else:
            _fail(message, said)


def _rest(now: datetime, pause: timedelta, why: str) -> None:
    log.error("No mail leaves for %d seconds: %s", pause.total_seconds(), why)
    Relay.objects.update_or_create(pk=1, defaults={"paused_until": now + pause})


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
