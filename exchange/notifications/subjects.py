"""What a letter needs to know about what it is about: read fresh when it is written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.urls import reverse

from exchange.notifications.models import Message
from scholarships.applications.models import Application
from scholarships.people.models import User


def context_of(message: Message) -> dict[str, Any]:
    """The context of the templates of MESSAGE: ``recipient``, ``link`` and the subject under its name.

    Raises:
        LookupError: what it is about is gone.
    """
    try:
        about = _ABOUT[message.event.subject_kind]
    except KeyError:
        raise LookupError(f"no letter tells of a “{message.event.subject_kind}”") from None
    return {"message": message, "event": message.event, "recipient": message.user, **about(message)}


def _application(message: Message) -> dict[str, Any]:
    application = (
        Application.objects.select_related("call", "applicant", "revision", "first_choice__host", "country")
        .filter(code=message.event.subject_key)
        .first()
    )
    if application is None:
        raise LookupError("the application is gone")
    return {"application": application, "call": application.call, "link": reverse("apply:status", args=[application.code])}


def _person(message: Message) -> dict[str, Any]:
    person = User.objects.filter(code=message.event.subject_key).first()
    if person is None:
        raise LookupError("the account is gone")
    return {"person": person, "link": reverse("accounts:home")}


_ABOUT: dict[str, Callable[[Message], dict[str, Any]]] = {"application": _application, "user": _person}
