"""Links that are keys: they stand in no stored letter, and are put in when one leaves.

What is stored has ``pages.KEY`` in their place, so that neither officers who read a letter nor a copy of the
database get in by it. The key is derived anew on each try and always the same, and with it the bytes that are sent.
"""

from __future__ import annotations

from exchange.notifications.catalogue import notice_of
from exchange.notifications.models import Message
from exchange.notifications.pages import KEY
from scholarships.references.links import key_of, link_to
from scholarships.references.models import STANDING, Link, LinkPurpose, Reference


def key_for(message: Message) -> str:
    """The key that belongs into MESSAGE, "" where none does.

    Raises:
        LookupError: what it would open is closed by now, or belongs to another address.
    """
    notice = notice_of(message.kind)
    if notice is None or not notice.key:
        return ""
    if notice.key == LinkPurpose.LIST:
        link = Link.objects.filter(code=message.event.subject_key, address=message.address).first()
    else:
        rows = Reference.objects.select_related("application__call", "application__version")
        reference = rows.filter(code=message.event.subject_key, address=message.address, state__in=STANDING).first()
        link = link_to(reference, notice.key) if reference else None
    if link is None:
        raise LookupError("The request is closed.")
    return key_of(link)


def with_key(text: str, key: str) -> str:
    """TEXT of a stored letter as its reader gets it."""
    return text.replace(KEY, key) if key else text
