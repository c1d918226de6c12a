"""My applications: start, task list, check and hand in, receipt, status, change, withdraw."""

from __future__ import annotations

import secrets
from datetime import datetime
from itertools import groupby
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from exchange.apply.forms import WithdrawForm
from exchange.apply.pages import address_of, is_written, key_of, own, page_of_section, refuse
from exchange.notifications.models import Message
from exchange.ui.errors import status_of
from exchange.ui.guards import open_to
from exchange.ui.route import stations
from exchange.ui.said import said_section
from exchange.ui.templatetags.ui import reader_zone
from exchange.ui.visitor import carried_answers
from scholarships.applications import actions
from scholarships.applications.answers import sections_for
from scholarships.applications.content import Content, content_of, requirements_for
from scholarships.applications.lifecycle import face
from scholarships.applications.models import Application, Revision, Stage, State
from scholarships.applications.readiness import Status, problems_in, tasks_of
from scholarships.calls.form import form_of
from scholarships.calls.models import Call, is_open
from scholarships.offers.models import Offer
from scholarships.people.models import Profile
from scholarships.references.models import STANDING, Reference
from scholarships.references.standing import standing_of


@open_to()
@require_GET
def mine(request: HttpRequest) -> HttpResponse:
    """All my applications, each with its next step."""
    now = timezone.now()
    rows = Application.objects.of(request.user).select_related("call", "first_choice__host").order_by("-moved_at")
    cards = [{"application": row, "face": face(row, at=now), "is_open": is_open(row.call, now)} for row in rows]
    return render(request, "apply/mine.html", {"cards": cards})


@open_to()
@require_http_methods(["GET", "POST"])
def start(request: HttpRequest, code: str) -> HttpResponse:
    """Start an application: one button, with what was answered in the check carried along."""
    call = get_object_or_404(Call.objects.published().select_related("version"), code=code)
    if not request.user.name:
        return redirect(f"{reverse('accounts:welcome')}?{urlencode({'next': request.get_full_path()})}")
    existing = Application.objects.of(request.user).filter(call=call).first()
    if existing:
        return redirect(address_of(existing))
    errors = None
    if request.method == "POST":
        profile = Profile.objects.filter(user=request.user).first()
        known = {"citizenship": profile.citizenship_id, "name_own_script": profile.name_own_script} if profile else {}
        try:
            application = actions.start(call, by=request.user, answers={**known, "email": request.user.email, **carried_answers(request)})
            wanted = call.programmes.filter(code=request.POST.get("add", ""))
            if wanted:
                actions.set_choices(application, list(wanted), by=request.user)
        except ValidationError as refused:
            errors = refused
        else:
            return redirect("apply:tasks", code=application.code)
    context = {
        "call": call,
        "errors": errors,
        "is_open": is_open(call, timezone.now()),
        "wanted": call.programmes.filter(code=request.GET.get("add", "")).first(),
    }
    return render(request, "apply/start.html", context, status=status_of(errors))


@open_to()
@require_GET
def tasks(request: HttpRequest, code: str) -> HttpResponse:
    """The task list: what is done, what is left, what comes next."""
    application = own(request, code)
    content = content_of(application)
    if content.revision.handed_in_at is not None or not is_written(application):
        return redirect("apply:status", code=code)
    found = tasks_of(content)
    done = sum(task.status == Status.COMPLETED for task in found)
    following = next((task for task in found if task.status != Status.COMPLETED), None)
    numbered = [
        (
            number,
            str(group),
            [
                {
                    "task": task,
                    "url": page_of_section(application, task.section),
                    "is_open": _is_section_open(application, task.section.key),
                }
                for task in members
            ],
        )
        for number, (group, members) in enumerate(
            ((group, list(members)) for group, members in groupby(found, key=lambda task: task.section.group)), start=1
        )
    ]
    context = {
        "application": application,
        "call": application.call,
        "groups": numbered,
        "done": done,
        "count": len(found),
        "following": following,
        "following_url": page_of_section(application, following.section) if following else reverse("apply:check", args=[code]),
        "problems": [task for task in found if task.status == Status.PROBLEM],
        "last_saved": max((row.saved_at for row in content.answers.values()), default=None),
        "is_change": application.state == State.SUBMITTED,
        "is_open": is_open(application.call, timezone.now()),
        "steps": form_of(application.version).steps,
        "submit_number": len(numbered) + 1,
    }
    return render(request, "apply/tasks.html", context)


def _is_section_open(application: Application, key: str) -> bool:
    return application.state != State.RETURNED or not application.reopened or key in application.reopened


@open_to()
@require_http_methods(["GET", "POST"])
def check(request: HttpRequest, code: str) -> HttpResponse:
    """The whole application with Change links; on POST it is handed in."""
    application = own(request, code)
    errors = None
    if request.method == "POST":
        try:
            actions.submit(application, by=request.user, key=key_of(request))
        except ValidationError as refused:
            application.refresh_from_db()
            if application.state == State.SUBMITTED and not _has_open_revision(application):
                return redirect("apply:receipt", code=code)  # a second click: it is handed in
            errors = refused
        else:
            return redirect("apply:receipt", code=code)
    content = content_of(application)
    if errors is None and not is_written(application):
        return redirect("apply:status", code=code)
    if errors is None and content.revision.handed_in_at is not None:
        return redirect("apply:receipt", code=code)
    return render(request, "apply/check.html", _check_context(content, errors), status=status_of(errors))


def _has_open_revision(application: Application) -> bool:
    return application.revisions.filter(handed_in_at__isnull=True).exists()


def _check_context(content: Content, errors: ValidationError | None) -> dict[str, Any]:
    application = content.application
    facts = content.facts
    problems = problems_in(content)
    sections = sections_for(content.form, facts)
    addresses = {section.key: page_of_section(application, section) for section in sections}
    return {
        "application": application,
        "call": application.call,
        "content": content,
        "sections": [(said_section(section, content.values(section.key), facts), addresses[section.key]) for section in sections],
        "papers": [(requirement, content.attached(requirement.key)) for requirement in requirements_for(content.form, facts)],
        "problems": [(addresses.get(problem.field.partition("/")[0], ""), problem.message) for problem in problems],
        "errors": None if problems and status_of(errors) == 422 else errors,  # what is missing stands above already
        "key": secrets.token_urlsafe(16),
        "is_open": is_open(application.call, timezone.now()),
        "is_change": application.state == State.SUBMITTED,
        "referees": list(Reference.objects.filter(application=application, state__in=STANDING)),
    }


@open_to()
@require_GET
def receipt(request: HttpRequest, code: str) -> HttpResponse:
    """The proof of handing in: reference, the server's time in both zones, version and hash. It stays at its address."""
    application = own(request, code)
    if application.revision is None:
        return redirect("apply:tasks", code=code)
    steps = form_of(application.version).steps
    context = {
        "application": application,
        "call": application.call,
        "revision": application.revision,
        "first_step": steps[0] if steps else None,
        "own_zone": reader_zone(request.user),
    }
    return render(request, "apply/receipt.html", context)


@open_to()
@require_GET
def status(request: HttpRequest, code: str) -> HttpResponse:
    """Where the application is now, with dates and the next step."""
    application = own(request, code)
    now = timezone.now()
    shown = face(application, at=now)
    if shown.key == "draft":
        return redirect("apply:tasks", code=code)
    stages = list(Stage.objects.filter(application=application).select_related("body"))
    context = {
        "application": application,
        "call": application.call,
        "revision": application.revision,
        "face": shown,
        "own_zone": reader_zone(request.user),
        "route": stations(
            application,
            form_of(application.version),
            stages,
            application.call.milestones.all(),
            at=now,
            zone=reader_zone(request.user),
            for_applicant=True,
        ),
        "letters": Message.objects.released()
        .about(application)
        .filter(user=request.user)
        .select_related("event")
        .defer("text", "html")
        .order_by("-pk")[:10],
        "may_change": application.state == State.SUBMITTED and is_open(application.call, now),
        "may_withdraw": _may_withdraw(application, now),
        "may_reopen": application.state == State.WITHDRAWN and is_open(application.call, now),
        "open_change": Revision.objects.filter(application=application, handed_in_at__isnull=True).first()
        if application.state == State.SUBMITTED
        else None,
        "offer": Offer.objects.filter(application=application).order_by("-pk").first()
        if shown.key in {"offered", "accepted", "declined", "lapsed"}
        else None,
        "standing": standing_of(application) if shown.key != "withdrawn" else None,
        "reopened": [section for section in form_of(application.version).sections if section.key in application.reopened],
    }
    return render(request, "apply/status.html", context)


def _may_withdraw(application: Application, now: datetime) -> bool:
    return face(application, at=now).key in {"submitted", "returned", "under_consideration", "reserve"}


@open_to()
@require_POST
def change(request: HttpRequest, code: str) -> HttpResponse:
    """Open what was handed in for a change, or give the change up."""
    application = own(request, code)
    try:
        if "drop" in request.POST:
            actions.drop_change(application, by=request.user)
            messages.info(request, _("The change is given up. What you handed in stays as it is."))
            return redirect("apply:status", code=code)
        actions.open_change(application, by=request.user)
    except ValidationError as refused:
        return refuse(request, application, refused)
    return redirect("apply:tasks", code=code)


@open_to()
@require_http_methods(["GET", "POST"])
def withdraw(request: HttpRequest, code: str) -> HttpResponse:
    """Take it back, with a reason, in one step that says what it means."""
    application = own(request, code)
    form = WithdrawForm(request.POST if request.method == "POST" else None)
    if request.method == "GET" and not _may_withdraw(application, timezone.now()):
        return redirect("apply:status", code=code)
    if form.is_valid():
        try:
            actions.withdraw(application, by=request.user, reason=form.cleaned_data["reason"], key=key_of(request))
        except ValidationError as refused:
            return refuse(request, application, refused)
        messages.success(request, _("Your application is withdrawn."))
        return redirect("apply:status", code=code)
    context = {
        "application": application,
        "call": application.call,
        "form": form,
        "key": secrets.token_urlsafe(16),
        "is_open": is_open(application.call, timezone.now()),
    }
    return render(request, "apply/withdraw.html", context, status=422 if form.errors else 200)


@open_to()
@require_POST
def reopen(request: HttpRequest, code: str) -> HttpResponse:
    application = own(request, code)
    try:
        actions.reopen(application, by=request.user)
    except ValidationError as refused:
        return refuse(request, application, refused)
    messages.warning(request, _("Your application is open again. It must be submitted again to count."))
    return redirect("apply:tasks", code=code)
