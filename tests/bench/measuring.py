"""Queries and CPU of one step of a user: this process, and PostgreSQL's processes when they run on this machine."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from django.db import connection
from django.test.utils import CaptureQueriesContext

WARM = 8  # turns: PostgreSQL keeps a plan from the sixth use on, as it does in a process that serves for hours


@dataclass(frozen=True)
class Cost:
    """``queries``: the most that one turn took; ``ms``: CPU milliseconds, the mean of the turns."""

    queries: int
    ms: float

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.queries + other.queries, self.ms + other.ms)


def measure(act: Callable[[], object], times: int) -> Cost:
    """The cost of ACT, which raises when the page does not answer as it should. WARM turns before warm it up and count."""
    for _each in range(WARM - 1):
        act()
    with CaptureQueriesContext(connection) as captured:
        act()
    queries = len(captured)
    here, there = time.process_time(), server_cpu()
    for _each in range(times):
        act()
    here = time.process_time() - here
    return Cost(queries, 1000 * (here + server_cpu() - there) / times)


def yardstick() -> float:
    """CPU milliseconds of the same small piece of Python on every machine: it tells a slow machine from slow code.

    About 90 with the Python of Debian on a server of 2024; 130 with a Python that was compiled without optimisation.
    """
    best = 0.0
    for _each in range(5):
        began, seen = time.process_time(), dict[int, str]()
        for number in range(1_000_000):
            seen[number % 997] = str(number)
        took = time.process_time() - began
        best = min(best or took, took)
    return 1000 * best


def server_cpu() -> float:
    """CPU seconds of the PostgreSQL processes that serve this database, not of those that tidy it up.

    0 with SQLite, which works in this process.
    """
    if connection.vendor != "postgresql":
        return 0.0
    with connection.cursor() as cursor:
        cursor.execute("SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'")
        used = [Path(f"/proc/{pid}/schedstat") for (pid,) in cursor.fetchall()]
    return sum(int(file.read_text().split()[0]) / 1e9 for file in used if file.exists())
