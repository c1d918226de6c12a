"""Offers are made, answered and lapse; a freed place goes to the next who fits.

A place is held in every quota that the award counts in, by a conditional UPDATE: of two that want
the last place exactly one gets it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from scholarships.allocations.models import Result, Run
from scholarships.applications.door import advance
from scholarships.applications.lifecycle import TOLD
from scholarships.applications.models import Application, State
from scholarships.calls.models import Call
from scholarships.calls.rules import may_run
from scholarships.engine import allocation as engine
from scholarships.events.actions import record, record_many
from scholarships.events.names import declare
from scholarships.offers.models import LIVE, Offer, OfferState
from scholarships.programmes.models import Programme
from scholarships.quotas import actions as quotas
from scholarships.quotas.models import Entry, Move, Quota, cell_of

RESULTS_PUBLISHED = declare("call.results_published", "Results were published", "run")
BATCH = 200  # applications a transaction


# -- Publishing ------------------------------------------------------------------


def make_from(run: Run, *, by: Any = None, at: datetime | None = None) -> int:
    """Make the offers of a confirmed RUN and tell the others, once ``results_at`` has come. Gives the number of offers.

    Runs twice without harm: who has an offer gets no second one, who was told is not told again.
    """
    now = at or timezone.now()
    call = run.call
    if run.confirmed_at is None or now < call.results_at:
        return 0
    made = 0
    waiting = Application.objects.filter(placements__run=run, placements__result=Result.PLACE, state=State.SELECTED)
    for application in waiting.select_related("call__scheme", "version", "country").order_by("placements__rank"):
        placement = application.placements.select_related("programme").get(run=run)
        assert placement.programme is not None, "a place names its programme"
        made += _try_to_offer(application, run, placement.programme, by=by, now=now)
    if Run.objects.filter(pk=run.pk, published_at__isnull=True).update(published_at=now):
        _tell_the_others(run, by, now)
        record(RESULTS_PUBLISHED, call, by=by, at=now, run=run.code)
    return made


def _tell_the_others(run: Run, by: Any, now: datetime) -> None:
    for state in (State.RESERVE, State.NOT_SELECTED):
        rows = list(Application.objects.filter(placements__run=run, state=state).order_by("pk"))
        for start in range(0, len(rows), BATCH):
            batch = rows[start : start + BATCH]
            record_many(TOLD, batch, by=by, at=now, data={application.code: {"result": state.value} for application in batch})


def publish_due(*, at: datetime | None = None) -> int:
    """Publish every confirmed run whose moment has come: what the clock does. Gives the number of runs."""
    now = at or timezone.now()
    due = Run.objects.filter(confirmed_at__isnull=False, published_at__isnull=True, call__results_at__lte=now).select_related(
        "call__scheme"
    )
    for run in due:
        make_from(run, at=now)
    return len(due)


# -- Places ----------------------------------------------------------------------


def quotas_for(application: Application, programme: Programme) -> list[Quota]:
    """The award quotas of the call in which this award would count."""
    values = {
        "a.country": application.country_id or "",
        "a.level": application.level,
        "o.level": programme.level,
        "o.host": programme.host.code,
        "o.programme": programme.code,
    }
    return [
        quota
        for quota in quotas.award_quotas(application.call)
        if quota.cell == cell_of(*(values.get(name, "") for name in quota.by.split(",")))
    ]


def held_by(offer: Offer) -> list[Quota]:
    """The quotas in which OFFER holds or has taken a place: what the ledger says, whatever was set since."""
    return list(Quota.objects.filter(pk__in=Entry.objects.filter(subject=offer.code, move=Move.HOLD).values("quota")).order_by("pk"))


def _try_to_offer(application: Application, run: Run, programme: Programme, *, by: Any, now: datetime) -> bool:
    """Hold the places and make the offer, or leave everything as it was."""
    choice = (
        next((row.rank for row in application.revision.choices.all() if row.programme_id == programme.pk), 1) if application.revision else 1
    )
    try:
        with transaction.atomic():
            offer = Offer.objects.create(
                application=application, run=run, programme=programme, choice=choice, made_at=now,
                answer_by=_answer_by(application.call, now), by=by,
            )  # fmt: skip
            quotas.hold(quotas_for(application, programme), subject=offer.code, by=by)
            advance(application, "offer", by=by, at=now, data={"offer": offer.code, "choice": choice})
    except quotas.NoPlace:
        return False
    return True


def _answer_by(call: Call, now: datetime) -> datetime:
    return now + timedelta(days=call.answer_days)


# -- Answers ---------------------------------------------------------------------


def accept(offer: Offer, *, by: Any, key: str | None = None, at: datetime | None = None) -> Offer:
    """The applicant takes the place. The same KEY again changes nothing.

    Raises:
        PermissionDenied: BY is not the applicant.
        ValidationError: ``too_late`` after the date named, ``wrong_state`` when it is answered already.
    """
    return _answer(offer, OfferState.ACCEPTED, "accept", by=by, key=key, at=at)


def decline(offer: Offer, *, by: Any, key: str | None = None, at: datetime | None = None) -> Offer:
    """The applicant does not take the place; it goes to the next who fits."""
    return _answer(offer, OfferState.DECLINED, "decline", by=by, key=key, at=at)


def _answer(offer: Offer, state: OfferState, transition: str, *, by: Any, key: str | None, at: datetime | None) -> Offer:
    now = at or timezone.now()
    application = offer.application
    if by is None or application.applicant_id != by.pk:
        raise PermissionDenied
    if offer.state == state:
        return offer
    if now > offer.answer_by:
        raise ValidationError(_("The time to answer this offer is over."), code="too_late")
    _settle(offer, state, transition, by=by, key=key, now=now)
    if state == OfferState.DECLINED:
        promote(offer.run, at=now)
    return offer


def _settle(offer: Offer, state: OfferState, transition: str, *, by: Any, key: str | None, now: datetime) -> None:
    application = offer.application
    with transaction.atomic():
        if not Offer.objects.filter(pk=offer.pk, state=OfferState.MADE).update(state=state, answered_at=now):
            raise ValidationError(_("This offer has been answered already."), code="wrong_state")
        held = held_by(offer)
        if state == OfferState.ACCEPTED:
            quotas.use(held, subject=offer.code, by=by)
        else:
            quotas.release(held, subject=offer.code, by=by)
        advance(application, transition, by=by, key=f"{application.code}:{key}" if key else None, at=now, data={"offer": offer.code})
    offer.state, offer.answered_at = state, now


def lapse_due(*, at: datetime | None = None) -> int:
    """Let every offer lapse whose date has passed without an answer: what the clock does. Gives how many."""
    now = at or timezone.now()
    runs = set()
    overdue = list(Offer.objects.overdue(at=now).select_related("application__call", "application__version", "run__call"))
    for offer in overdue:
        try:
            _settle(offer, OfferState.LAPSED, "lapse", by=None, key=None, now=now)
        except ValidationError:  # answered in this very moment
            continue
        runs.add(offer.run)
    for run in runs:
        promote(run, at=now)
    return len(overdue)


def lapse(offer: Offer, *, by: Any, at: datetime | None = None) -> Offer:
    """An officer lets an unanswered offer lapse."""
    if not may_run(by, offer.application.call):
        raise PermissionDenied
    _settle(offer, OfferState.LAPSED, "lapse", by=by, key=None, now=at or timezone.now())
    promote(offer.run, at=at)
    return offer


# -- The next --------------------------------------------------------------------


def promote(run: Run, *, by: Any = None, at: datetime | None = None) -> list[Offer]:
    """Offer freed places to the next on the reserve list who fit, by the engine's rule; nobody who holds a place loses it."""
    now = at or timezone.now()
    if run.published_at is None:
        return []
    made: list[Offer] = []
    model = engine.read_problem(_with_places_now(run))
    reserve = {
        application.code: application
        for application in Application.objects.filter(placements__run=run, state=State.RESERVE).select_related(
            "call__scheme", "version", "country"
        )
    }
    if not reserve:
        return made
    live = dict(Offer.objects.filter(run=run, state__in=LIVE).values_list("application__code", "programme__code"))
    awards = {person.id: live.get(person.id) for person in model.order}
    frozen = [person.id for person in model.order if person.id not in reserve]
    programmes = {programme.code: programme for programme in run.call.programmes.select_related("host")}
    for person, _held, option in engine.decline(model, awards, leavers=(), frozen=frozen).moves:
        if _try_to_offer(reserve[person], run, programmes[option], by=by, now=now):
            made.append(Offer.objects.get(application=reserve[person], state=OfferState.MADE))
    return made


def _with_places_now(run: Run) -> dict[str, Any]:
    """The run's PROBLEM with the places of today: an officer may have added some since."""
    caps: dict[str, list[list[Any]]] = {}
    for quota in quotas.award_quotas(run.call):
        caps.setdefault(quota.by, []).append([quota.cell.split(","), quota.places])
    return {**run.problem, "quotas": [{**quota, "caps": caps.get(quota["id"], quota["caps"])} for quota in run.problem["quotas"]]}
