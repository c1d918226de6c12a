"""The yellow bar of the demo: whom one can be, and whom one is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from scholarships.people.rules import is_body_member, is_officer, is_reviewer


@dataclass(frozen=True)
class Face:
    role: str
    label: str


def bar(request: HttpRequest) -> dict[str, Any]:
    match = request.resolver_match
    return {
        "demo_people": [
            Face("student", _("student")),
            Face("ministry", _("ministry")),
            Face("reviewer", _("reviewer")),
            Face("officer", _("officer")),
        ],
        "demo_as": _role_of(getattr(request, "user", None)),
        "demo_file": str(match.kwargs.get("code", "")) if match and match.namespace in {"apply", "nominate", "review", "manage"} else "",
    }


def _role_of(user: Any) -> str:
    if user is None or not user.is_authenticated:
        return ""
    for role, question in (("officer", is_officer), ("ministry", is_body_member), ("reviewer", is_reviewer)):
        if question(user):
            return role
    return "student"
