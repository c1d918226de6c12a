"""The officer's calls: where the applications of each stand, and what is to be done next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from exchange.ui.route import Station
from exchange.ui.templatetags.ui import STATE_LOOKS, day, moment, time_left
from scholarships.allocations.models import Run
from scholarships.applications.models import Application, Stage, State
from scholarships.calls.form import form_of
from scholarships.calls.models import Call, StepKind, is_open
from scholarships.offers.models import Offer, OfferState
from scholarships.quotas.models import Purpose, Quota


def call_of(request: HttpRequest, code: str) -> Call:
    """The call with this code, if the reader runs it; anything else is not there."""
    return get_object_or_404(Call.objects.run_by(request.user).select_related("version", "scheme"), code=code)


def list_of(call: Call, *terms: str) -> str:
    """The address of the list of CALL's applications, narrowed by TERMS ("state:submitted")."""
    return f"{reverse('manage:applications')}?{urlencode({'q': ' '.join([f'call:{call.code}', *terms])})}"


# -- States ----------------------------------------------------------------------


@dataclass(frozen=True)
class Tally:
    """So many in one state; ``url`` lists them, "" where officers see none."""

    label: str
    look: str
    number: int
    url: str


def states_of(calls: Iterable[Call]) -> dict[int, Counter[str]]:
    """How many applications of each call are in each state: one query for all of them."""
    found: dict[int, Counter[str]] = {call.pk: Counter() for call in calls}
    rows = Application.objects.filter(call__in=list(found)).order_by().values_list("call", "state")
    for call, state, count in rows.annotate(Count("pk")):
        found[call][state] = count
    return found


def tallies(call: Call, states: Counter[str]) -> list[Tally]:
    """The states that occur, in the order of an application's life."""
    return [
        Tally(
            str(state.label),
            STATE_LOOKS.get(state, "off"),
            states[state],
            "" if state == State.DRAFT else list_of(call, f"state:{state.value}"),
        )
        for state in State
        if states[state]
    ]


def phase_of(call: Call, is_published: bool, at: datetime) -> tuple[str, str]:
    """The look and the words of where CALL itself is."""
    if call.version_id is None:
        return "off", _("Not published")
    if at < call.opens_at:
        return "todo", _("Not yet open")
    if is_open(call, at):
        return "ok", _("Open, %(left)s") % {"left": time_left(call.closes_at)}
    return ("doing", _("Results are out")) if is_published else ("wait", _("Closed"))


# -- One call --------------------------------------------------------------------


def calendar_of(call: Call, at: datetime) -> list[Station]:
    """The dates of CALL in their order: what is over, what runs, what comes."""
    grace = ngettext("and %(n)d minute of grace", "and %(n)d minutes of grace", call.grace) % {"n": call.grace}
    closes = moment(call.closes_at, call.zone)
    dates = [
        (call.opens_at, call.opens_at, _("Opens"), moment(call.opens_at, call.zone)),
        (call.closes_at, call.closes_at, _("Closes"), f"{closes}, {grace}" if call.grace else closes),
        (call.results_at, call.results_at, _("Results"), moment(call.results_at, call.zone)),
    ]
    for milestone in call.milestones.all():
        starts, ends = milestone.starts_at, milestone.ends_at or milestone.starts_at
        days = [day(starts, call.zone), day(ends, call.zone)]
        dates.append((starts, ends, str(milestone.title), " – ".join(dict.fromkeys(days))))
    found = [Station("done" if ends < at else "now" if starts <= at else "", title, says) for starts, ends, title, says in sorted(dates)]
    return [*found, Station("", _("Studies start"), day(call.starts_on))]


@dataclass(frozen=True)
class Standing:
    """What decides what is next in a call; ``here``: step -> how many files stand in it; ``run``: the confirmed one, else the newest."""

    call: Call
    states: Counter[str]
    here: Counter[str]
    unassigned: int
    run: Run | None
    offers: Counter[str]
    has_places: bool

    def at(self, kind: StepKind) -> int:
        assert self.call.version is not None, "only published calls have applications"
        return sum(self.here[step.key] for step in form_of(self.call.version).steps if step.kind == kind)


def standing_of(call: Call) -> Standing:
    """Read in five queries."""
    here: Counter[str] = Counter()
    unassigned = 0
    stages = Stage.objects.filter(left_at__isnull=True, application__call=call).order_by().values_list("step", "kind", "application__state")
    for step, kind, state, count in stages.annotate(Count("pk")):
        here[step] += count
        if kind == StepKind.REVIEW and state != State.IN_REVIEW:
            unassigned += count
    offers = Offer.objects.filter(application__call=call).order_by().values_list("state").annotate(Count("pk"))
    return Standing(
        call,
        states_of([call])[call.pk],
        here,
        unassigned,
        Run.objects.whole().filter(call=call).select_related("call", "by", "confirmed_by").order_by("-confirmed_at", "-pk").first(),
        Counter(dict(offers)),
        Quota.objects.filter(call=call, purpose=Purpose.AWARD).exists(),
    )


@dataclass(frozen=True)
class Stop:
    """A step of the call and what stands in it."""

    look: str
    title: str
    number: int
    url: str


def stops_of(standing: Standing) -> list[Stop]:
    """The steps in the order of the call."""
    call = standing.call
    if call.version is None:
        return []
    return [
        Stop("now" if standing.here[step.key] else "", str(step.title), standing.here[step.key], list_of(call, f"step:{step.kind}"))
        for step in form_of(call.version).steps
    ]


@dataclass(frozen=True)
class Task:
    """What is next: the sentence, the button and where it leads. A task that only waits has no button."""

    says: str
    button: str = ""
    url: str = ""


def tasks_of(standing: Standing, at: datetime) -> list[Task]:
    """What the officer does next, first things first; then what others do."""
    call = standing.call
    if call.version is None:
        return [Task(_("This call is not published yet."))]
    return [*_to_do(standing), *_to_wait_for(standing, at)] or [Task(_("Nothing is to be done."))]


def _to_do(standing: Standing) -> list[Task]:
    call, found = standing.call, []
    if n := standing.at(StepKind.ELIGIBILITY):
        says = ngettext("%(n)d file waits for the decision on eligibility.", "%(n)d files wait for the decision on eligibility.", n) % {
            "n": n
        }
        found.append(Task(says, _("Decide eligibility"), list_of(call, "step:eligibility")))
    if n := standing.unassigned:
        says = ngettext("%(n)d file has no reviewer yet.", "%(n)d files have no reviewer yet.", n) % {"n": n}
        found.append(Task(says, _("Assign reviewers"), reverse("manage:evenly", args=[call.code])))
    found += _places(standing)
    if n := standing.offers[OfferState.MADE]:
        says = ngettext("%(n)d offer waits for an answer.", "%(n)d offers wait for an answer.", n) % {"n": n}
        found.append(Task(says, _("See the offers"), reverse("manage:offers", args=[call.code])))
    return found


def _places(standing: Standing) -> list[Task]:
    call, run, n = standing.call, standing.run, standing.at(StepKind.ALLOCATION)
    board = reverse("manage:places", args=[call.code])
    if run and run.confirmed_at and not run.published_at:
        says = _("The allocation is confirmed. Results go out on %(moment)s.") % {"moment": moment(call.results_at, call.zone)}
        return [Task(says, _("Publish"), reverse("manage:publish", args=[call.code]))]
    if not n:
        return []
    says = ngettext("%(n)d reviewed file waits for a place.", "%(n)d reviewed files wait for a place.", n) % {"n": n}
    if run and run.confirmed_at:
        return [Task(f"{says} {_('They came after the confirmation and take no part.')}")]
    if not standing.has_places:
        return [Task(says, _("Set the places"), board)]
    if run is None:
        return [Task(says, _("Allocate the places"), board)]
    return [Task(f"{says} {_('An allocation is made and not yet confirmed.')}", _("Look at it and confirm"), board)]


def _to_wait_for(standing: Standing, at: datetime) -> list[Task]:
    call, found = standing.call, []
    if at < call.opens_at:
        found.append(Task(_("The call opens on %(moment)s.") % {"moment": moment(call.opens_at, call.zone)}))
    elif is_open(call, at):
        found.append(Task(_("Applications come in until %(moment)s.") % {"moment": moment(call.closes_at, call.zone)}))
    if n := standing.at(StepKind.NOMINATION):
        found.append(Task(ngettext("%(n)d file is with a nominating body.", "%(n)d files are with nominating bodies.", n) % {"n": n}))
    if n := standing.at(StepKind.REVIEW) - standing.unassigned:
        found.append(Task(ngettext("%(n)d file is with reviewers.", "%(n)d files are with reviewers.", n) % {"n": n}))
    return found
