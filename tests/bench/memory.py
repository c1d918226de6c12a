"""What everything together takes: seconds until the first page, and memory idle and after 200 pages.

    python -m tests.bench.memory

It starts ``manage.py up`` in an empty folder, as on the first day: migrations, demo world, Valkey, web
server, worker and clock. Memory is counted as PSS (what processes share counts once) and as RSS (what
each of them shows); the bound is for the PSS of all.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
import time
from pathlib import Path

from tests.exchange.management.site import Browser, Site, processes_of

PAGES = 200
MOST = 700e6  # bytes
ROLES = ("student", "ministry", "reviewer", "officer")


def main() -> int:
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory(prefix="sapar-memory-") as folder:
        began = time.monotonic()
        site = Site(Path(folder) / "var")
        try:
            site.opened()
            Browser(site).get("/")
            print("\n".join(line for line in site.said().splitlines() if line.startswith("[")))
            print(f"{time.monotonic() - began:6.1f} s to the first page, the demo world in it")
            time.sleep(20)  # the clock has struck, the letters of the demo are out
            idle = _report(site, "idle")
            read = _read(site, PAGES)
            after = _report(site, f"after {read} pages")
        finally:
            site.abandon()
        began = time.monotonic()
        again = Site(Path(folder) / "var")
        try:
            again.opened()
            Browser(again).get("/")
            print(f"\n{time.monotonic() - began:6.1f} s to the first page of a second start")
        finally:
            again.abandon()
    return int(max(idle, after) > MOST)


def _read(site: Site, most: int) -> int:
    """Let each role walk through its pages, MOST pages in all; gives how many were read."""
    read = 0
    while True:
        for role in ROLES:
            reader = Browser(site)
            todo = _links(reader.post("/demo/switch/", "/", **{"as": role}))
            for path in todo:
                if read == most:
                    return read
                todo += [link for link in _links(reader.get(path)) if link not in todo and len(todo) < most // len(ROLES)]
                read += 1


def _links(page: str) -> list[str]:
    return list(dict.fromkeys(re.findall(r'href="(/(?:apply|nominate|review|manage|calls|programmes)/[^"#]*)"', page)))


def _report(site: Site, when: str) -> float:
    """Print a line for each process; gives the PSS of all in bytes."""
    print(f"\n{when}:{'PSS':>{42 - len(when)}} {'RSS':>9}")
    pss = rss = 0
    for process in processes_of(site.folder):
        memory, words = process.memory_full_info(), process.cmdline()
        name = next((name for name in ("valkey-server", "gunicorn", "worker", "beat", "up") if name in " ".join(words[:6])), words[0])
        print(f"  {name:32} {memory.pss / 1e6:6.1f} MB {memory.rss / 1e6:6.1f} MB")
        pss, rss = pss + memory.pss, rss + memory.rss
    print(f"  {'together':32} {pss / 1e6:6.1f} MB {rss / 1e6:6.1f} MB   {'OVER' if pss > MOST else ''}".rstrip())
    return pss


if __name__ == "__main__":
    sys.exit(main())
