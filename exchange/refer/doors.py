"""A page whose address holds the key. Nothing of it goes on: no referrer, no cache, no log (see ``exchange.logs``)."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.views.decorators.csrf import csrf_exempt

from exchange.ui.guards import open_to_everybody
from scholarships.references.links import read_key
from scholarships.references.models import Link

Page = Callable[..., HttpResponse]


def with_key(*purposes: str) -> Callable[[Page], Page]:
    """The page gets the Link of the key in its address; a key that opens nothing, whatever the reason, gets the same 404.

    The key is its own proof that the form came from this site: a browser that is told to send no referrer sends no
    origin either, so that Django's own check would refuse every form of these pages.
    """

    def decorate(view: Page) -> Page:
        @csrf_exempt
        @open_to_everybody
        @wraps(view)
        def guarded(request: HttpRequest, key: str, **kwargs: Any) -> HttpResponse:
            try:
                link = read_key(key, *purposes)
            except LookupError:
                return sealed(render(request, "refer/closed.html", status=404))
            language = _language(request, link)
            with translation.override(language):
                request.LANGUAGE_CODE = language  # type: ignore[attr-defined]
                response = sealed(view(request, link, key, **kwargs))
            response["Content-Language"] = language
            if request.GET.get("language") == language:
                response.set_cookie(settings.LANGUAGE_COOKIE_NAME, language, max_age=365 * 24 * 3600, samesite="Lax")
            return response

        return guarded

    return decorate


def sealed(response: HttpResponse) -> HttpResponse:
    response["Referrer-Policy"] = "no-referrer"
    response["Cache-Control"] = "no-store"
    response["X-Robots-Tag"] = "noindex"
    return response


def _language(request: HttpRequest, link: Link) -> str:
    """The language that the reader chose on this device, else that of the mail."""
    known = dict(settings.LANGUAGES)
    for said in (request.GET.get("language"), request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME), link.language):
        if said in known:
            return str(said)
    return settings.LANGUAGE_CODE
