"""How the applicant's pages find an application and each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse

from exchange.ui.errors import conflict
from exchange.ui.numbers import whole
from scholarships.applications.answers import sections_for
from scholarships.applications.content import Content
from scholarships.applications.models import Application, State
from scholarships.calls.form import Section
from scholarships.calls.models import SectionKind


def own(request: HttpRequest, code: str) -> Application:
    """The reader's own application with this code; anything else is not there."""
    rows = Application.objects.of(request.user).select_related(
        "call__version", "version", "revision__version", "country", "home", "first_choice"
    )
    application = get_object_or_404(rows, code=code)
    application.applicant = request.user
    return application


def page_of_section(application: Application, section: Section) -> str:
    if section.kind == SectionKind.QUESTIONS:
        return reverse("apply:section", args=[application.code, section.key])
    return reverse(f"apply:{section.kind}", args=[application.code])


def next_page(content: Content, here: Section, facts: Mapping[str, Any]) -> str:
    """The section after HERE, or the task list after the last one and where the next is not open for correction."""
    application, sections = content.application, sections_for(content.form, facts)
    keys = [section.key for section in sections]
    at = keys.index(here.key) + 1 if here.key in keys else len(keys)
    if at < len(sections) and _is_open_now(application, keys[at]):
        return page_of_section(application, sections[at])
    return reverse("apply:tasks", args=[application.code])


def _is_open_now(application: Application, key: str) -> bool:
    """Whether the section KEY may be written: of a returned file only what was named."""
    return not application.reopened or key in application.reopened


def address_of(application: Application) -> str:
    """Where one goes on with APPLICATION: its task list while it is written, else its status."""
    name = "apply:tasks" if application.state in {State.DRAFT, State.RETURNED} else "apply:status"
    return reverse(name, args=[application.code])


def is_written(application: Application) -> bool:
    """Whether APPLICATION is in a state in which its applicant may have something to write."""
    return application.state in {State.DRAFT, State.RETURNED, State.SUBMITTED}


def refuse(request: HttpRequest, application: Application, refused: ValidationError) -> HttpResponse:
    """What is not possible now: a page that was opened leads to the status and says it there, one that was sent answers 409."""
    status = reverse("apply:status", args=[application.code])
    if request.method != "GET":
        return conflict(request, refused, back=status)
    messages.warning(request, refused.messages[0])
    return redirect(status)


def known_version(request: HttpRequest) -> int:
    """The version of the section that the page showed; 0 where it says none."""
    return whole(request.POST.get("version")) or 0


def key_of(request: HttpRequest) -> str | None:
    """The key that makes a page sent twice count once."""
    return request.POST.get("key", "")[:80] or None
