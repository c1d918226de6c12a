"""The one query box of a reviewer: ``is:todo country:KG level:master call:sco-2027 “public health”``.

It looks into references, fields, programmes and hosts. It cannot look into names: a search would tell
who somebody is as surely as a page that shows it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.db.models import Q

from scholarships.programmes.fields import FIELDS, field_name
from scholarships.programmes.models import Level
from scholarships.reviews.models import AssignmentQuerySet, Progress

LONGEST = 200
_TOKEN = re.compile(r'(?:(?P<key>[a-z]+):)?(?:["“](?P<phrase>[^"”]*)["”]?|(?P<word>\S+))', re.IGNORECASE)
_SHOWN = {Progress.TODO.value, Progress.DRAFT.value, Progress.DONE.value}
_LOOKUPS = {"is": "progress__in", "country": "application__country__in", "level": "application__level__in", "call": "call__code__in"}


@dataclass(frozen=True)
class Query:
    """``filters``: key -> values, any of which will do; ``words``: each must be found; ``unknown``: what was not understood."""

    filters: tuple[tuple[str, tuple[str, ...]], ...] = ()
    words: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    def values(self, key: str) -> tuple[str, ...]:
        return dict(self.filters).get(key, ())

    def replacing(self, key: str, value: str = "") -> Query:
        """The same query with VALUE alone for KEY, or without KEY."""
        kept = tuple((name, values) for name, values in self.filters if name != key)
        return Query((((key, (value,)),) if value else ()) + kept, self.words)

    def __str__(self) -> str:
        return " ".join([*(f"{key}:{_quoted(value)}" for key, values in self.filters for value in values), *map(_quoted, self.words)])


def _quoted(said: str) -> str:
    return f'"{said}"' if " " in said else said


def parse(text: str) -> Query:
    """Read what was typed; what is no filter is a word, what is a wrong filter is unknown and left out."""
    filters: dict[str, list[str]] = {}
    words: list[str] = []
    unknown: list[str] = []
    for found in _TOKEN.finditer(text[:LONGEST].replace("\0", "")):
        key, said = (found["key"] or "").lower(), (found["phrase"] or found["word"] or "").strip()
        if not said:
            continue
        value = _known(key, said)
        if not key:
            words.append(said)
        elif value is None:
            unknown.append(found[0])
        elif value not in filters.setdefault(key, []):
            filters[key].append(value)
    return Query(tuple((key, tuple(values)) for key, values in filters.items()), tuple(words), tuple(unknown))


def _known(key: str, value: str) -> str | None:
    match key:
        case "is":
            return value.lower() if value.lower() in _SHOWN else None
        case "level":
            return value.lower() if value.lower() in Level.values else None
        case "country":
            return value.upper() if len(value) == 2 and value.isalpha() else None
        case "call":
            return value.lower()
    return None


def matching(assignments: AssignmentQuerySet, query: Query) -> AssignmentQuerySet:
    for key, values in query.filters:
        assignments = assignments.filter(**{_LOOKUPS[key]: values})
    for word in query.words:
        folded = word.casefold()
        fields = [code for code in FIELDS if folded in field_name(code).casefold()]
        assignments = assignments.filter(
            Q(application__code__icontains=word)
            | Q(application__first_choice__search__contains=folded)
            | Q(application__first_choice__field__in=fields)
        )
    return assignments
