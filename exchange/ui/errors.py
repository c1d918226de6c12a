"""Error pages of our own, and the HTTP status of a refusal."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import get_template
from django.views.decorators.csrf import requires_csrf_token

QUICKER = {"wrong_state", "changed_meanwhile", "already_done"}
CONFLICTS = QUICKER | {"closed", "not_open", "too_late", "in_use"}


def status_of(errors: ValidationError | None) -> int:
    """200 without errors, 409 where it is the wrong moment or somebody was quicker, else 422."""
    if errors is None:
        return 200
    return 409 if _codes(errors) & CONFLICTS else 422


def _codes(errors: ValidationError) -> set[str | None]:
    return {error.code for error in errors.error_list} if hasattr(errors, "error_list") else set()


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
    """409: it is not possible now, or somebody else has changed this meanwhile. ``back``: where one sees how things are."""
    was_quicker = bool(_codes(errors) & QUICKER)
    return render(request, "errors/409.html", {"errors": errors.messages, "was_quicker": was_quicker, **context}, status=409)
