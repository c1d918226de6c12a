"""What every test stands on: a place to write in, and the settings for it, before Django is loaded."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import django
import pytest

WORKER = os.environ.get("PYTEST_XDIST_WORKER", "gw0")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "browser: drives a real Chromium")


# Each xdist worker writes into a folder of its own; the secret is made there as on a first start.
os.environ.setdefault("TEST_ROOT", tempfile.mkdtemp(prefix="sapar-tests-"))
VAR = Path(os.environ["TEST_ROOT"]) / WORKER
(VAR / "static").mkdir(parents=True, exist_ok=True)
os.environ["VAR"] = str(VAR)
os.environ["CELERY_PREFIX"] = f"{WORKER}-{os.environ['TEST_ROOT'][-8:]}-"  # several workers may share one Redis
for name in ("SITE_URL", "EMAIL_URL", "DEBUG", "PORT"):
    os.environ.pop(name, None)
# Here and not in pyproject.toml: the settings must find the folder above.
os.environ["DJANGO_SETTINGS_MODULE"] = "exchange.settings"
django.setup()


@pytest.fixture(autouse=True)
def _clean_language():
    from django.utils import translation

    with translation.override("en"):
        yield


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix):
    """One database for each xdist worker; for SQLite a file, because a real worker must see it too."""
    from django.conf import settings

    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        database["TEST"]["NAME"] = str(VAR / "test.sqlite3")
