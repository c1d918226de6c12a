"""A database that is up to date, made once: bringing one up from nothing takes seconds."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.exchange.management.site import environment
from tests.services import ROOT


@pytest.fixture(scope="session")
def _migrated(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("migrated")
    subprocess.run([sys.executable, str(ROOT / "manage.py"), "migrate", "-v0"], env=environment(folder), check=True)
    return folder / "site.sqlite3"


@pytest.fixture
def folder(_migrated: Path, tmp_path: Path) -> Path:
    """A folder with an empty database in it, as an earlier start has left it."""
    folder = tmp_path / "var"
    folder.mkdir()
    shutil.copy(_migrated, folder)
    return folder
