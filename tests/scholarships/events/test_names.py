"""Each name of an event is known from the start, whichever pages and actions a process has used."""

from __future__ import annotations

import os
import subprocess
import sys

from exchange.notifications.catalogue import NOTICES, SILENT
from tests.services import ROOT

READ_NAMES = "import django; django.setup(); from scholarships.events.names import all_names; print(*sorted(all_names()))"


def test_a_process_that_has_only_started_can_say_every_event():
    said = subprocess.run(
        [sys.executable, "-c", READ_NAMES],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "exchange.settings"},
    ).stdout

    assert {*NOTICES, *SILENT} - set(said.split()) == set()
