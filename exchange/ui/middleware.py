"""Language of the reader; nothing of a signed-in person stays in a cache."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.cache import patch_vary_headers

Answer = Callable[[HttpRequest], HttpResponse]


class LanguageOfTheReader:
    """The language of the account, else of this device (cookie), else of the browser."""

    def __init__(self, get_response: Answer):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        language = (request.user.is_authenticated and request.user.language) or translation.get_language_from_request(request)
        with translation.override(language):
            request.LANGUAGE_CODE = language  # type: ignore[attr-defined]
            response = self.get_response(request)
        if not response.has_header("Content-Language"):
            response["Content-Language"] = language
        patch_vary_headers(response, ("Accept-Language", "Cookie"))
        return response


class NothingStored:
    """What a signed-in person was shown is not kept by browsers and proxies."""

    def __init__(self, get_response: Answer):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.user.is_authenticated and not request.path.startswith(f"/{settings.STATIC_URL.strip('/')}/"):
            response["Cache-Control"] = "no-store"
        return response
