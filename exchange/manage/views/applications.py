"""The list of applications, and what is done with many at once."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods

from exchange.manage.bulk import MOST, DryRun, batches, chosen, named, try_eligible
from exchange.manage.listing import ORDER_NAMES, SIZES, VIEWS, asked, asked_by, page_for, rest_of, selects, world_of
from exchange.ui.errors import status_of
from exchange.ui.guards import open_to
from scholarships.applications import actions
from scholarships.calls.models import Call
from scholarships.people.rules import is_officer


@open_to(is_officer)
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """The officer's work begins with the list."""
    return redirect("manage:applications")


@open_to(is_officer)
@require_GET
def applications(request: HttpRequest) -> HttpResponse:
    """One list over all calls of the officer; the address holds query, filters, order and page."""
    world = world_of(request.user)
    wanted = asked(request.GET, world.vocabulary)
    page, rows = page_for(request.user, wanted, world, request.GET)
    context = {
        "wanted": wanted,
        "page": page,
        "rows": rows,
        "selects": selects(wanted, world),
        "rest": rest_of(wanted.query),
        "views": [(name, query, query == str(wanted.query)) for name, query in VIEWS],
        "orders": ORDER_NAMES.items(),
        "sizes": SIZES,
        "calls": list(world.calls.values()),
        "only_call": next((call for call in world.calls.values() if call.code == wanted.query.only("call")), None),
    }
    return render(request, "manage/applications.html", context)


@open_to(is_officer)
@require_http_methods(["GET", "POST"])
def bulk(request: HttpRequest) -> HttpResponse:
    """Whom an act fits, and whom not and why; it is done when it is confirmed here."""
    params = request.POST if request.method == "POST" else request.GET
    wanted = asked_by(request.user, params)
    selection = chosen(request.user, params)
    if not selection.applications or params.get("do") not in {"eligible", "reviewers", "write"}:
        messages.warning(request, _("Choose applications and what to do with them."))
        return redirect(reverse("manage:applications") + wanted.trail)
    if params.get("do") != "eligible":
        return _to_one_call(request, "evenly" if params["do"] == "reviewers" else "write")
    run = try_eligible(request.user, selection.applications)
    errors = None
    if request.method == "POST":
        done, errors = _mark_eligible(request, run)
        if errors is None:
            said = ngettext("%(n)d application is found eligible.", "%(n)d applications are found eligible.", done) % {"n": done}
            messages.success(request, said)
            if run.left_out:
                messages.warning(request, _("%(n)d changed meanwhile and were left out.") % {"n": len(run.left_out)})
            return redirect(reverse("manage:applications") + wanted.trail)
        selection = chosen(request.user, params)
        run = try_eligible(request.user, selection.applications)
    context = {"wanted": wanted, "run": run, "selection": selection, "errors": errors, "most": MOST}
    return render(request, "manage/bulk.html", context, status=status_of(errors))


def _mark_eligible(request: HttpRequest, run: DryRun) -> tuple[int, ValidationError | None]:
    """How many are done, and what stopped the rest."""
    done = 0
    for batch in batches(run.fits):
        try:
            actions.find_eligible(batch, by=request.user)
        except ValidationError as refused:
            return done, refused
        done += len(batch)
    return done, None


def _to_one_call(request: HttpRequest, page: str) -> HttpResponse:
    """The PAGE that goes on is one call's; where several were chosen, it is asked which first."""
    rows = named(request.user, request.GET).order_by()
    calls = Call.objects.filter(pk__in=rows.values("call")).order_by("code")
    targets = [(call, f"{reverse(f'manage:{page}', args=[call.code])}?{request.GET.urlencode()}") for call in calls]
    if len(targets) == 1:
        return redirect(targets[0][1])
    return render(request, "manage/bulk_calls.html", {"targets": targets, "is_letter": page == "write"})
