"""A real Chromium where there is one; elsewhere these tests say why they are skipped."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.services import Mailbox, celery_worker, smtp_server, valkey

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip

os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # Playwright keeps a loop running in this thread


@pytest.fixture(scope="session")
def _running() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        pytest.skip(f"there is no {CHROMIUM} on this machine: install Debian's package chromium to run the browser tests")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def chromium(live_server, _running) -> Iterator[Browser]:
    """With no page open at the end: one that still loads would ask a database that is being emptied."""
    yield _running
    for context in list(_running.contexts):
        for page in context.pages:
            page.wait_for_load_state("networkidle")
        context.close()


@pytest.fixture
def post(transactional_db) -> Iterator[Mailbox]:
    """A real worker that sends to a real SMTP server."""
    with valkey(), smtp_server() as mailbox, celery_worker(mailbox):
        yield mailbox
