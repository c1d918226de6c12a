"""Offers are made, answered and lapse; a freed place goes to the next who fits.

A place is held in every quota that the award counts in, by a conditional UPDATE: of two that want
the last place exactly one gets it. Every batch is a transaction of its own, and everything here may
run twice or stop in the middle: the next run, by a person or by the clock, goes on.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from scholarships.allocations import actions as allocations
from scholarships.allocations.cells import award_values, cell_in
from scholarships.allocations.models import Placement, Result, Run
from scholarships.applications.door import advance, advance_all
from scholarships.applications.lifecycle import TOLD
from scholarships.applications.models import Application, State
from scholarships.calls.actions import RESULTS_PUBLISHED, publish_now
from scholarships.calls.models import Call
from scholarships.calls.rules import may_run
from scholarships.engine import allocation as engine
from scholarships.events.actions import record, record_many
from scholarships.offers.models import Offer, OfferState
from scholarships.programmes.models import Programme
from scholarships.quotas import actions as quotas
from scholarships.quotas.models import Entry, Move, Quota

BATCH = 50  # offers a transaction
BATCH_TOLD = 200  # applications a transaction
MOST_PASSES = 5  # of a promotion while others keep acting
NEXT = [State.SELECTED, State.RESERVE]  # who may be offered a place

log = logging.getLogger(__name__)


# -- Publishing ------------------------------------------------------------------


def make_from(run: Run, *, by: Any = None, at: datetime | None = None) -> int:
    """Make the offers of a confirmed RUN and tell the others, once ``results_at`` has come. Gives the number of offers.

    Who has an offer gets no second one, who was told is not told again. The place of somebody who has
    withdrawn since the confirmation goes to the next who fits.
    """
    now = at or timezone.now()
    if run.confirmed_at is None or now < run.call.results_at:
        return 0
    allocations.finish(run, at=now)
    made = _offer(run, _selected(run), by=by, now=now)
    _tell_the_others(run, by, now)
    with transaction.atomic():
        if Run.objects.filter(pk=run.pk, published_at__isnull=True).update(published_at=now):
            record(RESULTS_PUBLISHED, run.call, by=by, at=now, run=run.code)
    run.refresh_from_db(fields=["published_at"])
    return len(made) + len(promote(run, by=by, at=now))


def publish(run: Run, *, by: Any, key: str | None = None, wait: timedelta = timedelta()) -> int:
    """An officer publishes a confirmed RUN now; where its moment lies ahead, it is moved to now first. Gives the number of offers.

    With a WAIT it is moved to its end instead, and the clock publishes: until then the date can be moved again.

    Raises:
        PermissionDenied: BY is not an officer of the call.
        ValidationError: ``not_confirmed``.
    """
    if not may_run(by, run.call):
        raise PermissionDenied
    if run.confirmed_at is None:
        raise ValidationError(_("Confirm an allocation first: there is nothing to publish yet."), code="not_confirmed")
    if timezone.now() < run.call.results_at:
        publish_now(run.call, by=by, key=key, wait=min(wait, run.call.results_at - timezone.now()))
    return make_from(run, by=by)


def publish_due(*, at: datetime | None = None) -> int:
    """Publish every confirmed run whose moment has come: what the clock does. Gives the number of runs."""
    now = at or timezone.now()
    due = list(Run.objects.to_publish(at=now).select_related("call__scheme", "confirmed_by"))
    for run in due:
        try:
            make_from(run, at=now)
        except Exception:  # one call must not hold up the others
            log.exception("Run %s could not be published.", run.code)
    return len(due)


@dataclass(frozen=True)
class Wish:
    """An offer to make: keys of application and programme, and which choice of the applicant it is."""

    application: int
    programme: int
    choice: int


def _selected(run: Run) -> list[Wish]:
    """What RUN gives to those who have no offer yet, best first."""
    rows = Placement.objects.filter(run=run, result=Result.PLACE, application__state=State.SELECTED).order_by("rank")
    return [
        Wish(application, programme, next(number for number, reason in enumerate(reasons, start=1) if reason["choice"] == code))
        for application, programme, code, reasons in rows.values_list("application_id", "programme_id", "programme__code", "reasons")
    ]


def _tell_the_others(run: Run, by: Any, now: datetime) -> None:
    """Batch by batch; whoever has marked a batch tells it, so that nobody is told twice."""
    for state in (State.RESERVE, State.NOT_SELECTED):
        untold = Placement.objects.filter(run=run, told_at__isnull=True, application__state=state).order_by("pk")
        while batch := list(untold.select_related("application").defer("reasons")[:BATCH_TOLD]):
            people = [placement.application for placement in batch]
            with transaction.atomic():
                mine = Placement.objects.filter(pk__in=[placement.pk for placement in batch], told_at__isnull=True).update(told_at=now)
                if mine == len(batch):
                    record_many(TOLD, people, by=by, at=now, data={person.code: {"result": state.value} for person in people})
                else:  # somebody else is telling them: read again
                    transaction.set_rollback(True)


# -- Making offers ---------------------------------------------------------------


def _offer(run: Run, wishes: Sequence[Wish], *, by: Any, now: datetime) -> list[Offer]:
    """Make the offers, in batches; gives those made. One that is not possible now leaves everything as it was."""
    made: list[Offer] = []
    for start in range(0, len(wishes), BATCH):
        made += _offer_some(run, wishes[start : start + BATCH], by=by, now=now)
    return made


def _offer_some(run: Run, wishes: Sequence[Wish], *, by: Any, now: datetime) -> list[Offer]:
    try:
        return _offer_together(run, wishes, by=by, now=now)
    except (quotas.NoPlace, IntegrityError, ValidationError):  # full, offered or withdrawn in this moment
        if len(wishes) == 1:
            return []
        return [offer for wish in wishes for offer in _offer_some(run, [wish], by=by, now=now)]


def _offer_together(run: Run, wishes: Sequence[Wish], *, by: Any, now: datetime) -> list[Offer]:
    applications = Application.objects.select_related("call", "version").in_bulk([wish.application for wish in wishes])
    programmes = Programme.objects.select_related("host").in_bulk({wish.programme for wish in wishes})
    places = quotas.award_quotas(run.call)
    offers = [
        Offer(
            application=applications[wish.application], run=run, programme=programmes[wish.programme], choice=wish.choice,
            made_at=now, answer_by=now + timedelta(days=run.call.answer_days), by=by,
        )
        for wish in wishes
    ]  # fmt: skip
    with transaction.atomic():
        Offer.objects.bulk_create(offers)
        quotas.hold_all({offer.code: quotas_for(offer.application, offer.programme, places) for offer in offers}, by=by)
        advance_all(
            [offer.application for offer in offers], "offer", by=by, at=now,
            data={offer.application.code: {"offer": offer.code, "choice": offer.choice} for offer in offers},
        )  # fmt: skip
    return offers


def quotas_for(application: Application, programme: Programme, places: Iterable[Quota]) -> list[Quota]:
    """Those of PLACES, the award quotas of the call, in which this award would count."""
    values = award_values(application.country_id, application.level, programme.level, programme.host.code, programme.code)
    return [quota for quota in places if quota.cell == cell_in(quota.by, values)]


def held_by(offer: Offer) -> list[Quota]:
    """The quotas in which OFFER holds or has taken a place: what the ledger says, whatever was set since."""
    return list(Quota.objects.filter(pk__in=Entry.objects.filter(subject=offer.code, move=Move.HOLD).values("quota")).order_by("pk"))


# -- Answers ---------------------------------------------------------------------


def accept(offer: Offer, *, by: Any, key: str | None = None, at: datetime | None = None) -> Offer:
    """The applicant takes the place. A second time changes nothing.

    Raises:
        PermissionDenied: BY is not the applicant.
        ValidationError: ``too_late`` after the date named, ``wrong_state`` when it is answered otherwise already.
    """
    return _answer(offer, OfferState.ACCEPTED, "accept", by=by, key=key, at=at)


def decline(offer: Offer, *, by: Any, key: str | None = None, at: datetime | None = None) -> Offer:
    """The applicant does not take the place; it goes to the next who fits."""
    return _answer(offer, OfferState.DECLINED, "decline", by=by, key=key, at=at)


def _answer(offer: Offer, state: OfferState, transition: str, *, by: Any, key: str | None, at: datetime | None) -> Offer:
    now = at or timezone.now()
    if by is None or offer.application.applicant_id != by.pk:
        raise PermissionDenied
    if offer.state == state:
        return offer
    if now > offer.answer_by:
        raise ValidationError(_("The time to answer this offer is over."), code="too_late")
    try:
        _settle(offer, state, transition, by=by, key=key, now=now)
    except ValidationError:
        offer.refresh_from_db(fields=["state", "answered_at"])
        if offer.state != state:
            raise
        return offer  # a second click: the first one counts
    if state == OfferState.DECLINED:
        _promote_now(offer.run, now)
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


def lapse(offer: Offer, *, by: Any, at: datetime | None = None) -> list[Offer]:
    """An officer lets an unanswered offer lapse. Gives the offers made to the next who fit.

    Raises:
        PermissionDenied: BY is not an officer of the call.
        ValidationError: ``wrong_state``: it has been answered.
    """
    if not may_run(by, offer.application.call):
        raise PermissionDenied
    now = at or timezone.now()
    _settle(offer, OfferState.LAPSED, "lapse", by=by, key=None, now=now)
    return _promote_now(offer.run, now)


def lapse_due(*, at: datetime | None = None) -> int:
    """Let every offer lapse whose date has passed without an answer, and offer freed places on: what the clock does.

    Gives how many have lapsed.
    """
    now = at or timezone.now()
    lapsed = 0
    for offer in list(Offer.objects.overdue(at=now).select_related("application__call", "application__version")):
        try:
            _settle(offer, OfferState.LAPSED, "lapse", by=None, key=None, now=now)
        except ValidationError:  # answered in this very moment
            continue
        except Exception:  # one offer must not hold up the others
            log.exception("Offer %s could not lapse.", offer.code)
            continue
        lapsed += 1
    promote_due(at=now)
    return lapsed


# -- The next --------------------------------------------------------------------


def promote(run: Run, *, by: Any = None, at: datetime | None = None) -> list[Offer]:
    """Offer the free places to the next who fit, in the order of the run; nobody who holds a place loses it.

    Gives the offers made. Of two promotions at once each person gets one offer and no place is given
    twice: who was quicker wins, and the other reads again.
    """
    if run.published_at is None:
        return []
    now = at or timezone.now()
    made: list[Offer] = []
    for _pass in range(MOST_PASSES):
        through = Entry.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        wishes = _next_who_fit(run)
        offers = _offer(run, wishes, by=by, now=now)
        made += offers
        if len(offers) == len(wishes):
            Run.objects.filter(pk=run.pk, promoted_through__lt=through).update(promoted_through=through)
            break
    return made


def _next_who_fit(run: Run) -> list[Wish]:
    """By the engine's rule for vacancies, over those who wait and the places that are free."""
    places = quotas.award_quotas(run.call)
    if not any(quota.free for quota in places):
        return []
    options = allocations.options_of(run.call)
    waiting = Application.objects.filter(placements__run=run, state__in=NEXT).order_by("placements__rank")
    people = allocations.people_of(waiting, options)
    free = tuple(allocations.quotas_of(places, only_free=True))
    model = engine.Model(run.seed, tuple(people), {option.id: option for option in options}, free)
    moves = engine.decline(model, {person.id: None for person in people}, leavers=()).moves
    if not moves:
        return []
    keys = dict(Application.objects.filter(code__in=[person for person, _held, _option in moves]).values_list("code", "pk"))
    programmes = dict(run.call.programmes.values_list("code", "pk"))
    wanted = {person.id: person.choices for person in people}
    return [Wish(keys[person], programmes[option], wanted[person].index(option) + 1) for person, _held, option in moves]


def promote_in(call: Call, *, by: Any, at: datetime | None = None) -> list[Offer]:
    """Offer places that an officer has added after publication to the next who fit; nothing before it.

    Raises:
        PermissionDenied: BY is not an officer of the call.
    """
    if not may_run(by, call):
        raise PermissionDenied
    run = Run.objects.published().filter(call=call).first()
    return promote(run, by=by, at=at) if run else []


def promote_due(*, at: datetime | None = None) -> int:
    """Offer on what was freed while nobody could: the process died between a decline and its promotion. Gives the number of offers."""
    freed = Entry.objects.filter(quota__call=OuterRef("call"), move__in=[Move.RELEASE, Move.FREE], pk__gt=OuterRef("promoted_through"))
    return sum(len(_promote_now(run, at)) for run in Run.objects.published().filter(Exists(freed)).select_related("call"))


def _promote_now(run: Run, now: datetime | None) -> list[Offer]:
    """After an answer that counts already, whatever happens here: the clock tries again."""
    try:
        return promote(run, at=now)
    except Exception:
        log.exception("Run %s: the freed place could not be offered on now.", run.code)
        return []
