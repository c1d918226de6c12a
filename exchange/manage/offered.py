"""The offers of a call: who has one, who is next, and what became of freed places."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Case, Count, QuerySet, When
from django.utils.translation import gettext as _

from exchange.ui.forms import country_name
from exchange.ui.paging import Page, page_of
from exchange.ui.reasons import names_in, pool_name
from scholarships.allocations.cells import award_values, cell_in
from scholarships.allocations.models import Placement, Result, Run
from scholarships.applications.models import State
from scholarships.calls.models import Call
from scholarships.engine.allocation import bucket_name
from scholarships.offers.models import Offer, OfferState
from scholarships.programmes.models import Level, Programme
from scholarships.quotas.actions import award_quotas
from scholarships.quotas.models import Quota

PAGE = 50
LATELY = 20  # freed places shown
LOOKS = {OfferState.MADE: "wait", OfferState.ACCEPTED: "ok", OfferState.DECLINED: "off", OfferState.LAPSED: "off"}


def offers_of(call: Call) -> QuerySet[Offer]:
    return Offer.objects.filter(application__call=call)


def counts_of(call: Call) -> dict[str, int]:
    """How many offers of CALL are in each state."""
    return dict.fromkeys(OfferState.values, 0) | dict(offers_of(call).order_by().values_list("state").annotate(Count("pk")))


# -- Offers ----------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """One offer in words. ``is_promoted``: from the reserve list."""

    code: str
    application: str
    name: str
    pool: str
    programme: str
    host: str
    choice: int
    state: str
    look: str
    is_open: bool
    is_promoted: bool
    answer_by: datetime
    answered_at: datetime | None


def lines_of(call: Call, state: str, number: int) -> tuple[Page, list[Line]]:
    """Page NUMBER of the offers of CALL, of one STATE or of all: first those that wait, by their date."""
    ids = (
        offers_of(call)
        .filter(**({"state": state} if state in OfferState.values else {}))
        .order_by(Case(When(state=OfferState.MADE, then=0), default=1), "answer_by", "pk")
    )
    page = page_of(ids, _whole(), number, PAGE)
    return page, _lines(page.rows)


def _whole() -> QuerySet[Offer]:
    return Offer.objects.select_related("application", "programme__host").only(
        "code", "run_id", "choice", "state", "answer_by", "answered_at", "made_at", "application__code", "application__name",
        "application__country_id", "application__level", "programme__title", "programme__host__name",
    )  # fmt: skip


def _lines(offers: Iterable[Offer]) -> list[Line]:
    rows = list(offers)
    reserve = set(
        Placement.objects.filter(
            run__in={offer.run_id for offer in rows}, application__in=[offer.application_id for offer in rows], result=Result.RESERVE
        ).values_list("application_id", flat=True)
    )
    return [
        Line(
            code=offer.code,
            application=offer.application.code,
            name=offer.application.name or offer.application.code,
            pool=_pool(offer.application.country_id, offer.application.level),
            programme=str(offer.programme),
            host=str(offer.programme.host),
            choice=offer.choice,
            state=offer.get_state_display(),
            look=LOOKS[OfferState(offer.state)],
            is_open=offer.state == OfferState.MADE,
            is_promoted=offer.application_id in reserve,
            answer_by=offer.answer_by,
            answered_at=offer.answered_at,
        )
        for offer in rows
    ]


def _pool(country: Any, level: str) -> str:
    return ", ".join(part for part in (country_name(country or ""), str(Level(level).label) if level else "") if part)


# -- Freed places ----------------------------------------------------------------


@dataclass(frozen=True)
class Turn:
    """A place was freed (``is_freed``) or offered to somebody of the reserve list."""

    at: datetime
    is_freed: bool
    line: Line


def turns_of(call: Call) -> list[Turn]:
    """What became of places lately, the newest first."""
    freed = _whole().filter(application__call=call, state__in=[OfferState.DECLINED, OfferState.LAPSED]).order_by("-answered_at")[:LATELY]
    promoted = (
        _whole()
        .filter(
            application__call=call, application__placements__result=Result.RESERVE, application__placements__run__confirmed_at__isnull=False
        )
        .order_by("-made_at")[:LATELY]
    )
    rows = [*freed, *promoted]
    at = [offer.answered_at for offer in freed] + [offer.made_at for offer in promoted]
    turns = [
        Turn(when or line.answer_by, index < len(freed), line) for index, (when, line) in enumerate(zip(at, _lines(rows), strict=True))
    ]
    return sorted(turns, key=lambda turn: (turn.at, not turn.is_freed), reverse=True)[:LATELY]


# -- The reserve list ------------------------------------------------------------


@dataclass(frozen=True)
class Waiting:
    """Somebody on the reserve list; ``waits``: for each choice its name and what it waits for."""

    rank: int
    application: str
    name: str
    pool: str
    score: str
    waits: tuple[tuple[str, str], ...]


def reserve_of(run: Run, number: int) -> tuple[Page, list[Waiting]]:
    """Page NUMBER of those who wait, in the order in which they are asked, in seven queries."""
    ids = Placement.objects.filter(run=run, application__state__in=[State.RESERVE, State.SELECTED]).order_by("rank")
    rows = Placement.objects.select_related("application").only(
        "rank", "score", "reasons", "run_id", "application__code", "application__name", "application__country_id", "application__level"
    )
    page = page_of(ids, rows, number, PAGE)
    places = award_quotas(run.call)
    reasons = [reason for placement in page.rows for reason in placement.reasons]
    programmes = {
        row.code: row for row in Programme.objects.filter(code__in={reason["choice"] for reason in reasons}).select_related("host")
    }
    full = [quota for quota in places if not quota.free]
    names = names_in(reasons, [pool_key(quota) for quota in full])
    return page, [_waiting(placement, programmes, full, names) for placement in page.rows]


def _waiting(placement: Placement, programmes: Mapping[str, Programme], full: list[Quota], names: Mapping[str, str]) -> Waiting:
    person = placement.application
    waits = []
    for reason in placement.reasons:
        programme = programmes.get(reason["choice"])
        if programme is None:
            continue
        values = award_values(person.country_id, person.level, programme.level, programme.host.code, programme.code)
        pools = [_pool_in(quota, names) for quota in full if quota.cell == cell_in(quota.by, values)]
        says = _("full: %(pools)s") % {"pools": "; ".join(pools)} if pools else _("a place is free")
        waits.append((names.get(programme.code, programme.code), says))
    return Waiting(
        placement.rank, person.code, person.name or person.code, _pool(person.country_id, person.level), str(placement.score), tuple(waits)
    )


def _pool_in(quota: Quota, names: Mapping[str, str]) -> str:
    return _("this programme") if quota.by == "o.programme" else pool_name(pool_key(quota), names)


def pool_key(quota: Quota) -> str:
    """QUOTA as the engine names its bucket."""
    return bucket_name(quota.by, quota.cell.split(","))
