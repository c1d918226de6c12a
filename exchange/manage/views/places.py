"""Ranking and places: how many there are, who gets them and why, and from when it counts."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from exchange.manage import board
from exchange.manage.agenda import call_of, list_of
from exchange.manage.forms.places import PlacesForm
from exchange.ui.errors import status_of
from exchange.ui.guards import open_to
from exchange.ui.paging import page_number
from scholarships.allocations import actions
from scholarships.allocations.models import Result, Run, RunFile
from scholarships.calls.models import Call
from scholarships.calls.rules import ALONE, needs_second
from scholarships.offers import actions as offers
from scholarships.people.rules import is_officer
from scholarships.quotas.actions import award_quotas


@open_to(is_officer)
@require_http_methods(["GET", "POST"])
def places(request: HttpRequest, code: str) -> HttpResponse:
    """The places as numbers to set, and the ranking with the results of one allocation."""
    call = call_of(request, code)
    form = _form(request, call, request.POST or None)
    errors, is_asked = None, False
    if request.method == "POST" and form.is_valid():
        is_asked = form.adds_places() and _are_results_out(call) and "confirmed" not in request.POST
        if not is_asked:
            try:
                return _save(request, call, form)
            except ValidationError as refused:
                form.accept_errors(refused)
                errors = refused
    status = status_of(errors) if errors else 422 if form.errors else 200
    return render(request, "manage/places.html", {**_board(request, call, form), "is_asked": is_asked}, status=status)


def _form(request: HttpRequest, call: Call, data: Any = None) -> PlacesForm:
    """The boxes; those of many programmes only where they are asked for."""
    return PlacesForm(call, award_quotas(call), board.programme_names(call), data, has_all="programmes" in request.GET)


def _are_results_out(call: Call) -> bool:
    return Run.objects.published().filter(call=call).exists()


def _save(request: HttpRequest, call: Call, form: PlacesForm) -> HttpResponse:
    changed = actions.set_places(call, form.changed(), by=request.user, seen=request.POST.get("seen"))
    made = offers.promote_in(call, by=request.user) if changed else []
    if "run" in request.POST:
        return _allocate(request, call)
    if made:
        said = ngettext("Saved. %(n)d offer is made to the reserve list.", "Saved. %(n)d offers are made to the reserve list.", len(made))
        messages.success(request, said % {"n": len(made)})
    else:
        messages.success(request, ngettext("%(n)d number changed.", "%(n)d numbers changed.", changed) % {"n": changed})
    return redirect(request.get_full_path())


@open_to(is_officer)
@require_POST
def run(request: HttpRequest, code: str) -> HttpResponse:
    """Allocate the places; nothing else changes."""
    call = call_of(request, code)
    return _allocate(request, call)


def _allocate(request: HttpRequest, call: Call) -> HttpResponse:
    try:
        made = actions.allocate(call, by=request.user, key=request.POST.get("key") or None)
    except ValidationError as refused:
        if refused.code == "already_done":  # a second click: the first one made it
            return redirect("manage:places", code=call.code)
        form = _form(request, call)
        return render(request, "manage/places.html", {**_board(request, call, form), "errors": refused}, status=status_of(refused))
    said = ngettext("%(n)d place is given. Nobody is told yet.", "%(n)d places are given. Nobody is told yet.", made.awarded)
    messages.success(request, said % {"n": made.awarded})
    return redirect(f"{reverse('manage:places', args=[call.code])}?run={made.code}")


def _board(request: HttpRequest, call: Call, form: PlacesForm) -> dict[str, Any]:
    """What the board shows, in a constant number of queries."""
    runs = board.runs_of(call)
    shown = board.chosen_run(runs, request.GET.get("run", ""))
    result = request.GET.get("result", "")
    number = page_number(request.GET.get("page"))
    page, rows = board.placements_of(shown, result, number) if shown else board.merit_of(call, number)
    return {
        "call": call,
        "form": form,
        "matrix": board.matrix_of(call, form, shown),
        "runs": runs,
        "run": shown,
        "confirmed": next((one for one in runs if one.confirmed_at), None),
        "is_stale": shown is not None and shown.confirmed_at is None and actions.looks_stale(shown, form.quotas),
        "results": board.results_in(shown) if shown else {},
        "chips": board.CHIPS,
        "result": result,
        "page": page,
        "rows": rows,
        "under_way": board.still_under_way(call),
        "under_way_url": list_of(call, "step:nomination,eligibility,review"),
        "key": secrets.token_urlsafe(16),
    }


def _run_of(request: HttpRequest, code: str, run: str) -> Run:
    runs = Run.objects.visible_to(request.user).whole().select_related("call__scheme", "by", "confirmed_by")
    return get_object_or_404(runs, call__code=code, code=run)


@open_to(is_officer)
@require_http_methods(["GET", "POST"])
def confirm(request: HttpRequest, code: str, run: str) -> HttpResponse:
    """What the allocation gives and what follows, once more before it counts."""
    shown = _run_of(request, code, run)
    errors = None
    if request.method == "POST":
        try:
            actions.confirm(shown, by=request.user)
        except ValidationError as refused:
            errors = refused
        else:
            messages.success(request, _("The allocation is confirmed."))
            return redirect("manage:publish", code=code)
    page, rows = board.placements_of(shown, Result.PLACE, page_number(request.GET.get("page")))
    context = {
        "call": shown.call,
        "run": shown,
        "errors": errors,
        "lines": board.matrix_given(shown.call, shown, award_quotas(shown.call)),
        "results": board.results_in(shown),
        "is_stale": shown.confirmed_at is None and actions.looks_stale(shown),
        "unsettled": actions.unsettled(shown).count() if shown.confirmed_at else 0,
        "under_way": board.still_under_way(shown.call),
        "needs_second": shown.confirmed_at is None and needs_second(shown.candidates, shown.by_id, request.user.pk),
        "most": ALONE,
        "page": page,
        "rows": rows,
    }
    return render(request, "manage/confirm.html", context, status=status_of(errors))


@open_to(is_officer)
@require_GET
def file(request: HttpRequest, code: str, run: str, name: str) -> HttpResponse:
    """PROBLEM or RESULT, in the bytes that an auditor gets and whose digest the run carries."""
    found = RunFile.objects.filter(run=_run_of(request, code, run), name=name).first()
    if found is None:
        raise Http404
    answer = HttpResponse(found.content + "\n", content_type="application/json")
    answer["Content-Disposition"] = f'attachment; filename="{code}-{run}-{name}.json"'
    return answer


@open_to(is_officer)
@require_http_methods(["GET", "POST"])
def publish(request: HttpRequest, code: str) -> HttpResponse:
    """When the results go out, by the clock or at once."""
    call = call_of(request, code)
    shown = Run.objects.confirmed().filter(call=call).select_related("call__scheme", "by", "confirmed_by").first()
    errors, wait = None, timedelta(seconds=settings.UNDO_SECONDS)
    if request.method == "POST" and shown:
        try:
            made = offers.publish(shown, by=request.user, key=request.POST.get("key") or None, wait=wait)
        except ValidationError as refused:
            errors = refused
            call.refresh_from_db()
        else:
            shown.refresh_from_db(fields=["published_at"])
            if shown.published_at is None:
                messages.success(request, _("The results are on their way. You can still stop them."))
                return redirect("manage:publish", code=code)
            said = ngettext("The results are out: %(n)d offer is made.", "The results are out: %(n)d offers are made.", made)
            messages.success(request, said % {"n": made})
            return redirect("manage:offers", code=code)
    context = {
        "call": call,
        "run": shown,
        "errors": errors,
        "results": board.results_in(shown) if shown else {},
        "withdrawn": board.withdrawn_from(shown) if shown else 0,
        "is_due": timezone.now() >= call.results_at,
        "is_soon": timezone.now() < call.results_at <= timezone.now() + wait,
        "undo_minutes": round(settings.UNDO_SECONDS / 60),
        "key": secrets.token_urlsafe(16),
    }
    return render(request, "manage/publish.html", context, status=status_of(errors))
