"""What every page knows: the site's name, the reader's menu, look and languages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from scholarships.people.models import Theme
from scholarships.people.rules import is_body_member, is_officer, is_reviewer


@dataclass(frozen=True)
class Link:
    """An entry of the menu; ``here`` is "page", "true" (below it) or empty."""

    name: str
    url: str
    here: str = ""


def menu_for(user: Any) -> list[tuple[str, str]]:
    """The main menu of USER: what each role comes for."""
    if not user.is_authenticated:
        return [
            (_("Open calls"), reverse("browse:calls")),
            (_("Programmes"), reverse("browse:programmes")),
            (_("My applications"), reverse("apply:mine")),
        ]
    entries = []
    if is_officer(user):
        entries += [
            (_("Applications"), reverse("manage:applications")),
            (_("Calls"), reverse("manage:calls")),
            (_("Outbox"), reverse("manage:outbox")),
        ]
    if is_body_member(user):
        entries += [(_("Nominations"), reverse("nominate:lists"))]
    if is_reviewer(user):
        entries += [(_("My reviews"), reverse("review:mine"))]
    if not entries:
        entries = [
            (_("Open calls"), reverse("browse:calls")),
            (_("My applications"), reverse("apply:mine")),
            (_("My documents"), reverse("apply:library")),
        ]
    return entries


def _menu(request: HttpRequest) -> list[Link]:
    entries = menu_for(request.user)
    below = max((url for _name, url in entries if request.path.startswith(url)), key=len, default="")
    return [Link(name, url, "page" if url == request.path else "true" if url == below else "") for name, url in entries]


def site(request: HttpRequest) -> dict[str, Any]:
    user = getattr(request, "user", None)
    theme = (user.theme if user is not None and user.is_authenticated else "") or request.COOKIES.get("theme", "")
    return {
        "SITE_NAME": settings.SITE_NAME,
        "IS_DEMO": settings.IS_DEMO,
        "OFFICE_EMAIL": settings.OFFICE_EMAIL,
        "MAIL_ALL_TO": settings.MAIL_ALL_TO,
        "menu": _menu(request) if user is not None else [],
        "dark_media": {Theme.DARK: "screen", Theme.LIGHT: "not all"}.get(theme, "screen and (prefers-color-scheme: dark)"),
    }
