"""The same page sent twice acts once."""

from __future__ import annotations

from collections.abc import Callable

from django.core.exceptions import ValidationError

from scholarships.applications import rules
from scholarships.applications.models import Application
from scholarships.events.models import Event


def event_key(application: Application, key: str | None) -> str | None:
    return f"{application.code}:{key}"[:120] if key else None


def once(application: Application, key: str | None, act: Callable[[], Application]) -> Application:
    """What ACT gives; where the same page was sent twice, be it at this very moment, the application as it is.

    The event's unique key lets only one of them through.
    """
    try:
        return act()
    except ValidationError:
        if not _is_done(application, key):
            raise
    application.refresh_from_db()
    rules.forget_stage(application)
    return application


def _is_done(application: Application, key: str | None) -> bool:
    return key is not None and Event.objects.filter(key=event_key(application, key)).exists()
