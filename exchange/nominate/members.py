"""The members of a body: who prepares, who decides, and until when."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from exchange.accounts.forms import new_account
from exchange.nominate import pages
from exchange.nominate.forms import MemberForm
from exchange.ui.errors import status_of
from exchange.ui.guards import open_to
from scholarships.nominations import members as actions
from scholarships.partners.models import Institution
from scholarships.people.models import User
from scholarships.people.rules import is_body_member


@open_to(is_body_member)
@require_http_methods(["GET", "POST"])
def members(request: HttpRequest, body: str) -> HttpResponse:
    """Everybody who acts for the body; those who decide add, change and end."""
    own = get_object_or_404(Institution.objects.filter(pk__in=[one.pk for one in pages.own_bodies(request.user)]), code=body)
    form, errors = MemberForm(), None
    if request.method == "POST":
        if not pages.decides(request.user, own):
            raise PermissionDenied
        try:
            if "end" in request.POST:
                leaving = get_object_or_404(actions.members_of(own), user__code=request.POST["end"])
                actions.end(leaving, by=request.user)
                messages.success(request, _("%(name)s no longer acts for you.") % {"name": leaving.user})
                return redirect("nominate:lists" if leaving.user == request.user else request.path)
            form = MemberForm(request.POST)
            if form.is_valid():
                _add(request, own, form)
                messages.success(
                    request, _("%(address)s acts for you now, and is told by e-mail.") % {"address": form.cleaned_data["email"]}
                )
                return redirect(request.path)
        except ValidationError as refused:
            if hasattr(refused, "error_dict"):
                form.accept_errors(refused)
            else:
                errors = refused
    context = {
        "body": own,
        "members": actions.members_of(own),
        "form": form,
        "errors": errors,
        "decides": pages.decides(request.user, own),
    }
    return render(request, "nominate/members.html", context, status=422 if form.errors else status_of(errors))


def _add(request: HttpRequest, own: Institution, form: MemberForm) -> None:
    data = form.cleaned_data
    email = data["email"].lower()
    user = User.objects.filter(email=email).first() or new_account(email)
    actions.add(own, user, decides=data["power"] == "decide", ends_on=data["ends_on"], by=request.user)
