"""Letters under faults, on SQLite and on PostgreSQL: none may be lost.

    python -m tests.chaos                       1,000 letters on both
    python -m tests.chaos --messages 200 --on sqlite

The worker is killed with -9 eight times; Redis is frozen, stopped and wiped; the mail server refuses and
hangs up. PostgreSQL is that of DATABASE_URL, or the one on 127.0.0.1:5432; a database ``sapar_chaos`` is
made there and emptied.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

NAME = "sapar_chaos"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=1000)
    parser.add_argument("--on", choices=["sqlite", "postgresql"], nargs="*", default=["sqlite", "postgresql"])
    arguments = parser.parse_args()
    plain = {name: value for name, value in os.environ.items() if name not in {"REDIS_URL", "EMAIL_URL", "SITE_URL"}}
    failed = 0
    for url in _databases(arguments.on):
        with tempfile.TemporaryDirectory(prefix="sapar-chaos-") as folder:
            (Path(folder) / "static").mkdir()
            own = {
                "VAR": folder,
                "DJANGO_SETTINGS_MODULE": "exchange.settings",
                "DATABASE_URL": url or f"sqlite:///{folder}/chaos.sqlite3",
            }
            command = [sys.executable, "-m", "tests.chaos.run", "--messages", str(arguments.messages)]
            failed += subprocess.run(command, env={**plain, **own}, check=False).returncode
    print("\nNone was lost." if not failed else "\nThe outbox did not hold.")
    return 1 if failed else 0


def _databases(on: list[str]) -> Iterator[str]:
    """The addresses to rehearse on; "" is a SQLite file in the folder of the run."""
    if "sqlite" in on:
        yield ""
    if "postgresql" in on:
        given = os.environ.get("DATABASE_URL") or "postgres://root@127.0.0.1:5432/postgres"
        command = ["createdb", f"--maintenance-db={given.replace('postgres://', 'postgresql://', 1)}", NAME]
        made = subprocess.run(command, capture_output=True, text=True, check=False)
        if made.returncode and "already exists" not in made.stderr:
            print(f"\nPostgreSQL is left out: {made.stderr.strip() or 'createdb is not there'}")
        else:
            yield urlunsplit(urlsplit(given)._replace(path=f"/{NAME}"))


if __name__ == "__main__":
    sys.exit(main())
