"""How long a password must be: 15 characters, or 8 where a second factor stands beside it."""

from __future__ import annotations

from typing import Any

from allauth.mfa.utils import is_mfa_enabled
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

ALONE, WITH_SECOND_FACTOR = 15, 8


class LongEnough:
    """Length counts, composition does not. Source: NIST SP 800-63B, section 3.1.1.2 (revision 4)."""

    def validate(self, password: str, user: Any = None) -> None:
        least = WITH_SECOND_FACTOR if user is not None and user.pk and is_mfa_enabled(user) else ALONE
        if len(password) < least:
            raise ValidationError(
                _("Use at least %(least)d characters; a sentence is easy to remember.") % {"least": least}, code="password_too_short"
            )

    def get_help_text(self) -> str:
        return _("At least %(alone)d characters, or %(second)d with a second factor. A sentence is easy to remember.") % {
            "alone": ALONE,
            "second": WITH_SECOND_FACTOR,
        }
