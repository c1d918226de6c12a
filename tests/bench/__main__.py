"""What each step of each user costs: SQL queries and CPU milliseconds, with N applications in a call.

    python -m tests.bench                     1,000, 10,000 and (the officer's list) 100,000, on SQLite and PostgreSQL
    python -m tests.bench --n 1000 --on sqlite

PostgreSQL is that of DATABASE_URL, or the one on 127.0.0.1:5432; a database ``sapar_bench`` is made
there and emptied. CPU is that of the process that answers and of PostgreSQL's processes on the same
machine. Time spent waiting is not counted: it is the machine's, not the programme's.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

SIZES = (1_000, 10_000, 100_000)
NAME = "sapar_bench"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, nargs="*", default=SIZES)
    parser.add_argument("--on", choices=["sqlite", "postgresql"], nargs="*", default=["sqlite", "postgresql"])
    arguments = parser.parse_args()
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {_processor()}")
    failed = 0
    for url in _databases(arguments.on):
        for n in arguments.n:
            with tempfile.TemporaryDirectory(prefix="sapar-bench-") as folder:
                (Path(folder) / "static").mkdir()
                own = {
                    "VAR": folder,
                    "DJANGO_SETTINGS_MODULE": "exchange.settings",
                    "DATABASE_URL": url or f"sqlite:///{folder}/bench.sqlite3",
                }
                failed += subprocess.run(
                    [sys.executable, "-m", "tests.bench.run", "--n", str(n)], env={**os.environ, **own}, check=False
                ).returncode
    print("\nEvery step is within its bound." if not failed else "\nSome steps are over their bound.")
    return 1 if failed else 0


def _databases(on: list[str]) -> Iterator[str]:
    """The addresses to measure on; "" is a SQLite file in the folder of the run."""
    if "sqlite" in on:
        yield ""
    if "postgresql" in on:
        given = os.environ.get("DATABASE_URL") or "postgres://root@127.0.0.1:5432/postgres"
        url = urlunsplit(urlsplit(given)._replace(path=f"/{NAME}"))
        made = subprocess.run(
            ["createdb", f"--maintenance-db={given.replace('postgres://', 'postgresql://', 1)}", NAME],
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode and "already exists" not in made.stderr:
            print(f"\nPostgreSQL is left out: {made.stderr.strip() or 'createdb is not there'}")
        else:
            yield url


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if Path("/proc/cpuinfo").exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


if __name__ == "__main__":
    sys.exit(main())
