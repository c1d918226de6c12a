"""How the letters of applications stand: for their officers, and for the review that may wait for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count

from scholarships.applications.models import Application
from scholarships.calls.form import Letters
from scholarships.calls.models import LetterTerms
from scholarships.references.actions import terms_of
from scholarships.references.dates import due_of
from scholarships.references.models import Reference, State


@dataclass(frozen=True)
class Standing:
    """``received`` of ``wanted``; ``is_short``: fewer than the call wants at least."""

    terms: Letters
    received: int
    due: datetime

    @property
    def is_short(self) -> bool:
        return self.received < self.terms.least

    @property
    def is_enough(self) -> bool:
        return self.received >= self.terms.wanted


def standing_of(application: Application) -> Standing | None:
    """How the letters of APPLICATION stand; None where none are asked for."""
    terms = terms_of(application)
    if terms is None:
        return None
    received = Reference.objects.filter(application=application, state=State.RECEIVED).count()
    return Standing(terms, received, due_of(application))


def waiting_for_letters(applications: Sequence[Application], *, at: datetime) -> list[Application]:
    """Those of APPLICATIONS whose call lets the review wait for letters, that have too few, and whose letters are not due yet."""
    versions = LetterTerms.objects.filter(version__in={one.version_id for one in applications}, review_waits=True)
    waiting = set(versions.values_list("version_id", flat=True))
    asking = [one for one in applications if one.version_id in waiting]
    if not asking:
        return []
    rows = Reference.objects.filter(application__in=[one.pk for one in asking], state=State.RECEIVED).order_by()
    received = dict(rows.values_list("application").annotate(n=Count("pk")))
    return [one for one in asking if (terms := terms_of(one)) is not None and received.get(one.pk, 0) < terms.least and at <= due_of(one)]
