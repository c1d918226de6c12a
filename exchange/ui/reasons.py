"""Why a result is what it is, in words: rank, places, and what closed each higher choice."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from exchange.ui.forms import country_name
from scholarships.allocations.models import Placement
from scholarships.engine.allocation import AWARDED, REFUSED
from scholarships.programmes.models import Level, Programme

LEAST_FOR_A_CUT_OFF = 5


@dataclass(frozen=True)
class Why:
    """``rank`` of how many, ``score``, and for each choice its name and what became of it."""

    rank: int
    of: int
    score: Decimal
    choices: tuple[tuple[str, str], ...]


def explained(placement: Placement) -> Why:
    """PLACEMENT for its applicant."""
    codes = [reason["choice"] for reason in placement.reasons]
    names = {
        programme.code: f"{programme.title}, {programme.host}"
        for programme in Programme.objects.filter(code__in=codes).select_related("host")
    }
    return Why(
        placement.rank,
        placement.run.placements.count(),
        placement.score,
        tuple((names.get(reason["choice"], reason["choice"]), sentence(reason)) for reason in placement.reasons),
    )


def sentence(reason: dict[str, Any], *, for_officer: bool = False) -> str:
    """What became of one choice. An applicant reads the cut-off only where five or more places were given."""
    if reason["outcome"] == AWARDED:
        return _("A place for you.")
    if reason["outcome"] != REFUSED:
        return _("Not looked at, because a higher choice was free.")
    if not reason["cap"]:
        return _("There are no places: %(pool)s.") % {"pool": pool_name(reason["quota"])}
    taken = ngettext("The %(cap)d place is taken", "All %(cap)d places are taken", reason["cap"]) % {"cap": reason["cap"]}
    words = {"taken": taken, "pool": pool_name(reason["quota"]), "rank": reason["cut_rank"], "score": reason["cut_score"]}
    if for_officer or reason["cap"] >= LEAST_FOR_A_CUT_OFF:
        return _("%(taken)s (%(pool)s); the last went to rank %(rank)d with %(score)s.") % words
    return _("%(taken)s (%(pool)s) by applications with a higher rank.") % words


def pool_name(bucket: str) -> str:
    """A bucket of the engine in words: "a.country,o.level[KG,master]" is "Kyrgyzstan, Master’s"."""
    _name, bracket, values = bucket.partition("[")
    if not bracket:
        return _("all places")
    return ", ".join(_value_name(value) for value in values.rstrip("]").split(","))


def _value_name(value: str) -> str:
    if value in Level.values:
        return str(Level(value).label)
    if len(value) == 2 and value.isupper():
        return country_name(value)
    programme = Programme.objects.filter(code=value).first()
    return str(programme) if programme else value
