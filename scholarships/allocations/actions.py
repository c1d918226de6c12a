"""Allocate the places of a call, keep what came out, and confirm it."""

from __future__ import annotations

import hashlib
import secrets
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.db.models import BigIntegerField, Count, Exists, F, OuterRef, QuerySet, Sum
from django.db.models.functions import Cast
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from scholarships.allocations.cells import award_values, cell_in
from scholarships.allocations.models import Placement, Result, Run, RunFile
from scholarships.applications.door import advance_all
from scholarships.applications.models import Application, Choice, Stage, State
from scholarships.calls.models import Call, StepKind
from scholarships.calls.rules import ALONE, may_run, needs_second
from scholarships.engine import allocation as engine
from scholarships.events.actions import record
from scholarships.events.models import Event
from scholarships.events.names import declare
from scholarships.quotas import actions as quotas
from scholarships.quotas.models import Purpose, Quota, normal

ALLOCATED = declare("call.allocated", "Places were allocated", "run", "awarded", "digest")
CONFIRMED = declare("call.allocation_confirmed", "The allocation was confirmed", "run", "awarded", "digest")
BATCH = 200  # applications a transaction
MOST_TRIES = 5  # of a batch in which others keep acting


# -- The input -------------------------------------------------------------------


def candidates(call: Call) -> QuerySet[Application]:
    """The applications that take part: reviewed, at the step where places are given."""
    at_places = Stage.objects.filter(kind=StepKind.ALLOCATION, left_at__isnull=True, application__call=call)
    return Application.objects.filter(call=call, pk__in=at_places.values("application"), score__isnull=False)


def people_of(applications: QuerySet[Application], options: Iterable[engine.Option]) -> list[engine.Applicant]:
    """APPLICATIONS with a score as the engine reads them, in their order: two queries. A choice that is no option any more is left out."""
    known = {option.id for option in options}
    choices: dict[int, list[str]] = {}
    wishes = Choice.objects.filter(revision__in=applications.order_by().values("revision")).order_by("revision", "rank")
    for revision, programme in wishes.values_list("revision_id", "programme__code"):
        if programme in known:
            choices.setdefault(revision, []).append(programme)
    return [
        engine.Applicant(code, score, tuple(choices.get(revision, ())), {"country": normal(country or ""), "level": normal(level)})
        for code, score, country, level, revision in applications.values_list("code", "score", "country_id", "level", "revision_id")
        if score is not None
    ]


def options_of(call: Call) -> list[engine.Option]:
    return [
        engine.Option(code, {"level": normal(level), "host": normal(host), "programme": normal(code)})
        for code, level, host in call.programmes.order_by("code").values_list("code", "level", "host__code")
    ]


def quotas_of(rows: Iterable[Quota], *, only_free: bool = False) -> list[engine.Quota]:
    """The rows of the database as quotas of the engine: one for each dimension, its cells as caps."""
    caps: dict[str, dict[tuple[str, ...], int]] = {}
    for quota in rows:
        caps.setdefault(quota.by, {})[tuple(quota.cell.split(","))] = quota.free if only_free else quota.places
    return [engine.Quota(by, tuple(by.split(",")), cells) for by, cells in sorted(caps.items())]


def build_model(call: Call, seed: str) -> engine.Model:
    """The call's candidates, options and quotas as the engine reads them."""
    options = options_of(call)
    return engine.compile_call(people_of(candidates(call), options), options, quotas_of(quotas.award_quotas(call)), seed)


def fingerprint(call: Call, places: Iterable[Quota] | None = None) -> str:
    """A mark of the input, in three queries of a few milliseconds: it differs when scores, revisions, candidates, places or
    programmes do. PLACES are the award quotas, where they are read already.
    """
    hundredths = Cast(F("application__score") * 100, BigIntegerField())
    there = Stage.objects.filter(kind=StepKind.ALLOCATION, left_at__isnull=True, application__call=call, application__score__isnull=False)
    people = there.aggregate(
        count=Count("pk"), keys=Sum("application"), revisions=Sum("application__revision"), scores=Sum(hundredths),
        scores_of=Sum(hundredths * F("application")),
    )  # fmt: skip
    programmes = call.programmes.aggregate(count=Count("pk"), keys=Sum("pk"))
    said = [*people.values(), *programmes.values(), quotas.edition(quotas.award_quotas(call) if places is None else places)]
    return hashlib.sha256(repr(said).encode()).hexdigest()


def looks_stale(run: Run, places: Iterable[Quota] | None = None) -> bool:
    """Whether the input has changed since RUN was made: for pages. ``confirm`` asks ``is_stale``."""
    return fingerprint(run.call, places) != run.fingerprint


def is_stale(run: Run) -> bool:
    """Whether scores, choices, candidates or quotas have changed since RUN was made."""
    return engine.digest(engine.problem_json(build_model(run.call, run.seed))) != run.input_digest


# -- Running ---------------------------------------------------------------------


def allocate(call: Call, *, by: Any, seed: str = "", key: str | None = None, at: datetime | None = None) -> Run:
    """Run the allocation and keep it; nothing else changes and nobody is told.

    The rows are written in batches, so that nobody waits for them; the run is shown when it is whole.

    Args:
        seed: of the lottery among equals; drawn where it is not given.
        key: the same key again is refused.

    Raises:
        PermissionDenied: BY is not an officer of the call.
        ValidationError: ``no_candidates``, ``no_quotas``, ``confirmed_already`` or ``already_done``.
    """
    if not may_run(by, call):
        raise PermissionDenied
    now = at or timezone.now()
    key = f"{call.code}:run:{key}" if key else None
    _may_allocate(call, key)
    mark = fingerprint(call)
    model = build_model(call, seed or secrets.token_hex(16))
    if not model.order:
        raise ValidationError(
            _("No application has come to the step where places are given. Reviews may still be missing."), code="no_candidates"
        )
    result = engine.allocate(model)
    run = _keep(call, model, result, mark, by, now)
    try:
        with transaction.atomic():
            Run.objects.filter(pk=run.pk).update(finished_at=timezone.now())
            record(ALLOCATED, call, by=by, key=key, at=now, run=run.code, awarded=run.awarded, digest=run.output_digest)
    except ValidationError:  # the same key, in this very moment
        run.delete()
        raise
    run.refresh_from_db(fields=["finished_at"])
    return run


def _may_allocate(call: Call, key: str | None) -> None:
    if key and Event.objects.filter(key=key).exists():
        raise ValidationError(_("This has already been done."), code="already_done")
    if Run.objects.confirmed().filter(call=call).exists():
        raise ValidationError(_("The allocation of this call is confirmed. Freed places go to the reserve list."), code="confirmed_already")
    if not quotas.award_quotas(call):
        raise ValidationError(_("Set the places first: without a quota everybody would get the first choice."), code="no_quotas")


def _keep(call: Call, model: engine.Model, result: engine.Result, mark: str, by: Any, now: datetime) -> Run:
    said = result.to_json()
    files = {RunFile.Name.PROBLEM: engine.problem_json(model), RunFile.Name.RESULT: said}
    contents = {name: engine.canonical(body).decode() for name, body in files.items()}
    pks = dict(candidates(call).values_list("code", "pk"))
    programmes = dict(call.programmes.values_list("code", "pk"))
    awarded = sum(award is not None for award in result.awards.values())
    with transaction.atomic():
        run = Run.objects.create(
            call=call, by=by, at=now, seed=model.seed, fingerprint=mark, candidates=len(model.order), awarded=awarded,
            input_digest=said["digest"]["input"], output_digest=said["digest"]["output"],
        )  # fmt: skip
        for name, content in contents.items():  # one by one: as an array PostgreSQL's adapter would escape megabytes in Python
            RunFile.objects.create(run=run, name=name, content=content)
    rows = [
        Placement(
            run=run, application_id=pks[person.id], rank=rank, score=person.score,
            result=Result.PLACE if result.awards[person.id] else _unplaced(person, result),
            programme_id=programmes.get(result.awards[person.id] or ""), reasons=said["reasons"][person.id],
        )
        for rank, person in enumerate(model.order, start=1)
        if person.id in pks  # who has left in this moment makes the run stale
    ]  # fmt: skip
    for start in range(0, len(rows), BATCH):
        Placement.objects.bulk_create(rows[start : start + BATCH])
    return run


def _unplaced(person: engine.Applicant, result: engine.Result) -> Result:
    """Who could move up when a place falls free waits on the reserve list; who meets a cap of 0 everywhere has no place."""
    return Result.RESERVE if any(reason.cap for reason in result.explain(person.id)) else Result.NONE


def given_by(run: Run, dimensions: Iterable[str]) -> dict[str, Counter[str]]:
    """How many places RUN gives in each cell: dimension -> cell -> number. One query."""
    given: dict[str, Counter[str]] = {by: Counter() for by in dimensions}
    rows = Placement.objects.filter(run=run, result=Result.PLACE).values_list(
        "application__country", "application__level", "programme__level", "programme__host__code", "programme__code"
    )
    for *award, count in rows.annotate(Count("pk")).order_by():
        values = award_values(*award)
        for by, cells in given.items():
            cells[cell_in(by, values)] += count
    return given


# -- Setting places --------------------------------------------------------------


def set_places(call: Call, places: Mapping[str, Mapping[tuple[str, ...], int]], *, by: Any, seen: str | None = None) -> int:
    """Set the award places of CALL, in every dimension or in none: dimension -> cell -> number. Gives how many cells changed.

    Args:
        seen: ``quotas.edition`` of the places that BY saw.

    Raises:
        PermissionDenied: BY is not an officer of the call.
        ValidationError: one error a cell (``params`` name ``by`` and ``cell``): ``not_places``, ``below_taken``, or
            ``promised``: a confirmed allocation that is not yet published gives more. Or ``changed_meanwhile``:
            others were set since. Nothing is set then.
    """
    if not may_run(by, call):
        raise PermissionDenied
    if not places:
        return 0
    with transaction.atomic():
        if seen is not None and seen != quotas.edition(quotas.award_quotas(call)):
            raise ValidationError(_("Somebody has set places since you opened this page."), code="changed_meanwhile")
        refused = _promised(call, places)
        changed = 0
        for dimension, cells in places.items():
            try:
                changed += quotas.set_places(call, Purpose.AWARD, dimension, cells, user=by)
            except ValidationError as refusal:
                refused += refusal.error_list
        if refused:
            raise ValidationError(refused)
    return changed


def _promised(call: Call, places: Mapping[str, Mapping[tuple[str, ...], int]]) -> list[ValidationError]:
    run = Run.objects.confirmed().filter(call=call, published_at__isnull=True).first()
    if run is None:
        return []
    given = given_by(run, places)
    wanted = {
        by: {cell_in(by, dict(zip(by.split(","), values, strict=True))): number for values, number in cells.items()}
        for by, cells in places.items()
    }
    return [
        ValidationError(
            _("%(cell)s: the confirmed allocation gives %(given)s places here, so %(number)s cannot be set."),
            code="promised",
            params={"by": by, "cell": cell, "given": given[by][cell], "number": number},
        )
        for by, cells in wanted.items()
        for cell, number in cells.items()
        if number < given[by][cell]
    ]


# -- Confirming ------------------------------------------------------------------


def confirm(run: Run, *, by: Any, at: datetime | None = None) -> Run:
    """Let RUN count: its applications become selected, reserve or not selected. Applicants see it from ``results_at`` on.

    Written in batches, each a transaction of its own; a second call goes on where the first stopped.

    Raises:
        PermissionDenied: BY is not an officer of the call.
        ValidationError: ``stale``: the input has changed since; ``confirmed_already``: another run counts;
            ``second_officer``: it decides on many, and BY has made it.
    """
    if not may_run(by, run.call):
        raise PermissionDenied
    now = at or timezone.now()
    if run.confirmed_at is None:
        if run.finished_at is None or is_stale(run):
            raise ValidationError(_("Scores, choices or places have changed since this allocation. Run it again."), code="stale")
        if needs_second(run.candidates, run.by_id, by.pk):
            sentence = _("It decides on more than %(most)s people: an officer who did not make this allocation must confirm it.")
            raise ValidationError(sentence % {"most": ALONE}, code="second_officer")
        _confirm_run(run, by, now)
    finish(run, at=now)
    return run


def _confirm_run(run: Run, by: Any, now: datetime) -> None:
    try:
        with transaction.atomic():
            if Run.objects.filter(pk=run.pk, confirmed_at__isnull=True).update(confirmed_at=now, confirmed_by=by):
                record(CONFIRMED, run.call, by=by, at=now, run=run.code, awarded=run.awarded, digest=run.output_digest)
    except IntegrityError:
        raise ValidationError(_("Another allocation of this call is confirmed already."), code="confirmed_already") from None
    run.refresh_from_db(fields=["confirmed_at", "confirmed_by"])


TRANSITIONS = {Result.PLACE: "select", Result.RESERVE: "put_on_reserve", Result.NONE: "not_select"}


def unsettled(run: Run) -> QuerySet[Application]:
    """Applications of a confirmed RUN whose result is not yet written: none, unless the confirmation was interrupted."""
    return _waiting(Application.objects.filter(placements__run=run))


def _waiting(applications: QuerySet[Application]) -> QuerySet[Application]:
    here = Stage.objects.filter(application=OuterRef("pk"), kind=StepKind.ALLOCATION, left_at__isnull=True)
    return applications.filter(Exists(here), state__in=[State.IN_REVIEW, State.NOMINATED, State.ELIGIBLE])


def finish(run: Run, *, at: datetime | None = None) -> None:
    """Write the results of a confirmed RUN on its applications, in the name of the officer who confirmed it."""
    for first in range(1, run.candidates + 1, BATCH):
        rows = Placement.objects.filter(run=run, rank__gte=first, rank__lt=first + BATCH).values_list("application_id", "result")
        results = dict(rows)
        for result, transition in TRANSITIONS.items():
            _advance(run, [pk for pk, found in results.items() if found == result], transition, at)


def _advance(run: Run, pks: list[int], transition: str, at: datetime | None) -> None:
    waiting = _waiting(Application.objects.filter(pk__in=pks)).select_related("call", "version").order_by("pk")
    for tries in range(1, MOST_TRIES + 1):
        batch = list(waiting.all())
        try:
            if batch:
                data = {application.code: {"run": run.code} for application in batch}
                advance_all(batch, transition, by=run.confirmed_by, at=at, data=data)
            return
        except ValidationError:  # one of them was withdrawn in this moment: read again without it
            if tries == MOST_TRIES:
                raise
