"""Who may do what with an application."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import rules

from scholarships.applications.models import Application, Outcome, Stage, State
from scholarships.calls.models import StepKind
from scholarships.calls.rules import may_run
from scholarships.people.rules import deciding_institutions_of


@rules.predicate
def is_applicant(user: Any, application: Application) -> bool:
    return application.applicant_id == user.pk


@rules.predicate
def is_officer_of_call(user: Any, application: Application) -> bool:
    return may_run(user, application.call)


@rules.predicate
def is_draft(user: Any, application: Application) -> bool:
    return application.state == State.DRAFT


@rules.predicate
def is_body_in_charge(user: Any, application: Application) -> bool:
    """USER decides for the body with which the file is now."""
    stage = current_stage(application)
    return stage is not None and stage.body is not None and stage.body.code in deciding_institutions_of(user)


@rules.predicate
def is_body_that_nominated(user: Any, application: Application) -> bool:
    """USER decides for the body that has sent the file on last."""
    own = deciding_institutions_of(user)
    if not own:
        return False
    stage = last_nominated(application)
    return stage is not None and stage.body is not None and stage.body.code in own


def last_nominated(application: Application) -> Stage | None:
    """The stage of the body that has sent the file on last, None where none has. Read once for each application object."""
    if "_nominated" not in application.__dict__:
        read_nominated([application])
    return application.__dict__["_nominated"]


def read_nominated(applications: Iterable[Application]) -> None:
    """Read for APPLICATIONS which body has sent each on last, in one query."""
    found = {application.pk: application for application in applications}
    sent = Stage.objects.filter(application__in=list(found), kind=StepKind.NOMINATION, outcome=Outcome.PASSED).select_related("body")
    last = {stage.application_id: stage for stage in sent.order_by("pk")}
    for pk, application in found.items():
        application.__dict__["_nominated"] = last.get(pk)


may_read = is_applicant | (is_officer_of_call & ~is_draft)
may_act_as_applicant = is_applicant
may_act_as_officer = is_officer_of_call & ~is_draft
may_act_as_body = is_body_in_charge
may_take_back = is_body_that_nominated
may_return = may_act_as_officer | is_body_in_charge


def current_stage(application: Application) -> Stage | None:
    """The open stage: where the file is now; a draft is nowhere. Read once for each application object."""
    if application.state == State.DRAFT:
        return None
    if "_stage" not in application.__dict__:
        application.__dict__["_stage"] = Stage.objects.select_related("body").filter(application=application, left_at__isnull=True).first()
    return application.__dict__["_stage"]


def remember_stage(application: Application, stage: Stage | None) -> None:
    application.__dict__["_stage"] = stage
    application.__dict__.pop("_nominated", None)  # it may have been sent on by this


def forget_stage(application: Application) -> None:
    """Read the open stage of this application object anew next time."""
    application.__dict__.pop("_stage", None)
    application.__dict__.pop("_nominated", None)
