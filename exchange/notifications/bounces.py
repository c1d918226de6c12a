"""Letters that came back: the row is marked, the address counted, and after three hard bounces left in peace."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.message import Message as Mime
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef
from django.db.models.functions import Lower
from django.utils import timezone

from exchange.notifications import undelivered
from exchange.notifications.models import Address, Delivery, Message
from scholarships.applications.models import Application
from scholarships.events.actions import record
from scholarships.events.names import declare
from scholarships.people.models import User

STOPPED = declare("address.stopped", "Letters came back from an address, and nothing is mailed to it any more")

HARD, SOFT = "hard", "soft"
MOST_HARD = 3
_ID = re.compile(r"<[^<>\s]+>")


@dataclass(frozen=True)
class Bounce:
    message_id: str
    kind: str
    said: str = ""


def take(bounce: Bounce) -> Message | None:
    """Write down that a letter came back; None when we never sent it. Told twice, it counts once."""
    message_id = bounce.message_id.strip()
    message_id = message_id if message_id.startswith("<") else f"<{message_id}>"
    now, said = timezone.now(), " ".join(bounce.said.replace("\0", "").split())[:250]
    with transaction.atomic():
        message = Message.objects.select_for_update(of=("self",)).select_related("event").filter(message_id=message_id).first()
        if message is None or message.bounced_at is not None:
            return message
        message.delivery, message.bounced_at, message.error, message.claim, message.leased_until = Delivery.BOUNCED, now, said, "", None
        message.save(update_fields=["delivery", "bounced_at", "error", "claim", "leased_until"])
        if bounce.kind == HARD:
            _count(message.address.lower(), said)
        undelivered.tell([message])
    return message


def _count(address: str, said: str) -> None:
    now = timezone.now()
    Address.objects.get_or_create(address=address)
    row = Address.objects.filter(address=address)
    row.update(hard_bounces=F("hard_bounces") + 1, bounced_at=now, said=said)
    if row.filter(hard_bounces__gte=MOST_HARD, stopped_at__isnull=True).update(stopped_at=now):  # once for each stop
        for owner in User.objects.filter(email__iexact=address, is_active=True):
            record(STOPPED, owner, at=now)


def stopped(addresses: set[str]) -> set[str]:
    """Those of ADDRESSES to which no mail goes any more, in small letters."""
    small = {address.lower() for address in addresses}
    return set(Address.objects.filter(address__in=small, stopped_at__isnull=False).values_list("address", flat=True))


def came_back(applications: Iterable[int]) -> dict[int, bool]:
    """Those of APPLICATIONS, by primary key, to whose applicants' address letters could not be delivered; whether it is stopped."""
    rows = Application.objects.filter(pk__in=list(applications)).annotate(mail=Lower("applicant__email"))
    known = Address.objects.filter(address=OuterRef("mail"), hard_bounces__gt=0)
    is_stopped = Exists(known.filter(stopped_at__isnull=False))
    return dict(rows.filter(Exists(known)).order_by().values_list("pk", is_stopped))


# -- What a mail server writes when a letter cannot be delivered (RFC 3464) ---------


def read_report(raw: bytes) -> Bounce | None:
    """The bounce that the delivery report RAW tells of; None when it tells of none, or only of a delay."""
    report = message_from_bytes(raw, policy=policy.default)
    fields = _recipient_fields(report)
    action, status = str(fields.get("Action", "")).strip().lower(), str(fields.get("Status", "")).strip()
    original = _original_id(report)
    if action != "failed" or not original:
        return None
    said = str(fields.get("Diagnostic-Code", "")) or status
    return Bounce(original, SOFT if status.startswith("4") else HARD, said)


def _recipient_fields(report: EmailMessage | Mime) -> Any:
    """The block of the report that speaks of the recipient: the first one with an Action."""
    for part in report.walk():
        if part.get_content_type() == "message/delivery-status":
            blocks = part.get_payload()
            for block in blocks if isinstance(blocks, list) else ():
                if isinstance(block, Mime) and block.get("Action"):
                    return block
    return {}


def _original_id(report: EmailMessage | Mime) -> str:
    """The Message-ID of the letter that came back: of the copy or the headers that the report carries."""
    for part in report.walk():
        kind = part.get_content_type()
        if kind == "message/rfc822":
            inner = part.get_payload()
            copy = inner[0] if isinstance(inner, list) and inner else None
            headers = str(copy.get("Message-ID", "")) if isinstance(copy, Mime) else ""
        elif kind == "text/rfc822-headers":
            text = part.get_payload(decode=True)
            headers = str(message_from_bytes(text, policy=policy.default).get("Message-ID", "")) if isinstance(text, bytes) else ""
        else:
            continue
        if found := _ID.search(headers):
            return found.group()
    return ""
