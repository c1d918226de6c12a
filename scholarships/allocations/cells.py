"""Where an award counts: the values that dimensions of quotas name, and the cell they fall into."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scholarships.quotas.models import cell_of


def award_values(country: Any, level: str, programme_level: str, host: str, programme: str) -> dict[str, Any]:
    """An award of a programme to an applicant, as dimensions name it (``a.`` the applicant, ``o.`` the programme)."""
    return {
        "a.country": country or "",
        "a.level": level,
        "o.level": programme_level,
        "o.host": host,
        "o.programme": programme,
        "o.id": programme,
    }


def cell_in(by: str, values: Mapping[str, Any]) -> str:
    """The cell of the dimension BY in which an award with VALUES counts."""
    return cell_of(*(values.get(name, "") for name in by.split(",")))
