"""Has this text been sent before? Fingerprints of runs of words, compared without reading the letters.

The words are folded (case, width, punctuation), each run of five is hashed, and the smallest hashes are kept: two
texts that share most of their runs share most of these, whatever was changed between (MinHash).
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from django.db.models import Count

from scholarships.references.models import Letter, Print

RUN = 5  # words
KEPT = 48  # prints of a letter
FEWEST_WORDS = 20
ALIKE = 0.5  # of the prints of the shorter text
MOST_COMPARED = 1500  # words
_WORD = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]|[^\W_\u3400-\u9fff\uf900-\ufaff]+")  # a Chinese character is a word of its own


def words_in(text: str) -> list[str]:
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def prints_of(text: str) -> set[int]:
    """The fingerprints of TEXT; none of one that is too short to be anybody's own."""
    words = words_in(text)
    if len(words) < FEWEST_WORDS:
        return set()
    runs = {" ".join(words[at : at + RUN]) for at in range(len(words) - RUN + 1)}
    hashes = (int.from_bytes(hashlib.blake2b(run.encode(), digest_size=8).digest(), "big") >> 1 for run in runs)
    return set(sorted(hashes)[:KEPT])


def keep_prints(letter: Letter) -> None:
    """Store the fingerprints of LETTER, in the caller's transaction."""
    Print.objects.filter(letter=letter).delete()
    Print.objects.bulk_create(Print(letter=letter, value=value) for value in prints_of(said_in(letter)))


def said_in(letter: Letter) -> str:
    return f"{letter.text}\n{letter.extract}"


@dataclass(frozen=True)
class Twin:
    """Another letter with the same text; ``share`` is how much of the fingerprints, in per cent."""

    letter: Letter
    share: int


def alike(letters: Sequence[Letter]) -> dict[int, list[Twin]]:
    """Letter pk -> those about other applicants that say the same: a hint for officers and nobody else. Three queries, however many."""
    own: dict[int, set[int]] = {}
    for pk, value in Print.objects.filter(letter__in=[letter.pk for letter in letters]).values_list("letter_id", "value"):
        own.setdefault(pk, set()).add(value)
    values = set().union(*own.values()) if own else set()
    if not values:
        return {}
    about = {letter.pk: letter.reference.application.applicant_id for letter in letters}
    others: dict[int, set[int]] = {}
    for pk, value in Print.objects.filter(value__in=values, letter__sent_at__isnull=False).values_list("letter_id", "value"):
        others.setdefault(pk, set()).add(value)
    near = [
        pk
        for pk, theirs in others.items()
        if any(pk != mine and len(theirs & prints) >= ALIKE * len(prints) for mine, prints in own.items())
    ]
    rows = Letter.objects.filter(pk__in=near).select_related("reference__application__call").annotate(size=Count("prints"))
    found: dict[int, list[Twin]] = {}
    for other in rows.order_by("pk"):
        for pk, prints in own.items():
            share = len(others[other.pk] & prints) / max(1, min(len(prints), other.size))  # type: ignore[attr-defined]
            if pk != other.pk and share >= ALIKE and other.reference.application.applicant_id != about[pk]:
                found.setdefault(pk, []).append(Twin(other, round(100 * share)))
    return found


def common_passage(one: str, other: str) -> str:
    """The longest run of words that stands in both, as it stands in ONE: the place that an officer looks at."""
    mine, theirs = words_in(one)[:MOST_COMPARED], words_in(other)[:MOST_COMPARED]
    match = SequenceMatcher(None, mine, theirs, autojunk=False).find_longest_match()
    glue = "" if any("\u3400" <= word[0] <= "\u9fff" for word in mine[match.a : match.a + 1]) else " "
    return glue.join(mine[match.a : match.a + match.size])
