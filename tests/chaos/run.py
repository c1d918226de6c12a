"""One rehearsal on the database of the environment. ``python -m tests.chaos`` starts it; see there."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import django

django.setup()

from django.conf import settings  # noqa: E402

from tests.bench.world import empty  # noqa: E402
from tests.chaos.rehearsal import rehearse  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--messages", type=int, required=True)
    arguments = parser.parse_args()
    empty()
    outcome = rehearse(arguments.messages, Path(settings.VAR))
    print(outcome.said, flush=True)
    for fault in outcome.faults:
        print(f"  WRONG: {fault}", flush=True)
    return 1 if outcome.faults else 0


if __name__ == "__main__":
    sys.exit(main())
