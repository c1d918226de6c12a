"""The page to which a letter leads: each takes the letter's context and gives a path."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.urls import reverse

KEY = "known-to-its-reader-only"  # stands in a stored letter where the key of its reader is when it leaves; see ``keys``

Context = Mapping[str, Any]
Page = Callable[[Context], str]


def status(context: Context) -> str:
    return reverse("apply:status", args=[context["application"].code])


def tasks(context: Context) -> str:
    return reverse("apply:tasks", args=[context["application"].code])


def own(context: Context) -> str:
    """The reader's own application to the call."""
    return reverse("apply:tasks", args=[context["own"].code])


def result(context: Context) -> str:
    return reverse("apply:result", args=[context["application"].code])


def record(context: Context) -> str:
    return reverse("manage:record", args=[context["application"].code])


def call(context: Context) -> str:
    return reverse("manage:call", args=[context["call"].code])


def places(context: Context) -> str:
    return reverse("manage:places", args=[context["call"].code])


def offers(context: Context) -> str:
    return reverse("manage:offers", args=[context["call"].code])


def mailing(context: Context) -> str:
    return reverse("manage:mailing", args=[context["mailing"].code])


def nominations(context: Context) -> str:
    """The list of the one body that the reader acts for; where there are several, all of theirs."""
    body = context["body"]
    return reverse("nominate:list", args=[context["call"].code, body]) if body else reverse("nominate:lists")


def reviews(context: Context) -> str:
    return reverse("review:mine")


def home(context: Context) -> str:
    return reverse("accounts:home")


def inbox(context: Context) -> str:
    return reverse("inbox:inbox")


def profile(context: Context) -> str:
    return reverse("accounts:profile")


def thread(context: Context) -> str:
    return reverse("inbox:thread", args=[context["application"].code])


def letters(context: Context) -> str:
    """The applicant's page of referees."""
    return reverse("apply:letters", args=[context["application"].code])


def request(context: Context) -> str:
    """The referee's page of one request."""
    return reverse("refer:request", args=[KEY])


def release(context: Context) -> str:
    return reverse("refer:release", args=[KEY])


def requests(context: Context) -> str:
    """All requests to the reader's address."""
    return reverse("refer:requests", args=[KEY])


def referees(context: Context) -> str:
    """Where a referee asks for the list of requests."""
    return reverse("refer:letters")
