"""Random acts by random people on one application, held against a small model of the table after each step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from scholarships.applications import actions, rules
from scholarships.applications.door import advance
from scholarships.applications.lifecycle import open_to
from scholarships.applications.models import Application, Stage
from scholarships.events.models import Event
from tests.factories import make_draft, make_user
from tests.scholarships.applications.people import World

pytestmark = pytest.mark.django_db

STEPS = ["nomination", "eligibility", "review", "allocation", "offer"]
OFFICERS = {"officer of the call", "officer of the site"}
OFFICE, BODY, APPLICANT, CLOCK = "office", "body", "applicant", "clock"


@dataclass(frozen=True)
class Way:
    """A row of the model: from these states, at these steps, by one of these, to there; how the step ends."""

    sources: str
    at: str
    by: tuple[str, ...]
    to: str
    end: str = ""


# Written from docs/states.md, not from the code.
WAYS = {
    "submit": Way("draft returned", "", (APPLICANT,), "submitted", "enter"),
    "change": Way("submitted", "", (APPLICANT,), "submitted"),
    "withdraw": Way(
        "submitted returned nominated eligible in_review selected reserve not_selected", "", (APPLICANT,), "withdrawn", "ended"
    ),
    "reopen": Way("withdrawn", "", (APPLICANT,), "draft"),
    "return": Way("submitted nominated eligible", "nomination eligibility", (OFFICE, BODY), "returned", "returned"),
    "nominate": Way("submitted nominated eligible", "nomination", (BODY,), "nominated", "passed"),
    "not_nominate": Way("submitted nominated eligible", "nomination", (BODY,), "not_selected", "ended"),
    "take_back": Way("nominated", "nomination eligibility review allocation", (BODY,), "submitted", "back"),
    "find_eligible": Way("submitted nominated", "eligibility", (OFFICE,), "eligible", "passed"),
    "find_ineligible": Way("submitted nominated", "eligibility", (OFFICE,), "ineligible", "ended"),
    "review": Way("submitted nominated eligible", "review", (OFFICE,), "in_review"),
    "close_review": Way("in_review", "review", (OFFICE, CLOCK), "in_review", "passed"),
    "select": Way("in_review nominated eligible", "allocation", (OFFICE,), "selected", "passed"),
    "put_on_reserve": Way("in_review nominated eligible", "allocation", (OFFICE,), "reserve", "passed"),
    "not_select": Way("in_review nominated eligible", "allocation", (OFFICE,), "not_selected", "ended"),
    "offer": Way("selected reserve", "offer", (OFFICE, CLOCK), "offered"),
    "accept": Way("offered", "offer", (APPLICANT,), "accepted", "passed"),
    "decline": Way("offered", "offer", (APPLICANT,), "declined", "ended"),
    "lapse": Way("offered", "offer", (OFFICE, CLOCK), "lapsed", "ended"),
}
EVENTS = {
    "submit": "submitted", "change": "changed", "withdraw": "withdrawn", "reopen": "reopened", "return": "returned", "nominate": "nominated",
    "not_nominate": "not_nominated", "find_eligible": "eligible", "find_ineligible": "ineligible", "review": "review_started",
    "take_back": "taken_back", "close_review": "reviewed", "select": "selected", "put_on_reserve": "reserved", "not_select": "not_selected", "offer": "offered",
    "accept": "accepted", "decline": "declined", "lapse": "lapsed",
}  # fmt: skip


USUAL = [
    ("submit", "applicant"),
    ("nominate", "member of the body in charge"),
    ("find_eligible", "officer of the call"),
    ("review", "officer of the site"),
    ("close_review", CLOCK),
    ("select", "officer of the call"),
    ("offer", CLOCK),
    ("accept", "applicant"),
]


@dataclass
class Row:
    """What the model believes."""

    state: str = "draft"
    stages: list[list[str]] = field(default_factory=list)  # [step, outcome], "" while it is open
    open_revision: bool = True
    handed_in: int = 0
    correct_by: datetime | None = None
    is_told_at_once: bool = False
    events: list[str] = field(default_factory=lambda: ["started"])

    @property
    def step(self) -> str:
        return self.stages[-1][0] if self.stages and not self.stages[-1][1] else ""

    @property
    def was_sent_on(self) -> bool:
        return ["nomination", "passed"] in self.stages

    def part_of(self, who: str, name: str) -> str:
        if who in OFFICERS:
            return OFFICE if self.state != "draft" else ""
        if who == "member of the body in charge":
            return BODY if self.step == "nomination" or (name == "take_back" and self.was_sent_on) else ""
        return who if who in (APPLICANT, CLOCK) else ""

    def allows(self, name: str, who: str) -> bool:
        """By the table alone: what the buttons show."""
        way = WAYS[name]
        return self.state in way.sources.split() and (not way.at or self.step in way.at.split()) and self.part_of(who, name) in way.by

    def take(self, name: str) -> None:
        way = WAYS[name]
        if way.end in ("passed", "ended", "returned") and self.step:
            self.stages[-1][1] = way.end
            following = STEPS.index(self.stages[-1][0]) + 1
            if way.end == "passed" and following < len(STEPS):
                self.stages.append([STEPS[following], ""])
        if way.end == "back":
            self.stages[-1][1] = "returned"
            self.stages.append(["nomination", ""])
        if way.end == "enter":
            is_back = self.state == "returned"
            self.stages.append([self.stages[-1][0] if is_back else STEPS[0], ""])
        if name in ("submit", "change"):
            self.open_revision, self.handed_in = False, self.handed_in + 1
        if name in ("return", "reopen"):
            self.open_revision = True
        self.is_told_at_once = name == "not_nominate"
        self.state = way.to
        self.events.append(EVENTS[name])


class Machine(RuleBasedStateMachine):
    world: World

    def __init__(self) -> None:
        super().__init__()
        call = self.world.call
        self.people = {**self.world.people, "applicant": make_user("Nuray Asanova"), CLOCK: None}
        self.pk = make_draft(call, self.people["applicant"]).pk
        self.now = call.closes_at - timedelta(days=20)
        self.row = Row()

    # -- Acting ------------------------------------------------------------------

    @initialize(way=st.sampled_from(range(len(USUAL) + 1)), is_reserve=st.booleans())
    def the_file_has_come_some_way(self, way: int, is_reserve: bool) -> None:
        """Most walks at random would end early: these begin anywhere."""
        for name, who in USUAL[:way]:
            self.act("put_on_reserve" if is_reserve and name == "select" else name, who)

    @rule(name=st.sampled_from(sorted(WAYS)), who=st.data())
    def anybody_tries(self, name: str, who: Any) -> None:
        self.act(name, who.draw(st.sampled_from(sorted(self.people))))

    @rule(data=st.data())
    def one_who_may_does(self, data: Any) -> None:
        possible = sorted((name, who) for name in WAYS for who in self.people if self.row.allows(name, who))
        if possible:
            self.act(*data.draw(st.sampled_from(possible)))

    @rule(who=st.sampled_from(["applicant", "other applicant", "officer of the site"]))
    def a_change_is_opened(self, who: str) -> None:
        row = self.row
        is_allowed = who == "applicant" and (row.state in ("draft", "returned") or (row.state == "submitted" and self.is_open))
        if self.done(lambda mine: actions.open_change(mine, by=self.people[who], at=self.now), is_allowed):
            row.open_revision = True

    @rule(who=st.sampled_from(["applicant", "other applicant"]))
    def a_change_is_given_up(self, who: str) -> None:
        if self.done(lambda mine: actions.drop_change(mine, by=self.people[who]), who == "applicant") and self.row.state == "submitted":
            self.row.open_revision = False

    @rule(days=st.sampled_from([1, 5, 30, 60]))
    def time_passes(self, days: int) -> None:
        self.now += timedelta(days=days)

    def act(self, name: str, who: str) -> None:
        row, by = self.row, self.people[who]
        expected = row.allows(name, who)
        if name == "submit":
            in_time = self.now <= row.correct_by if row.state == "returned" and row.correct_by else self.is_open
            expected = expected and row.open_revision and in_time
        elif name == "change":
            expected = expected and row.open_revision and self.is_open
        elif name == "reopen":
            expected = expected and self.is_open
        elif name == "withdraw" and row.state == "not_selected":  # decided, once it is told
            expected = expected and not row.is_told_at_once and self.now < self.world.call.results_at
        until = self.now + timedelta(days=7)
        if self.done(lambda mine: self.call_for(name, mine, by, until), expected):
            row.take(name)
            row.correct_by = until if name == "return" else None

    def call_for(self, name: str, mine: Application, by: Any, until: datetime) -> Any:
        """The act as its page does it; the clock and the later rooms come through the door."""
        match name if by else "":
            case "submit" | "change":
                if (mine.state == "submitted") is not (name == "change"):
                    raise PermissionDenied  # one page does both: it is the state that tells them apart
                return actions.submit(mine, by=by, at=self.now)
            case "withdraw":
                return actions.withdraw(mine, by=by, at=self.now)
            case "reopen":
                return actions.reopen(mine, by=by, at=self.now)
            case "return":
                return actions.give_back(mine, by=by, reason="other", sections=["plan"], until=until, at=self.now)
            case "not_nominate":
                return advance(mine, name, by=by, at=self.now, reason="not_nominated")
            case _:
                return advance(mine, name, by=by, at=self.now)

    def done(self, act: Callable[[Application], Any], is_expected: bool) -> bool:
        """Whether ACT was done, which must be as expected."""
        mine = Application.objects.select_related("call", "version").get(pk=self.pk)
        refused = None
        try:
            act(mine)
        except (PermissionDenied, ValidationError) as error:
            refused = error
        assert (refused is None) is is_expected, refused
        return is_expected

    @property
    def is_open(self) -> bool:
        call = self.world.call
        return call.opens_at <= self.now <= call.closes_at + timedelta(minutes=call.grace)

    # -- Comparing ---------------------------------------------------------------

    @invariant()
    def the_row_is_what_the_model_believes(self) -> None:
        row, mine = self.row, Application.objects.select_related("revision").get(pk=self.pk)
        assert mine.state == row.state
        assert list(Stage.objects.filter(application=mine).order_by("pk").values_list("step", "outcome")) == [
            tuple(one) for one in row.stages
        ]
        assert [name.removeprefix("application.") for name in Event.objects.about(mine).values_list("name", flat=True)] == row.events
        assert mine.revisions.filter(handed_in_at__isnull=True).count() == row.open_revision
        assert mine.revisions.filter(handed_in_at__isnull=False).count() == row.handed_in
        if row.handed_in:
            assert mine.revision == mine.revisions.filter(handed_in_at__isnull=False).order_by("number").last()

    @invariant()
    def each_person_has_the_buttons_and_may_read_as_the_model_says(self) -> None:
        mine = Application.objects.select_related("call", "version").get(pk=self.pk)
        for who, person in self.people.items():
            if person is None:
                continue
            assert set(open_to(person, mine)) == {name for name in WAYS if self.row.allows(name, who)}, who
            assert rules.may_read(person, mine) is (who == "applicant" or (who in OFFICERS and self.row.state != "draft")), who


def test_random_acts_never_leave_the_table(world):
    Machine.world = world
    run_state_machine_as_test(Machine, settings=settings(max_examples=25, stateful_step_count=25, deadline=None))
