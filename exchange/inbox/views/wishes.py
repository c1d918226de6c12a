"""What comes by mail, at once or in the daily letter, and what stays in the inbox; and the address in a letter by which one leaves its kind."""

from __future__ import annotations

from django.contrib import messages as notes
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from exchange.inbox.forms import WishesForm
from exchange.inbox.kinds import name_of
from exchange.notifications.digests import AT
from exchange.notifications.models import Way
from exchange.notifications.wishes import kinds_for, read_token, set_wish, wishes_of
from exchange.ui.guards import open_to, open_to_everybody
from exchange.ui.templatetags.ui import reader_zone
from scholarships.partners.zones import city_of


@open_to()
@require_http_methods(["GET", "POST"])
def preferences(request: HttpRequest) -> HttpResponse:
    """Of each kind of letter that gives a choice: by mail at once, in the daily letter, or only in the inbox."""
    kinds, wishes = kinds_for(request.user), wishes_of(request.user)
    form = WishesForm(kinds, wishes, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        for kind, way in form.wishes.items():
            if way != wishes.get(kind, Way.MAIL):
                set_wish(request.user, kind, way)
        notes.success(request, _("Your preferences are saved."))
        return redirect("inbox:preferences")
    context = {
        "form": form,
        "kinds": kinds,
        "has_daily": any(notice.may_bundle for notice in kinds),
        "hour": f"{AT:%H:%M} {city_of(reader_zone(request.user) or 'UTC')}",
    }
    return render(request, "inbox/preferences.html", context, status=422 if form.errors else 200)


@csrf_exempt  # mail programs send it, with nothing but the signed token
@open_to_everybody
@require_http_methods(["GET", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """No more mail of the kind of one letter: in one click of a mail program, or by the button of this page."""
    try:
        user, notice = read_token(token)
    except LookupError:
        raise Http404 from None
    if request.method == "POST":
        set_wish(user, notice.kind, Way.INBOX)
    return render(request, "inbox/unsubscribe.html", {"kind": name_of(notice.kind), "is_done": request.method == "POST"})
