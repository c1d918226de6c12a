"""What runs on the clock. Each may run twice, late, or in two workers at once, and does no harm.

A call, an offer or an account that cannot be dealt with is logged and left, and the others go on.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.utils import timezone

from exchange.celery import app
from exchange.notifications import digests, reminders
from exchange.notifications.health import beat
from exchange.notifications.models import PRIVATE
from scholarships.calls.actions import announce_closed
from scholarships.calls.models import Call
from scholarships.events.actions import seal
from scholarships.offers import actions as offers
from scholarships.people.models import User

UNUSED_ACCOUNT = timedelta(days=1)  # an address that somebody typed and nobody confirmed
CLOSED_LATELY = timedelta(days=14)  # for so long the clock may have stood still and still tells of a closed call

log = logging.getLogger(__name__)


@app.task(name="jobs.announce_closed")
def announce_closed_calls() -> None:
    now = timezone.now()
    for call in Call.objects.published().filter(closes_at__range=(now - CLOSED_LATELY, now)):
        try:
            announce_closed(call, at=now)
        except ValidationError:  # announced already
            continue
        except Exception:
            log.exception("Call %s could not be announced as closed.", call.code)


@app.task(name="jobs.publish_results")
def publish_results() -> None:
    offers.publish_due()


@app.task(name="jobs.lapse_offers")
def lapse_offers() -> None:
    offers.lapse_due()


@app.task(name="jobs.remind")
def remind() -> None:
    reminders.plan()
    reminders.tell_due()


@app.task(name="jobs.daily_letters")
def daily_letters() -> None:
    digests.send_due()


@app.task(name="jobs.heartbeat")
def heartbeat(sent: float) -> None:
    """SENT is when the clock sent this, in seconds of Unix."""
    beat(sent=datetime.fromtimestamp(sent, UTC))


@app.task(name="jobs.seal_events")
def seal_events() -> None:
    try:
        while seal():
            pass
    except IntegrityError:  # another worker seals at this moment: each link has one successor
        log.info("The event log is being sealed by another worker.")


@app.task(name="jobs.forget")
def forget() -> None:
    """Sessions that are over; accounts that nobody ever confirmed, with the letters that brought their codes."""
    now = timezone.now()
    Session.objects.filter(expire_date__lt=now).delete()
    unused = User.objects.filter(joined_at__lt=now - UNUSED_ACCOUNT, last_login__isnull=True, name="").exclude(memberships__isnull=False)
    for pk in list(unused.values_list("pk", flat=True)):
        try:
            with transaction.atomic():
                user = unused.select_for_update(of=("self",)).filter(pk=pk).first()
                if user is not None:  # else somebody has signed in at this moment
                    user.messages.filter(kind__startswith=PRIVATE).delete()
                    user.delete()
        except ProtectedError:
            log.warning("Account %d is used by something, and stays.", pk)
