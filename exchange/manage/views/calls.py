"""The calls an officer runs: where each stands, what is next, and its dates."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from exchange.manage.agenda import calendar_of, call_of, phase_of, standing_of, states_of, stops_of, tallies, tasks_of
from exchange.manage.forms.calls import DatesForm
from exchange.ui.errors import status_of
from exchange.ui.guards import open_to
from scholarships.allocations.models import Run
from scholarships.applications.models import State
from scholarships.calls import actions
from scholarships.calls.models import Call
from scholarships.people.rules import is_officer

DAYS = 14


@open_to(is_officer)
@require_GET
def calls(request: HttpRequest) -> HttpResponse:
    """Every call of the reader, with how many applications are in each state."""
    now = timezone.now()
    found = list(Call.objects.run_by(request.user).order_by("-closes_at", "code"))
    states = states_of(found)
    published = set(Run.objects.published().filter(call__in=found).values_list("call", flat=True))
    rows = [
        {
            "call": call,
            "phase": phase_of(call, call.pk in published, now),
            "tallies": tallies(call, states[call.pk]),
            "handed_in": sum(states[call.pk].values()) - states[call.pk][State.DRAFT],
        }
        for call in found
    ]
    return render(request, "manage/calls.html", {"rows": rows})


@open_to(is_officer)
@require_GET
def call(request: HttpRequest, code: str) -> HttpResponse:
    """One call: what is next, where its applications are, its dates."""
    found = call_of(request, code)
    now, standing = timezone.now(), standing_of(found)
    tasks = tasks_of(standing, now)
    context = {
        "call": found,
        "phase": phase_of(found, standing.run is not None and standing.run.published_at is not None, now),
        "first": tasks[0],
        "others": tasks[1:],
        "stops": stops_of(standing),
        "tallies": tallies(found, standing.states),
        "run": standing.run,
        "offers": sum(standing.offers.values()),
        "calendar": calendar_of(found, now),
        "programmes": found.programmes.count(),
        "quick": _quick_of(found, now),
    }
    return render(request, "manage/call.html", context)


@dataclass(frozen=True)
class Quick:
    """One act on the dates of a call: its button, what it is for, what it does, and the dates it leads to."""

    key: str
    button: str | Promise
    says: str | Promise
    act: Callable[..., Any]
    leads_to: Callable[[Call, datetime], dict[str, datetime]]


def _open(call: Call, **who: Any) -> Call:
    return actions.open_for(call, DAYS, **who)


QUICK = (
    Quick(
        "close",
        gettext_lazy("Close now"),
        gettext_lazy(
            "Nobody can start, change or hand in any more, from this minute on and without grace. What is not handed in stays a draft."
        ),
        actions.close_now,
        lambda call, now: {"closes_at": min(call.closes_at, now)},
    ),
    Quick(
        "open",
        gettext_lazy("Open for 14 days"),
        gettext_lazy("Applications come in again from this minute on. The results come no earlier than the call closes."),
        _open,
        lambda call, now: {
            "opens_at": min(call.opens_at, now),
            "closes_at": now + timedelta(days=DAYS),
            "results_at": max(call.results_at, now + timedelta(days=DAYS)),
        },
    ),
)


def _quick_of(call: Call, now: datetime) -> list[Quick]:
    """The acts that would change something."""
    return [quick for quick in QUICK if any(getattr(call, name) != at for name, at in quick.leads_to(call, now).items())]


@open_to(is_officer)
@require_http_methods(["GET", "POST"])
def dates(request: HttpRequest, code: str) -> HttpResponse:
    """Move the dates of a call, or do one of the quick acts, which are shown once more first."""
    found = call_of(request, code)
    act = request.POST.get("act", "")
    if act == "publish":
        return redirect("manage:publish", code=code)
    quick = next((quick for quick in QUICK if quick.key == act), None)
    if quick and "confirmed" not in request.POST:
        return render(request, "manage/dates_confirm.html", _once_more(found, quick))
    form = DatesForm(found, request.POST if act == "move" else None)
    errors = None
    if quick or (act == "move" and form.is_valid()):
        try:
            key = request.POST.get("key") or None
            if quick:
                quick.act(found, by=request.user, key=key)
            elif moved := form.moved():
                actions.move_dates(found, by=request.user, seen=request.POST.get("seen"), key=key, **moved)
        except ValidationError as refused:
            errors = refused
        if errors is None or errors.code == "already_done":  # a second click: the first one counts
            messages.success(request, _("The dates are moved. Everybody sees them at once."))
            return redirect("manage:call", code=code)
    context = {
        "call": found,
        "form": form,
        "errors": errors,
        "quick": _quick_of(found, timezone.now()),
        "are_out": actions.are_results_out(found),
        "now": timezone.now(),
        "seen": actions.edition(found),
        "key": secrets.token_urlsafe(16),
    }
    return render(request, "manage/dates.html", context, status=status_of(errors) if errors else 422 if form.errors else 200)


def _once_more(call: Call, quick: Quick) -> dict[str, Any]:
    """What the act would do to the dates, and to drafts."""
    to = quick.leads_to(call, timezone.now())
    names = {"opens_at": _("Opens"), "closes_at": _("Closes"), "results_at": _("Results")}
    return {
        "call": call,
        "quick": quick,
        "rows": [(label, getattr(call, name), to.get(name, getattr(call, name))) for name, label in names.items()],
        "drafts": states_of([call])[call.pk][State.DRAFT] if quick.key == "close" else 0,
        "key": secrets.token_urlsafe(16),
    }
