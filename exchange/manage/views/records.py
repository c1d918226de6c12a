"""One application: everything about it on one page, and what its officer decides."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from exchange.manage.findings import findings_of
from exchange.manage.forms.applications import EligibilityForm, ReturnForm
from exchange.manage.listing import asked_by
from exchange.manage.papers import note_reading, paper_of, thumbnail
from exchange.manage.record import (
    answers_of,
    beside,
    dot,
    event_lines,
    lacking_in,
    next_step,
    papers_of,
    record_of,
    review_lines,
    reviews_of,
    route_of,
)
from exchange.manage.references import letters_of
from exchange.notifications.bounces import came_back
from exchange.notifications.models import Message
from exchange.ui.errors import status_of
from exchange.ui.files import page_response, rebuilt_file
from exchange.ui.forms import PlainForm
from exchange.ui.guards import open_to
from exchange.ui.templatetags.ui import reader_zone
from scholarships.applications import actions, lifecycle
from scholarships.applications.answers import sections_for
from scholarships.applications.content import OWN_SCRIPT, content_of
from scholarships.applications.models import Application
from scholarships.correspondence.models import Post
from scholarships.documents.actions import opened
from scholarships.nominations.models import Nomination
from scholarships.people.models import Role
from scholarships.people.rules import is_officer

POSTS = 3  # the newest of the thread


@open_to(is_officer)
@require_GET
def record(request: HttpRequest, code: str) -> HttpResponse:
    """Answers, papers, nomination, reviews, events and letters of one application, and its next step."""
    application = record_of(request, code)
    wanted = asked_by(request.user, request.GET)
    content = content_of(application, application.revision)
    reviews = reviews_of(application)
    context = {
        "application": application,
        "call": application.call,
        "wanted": wanted,
        "beside": beside(request.user, wanted, application),
        "route": route_of(application, content.form, reader_zone(request.user)),
        "next": next_step(request.user, application, reviews, wanted.trail),
        "content": content,
        "sections": answers_of(content),
        "own_script": content.all_values.get(OWN_SCRIPT, ""),
        "papers": papers_of(content),
        "lacking": lacking_in(content),
        "nominations": list(Nomination.objects.filter(application=application).select_related("body").order_by("pk")),
        "references": letters_of(request.user, application),
        "reviews": review_lines(reviews, content.form),
        "mean": dot(application.score),
        "events": event_lines(application, content.form),
        "letters": list(Message.objects.about(application).select_related("user", "event").order_by("-pk")),
        "is_stopped": came_back([application.pk]).get(application.pk),  # None: nothing came back
        "posts": list(Post.objects.of(application)[:POSTS]),
        "face": lifecycle.face(application, at=timezone.now()),
        "findings": findings_of(content),
    }
    return render(request, "manage/record.html", context)


def _status_after(form: PlainForm, act: Callable[[dict[str, Any]], Any]) -> int | None:
    """None when ACT was done with what the form holds; else the status of the page that says why not."""
    if not form.is_valid():
        return 422
    try:
        act(form.cleaned_data)
    except ValidationError as refused:
        form.accept_errors(refused)
        return status_of(refused)
    return None


def _back(application: Application, trail: str) -> HttpResponse:
    return redirect(reverse("manage:record", args=[application.code]) + trail)


@open_to(is_officer)
@require_http_methods(["GET", "POST"])
def eligibility(request: HttpRequest, code: str) -> HttpResponse:
    """Each criterion with its figures and a proposal; the officer decides."""
    application = record_of(request, code)
    wanted = asked_by(request.user, request.GET)
    content = content_of(application, application.revision)
    findings = findings_of(content)
    form = EligibilityForm(findings, request.POST if request.method == "POST" else None)
    status: int | None = 200
    if request.method == "POST":
        following = beside(request.user, wanted, application).behind if "next" in request.POST else ""
        status = _status_after(form, lambda data: _decide(request, application, **data))
        if status is None:
            return redirect(reverse("manage:eligibility", args=[following]) + wanted.trail) if following else _back(code, wanted.trail)
        application = record_of(request, code)
    context = {
        "application": application,
        "call": application.call,
        "wanted": wanted,
        "findings": findings,
        "form": form,
        "papers": papers_of(content),
        "is_open": "find_eligible" in lifecycle.open_to(request.user, application),
        "key": secrets.token_urlsafe(16),
    }
    return render(request, "manage/eligibility.html", context, status=status)


def _back(code: str, trail: str) -> HttpResponse:
    return redirect(reverse("manage:record", args=[code]) + trail)


def _decide(request: HttpRequest, application: Application, decision: str, criteria: list[str], note: str) -> None:
    is_eligible = decision == "eligible"
    key = request.POST.get("key") or None
    actions.decide_eligibility(application, is_eligible=is_eligible, criteria=criteria, note=note, by=request.user, key=key)
    said = _("%(code)s is found eligible.") if is_eligible else _("%(code)s is found not eligible. The applicant has been told.")
    messages.success(request, said % {"code": application.code})


@open_to(is_officer)
@require_http_methods(["GET", "POST"])
def give_back(request: HttpRequest, code: str) -> HttpResponse:
    """Return it to the applicant: why, what is open for correction, until when."""
    application = record_of(request, code)
    wanted = asked_by(request.user, request.GET)
    content = content_of(application, application.revision)
    sections = sections_for(content.form, content.facts)
    form = ReturnForm(application.call, sections, request.POST if request.method == "POST" else None)
    status: int | None = 200
    if request.method == "POST":
        key = request.POST.get("key") or None
        status = _status_after(form, lambda data: actions.give_back(application, by=request.user, key=key, **data))
        if status is None:
            messages.success(request, _("%(code)s is returned. The applicant has been told.") % {"code": code})
            return _back(code, wanted.trail)
        application = record_of(request, code)
    context = {
        "application": application,
        "call": application.call,
        "wanted": wanted,
        "form": form,
        "is_open": "return" in lifecycle.open_to(request.user, application),
        "key": secrets.token_urlsafe(16),
    }
    return render(request, "manage/return.html", context, status=status)


@open_to(is_officer)
@require_GET
def paper(request: HttpRequest, code: str, paper: str) -> HttpResponse:
    """A paper, page by page, or as a file; either way its owner sees that it was opened."""
    application = record_of(request, code)
    attachment = paper_of(application, paper)
    if request.GET.get("as") == "file":
        opened(attachment.file, by=request.user, actor=Role.OFFICER, application=application.code)
        return rebuilt_file(attachment.file, f"{application.code}-{attachment.requirement}")
    note_reading(attachment.file, application, by=request.user)
    content = content_of(application, application.revision)
    context = {
        "application": application,
        "attachment": attachment,
        "requirement": content.form.requirement(attachment.requirement),
        "papers": papers_of(content),
        "pages": range(1, attachment.file.pages + 1),
        "wanted": asked_by(request.user, request.GET),
    }
    return render(request, "manage/record_paper.html", context)


@open_to(is_officer)
@require_GET
def page(request: HttpRequest, code: str, paper: str, number: int) -> HttpResponse:
    """A page of a paper as an image; "?small" is too small to be read, and so is no reading."""
    application = record_of(request, code)
    attachment = paper_of(application, paper)
    if "small" in request.GET:
        return thumbnail(attachment.file)
    note_reading(attachment.file, application, by=request.user)
    return page_response(attachment.file, number)
