"""THE table of states: from where to where, who may, in which step, and what is recorded.

``door.advance`` is the only door through which a state changes, and it reads this table. The
buttons of pages and the drawing in docs/states.md are made from it too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from scholarships.applications import rules
from scholarships.applications.models import Application, Outcome, State
from scholarships.calls.models import StepKind
from scholarships.events.names import declare

S = State
Words = str | Promise  # translated when they are shown


@dataclass(frozen=True)
class Transition:
    """One way from a state to another.

    ``at``: the kinds of step in which it is possible (empty: anywhere). ``leaves``: how the open
    stage ends; "passed" enters the next step of the call. ``enters``: it enters the first step, or
    the one that returned the file. ``goes_back``: to the body that nominated it last. ``by_clock``: the site itself may do it.
    """

    sources: frozenset[State]
    target: State
    who: Callable[[Any, Application], bool]
    event: str
    button: Words
    at: frozenset[str] = frozenset()
    leaves: Outcome | None = None
    enters: bool = False
    goes_back: bool = False
    by_clock: bool = False


def _from(*states: State) -> frozenset[State]:
    return frozenset(states)


def _at(*kinds: str) -> frozenset[str]:
    return frozenset(kinds)


STARTED = declare("application.started", "Application started")

TRANSITIONS: dict[str, Transition] = {
    "submit": Transition(
        _from(S.DRAFT, S.RETURNED), S.SUBMITTED, rules.may_act_as_applicant,
        declare("application.submitted", "Submitted", "revision", "sha256"), _("Submit application"), enters=True,
    ),
    "change": Transition(
        _from(S.SUBMITTED), S.SUBMITTED, rules.may_act_as_applicant,
        declare("application.changed", "Change handed in", "revision", "sha256"), _("Hand in the change"),
    ),
    "withdraw": Transition(
        _from(S.SUBMITTED, S.RETURNED, S.NOMINATED, S.ELIGIBLE, S.IN_REVIEW, S.SELECTED, S.RESERVE, S.NOT_SELECTED), S.WITHDRAWN, rules.may_act_as_applicant,
        declare("application.withdrawn", "Withdrawn by the applicant", "reason"), _("Withdraw"), leaves=Outcome.ENDED,
    ),
    "reopen": Transition(
        _from(S.WITHDRAWN), S.DRAFT, rules.may_act_as_applicant,
        declare("application.reopened", "Reopened by the applicant"), _("Open again"),
    ),
    "return": Transition(
        _from(S.SUBMITTED, S.NOMINATED, S.ELIGIBLE), S.RETURNED, rules.may_return,
        declare("application.returned", "Returned for correction", "reason", "sections", "until"), _("Return for correction"),
        at=_at(StepKind.NOMINATION, StepKind.ELIGIBILITY), leaves=Outcome.RETURNED,
    ),
    "nominate": Transition(
        _from(S.SUBMITTED, S.NOMINATED, S.ELIGIBLE), S.NOMINATED, rules.may_act_as_body,
        declare("application.nominated", "Nominated", "body", "rank"), _("Nominate"),
        at=_at(StepKind.NOMINATION), leaves=Outcome.PASSED,
    ),
    "not_nominate": Transition(
        _from(S.SUBMITTED, S.NOMINATED, S.ELIGIBLE), S.NOT_SELECTED, rules.may_act_as_body,
        declare("application.not_nominated", "Not nominated", "body"), _("Do not nominate"),
        at=_at(StepKind.NOMINATION), leaves=Outcome.ENDED,
    ),
    "take_back": Transition(
        _from(S.NOMINATED), S.SUBMITTED, rules.may_take_back,
        declare("application.taken_back", "Nomination taken back", "body"), _("Take back"),
        at=_at(StepKind.NOMINATION, StepKind.ELIGIBILITY, StepKind.REVIEW, StepKind.ALLOCATION), leaves=Outcome.RETURNED, goes_back=True,
    ),
    "find_eligible": Transition(
        _from(S.SUBMITTED, S.NOMINATED), S.ELIGIBLE, rules.may_act_as_officer,
        declare("application.eligible", "Found eligible", "by_hand"), _("Eligible"),
        at=_at(StepKind.ELIGIBILITY), leaves=Outcome.PASSED,
    ),
    "find_ineligible": Transition(
        _from(S.SUBMITTED, S.NOMINATED), S.INELIGIBLE, rules.may_act_as_officer,
        declare("application.ineligible", "Found ineligible", "criteria"), _("Not eligible"),
        at=_at(StepKind.ELIGIBILITY), leaves=Outcome.ENDED,
    ),
    "review": Transition(
        _from(S.SUBMITTED, S.NOMINATED, S.ELIGIBLE), S.IN_REVIEW, rules.may_act_as_officer,
        declare("application.review_started", "Review started"), _("Give to reviewers"),
        at=_at(StepKind.REVIEW),
    ),
    "close_review": Transition(
        _from(S.IN_REVIEW), S.IN_REVIEW, rules.may_act_as_officer,
        declare("application.reviewed", "Review closed", "score", "reviews"), _("Close the review"),
        at=_at(StepKind.REVIEW), leaves=Outcome.PASSED, by_clock=True,
    ),
    "select": Transition(
        _from(S.IN_REVIEW, S.NOMINATED, S.ELIGIBLE), S.SELECTED, rules.may_act_as_officer,
        declare("application.selected", "Selected for a place", "run"), _("Select"),
        at=_at(StepKind.ALLOCATION), leaves=Outcome.PASSED,
    ),
    "put_on_reserve": Transition(
        _from(S.IN_REVIEW, S.NOMINATED, S.ELIGIBLE), S.RESERVE, rules.may_act_as_officer,
        declare("application.reserved", "Put on the reserve list", "run"), _("Put on the reserve list"),
        at=_at(StepKind.ALLOCATION), leaves=Outcome.PASSED,
    ),
    "not_select": Transition(
        _from(S.IN_REVIEW, S.NOMINATED, S.ELIGIBLE), S.NOT_SELECTED, rules.may_act_as_officer,
        declare("application.not_selected", "Not selected", "run"), _("Do not select"),
        at=_at(StepKind.ALLOCATION), leaves=Outcome.ENDED,
    ),
    "offer": Transition(
        _from(S.SELECTED, S.RESERVE), S.OFFERED, rules.may_act_as_officer,
        declare("application.offered", "Offered a place", "offer", "choice"), _("Offer a place"),
        at=_at(StepKind.OFFER), by_clock=True,
    ),
    "accept": Transition(
        _from(S.OFFERED), S.ACCEPTED, rules.may_act_as_applicant,
        declare("application.accepted", "Offer accepted", "offer"), _("Accept"),
        at=_at(StepKind.OFFER), leaves=Outcome.PASSED,
    ),
    "decline": Transition(
        _from(S.OFFERED), S.DECLINED, rules.may_act_as_applicant,
        declare("application.declined", "Offer declined", "offer"), _("Decline"),
        at=_at(StepKind.OFFER), leaves=Outcome.ENDED,
    ),
    "lapse": Transition(
        _from(S.OFFERED), S.LAPSED, rules.may_act_as_officer,
        declare("application.lapsed", "Offer lapsed without an answer", "offer"), _("Let the offer lapse"),
        at=_at(StepKind.OFFER), leaves=Outcome.ENDED, by_clock=True,
    ),
}  # fmt: skip


# What happens to an application without a change of state.
TOLD = declare("application.told", "The result was told", "result")


def open_to(user: Any, application: Application) -> list[str]:
    """The transitions that USER may take with APPLICATION now, in the order of the table."""
    stage = rules.current_stage(application)
    return [
        name
        for name, move in TRANSITIONS.items()
        if application.state in move.sources
        and (not move.at or (stage is not None and stage.kind in move.at))
        and move.who(user, application)
    ]


@dataclass(frozen=True)
class Face:
    """A state as the applicant sees it: ``tag`` is the look, ``says`` explains, ``next`` is the next step."""

    key: str
    name: Words
    tag: str
    says: Words
    next: Words


_UNDER_CONSIDERATION = Face(
    "under_consideration", _("Under consideration"), "doing",
    _("Your application is being considered."), _("You need to do nothing now. We write to you when there is news."),
)  # fmt: skip

FACES: dict[str, Face] = {
    S.DRAFT: Face("draft", _("Draft"), "todo", _("Saved, not yet handed in."), _("Complete all sections and submit before the deadline.")),
    S.SUBMITTED: Face("submitted", _("Submitted"), "doing", _("We have your application."), _("You need to do nothing now. We write to you at each step.")),
    S.RETURNED: Face("returned", _("Returned to you"), "wait", _("Something has to be corrected."), _("Correct the sections named and submit again in time.")),
    S.INELIGIBLE: Face("ineligible", _("Not eligible"), "off", _("Your application does not meet a rule of the call."), _("Read the reason. You can apply to other calls.")),
    S.NOT_SELECTED: Face("not_selected", _("Not selected"), "off", _("We cannot offer you a place this year."), _("Read the reason. You can apply to other calls.")),
    S.RESERVE: Face("reserve", _("On the reserve list"), "wait", _("When somebody declines, the next who fits gets the place."), _("You need to do nothing. We write at once when a place is yours.")),
    S.OFFERED: Face("offered", _("You are offered a place"), "ok", _("A place waits for your answer."), _("Accept or decline before the date named.")),
    S.ACCEPTED: Face("accepted", _("Place accepted"), "ok", _("The place is yours."), _("We write to you about your admission papers.")),
    S.DECLINED: Face("declined", _("Declined"), "off", _("You declined the place."), _("Nothing more is to be done. You can apply to other calls.")),
    S.LAPSED: Face("lapsed", _("Offer lapsed"), "off", _("The offer was not answered in time."), _("Nothing more can be done here. You can apply to other calls.")),
    S.WITHDRAWN: Face("withdrawn", _("Withdrawn"), "off", _("You withdrew this application."), _("Until the deadline you can open it again.")),
}  # fmt: skip

# States that say something about a place. Until the published moment all look alike to the applicant.
_HIDDEN_UNTIL_RESULTS = _from(S.NOMINATED, S.ELIGIBLE, S.IN_REVIEW, S.SELECTED, S.RESERVE, S.NOT_SELECTED)
_ALWAYS_CONSIDERED = _from(S.NOMINATED, S.ELIGIBLE, S.IN_REVIEW, S.SELECTED)

NOT_NOMINATED = "not_nominated"


def face(application: Application, *, at: datetime) -> Face:
    """How APPLICATION looks to its applicant at the instant AT."""
    state = State(application.state)
    if state in _ALWAYS_CONSIDERED:
        return _UNDER_CONSIDERATION
    if state in _HIDDEN_UNTIL_RESULTS and at < application.call.results_at and application.reason != NOT_NOMINATED:
        return _UNDER_CONSIDERATION
    return FACES[state]
