"""Pages of a list without counting it all: the count is capped, and a page is found by its offset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from exchange.ui.numbers import whole

MOST_COUNTED = 1000


@dataclass(frozen=True)
class Page:
    """``rows`` of one page; ``count`` is capped at 1,000 (``is_more`` says that there are more)."""

    rows: list[Any]
    number: int
    size: int
    count: int
    is_more: bool
    has_next: bool

    @property
    def first(self) -> int:
        return (self.number - 1) * self.size + 1 if self.rows else 0

    @property
    def last(self) -> int:
        return (self.number - 1) * self.size + len(self.rows)

    @property
    def previous(self) -> int | None:
        return self.number - 1 if self.number > 1 else None

    @property
    def next(self) -> int | None:
        return self.number + 1 if self.has_next else None


def page_number(value: str | None) -> int:
    return whole(value, digits=6) or 1


def page_of(ids: QuerySet[Any], rows: QuerySet[Any], number: int, size: int, *, count: int | None = None) -> Page:
    """Page NUMBER of what IDS finds, in its order: the keys first, then ROWS for these keys only.

    COUNT: how many there are, where the caller knows; it is asked for only where the page does not tell it.
    """
    start = (number - 1) * size
    pks = list(ids.values_list("pk", flat=True)[start : start + size + 1])
    found = rows.in_bulk(pks[:size])
    if pks and len(pks) <= size:
        count = start + len(pks)
    elif count is None:
        count = ids.order_by()[: MOST_COUNTED + 1].count()
    return Page(
        [found[pk] for pk in pks[:size] if pk in found], number, size, min(count, MOST_COUNTED), count > MOST_COUNTED, len(pks) > size
    )
