"""The pages of a nominating body: its lists, one list, sending it, one file with its papers."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from exchange.nominate import pages
from exchange.nominate.forms import CheckForm, Decision, SendForm
from exchange.ui.errors import status_of
from exchange.ui.files import page_response, rebuilt_file
from exchange.ui.guards import open_to
from exchange.ui.numbers import whole
from scholarships.calls.form import form_of
from scholarships.nominations import actions, taking_back
from scholarships.nominations.lists import Acting, list_of, summaries, what_blocks
from scholarships.nominations.models import Nomination, Standing
from scholarships.people.rules import is_body_member


@open_to(is_body_member)
@require_GET
def lists(request: HttpRequest) -> HttpResponse:
    """Each call in which a body of the reader acts: what is to be done, and what was sent."""
    actions.take_in(request.user)
    now = timezone.now()
    bodies = pages.own_bodies(request.user)
    found = summaries(bodies)
    context = {
        "bodies": bodies,
        "cards": [one for one in found if not one.sent and (one.here.call.results_at > now or one.to_check or one.ranked or one.reserve)],
        "sent": sorted((one for one in found if one.sent), key=lambda one: one.sent.sent_at, reverse=True),
        "now": now,
    }
    return render(request, "nominate/lists.html", context)


@open_to(is_body_member)
@require_http_methods(["GET", "POST"])
def ranking(request: HttpRequest, call: str, body: str) -> HttpResponse:
    """The ranked list with the line between nominated and reserve; each button is one move."""
    here = pages.own_list(request, call, body)
    actions.take_in(request.user)
    errors = None
    if request.method == "POST":
        try:
            moved = _rearrange(request, here)
        except ValidationError as refused:
            errors = refused
        else:
            return redirect(pages.address_of_list(here) + (f"#file-{moved}" if moved else ""))
    return _list_page(request, here, errors)


def _list_page(request: HttpRequest, here: Acting, errors: ValidationError | None) -> HttpResponse:
    found = list_of(here)
    now, opens = timezone.now(), taking_back.until(here) if found.sent else None
    context = {
        "here": here,
        "list": found,
        "opens": opens,
        "may_take_back": found.sent is not None and pages.decides(request.user, here.body) and (opens is None or now < opens),
        "tags": {row.pk: pages.check_tag(row) for row in (*found.ranked, *found.reserve)},
        "over": {row.pk: True for row, _places in found.over},
        "errors": pages.links_of(errors),
        "following": _step_after(here),
        "is_closed": now > here.sends_after,
        "is_ready": not what_blocks(found, at=now),
        "decides": pages.decides(request.user, here.body),
        "may_move": pages.decides(request.user, here.body) and not found.sent,
    }
    return render(request, "nominate/list.html", context, status=status_of(errors))


def _rearrange(request: HttpRequest, here: Acting) -> str:
    """Do what the button says; gives the code of the file to look at next, or ""."""
    files = pages.own_files(request.user).filter(call=here.call, body=here.body)
    for name, step in (("up", -1), ("down", 1)):
        if name in request.POST:
            code, _dot, rank = request.POST[name].partition(".")
            actions.move(_newest(files, code), step, by=request.user, known=whole(rank))
            return code
    for name, standing in (("reserve", Standing.RESERVE), ("nominate", Standing.RANKED)):
        if name in request.POST:
            actions.put_on_list(_newest(files, request.POST[name]), standing, by=request.user)
            return request.POST[name]
        if f"{name}_picked" in request.POST:
            picked = list(files.at_hand().filter(application__code__in=request.POST.getlist("pick")).order_by("pk"))
            if not picked:
                raise ValidationError(_("Tick at least one file first."), code="nothing_picked")
            number = actions.put_all_on_list(picked, standing, by=request.user)
            messages.success(request, ngettext("%d file is on your list now.", "%d files are on your list now.", number) % number)
            return ""
    return ""


def _newest(files: Any, code: str) -> Nomination:
    return get_object_or_404(files.filter(application__code=code).order_by("-pk")[:1])


def _step_after(here: Acting) -> Any:
    assert here.call.version is not None, "bodies act in published calls only"
    return form_of(here.call.version).step_after(here.order)


@open_to(is_body_member)
@require_http_methods(["GET", "POST"])
def send(request: HttpRequest, call: str, body: str) -> HttpResponse:
    """What will happen, then the act: the list leaves once."""
    here = pages.own_list(request, call, body)
    actions.take_in(request.user)
    form = SendForm(request.POST if request.method == "POST" else None)
    errors = None
    if request.method == "POST" and form.is_valid():
        try:
            sent = actions.send_list(here.call, here.body, by=request.user, seen=request.POST.get("seen"))
        except ValidationError as refused:
            errors = refused
        else:
            messages.success(request, _("Your list is sent. Its number is %(code)s.") % {"code": sent.code})
            return redirect(pages.address_of_list(here))
    found = list_of(here)
    if found.sent:
        messages.info(request, _("This list has been sent already."))
        return redirect(pages.address_of_list(here))
    blocks = what_blocks(found, at=timezone.now())
    context = {
        "here": here,
        "list": found,
        "form": form,
        "errors": pages.links_of(errors),
        "blocks": pages.links_of(ValidationError(blocks)) if blocks else [],
        "over": {row.pk: True for row, _places in found.over},
        "following": _step_after(here),
    }
    return render(request, "nominate/send.html", context, status=status_of(errors) if errors else 422 if form.errors else 200)


@open_to(is_body_member)
@require_POST
def take_back(request: HttpRequest, call: str, body: str) -> HttpResponse:
    """The list comes back; it is refused once the next step has begun."""
    here = pages.own_list(request, call, body)
    try:
        taking_back.take_list_back(here.call, here.body, by=request.user)
    except ValidationError as refused:
        return _list_page(request, here, refused)
    messages.success(request, _("Your list is with you again, as it stood. Send it once more when it is right."))
    return redirect(pages.address_of_list(here))


@open_to(is_body_member)
@require_http_methods(["GET", "POST"])
def file(request: HttpRequest, code: str) -> HttpResponse:
    """Papers and answers beside the checks, and the decision on the whole file."""
    actions.take_in(request.user)
    nomination = pages.own_file(request, code)
    found = pages.shown(nomination)
    form = _form(request, nomination, found)
    errors = None
    if request.method == "POST":
        try:
            if _is_decided(request, nomination, form):
                return _onward(request, nomination)
        except ValidationError as refused:
            errors = refused
            nomination = pages.own_file(request, code)
            form.accept_errors(refused)
    return _file_page(request, nomination, found, form, status=status_of(errors) if errors else 422 if form.errors else 200)


def _form(request: HttpRequest, nomination: Nomination, found: pages.Shown) -> CheckForm:
    return CheckForm(
        request.POST if request.method == "POST" else None,
        asked=[paper.requirement for paper in found.papers if paper.is_to_check],
        sections=found.sections,
        checks=nomination.checks,
        zone=nomination.call.zone,
        decides=pages.decides(request.user, nomination.body),
        initial={"comment": nomination.comment},
    )


def _is_decided(request: HttpRequest, nomination: Nomination, form: CheckForm) -> bool:
    """Save the checks and take the decision; False where the form is not right yet."""
    key = request.POST.get("key") or None
    if actions.is_done(nomination, key):  # the page was sent twice
        return True
    if not form.is_valid():
        return False
    data, by = form.cleaned_data, request.user
    actions.save_checks(nomination, form.checks, data["comment"], by=by, known=_known(request))
    match data["decision"]:
        case Decision.NOMINATE:
            actions.put_on_list(nomination, Standing.RANKED, by=by)
        case Decision.RESERVE:
            actions.put_on_list(nomination, Standing.RESERVE, by=by)
        case Decision.RETURN:
            actions.give_file_back(
                nomination, by=by, reason=data["reason"], sections=data["sections"], until=data["until"], note=data["note"], key=key
            )
        case Decision.TURN_DOWN:
            actions.turn_down(nomination, by=by, note=data["note"], key=key)
    messages.success(request, _said(Decision(data["decision"])) % {"name": nomination.application.name or nomination.application.code})
    return True


def _said(decision: Decision) -> str:
    return {
        Decision.STAY: _("The checks of %(name)s are saved."),
        Decision.NOMINATE: _("%(name)s is on your list."),
        Decision.RESERVE: _("%(name)s is on your reserve list."),
        Decision.RETURN: _("The file of %(name)s is returned. The applicant gets an e-mail."),
        Decision.TURN_DOWN: _("%(name)s is not nominated. The applicant gets an e-mail with your reason."),
    }[decision]


def _known(request: HttpRequest) -> datetime | None:
    """When the file had last been saved, as the page showed it."""
    try:
        return parse_datetime(request.POST.get("known", ""))
    except ValueError:
        return None


def _onward(request: HttpRequest, nomination: Nomination) -> HttpResponse:
    code = nomination.application.code
    if "next" not in request.POST:
        return redirect("nominate:file", code=code)
    following = pages.after(code, pages.files_to_check(nomination))
    if following:
        return redirect("nominate:file", code=following)
    messages.info(request, _("No other file is to be checked."))
    return redirect(pages.address_of_list(nomination))


def _file_page(request: HttpRequest, nomination: Nomination, found: pages.Shown, form: CheckForm, *, status: int) -> HttpResponse:
    codes = pages.files_to_check(nomination)
    code = nomination.application.code
    milestones = {milestone.key: milestone for milestone in nomination.call.milestones.all()}
    step = found.content.form.step(nomination.stage.step)
    context = {
        "nomination": nomination,
        "application": nomination.application,
        "call": nomination.call,
        "body": nomination.body,
        "found": found,
        "form": form if nomination.is_at_hand else None,
        "typed": [] if nomination.is_at_hand or not form.is_bound else [form[name].value() for name in ("comment", "note")],
        "has_theirs": status == 409 and nomination.is_at_hand and nomination.is_checked,
        "noted": pages.noted(nomination, found.papers),
        "refused": [message for messages_of in form.errors.values() for message in messages_of] if form.is_bound else [],
        "checks": [(paper, form.check_of(paper.requirement)) for paper in found.papers if paper.is_to_check],
        "milestone": milestones.get(step.milestone) if step else None,
        "key": request.POST.get("key") or secrets.token_urlsafe(16),
        "count": len(codes),
        "place": codes.index(code) + 1 if code in codes else None,
        "following": pages.after(code, codes),
        "earlier": Nomination.objects.filter(application=nomination.application, body=nomination.body, pk__lt=nomination.pk)
        .select_related("stage")
        .order_by("-pk")
        .first(),
    }
    return render(request, "nominate/file.html", context, status=status)


@open_to(is_body_member)
@require_GET
def paper(request: HttpRequest, code: str, paper: str) -> HttpResponse:
    """The rebuilt copy of a paper as a file."""
    nomination = pages.own_file(request, code)
    attachment = pages.own_paper(nomination, paper)
    actions.read_paper(nomination, attachment.file, by=request.user)
    return rebuilt_file(attachment.file, f"{code}-{attachment.requirement}-{attachment.order}")


@open_to(is_body_member)
@require_GET
def page(request: HttpRequest, code: str, paper: str, number: int) -> HttpResponse:
    """A page of the rebuilt copy as an image."""
    nomination = pages.own_file(request, code)
    attachment = pages.own_paper(nomination, paper)
    if not 1 <= number <= attachment.file.pages:
        raise Http404
    actions.read_paper(nomination, attachment.file, by=request.user)
    return page_response(attachment.file, number)
