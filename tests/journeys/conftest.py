"""Every story has a real worker and a real SMTP server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.services import Mailbox, celery_worker, smtp_server, valkey


@pytest.fixture
def post(transactional_db) -> Iterator[Mailbox]:
    """What a real worker sends arrives here."""
    with valkey(), smtp_server() as mailbox, celery_worker(mailbox):
        yield mailbox
