"""Our side of allauth: its letters leave by the outbox like all others."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.utils import filter_users_by_email
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.shortcuts import resolve_url
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from exchange.notifications import outbox
from exchange.notifications.bounces import stopped
from exchange.notifications.letters import write_letter
from scholarships.events.actions import record
from scholarships.events.names import declare

CODE_SENT = declare("account.code_sent", "A code was sent for signing in")
CHANGED = declare("account.changed", "The account was changed", "what")

# allauth's letters -> ours. One that is not here is not sent.
_LETTERS = {
    "account/email/login_code": "account.code",
    "account/email/email_confirmation": "account.code",
    "account/email/email_confirmation_signup": "account.code",
    "account/email/password_reset_code": "account.code",
    "account/email/password_changed": "account.changed",
    "account/email/password_reset": "account.changed",
    "account/email/password_set": "account.changed",
    "mfa/email/totp_activated": "account.changed",
    "mfa/email/totp_deactivated": "account.changed",
    "mfa/email/recovery_codes_generated": "account.changed",
}


class AccountAdapter(DefaultAccountAdapter):
    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "incorrect_code": _("This code is wrong. Type the six digits of the newest mail."),
        "too_many_login_attempts": _("The code was wrong too often and no longer works. Ask for a new one."),
        "email_password_mismatch": _("Address and password do not fit. Try again, or ask for a code instead."),
        "rate_limited": _("A code was sent a moment ago. Wait a little before you ask for another one."),
    }

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        letter = _LETTERS.get(template_prefix)
        user = context.get("user") or next(iter(filter_users_by_email(email)), None)
        if letter is None or user is None:
            return
        what = template_prefix.rpartition("/")[2]
        language = user.language or translation.get_language() or settings.LANGUAGE_CODE
        with translation.override(language):
            rendered = write_letter(
                letter, {"code": context.get("code"), "what": what, "recipient": user, "link": resolve_url("account_login")}
            )
        with transaction.atomic():
            event = record(CODE_SENT, user) if letter == "account.code" else record(CHANGED, user, what=what)
            outbox.post(event, letter, email, rendered, user=user, language=language)

    def confirm_email(self, request: HttpRequest, email_address: Any) -> bool:
        """A confirmed address takes the place of one to which nothing is mailed any more; beside any other it only signs in too."""
        is_confirmed = bool(super().confirm_email(request, email_address))
        if is_confirmed and stopped({email_address.user.email}):
            email_address.set_as_primary()
        return is_confirmed

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """There is no page for signing up: the first code makes the account."""
        return False

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        return resolve_url(settings.LOGIN_REDIRECT_URL)
