"""A referee's letter, read by an officer: each reading is written down."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from exchange.manage.listing import asked_by
from exchange.manage.record import plain, record_of
from exchange.manage.references import places_of, rated
from exchange.ui.files import page_response, rebuilt_file
from exchange.ui.guards import open_to
from scholarships.applications.models import Application
from scholarships.people.rules import is_officer
from scholarships.references.answering import note_reading
from scholarships.references.models import Letter


def _letter(request: HttpRequest, application: Application, reference: str) -> Letter:
    """The letter of this referee, if the reader may open it; anything else is not there."""
    rows = Letter.objects.visible_to(request.user).select_related(
        "reference__application__call", "reference__application__version", "file__document"
    )
    found = rows.filter(reference__application=application, reference__code=plain(reference)).order_by("-number").first()
    if found is None:
        raise Http404
    return found


@open_to(is_officer)
@require_GET
def reference(request: HttpRequest, code: str, reference: str) -> HttpResponse:
    """What the referee wrote, and whether the same text was sent about somebody else."""
    application = record_of(request, code)
    letter = _letter(request, application, reference)
    note_reading(letter, by=request.user)
    if request.GET.get("as") == "file":
        if letter.file is None:
            raise Http404
        return rebuilt_file(letter.file, f"{application.code}-letter-{letter.reference.code}")
    context = {
        "application": application,
        "call": application.call,
        "letter": letter,
        "reference": letter.reference,
        "places": places_of(request.user, letter),
        "ratings": rated(letter),
        "pages": range(1, letter.file.pages + 1) if letter.file else (),
        "wanted": asked_by(request.user, request.GET),
    }
    return render(request, "manage/reference.html", context)


@open_to(is_officer)
@require_GET
def reference_page(request: HttpRequest, code: str, reference: str, number: int) -> HttpResponse:
    """A page of the letter's file as an image; the page that shows it has written the reading down."""
    letter = _letter(request, record_of(request, code), reference)
    if letter.file is None:
        raise Http404
    return page_response(letter.file, number)
