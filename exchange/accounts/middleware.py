"""Staff works behind a second factor; and a form of allauth that is refused says so in its status."""

from __future__ import annotations

from collections.abc import Callable

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse

from scholarships.people.rules import is_staff_of_any_kind


class SecondFactorForStaff:
    """Until it is set up every page leads staff there."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if (
            settings.SECOND_FACTOR_FOR_STAFF
            and request.user.is_authenticated
            and not request.path.startswith("/accounts/")
            and not request.path.startswith("/static/")
        ):
            user = request.user
            if (user.is_staff or is_staff_of_any_kind(user)) and not is_mfa_enabled(user):
                return redirect(reverse("mfa_activate_totp"))
        return self.get_response(request)


class RefusedForms:
    """allauth answers 200 to a form that it refuses: here that is 422, and 429 with the page for it where somebody tries too often."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_template_response(self, request: HttpRequest, response: TemplateResponse) -> TemplateResponse:
        form = (response.context_data or {}).get("form")
        if request.path.startswith("/accounts/") and response.status_code == 200 and form is not None and form.is_bound and form.errors:
            codes = {error.code for errors in form.errors.as_data().values() for error in errors}
            response.status_code = 429 if "too_many_login_attempts" in codes else 422
            if response.status_code == 429:
                response.template_name = "errors/429.html"
        return response
