"""A person's own messages: which they are, how many are unread, and their words."""

from __future__ import annotations

from typing import Any

from django.db.models import F, Func, IntegerField, OuterRef, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _

from exchange.notifications.catalogue import NOTICES, Channel
from exchange.notifications.letters import compose
from exchange.notifications.models import Message, MessageQuerySet
from exchange.notifications.outbox import keep_words
from scholarships.events.models import Event

MOST_COUNTED = 100
CODES = "account.code"  # whoever finds a page open must not find the key to the account on it
BY_MAIL_ALONE = (CODES, *(notice.kind for notices in NOTICES.values() for notice in notices if notice.channel == Channel.MAIL))


def messages_of(user: Any) -> MessageQuerySet:
    """The messages in the inbox of USER."""
    return Message.objects.released().filter(user=user).exclude(kind__in=BY_MAIL_ALONE)


def _unread(user: Any) -> MessageQuerySet:
    return messages_of(user).filter(read_at__isnull=True)


def unread_count() -> Subquery:
    """An annotation of users: how many of their messages are unread; counting ends at 100."""
    some = _unread(OuterRef(OuterRef("pk"))).order_by().values("pk")[:MOST_COUNTED]
    count = Func(F("pk"), function="COUNT", output_field=IntegerField())
    return Subquery(Message.objects.filter(pk__in=Subquery(some)).order_by().annotate(number=count).values("number"))


def mark_read(messages: MessageQuerySet, *, by: Any) -> int:
    """Mark those of MESSAGES that are in the inbox of BY as read now; gives how many were unread."""
    count = _unread(by).filter(pk__in=messages.values("pk")).update(read_at=timezone.now())
    by.unread = max(getattr(by, "unread", 0) - count, 0)  # what the bar of this page says
    return count


def written(message: Message) -> Message:
    """MESSAGE with its words; what no worker has written yet is written now, and sent like that.

    Raises:
        LookupError: what it is about is gone.
    """
    if not message.subject:
        keep_words(message, compose(message))
        unwritten = Message.objects.filter(pk=message.pk, subject="")
        unwritten.update(subject=message.subject, text=message.text, html=message.html, link=message.link)
    return message


def title_of(message: Message) -> str:
    """The subject; before it is written, what happened in words."""
    return message.subject or what_happened(message.event)


def what_happened(event: Event) -> str:
    """What happened, in words; the bare name of an event that no room declares any more."""
    try:
        return _(event.says)
    except LookupError:
        return event.name
