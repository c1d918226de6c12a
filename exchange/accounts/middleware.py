"""Staff works behind a second factor; until it is set up every page leads there."""

from __future__ import annotations

from collections.abc import Callable

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from scholarships.people.rules import is_staff_of_any_kind


class SecondFactorForStaff:
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
