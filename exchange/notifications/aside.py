"""Which letters of a batch are not sent singly: they stay in the inbox, or wait for their reader's daily letter."""

from __future__ import annotations

from collections.abc import Sequence

from exchange.notifications.bounces import stopped
from exchange.notifications.catalogue import notice_of, ways_of
from exchange.notifications.models import PRIVATE, Delivery, Message, Preference, Way


def aside(batch: Sequence[Message]) -> dict[int, Delivery]:
    """Primary key -> what becomes of it, of those of BATCH whose address takes no mail any more or whose reader wants it otherwise.

    Letters with codes go out all the same: whoever asks for one could not sign in without it.
    """
    silent = stopped({message.address for message in batch})
    wishes = _wishes(batch)
    states = {}
    for message in batch:
        if message.address.lower() in silent and not message.kind.startswith(PRIVATE):
            states[message.pk] = Delivery.KEPT
        elif way := wishes.get((message.user_id, message.kind)):
            states[message.pk] = Delivery.BUNDLED if way == Way.DAILY else Delivery.KEPT
    return states


def _wishes(batch: Sequence[Message]) -> dict[tuple[int | None, str], Way]:
    """(user, kind) -> the other way than by mail at once that the user has chosen, where the kind allows it."""
    allowed = {message.kind: ways_of(notice) for message in batch if message.user_id and (notice := notice_of(message.kind))}
    kinds = [kind for kind, ways in allowed.items() if len(ways) > 1]
    if not kinds:
        return {}
    rows = Preference.objects.filter(user__in={message.user_id for message in batch}, kind__in=kinds).exclude(way=Way.MAIL)
    return {(row.user_id, row.kind): Way(row.way) for row in rows if row.way in allowed[row.kind]}
