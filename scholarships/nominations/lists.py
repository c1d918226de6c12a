"""Whose list it is, who stands on it and within which places; read in a number of queries that no list can raise."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Count, Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from scholarships.applications.models import Application, Stage
from scholarships.calls.models import BodyBy, Call, Milestone, StepBody, StepKind
from scholarships.nominations.models import Nomination, SentList, Standing
from scholarships.partners.models import Country, Institution
from scholarships.programmes.models import Level
from scholarships.quotas.models import Purpose, Quota, normal
from scholarships.texts.fields import Text

SHOWN = 50  # files to check that a page names, and that a refusal may name
SHOWN_GONE = 200


# -- Who acts where --------------------------------------------------------------


@dataclass(frozen=True)
class Acting:
    """BODY acts in one step of CALL: for the citizens of ``countries``, or, without any, for its own students."""

    call: Call
    body: Institution
    step: str
    title: Text
    order: int
    countries: tuple[Country, ...]
    milestone: Milestone | None

    @property
    def sends_after(self) -> datetime:
        """Until this moment applicants may change or withdraw, so that no list can be sent."""
        return self.call.last_moment()


def acting(bodies: Iterable[Institution], *, call: Call | None = None) -> list[Acting]:
    """Where BODIES act, in all published calls or in CALL: one for each call and body, the first deadline first."""
    rows = StepBody.objects.filter(
        institution__in=[body.pk for body in bodies],
        step__kind=StepKind.NOMINATION,
        step__version__in=Call.objects.published().values("version"),
    ).select_related("step__version__call", "institution", "country")
    if call is not None:
        rows = rows.filter(step__version__call=call)
    first: dict[tuple[int, int], list[StepBody]] = {}
    for row in rows.order_by("step__order", "country", "pk"):
        of_pair = first.setdefault((row.step.version.call_id, row.institution_id), [])
        if not of_pair or of_pair[0].step_id == row.step_id:
            of_pair.append(row)
    milestones = {
        (milestone.call_id, milestone.key): milestone for milestone in Milestone.objects.filter(call__in={pk for pk, _body in first})
    }
    found = [_acting(rows_of_pair, milestones) for rows_of_pair in first.values()]
    return sorted(found, key=lambda one: (one.call.closes_at, one.call.code, one.body.code))


def _acting(rows: Sequence[StepBody], milestones: Mapping[tuple[int, str], Milestone]) -> Acting:
    step, call = rows[0].step, rows[0].step.version.call
    return Acting(
        call=call,
        body=rows[0].institution,
        step=step.key,
        title=step.title,
        order=step.order,
        countries=tuple(row.country for row in rows if row.country is not None) if step.body_by == BodyBy.CITIZENSHIP else (),
        milestone=milestones.get((call.pk, step.milestone)),
    )


def waiting_for_a_list() -> QuerySet[Stage]:
    """The files that lie with a body which has not sent its list."""
    sent = SentList.objects.standing().filter(call=OuterRef("application__call"), step=OuterRef("step"), body=OuterRef("body"))
    return Stage.objects.filter(kind=StepKind.NOMINATION, left_at__isnull=True, body__isnull=False).exclude(Exists(sent))


# -- Places ----------------------------------------------------------------------


@dataclass(frozen=True)
class Places:
    """How many a body may nominate at one ``level`` ("" for all) and, where it acts for several, of one ``country``.

    ``quota`` is None where the call gives places by level or body and gives this one none.
    """

    level: str
    country: Country | None
    places: int
    nominated: int
    quota: Quota | None

    @property
    def is_over(self) -> bool:
        return self.nominated > self.places

    @property
    def name(self) -> str:
        parts = [str(self.country)] if self.country else []
        if self.level:
            parts.append(str(Level(self.level).label))
        return ", ".join(parts) or _("All levels")

    def concern(self, level: str, country: str | None) -> bool:
        return self.level in ("", level) and (self.country is None or self.country.code == country)


Counts = Mapping[tuple[str, str | None], int]  # (level, country) -> how many are nominated

_KNOWN = {"a.body", "a.country", "o.level"}


def places_of(here: Acting, quotas: Iterable[Quota], counts: Counts, *, is_sent: bool = False) -> list[Places]:
    """The places of a body beside its nominations, in the order of levels.

    A dimension binds every body: where it has no cell for a level or a body, there are no places.
    Dimensions that do not follow from body, citizenship and level are not a body's.
    """
    by_dimension: dict[tuple[str, ...], dict[tuple[str, ...], Quota]] = {}
    for quota in quotas:
        if quota.call_id == here.call.pk and quota.purpose == Purpose.NOMINATION:
            by_dimension.setdefault(tuple(quota.by.split(",")), {})[tuple(quota.cell.split(","))] = quota
    found = []
    for dimension, cells in by_dimension.items():
        if set(dimension) <= _KNOWN and ("a.country" not in dimension or here.countries):
            for country in here.countries if "a.country" in dimension else (None,):
                for level in here.call.levels if "o.level" in dimension else ("",):
                    values = {"a.body": here.body.code, "a.country": country.code if country else "", "o.level": level}
                    cell = cells.get(tuple(normal(values[attribute]) for attribute in dimension))
                    one_of_many = country if len(here.countries) > 1 else None
                    found.append(_places(level, one_of_many, cell, counts, is_sent=is_sent))
    order = ["", *Level.values]
    return sorted(found, key=lambda places: (order.index(places.level), places.country.code if places.country else ""))


def _places(level: str, country: Country | None, quota: Quota | None, counts: Counts, *, is_sent: bool) -> Places:
    number = 0 if quota is None else quota.places if is_sent else quota.free
    empty = Places(level, country, number, 0, quota)
    return Places(level, country, number, sum(n for where, n in counts.items() if empty.concern(*where)), quota)


# -- The list --------------------------------------------------------------------


@dataclass(frozen=True)
class BodyList:
    """The list of a body: who is ranked, on reserve, still to check (the first of them) and gone, and the places.

    ``over``: those beyond the places, each with the places it exceeds.
    """

    here: Acting
    sent: SentList | None
    ranked: tuple[Nomination, ...]
    reserve: tuple[Nomination, ...]
    to_check: tuple[Nomination, ...]
    to_check_count: int
    gone: tuple[Nomination, ...]
    places: tuple[Places, ...]
    over: tuple[tuple[Nomination, Places], ...]

    @property
    def digest(self) -> str:
        """Names this order of these people, so that what is sent is what was read."""
        order = [[row.pk for row in rows] for rows in (self.ranked, self.reserve)]
        return hashlib.sha256(repr(order).encode()).hexdigest()[:16]

    @property
    def turned_down(self) -> list[Nomination]:
        return [row for row in self.gone if row.standing == Standing.NOT_NOMINATED]

    @property
    def with_applicants(self) -> list[Nomination]:
        return [row for row in self.gone if row.is_with_applicant]

    @property
    def withdrawn(self) -> list[Nomination]:
        return [row for row in self.gone if row.is_withdrawn and row.standing != Standing.NOT_NOMINATED]

    @property
    def changed(self) -> list[Nomination]:
        return [row for row in (*self.ranked, *self.reserve) if row.is_changed_since]


def list_of(here: Acting) -> BodyList:
    rows = Nomination.objects.filter(call=here.call, body=here.body).select_related(
        "application__call", "application__version", "application__first_choice__host", "stage", "body"
    )
    kept = rows.at_hand_or_sent()
    on_list = list(kept.filter(standing__in=[Standing.RANKED, Standing.RESERVE]).order_by("rank", "pk"))
    ranked = tuple(row for row in on_list if row.standing == Standing.RANKED)
    waiting = rows.at_hand().filter(standing=Standing.TO_CHECK)
    sent = SentList.objects.standing().filter(call=here.call, body=here.body, step=here.step).select_related("by").first()
    counts = Counter((row.application.level, row.application.country_id) for row in ranked)
    quotas = Quota.objects.filter(call=here.call, purpose=Purpose.NOMINATION)
    places = tuple(places_of(here, quotas, counts, is_sent=sent is not None))
    return BodyList(
        here=here,
        sent=sent,
        ranked=ranked,
        reserve=tuple(row for row in on_list if row.standing == Standing.RESERVE),
        to_check=tuple(waiting.order_by("pk")[:SHOWN]),
        to_check_count=waiting.count(),
        gone=tuple(rows.gone().order_by("-updated_at", "pk")[:SHOWN_GONE]),
        places=places,
        over=() if sent else tuple(over_places(places, ranked)),
    )


def over_places(places: Iterable[Places], ranked: Sequence[Nomination]) -> list[tuple[Nomination, Places]]:
    """Those of RANKED (in order) that are over PLACES, each with the places it exceeds."""
    return [(row, one) for one in places for row in [row for row in ranked if _concern(one, row.application)][one.places :]]


def _concern(places: Places, application: Application) -> bool:
    return places.concern(application.level, application.country_id)


def what_blocks(found: BodyList, *, at: datetime) -> list[ValidationError]:
    """Why the list cannot be sent at the instant AT: nothing, or one error for each reason, files named in params ``code``."""
    if found.sent:
        return [ValidationError(_("This list has been sent already."), code="sent_already")]
    if at <= found.here.sends_after:
        return [
            ValidationError(
                _("The call is still open: applicants may change or withdraw. The list can be sent when it has closed."), code="too_early"
            )
        ]
    errors = [
        ValidationError(_("%(name)s, %(code)s, is not decided yet."), code="to_check", params=_named(row)) for row in found.to_check[:10]
    ]
    more = found.to_check_count - len(errors)
    if more > 0:
        errors.append(
            ValidationError(
                ngettext("%(n)d more file is not decided yet.", "%(n)d more files are not decided yet.", more),
                code="to_check",
                params={"n": more},
            )
        )
    if not found.ranked and not errors:
        errors.append(ValidationError(_("The list is empty: nominate at least one, or leave it unsent."), code="empty"))
    return errors + [_over(found, row, places) for row, places in found.over]


def _over(found: BodyList, row: Nomination, places: Places) -> ValidationError:
    params = {**_named(row), "rank": found.ranked.index(row) + 1, "places": places.places, "level": places.name}
    return ValidationError(
        ngettext(
            "%(name)s, rank %(rank)d, is over your %(places)d place (%(level)s). Move one to the reserve list.",
            "%(name)s, rank %(rank)d, is over your %(places)d places (%(level)s). Move one to the reserve list.",
            places.places,
        ),
        code="over_places",
        params=params,
    )


def _named(row: Nomination) -> dict[str, Any]:
    return {"name": row.application.name or row.application.code, "code": row.application.code}


# -- All lists of a member -------------------------------------------------------


@dataclass(frozen=True)
class Summary:
    """A list in numbers."""

    here: Acting
    to_check: int
    ranked: int
    reserve: int
    places: tuple[Places, ...]
    sent: SentList | None

    @property
    def over(self) -> list[Places]:
        return [] if self.sent else [places for places in self.places if places.is_over]


def summaries(bodies: Sequence[Institution]) -> list[Summary]:
    """Each list of BODIES in numbers, in five queries."""
    everywhere = acting(bodies)
    counts: dict[tuple[int, int, str], Counter[tuple[str, str | None]]] = {}
    groups = Nomination.objects.filter(body__in=bodies).at_hand_or_sent().order_by()
    for call, body, standing, level, country, number in groups.values_list(
        "call_id", "body_id", "standing", "application__level", "application__country_id"
    ).annotate(Count("pk")):
        counts.setdefault((call, body, standing), Counter())[level, country] += number
    quotas = list(Quota.objects.filter(call__in={one.call.pk for one in everywhere}, purpose=Purpose.NOMINATION))
    sent = {(row.call_id, row.body_id, row.step): row for row in SentList.objects.standing().filter(body__in=bodies).select_related("by")}
    return [_summary(here, counts, quotas, sent.get((here.call.pk, here.body.pk, here.step))) for here in everywhere]


def _summary(
    here: Acting, counts: Mapping[tuple[int, int, str], Counter[tuple[str, str | None]]], quotas: Sequence[Quota], sent: SentList | None
) -> Summary:
    to_check, ranked, reserve = (
        counts.get((here.call.pk, here.body.pk, standing), Counter()) for standing in (Standing.TO_CHECK, Standing.RANKED, Standing.RESERVE)
    )
    return Summary(
        here=here,
        to_check=sum(to_check.values()),
        ranked=sum(ranked.values()),
        reserve=sum(reserve.values()),
        places=tuple(places_of(here, quotas, ranked, is_sent=sent is not None)),
        sent=sent,
    )
