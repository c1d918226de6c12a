"""The part "quotas" of a call file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from scholarships.calls.file import Place
from scholarships.calls.models import Call
from scholarships.quotas.actions import set_places


def check(data: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    """Each cell has a value for each dimension and a whole number of places, once, and names what exists in the call."""
    known = {"a.country": set(data["countries"]), "o.level": set(data["levels"]), "o.programme": set(data["programmes"])}
    for index, quota in enumerate(data.get("quotas", [])):
        seen = set()
        for at, cell in enumerate(quota["cells"]):
            place: Place = ("quotas", index, "cells", at)
            *values, places = cell
            if len(values) != len(quota["by"]):
                yield place, f"A cell of this quota has {len(quota['by'])} values and the places, like [{', '.join(quota['by'])}, 3]."
                continue
            if not isinstance(places, int) or isinstance(places, bool) or places < 0:
                yield place, f"Places must be a whole number of 0 or more, not “{places}”."
            if tuple(values) in seen:
                yield place, f"There are two cells for {', '.join(map(str, values))}."
            seen.add(tuple(values))
            for dimension, value in zip(quota["by"], values, strict=True):
                if dimension in known and value not in known[dimension]:
                    yield place, f"“{value}” is not a {dimension.partition('.')[2]} of this call."


def load(call: Call, quotas: Any) -> None:
    for quota in quotas:
        cells = {tuple(map(str, cell[:-1])): cell[-1] for cell in quota["cells"]}
        set_places(call, quota["purpose"], ",".join(quota["by"]), cells, reason=quota.get("note", ""))
