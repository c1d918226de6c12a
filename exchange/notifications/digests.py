"""The daily letter: at seven in the morning of its reader, once a day, of what has waited for it, and never empty."""

from __future__ import annotations

import logging
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Min
from django.utils import timezone

from exchange.notifications.bundles import BUNDLE, DIGEST, waiting
from exchange.notifications.models import Delivery, Message
from exchange.notifications.wishes import kinds_for
from exchange.ui.templatetags.ui import reader_zone
from scholarships.events.actions import record
from scholarships.people.models import User

log = logging.getLogger(__name__)

AT = time(7)  # in the reader's zone


def send_due(*, at: datetime | None = None) -> int:
    """Write the daily letters whose hour has come; gives how many.

    Each lists what happened before its hour, also when the clock wakes late: what came after waits for
    the next morning. The key of the event, a person and a day, makes it one letter whoever runs this.
    """
    now = at or timezone.now()
    first = dict(waiting().order_by().values_list("user").annotate(Min("created_at")))  # nearly always empty
    count = 0
    for user in User.objects.filter(pk__in=first, is_active=True).select_related("profile__citizenship"):
        try:
            hour = last_hour(user, now)
            if first[user.pk] < hour:
                count += _send(user, hour, now)
        except Exception:
            log.exception("The daily letter to %s could not be written.", user.code)
    return count


def last_hour(user: User, now: datetime) -> datetime:
    """When it was last time for a daily letter to USER, NOW included."""
    zone = ZoneInfo(reader_zone(user) or "UTC")
    today = datetime.combine(now.astimezone(zone), AT, zone)
    return today if today <= now else datetime.combine(today.date() - timedelta(days=1), AT, zone)


def _send(user: User, hour: datetime, now: datetime) -> bool:
    """Whether a letter was written by us, of what USER may still hear; the rest stays in the inbox."""
    with transaction.atomic():
        rows = waiting().filter(user=user, created_at__lt=hour)
        found = dict(rows.select_for_update().values_list("pk", "kind"))
        heard = {notice.kind for notice in kinds_for(user)}
        gone = [pk for pk, kind in found.items() if kind not in heard]  # a role that was taken back meanwhile
        Message.objects.filter(pk__in=gone).update(delivery=Delivery.KEPT)
        listed = [pk for pk, kind in found.items() if kind in heard]
        if not listed:
            return False
        try:
            event = record(DIGEST, user, key=f"{DIGEST}:{user.code}:{hour:%Y%m%d}", at=now)
        except ValidationError:  # written already; what has come late to it waits for the next
            return False
        Message.objects.filter(pk__in=listed).update(digest=Message.objects.get(event=event, kind=BUNDLE))
    return True
