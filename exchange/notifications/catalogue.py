"""THE catalogue: what happened -> who hears of it, and how. A test fails for an event that is not in it.

``letter`` names the templates ``templates/emails/<letter>.{subject.txt,txt,html}``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from exchange.notifications import audiences
from exchange.notifications.audiences import Hearing
from scholarships.events.models import Event


@dataclass(frozen=True)
class Notice:
    """One kind of letter: who hears, which templates, which page it leads to (a path)."""

    kind: str
    who: str
    audience: Callable[[list[Event]], list[Hearing]]
    letter: str


APPLICANT, BODY, REVIEWER, OFFICER = "applicant", "nominating body", "reviewer", "officer"

NOTICES: dict[str, tuple[Notice, ...]] = {
    "application.submitted": (
        Notice("receipt", APPLICANT, audiences.applicant, "application.submitted"),
    ),
}  # fmt: skip

# Events that nobody is written to about, each with the reason.
SILENT: dict[str, str] = {}


def notices_for(event: str) -> tuple[Notice, ...]:
    return NOTICES.get(event, ())


def notice_of(kind: str) -> Notice | None:
    """The notice with this KIND, None for letters of accounts, which come rendered."""
    return _BY_KIND.get(kind)


_BY_KIND = {notice.kind: notice for notices in NOTICES.values() for notice in notices}
