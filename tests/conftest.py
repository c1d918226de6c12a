"""What every test stands on: a place to write in, and the settings for it, before Django is loaded."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

import django
import pytest
from django.apps import apps
from django.conf import settings
from django.db.models.signals import post_migrate
from xdist.scheduler import LoadScopeScheduling

WORKER = os.environ.get("PYTEST_XDIST_WORKER", "gw0")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "browser: drives a real Chromium")


# Each xdist worker writes into a folder of its own; the secret is made there as on a first start.
if "TEST_ROOT" not in os.environ:
    os.environ["TEST_ROOT"] = tempfile.mkdtemp(prefix="sapar-tests-")
    atexit.register(shutil.rmtree, os.environ["TEST_ROOT"], ignore_errors=True)  # only in the process that made it
VAR = Path(os.environ["TEST_ROOT"]) / WORKER
(VAR / "static").mkdir(parents=True, exist_ok=True)
os.environ["VAR"] = str(VAR)
os.environ["UNDO_SECONDS"] = "0"  # nobody waits ten minutes for a release here, but those who test that
os.environ["CELERY_PREFIX"] = f"{WORKER}-{os.environ['TEST_ROOT'][-8:]}-"  # several workers may share one Redis
for name in ("SITE_URL", "EMAIL_URL", "DEBUG", "PORT"):
    os.environ.pop(name, None)
# Here and not in pyproject.toml: the settings must find the folder above.
os.environ["DJANGO_SETTINGS_MODULE"] = "exchange.settings"
django.setup()
# xdist's workers inherit this environment, and with the name in it their settings would be read before this file gives each a folder.
del os.environ["DJANGO_SETTINGS_MODULE"]
assert settings.VAR == VAR, "The settings were read before this file: unset DJANGO_SETTINGS_MODULE and run the tests again."


def _load_countries(**kwargs: Any) -> None:
    import_module("scholarships.partners.migrations.0002_countries").load(apps, None)


# A test with real transactions ends by emptying every table; Django then tells of it as after a migration.
post_migrate.connect(_load_countries, sender=apps.get_app_config("partners"))


# Each of these opens something that costs seconds (the whole site, a Chromium): once, in one xdist worker. The marks of
# xdist_group would say the same, but pytest-xdist 3.8 writes them into a place where pytest 9.2 no longer looks.
TOGETHER = ("tests/exchange/management/", "tests/exchange/test_pages.py", "tests/browser/")


class Together(LoadScopeScheduling):
    """Hands out tests one by one, and those of a folder in ``TOGETHER`` to one worker, first of all."""

    def _split_scope(self, nodeid: str) -> str:
        return next((folder for folder in TOGETHER if nodeid.startswith(folder)), nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Together:
    return Together(config, log)


@pytest.fixture(autouse=True)
def _clean_language():
    from django.utils import translation

    with translation.override("en"):
        yield


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix):
    """One database for each xdist worker; for SQLite a file, because a real worker must see it too."""
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        database["TEST"]["NAME"] = str(VAR / "test.sqlite3")
