"""Home of each role, first sign-in, profile, language."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from exchange.accounts.first_officer import is_good
from exchange.accounts.forms import ProfileForm, WelcomeForm
from exchange.ui.context import menu_for
from exchange.ui.guards import open_to, open_to_everybody
from exchange.ui.visitor import known_answers
from scholarships.people import actions
from scholarships.people.models import Profile, Role
from scholarships.people.rules import is_staff_of_any_kind


def safe_next(request: HttpRequest, fallback: str) -> str:
    """The page to go on to, if it is one of ours."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    return (
        wanted
        if url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure())
        else fallback
    )


@open_to()
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Where a person goes after signing in: first to the three questions, then to what the role comes for."""
    if not request.user.name:
        return redirect("accounts:welcome")
    return redirect(menu_for(request.user)[0][1] if is_staff_of_any_kind(request.user) else "apply:mine")


@open_to()
@require_http_methods(["GET", "POST"])
def welcome(request: HttpRequest) -> HttpResponse:
    """Name, country and language: all that is asked."""
    citizenship = request.GET.get("citizenship") or known_answers(request).get("citizenship", "")
    initial = {"language": request.LANGUAGE_CODE, "citizenship": citizenship}
    form = WelcomeForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_valid():
        actions.settle(
            request.user,
            name=form.cleaned_data["name"],
            citizenship=form.cleaned_data["citizenship"],
            language=form.cleaned_data["language"],
        )
        return HttpResponseRedirect(safe_next(request, reverse("accounts:home")))
    return render(request, "account/welcome.html", {"form": form, "next": safe_next(request, "")}, status=422 if form.errors else 200)


@open_to()
@require_http_methods(["GET", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    known = Profile.objects.filter(user=request.user).first()
    initial = {
        "name": request.user.name,
        "language": request.user.language or request.LANGUAGE_CODE,
        "zone": request.user.zone,
        "citizenship": known.citizenship_id if known else "",
        "name_own_script": known.name_own_script if known else "",
    }
    form = ProfileForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_valid():
        actions.settle(request.user, **form.cleaned_data)
        messages.success(request, _("Your profile is saved."))
        return redirect("accounts:profile")
    return render(request, "account/profile.html", {"form": form}, status=422 if form.errors else 200)


@open_to_everybody
@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Switch the language of this device, and of the account where there is one."""
    chosen = request.POST.get("language", "")
    response = HttpResponseRedirect(safe_next(request, "/"))
    if chosen in dict(settings.LANGUAGES):
        response.set_cookie(settings.LANGUAGE_COOKIE_NAME, chosen, max_age=365 * 24 * 3600, samesite="Lax", secure=settings.IS_PRODUCTION)
        if request.user.is_authenticated:
            request.user.language = chosen
            request.user.save(update_fields=["language"])
    return response


@open_to_everybody
@require_http_methods(["GET", "POST"])
def first_officer(request: HttpRequest, token: str) -> HttpResponse:
    """On a fresh site: whoever holds the link from the console and signs in becomes the first officer."""
    if not is_good(token):
        raise Http404
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    if request.method == "POST":
        actions.give_role(request.user, Role.OFFICER, by=request.user)
        request.user.is_staff = True
        request.user.is_superuser = True
        request.user.save(update_fields=["is_staff", "is_superuser"])
        messages.success(request, _("You are the first officer of this site."))
        return redirect("accounts:home")
    response = render(request, "account/first_officer.html")
    response["Referrer-Policy"] = "no-referrer"  # the address itself is the key
    return response
