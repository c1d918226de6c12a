"""My referees: whom I ask, how each request stands, remind, replace, cancel; and a letter that is open to me."""

from __future__ import annotations

import secrets
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from exchange.apply.forms import DoneForm, RefereeForm
from exchange.apply.pages import is_written, key_of, known_version, next_page, own
from exchange.ui.errors import conflict
from exchange.ui.files import rebuilt_file
from exchange.ui.guards import open_to
from exchange.ui.marks import REFERENCE_LOOKS
from exchange.ui.uploads import oversize_of
from scholarships.applications import actions
from scholarships.applications.answers import sections_for
from scholarships.applications.content import content_of
from scholarships.applications.models import Answer, Application
from scholarships.calls.form import Letters, Section
from scholarships.calls.models import SectionKind
from scholarships.documents.checking import limits_sentence
from scholarships.references import actions as asking
from scholarships.references.dates import due_of
from scholarships.references.models import STANDING, WAITING, Letter, Reference, State, Way


@open_to()
@require_http_methods(["GET", "POST"])
def letters(request: HttpRequest, code: str) -> HttpResponse:
    """Each referee with what has become of the request, and a form to ask another one."""
    application = own(request, code)
    terms = asking.terms_of(application)
    if terms is None:
        raise Http404
    instead = _named(application, request.GET.get("instead", "")) if request.GET.get("instead") else None
    form = RefereeForm(terms, initial=_prefilled(instead))
    if request.method == "POST":
        try:
            if answer := _done(request, application):
                return answer
            form = RefereeForm(terms, request.POST, request.FILES)
            if _ask(request, application, form, instead):
                return redirect("apply:letters", code=code)
        except ValidationError as refused:
            return conflict(request, refused, back=reverse("apply:letters", args=[code]))
    return render(request, "apply/letters.html", _context(application, terms, form, instead), status=422 if form.errors else 200)


def _named(application: Application, code: str) -> Reference:
    return get_object_or_404(
        Reference.objects.select_related("application__call", "application__version"), application=application, code=code
    )


def _prefilled(instead: Reference | None) -> dict[str, Any]:
    """What is said again of a referee whose mail came back; a new person begins with nothing."""
    if instead is None or instead.state != State.BOUNCED:
        return {}
    return {name: getattr(instead, name) for name in ("name", "position", "institution", "language", "note")}


def _done(request: HttpRequest, application: Application) -> HttpResponse | None:
    """What one of the small buttons asks for; None where it was the form.

    Raises:
        ValidationError: it cannot be done now.
    """
    if code := request.POST.get("remind", ""):
        asking.remind(_named(application, code), by=request.user)
        messages.success(request, _("The referee gets another mail."))
    elif code := request.POST.get("cancel", ""):
        asking.cancel(_named(application, code), by=request.user)
        messages.success(request, _("The request is taken back, and the referee is told."))
    elif "save" in request.POST or "exit" in request.POST:
        return _finish(request, application)
    else:
        return None
    return redirect("apply:letters", code=application.code)


def _finish(request: HttpRequest, application: Application) -> HttpResponse:
    """Mark the section, and go on: no letter need be there for that."""
    content = content_of(application)
    here = next(section for section in sections_for(content.form, content.facts) if section.kind == SectionKind.LETTERS)
    done = request.POST.get("done") == "y"
    actions.save_answers(application, here, {}, is_done=done, known_version=known_version(request), by=request.user)
    if "exit" in request.POST:
        return redirect("apply:tasks", code=application.code)
    return redirect(next_page(content, here, content.facts))


def _ask(request: HttpRequest, application: Application, form: RefereeForm, instead: Reference | None) -> bool:
    """Whether the referee is asked; where not, FORM says why."""
    is_good = form.is_valid()
    if oversize := oversize_of(request, asking.LIMITS):
        form.errors.pop("file", None)
        form.add_error("file", oversize)
        return False
    if not is_good:
        return False
    said = form.cleaned_data
    try:
        reference = asking.ask(
            application, form.referee, by=request.user, scan=form.scan, instead=instead, is_sure=bool(said.get("sure")), key=key_of(request)
        )  # fmt: skip
    except ValidationError as refused:
        form.accept_errors(refused)
        return False
    messages.success(request, _("%(name)s is asked: a mail is on its way.") % {"name": reference.name})
    return True


def _context(application: Application, terms: Letters, form: RefereeForm, instead: Reference | None) -> dict[str, Any]:
    now = timezone.now()
    rows = list(Reference.objects.filter(application=application).select_related("scan"))
    received = sum(row.state == State.RECEIVED for row in rows)
    is_enough, due = received >= terms.wanted, due_of(application)
    is_open = now <= due
    content = content_of(application)
    sections = sections_for(content.form, content.facts)
    section: Section = next(one for one in sections if one.kind == SectionKind.LETTERS)
    answer: Answer | None = content.answers.get(section.key)
    return {
        "application": application,
        "call": application.call,
        "terms": terms,
        "section": section,
        "number": sections.index(section) + 1,
        "count": len(sections),
        "rows": [
            {
                "reference": row,
                "look": REFERENCE_LOOKS[State(row.state)] if row.state not in WAITING or not is_enough else "off",
                "is_needed": row.state not in WAITING or not is_enough,
                "may_remind": is_open and not is_enough and asking.may_remind(row, now),
                "reminders_left": asking.MOST_REMINDERS - row.reminders,
                "is_waiting": row.state in WAITING,
                "may_replace": is_open and not is_enough and row.state in (*WAITING, State.DECLINED, State.BOUNCED),
                "may_read": row.state == State.RECEIVED and not row.is_confidential and row.way == Way.LINK,
            }
            for row in rows
            if row.state != State.CANCELLED
        ],
        "received": received,
        "due": due,
        "is_open": is_open,
        "may_ask": is_open and not is_enough and (instead is not None or sum(row.state in STANDING for row in rows) < terms.most),
        "is_enough": is_enough,
        "form": form,
        "instead": instead,
        "limits": limits_sentence(asking.LIMITS),
        "key": secrets.token_urlsafe(16),
        "is_written": is_written(application) and content.revision.handed_in_at is None,
        "done": DoneForm(initial={"done": "y" if answer and answer.is_done else ""}),
        "version": answer.version if answer else 0,
    }


@open_to()
@require_GET
def letter(request: HttpRequest, code: str, reference: str) -> HttpResponse:
    """A letter that is open to me; a confidential one is not there."""
    application = own(request, code)
    rows = Letter.objects.visible_to(request.user).select_related("reference", "file__document")
    found = get_object_or_404(rows, reference__application=application, reference__code=reference)
    if request.GET.get("as") == "file":
        if found.file is None:
            raise Http404
        return rebuilt_file(found.file, f"{application.code}-letter-{found.reference.code}")
    return render(request, "apply/letter.html", {"application": application, "call": application.call, "letter": found})
