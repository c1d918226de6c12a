"""Allocate the places of a call, keep what came out, and confirm it."""

from __future__ import annotations

import secrets
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from scholarships.allocations.models import Placement, Result, Run
from scholarships.applications.door import advance_all
from scholarships.applications.models import Application, Choice, State
from scholarships.calls.models import Call, StepKind
from scholarships.calls.rules import may_run
from scholarships.engine import allocation as engine
from scholarships.events.actions import record
from scholarships.events.names import declare
from scholarships.quotas.actions import award_quotas
from scholarships.quotas.models import Quota, normal

ALLOCATED = declare("call.allocated", "Places were allocated", "run", "awarded", "digest")
CONFIRMED = declare("call.allocation_confirmed", "The allocation was confirmed", "run", "awarded", "digest")
BATCH = 200  # applications a transaction


def candidates(call: Call) -> Any:
    """The applications that take part: reviewed, at the step where places are given."""
    return Application.objects.filter(call=call, stages__left_at__isnull=True, stages__kind=StepKind.ALLOCATION, score__isnull=False)


def build_model(call: Call, seed: str) -> engine.Model:
    """The call's candidates, options and quotas as the engine reads them."""
    rows = list(candidates(call).values_list("pk", "code", "score", "country_id", "level", "revision_id"))
    choices: dict[int, list[str]] = {}
    for revision, programme in (
        Choice.objects.filter(revision__in=[row[5] for row in rows])
        .order_by("revision", "rank")
        .values_list("revision_id", "programme__code")
    ):
        choices.setdefault(revision, []).append(programme)
    people = [
        engine.Applicant(code, score, tuple(choices.get(revision, ())), {"country": normal(country or ""), "level": normal(level)})
        for _pk, code, score, country, level, revision in rows
    ]
    options = [
        engine.Option(code, {"level": normal(level), "host": normal(host), "programme": normal(code)})
        for code, level, host in call.programmes.values_list("code", "level", "host__code")
    ]
    return engine.compile_call(people, options, quotas_of(award_quotas(call)), seed)


def quotas_of(quotas: list[Quota]) -> list[engine.Quota]:
    """The rows of the database as quotas of the engine: one for each dimension, its cells as caps."""
    caps: dict[str, dict[tuple[str, ...], int]] = {}
    for quota in quotas:
        caps.setdefault(quota.by, {})[tuple(quota.cell.split(","))] = quota.places
    return [engine.Quota(by, tuple(by.split(",")), cells) for by, cells in sorted(caps.items())]


def allocate(call: Call, *, by: Any, seed: str = "") -> Run:
    """Run the allocation and keep it; nothing else changes and nobody is told.

    Raises:
        PermissionDenied: BY is not an officer of the call.
        ValidationError: ``no_candidates``, ``no_quotas`` or ``confirmed_already``.
    """
    if not may_run(by, call):
        raise PermissionDenied
    _still_open(call)
    if not award_quotas(call):
        raise ValidationError(_("Set the places first: without a quota everybody would get the first choice."), code="no_quotas")
    model = build_model(call, seed or secrets.token_hex(16))
    if not model.order:
        raise ValidationError(
            _("No application has come to the step where places are given. Reviews may still be missing."), code="no_candidates"
        )
    result = engine.allocate(model)
    said = result.to_json()
    pks = dict(candidates(call).values_list("code", "pk"))
    programmes = dict(call.programmes.values_list("code", "pk"))
    with transaction.atomic():
        run = Run.objects.create(
            call=call, by=by, problem=engine.problem_json(model), result=said, input_digest=said["digest"]["input"],
            output_digest=said["digest"]["output"], awarded=sum(award is not None for award in result.awards.values()),
        )  # fmt: skip
        Placement.objects.bulk_create(
            [
                Placement(
                    run=run, application_id=pks[person.id], rank=rank, score=person.score,
                    result=Result.PLACE if result.awards[person.id] else _unplaced(person, result),
                    programme_id=programmes.get(result.awards[person.id] or ""), reasons=said["reasons"][person.id],
                )
                for rank, person in enumerate(model.order, start=1)
            ],
            batch_size=500,
        )  # fmt: skip
        record(ALLOCATED, call, by=by, run=run.code, awarded=run.awarded, digest=run.output_digest)
    return run


def _unplaced(person: engine.Applicant, result: engine.Result) -> Result:
    """Who could move up when a place falls free waits on the reserve list; who meets a cap of 0 everywhere has no place."""
    return Result.RESERVE if any(reason.cap for reason in result.explain(person.id)) else Result.NONE


def _still_open(call: Call) -> None:
    if Run.objects.filter(call=call, confirmed_at__isnull=False).exists():
        raise ValidationError(_("The allocation of this call is confirmed. Freed places go to the reserve list."), code="confirmed_already")


def is_stale(run: Run) -> bool:
    """Whether scores, choices, candidates or quotas have changed since RUN was made."""
    return engine.digest(engine.problem_json(build_model(run.call, run.problem["seed"]))) != run.input_digest


def confirm(run: Run, *, by: Any) -> Run:
    """Let RUN count: its applications become selected, reserve or not selected. Applicants see it from ``results_at`` on.

    Written in batches, each a transaction of its own; a second call goes on where the first stopped.

    Raises:
        PermissionDenied: BY is not an officer of the call.
        ValidationError: ``stale``: the input has changed since; ``confirmed_already``: another run counts.
    """
    if not may_run(by, run.call):
        raise PermissionDenied
    if run.confirmed_at is None:
        if is_stale(run):
            raise ValidationError(_("Scores, choices or places have changed since this allocation. Run it again."), code="stale")
        _confirm_run(run, by)
    for result, transition in ((Result.PLACE, "select"), (Result.RESERVE, "put_on_reserve"), (Result.NONE, "not_select")):
        _advance(run, result, transition, by)
    return run


def _confirm_run(run: Run, by: Any) -> None:
    now = timezone.now()
    try:
        with transaction.atomic():
            if not Run.objects.filter(pk=run.pk, confirmed_at__isnull=True).update(confirmed_at=now, confirmed_by=by):
                raise ValidationError(_("This allocation has just been confirmed."), code="changed_meanwhile")
            record(CONFIRMED, run.call, by=by, at=now, run=run.code, awarded=run.awarded, digest=run.output_digest)
    except IntegrityError:
        raise ValidationError(_("Another allocation of this call is confirmed already."), code="confirmed_already") from None
    run.confirmed_at, run.confirmed_by = now, by


def _advance(run: Run, result: Result, transition: str, by: Any) -> None:
    waiting = Application.objects.filter(
        placements__run=run, placements__result=result, state__in=[State.IN_REVIEW, State.NOMINATED, State.ELIGIBLE]
    )
    while batch := list(waiting.select_related("call", "version").order_by("pk")[:BATCH]):
        advance_all(batch, transition, by=by, data={application.code: {"run": run.code} for application in batch})
