"""The nominating bodies of a call: which lists are there, which are late, and acting for one."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from exchange.manage.agenda import call_of
from exchange.ui.errors import status_of
from exchange.ui.guards import open_to
from scholarships.nominations import overview
from scholarships.partners.models import Institution
from scholarships.people.rules import is_officer, is_site_officer


@open_to(is_officer)
@require_http_methods(["GET", "POST"])
def bodies(request: HttpRequest, code: str) -> HttpResponse:
    """Each body with its files and its list; an officer of the site may act for one, and says why."""
    call, errors, now = call_of(request, code), None, timezone.now()
    if request.method == "POST":
        body = get_object_or_404(Institution, code=request.POST.get("body", ""))
        try:
            membership = overview.stand_in(call, body, reason=request.POST.get("reason", ""), by=request.user)
        except ValidationError as refused:
            errors = refused
        else:
            said = _("You act for %(body)s until %(day)s. Everything you do is logged with your name.")
            messages.success(request, said % {"body": body, "day": membership.ends_on})
            return redirect("nominate:list", call.code, body.code)
    context = {
        "call": call,
        "rows": [(row, row.is_late(now)) for row in overview.bodies_of(call)],
        "errors": errors,
        "reasons": overview.REASONS.items(),
        "may_stand_in": is_site_officer(request.user),
        "days": overview.DAYS,
    }
    return render(request, "manage/bodies.html", context, status=status_of(errors))
