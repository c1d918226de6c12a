"""Places are set, held, released, taken and given back; each move is a row of the ledger.

``hold`` and ``use`` are conditional UPDATEs under a CHECK constraint: of two that want the last
place exactly one succeeds, on every database. Callers take several quotas in the order of their
keys, late in the transaction.
"""

from __future__ import annotations

from collections.abc import Iterable
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


@transaction.atomic
def set_places(call: Call, purpose: str, by: str, places: dict[tuple[str, ...], int], *, user: Any = None, reason: str = "") -> int:
    """Set the PLACES of the cells of one dimension; other cells stay. Gives how many changed.

    Raises:
        ValidationError: code ``below_taken``: a cell would have fewer places than are held or taken;
            code ``not_places``: a number is negative. Nothing is set then.
    """
    known = {quota.cell: quota for quota in Quota.objects.filter(call=call, purpose=purpose, by=by)}
    changed = 0
    for values, number in places.items():
        cell = cell_of(*values)
        if number < 0:
            raise ValidationError(_("Places of %(cell)s: give 0 or more."), code="not_places", params={"cell": cell})
        quota = known.get(cell)
        if quota is None:
            quota = known[cell] = Quota.objects.create(call=call, purpose=purpose, by=by, cell=cell, places=number)
            before = 0
        elif quota.places == number:
            continue
        else:
            before = quota.places
            if not Quota.objects.filter(pk=quota.pk, held__lte=number - F("used")).update(places=number):
                quota.refresh_from_db()
                raise ValidationError(
                    _("%(cell)s: %(taken)s places are held or taken already, so %(number)s cannot be set."),
                    code="below_taken",
                    params={"cell": cell, "taken": quota.held + quota.used, "number": number},
                )
        Entry.objects.create(quota=quota, move=Move.SET, places=number - before, by=user, reason=reason)
        changed += 1
    if changed:
        record(QUOTAS_SET, call, by=user, purpose=purpose, dimension=by, cells=changed)
    return changed


def _move(quotas: Iterable[Quota], move: Move, change: dict[str, int], subject: str, by: Any) -> bool:
    """Apply CHANGE (column -> +1 or -1) to each of QUOTAS, all or none. False when one is full.

    Call within a transaction that is rolled back on False.
    """
    quotas = sorted(quotas, key=lambda quota: quota.pk)
    need = sum(change.values())
    for quota in quotas:
        free_enough = Quota.objects.filter(pk=quota.pk, places__gte=F("held") + F("used") + need)
        if not free_enough.update(**{column: F(column) + step for column, step in change.items()}):
            return False
    Entry.objects.bulk_create(Entry(quota=quota, move=move, places=1, subject=subject, by=by) for quota in quotas)
    return True


class NoPlace(Exception):
    """One of the quotas has no free place."""


def hold(quotas: Iterable[Quota], *, subject: str, by: Any = None) -> None:
    """Hold one place in each of QUOTAS for SUBJECT (a code).

    Raises:
        NoPlace: one of them is full; nothing is held.
    """
    with transaction.atomic():
        if not _move(quotas, Move.HOLD, {"held": 1}, subject, by):
            raise NoPlace


def release(quotas: Iterable[Quota], *, subject: str, by: Any = None) -> None:
    """Give back a held place in each of QUOTAS."""
    _move(quotas, Move.RELEASE, {"held": -1}, subject, by)


def use(quotas: Iterable[Quota], *, subject: str, by: Any = None) -> None:
    """Turn a held place into a taken one in each of QUOTAS."""
    _move(quotas, Move.USE, {"held": -1, "used": 1}, subject, by)


def free(quotas: Iterable[Quota], *, subject: str, by: Any = None) -> None:
    """Give back a taken place in each of QUOTAS."""
    _move(quotas, Move.FREE, {"used": -1}, subject, by)


def award_quotas(call: Call) -> list[Quota]:
    return list(Quota.objects.filter(call=call, purpose=Purpose.AWARD).order_by("pk"))
