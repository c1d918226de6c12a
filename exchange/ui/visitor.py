"""What a visitor has answered before having an account: kept in the session, carried into the application."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.http import HttpRequest

_KEPT = "visitor answers"


def remember_answers(request: HttpRequest, facts: Mapping[str, Any]) -> None:
    request.session[_KEPT] = {
        key: value if isinstance(value, int | bool) else str(value) for key, value in facts.items() if value not in (None, "")
    }


def known_answers(request: HttpRequest) -> dict[str, Any]:
    """The facts the visitor has given: ``citizenship``, ``level``, ``birth_date`` ..."""
    known = dict(request.session.get(_KEPT, {}))
    if isinstance(known.get("birth_date"), str):
        known["birth_date"] = date.fromisoformat(known["birth_date"])
    return known


def carried_answers(request: HttpRequest) -> dict[str, Any]:
    """The same as answers to questions: question key -> JSON value."""
    return {key: value.isoformat() if isinstance(value, date) else value for key, value in known_answers(request).items()}
