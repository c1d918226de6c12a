"""An application's way as stations: what is done, where it is now and with whom, what comes next and when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from exchange.ui.templatetags.ui import both_times, day
from scholarships.applications.models import Application, Outcome, Stage, State
from scholarships.calls.form import Form
from scholarships.calls.models import Milestone, StepKind


@dataclass(frozen=True)
class Station:
    """``look``: "done", "now" or "" (to come)."""

    look: str
    title: str
    says: str


def stations(
    application: Application,
    form: Form,
    stages: Iterable[Stage],
    milestones: Iterable[Milestone],
    *,
    at: datetime,
    zone: str,
    for_applicant: bool,
) -> list[Station]:
    """The stations of APPLICATION, from handing in to the start of studies.

    For the applicant the decision on places stays "now" until the published moment. What a call says of a step is said to them.
    """
    call = application.call
    dates = {milestone.key: milestone for milestone in milestones}
    last = {stage.step: stage for stage in stages}
    is_hidden = for_applicant and at < call.results_at
    found = [_handing_in(application, zone, for_applicant)]
    for step in form.steps:
        if step.kind == StepKind.OFFER:
            continue
        stage = last.get(step.key)
        if stage and is_hidden and step.kind == StepKind.ALLOCATION:
            stage = Stage(step=stage.step, kind=stage.kind, entered_at=stage.entered_at, body=None)
        says = str(step.says) if for_applicant else ""
        found.append(_station(str(step.title), says, stage, dates.get(step.milestone), call.zone, for_applicant))
    is_known = at >= call.results_at or (application.state == State.NOT_SELECTED and not is_hidden)
    found.append(
        Station("done" if is_known else "", _("Result, to everyone at the same moment"), both_times(call.results_at, call.zone, zone))
    )
    found.append(Station("", _("Studies start"), day(call.starts_on)))
    return found


def _handing_in(application: Application, zone: str, for_applicant: bool) -> Station:
    if application.submitted_at and application.state not in {State.DRAFT}:
        return Station("done", _("Submitted"), both_times(application.submitted_at, application.call.zone, zone))
    return Station(
        "now",
        _("You submit") if for_applicant else _("Being written"),
        _("until %(moment)s") % {"moment": both_times(application.call.closes_at, application.call.zone, zone)},
    )


def _station(title: str, says: str, stage: Stage | None, milestone: Milestone | None, zone: str, for_applicant: bool) -> Station:
    if stage is None:
        return Station("", title, _window(milestone, zone) or says)
    if stage.left_at is None:
        since = day(stage.entered_at, zone)
        if stage.body:
            where = _("With %(body)s since %(day)s.") % {"body": stage.body, "day": since}
        else:
            where = _("Since %(day)s.") % {"day": since}
        due = _("Answer expected by %(day)s.") % {"day": day(milestone.ends_at, zone)} if milestone and milestone.ends_at else ""
        return Station("now", title, " ".join(part for part in (where, says, due) if part))
    returned = _("Returned to you on %(day)s") if for_applicant else _("Returned to the applicant on %(day)s")
    how = {Outcome.RETURNED: returned, Outcome.ENDED: _("Ended here on %(day)s")}.get(Outcome(stage.outcome), "%(day)s")
    return Station("done", title, how % {"day": day(stage.left_at, zone)})


def _window(milestone: Milestone | None, zone: str) -> str:
    if milestone is None:
        return ""
    if milestone.ends_at:
        return _("%(start)s to %(end)s") % {"start": day(milestone.starts_at, zone), "end": day(milestone.ends_at, zone)}
    return day(milestone.starts_at, zone)
