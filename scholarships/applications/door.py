"""THE door: the only way in which an application's state changes.

``advance`` reads the table of ``lifecycle``, changes the row only if it is still in the state that
was read, moves the stage, and records the event, all in one transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from scholarships.applications import rules
from scholarships.applications.lifecycle import TRANSITIONS, Transition
from scholarships.applications.models import Application, Outcome, Stage, State
from scholarships.calls.form import Step, form_of
from scholarships.calls.models import BodyBy, StepKind
from scholarships.events.actions import record, record_many


def advance(
    application: Application,
    name: str,
    *,
    by: Any,
    key: str | None = None,
    at: datetime | None = None,
    data: dict[str, Any] | None = None,
    **fields: Any,
) -> Application:
    """Take APPLICATION through the transition NAME, write FIELDS with it, and record it.

    Args:
        by: the user who acts, None for the clock.
        key: makes the event happen once.
        data: goes into the event.

    Raises:
        PermissionDenied: BY may not do this.
        ValidationError: code ``wrong_state``, ``changed_meanwhile`` or ``already_done``.
    """
    advance_all([application], name, by=by, key=key, at=at, data={application.code: data or {}}, **fields)
    return application


def advance_all(
    applications: Sequence[Application],
    name: str,
    *,
    by: Any,
    key: str | None = None,
    at: datetime | None = None,
    data: dict[str, dict[str, Any]] | None = None,
    **fields: Any,
) -> None:
    """Take APPLICATIONS through the transition NAME together: all or none, in a constant number of queries.

    Each row changes only if it is still in the state we read, so of two people who act at once
    exactly one succeeds. Call with at most some hundred applications: it is one transaction.
    """
    move = TRANSITIONS[name]
    now = at or timezone.now()
    read_stages(applications)
    if move.goes_back:
        rules.read_nominated(applications)
    for application in applications:
        _may(move, application, by)
    try:
        with transaction.atomic():
            for state in {application.state for application in applications}:
                together = [application.pk for application in applications if application.state == state]
                unchanged = Application.objects.filter(pk__in=together, state=state)
                if unchanged.update(state=move.target, moved_at=now, **fields) != len(together):
                    raise _changed_meanwhile()
            if move.leaves:
                _leave_stage(applications, move.leaves, now)
            if move.goes_back:
                _go_back(applications, now)
            if move.enters:
                for application in applications:
                    _enter(application, now)
            per_application = data or {}
            if len(applications) == 1:
                record(move.event, applications[0], by=by, key=key, at=now, **per_application.get(applications[0].code, {}))
            else:
                record_many(move.event, applications, by=by, at=now, data=per_application)
    except BaseException:
        for application in applications:
            rules.forget_stage(application)  # what was remembered has been rolled back
        raise
    for application in applications:
        application.state = move.target
        application.moved_at = now
        for field, value in fields.items():
            setattr(application, field, value)


def _may(move: Transition, application: Application, by: Any) -> None:
    if by is None:
        if not move.by_clock:
            raise PermissionDenied
    elif not move.who(by, application):
        raise PermissionDenied
    stage = rules.current_stage(application)
    if application.state not in move.sources or (move.at and (stage is None or stage.kind not in move.at)):
        raise ValidationError(
            _("This is not possible now: the application is “%(state)s”. Reload the page."),
            code="wrong_state",
            params={"state": application.get_state_display()},
        )


def read_stages(applications: Sequence[Application]) -> None:
    """Read the open stages of APPLICATIONS, in one query for those not yet read; rules then ask no more."""
    unread = [application for application in applications if application.state != State.DRAFT and "_stage" not in application.__dict__]
    if unread:
        open_ones = {
            stage.application_id: stage
            for stage in Stage.objects.select_related("body").filter(application__in=unread, left_at__isnull=True)
        }
        for application in unread:
            rules.remember_stage(application, open_ones.get(application.pk))


def _leave_stage(applications: Sequence[Application], outcome: Outcome, now: datetime) -> None:
    """Close the open stages with OUTCOME; after "passed" enter the next step of each call."""
    stages = [stage for application in applications if (stage := rules.current_stage(application))]
    left = Stage.objects.filter(pk__in=[stage.pk for stage in stages], left_at__isnull=True)
    if left.update(left_at=now, outcome=outcome) != len(stages):
        raise _changed_meanwhile()
    entered = []
    for application in applications:
        stage = rules.current_stage(application)
        step = form_of(application.version).step_after(stage.order) if stage and outcome == Outcome.PASSED else None
        following = _stage(application, step, now) if step else None
        rules.remember_stage(application, following)
        if following:
            entered.append(following)
    Stage.objects.bulk_create(entered)


def _go_back(applications: Sequence[Application], now: datetime) -> None:
    """Enter the step of the body that nominated them last once more."""
    entered = []
    for application in applications:
        last = rules.last_nominated(application)
        assert last is not None, "whoever may take it back decides for that body"
        again = Stage(application=application, step=last.step, kind=last.kind, order=last.order, body=last.body, entered_at=now)
        rules.remember_stage(application, again)
        entered.append(again)
    Stage.objects.bulk_create(entered)


def _stage(application: Application, step: Step, now: datetime) -> Stage:
    body = body_for(step, application)
    return Stage(application=application, step=step.key, kind=step.kind, order=step.order, body_id=body, entered_at=now)


def body_for(step: Step, application: Application) -> int | None:
    """The key of the nominating body of STEP for this application: derived, never typed.

    Raises:
        ValidationError: code ``no_body``: the call names none for this citizenship or institution.
    """
    if step.kind != StepKind.NOMINATION:
        return None
    if step.body_by == BodyBy.HOME:
        if application.home_id in step.bodies.get("", ()):
            return application.home_id
        raise ValidationError(
            _("This call is for students of its partner institutions. Choose yours under “Home institution”."), code="no_body"
        )
    pks = step.bodies.get(application.country_id or "")
    if not pks:
        raise ValidationError(
            _("This call names no authority for your citizenship, so that nobody could receive your application."), code="no_body"
        )
    return next(iter(pks))


def _enter(application: Application, now: datetime) -> None:
    """Enter the step that returned the file, else the first step of the call.

    Where another body is in charge by now (the correction says another citizenship), its step comes first.
    """
    form = form_of(application.version)
    stages = list(application.stages.order_by("pk")) if application.state != State.DRAFT else []
    step = form.steps[0]  # a call has at least one
    if stages and stages[-1].outcome == Outcome.RETURNED:
        passed = {stage.step: stage.body_id for stage in stages if stage.outcome == Outcome.PASSED and stage.kind == StepKind.NOMINATION}
        elsewhere = (one for one in form.steps if one.key in passed and passed[one.key] != body_for(one, application))
        step = next(elsewhere, form.step(stages[-1].step)) or step
    stage = _stage(application, step, now)
    stage.save()
    rules.remember_stage(application, stage)


def follow_body(application: Application, *, at: datetime) -> None:
    """Move a file whose change says another citizenship or home institution to the body that is in charge now."""
    stage = rules.current_stage(application)
    step = form_of(application.version).step(stage.step) if stage else None
    if stage and step and stage.body_id != body_for(step, application):
        _leave_stage([application], Outcome.RETURNED, at)
        _enter(application, at)


def _changed_meanwhile() -> ValidationError:
    return ValidationError(_("Someone else has just changed this application. Reload the page and try again."), code="changed_meanwhile")
