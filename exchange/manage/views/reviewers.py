"""Reviewers: of one application by hand, of many evenly."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from exchange.manage.bulk import MOST, Proposal, plan_batches, propose
from exchange.manage.desk import candidates_for
from exchange.manage.forms.applications import ReviewersForm
from exchange.manage.listing import asked_by
from exchange.manage.record import plain, record_of, review_lines, reviews_of
from exchange.ui.errors import status_of
from exchange.ui.guards import open_to
from scholarships.applications import lifecycle
from scholarships.applications.models import Application
from scholarships.calls.form import form_of
from scholarships.calls.models import Call
from scholarships.people.rules import is_officer
from scholarships.reviews import actions
from scholarships.reviews.models import OPEN, Assignment


@open_to(is_officer)
@require_http_methods(["GET", "POST"])
def reviewers(request: HttpRequest, code: str) -> HttpResponse:
    """Who reviews this application; give it to more, take it back, or close the review."""
    application = record_of(request, code)
    errors = None
    if request.method == "POST":
        try:
            messages.success(request, _act(request, application))
            return redirect(request.get_full_path())
        except ValidationError as refused:
            errors = refused
            application = record_of(request, code)
    found = reviews_of(application)
    possible = lifecycle.open_to(request.user, application)
    context = {
        "application": application,
        "call": application.call,
        "wanted": asked_by(request.user, request.GET),
        "errors": errors,
        "rows": list(zip(review_lines(found, form_of(application.version)), found.assignments, strict=True)),
        "open": OPEN,
        "candidates": candidates_for(application, found.assignments),
        "picked": request.POST.getlist("reviewers"),
        "is_at_review": "review" in possible or "close_review" in possible,
        "may_close": "close_review" in possible and bool(found.done),
        "done": len(found.done),
    }
    return render(request, "manage/reviewers.html", context, status=status_of(errors))


def _act(request: HttpRequest, application: Application) -> str:
    """Do what the page asks; gives the sentence about it."""
    match request.POST.get("do"):
        case "take_back":
            rows = Assignment.objects.filter(application=application).select_related("call", "application", "reviewer")
            row = get_object_or_404(rows, code=plain(request.POST.get("assignment", "")))
            actions.take_back(row, by=request.user)
            return _("The file is taken back from %(name)s.") % {"name": row.reviewer}
        case "close":
            actions.close_review(application, by=request.user)
            return _("The review is closed. The application goes on to the next step.")
    able = {one.reviewer.code: one.reviewer for one in candidates_for(application, reviews_of(application).assignments) if not one.why_not}
    form = ReviewersForm(able, request.POST)
    if not form.is_valid():
        raise ValidationError(form.errors.as_data()["reviewers"])
    pairs = [(application, able[code]) for code in form.cleaned_data["reviewers"]]
    count = actions.assign(application.call, pairs, by=request.user)
    return ngettext("Given to %(n)d reviewer.", "Given to %(n)d reviewers.", count) % {"n": count}


@open_to(is_officer)
@require_http_methods(["GET", "POST"])
def evenly(request: HttpRequest, code: str) -> HttpResponse:
    """A proposal who reviews what, for the whole call or what was chosen; only what is shown here can be confirmed."""
    call = get_object_or_404(Call.objects.run_by(request.user).filter(version__isnull=False).select_related("version"), code=code)
    params = request.POST if request.method == "POST" else request.GET
    proposal = propose(request.user, call, params)
    errors = None
    if request.method == "POST":
        try:
            files = _hand_out(call, proposal, mark=request.POST.get("mark", ""), by=request.user)
        except ValidationError as refused:
            errors = refused
            proposal = propose(request.user, call, params)
        else:
            messages.success(
                request, ngettext("%(n)d file is given to reviewers.", "%(n)d files are given to reviewers.", files) % {"n": files}
            )
            return redirect(f"{reverse('manage:applications')}?q=call:{call.code}+with:reviewers")
    context = {
        "call": call,
        "proposal": proposal,
        "errors": errors,
        "most": MOST,
        "codes": " ".join(application.code for application in proposal.applications),
        "wanted": asked_by(request.user, params),
    }
    return render(request, "manage/evenly.html", context, status=status_of(errors))


def _hand_out(call: Call, proposal: Proposal, *, mark: str, by: Any) -> int:
    """Assign what was proposed, if it is what was shown; gives how many files."""
    if mark != proposal.mark:
        raise ValidationError(_("Something has changed since this was proposed. Look at the new proposal."), code="changed_meanwhile")
    for pairs in plan_batches(proposal.plan):
        actions.assign(call, pairs, by=by)
    return proposal.files
