"""Why a result is what it is, in words: rank, places, and what closed each higher choice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from exchange.ui.forms import country_name
from scholarships.allocations.models import Placement
from scholarships.engine.allocation import AWARDED, REFUSED
from scholarships.partners.models import Institution
from scholarships.programmes.models import Level, Programme

LEAST_FOR_A_CUT_OFF = 5

Reason = Mapping[str, Any]  # an entry of ``Placement.reasons``
Names = Mapping[str, str]  # code of a programme or an institution -> what it is called


@dataclass(frozen=True)
class Why:
    """``rank`` of how many, ``score``, and for each choice its name and what became of it."""

    rank: int
    of: int
    score: Decimal
    choices: tuple[tuple[str, str], ...]


def explained(placement: Placement, *, for_officer: bool = False) -> Why:
    """PLACEMENT for its applicant, or its officer."""
    names = names_in(placement.reasons)
    return Why(placement.rank, placement.run.candidates, placement.score, sentences(placement.reasons, names, for_officer=for_officer))


def sentences(reasons: Iterable[Reason], names: Names, *, for_officer: bool = False) -> tuple[tuple[str, str], ...]:
    """For each choice its name and what became of it."""
    return tuple((names.get(reason["choice"], reason["choice"]), sentence(reason, names, for_officer=for_officer)) for reason in reasons)


def sentence(reason: Reason, names: Names, *, for_officer: bool = False) -> str:
    """What became of one choice. An applicant reads the cut-off only where five or more places were given."""
    if reason["outcome"] == AWARDED:
        return _("A place.") if for_officer else _("A place for you.")
    if reason["outcome"] != REFUSED:
        return _("Not looked at, because a higher choice was free.")
    pool = pool_name(reason["quota"], names)
    if not reason["cap"]:
        return _("There are no places: %(pool)s.") % {"pool": pool}
    taken = ngettext("The %(cap)d place is taken", "All %(cap)d places are taken", reason["cap"]) % {"cap": reason["cap"]}
    words = {"taken": taken, "pool": pool, "rank": reason["cut_rank"], "score": reason["cut_score"]}
    if for_officer or reason["cap"] >= LEAST_FOR_A_CUT_OFF:
        return _("%(taken)s (%(pool)s); the last went to rank %(rank)d with %(score)s.") % words
    return _("%(taken)s (%(pool)s) by applications with a higher rank.") % words


# -- Names -----------------------------------------------------------------------


def names_in(reasons: Iterable[Reason], pools: Iterable[str] = ()) -> dict[str, str]:
    """What the choices and pools of REASONS, and POOLS beside them, are called: at most two queries, however many they are."""
    listed = list(reasons)
    buckets = [*pools, *(reason["quota"] for reason in listed if reason.get("quota"))]
    codes = {reason["choice"] for reason in listed} | {value for bucket in buckets for value in _values_of(bucket) if not _is_known(value)}
    programmes = Programme.objects.filter(code__in=codes).select_related("host").only("code", "title", "host__name")
    names = {programme.code: f"{programme.title}, {programme.host}" for programme in programmes} if codes else {}
    others = codes - set(names)
    hosts = Institution.objects.filter(code__in=others).only("code", "name") if others else ()
    return names | {host.code: str(host) for host in hosts}


def pool_name(bucket: str, names: Names) -> str:
    """A bucket of the engine in words: "a.country,o.level[KG,master]" is "Kyrgyzstan, Master’s"."""
    values = _values_of(bucket)
    return ", ".join(_value_name(value, names) for value in values) if values else _("all places")


def _values_of(bucket: str) -> list[str]:
    _name, bracket, values = bucket.partition("[")
    return values.removesuffix("]").split(",") if bracket else []


def _is_known(value: str) -> bool:
    """A level or a country: its name needs no query."""
    return value in Level.values or (len(value) == 2 and value.isupper())


def _value_name(value: str, names: Names) -> str:
    if value in Level.values:
        return str(Level(value).label)
    if len(value) == 2 and value.isupper():
        return country_name(value)
    return names.get(value, value)
