"""Places are set, held, released, taken and given back; each move is a row of the ledger.

``hold`` and ``use`` are conditional UPDATEs under a CHECK constraint: of two that want the last
place exactly one succeeds, on every database. Callers take several quotas in the order of their
keys, late in the transaction.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from scholarships.calls.models import Call
from scholarships.events.actions import record
from scholarships.events.names import declare
from scholarships.quotas.models import Entry, Move, Purpose, Quota, cell_of

QUOTAS_SET = declare("call.quotas_set", "Places were set", "purpose", "dimension", "cells")


# -- Setting ---------------------------------------------------------------------


def award_quotas(call: Call) -> list[Quota]:
    return list(Quota.objects.filter(call=call, purpose=Purpose.AWARD).order_by("pk"))


def edition(quotas: Iterable[Quota]) -> str:
    """A short mark of the places as they stand: a page that shows them can tell whether others were set since."""
    said = "\n".join(sorted(f"{quota.by}[{quota.cell}]={quota.places}" for quota in quotas))
    return hashlib.sha256(said.encode()).hexdigest()[:16]


@transaction.atomic
def set_places(call: Call, purpose: str, by: str, places: Mapping[tuple[str, ...], int], *, user: Any = None, reason: str = "") -> int:
    """Set the PLACES of the cells of one dimension; other cells stay. Gives how many changed.

    Raises:
        ValidationError: one error a cell (``params`` name ``by`` and ``cell``): ``below_taken``: it would
            have fewer places than are held or taken; ``not_places``: the number is negative. Or
            ``changed_meanwhile``. Nothing is set then.
    """
    known = {quota.cell: quota for quota in Quota.objects.filter(call=call, purpose=purpose, by=by)}
    wanted = {cell_of(*values): number for values, number in places.items()}
    refused = [refusal for cell, number in wanted.items() if (refusal := _refusal(by, cell, number, known.get(cell)))]
    if refused:
        raise ValidationError(refused)
    changed = 0
    for cell, number in wanted.items():
        quota = known.get(cell)
        if quota is None:
            quota = Quota.objects.create(call=call, purpose=purpose, by=by, cell=cell, places=number)
            before = 0
        elif quota.places == number:
            continue
        else:
            before = quota.places
            if not Quota.objects.filter(pk=quota.pk, places=before, held__lte=number - F("used")).update(places=number):
                raise ValidationError(_("Somebody has just changed these places. Reload the page."), code="changed_meanwhile")
        Entry.objects.create(quota=quota, move=Move.SET, places=number - before, by=user, reason=reason)
        changed += 1
    if changed:
        record(QUOTAS_SET, call, by=user, purpose=purpose, dimension=by, cells=changed)
    return changed


def _refusal(by: str, cell: str, number: int, quota: Quota | None) -> ValidationError | None:
    if number < 0:
        return ValidationError(_("Places of %(cell)s: give 0 or more."), code="not_places", params={"by": by, "cell": cell})
    taken = quota.held + quota.used if quota else 0
    if number < taken:
        return ValidationError(
            _("%(cell)s: %(taken)s places are held or taken already, so %(number)s cannot be set."),
            code="below_taken",
            params={"by": by, "cell": cell, "taken": taken, "number": number},
        )
    return None


# -- Holding ---------------------------------------------------------------------


class NoPlace(Exception):
    """One of the quotas has no free place."""


def hold(quotas: Iterable[Quota], *, subject: str, by: Any = None) -> None:
    """Hold one place in each of QUOTAS for SUBJECT (a code).

    Raises:
        NoPlace: one of them is full; nothing is held.
    """
    hold_all({subject: quotas}, by=by)


def hold_all(wanted: Mapping[str, Iterable[Quota]], *, by: Any = None) -> None:
    """Hold one place in each quota for each subject (code -> its quotas), all or none.

    Raises:
        NoPlace: one of them has too few; nothing is held.
    """
    with transaction.atomic():
        if not _move(wanted, Move.HOLD, {"held": 1}, by):
            raise NoPlace


def release(quotas: Iterable[Quota], *, subject: str, by: Any = None) -> None:
    """Give back a held place in each of QUOTAS."""
    _move({subject: quotas}, Move.RELEASE, {"held": -1}, by)


def use(quotas: Iterable[Quota], *, subject: str, by: Any = None) -> None:
    """Turn a held place into a taken one in each of QUOTAS."""
    _move({subject: quotas}, Move.USE, {"held": -1, "used": 1}, by)


def free(quotas: Iterable[Quota], *, subject: str, by: Any = None) -> None:
    """Give back a taken place in each of QUOTAS."""
    free_all({subject: quotas}, by=by)


def free_all(wanted: Mapping[str, Iterable[Quota]], *, by: Any = None) -> None:
    """Give back a taken place in each quota of each subject (code -> its quotas)."""
    _move(wanted, Move.FREE, {"used": -1}, by)


def _move(wanted: Mapping[str, Iterable[Quota]], move: Move, change: Mapping[str, int], by: Any) -> bool:
    """Apply CHANGE (column -> +1 or -1) for each subject to each of its quotas. False when one is full.

    Call within a transaction that is rolled back on False.
    """
    rows = [(quota, subject) for subject, quotas in wanted.items() for quota in quotas]
    need = sum(change.values())
    for pk, times in sorted(Counter(quota.pk for quota, _subject in rows).items()):
        enough = Quota.objects.filter(pk=pk, places__gte=F("held") + F("used") + need * times)
        if not enough.update(**{column: F(column) + step * times for column, step in change.items()}):
            return False
    Entry.objects.bulk_create(
        [Entry(quota=quota, move=move, places=1, subject=subject, by=by) for quota, subject in sorted(rows, key=lambda row: row[0].pk)],
        batch_size=500,
    )
    return True
