"""Writing to many: whom it reaches, what they read, and the two keys before it leaves."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from exchange.manage.agenda import call_of
from exchange.manage.bulk import named
from exchange.manage.forms.letters import WordingForm
from exchange.manage.forms.mailings import MailingForm
from exchange.manage.listing import asked_by
from exchange.notifications import mailings as actions
from exchange.notifications.letters import Letter, compose, preview
from exchange.notifications.models import Delivery, Mailing, MailingState, Message
from exchange.ui.errors import status_of
from exchange.ui.guards import open_to
from exchange.ui.paging import page_number, page_of
from scholarships.applications.models import Application
from scholarships.calls.rules import ALONE, needs_second
from scholarships.people.rules import is_officer

PAGE = 50
SHOWN = 200  # of those left out


@dataclass(frozen=True)
class Sample:
    """The letter as one of those who read LANGUAGE gets it."""

    language: str
    name: str
    letter: Letter


@open_to(is_officer)
@require_http_methods(["GET", "POST"])
def write(request: HttpRequest, code: str) -> HttpResponse:
    """Words for those chosen in the list; nothing is written before "hold", and nothing leaves before its release."""
    call = call_of(request, code)
    params = request.POST if request.method == "POST" else request.GET
    people = actions.addressees(named(request.user, params, call=call))
    form = MailingForm(request.POST if request.method == "POST" else None)
    samples, status = [], 200
    if request.method == "POST" and form.is_valid():
        words = {"subject": form.words("subject"), "text": form.words("text")}
        try:
            actions.check(**words)
            if request.POST.get("act") != "hold":
                samples = _samples(people, words)
            elif request.POST.get("mark") == people.mark:
                mailing = actions.hold(call, people, by=request.user, key=request.POST.get("key") or None, **words)
                messages.success(request, _("The letters are written and held. Look through them, then release them."))
                return redirect("manage:mailing", mailing.code)
            else:
                form.add_error(None, _("The list has changed since you opened this page. Look at the count again, then hold the letters."))
                status = 409
        except ValidationError as refused:
            form.accept_errors(refused)
            status = status_of(refused)
    context = {
        "call": call,
        "form": form,
        "people": people,
        "languages": [(name, count) for name, count in _by_name(people.languages)],
        "left_out": people.left_out[:SHOWN],
        "samples": samples,
        "placeholders": sorted(actions.placeholders().items()),
        "most": ALONE,
        "key": request.POST.get("key") or secrets.token_urlsafe(16),
        "wanted": asked_by(request.user, params),
        "is_all": bool(params.get("all")),
        "codes": "" if params.get("all") else " ".join(one.code for one in people.fits + [one for one, _why in people.left_out]),
    }
    return render(request, "manage/mailing_write.html", context, status=422 if form.errors and status == 200 else status)


def _by_name(languages: Any) -> list[tuple[str, int]]:
    names = dict(settings.LANGUAGES)
    return sorted(((str(names.get(code, code)), count) for code, count in languages.items()), key=lambda pair: -pair[1])


def _samples(people: actions.Addressees, words: dict[str, dict[str, str]]) -> list[Sample]:
    """For each language that is read, the letter to the first of those who read it."""
    first = {one.language: one for one in reversed(people.fits)}
    rows = {
        row.pk: row for row in Application.objects.filter(pk__in=[one.pk for one in first.values()]).select_related("call", "applicant")
    }
    said = SimpleNamespace(**{part: actions.said(by) for part, by in words.items()})
    found = []
    for language, one in sorted(first.items()):
        with translation.override(language):
            letter = preview("mailing", {"application": rows[one.pk], "call": rows[one.pk].call}, said)
        found.append(Sample(language, one.name or one.code, letter))
    return found


# -- One mailing -----------------------------------------------------------------


@open_to(is_officer)
@require_GET
def mailings(request: HttpRequest) -> HttpResponse:
    """Every mailing of the officer's calls, the newest first."""
    ids = Mailing.objects.visible_to(request.user).order_by("-pk")
    rows = Mailing.objects.select_related("call", "by", "released_by").annotate(count=Count("messages")).order_by()
    return render(request, "manage/mailings.html", {"page": page_of(ids, rows, page_number(request.GET.get("page")), PAGE)})


@open_to(is_officer)
@require_http_methods(["GET", "POST"])
def mailing(request: HttpRequest, code: str) -> HttpResponse:
    """What is held, who wrote it, who may release it, and each letter of it."""
    found = _mailing(request, code)
    errors = None
    if request.method == "POST":
        errors = _act(request, found, request.POST.get("act", ""))
        if errors is None:
            return redirect("manage:mailing", code)
        found = _mailing(request, code)
    ids = Message.objects.filter(mailing=found)
    counts = dict(ids.order_by().values_list("delivery").annotate(Count("pk")))
    languages = dict(ids.order_by().values_list("language").annotate(Count("pk")))
    rows = Message.objects.select_related("user", "rewording").defer("text", "html").order_by()
    page = page_of(ids.order_by("pk"), rows, page_number(request.GET.get("page")), PAGE, count=sum(counts.values()))
    context = {
        "mailing": found,
        "errors": errors,
        "page": page,
        "count": sum(counts.values()),
        "counts": [(label, counts[value]) for value, label in Delivery.choices if counts.get(value)],
        "languages": _by_name(languages),
        "needs_second": found.state == MailingState.HELD and needs_second(counts.get(Delivery.HELD, 0), found.by_id, request.user.pk),
        "words": [(language, found.subject[language], found.text.get(language, "")) for language in found.subject],
        "most": ALONE,
        "undo_minutes": round(settings.UNDO_SECONDS / 60),
    }
    return render(request, "manage/mailing.html", context, status=status_of(errors))


def _mailing(request: HttpRequest, code: str) -> Mailing:
    rows = Mailing.objects.visible_to(request.user).select_related("call", "by", "released_by")
    return get_object_or_404(rows, code=code)


def _act(request: HttpRequest, found: Mailing, act: str) -> ValidationError | None:
    """Do ACT; what refused it."""
    try:
        if act == "release":
            actions.release(found, by=request.user)
            messages.success(request, _("The letters are released."))
        elif act == "hurry":
            actions.hurry(found, by=request.user)
            messages.success(request, _("The letters leave now."))
        elif act == "take-back":
            actions.take_back(found, by=request.user)
            messages.success(request, _("The release is taken back. The letters are held again."))
        elif act == "cancel":
            actions.cancel(found, by=request.user)
            messages.success(request, _("The mailing is cancelled. None of its letters leaves."))
        else:
            raise Http404
    except ValidationError as refused:
        return refused
    return None


# -- One letter of it ------------------------------------------------------------


@open_to(is_officer)
@require_http_methods(["GET", "POST"])
def letter(request: HttpRequest, code: str, message: str) -> HttpResponse:
    """One held letter: as its reader gets it, words of its own, or taking it out."""
    found = _mailing(request, code)
    one = get_object_or_404(Message.objects.filter(mailing=found).select_related("event", "user", "rewording"), code=message)
    own = getattr(one, "rewording", None)
    with translation.override(one.language):
        initial = {"subject": own.subject if own else str(found.subject), "text": own.text if own else str(found.text)}
    form = WordingForm(request.POST if request.method == "POST" and "remove" not in request.POST else None, initial=initial)
    errors = None
    if request.method == "POST":
        try:
            if "remove" in request.POST:
                actions.remove(one, by=request.user)
                messages.success(request, _("The letter to %(name)s is taken out.") % {"name": one.user or one.address})
                return redirect("manage:mailing", code)
            if form.is_valid():
                actions.reword(one, by=request.user, **form.cleaned_data)
                messages.success(request, _("The letter has words of its own now."))
                return redirect("manage:mailing_letter", code, message)
        except ValidationError as refused:
            if hasattr(refused, "error_dict"):
                form.accept_errors(refused)
            else:
                errors = refused
    context = {
        "mailing": found,
        "message": one,
        "form": form,
        "errors": errors,
        "letter": compose(one) if not one.subject else one,
        "is_held": found.state == MailingState.HELD,
        "has_own": own is not None,
        "placeholders": sorted(actions.placeholders().items()),
    }
    return render(request, "manage/mailing_letter.html", context, status=422 if form.errors else status_of(errors))
