"""The offer: what it is, why, and the answer, shown once more before it counts."""

from __future__ import annotations

import secrets

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from exchange.apply.forms import AnswerForm
from exchange.apply.pages import key_of, own, refuse
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
        return redirect("apply:status", code=code) if request.method == "GET" else refuse(request, application, _nothing_to_answer())
    offer = Offer.objects.filter(application=application).select_related("programme__host", "run").order_by("-pk").first()
    if request.method == "POST" and offer is None:
        return refuse(request, application, _nothing_to_answer())
    form = AnswerForm(request.POST if request.method == "POST" else None)
    errors = None
    if offer is not None and form.is_valid():
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
        "form": form if offer and offer.state == OfferState.MADE and now <= offer.answer_by else None,
        "errors": errors,
        "stipend": application.call.scheme.stipends.filter(level=application.level).first(),
        "coverage": application.call.scheme.coverage.filter(is_paid=True),
        "why": explained(placement) if placement and now >= application.call.results_at else None,
    }
    return render(request, "apply/result.html", context, status=status_of(errors) if errors else 422 if form.errors else 200)


def _nothing_to_answer() -> ValidationError:
    return ValidationError(_("There is no offer that waits for your answer."), code="not_open")


def _once_more(request: HttpRequest, application: Application, offer: Offer, answer: str) -> HttpResponse:
    context = {"application": application, "call": application.call, "offer": offer, "answer": answer, "key": secrets.token_urlsafe(16)}
    return render(request, "apply/answer.html", context)


def _answer(request: HttpRequest, offer: Offer, answer: str) -> HttpResponse:
    key = key_of(request)
    if answer == "accept":
        actions.accept(offer, by=request.user, key=key)
        messages.success(request, _("You have accepted. The place is yours."))
    else:
        actions.decline(offer, by=request.user, key=key)
        messages.success(request, _("You have declined. Thank you for telling us: the place goes to the next person."))
    return redirect("apply:result", code=offer.application.code)
