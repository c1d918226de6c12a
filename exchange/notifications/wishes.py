"""How a person wants letters of a kind: by mail at once, in the daily letter, or in the inbox only."""

from __future__ import annotations

from typing import Any

from django.core.signing import BadSignature
from django.db import transaction
from django.utils import timezone

from exchange.notifications.bundles import waiting
from exchange.notifications.catalogue import BODY, NOTICES, OFFICER, REVIEWER, Notice, notice_of, ways_of
from exchange.notifications.envelopes import signer
from exchange.notifications.models import Delivery, Message, Preference, Way
from scholarships.people.models import User
from scholarships.people.rules import is_body_member, is_officer, is_reviewer

_HEARS = ((OFFICER, is_officer), (BODY, is_body_member), (REVIEWER, is_reviewer))


def kinds_for(user: Any) -> list[Notice]:
    """The kinds of letters that USER may hear by now and may choose the way of, each once."""
    notices = {notice.kind: notice for notices in NOTICES.values() for notice in notices if len(ways_of(notice)) > 1}
    return [notice for notice in notices.values() if _hears(user, notice)]


def _hears(user: Any, notice: Notice) -> bool:
    questions = [question for who, question in _HEARS if who is notice.who]
    return not questions or questions[0](user)


def wishes_of(user: Any) -> dict[str, Way]:
    """Kind -> the way that USER has chosen; kinds about which nothing was said come by mail."""
    return {kind: Way(way) for kind, way in Preference.objects.filter(user=user).values_list("kind", "way")}


@transaction.atomic
def set_wish(user: Any, kind: str, way: Way) -> None:
    """From now on USER wants letters of KIND in this WAY. What waits for the daily letter is asked again: it goes into the queue."""
    Preference.objects.update_or_create(user=user, kind=kind, defaults={"way": way})
    if way != Way.DAILY:
        waiting().filter(user=user, kind=kind).update(delivery=Delivery.QUEUED, due_at=timezone.now())


def read_token(token: str) -> tuple[User, Notice]:
    """Whose letter TOKEN stands in (``envelopes.stop_path``), and of which kind it is.

    Raises:
        LookupError: it is not one of ours, the letter is gone, or one cannot opt out of its kind.
    """
    try:
        code = signer.unsign(token)
    except BadSignature:
        raise LookupError("no such token") from None
    message = Message.objects.select_related("user").filter(code=code, user__is_active=True).first()
    notice = notice_of(message.kind) if message else None
    if message is None or message.user is None or notice is None or not notice.may_opt_out:
        raise LookupError("nothing to opt out of")
    return message.user, notice
