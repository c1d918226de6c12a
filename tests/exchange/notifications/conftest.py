"""A mail server and a clock for tests of the way out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from tests.exchange.notifications.mailing import Clock, Server
from tests.services import smtp_server


@pytest.fixture
def clock() -> Clock:
    return Clock(timezone.now() + timedelta(seconds=5))


@pytest.fixture
def server(settings) -> Iterator[Server]:
    """Mail of this process leaves, and arrives here."""
    with smtp_server(Server()) as mailbox:
        settings.MAIL_STAYS_HERE = False
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", mailbox.port
        yield mailbox
        mailbox.held.clear()
