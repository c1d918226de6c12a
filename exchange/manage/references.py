"""The letters of referees on the record of an application: how each stands, and what an officer should know of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from exchange.ui.marks import REFERENCE_LOOKS
from scholarships.applications.models import Application
from scholarships.references.models import Letter, Reference, State
from scholarships.references.prints import Twin, alike, common_passage, said_in
from scholarships.references.standing import Standing, standing_of


@dataclass(frozen=True)
class Line:
    """One referee; ``letter`` where the reader may open it, ``twins`` those that say the same about others."""

    reference: Reference
    look: str
    letter: Letter | None
    twins: tuple[Twin, ...]


@dataclass(frozen=True)
class Letters:
    standing: Standing
    lines: tuple[Line, ...]


def letters_of(user: Any, application: Application) -> Letters | None:
    """The letters of APPLICATION for USER, its officer; None where the call asks for none. No word of a letter is fetched."""
    standing = standing_of(application)
    if standing is None:
        return None
    readable = _readable(user, application)
    twins = alike(list(readable.values()))
    return Letters(
        standing,
        tuple(
            Line(
                row,
                REFERENCE_LOOKS[State(row.state)],
                readable.get(row.pk),
                tuple(twins.get(readable[row.pk].pk, ())) if row.pk in readable else (),
            )
            for row in Reference.objects.filter(application=application)
        ),
    )


def _readable(user: Any, application: Application) -> Mapping[int, Letter]:
    """Reference pk -> its letter without its words, of those that USER may read."""
    rows = Letter.objects.visible_to(user).filter(reference__application=application).select_related("reference__application")
    return {row.reference_id: row for row in rows.defer("text", "extract").order_by("number")}


@dataclass(frozen=True)
class Place:
    """Where the same text stands: in a letter about another applicant. ``code`` is "" where the reader may not open that file."""

    call: str
    code: str
    share: int
    passage: str


def places_of(user: Any, letter: Letter) -> list[Place]:
    """The letters that say the same as LETTER, with the passage."""
    found = alike([letter]).get(letter.pk, [])
    open_to_user = set(
        Application.objects.run_by(user)
        .filter(pk__in=[twin.letter.reference.application_id for twin in found])
        .values_list("pk", flat=True)
    )
    return [
        Place(
            call=str(twin.letter.reference.application.call.title),
            code=twin.letter.reference.application.code if twin.letter.reference.application_id in open_to_user else "",
            share=twin.share,
            passage=common_passage(said_in(letter), said_in(twin.letter)),
        )
        for twin in found
    ]


def rated(letter: Letter) -> list[tuple[str, str]]:
    """Each line of the grid with the words of its level."""
    said = []
    for line in letter.reference.terms.ratings:
        mark = letter.ratings.get(line.key)
        if line.key in letter.ratings:
            said.append((str(line.title), str(line.anchors[mark - 1]) if isinstance(mark, int) and 1 <= mark <= len(line.anchors) else "–"))
    return said
