"""Each route declares who may come in, with one decorator; a system check finds one that does not.

Fetching is permission: which object somebody sees is decided by ``visible_to`` in the view. The
guard says which kind of person a page is for at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core import checks
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, get_resolver

View = Callable[..., HttpResponse]

# Routes of others, each with the reason why it needs no declaration of ours.
DECLARED_ELSEWHERE = {
    "admin/": "Django's own admin: is_staff and model permissions",
    "accounts/": "allauth: each of its views carries its own decorators",
}


def open_to(*questions: Callable[[Any], bool]) -> Callable[[View], View]:
    """The page is for signed-in people of whom one of QUESTIONS is true; without any, for all who are signed in."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            if questions and not any(question(request.user) for question in questions):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        guarded.rule = questions or ("signed in",)  # type: ignore[attr-defined]
        return guarded

    return decorate


def open_to_everybody(view: View) -> View:
    """The page is public."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return view(request, *args, **kwargs)

    guarded.rule = ("everybody",)  # type: ignore[attr-defined]
    return guarded


def routes(resolver: URLResolver | None = None, prefix: str = "") -> Iterator[tuple[str, View]]:
    """Each route of the site: its pattern and its view."""
    for entry in (resolver or get_resolver()).url_patterns:
        pattern = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from routes(entry, pattern)
        elif isinstance(entry, URLPattern):
            yield pattern, entry.callback


def is_ours(view: View) -> bool:
    """Whether VIEW is a page of this site, and not one of allauth or of Django's admin."""
    return view.__module__.startswith("exchange.") and not view.__module__.endswith(".admin")


@checks.register("routes")
def each_route_declares_its_rule(**kwargs: Any) -> list[checks.CheckMessage]:
    return [
        checks.Error(
            f"The route “{pattern}” does not say who may come in.",
            hint="Decorate its view with open_to(...) or open_to_everybody.",
            id="exchange.E001",
        )
        for pattern, view in routes()
        if not hasattr(view, "rule")
        and (is_ours(view) or not pattern.startswith(tuple(DECLARED_ELSEWHERE)))
        and not (settings.DEBUG and pattern.startswith("^static/"))
    ]
