"""Which letters the site writes, and the words of a call's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from exchange.manage.agenda import call_of
from exchange.manage.forms.letters import WordingForm
from exchange.notifications import wordings
from exchange.notifications.catalogue import NOTICES, SILENT, Notice
from exchange.notifications.models import Wording
from exchange.notifications.sample import sample_letter
from exchange.ui.errors import status_of
from exchange.ui.guards import open_to
from exchange.ui.numbers import whole
from exchange.ui.templatetags.ui import reader_zone
from scholarships.calls.models import Call
from scholarships.events.names import all_names
from scholarships.people.rules import is_officer


@dataclass(frozen=True)
class Row:
    """One event: who hears of it, or why nobody does."""

    name: str
    says: str
    notices: tuple[Notice, ...]
    reason: str


@open_to(is_officer)
@require_GET
def catalogue(request: HttpRequest) -> HttpResponse:
    """Every event, in the order of their names, with the letters that it makes."""
    rows = [Row(name, _(event.says), NOTICES.get(name, ()), str(SILENT.get(name, ""))) for name, event in sorted(all_names().items())]
    return render(
        request,
        "manage/catalogue.html",
        {"told": [row for row in rows if row.notices], "silent": [row for row in rows if not row.notices]},
    )


# -- The words of a call's letters -----------------------------------------------


@open_to(is_officer)
@require_GET
def letters(request: HttpRequest, code: str) -> HttpResponse:
    """The letters whose words this call may set, and in which languages it has."""
    call = call_of(request, code)
    newest = {(row.letter, row.language): row for row in Wording.objects.filter(call=call).order_by("number")}
    rows = [
        {
            "letter": letter,
            "says": _(all_names()[letter].says),
            "languages": [(language, name, wordings.own(newest.get((letter, language)))) for language, name in settings.LANGUAGES],
        }
        for letter in wordings.LETTERS
    ]
    return render(request, "manage/letters.html", {"call": call, "rows": rows})


@open_to(is_officer)
@require_http_methods(["GET", "POST"])
def letter(request: HttpRequest, code: str, letter: str, language: str) -> HttpResponse:
    """Subject and text of one letter in one language: what is typed, what it becomes, and what it was before."""
    call = call_of(request, code)
    if letter not in wordings.LETTERS or language not in dict(settings.LANGUAGES):
        raise Http404
    history = list(Wording.objects.filter(call=call, letter=letter, language=language).select_related("by").order_by("-number"))
    own = wordings.own(history[0]) if history else None
    form = WordingForm(request.POST if request.method == "POST" else None, initial=_initial(request, history, own))
    status: int | None = 200
    if request.method == "POST":
        status = _status_of(request, call, letter, language, form)
        if status is None:
            return redirect("manage:letter", call.code, letter, language)
    context = {
        "call": call,
        "letter": letter,
        "says": _(all_names()[letter].says),
        "language": language,
        "languages": settings.LANGUAGES,
        "form": form,
        "own": own,
        "history": history,
        "known": history[0].number if history else 0,
        "placeholders": sorted(wordings.placeholders_of(letter).items()),
        "preview": _preview(call, letter, language, form),
        "zone": reader_zone(request.user) or "UTC",
    }
    return render(request, "manage/letter.html", context, status=status)


def _initial(request: HttpRequest, history: list[Wording], own: Wording | None) -> dict[str, str]:
    """The words that count, or those of the version that is asked for; else the standard text, to write around."""
    wanted = request.GET.get("version", "")
    chosen = next((row for row in history if str(row.number) == wanted and not row.is_standard), own)
    return {"subject": chosen.subject, "text": chosen.text} if chosen else {"subject": "", "text": f"{{{wordings.STANDARD}}}"}


def _status_of(request: HttpRequest, call: Call, letter: str, language: str, form: WordingForm) -> int | None:
    """The status of the page that is shown again, None where the act is done. A preview saves nothing."""
    known, act = whole(request.POST.get("known")), request.POST.get("act", "preview")
    try:
        if act == "reset":
            wordings.reset(call, letter, language, known=known, by=request.user)
            messages.success(request, _("The standard words count again."))
            return None
        if not form.is_valid():
            return 422
        if act != "save":
            wordings.check(letter, form.cleaned_data["subject"], form.cleaned_data["text"])
            return 200
        wordings.reword(call, letter, language, known=known, by=request.user, **form.cleaned_data)
    except ValidationError as refused:
        form.is_valid()
        form.accept_errors(refused)
        return status_of(refused)
    messages.success(request, _("The new words are saved. Letters that are written already stay as they are."))
    return None


def _preview(call: Call, letter: str, language: str, form: WordingForm) -> Any:
    """The letter as the invented applicant gets it; None where the words cannot be filled."""
    words = form.words()
    try:
        wordings.check(letter, words.subject, words.text)
    except ValidationError:
        return None
    with translation.override(language):
        return sample_letter(call, letter, words if words.subject.strip() else None)
