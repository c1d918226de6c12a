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

import hashlib
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

AWARDED, REFUSED, NOT_REACHED = "awarded", "refused", "not reached"


@dataclass(frozen=True)
class Applicant:
    """``choices``: ids of options, best first. ``tie``: numbers, smaller is better, after the score."""

    id: str
    score: Decimal
    choices: tuple[str, ...]
    attrs: Mapping[str, str] = field(default_factory=dict)
    tie: tuple[Decimal, ...] = ()


@dataclass(frozen=True)
class Option:
    """What can be awarded."""

    id: str
    attrs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Quota:
    """Caps on awards, one bucket for each tuple of values of ``by`` ("a.country", "o.level", "o.id").

    ``caps``: values -> cap; ``default``: cap of a tuple that is not named, None for none.
    ``where``: attribute -> values that count ("a.gender": ("m",)); a pair outside is not counted.
    """

    id: str
    by: tuple[str, ...] = ()
    caps: Mapping[tuple[str, ...], int] = field(default_factory=dict)
    default: int | None = None
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Reason:
    """What became of one choice. ``quota``, ``used``, ``cap``, ``cut_rank``, ``cut_score`` say what refused it."""

    choice: str
    outcome: str
    quota: str | None = None
    used: int | None = None
    cap: int | None = None
    cut_rank: int | None = None
    cut_score: Decimal | None = None


@dataclass(frozen=True)
class Model:
    """A compiled call: applicants in merit order, and for each pair the buckets in which it counts."""

    seed: str
    order: tuple[Applicant, ...]
    options: Mapping[str, Option]
    quotas: tuple[Quota, ...]

    def buckets(self, applicant: Applicant, option: str) -> list[tuple[str, int]]:
        """The buckets in which an award of OPTION to APPLICANT counts: (name, cap)."""
        found = []
        attrs = self.options[option].attrs
        for quota in self.quotas:
            if not all(_value(name, applicant, option, attrs) in allowed for name, allowed in quota.where.items()):
                continue
            values = tuple(_value(name, applicant, option, attrs) for name in quota.by)
            cap = quota.caps.get(values, quota.default)
            if cap is not None:
                found.append((bucket_name(quota.id, values), cap))
        return found


def _value(name: str, applicant: Applicant, option: str, attrs: Mapping[str, str]) -> str:
    side, _dot, key = name.partition(".")
    if side == "a":
        return applicant.attrs.get(key, "")
    return option if key == "id" else attrs.get(key, "")


def bucket_name(quota: str, values: Sequence[str]) -> str:
    """ "country[KG]", or "total" for a quota without dimensions."""
    return f"{quota}[{','.join(values)}]" if values else quota


def lottery(seed: str, applicant: str) -> int:
    """The published draw: smaller goes first. Source: docs/selection.md, 1.2."""
    return int.from_bytes(hashlib.sha256(f"{seed}\0{applicant}".encode()).digest()[:8], "big")


def compile_call(applicants: Iterable[Applicant], options: Iterable[Option], quotas: Iterable[Quota], seed: str) -> Model:
    """Bring the input into its merit order: score, then ties, then the lottery, then id.

    Raises:
        ValueError: an id stands twice, a choice names no option, a cap is negative, or an attribute is misspelt.
    """
    chosen, people = list(options), list(applicants)
    known = {option.id: option for option in chosen}
    if len(known) != len(chosen):
        raise ValueError("Two options have the same id.")
    if len({person.id for person in people}) != len(people):
        raise ValueError("Two applicants have the same id.")
    for person in people:
        unknown = [choice for choice in person.choices if choice not in known]
        if unknown or len(set(person.choices)) != len(person.choices):
            raise ValueError(f"Applicant {person.id}: {'unknown choice ' + unknown[0] if unknown else 'a choice stands twice'}.")
    rules = tuple(quotas)
    for quota in rules:
        wrong = [name for name in (*quota.by, *quota.where) if name[:2] not in ("a.", "o.")]
        if wrong:
            raise ValueError(f"Quota {quota.id}: “{wrong[0]}” must begin with a. or o.")
        if any(cap < 0 for cap in (*quota.caps.values(), quota.default or 0)):
            raise ValueError(f"Quota {quota.id}: a cap is negative.")
    return Model(seed, tuple(sorted(people, key=lambda person: merit_key(person, seed))), known, rules)


def merit_key(person: Applicant, seed: str) -> tuple[Any, ...]:
    return (-person.score, person.tie, lottery(seed, person.id), person.id)


@dataclass(frozen=True)
class Result:
    """One outcome: ``award`` of each applicant, ``reasons`` for each choice, ``cutoffs`` of the full buckets."""

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
        found = []
        for person in self.model.order:
            if option in person.choices:
                held = self.awards[person.id]
                if held is None or person.choices.index(option) < person.choices.index(held):
                    found.append(person.id)
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
            "waiting": {option: waiting for option in self.model.options if (waiting := self.waiting(option))},
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
    """Give each applicant, in merit order, the first choice that still fits every quota."""
    used: dict[str, int] = {}
    filled_by: dict[str, tuple[int, Decimal]] = {}
    awards: dict[str, str | None] = {}
    reasons: dict[str, tuple[Reason, ...]] = {}
    for rank, person in enumerate(model.order, start=1):
        awards[person.id] = None
        explained = []
        for choice in person.choices:
            if awards[person.id] is not None:
                explained.append(Reason(choice, NOT_REACHED))
                continue
            buckets = model.buckets(person, choice)
            full = [(name, cap) for name, cap in buckets if used.get(name, 0) >= cap]
            if full:
                name, cap = min(full, key=lambda bucket: filled_by.get(bucket[0], (0, Decimal(0)))[0])
                cut = filled_by.get(name)
                explained.append(Reason(choice, REFUSED, name, used.get(name, 0), cap, cut[0] if cut else None, cut[1] if cut else None))
                continue
            awards[person.id] = choice
            explained.append(Reason(choice, AWARDED))
            for name, cap in buckets:
                used[name] = used.get(name, 0) + 1
                if used[name] == cap:
                    filled_by[name] = (rank, person.score)
        reasons[person.id] = tuple(explained)
    return Result(model, awards, reasons, filled_by)


@dataclass(frozen=True)
class Update:
    """After declines: the awards now, and the moves that led there, in order: (applicant, from, to)."""

    awards: Mapping[str, str | None]
    moves: tuple[tuple[str, str | None, str], ...]


def decline(model: Model, awards: Mapping[str, str | None], leavers: Iterable[str], frozen: Iterable[str] = ()) -> Update:
    """Free the places of LEAVERS and let others move up. An update, not a rerun: nobody loses.

    Repeat: the best-ranked applicant who is not frozen and can move to a better choice without
    displacing anybody (the own place counts as free) moves to the best such choice.

    Args:
        awards: what each applicant holds now.
        frozen: applicants who take no upgrade.

    Source: docs/selection.md, 1.2.7.
    """
    gone, still = set(leavers), set(frozen)
    now = {person: None if person in gone else held for person, held in awards.items()}
    used: dict[str, int] = {}
    people = {person.id: person for person in model.order}
    for person_id, held in now.items():
        if held is not None:
            for name, _cap in model.buckets(people[person_id], held):
                used[name] = used.get(name, 0) + 1
    moves: list[tuple[str, str | None, str]] = []
    while move := _next_move(model, now, used, gone | still):
        person, target = move
        held = now[person.id]
        for name, _cap in model.buckets(person, held) if held is not None else ():
            used[name] -= 1
        for name, _cap in model.buckets(person, target):
            used[name] = used.get(name, 0) + 1
        now[person.id] = target
        moves.append((person.id, held, target))
    return Update(now, tuple(moves))


def _next_move(model: Model, now: Mapping[str, str | None], used: Mapping[str, int], unmoved: set[str]) -> tuple[Applicant, str] | None:
    for person in model.order:
        if person.id in unmoved:
            continue
        held = now[person.id]
        own = {name for name, _cap in model.buckets(person, held)} if held is not None else set()
        better = person.choices[: person.choices.index(held)] if held is not None else person.choices
        for choice in better:
            if all(used.get(name, 0) - (name in own) < cap for name, cap in model.buckets(person, choice)):
                return person, choice
    return None


# -- PROBLEM as a file -----------------------------------------------------------


def canonical(value: Any) -> bytes:
    """The bytes that digests cover: sorted keys, no blanks, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest(value: Any) -> str:
    return hashlib.sha256(canonical(value)).hexdigest()


def problem_json(model: Model) -> dict[str, Any]:
    """PROBLEM of MODEL; applicants, options and caps in the order of their ids, so that equal input has equal bytes."""
    return {
        "mode": "merit",
        "seed": model.seed,
        "options": [
            {"id": option.id, "attrs": dict(option.attrs), "cost": 1}
            for option in sorted(model.options.values(), key=lambda option: option.id)
        ],
        "applicants": [
            {
                "id": person.id,
                "score": str(person.score),
                "tie": [str(tie) for tie in person.tie],
                "choices": list(person.choices),
                "attrs": dict(person.attrs),
            }
            for person in sorted(model.order, key=lambda person: person.id)
        ],
        "quotas": [
            {
                "id": quota.id,
                "by": list(quota.by),
                "caps": [[list(values), cap] for values, cap in sorted(quota.caps.items())],
                "default": quota.default,
                "where": {name: list(values) for name, values in quota.where.items()},
                "reserves": [],
                "open_first": False,
                "use_cost": False,
            }
            for quota in model.quotas
        ],
    }


def read_problem(data: Mapping[str, Any]) -> Model:
    """PROBLEM -> Model.

    Raises:
        ValueError: it asks for what this engine does not do (mode lists, reserves, costs), or is inconsistent.
    """
    if data.get("mode", "merit") != "merit":
        raise ValueError("Only mode “merit” is known here.")
    if any(quota.get("reserves") or quota.get("open_first") or quota.get("use_cost") for quota in data["quotas"]):
        raise ValueError("Reserves and costs are not known here.")
    return compile_call(
        [
            Applicant(
                row["id"],
                Decimal(str(row["score"])),
                tuple(row["choices"]),
                row.get("attrs", {}),
                tuple(Decimal(str(tie)) for tie in row.get("tie", ())),
            )
            for row in data["applicants"]
        ],
        [Option(row["id"], row.get("attrs", {})) for row in data["options"]],
        [
            Quota(
                row["id"],
                tuple(row["by"]),
                {tuple(values): cap for values, cap in row["caps"] if cap is not None},
                row.get("default"),
                {name: tuple(values) for name, values in row.get("where", {}).items()},
            )
            for row in data["quotas"]
        ],
        data["seed"],
    )


def main(arguments: Sequence[str]) -> int:
    if len(arguments) != 1:
        print("usage: python -m scholarships.engine.allocation PROBLEM.json > RESULT.json", file=sys.stderr)
        return 2
    try:
        model = read_problem(json.loads(Path(arguments[0]).read_text(encoding="utf-8")))
    except (OSError, KeyError, TypeError, ValueError, ArithmeticError) as error:
        print(f"{arguments[0]}: {error}", file=sys.stderr)
        return 2
    sys.stdout.buffer.write(canonical(allocate(model).to_json()) + b"\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
