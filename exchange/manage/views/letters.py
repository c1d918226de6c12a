"""Which letters the site writes: the catalogue, as officers read it."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from exchange.notifications.catalogue import NOTICES, SILENT, Notice
from exchange.ui.guards import open_to
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
    rows = [
        Row(name, _(event.says), NOTICES.get(name, ()), str(SILENT.get(name, ""))) for name, event in sorted(all_names().items())
    ]
    return render(
        request,
        "manage/catalogue.html",
        {"told": [row for row in rows if row.notices], "silent": [row for row in rows if not row.notices]},
    )
