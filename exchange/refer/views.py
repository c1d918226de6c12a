"""The referee's pages: a request, the letter, release, a no; the list of an address; is this request real?"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from exchange.refer.doors import with_key
from exchange.refer.forms import AddressForm, CheckForm, DeclineForm, LetterForm
from exchange.ui.errors import status_of
from exchange.ui.files import original_file, rebuilt_file
from exchange.ui.guards import open_to_everybody
from exchange.ui.numbers import whole
from exchange.ui.uploads import oversize_of
from scholarships.applications.models import State as ApplicationState
from scholarships.documents.checking import refusal
from scholarships.references import answering
from scholarships.references.actions import LIMITS
from scholarships.references.dates import due_of
from scholarships.references.links import key_of, link_to
from scholarships.references.models import STANDING, Link, LinkPurpose, Reference, State, Way


def _context(link: Link, key: str) -> dict[str, Any]:
    """What each page of one request shows."""
    reference = link.reference
    assert reference is not None
    application = reference.application
    closed = ""
    try:
        answering.require_writable(reference, now=timezone.now())
    except ValidationError as refused:
        closed = refused.messages[0]
    return {
        "reference": reference,
        "application": application,
        "call": application.call,
        "asker": reference.asker,
        "programme": application.first_choice,
        "terms": reference.terms,
        "due": due_of(application),
        "key": key,
        "closed": closed,
        "check_address": f"{settings.SITE_URL}{reverse('refer:check')}",
        "check_code": f"{reference.check_code[:4]}-{reference.check_code[4:]}",
    }


# -- One request -----------------------------------------------------------------


@with_key(LinkPurpose.LETTER)
def request_page(request: HttpRequest, link: Link, key: str) -> HttpResponse:
    """Who asks, for what, due when, who reads it. Opening it does nothing: the buttons do."""
    context = _context(link, key)
    reference = context["reference"]
    errors = None
    if request.method == "POST":
        try:
            if "confirm" in request.POST:
                answering.confirm_scan(reference)
                return redirect("refer:request", key=key)
            if "list" in request.POST:
                answering.send_list(reference.address)
                context["is_list_sent"] = True
            else:
                answering.require_writable(reference, now=timezone.now())
                answering.note_opened(reference)
                return redirect("refer:letter", key=key)
        except ValidationError as refused:
            errors = refused
    context |= {"errors": errors, "sent": answering.sent_of(reference)}
    return render(request, "refer/request.html", context, status=status_of(errors))


@with_key(LinkPurpose.LETTER)
def letter(request: HttpRequest, link: Link, key: str) -> HttpResponse:
    """Attach or paste the letter, save it, send it."""
    context = _context(link, key)
    reference: Reference = context["reference"]
    if reference.way == Way.SCAN or (context["closed"] and request.method != "POST"):
        return redirect("refer:request", key=key)
    draft = answering.draft_of(reference)
    form = LetterForm(reference.terms.ratings, draft, *((request.POST, request.FILES) if request.method == "POST" else ()))
    is_by_itself = request.POST.get("autosave") == "1"
    errors = None
    if request.method == "POST":
        try:
            done = _taken(request, reference, form, key)
        except ValidationError as refused:
            form.accept_errors(refused)
            errors = refused
        else:
            if done is not None and not is_by_itself:
                return done
        draft = answering.draft_of(reference)
    if is_by_itself:
        return JsonResponse({"version": draft.version if draft else 0, "is_saved": not form.errors}, status=409 if form.errors else 200)
    context |= {
        "form": form,
        "draft": draft,
        "earlier": answering.reusable(reference) if draft is None else [],
        "sent": answering.sent_of(reference),
        "version": request.POST.get("version") if errors is not None and status_of(errors) == 409 else draft.version if draft else 0,
    }
    status = (status_of(errors) if errors is not None else 422) if form.errors else 200
    return render(request, "refer/letter.html", context, status=status)


def _taken(request: HttpRequest, reference: Reference, form: LetterForm, key: str) -> HttpResponse | None:
    """Do what the button says; None where the form has an error of its own.

    Raises:
        ValidationError: it cannot be saved or sent; what was typed stays in FORM.
    """
    known = whole(request.POST.get("version"))
    if code := request.POST.get("reuse", ""):
        earlier = next((one for one in answering.reusable(reference) if one.reference.code == code), None)
        if earlier is None:
            raise Http404
        answering.use_again(reference, earlier, known_version=known)
        return redirect("refer:letter", key=key)
    if not form.is_valid():
        return None
    said = form.cleaned_data
    kept = answering.save(
        reference, text=said["text"], known=said["known"], ratings=form.marks, upload=_upload(request, said.get("file")),
        drops_file="drop" in request.POST, known_version=known,
    )  # fmt: skip
    form.data = form.data.copy()
    form.data["version"] = str(kept.version)
    if "send" not in request.POST:
        return redirect("refer:letter", key=key)
    if said["sender"] == "assistant":
        answering.prepare(reference)
    else:
        answering.send(reference)
    return redirect("refer:request", key=key)


def _upload(request: HttpRequest, file: Any) -> tuple[Any, str] | None:
    if oversize := oversize_of(request, LIMITS):
        raise ValidationError({"file": oversize})
    if file is None:
        return None
    if not file.size:
        raise ValidationError({"file": refusal("empty", LIMITS)})
    return file, file.name or ""


@with_key(LinkPurpose.LETTER, LinkPurpose.RELEASE)
def file(request: HttpRequest, link: Link, key: str) -> HttpResponse:
    """The file that the referee has attached, or the scan that is to be confirmed."""
    if request.method != "GET":
        return HttpResponseNotAllowed(["GET"])
    reference = link.reference
    assert reference is not None
    if reference.way == Way.SCAN and reference.scan is not None:
        return rebuilt_file(reference.scan, f"letter-{reference.code}")
    held = answering.draft_of(reference) or answering.sent_of(reference)
    if held is None or held.file is None:
        raise Http404
    return original_file(held.file)


@with_key(LinkPurpose.LETTER)
def decline(request: HttpRequest, link: Link, key: str) -> HttpResponse:
    """No, with a reason: the applicant can then ask another person."""
    context = _context(link, key)
    reference: Reference = context["reference"]
    form = DeclineForm(request.POST if request.method == "POST" else None, is_scan=reference.way == Way.SCAN)
    status = 200
    if form.is_bound:
        status = 422
        if form.is_valid():
            try:
                answering.decline(reference, **form.cleaned_data)
                return redirect("refer:declined")
            except ValidationError as refused:
                form.accept_errors(refused)
                status = status_of(refused)
    elif reference.state == State.RECEIVED:
        return redirect("refer:request", key=key)
    return render(request, "refer/decline.html", {**context, "form": form}, status=status)


@open_to_everybody
@require_GET
def declined(request: HttpRequest) -> HttpResponse:
    return render(request, "refer/declined.html")


@with_key(LinkPurpose.RELEASE)
def release(request: HttpRequest, link: Link, key: str) -> HttpResponse:
    """The referee reads what somebody has prepared, and sends it."""
    context = _context(link, key)
    reference: Reference = context["reference"]
    errors = None
    if request.method == "POST":
        try:
            answering.release(reference, known_version=whole(request.POST.get("version")))
            return redirect("refer:release", key=key)
        except ValidationError as refused:
            errors = refused
    draft = answering.draft_of(reference)
    context |= {"draft": draft, "sent": answering.sent_of(reference), "errors": errors, "letter_key": key_of(link_to(reference))}
    return render(request, "refer/release.html", context, status=status_of(errors))


# -- All requests to one address ---------------------------------------------------


@open_to_everybody
@require_http_methods(["GET", "POST"])
def letters(request: HttpRequest) -> HttpResponse:
    """Ask for the list of all requests to an address. The answer is the same whether there are any."""
    form = AddressForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        answering.send_list(form.cleaned_data["address"])
        return render(request, "refer/letters.html", {"sent_to": form.cleaned_data["address"]})
    return render(request, "refer/letters.html", {"form": form}, status=422 if form.errors else 200)


@with_key(LinkPurpose.LIST)
def requests(request: HttpRequest, link: Link, key: str) -> HttpResponse:
    """All requests that went to this address, over all calls."""
    rows = []
    for reference in answering.requests_to(link.address):
        is_open = reference.state in STANDING and reference.application.state != ApplicationState.WITHDRAWN
        rows.append(
            {
                "reference": reference,
                "asker": reference.asker,
                "due": due_of(reference.application),
                "key": key_of(link_to(reference)) if is_open else "",
                "is_needed": answering.is_needed(reference),
            }
        )
    return render(request, "refer/requests.html", {"rows": rows, "address": link.address, "key": key})


# -- Is this request real? ---------------------------------------------------------


@open_to_everybody
@require_GET
def check(request: HttpRequest) -> HttpResponse:
    """Whether a code is that of a request of ours: who asks, for which call, due when; nothing of the referee."""
    form = CheckForm(request.GET) if "code" in request.GET else CheckForm()
    found = None
    if form.is_bound and form.is_valid():
        rows = Reference.objects.filter(check_code=form.cleaned_data["code"], state__in=STANDING)
        found = rows.select_related("application__call", "application__version", "application__applicant").first()
        if found is None:
            form.add_error(
                "code", _("We know no request with this code. If a mail gave it to you, please tell the office, and open no link in it.")
            )
    context = {"form": form, "found": found}
    if found is not None:
        context |= {
            "asker": found.asker,
            "call": found.application.call,
            "due": due_of(found.application),
        }
    return render(request, "refer/check.html", context, status=404 if form.is_bound and found is None else 200)
