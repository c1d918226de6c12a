"""One run: N applications on the database of the environment. ``python -m tests.bench`` starts it; see there."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable

import django

django.setup()

from django.db import connection  # noqa: E402

from tests.bench.letters import RELEASED, measure_letters  # noqa: E402
from tests.bench.measuring import WARM, Cost, measure, yardstick  # noqa: E402
from tests.bench.steps import FLOWS, Bound, Step, officer, steps_of  # noqa: E402
from tests.bench.world import empty, fill  # noqa: E402

LARGE = 100_000


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--n", type=int, required=True)
    parser.add_argument("--times", type=int, default=10)
    arguments = parser.parse_args()
    began = time.monotonic()
    empty()
    turns = arguments.times + WARM
    world = fill(arguments.n, turns + 1)
    print(
        f"\n{arguments.n:,} applications on {connection.vendor}, made in {time.monotonic() - began:.0f} s; yardstick {yardstick():.0f} ms",
        flush=True,
    )
    steps = officer(arguments.n) if arguments.n >= LARGE else steps_of(world, arguments.n, turns)
    over = _report(steps, arguments.n, arguments.times)
    if arguments.n == RELEASED:
        over += measure_letters()
    return 1 if over else 0


def _report(steps: Iterable[Step], n: int, times: int) -> int:
    """Print a line for each step and flow; how many are over their bound."""
    over, flows = 0, dict[str, Cost]()
    for step in steps:
        cost = measure(step.act, times)
        over += _line(step.who, step.name, cost, step.bound, n)
        if step.flow:
            flows[step.flow] = flows[step.flow] + cost if step.flow in flows else cost
    for name, cost in flows.items():
        over += _line("flow", name, cost, FLOWS[name], n)
    return over


def _line(who: str, name: str, cost: Cost, bound: Bound | None, n: int) -> int:
    most = 0.0 if bound is None else bound.ms_large or bound.ms if n >= LARGE else bound.ms
    is_over = bound is not None and (cost.queries > bound.queries or cost.ms > most)
    said = f"<= {bound.queries}, {most:.0f} ms" if bound else ""
    print(f"  {who:9} {name:34} {cost.queries:3} queries {cost.ms:7.1f} ms   {said:14} {'OVER' if is_over else ''}".rstrip(), flush=True)
    return int(is_over)


if __name__ == "__main__":
    sys.exit(main())
