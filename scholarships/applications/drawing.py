"""The table of transitions as a drawing, for docs/states.md."""

from __future__ import annotations

from scholarships.applications.lifecycle import TRANSITIONS
from scholarships.applications.models import State
from scholarships.calls.models import StepKind


def drawing() -> str:
    """Markdown with a Mermaid state diagram and the table behind it, made from ``lifecycle.TRANSITIONS``."""
    lines = [
        "# The states of an application",
        "",
        "Made by `python manage.py draw_states` from `scholarships/applications/lifecycle.py`; a test fails when it is stale.",
        "",
        "```mermaid",
        "stateDiagram-v2",
        "    [*] --> draft",
    ]
    arrows = sorted({(source.value, move.target.value, name) for name, move in TRANSITIONS.items() for source in move.sources})
    for source, target in sorted({(source, target) for source, target, _name in arrows}):
        names = ", ".join(name for one, other, name in arrows if (one, other) == (source, target))
        lines.append(f"    {source} --> {target}: {names}")
    lines += [
        "```",
        "",
        "| transition | from | to | in the step | the step then | event | also by the clock |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, move in TRANSITIONS.items():
        sources = ", ".join(state.value for state in State if state in move.sources)
        steps = ", ".join(kind.value for kind in StepKind if kind in move.at) or "any"
        leaves = move.leaves.value if move.leaves else "entered" if move.enters else "stays"
        leaves = "that of the body that nominated" if move.goes_back else leaves
        lines.append(f"| {name} | {sources} | {move.target.value} | {steps} | {leaves} | {move.event} | {'yes' if move.by_clock else ''} |")
    return "\n".join(lines) + "\n"
