"""What comes by mail and what stays in the inbox; and the address in a letter by which one leaves its kind."""

from __future__ import annotations

from django.contrib import messages as notes
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from exchange.inbox.forms import WishesForm
from exchange.inbox.kinds import name_of
from exchange.notifications.wishes import kinds_for, not_by_mail, read_token, set_wish
from exchange.ui.guards import open_to, open_to_everybody


@open_to()
@require_http_methods(["GET", "POST"])
def preferences(request: HttpRequest) -> HttpResponse:
    """Of each kind of letter that may be left out: by mail, or only in the inbox."""
    kinds, unwanted = kinds_for(request.user), not_by_mail(request.user)
    form = WishesForm(kinds, unwanted, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        for kind, by_mail in form.wishes.items():
            if by_mail != (kind not in unwanted):
                set_wish(request.user, kind, by_mail=by_mail)
        notes.success(request, _("Your preferences are saved."))
        return redirect("inbox:preferences")
    return render(request, "inbox/preferences.html", {"form": form, "kinds": kinds}, status=422 if form.errors else 200)


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
        set_wish(user, notice.kind, by_mail=False)
    return render(request, "inbox/unsubscribe.html", {"kind": name_of(notice.kind), "is_done": request.method == "POST"})
