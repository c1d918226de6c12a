"""How the reviewer's pages find a file and each other; the query of the list stays in every address."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from exchange.review.desk import Desk
from exchange.review.queries import Query
from scholarships.reviews.models import Assignment, Progress


def own(request: HttpRequest, code: str) -> Assignment:
    """The reader's own file with this code, without anything that names the applicant; anything else is not there."""
    return get_object_or_404(Assignment.objects.visible_to(request.user).blind(), code=code)


def asked(request: HttpRequest) -> str:
    """The query of the list that the reader came from."""
    return (request.POST if request.method == "POST" else request.GET).get("q", "")


def address(name: str, *args: str, q: str = "", **more: str) -> str:
    said = {key: value for key, value in {"q": q, **more}.items() if value}
    return reverse(f"review:{name}", args=args) + (f"?{urlencode(said)}" if said else "")


@dataclass(frozen=True)
class Chip:
    """A filter as a link; ``count`` says how many files it leads to, None where that is not counted."""

    label: Any
    url: str
    is_on: bool
    count: int | None = None


def chips_of(query: Query, desk: Desk, counts: Counter[str]) -> list[Chip]:
    """The filters of the list. COUNTS: what the rest of QUERY finds, by progress."""
    on = query.values("is")
    chips = [Chip(_("All"), address("mine", q=str(query.replacing("is"))), not on, sum(counts.values()))]
    for progress, label in ((Progress.TODO, _("To do")), (Progress.DRAFT, _("Drafts")), (Progress.DONE, _("Done"))):
        chips.append(Chip(label, address("mine", q=str(query.replacing("is", progress))), on == (progress,), counts[progress]))
    for row in desk.calls if len(desk.calls) > 1 else ():
        is_on = query.values("call") == (row.call.code,)
        chips.append(Chip(row.call.title, address("mine", q=str(query.replacing("call", "" if is_on else row.call.code))), is_on))
    return chips
