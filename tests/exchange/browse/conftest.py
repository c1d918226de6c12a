"""The shipped calls, loaded once for all tests of a module."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from exchange.management.commands.load_call import load_library, shipped
from scholarships.calls.file import read
from scholarships.calls.loading import load


@pytest.fixture(scope="module")
def shipped_calls(django_db_setup, django_db_blocker) -> Iterator[None]:
    """The SCO scholarship, the 3+2 programme and the call for Turkmenistan, open since five days."""
    with django_db_blocker.unblock(), transaction.atomic():
        load_library()
        for name in ("sco", "tcm-3-2", "turkmenistan"):
            load(read(shipped(name).read_text(encoding="utf-8")), opens_on=timezone.localdate() - timedelta(days=5))
        yield
        transaction.set_rollback(True)
