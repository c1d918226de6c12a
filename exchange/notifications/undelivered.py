"""A letter that does not reach its reader: whoever waits for the answer must hear of it."""

from __future__ import annotations

from collections.abc import Iterable

from exchange.notifications.models import Message
from scholarships.references.actions import come_back


def tell(messages: Iterable[Message]) -> None:
    """Open the requests again whose referees are not reached; readers with an account find their letters in the inbox."""
    for message in messages:
        if message.user_id is None and message.event.subject_kind == "reference":
            come_back(message.event.subject_key, message.address)
