"""What waits for a reader's daily letter, and what one daily letter lists.

Such a letter goes by mail alone. All that it lists stands in the inbox already, each message with its
own mark of being unread; a row for it there would count the same news twice, and could not be answered
by reading anything. The officers' outbox shows it like every other letter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.urls import reverse

from exchange.notifications.models import Delivery, Message, MessageQuerySet
from scholarships.calls.models import Call
from scholarships.events.names import declare

DIGEST = declare("digest.due", "A daily letter was due")
BUNDLE = "digest:person"  # the kind of the letter
LONGEST = 100  # lines; of more the inbox tells


@dataclass(frozen=True)
class Line:
    title: str
    url: str


def waiting() -> MessageQuerySet:
    """The messages that wait for a daily letter."""
    return Message.objects.filter(delivery=Delivery.BUNDLED, digest__isnull=True)


def listed_in(letter: Message) -> dict[str, Any]:
    """What the daily LETTER says: how many messages, ``groups`` of (title of the call or "", its lines), how many are left out.

    Raises:
        LookupError: all that it listed is gone; an empty letter is never sent.
    """
    rows = Message.objects.filter(digest=letter).only("code", "call", "subject").order_by("pk")
    count = rows.count()
    if not count:
        raise LookupError("the messages that the letter lists are gone")
    lines: dict[str, list[Line]] = {}
    for row in rows[:LONGEST]:
        url = settings.SITE_URL + reverse("inbox:message", args=[row.code])  # to read it there is to read it in the inbox
        lines.setdefault(row.call, []).append(Line(row.subject, url))
    titles = {call.code: call.title for call in Call.objects.filter(code__in=lines).only("code", "title")}
    groups = [(str(titles.get(call, "")), lines[call]) for call in sorted(lines, key=lambda call: (not call, call))]
    preferences = settings.SITE_URL + reverse("inbox:preferences")
    return {"count": count, "groups": groups, "more": max(0, count - LONGEST), "preferences": preferences}
