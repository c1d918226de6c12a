"""The ear of the site: every recorded event passes here, in the transaction that wrote it."""

from typing import Any

from exchange.notifications import outbox
from scholarships.events.models import Event


def write_rows(sender: type[Event], events: list[Event], **kwargs: Any) -> None:
    outbox.write(events)
