"""Places in merit order under caps: by example, against the definition, and as the files that an auditor gets.

The oracle below reads PROBLEM as it is published and shares no code with the engine.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import random
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scholarships.engine.allocation import (
    Applicant,
    Option,
    Quota,
    Reason,
    allocate,
    canonical,
    compile_call,
    decline,
    digest,
    lottery,
    main,
    problem_json,
    read_problem,
)

ROOT = Path(__file__).parents[3]
EXAMPLES = Path(__file__).parent / "examples"


def person(name: str, score: str, *choices: str, tie: tuple[Any, ...] = (), **attrs: str) -> Applicant:
    return Applicant(name, Decimal(score), choices, attrs, tie)


def awards(people: list[Applicant], options: list[str | Option], quotas: list[Quota], seed: str = "") -> dict[str, str | None]:
    rows = [Option(option) if isinstance(option, str) else option for option in options]
    return dict(allocate(compile_call(people, rows, quotas, seed)).awards)


# -- By example ------------------------------------------------------------------


def test_the_better_score_takes_the_last_place_and_the_next_takes_the_second_choice():
    people = [person("ann", "80", "x", "y"), person("bek", "90", "x", "y"), person("cai", "70", "x", "y")]
    each = Quota("each", ("o.id",), {}, default=1)

    assert awards(people, ["x", "y"], [each]) == {"bek": "x", "ann": "y", "cai": None}


def test_without_quotas_everybody_gets_the_first_choice():
    assert awards([person("ann", "1", "x"), person("bek", "2", "x")], ["x"], []) == {"ann": "x", "bek": "x"}


def test_a_cap_of_zero_closes_and_a_cap_of_none_opens_where_the_default_would_close():
    quota = Quota("country", ("a.country",), {("KG",): None, ("KZ",): 0}, default=0)
    people = [person("ann", "1", "x", country="KG"), person("bek", "2", "x", country="KZ"), person("cai", "3", "x", country="UZ")]

    assert awards(people, ["x"], [quota]) == {"ann": "x", "bek": None, "cai": None}


def test_crossing_quotas_both_count():
    country = Quota("country", ("a.country",), {("KG",): 1}, default=2)
    level = Quota("level", ("o.level",), {("master",): 1}, default=1)
    people = [
        person("ann", "9", "m", country="KG"),
        person("bek", "8", "d", country="KG"),
        person("cai", "7", "m", "d", country="UZ"),
    ]
    options = [Option("m", {"level": "master"}), Option("d", {"level": "doctoral"})]

    assert awards(people, options, [country, level]) == {"ann": "m", "bek": None, "cai": "d"}


def test_a_quota_counts_only_the_pairs_it_is_meant_for():
    men = Quota("men", (), {(): 1}, where={"a.gender": ("m",)})
    people = [person("ann", "9", "x", gender="m"), person("bek", "8", "x", gender="m"), person("cai", "7", "x", gender="f")]

    assert awards(people, ["x"], [men]) == {"ann": "x", "bek": None, "cai": "x"}


def test_a_missing_attribute_is_the_empty_text():
    quota = Quota("country", ("a.country",), {("",): 0})

    assert awards([person("ann", "1", "x")], ["x"], [quota]) == {"ann": None}


def test_a_refused_choice_names_the_quota_that_closed_first_with_its_cut():
    country = Quota("country", ("a.country",), {("KG",): 1})
    total = Quota("total", (), {(): 2})
    people = [person("ann", "9.5", "x", country="KG"), person("bek", "8", "x", country="UZ"), person("cai", "7", "x", country="KG")]

    result = allocate(compile_call(people, [Option("x")], [total, country], ""))

    assert result.explain("cai") == (Reason("x", "refused", "country[KG]", 1, 1, 1, Decimal("9.50")),)
    assert result.cutoffs == {"country[KG]": (1, Decimal("9.50")), "total": (2, Decimal("8.00"))}


def test_of_two_quotas_that_fill_at_once_the_first_is_named():
    quotas = [Quota("b", (), {(): 1}), Quota("a", (), {(): 1})]
    people = [person("ann", "9", "x"), person("bek", "8", "x")]

    result = allocate(compile_call(people, [Option("x")], quotas, ""))

    assert [reason.quota for reason in result.explain("bek")] == ["b"]


def test_a_closed_quota_has_no_cut():
    result = allocate(compile_call([person("ann", "9", "x", "y")], [Option("x"), Option("y")], [Quota("q", ("o.id",), {("x",): 0})], ""))

    assert result.explain("ann") == (Reason("x", "refused", "q[x]", 0, 0, None, None), Reason("y", "awarded"))
    assert result.cutoffs == {}


def test_a_choice_after_the_awarded_one_is_not_reached():
    result = allocate(compile_call([person("ann", "9", "x", "y")], [Option("x"), Option("y")], [], ""))

    assert [reason.outcome for reason in result.explain("ann")] == ["awarded", "not reached"]


def test_everyone_who_prefers_an_option_to_what_they_hold_waits_for_it_in_merit_order():
    each = Quota("each", ("o.id",), {}, default=1)
    people = [person("ann", "9", "x"), person("bek", "8", "x", "y"), person("cai", "7", "y", "x"), person("dan", "6", "y", "x")]

    result = allocate(compile_call(people, [Option("x"), Option("y")], [each], ""))

    assert (result.waiting("x"), result.waiting("y")) == (["bek", "cai", "dan"], ["cai", "dan"])


# -- The order -------------------------------------------------------------------


def order(*people: Applicant, seed: str = "s") -> list[str]:
    return [one.id for one in compile_call(people, [Option("x")], [], seed).order]


def test_scores_are_compared_as_decimals():
    assert order(person("ann", "9.10"), person("bek", "9.9"), person("cai", "10")) == ["cai", "bek", "ann"]


def test_equal_scores_are_decided_by_the_ties_smaller_first():
    assert order(person("ann", "9", tie=(Decimal(1), Decimal(3))), person("bek", "9.0", tie=(Decimal(1), Decimal(2)))) == ["bek", "ann"]


def test_a_tie_may_be_a_day():
    assert order(person("ann", "9", tie=("2026-10-01",)), person("bek", "9", tie=("2026-06-30",))) == ["bek", "ann"]


def test_equal_ties_are_decided_by_the_lottery_of_the_seed():
    names = ["ann", "bek", "cai", "dan"]

    def drawn(seed: str) -> list[str]:
        return sorted(names, key=lambda name: int.from_bytes(hashlib.sha256(f"{seed}\0{name}".encode()).digest()[:8], "big"))

    for seed in ("one", "two", "three"):
        assert order(*(person(name, "9") for name in names), seed=seed) == drawn(seed)
    assert drawn("one") != drawn("two")


def test_the_lottery_is_the_published_one():
    assert lottery("sapar-2027", "a1") == int(hashlib.sha256(b"sapar-2027\x00a1").hexdigest()[:16], 16)


def test_all_scores_have_the_same_decimals_two_or_more():
    def written(*scores: str) -> list[str]:
        people = [person(str(number), score) for number, score in enumerate(scores)]
        return [row["score"] for row in problem_json(compile_call(people, [], [], ""))["applicants"]]

    assert written("84.2", "83", "8E+1") == ["84.20", "83.00", "80.00"]
    assert written("84.2", "83.125") == ["84.200", "83.125"]


# -- What cannot be allocated ----------------------------------------------------


@pytest.mark.parametrize(
    ("people", "options", "quotas", "message"),
    [
        ([person("a", "1"), person("a", "2")], [], [], "Two applicants have the same id."),
        ([], [Option("x"), Option("x")], [], "Two options have the same id."),
        ([], [], [Quota("q"), Quota("q")], "Two quotas have the same id."),
        ([person("a", "1", "z")], [Option("x")], [], "Applicant a: unknown choice z."),
        ([person("a", "1", "x", "x")], [Option("x")], [], "Applicant a: a choice stands twice."),
        ([person("a", "NaN")], [], [], "Applicant a: NaN cannot be a score."),
        ([person("a", "1e99")], [], [], "Applicant a: 1E+99 cannot be a score."),
        ([person("a", "1e-99")], [], [], "Applicant a: 1E-99 cannot be a score."),
        ([], [], [Quota("q", ("country",))], "Quota q: “country” must begin with a. or o."),
        ([], [], [Quota("q", where={"gender": ("m",)})], "Quota q: “gender” must begin with a. or o."),
        ([], [], [Quota("q", default=-1)], "Quota q: a cap is negative."),
        ([], [], [Quota("q", ("a.x",), {("1",): -1})], "Quota q: a cap is negative."),
        ([], [], [Quota("q", ("a.x",), {("1", "2"): 1})], "Quota q: a cap needs 1 values, one for each of “by”."),
        ([], [], [Quota("q[1]")], "Quota q[1]: a name may not contain a bracket."),
        (
            [person("a", "1", x="1,2")],
            [],
            [Quota("q", ("a.x", "a.y"))],
            "Quota q: a value of a.x contains a comma.",
        ),
        ([], [Option("1,2")], [Quota("q", ("o.id", "a.y"))], "Quota q: a value of o.id contains a comma."),
    ],
)
def test_an_input_that_contradicts_itself_is_refused(people, options, quotas, message):
    with pytest.raises(ValueError) as refused:  # noqa: PT011
        compile_call(people, options, quotas, "")

    assert str(refused.value) == message


# -- Against the definition, on random instances ---------------------------------

OPTIONS = ["m1", "m2", "d1", "d2"]
COUNTRIES, GENDERS = ["KG", "KZ", "UZ"], ["f", "m"]
DIMENSIONS = ["a.country", "a.gender", "o.level", "o.host", "o.id", "a.nothing"]
VALUES = {
    "a.country": COUNTRIES,
    "a.gender": GENDERS,
    "o.level": ["master", "doctoral"],
    "o.host": ["h1", "h2"],
    "o.id": OPTIONS,
    "a.nothing": [""],
}


def a_quota(dice: random.Random, number: int) -> dict[str, Any]:
    if dice.random() < 0.4:  # a place or two for each option, country ...: these make people wait and move up
        return {
            "id": f"q{number}",
            "by": [dice.choice(["o.id", "o.id", "a.country", "o.host"])],
            "caps": [],
            "default": dice.randint(1, 2),
            "where": {},
        }
    by = dice.sample(DIMENSIONS, dice.choice([0, 1, 1, 2]))
    cells = list(itertools.product(*(VALUES[name] for name in by)))
    return {
        "id": f"q{number}",
        "by": by,
        "caps": [
            [list(values), dice.choice([None, 0, 1, 1, 2, 2, 3])] for values in dice.sample(cells, min(len(cells), dice.randint(0, 4)))
        ],
        "default": dice.choice([None, 0, 1, 1, 2, 3]),
        "where": {
            name: dice.sample(VALUES[name], dice.randint(0, len(VALUES[name])))
            for name in dice.sample(DIMENSIONS, dice.choice([0, 0, 0, 1]))
        },
    }


def a_problem(seed: int, people: int, quotas: int, choices: int = len(OPTIONS)) -> dict[str, Any]:
    """PROBLEM with crossing quotas, equal scores, caps of zero and none, defaults and filters, thrown with dice."""
    dice = random.Random(seed)
    return {
        "mode": "merit",
        "seed": dice.choice("stu"),
        "options": [
            {"id": name, "attrs": {"level": "master" if name[0] == "m" else "doctoral", "host": f"h{name[1]}"}, "cost": 1}
            for name in OPTIONS
        ],
        "applicants": [
            {
                "id": f"p{number}",
                "score": dice.choice(["9.00", "8.50", 8.5, "8", 7]),
                "tie": dice.choice([[], ["1"], [2], ["2026-06-30"]]),
                "choices": dice.sample(OPTIONS, dice.choice([0, *range(1, choices + 1), choices])),
                "attrs": {"country": dice.choice(COUNTRIES), "gender": dice.choice(GENDERS)},
            }
            for number in range(people)
        ],
        "quotas": [a_quota(dice, number) for number in range(quotas)],
    }


def problems(people: int = 8, choices: int = len(OPTIONS)) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(a_problem, st.integers(0, 2**32), st.integers(0, people), st.integers(0, 4), st.just(choices))


class Oracle:
    """The definition, read from PROBLEM: is a set of awards within every quota, and what does the serial rule give?"""

    def __init__(self, problem: dict[str, Any]):
        self.problem = problem
        self.people = {row["id"]: row for row in problem["applicants"]}
        self.options = {row["id"]: row for row in problem["options"]}
        self.order = sorted(self.people, key=self._key)
        self.caps = {quota["id"]: {tuple(values): cap for values, cap in quota["caps"]} for quota in problem["quotas"]}

    def _key(self, name: str) -> Any:
        row = self.people[name]
        ties = []
        for tie in row["tie"]:
            try:
                ties.append((0, Decimal(str(tie)), ""))
            except ArithmeticError:
                ties.append((1, Decimal(0), tie))
        draw = hashlib.sha256(self.problem["seed"].encode() + b"\0" + name.encode()).digest()[:8]
        return -Decimal(str(row["score"])), ties, draw, name

    def attribute(self, name: str, who: str, option: str) -> str:
        if name == "o.id":
            return option
        owner = self.people[who] if name.startswith("a.") else self.options[option]
        return owner["attrs"].get(name[2:], "")

    def counts(self, held: dict[str, str | None]) -> dict[tuple[str, tuple[str, ...]], list[int]]:
        """(quota, values) -> [awards, cap] of each bucket with a cap in which somebody counts."""
        found: dict[tuple[str, tuple[str, ...]], list[int]] = {}
        for who, option in held.items():
            for quota in self.problem["quotas"] if option is not None else ():
                if any(self.attribute(name, who, option) not in allowed for name, allowed in quota["where"].items()):
                    continue
                values = tuple(self.attribute(name, who, option) for name in quota["by"])
                cap = self.caps[quota["id"]].get(values, quota["default"])
                if cap is not None:
                    found.setdefault((quota["id"], values), [0, cap])[0] += 1
        return found

    def fits(self, held: dict[str, str | None]) -> bool:
        return all(used <= cap for used, cap in self.counts(held).values())

    def serial(self) -> dict[str, str | None]:
        held: dict[str, str | None] = {}
        for who in self.order:
            held[who] = next((option for option in self.people[who]["choices"] if self.fits({**held, who: option})), None)
        return held

    def lexicographically_best(self) -> dict[str, str | None]:
        """Of all sets of awards within the quotas the best for the first in order, then for the second ..."""
        wishes = [[*self.people[who]["choices"], None] for who in self.order]
        best = min(
            (ranks for ranks in itertools.product(*(range(len(wish)) for wish in wishes)) if self.fits(self._held(ranks, wishes))),
            default=(),
        )
        return self._held(best, wishes)

    def _held(self, ranks: tuple[int, ...], wishes: list[list[Any]]) -> dict[str, Any]:
        return {who: wish[rank] for who, wish, rank in zip(self.order, wishes, ranks, strict=True)}

    def better(self, who: str, held: str | None) -> list[str]:
        choices = self.people[who]["choices"]
        return choices if held is None else choices[: choices.index(held)]


def bucket(key: tuple[str, tuple[str, ...]]) -> str:
    quota, values = key
    return f"{quota}[{','.join(values)}]" if values else quota


@settings(max_examples=1000, deadline=None)
@given(problems())
def test_the_outcome_is_that_of_the_serial_rule(problem):
    oracle = Oracle(problem)
    result = allocate(read_problem(problem))

    assert [one.id for one in result.model.order] == oracle.order
    assert dict(result.awards) == oracle.serial()


@settings(max_examples=300, deadline=None)
@given(problems(people=4, choices=3))
def test_the_outcome_is_the_lexicographically_best_of_all_sets_within_the_quotas(problem):
    assert dict(allocate(read_problem(problem)).awards) == Oracle(problem).lexicographically_best()


@settings(max_examples=500, deadline=None)
@given(problems())
def test_the_outcome_follows_from_the_cut_offs(problem):
    oracle = Oracle(problem)
    result = allocate(read_problem(problem))
    ranks = {who: rank for rank, who in enumerate(oracle.order, start=1)}

    def is_open(who: str, option: str) -> bool:
        return all(
            cap > 0 and result.cutoffs.get(bucket(key), (len(ranks), None))[0] >= ranks[who]
            for key, (_used, cap) in oracle.counts({who: option}).items()
        )

    assert dict(result.awards) == {
        who: next((option for option in oracle.people[who]["choices"] if is_open(who, option)), None) for who in oracle.order
    }


@settings(max_examples=500, deadline=None)
@given(problems())
def test_nobody_envies_with_reason_and_no_place_is_wasted(problem):
    oracle = Oracle(problem)
    held = dict(allocate(read_problem(problem)).awards)

    assert oracle.fits(held)
    for at, who in enumerate(oracle.order):
        ahead = {other: held[other] for other in oracle.order[:at]}
        for option in oracle.better(who, held[who]):
            assert not oracle.fits({**ahead, who: option}), f"{who} envies: {option} would fit if all who rank lower had nothing"
            assert not oracle.fits({**held, who: option}), f"{who} could have {option} beside all the others"


@settings(max_examples=300, deadline=None)
@given(problems())
def test_each_reason_is_true(problem):
    oracle = Oracle(problem)
    result = allocate(read_problem(problem))
    full = {bucket(key): (used, cap) for key, (used, cap) in oracle.counts(dict(result.awards)).items()}

    for who in oracle.order:
        reasons = result.explain(who)
        assert [reason.choice for reason in reasons] == oracle.people[who]["choices"]
        held = result.award(who)
        at = len(oracle.better(who, held))
        assert [reason.outcome for reason in reasons] == ["refused"] * at + (
            [] if held is None else ["awarded"] + ["not reached"] * (len(reasons) - at - 1)
        )
        for reason in reasons[:at]:
            assert reason.quota is not None
            assert (reason.used, reason.cap) == full.get(reason.quota, (0, 0))
            assert reason.used == reason.cap
            assert result.cutoffs.get(reason.quota) == (None if reason.cap == 0 else (reason.cut_rank, reason.cut_score))


@settings(max_examples=300, deadline=None)
@given(problems(), st.randoms(use_true_random=False))
def test_the_digests_do_not_depend_on_the_order_of_the_input(problem, shuffler: random.Random):
    def shuffled(rows: list[Any]) -> list[Any]:
        return shuffler.sample(rows, len(rows))

    other = {
        **problem,
        "applicants": shuffled(problem["applicants"]),
        "options": shuffled(problem["options"]),
        "quotas": [
            {
                **quota,
                "caps": shuffled(quota["caps"]),
                "where": {name: shuffled(values) for name, values in reversed(list(quota["where"].items()))},
            }
            for quota in problem["quotas"]
        ],
    }

    one, two = (allocate(read_problem(said)).to_json() for said in (problem, other))

    assert canonical(one) == canonical(two)


@settings(max_examples=200, deadline=None)
@given(problems())
def test_the_published_problem_gives_the_same_result_again(problem):
    model = read_problem(problem)
    published = json.loads(canonical(problem_json(model)))

    assert canonical(allocate(read_problem(published)).to_json()) == canonical(allocate(model).to_json())
    assert published == problem_json(read_problem(published))


# -- Declines --------------------------------------------------------------------


@settings(max_examples=700, deadline=None)
@given(problems(), st.data())
def test_after_declines_nobody_loses_and_everybody_who_can_has_moved_up(problem, data):
    oracle = Oracle(problem)
    model = read_problem(problem)
    before = dict(allocate(model).awards)
    holders = [who for who, held in before.items() if held] or ["nobody"]
    leavers = data.draw(st.sets(st.sampled_from(holders), min_size=1, max_size=2))
    frozen = data.draw(st.sets(st.sampled_from(oracle.order or ["nobody"]), max_size=2))

    update = decline(model, before, leavers, frozen)

    now = {who: None if who in leavers else held for who, held in before.items()}
    for who, old, new in update.moves:  # the log leads there, each move a strict improvement within the quotas
        assert who not in leavers | frozen
        assert now[who] == old
        assert new in oracle.better(who, old)
        now[who] = new
        assert oracle.fits(now)
    assert now == dict(update.awards)
    for who in oracle.order:
        if who not in leavers | frozen:
            assert not any(oracle.fits({**now, who: option}) for option in oracle.better(who, now[who]))


@settings(max_examples=300, deadline=None)
@given(problems(), st.data())
def test_each_move_is_that_of_the_best_ranked_who_can_to_the_best_that_fits(problem, data):
    oracle = Oracle(problem)
    model = read_problem(problem)
    before = dict(allocate(model).awards)
    leavers = data.draw(st.sets(st.sampled_from([who for who, held in before.items() if held] or ["nobody"]), min_size=1, max_size=2))
    now = {who: None if who in leavers else held for who, held in before.items()}
    moves = []
    while move := next(
        (
            (who, now[who], option)
            for who in oracle.order
            if who not in leavers
            for option in oracle.better(who, now[who])
            if oracle.fits({**now, who: option})
        ),
        None,
    ):
        now[move[0]] = move[2]
        moves.append(move)

    assert list(decline(model, before, leavers).moves) == moves


def test_the_own_place_counts_as_free():
    each, country = Quota("each", ("o.id",), {}, default=1), Quota("country", ("a.country",), {}, default=1)
    people = [person("ann", "9", "x", country="UZ"), person("bek", "8", "x", "y", country="KG")]
    model = compile_call(people, [Option("x"), Option("y")], [each, country], "")

    update = decline(model, allocate(model).awards, ["ann"])

    assert update.moves == (("bek", "y", "x"),)
    assert update.awards == {"ann": None, "bek": "x"}


def test_a_freed_place_can_pass_through_several_hands():
    each = Quota("each", ("o.id",), {}, default=1)
    people = [person("ann", "9", "x"), person("bek", "8", "x", "y"), person("cai", "7", "y", "z"), person("dan", "6", "z")]
    model = compile_call(people, [Option("x"), Option("y"), Option("z")], [each], "")

    assert decline(model, allocate(model).awards, ["ann"]).moves == (("bek", "y", "x"), ("cai", "z", "y"), ("dan", None, "z"))


def test_who_was_placed_outside_the_own_choices_stays_there():
    model = compile_call([person("ann", "9", "x")], [Option("x"), Option("y")], [], "")

    assert decline(model, {"ann": "y"}, []).moves == ()


# -- The files -------------------------------------------------------------------


def run(*arguments: str | Path) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "scholarships.engine.allocation", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, check=False, timeout=60)


def test_the_worked_example_gives_its_result_byte_for_byte():
    answer = run(EXAMPLES / "problem.json")

    assert (answer.returncode, answer.stderr) == (0, b"")
    assert answer.stdout == (EXAMPLES / "result.json").read_bytes()


def test_the_worked_example_is_in_canonical_bytes_and_carries_its_digests():
    problem = (EXAMPLES / "problem.json").read_bytes().rstrip(b"\n")
    result = json.loads((EXAMPLES / "result.json").read_bytes())
    said = result.pop("digest")

    assert problem == canonical(json.loads(problem))
    assert said["input"] == hashlib.sha256(problem).hexdigest()
    assert said["output"] == hashlib.sha256(canonical(result)).hexdigest()
    assert digest(result) == said["output"]


def test_the_worked_example_by_hand():
    """Eight people, ten points: see the quotas in the file. Two from KG, one man a master's place at most, hosts of two and one."""
    result = json.loads((EXAMPLES / "result.json").read_bytes())

    assert result["order"] == ["azat", "dina", "erik", "bota", "farid", "ҳусайн", "гүл", "陈"]
    assert result["awards"] == {
        "azat": "almaty-m", "dina": "almaty-m", "erik": "bishkek-d", "bota": None, "farid": "tashkent-m", "ҳусайн": None, "гүл": "tashkent-m",
        "陈": None,
    }  # fmt: skip
    assert result["cutoffs"] == {
        "country[KG]": [{"pools": [], "rank": 3, "score": "91.00"}],
        "host[almaty]": [{"pools": [], "rank": 2, "score": "94.25"}],
        "host[bishkek]": [{"pools": [], "rank": 3, "score": "91.00"}],
        "men-master[master]": [{"pools": [], "rank": 5, "score": "88.00"}],
        "total": [{"pools": [], "rank": 7, "score": "84.20"}],
    }
    assert result["reasons"]["bota"] == [
        {"choice": "almaty-m", "outcome": "refused", "quota": "host[almaty]", "used": 2, "cap": 2, "cut_rank": 2, "cut_score": "94.25"},
        {"choice": "bishkek-d", "outcome": "refused", "quota": "country[KG]", "used": 2, "cap": 2, "cut_rank": 3, "cut_score": "91.00"},
    ]
    assert result["waiting"]["tashkent-m"] == ["ҳусайн", "陈"]


def test_scores_are_decimal_texts_with_the_same_precision():
    result = json.loads((EXAMPLES / "result.json").read_bytes())

    assert {cut["score"][-3] for cuts in result["cutoffs"].values() for cut in cuts} == {"."}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "this is not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)."),
        (b"\xff", "this is not UTF-8."),
        (b"[" * 100_000, "this is not JSON: "),
        (b"[]", "PROBLEM must be an object."),
        (b"{}", "PROBLEM: “applicants” is missing."),
        (b'{"mode":"lists"}', "Only mode “merit” is known here."),
        (b'{"applicants":{},"options":[],"quotas":[],"seed":""}', "PROBLEM: “applicants” must be a list."),
        (b'{"applicants":[1],"options":[],"quotas":[],"seed":""}', "applicants[0] must be an object."),
        (b'{"applicants":[{"id":"a","score":"x","choices":[]}],"options":[],"quotas":[],"seed":""}', "applicants[0]: “x” is not a number."),
        (
            b'{"applicants":[{"id":"a","score":true,"choices":[]}],"options":[],"quotas":[],"seed":""}',
            "applicants[0]: “True” is not a number.",
        ),
        (
            b'{"applicants":[{"id":"a","score":NaN,"choices":[]}],"options":[],"quotas":[],"seed":""}',
            "Applicant a: NaN cannot be a score.",
        ),
        (
            b'{"applicants":[{"id":"a","score":1,"choices":"xy"}],"options":[],"quotas":[],"seed":""}',
            "applicants[0]: “choices” must be a list.",
        ),
        (
            b'{"applicants":[{"id":"a","score":1,"choices":[],"attrs":{"x":1}}],"options":[],"quotas":[],"seed":""}',
            "applicants[0]: an attribute must be a text.",
        ),
        (
            b'{"applicants":[{"id":"a","score":1,"choices":[],"tie":[null]}],"options":[],"quotas":[],"seed":""}',
            "applicants[0]: “None” is not a number.",
        ),
        (
            b'{"applicants":[{"id":"a","score":1,"choices":[],"tie":["NaN"]}],"options":[],"quotas":[],"seed":""}',
            "applicants[0]: “NaN” is not a number.",
        ),
        (b'{"applicants":[],"options":[],"quotas":[]}', "PROBLEM: “seed” is missing."),
        (b'{"applicants":[],"options":[],"quotas":[{"id":"q","by":[]}],"seed":""}', "quotas[0]: “caps” is missing."),
        (
            b'{"applicants":[],"options":[],"quotas":[{"id":"q","by":[],"caps":[[[],1.5]]}],"seed":""}',
            "quotas[0]: a cap is a whole number or null, not “1.5”.",
        ),
        (
            b'{"applicants":[],"options":[],"quotas":[{"id":"q","by":[],"caps":[[1]]}],"seed":""}',
            "quotas[0]: a cap is written [[values], number].",
        ),
        (
            b'{"applicants":[],"options":[],"quotas":[{"id":"q","by":[],"caps":[[[],1],[[],2]]}],"seed":""}',
            "quotas[0]: there are two caps for all.",
        ),
        (
            b'{"applicants":[],"options":[],"quotas":[{"id":"q","by":[],"caps":[],"use_cost":true}],"seed":""}',
            "quotas[0]: reserves and costs are not known here.",
        ),
        (b'{"applicants":[],"options":[{"id":"\\ud800"}],"quotas":[],"seed":""}', "'utf-8' codec can't encode"),
    ],
)
def test_a_bad_file_is_one_plain_sentence_and_exit_code_2(tmp_path, capfd, content, message):
    path = tmp_path / "problem.json"
    path.write_bytes(content)

    code = main([str(path)])

    out, error = capfd.readouterr()
    assert (code, out) == (2, "")
    assert error.startswith(f"{path}: {message}")
    assert error.count("\n") == 1


def test_a_missing_file_a_folder_and_a_wrong_call_are_said_plainly(tmp_path, capfd):
    answers = [(main(list(map(str, arguments))), *capfd.readouterr()) for arguments in ([tmp_path / "no.json"], [tmp_path], [], ["a", "b"])]

    usage = "usage: python -m scholarships.engine.allocation PROBLEM.json > RESULT.json\n"
    assert answers == [
        (2, "", f"{tmp_path}/no.json: No such file or directory.\n"),
        (2, "", f"{tmp_path}: Is a directory.\n"),
        (2, "", usage),
        (2, "", usage),
    ]


def test_a_good_file_is_answered_with_its_result_and_exit_code_0(capfdbinary):
    code = main([str(EXAMPLES / "problem.json")])

    assert (code, capfdbinary.readouterr().out) == (0, (EXAMPLES / "result.json").read_bytes())


def test_the_command_needs_no_django():
    code = (
        "import sys; sys.modules['django'] = None; sys.argv[1:] = [sys.argv[1]];"
        "from scholarships.engine.allocation import main; raise SystemExit(main(sys.argv[1:]))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code, str(EXAMPLES / "problem.json")], cwd=ROOT, capture_output=True, check=False, timeout=60
    )

    assert (answer.returncode, answer.stderr) == (0, b"")
