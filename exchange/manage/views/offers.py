"""Offers: who has answered, who is next, and letting one lapse."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from exchange.manage import offered
from exchange.manage.agenda import call_of
from exchange.manage.board import still_under_way
from exchange.ui.errors import status_of
from exchange.ui.guards import open_to
from exchange.ui.paging import page_number
from exchange.ui.reasons import names_in, pool_name
from scholarships.allocations.models import Run
from scholarships.offers import actions
from scholarships.offers.models import Offer, OfferState
from scholarships.people.rules import is_officer


@open_to(is_officer)
@require_GET
def offers(request: HttpRequest, code: str) -> HttpResponse:
    """The offers of a call, the reserve list in its order, and what became of freed places."""
    call = call_of(request, code)
    run = Run.objects.confirmed().filter(call=call).select_related("call").first()
    state = request.GET.get("state", "")
    page, lines = offered.lines_of(call, state, page_number(request.GET.get("page")))
    waiting_page, waiting = offered.reserve_of(run, page_number(request.GET.get("reserve"))) if run else (None, [])
    counts = offered.counts_of(call)
    context = {
        "call": call,
        "run": run,
        "counts": counts,
        "total": sum(counts.values()),
        "chips": OfferState.choices,
        "state": state,
        "page": page,
        "lines": lines,
        "waiting_page": waiting_page,
        "waiting": waiting,
        "turns": offered.turns_of(call),
        "under_way": still_under_way(call),
    }
    return render(request, "manage/offers.html", context)


@open_to(is_officer)
@require_http_methods(["GET", "POST"])
def lapse(request: HttpRequest, code: str, offer: str) -> HttpResponse:
    """What follows when an unanswered offer lapses, once more before it does."""
    call = call_of(request, code)
    rows = Offer.objects.visible_to(request.user).select_related(
        "application__call", "application__version", "programme__host", "run__call"
    )
    found = get_object_or_404(rows, application__call=call, code=offer)
    errors = None
    if request.method == "POST":
        try:
            made = actions.lapse(found, by=request.user)
        except ValidationError as refused:
            errors = refused
            found.refresh_from_db()
        else:
            messages.success(request, _said(made))
            return redirect("manage:offers", code=code)
    pools = [offered.pool_key(quota) for quota in actions.held_by(found)]
    names = names_in([], pools)
    context = {
        "call": call,
        "offer": found,
        "errors": errors,
        "is_open": found.state == OfferState.MADE,
        "pools": [pool_name(pool, names) for pool in pools],
    }
    return render(request, "manage/offers_lapse.html", context, status=status_of(errors))


def _said(made: list[Offer]) -> str:
    if not made:
        return _("The offer has lapsed. Nobody on the reserve list fits the freed place now.")
    names = ", ".join(f"{offer.application.name or offer.application.code} ({offer.programme})" for offer in made)
    return _("The offer has lapsed. The place is offered to the next who fits: %(names)s.") % {"names": names}
