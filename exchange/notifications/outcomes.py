"""How a try went, written into the row by the worker that still holds it: whoever lost the lease writes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from exchange.notifications import undelivered
from exchange.notifications.models import Delivery, Message, MessageQuerySet

FIRST_WAIT, LONGEST_WAIT = 10, 1800  # seconds; doubled in between
MOST_TRIES, MOST_TRIES_OF_POISON = 56, 5  # with these waits 56 tries last 24 hours


def mine(message: Message) -> MessageQuerySet:
    """The row, if this worker still holds it."""
    return Message.objects.filter(pk=message.pk, claim=message.claim)


def sent(message: Message, now: datetime) -> None:
    mine(message).update(delivery=Delivery.SENT, sent_at=now, claim="", leased_until=None, error="")


def put_aside(batch: list[Message], states: Mapping[int, Delivery]) -> None:
    """Those of BATCH in STATES, by primary key, are shown in the inbox and not sent singly."""
    for state in dict.fromkeys(states.values()):
        those = [message for message in batch if states.get(message.pk) == state]
        _together(those).update(delivery=state, claim="", leased_until=None, error="")
        undelivered.tell(those)  # who has no inbox is not reached


def later(message: Message, error: str, now: datetime, *, most: int = MOST_TRIES) -> None:
    """Try again after a wait that doubles from 10 s to 30 min; after MOST tries it has failed."""
    if message.tries + 1 >= most:
        failed(message, error)
        return
    mine(message).update(
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


def failed(message: Message, error: str) -> None:
    if mine(message).update(delivery=Delivery.FAILED, tries=message.tries + 1, error=error[:250], claim="", leased_until=None):
        undelivered.tell([message])


def poison(message: Message, error: str, now: datetime) -> None:
    """A letter that cannot be made: a fault of ours, perhaps mended soon, perhaps not."""
    later(message, error, now, most=MOST_TRIES_OF_POISON)


def give_back(messages: list[Message], trouble: str = "") -> None:
    """Into the queue as they were; TROUBLE says why they wait."""
    if messages:
        said = {"error": trouble[:250]} if trouble else {}
        _together(messages).update(delivery=Delivery.QUEUED, claim="", leased_until=None, **said)


def _together(messages: list[Message]) -> MessageQuerySet:
    """Rows of one claim, those that this worker still holds."""
    return Message.objects.filter(pk__in=[message.pk for message in messages], claim=messages[0].claim)
