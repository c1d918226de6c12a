"""Who may review one application, who does, and why somebody may not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count
from django.utils.translation import gettext as _

from scholarships.applications.models import Application
from scholarships.people.models import User
from scholarships.reviews.conflicts import NAMES, conflict_between, sides_of
from scholarships.reviews.models import Assignment, Progress
from scholarships.reviews.rules import reviewers_of


@dataclass(frozen=True)
class Candidate:
    """A reviewer of the call; ``why_not`` says what keeps them away, "" when nothing does. ``files`` are on their desk."""

    reviewer: User
    files: int
    why_not: str


def candidates_for(application: Application, assignments: Sequence[Assignment]) -> list[Candidate]:
    """The reviewers of the call without those who have the file: who may have it first, the least loaded first."""
    call = application.call
    present = {one.reviewer_id: one for one in assignments}
    files = dict(Assignment.objects.open().filter(call=call).order_by().values_list("reviewer").annotate(Count("pk")))
    side = sides_of([application])[application.pk]
    found = []
    for reviewer in reviewers_of(call):
        row = present.get(reviewer.pk)
        if row and row.progress != Progress.RECUSED:
            continue
        conflict = conflict_between(reviewer, side)
        why_not = _("left this file for a conflict of interest") if row else str(NAMES[conflict]) if conflict else ""
        found.append(Candidate(reviewer, files.get(reviewer.pk, 0), why_not))
    return sorted(found, key=lambda one: (bool(one.why_not), one.files, one.reviewer.name, one.reviewer.pk))
