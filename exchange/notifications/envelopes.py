"""The letter as the mail server gets it: headers, parts, whom it goes to, and whom an answer goes to.

The bytes of the body and the Message-ID are the same on each try.
"""

from __future__ import annotations

from email.message import Message as Mime
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives
from django.core.signing import Signer
from django.core.validators import validate_email
from django.urls import reverse

from exchange.notifications.catalogue import notice_of
from exchange.notifications.keys import key_for, with_key
from exchange.notifications.models import Message

signer = Signer(salt="mail.stop")


class Unsendable(Exception):
    """No try can bring this letter out: the reason is told to the officers."""


class _Mail(EmailMultiAlternatives):
    """``boundary`` parts the text from the HTML: Django would draw another one on each try."""

    boundary = ""

    def message(self, **policy: Any) -> Any:
        made = super().message(**policy)
        if isinstance(made, Mime) and made.is_multipart():
            made.set_boundary(self.boundary)
        return made


def envelope(message: Message, connection: Any) -> EmailMultiAlternatives:
    """MESSAGE, ready to be sent over CONNECTION.

    Raises:
        Unsendable: the address is none, a header would break out of its line, or its link would open nothing.
    """
    _check(message)
    notice = notice_of(message.kind)
    try:
        key = key_for(message)
    except LookupError as closed:
        raise Unsendable(str(closed)) from None
    headers = {
        "Message-ID": message.message_id,
        "Auto-Submitted": "auto-generated",  # so that no machine answers; a bounce may still come back
        "X-Auto-Response-Suppress": "OOF, AutoReply",
    }
    if notice is not None and notice.may_opt_out and message.user_id:
        headers["List-Unsubscribe"] = f"<{settings.SITE_URL}{stop_path(message)}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail = _Mail(
        f"[{message.address}] {message.subject}" if settings.MAIL_ALL_TO else message.subject,
        with_key(message.text, key),
        settings.DEFAULT_FROM_EMAIL,
        [settings.MAIL_ALL_TO or message.address],
        connection=connection,
        headers=headers,
        reply_to=[settings.REPLY_TO.get(message.kind.rpartition(":")[2], settings.OFFICE_EMAIL)],
    )
    mail.boundary = f"=_{message.code}"
    if message.html:
        mail.attach_alternative(with_key(message.html, key), "text/html")
    return mail


def _check(message: Message) -> None:
    try:
        validate_email(message.address)
    except ValidationError:
        raise Unsendable("This is not an address to which mail can go.") from None
    if "\n" in message.subject or "\r" in message.subject:
        raise Unsendable("The subject holds a line break.")


# -- Opting out ------------------------------------------------------------------


def stop_path(message: Message) -> str:
    """Where the reader of MESSAGE says, with one act and without signing in: no more mail of this kind."""
    return reverse("inbox:unsubscribe", args=[signer.sign(message.code)])
