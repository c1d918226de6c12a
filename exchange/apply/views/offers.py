"""The offer: what it is, why, and the answer, shown once more before it counts."""

from __future__ import annotations

import secrets

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from exchange.apply.forms import AnswerForm
from exchange.apply.pages import own
from exchange.ui.errors import status_of
from exchange.ui.guards import open_to
from exchange.ui.reasons import explained
from scholarships.allocations.models import Placement
from scholarships.applications.lifecycle import face
from scholarships.applications.models import Application
from scholarships.offers import actions
from scholarships.offers.models import Offer, OfferState


@open_to()
@require_http_methods(["GET", "POST"])
def result(request: HttpRequest, code: str) -> HttpResponse:
    """The result with its reasons; an offer asks for an answer, in two steps."""
    application = own(request, code)
    now = timezone.now()
    shown = face(application, at=now)
    if shown.key not in {"offered", "accepted", "declined", "lapsed", "reserve", "not_selected", "ineligible"}:
        return redirect("apply:status", code=code)
    offer = Offer.objects.filter(application=application).select_related("programme__host", "run").order_by("-pk").first()
    form = AnswerForm(request.POST or None)
    errors = None
    if request.method == "POST":
        if offer is None:
            raise Http404
        if form.is_valid():
            if "confirmed" not in request.POST:
                return _once_more(request, application, offer, form.cleaned_data["answer"])
            try:
                return _answer(request, offer, form.cleaned_data["answer"])
            except ValidationError as refused:
                errors = refused
                offer.refresh_from_db()
    placement = (
        Placement.objects.filter(application=application, run__confirmed_at__isnull=False).select_related("run", "programme").first()
    )
    context = {
        "application": application,
        "call": application.call,
        "face": shown,
        "offer": offer,
        "form": form if offer and offer.state == OfferState.MADE else None,
        "errors": errors,
        "stipend": application.call.scheme.stipends.filter(level=application.level).first(),
        "coverage": application.call.scheme.coverage.filter(is_paid=True),
        "why": explained(placement) if placement and now >= application.call.results_at else None,
    }
    return render(request, "apply/result.html", context, status=status_of(errors) if errors else 422 if form.errors else 200)


def _once_more(request: HttpRequest, application: Application, offer: Offer, answer: str) -> HttpResponse:
    context = {"application": application, "call": application.call, "offer": offer, "answer": answer, "key": secrets.token_urlsafe(16)}
    return render(request, "apply/answer.html", context)


def _answer(request: HttpRequest, offer: Offer, answer: str) -> HttpResponse:
    key = request.POST.get("key") or None
    if answer == "accept":
        actions.accept(offer, by=request.user, key=key)
        messages.success(request, _("You have accepted. The place is yours."))
    else:
        actions.decline(offer, by=request.user, key=key)
        messages.success(request, _("You have declined. Thank you for telling us: the place goes to the next person."))
    return redirect("apply:result", code=offer.application.code)
