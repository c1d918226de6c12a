"""Error pages of our own, and the HTTP status of a refusal."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import get_template
from django.views.decorators.csrf import requires_csrf_token

CONFLICTS = {"wrong_state", "changed_meanwhile", "already_done"}


def status_of(errors: ValidationError | None) -> int:
    """200 without errors, 409 where somebody was quicker, else 422."""
    if errors is None:
        return 200
    codes = {error.code for error in errors.error_list} if hasattr(errors, "error_list") else set()
    return 409 if codes & CONFLICTS else 422


@requires_csrf_token
def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return render(request, "errors/403.html", status=403)


@requires_csrf_token
def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return render(request, "errors/404.html", status=404)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return render(request, "errors/400.html", status=400)


def server_error(request: HttpRequest) -> HttpResponse:
    """Rendered without context processors: whatever broke must not break this page too."""
    return HttpResponse(get_template("errors/500.html").render({"SITE_NAME": settings.SITE_NAME}), status=500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form was open too long or cookies are off: what was typed is still there after going back."""
    return render(request, "errors/csrf.html", status=403)


def conflict(request: HttpRequest, errors: ValidationError, **context: Any) -> HttpResponse:
    """409: somebody else has changed this meanwhile."""
    return render(request, "errors/409.html", {"errors": errors.messages, **context}, status=409)
