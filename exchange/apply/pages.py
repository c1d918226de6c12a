"""How the applicant's pages find an application and each other."""

from __future__ import annotations

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import reverse

from scholarships.applications.models import Application, State
from scholarships.calls.form import Section
from scholarships.calls.models import SectionKind


def own(request: HttpRequest, code: str) -> Application:
    """The reader's own application with this code; anything else is not there."""
    rows = Application.objects.of(request.user).select_related(
        "call__version", "version", "revision__version", "country", "home", "first_choice"
    )
    return get_object_or_404(rows, code=code)


def page_of_section(application: Application, section: Section) -> str:
    if section.kind == SectionKind.QUESTIONS:
        return reverse("apply:section", args=[application.code, section.key])
    return reverse(f"apply:{section.kind}", args=[application.code])


def address_of(application: Application) -> str:
    """Where one goes on with APPLICATION: its task list while it is written, else its status."""
    name = "apply:tasks" if application.state in {State.DRAFT, State.RETURNED} else "apply:status"
    return reverse(name, args=[application.code])
