"""How a session finds its user."""

from __future__ import annotations

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend

from exchange.notifications.reading import unread_count
from scholarships.people.models import User
from scholarships.people.rules import read_user


class Backend(AuthenticationBackend):
    """Signing in is allauth's; a signed-in user comes with what every page asks of them, and says it without another query."""

    def get_user(self, user_id: Any) -> User | None:
        user = read_user(user_id, unread=unread_count())
        return user if user and self.user_can_authenticate(user) else None
