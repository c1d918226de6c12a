"""The way out: rows are leased in batches, rendered once, and sent until they are through.

A row owns its retries. Several workers may do this at once, and each may be killed at any moment:
its rows are due again when the lease has run out, and its fencing token is then worth nothing.
"""

from __future__ import annotations

import logging
import secrets
import smtplib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.cache import caches
from django.core.mail import get_connection
from django.db import connection as database
from django.db import transaction
from django.db.models import Case, F, Q, Value, When
from django.utils import timezone

from exchange.notifications import outcomes
from exchange.notifications.aside import aside
from exchange.notifications.envelopes import Unsendable, envelope
from exchange.notifications.letters import compose, know
from exchange.notifications.models import Delivery, Message, Relay
from exchange.notifications.outbox import DOORBELL, keep_words, ring

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=settings.MAIL_LEASE_SECONDS)
BATCH = 20  # messages a claim
BREAKER_LEAST, BREAKER_SHARE = 5, 0.5
PAUSE_OF_SILENCE, PAUSE_OF_REFUSAL = timedelta(seconds=15), timedelta(minutes=1)

Clock = Callable[[], datetime]


def deliver_due(*, seconds: int = 50, now: Clock = timezone.now, is_stopping: Callable[[], bool] = bool) -> int:
    """Send what is due until nothing is, SECONDS are over or IS_STOPPING. Gives how many were tried.

    Safe to run in several workers at once and to be killed at any moment.
    """
    caches["fast"].delete(DOORBELL)  # whoever writes a row after this rings again
    until = now() + timedelta(seconds=seconds)
    tried = 0

    def is_over() -> bool:
        return now() >= until or is_stopping()

    way = None if settings.MAIL_STAYS_HERE else WayOut()
    try:
        while not is_over() and (most := _most(now())):
            batch = _claim(now(), most)
            if not batch:
                break
            if not _take(len(batch), now()):  # another worker has used this minute up
                outcomes.give_back(batch)
                continue
            tried += _deliver(batch, way, now, is_over)
            if tried == len(batch) == BATCH:
                ring()  # there is work for a second worker
    finally:
        if way is not None:
            way.close()
    return tried


# -- How fast --------------------------------------------------------------------


def _most(now: datetime) -> int:
    """How many may be claimed now: none while the way out rests, or when this minute is used up."""
    relay = Relay.objects.filter(pk=1).first()
    if relay is None:
        return BATCH
    if relay.paused_until and relay.paused_until > now:
        return 0
    if not settings.MAIL_PER_MINUTE or relay.minute != _minute(now):
        return BATCH if not settings.MAIL_PER_MINUTE else min(BATCH, settings.MAIL_PER_MINUTE)
    return max(0, min(BATCH, settings.MAIL_PER_MINUTE - relay.taken))


def _take(count: int, now: datetime) -> bool:
    """Book COUNT messages on this minute, over all workers, in one statement; whether there was room for them."""
    if not settings.MAIL_PER_MINUTE:
        return True
    minute = _minute(now)
    Relay.objects.get_or_create(pk=1)
    room = Q(minute__isnull=True) | Q(minute__lt=minute) | Q(minute=minute, taken__lte=settings.MAIL_PER_MINUTE - count)
    taken = Case(When(minute=minute, then=F("taken") + count), default=Value(count))
    return bool(Relay.objects.filter(room, pk=1).update(taken=taken, minute=minute))


def _minute(now: datetime) -> datetime:
    return now.replace(second=0, microsecond=0)


def _rest(now: datetime, pause: timedelta, why: str) -> None:
    log.error("No mail leaves for %d seconds: %s", pause.total_seconds(), why)
    Relay.objects.update_or_create(pk=1, defaults={"paused_until": now + pause})


# -- A batch ---------------------------------------------------------------------


def _claim(now: datetime, most: int) -> list[Message]:
    """Lease at most MOST due rows: whoever writes the claim owns them until the lease runs out."""
    token = secrets.token_hex(16)
    with transaction.atomic():
        rows = Message.objects.select_for_update(skip_locked=database.features.has_select_for_update_skip_locked)
        left = rows.filter(delivery=Delivery.SENDING, leased_until__lt=now).order_by("leased_until")  # by a worker that died
        due = list(left.values_list("pk", flat=True)[:most])
        if len(due) < most:
            queued = rows.filter(delivery=Delivery.QUEUED, due_at__lte=now).order_by("due_at", "pk")
            due += queued.values_list("pk", flat=True)[: most - len(due)]
        if not due:
            return []
        Message.objects.filter(pk__in=due).update(delivery=Delivery.SENDING, claim=token, leased_until=now + LEASE)
    return list(
        Message.objects.filter(pk__in=due, claim=token).select_related("event", "user", "mailing", "rewording").order_by("due_at", "pk")
    )


def _deliver(batch: list[Message], way: WayOut | None, now: Clock, is_over: Callable[[], bool]) -> int:
    """Try each of BATCH while there is time and a way out; gives how many. The others go back as they were."""
    ready = _written(batch, now())
    not_sent = aside(ready)
    outcomes.put_aside(ready, not_sent)
    going = [message for message in ready if message.pk not in not_sent]
    refused: list[tuple[Message, str]] = []
    tried, trouble = 0, ""
    for message in going:
        if is_over():
            break
        try:
            if way is not None:
                way.open()
            if _renew(message, now()):  # else the lease ran out, and another worker has it
                _try(message, way, refused, now)
        except NoWayOut as closed:
            trouble = str(closed)
            _rest(now(), PAUSE_OF_SILENCE, trouble)
            break
        tried += 1
    _bury(refused, tried, now())
    outcomes.give_back(going[tried:], trouble)
    return len(batch) - len(going) + tried


def _written(batch: list[Message], now: datetime) -> list[Message]:
    """Those of BATCH that have their words. They are rendered on the first claim, and stored in one transaction."""
    fresh, broken = [], set()
    known = know([message for message in batch if not message.subject])
    for message in batch:
        if not message.subject:
            try:
                keep_words(message, compose(message, known))
                fresh.append(message)
            except Exception as error:  # a letter that cannot be made: it must not stop the others
                log.exception("Message %s could not be made", message.code)
                outcomes.poison(message, _words(error), now)
                broken.add(message.pk)
    if fresh:
        with transaction.atomic():
            for message in fresh:
                outcomes.mine(message).update(subject=message.subject, text=message.text, html=message.html, link=message.link)
    return [message for message in batch if message.pk not in broken]


def _renew(message: Message, now: datetime) -> bool:
    """Make sure that the lease outlasts one try."""
    assert message.leased_until is not None
    if message.leased_until - now > timedelta(seconds=2 * settings.EMAIL_TIMEOUT):
        return True
    message.leased_until = now + LEASE
    return bool(outcomes.mine(message).update(leased_until=message.leased_until))


def _bury(refused: list[tuple[Message, str]], tried: int, now: datetime) -> None:
    """Refused for good: dead letters, unless most of the batch was refused: then the fault is likely ours,
    they are tried again for a day, and the way out rests for a while."""
    is_our_fault = len(refused) >= BREAKER_LEAST and len(refused) > BREAKER_SHARE * tried
    if is_our_fault:
        _rest(now, PAUSE_OF_REFUSAL, f"{len(refused)} of {tried} were refused")
    for message, said in refused:
        if is_our_fault:
            outcomes.later(message, said, now)
        else:
            outcomes.failed(message, said)


# -- One try ---------------------------------------------------------------------


class NoWayOut(Exception):
    """The mail server takes nothing at all from us: no fault of any message."""


class WayOut:
    """A connection to the mail server, opened when it is needed and anew after MAIL_PER_CONNECTION letters."""

    def __init__(self) -> None:
        self.connection: Any = get_connection()
        self.letters = 0

    def open(self) -> None:
        """Make sure that there is a way out.

        Raises:
            NoWayOut: the server does not answer, or refuses our name, password or TLS.
        """
        if self.letters >= settings.MAIL_PER_CONNECTION:
            self.close()
        try:
            self.connection.open()
        except (smtplib.SMTPException, OSError) as error:
            self.close()
            raise NoWayOut(_words(error)) from None

    def close(self) -> None:
        self.letters = 0
        try:
            self.connection.close()
        except (smtplib.SMTPException, OSError):
            self.connection.connection = None

    def send(self, message: Message) -> None:
        """Hand MESSAGE over.

        Raises:
            Unsendable: nothing that a server takes can be made of it.
        """
        self.letters += 1
        envelope(message, self.connection).send()


def _try(message: Message, way: WayOut | None, refused: list[tuple[Message, str]], now: Clock) -> None:
    """Send MESSAGE, and write down how it went; one that is refused for good joins REFUSED.

    Raises:
        NoWayOut: the server does not take our own address.
    """
    if way is None:  # the demo: the letter stays in the mailbox page
        outcomes.sent(message, now())
        return
    try:
        way.send(message)
    except Unsendable as error:
        outcomes.failed(message, str(error))
    except smtplib.SMTPSenderRefused as error:
        way.close()
        raise NoWayOut(_words(error)) from None
    except smtplib.SMTPRecipientsRefused as error:
        code, reply = next(iter(error.recipients.values()))
        _refused(message, code, _said(reply), way, refused, now())
    except smtplib.SMTPResponseException as error:
        _refused(message, error.smtp_code, _said(error.smtp_error), way, refused, now())
    except (smtplib.SMTPException, OSError) as error:
        way.close()
        outcomes.later(message, _words(error), now())
    except Exception as error:  # a letter that cannot be made into a mail
        log.exception("Message %s could not be sent", message.code)
        way.close()  # perhaps in the middle of a command
        outcomes.poison(message, _words(error), now())
    else:
        outcomes.sent(message, now())


def _refused(message: Message, code: int, reply: str, way: WayOut, refused: list[tuple[Message, str]], now: datetime) -> None:
    """For good (5xx), or for now. "5.1." says that the address is wrong: that is never a fault of ours."""
    said = f"{code} {reply}"
    if code == 421:  # and smtplib has hung up
        way.close()
    if not 500 <= code < 600:
        outcomes.later(message, said, now)
    elif reply.startswith("5.1."):
        outcomes.failed(message, said)
    else:
        refused.append((message, said))


def _said(reply: bytes | str) -> str:
    return reply.decode("utf-8", "replace") if isinstance(reply, bytes) else str(reply)


def _words(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_said(error.smtp_error)}"
    return f"{type(error).__name__}: {error}"
