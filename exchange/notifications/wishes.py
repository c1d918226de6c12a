"""What a person wants by mail: of some kinds of letters one may opt out, and finds them in the inbox only."""

from __future__ import annotations

from typing import Any

from django.core.signing import BadSignature

from exchange.notifications.catalogue import BODY, NOTICES, OFFICER, REVIEWER, Notice, notice_of
from exchange.notifications.envelopes import signer
from exchange.notifications.models import Message, Preference
from scholarships.people.models import User
from scholarships.people.rules import is_body_member, is_officer, is_reviewer

_HEARS = ((OFFICER, is_officer), (BODY, is_body_member), (REVIEWER, is_reviewer))


def kinds_for(user: Any) -> list[Notice]:
    """The kinds of letters that USER may hear by now and may opt out of, each once."""
    notices = {notice.kind: notice for notices in NOTICES.values() for notice in notices if notice.may_opt_out}
    return [notice for notice in notices.values() if _hears(user, notice)]


def _hears(user: Any, notice: Notice) -> bool:
    questions = [question for who, question in _HEARS if who is notice.who]
    return not questions or questions[0](user)


def not_by_mail(user: Any) -> set[str]:
    """The kinds that USER wants in the inbox only."""
    return set(Preference.objects.filter(user=user, by_mail=False).values_list("kind", flat=True))


def set_wish(user: Any, kind: str, *, by_mail: bool) -> None:
    Preference.objects.update_or_create(user=user, kind=kind, defaults={"by_mail": by_mail})


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
