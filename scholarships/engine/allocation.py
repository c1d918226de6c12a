"""Quotas + a merit order + ranked choices -> places, and for every refused choice the quota that refused it.

Mode ``merit``: applicants in merit order take their first choice that still fits every quota (the
serial rule under hereditary constraints). Caps of any shape, nested or crossing. The outcome is
unique, nobody is passed over by somebody ranked lower on the quotas that bind, and no place that
somebody could use stays empty.

Run without Django and without a database::

    python -m scholarships.engine.allocation PROBLEM.json > RESULT.json

Source: docs/selection.md (semantics, formats of PROBLEM and RESULT).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from scholarships.engine.problem import (
    Applicant,
    Model,
    Option,
    Quota,
    bucket_name,
    canonical,
    compile_call,
    digest,
    lottery,
    merit_key,
    problem_json,
    read_problem,
)

__all__ = [
    "Applicant", "Model", "Option", "Quota", "Reason", "Result", "Update", "allocate", "bucket_name", "canonical", "compile_call", "decline",
    "digest", "lottery", "merit_key", "problem_json", "read_problem",
]  # fmt: skip

AWARDED, REFUSED, NOT_REACHED = "awarded", "refused", "not reached"


@dataclass(frozen=True)
class Reason:
    """What became of one choice. ``quota`` (a bucket), ``used``, ``cap``, ``cut_rank``, ``cut_score`` say what refused it.

    A bucket with a cap of 0 was never filled by anybody, so that there is no cut.
    """

    choice: str
    outcome: str
    quota: str | None = None
    used: int | None = None
    cap: int | None = None
    cut_rank: int | None = None
    cut_score: Decimal | None = None


@dataclass(frozen=True)
class Result:
    """One outcome: ``award`` of each applicant, ``reasons`` for each choice, ``cutoffs`` of the full buckets.

    A cut-off is the merit rank (from 1) and the score of the award that filled the bucket. You hold your first choice
    whose buckets all have no cut-off or one at or behind your rank, and no cap of 0.
    """

    model: Model
    awards: Mapping[str, str | None]
    reasons: Mapping[str, tuple[Reason, ...]]
    cutoffs: Mapping[str, tuple[int, Decimal]]

    def award(self, applicant: str) -> str | None:
        return self.awards[applicant]

    def explain(self, applicant: str) -> tuple[Reason, ...]:
        return self.reasons[applicant]

    def waiting(self, option: str) -> list[str]:
        """Everyone who ranks OPTION above what they hold, in merit order."""
        return self._all_waiting().get(option, [])

    def _all_waiting(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for person in self.model.order:
            held = self.awards[person.id]
            for choice in person.choices:
                if choice == held:
                    break
                found.setdefault(choice, []).append(person.id)
        return found

    def to_json(self) -> dict[str, Any]:
        """RESULT as it is published, with its digests."""
        body: dict[str, Any] = {
            "seed": self.model.seed,
            "mode": "merit",
            "order": [person.id for person in self.model.order],
            "awards": dict(self.awards),
            "reasons": {person: [_reason_json(reason) for reason in reasons] for person, reasons in self.reasons.items()},
            "cutoffs": {bucket: [{"pools": [], "rank": rank, "score": str(score)}] for bucket, (rank, score) in self.cutoffs.items()},
            "waiting": self._all_waiting(),
            "reserves": {},
            "rounds": 1,
            "released": [],
        }
        return {"digest": {"input": digest(problem_json(self.model)), "output": digest(body)}, **body}


def _reason_json(reason: Reason) -> dict[str, Any]:
    cut = None if reason.cut_score is None else str(reason.cut_score)
    return {
        "choice": reason.choice,
        "outcome": reason.outcome,
        "quota": reason.quota,
        "used": reason.used,
        "cap": reason.cap,
        "cut_rank": reason.cut_rank,
        "cut_score": cut,
    }


def allocate(model: Model) -> Result:
    """Give each applicant, in merit order, the first choice that still fits every quota.

    Buckets only fill, so that what has refused one applicant refuses every later one of the same type, for the same reason.
    """
    used: dict[str, int] = {}
    filled_by: dict[str, tuple[int, Decimal]] = {}
    refusals: dict[tuple[tuple[str, ...], str], Reason] = {}
    awards: dict[str, str | None] = {}
    reasons: dict[str, tuple[Reason, ...]] = {}
    for rank, person in enumerate(model.order, start=1):
        awards[person.id] = None
        kind = model.type_of(person)
        explained = []
        for choice in person.choices:
            if awards[person.id] is not None:
                explained.append(Reason(choice, NOT_REACHED))
                continue
            if (kind, choice) in refusals:
                explained.append(refusals[kind, choice])
                continue
            buckets = model.buckets(person, choice)
            full = [(name, cap) for name, cap in buckets if used.get(name, 0) >= cap]
            if full:
                refusals[kind, choice] = _refusal(choice, full, used, filled_by)
                explained.append(refusals[kind, choice])
                continue
            awards[person.id] = choice
            explained.append(Reason(choice, AWARDED))
            for name, cap in buckets:
                used[name] = used.get(name, 0) + 1
                if used[name] == cap:
                    filled_by[name] = (rank, person.score)
        reasons[person.id] = tuple(explained)
    return Result(model, awards, reasons, filled_by)


def _refusal(choice: str, full: Sequence[tuple[str, int]], used: Mapping[str, int], filled_by: Mapping[str, tuple[int, Decimal]]) -> Reason:
    """Names the bucket that was full first; one with a cap of 0 was so from the beginning."""
    name, cap = min(full, key=lambda bucket: filled_by.get(bucket[0], (0, Decimal(0)))[0])
    cut_rank, cut_score = filled_by.get(name, (None, None))
    return Reason(choice, REFUSED, name, used.get(name, 0), cap, cut_rank, cut_score)


@dataclass(frozen=True)
class Update:
    """After declines: the awards now, and the moves that led there, in order: (applicant, from, to)."""

    awards: Mapping[str, str | None]
    moves: tuple[tuple[str, str | None, str], ...]


def decline(model: Model, awards: Mapping[str, str | None], leavers: Iterable[str], frozen: Iterable[str] = ()) -> Update:
    """Free the places of LEAVERS and let others move up. An update, not a rerun: nobody loses.

    Repeat: the best-ranked applicant who is not frozen and can move to a better choice without
    displacing anybody (the own place counts as free) moves to the best such choice. Who holds
    something outside the own choices (placed by hand) stays there.

    Args:
        awards: what each applicant holds now.
        frozen: applicants who take no upgrade.

    Source: docs/selection.md, 1.2.7.
    """
    gone, still = set(leavers), set(frozen)
    now = {person.id: None if person.id in gone else awards.get(person.id) for person in model.order}
    used: dict[str, int] = {}
    for person in model.order:
        held = now[person.id]
        if held is not None:
            for name, _cap in model.buckets(person, held):
                used[name] = used.get(name, 0) + 1
    moves: list[tuple[str, str | None, str]] = []
    unmoved, position = gone | still, 0
    while position < len(model.order):
        person = model.order[position]
        held = now[person.id]
        target = None if person.id in unmoved else _better(model, person, held, used)
        if target is None:
            position += 1
            continue
        for name, _cap in model.buckets(person, held) if held is not None else ():
            used[name] -= 1
        for name, _cap in model.buckets(person, target):
            used[name] = used.get(name, 0) + 1
        now[person.id] = target
        moves.append((person.id, held, target))
        position = position + 1 if held is None else 0  # who held nothing frees nothing: nobody before can move now
    return Update(now, tuple(moves))


def _better(model: Model, person: Applicant, held: str | None, used: Mapping[str, int]) -> str | None:
    """The best choice above what PERSON holds that displaces nobody."""
    if held is not None and held not in person.choices:
        return None
    own = {name for name, _cap in model.buckets(person, held)} if held is not None else set()
    for choice in person.choices:
        if choice == held:
            return None
        if all(used.get(name, 0) - (name in own) < cap for name, cap in model.buckets(person, choice)):
            return choice
    return None


def main(arguments: Sequence[str]) -> int:
    if len(arguments) != 1:
        print("usage: python -m scholarships.engine.allocation PROBLEM.json > RESULT.json", file=sys.stderr)
        return 2
    try:
        text = Path(arguments[0]).read_text(encoding="utf-8")
        result = canonical(allocate(read_problem(json.loads(text, parse_float=Decimal))).to_json())
    except OSError as error:
        print(f"{arguments[0]}: {error.strerror}.", file=sys.stderr)
        return 2
    except UnicodeDecodeError:
        print(f"{arguments[0]}: this is not UTF-8.", file=sys.stderr)
        return 2
    except (json.JSONDecodeError, RecursionError) as error:
        print(f"{arguments[0]}: this is not JSON: {error}.", file=sys.stderr)
        return 2
    except ValueError as error:
        print(f"{arguments[0]}: {error}", file=sys.stderr)
        return 2
    sys.stdout.buffer.write(result + b"\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
