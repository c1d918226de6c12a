"""The table of states: who may take which way, from where, and what is written when they do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from scholarships.applications import rules
from scholarships.applications.door import advance, advance_all
from scholarships.applications.lifecycle import FACES, NOT_NOMINATED, TRANSITIONS, face, open_to
from scholarships.applications.models import Application, Outcome, Stage, State
from scholarships.calls.form import form_of
from scholarships.calls.models import StepKind
from scholarships.events.models import Event
from tests.factories import make_application, make_body_member, make_draft, make_institution
from tests.scholarships.applications.people import APPLICANT, BODY, OFFICER

pytestmark = pytest.mark.django_db

S, K = State, StepKind
NOW = datetime(2027, 3, 14, 12, tzinfo=UTC)

# The table once more, by hand: from which states, in which steps, by whom, to where, how the step ends ("" stays).
EXPECTED: dict[str, tuple[set[str], set[str], set[str], str, str]] = {
    "submit": ({S.DRAFT, S.RETURNED}, set(), APPLICANT, S.SUBMITTED, "enters"),
    "change": ({S.SUBMITTED}, set(), APPLICANT, S.SUBMITTED, ""),
    "withdraw": (
        {S.SUBMITTED, S.RETURNED, S.NOMINATED, S.ELIGIBLE, S.IN_REVIEW, S.SELECTED, S.RESERVE, S.NOT_SELECTED},
        set(),
        APPLICANT,
        S.WITHDRAWN,
        "ended",
    ),
    "reopen": ({S.WITHDRAWN}, set(), APPLICANT, S.DRAFT, ""),
    "return": ({S.SUBMITTED, S.NOMINATED, S.ELIGIBLE}, {K.NOMINATION, K.ELIGIBILITY}, OFFICER | BODY, S.RETURNED, "returned"),
    "nominate": ({S.SUBMITTED, S.NOMINATED, S.ELIGIBLE}, {K.NOMINATION}, BODY, S.NOMINATED, "passed"),
    "not_nominate": ({S.SUBMITTED, S.NOMINATED, S.ELIGIBLE}, {K.NOMINATION}, BODY, S.NOT_SELECTED, "ended"),
    "take_back": ({S.NOMINATED}, {K.NOMINATION, K.ELIGIBILITY, K.REVIEW, K.ALLOCATION}, BODY, S.SUBMITTED, "back"),
    "find_eligible": ({S.SUBMITTED, S.NOMINATED}, {K.ELIGIBILITY}, OFFICER, S.ELIGIBLE, "passed"),
    "find_ineligible": ({S.SUBMITTED, S.NOMINATED}, {K.ELIGIBILITY}, OFFICER, S.INELIGIBLE, "ended"),
    "review": ({S.SUBMITTED, S.NOMINATED, S.ELIGIBLE}, {K.REVIEW}, OFFICER, S.IN_REVIEW, ""),
    "close_review": ({S.IN_REVIEW}, {K.REVIEW}, OFFICER | {"clock"}, S.IN_REVIEW, "passed"),
    "select": ({S.IN_REVIEW, S.NOMINATED, S.ELIGIBLE}, {K.ALLOCATION}, OFFICER, S.SELECTED, "passed"),
    "put_on_reserve": ({S.IN_REVIEW, S.NOMINATED, S.ELIGIBLE}, {K.ALLOCATION}, OFFICER, S.RESERVE, "passed"),
    "not_select": ({S.IN_REVIEW, S.NOMINATED, S.ELIGIBLE}, {K.ALLOCATION}, OFFICER, S.NOT_SELECTED, "ended"),
    "offer": ({S.SELECTED, S.RESERVE}, {K.OFFER}, OFFICER | {"clock"}, S.OFFERED, ""),
    "accept": ({S.OFFERED}, {K.OFFER}, APPLICANT, S.ACCEPTED, "passed"),
    "decline": ({S.OFFERED}, {K.OFFER}, APPLICANT, S.DECLINED, "ended"),
    "lapse": ({S.OFFERED}, {K.OFFER}, OFFICER | {"clock"}, S.LAPSED, "ended"),
}
NEXT = {K.NOMINATION: K.ELIGIBILITY, K.ELIGIBILITY: K.REVIEW, K.REVIEW: K.ALLOCATION, K.ALLOCATION: K.OFFER, K.OFFER: None}
WITHOUT_A_STEP = {S.DRAFT, S.RETURNED, S.WITHDRAWN, S.INELIGIBLE, S.NOT_SELECTED, S.ACCEPTED, S.DECLINED, S.LAPSED}


def placed(application: Application, state: str, kind: str | None) -> Application:
    """A fresh object of APPLICATION, in STATE and in the step of KIND (none where the state has none)."""
    Stage.objects.filter(application=application).delete()
    step = form_of(application.version).first_step_of(kind) if kind else None
    if step:
        body = make_institution("kg-ministry") if kind == K.NOMINATION else None
        Stage.objects.create(application=application, step=step.key, kind=step.kind, order=step.order, body=body)
    Application.objects.filter(pk=application.pk).update(state=state)
    return again(application)


def sent_on(application: Application) -> None:
    """The ministry in charge has sent APPLICATION on, before it came to where it is."""
    here = list(Stage.objects.filter(application=application))
    Stage.objects.filter(application=application).delete()
    sent = {"step": "nomination", "kind": K.NOMINATION, "order": 1, "body": make_institution("kg-ministry")}
    Stage.objects.create(application=application, left_at=NOW, outcome=Outcome.PASSED, **sent)
    Stage.objects.bulk_create(Stage(application=application, step=one.step, kind=one.kind, order=one.order, body=one.body) for one in here)


def placed_for(name: str, application: Application) -> Application:
    """A fresh object of APPLICATION, from where the transition NAME starts."""
    mine = placed(application, *a_place_for(name))
    if name == "take_back":
        sent_on(mine)
    return again(mine)


def again(application: Application) -> Application:
    return Application.objects.select_related("call", "version").get(pk=application.pk)


def a_place_for(name: str) -> tuple[str, str | None]:
    """A state and a step from which the transition NAME starts."""
    sources, kinds, *_rest = EXPECTED[name]
    state = max(sources)
    return state, max(kinds) if kinds else None if state in WITHOUT_A_STEP else K.NOMINATION


def row_of(application: Application) -> tuple[Any, ...]:
    kept = again(application)
    stages = Stage.objects.filter(application=application).order_by("pk").values_list("kind", "outcome")
    return kept.state, kept.moved_at, list(stages), Event.objects.about(application).count()


def test_the_table_is_complete():
    assert set(TRANSITIONS) == set(EXPECTED)


# -- Who -------------------------------------------------------------------------


@pytest.mark.parametrize("name", EXPECTED)
def test_each_way_is_open_to_its_people_and_to_nobody_else(world, application, name):
    passed = set()
    for who, person in [*world.people.items(), ("clock", None)]:
        mine = placed_for(name, application)
        with transaction.atomic():
            before = row_of(mine)
            try:
                advance(mine, name, by=person)
            except PermissionDenied:
                assert row_of(mine) == before
            else:
                passed.add(who)
            transaction.set_rollback(True)

    assert passed == EXPECTED[name][2]


@pytest.mark.parametrize("name", EXPECTED)
def test_the_buttons_of_a_page_are_the_ways_open_to_its_reader(world, application, name):
    mine = placed_for(name, application)

    assert {who for who, person in world.people.items() if name in open_to(person, mine)} == EXPECTED[name][2] - {"clock"}


def test_a_draft_is_open_to_nobody_but_its_applicant(world, application):
    draft = placed(application, S.DRAFT, None)

    assert {who: open_to(person, draft) for who, person in world.people.items() if open_to(person, draft)} == {"applicant": ["submit"]}


# -- Whence ----------------------------------------------------------------------


@pytest.mark.parametrize("name", EXPECTED)
def test_from_any_other_state_or_step_the_way_is_closed(world, application, name):
    sources, kinds, people, *_rest = EXPECTED[name]
    by = world[min(people - {"clock"})]
    if name == "take_back":
        sent_on(application)
    mine = again(application)
    before = row_of(mine)
    wrong = []
    for state in State:
        for kind in [None, *StepKind]:
            if state in sources and (not kinds or kind in kinds):
                continue
            mine.state = state
            rules.remember_stage(mine, Stage(application=mine, step="x", kind=kind, body=make_institution("kg-ministry")) if kind else None)
            try:
                advance(mine, name, by=by)
            except PermissionDenied:  # a draft is none of an officer's business; of a draft and without a step no body is in charge
                is_refused = (bool(people & OFFICER) and state == S.DRAFT) or (bool(people & BODY) and (kind is None or state == S.DRAFT))
            except ValidationError as refused:
                is_refused = refused.code == "wrong_state"
            else:
                is_refused = False
            wrong += [] if is_refused else [(state, kind)]
            assert name not in open_to(by, mine)

    assert wrong == []
    assert row_of(application) == before


# -- What is written -------------------------------------------------------------


@pytest.mark.parametrize("name", EXPECTED)
def test_each_way_leads_to_its_state_ends_its_step_and_is_one_event(world, application, name):
    _sources, _kinds, people, target, end = EXPECTED[name]
    _state, kind = a_place_for(name)
    by = world[min(people - {"clock"})]
    mine = placed_for(name, application)
    before = list(Stage.objects.filter(application=mine, left_at__isnull=False).values_list("pk", flat=True))
    events = Event.objects.about(mine).count()

    advance(mine, name, by=by, at=NOW, data={})

    kept = again(application)
    assert (mine.state, mine.moved_at, kept.state, kept.moved_at) == (target, NOW, target, NOW)
    (event,) = Event.objects.about(application)[events:]
    assert (event.name, event.by, event.at) == (TRANSITIONS[name].event, by, NOW)
    since = Stage.objects.filter(application=application).exclude(pk__in=before).order_by("pk")
    stages = list(since.values_list("kind", "left_at", "outcome", "entered_at"))
    outcome = "returned" if end == "back" else end if end in Outcome.values else ""
    first = [(kind, NOW if outcome else None, outcome)] if kind else []
    following = K.NOMINATION if end in ("enters", "back") else NEXT[kind] if end == "passed" else None
    assert [stage[:3] for stage in stages] == [*first, *([(following, None, "")] if following else [])]
    assert [stage[3] for stage in stages[len(first) :]] == ([NOW] if following else [])
    assert rules.current_stage(mine) == Stage.objects.filter(application=application, left_at__isnull=True).first()


def test_fields_are_written_with_the_state(world, application):
    mine = placed(application, S.SUBMITTED, K.ELIGIBILITY)

    advance(mine, "find_ineligible", by=world["officer of the site"], reason="age", note="Too old.")

    assert Application.objects.values_list("state", "reason", "note").get(pk=application.pk) == ("ineligible", "age", "Too old.")
    assert (mine.reason, mine.note) == ("age", "Too old.")


def test_the_body_of_a_nomination_step_follows_from_the_citizenship(world, application):
    stage = Stage.objects.get(application=application)

    assert (stage.kind, stage.body.code) == (K.NOMINATION, "kg-ministry")


def test_a_returned_file_goes_back_to_the_step_that_returned_it(world, application):
    mine = placed(application, S.NOMINATED, K.ELIGIBILITY)
    advance(mine, "return", by=world["officer of the call"])

    advance(mine, "submit", by=world["applicant"])

    assert list(Stage.objects.filter(application=mine).order_by("pk").values_list("kind", "outcome")) == [
        (K.ELIGIBILITY, "returned"),
        (K.ELIGIBILITY, ""),
    ]


def test_a_reopened_file_begins_at_the_first_step(world, application):
    mine = placed(application, S.NOMINATED, K.ELIGIBILITY)
    advance(mine, "return", by=world["officer of the call"])
    advance(mine, "withdraw", by=world["applicant"])
    advance(mine, "reopen", by=world["applicant"])

    advance(mine, "submit", by=world["applicant"])

    assert Stage.objects.get(application=mine, left_at__isnull=True).kind == K.NOMINATION


# -- Two at once -----------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in EXPECTED if name != "change"])
def test_of_two_who_act_at_once_the_second_is_told(world, application, name):
    """Both have read the row; only one finds it as it was. A change is kept apart by its revision."""
    state, _kind = a_place_for(name)
    by = world[min(EXPECTED[name][2] - {"clock"})]
    first, second = placed_for(name, application), again(application)
    rules.current_stage(second)
    advance(first, name, by=by)
    before = row_of(application)

    with pytest.raises(ValidationError) as refused:
        advance(second, name, by=by)

    stays = EXPECTED[name][3] == state and not TRANSITIONS[name].leaves
    assert (refused.value.code, row_of(application)) == ("changed_meanwhile", before)
    assert not stays


def test_the_key_makes_an_act_happen_once(world, application):
    by = world["member of the body in charge"]
    advance(again(application), "nominate", by=by, key="k")
    before = row_of(application)
    mine = again(application)

    with pytest.raises(ValidationError) as refused:
        advance(mine, "find_eligible", by=world["officer of the site"], key="k")

    assert (refused.value.code, row_of(application)) == ("already_done", before)


def test_an_object_that_was_refused_does_not_believe_that_it_moved(world, application):
    advance(again(application), "nominate", by=world["member of the body in charge"], key="k")
    mine = again(application)
    officer = world["officer of the site"]

    with pytest.raises(ValidationError):
        advance(mine, "find_eligible", by=officer, key="k")

    assert (mine.state, rules.current_stage(mine).kind) == (S.NOMINATED, K.ELIGIBILITY)
    assert advance(mine, "find_eligible", by=officer).state == S.ELIGIBLE


# -- Many together ---------------------------------------------------------------


def test_twelve_take_as_many_queries_as_two(world):
    officer = world["officer of the site"]
    applications = [placed(make_application(world.call), S.NOMINATED, K.ELIGIBILITY) for _number in range(14)]

    def queries(rows: list[Application]) -> int:
        with CaptureQueriesContext(connection) as captured:
            advance_all(rows, "find_eligible", by=officer)
        return len(captured)

    queries(applications[:1])  # the form and the officer's scopes are read once
    assert queries(applications[1:3]) == queries(applications[3:])
    assert Application.objects.filter(state=S.ELIGIBLE).count() == 14
    assert Event.objects.filter(name="application.eligible").count() == 14


def test_many_in_different_states_move_together(world):
    rows = [placed(make_application(world.call), state, K.ALLOCATION) for state in (S.IN_REVIEW, S.NOMINATED, S.ELIGIBLE)]

    advance_all(rows, "select", by=world["officer of the site"])

    assert {again(row).state for row in rows} == {S.SELECTED}
    assert Stage.objects.filter(left_at__isnull=True, kind=K.OFFER).count() == 3


def test_of_many_none_moves_where_one_cannot(world):
    rows = [placed(make_application(world.call), S.NOMINATED, kind) for kind in (K.ELIGIBILITY, K.ELIGIBILITY, K.REVIEW)]
    before = [row_of(row) for row in rows]

    with pytest.raises(ValidationError) as refused:
        advance_all(rows, "find_eligible", by=world["officer of the site"])

    assert (refused.value.code, [row_of(row) for row in rows]) == ("wrong_state", before)


def test_of_many_none_moves_where_one_was_changed_meanwhile(world):
    rows = [placed(make_application(world.call), S.NOMINATED, K.ELIGIBILITY) for _number in range(2)]
    Application.objects.filter(pk=rows[1].pk).update(state=S.WITHDRAWN)
    before = [row_of(row) for row in rows]

    with pytest.raises(ValidationError) as refused:
        advance_all(rows, "find_eligible", by=world["officer of the site"])

    assert (refused.value.code, [row_of(row) for row in rows]) == ("changed_meanwhile", before)


def test_none_at_all_is_nothing(world):
    advance_all([], "find_eligible", by=world["officer of the site"])

    assert not Event.objects.filter(name="application.eligible").exists()


# -- Nobody in charge ------------------------------------------------------------


def test_without_a_body_for_the_citizenship_nobody_could_receive_the_file(world, application):
    placed(application, S.DRAFT, None)
    Application.objects.filter(pk=application.pk).update(country="TJ")

    with pytest.raises(ValidationError) as refused:
        advance(again(application), "submit", by=world["applicant"])

    assert (refused.value.code, again(application).state) == ("no_body", S.DRAFT)


# -- What the applicant sees -----------------------------------------------------

BEFORE, AFTER = timedelta(seconds=-1), timedelta()


@pytest.mark.parametrize(
    ("state", "before", "after"),
    [
        (S.DRAFT, "draft", "draft"),
        (S.SUBMITTED, "submitted", "submitted"),
        (S.RETURNED, "returned", "returned"),
        (S.NOMINATED, "under_consideration", "under_consideration"),
        (S.ELIGIBLE, "under_consideration", "under_consideration"),
        (S.INELIGIBLE, "ineligible", "ineligible"),
        (S.IN_REVIEW, "under_consideration", "under_consideration"),
        (S.SELECTED, "under_consideration", "under_consideration"),
        (S.RESERVE, "under_consideration", "reserve"),
        (S.NOT_SELECTED, "under_consideration", "not_selected"),
        (S.OFFERED, "offered", "offered"),
        (S.ACCEPTED, "accepted", "accepted"),
        (S.DECLINED, "declined", "declined"),
        (S.LAPSED, "lapsed", "lapsed"),
        (S.WITHDRAWN, "withdrawn", "withdrawn"),
    ],
)
def test_what_is_decided_about_a_place_is_hidden_until_the_results(application, state, before, after):
    application.state = state
    results = application.call.results_at

    assert (face(application, at=results + BEFORE).key, face(application, at=results + AFTER).key) == (before, after)


def test_who_is_not_nominated_is_told_at_once(application):
    application.state, application.reason = S.NOT_SELECTED, NOT_NOMINATED

    assert face(application, at=application.call.results_at - timedelta(days=1)).key == "not_selected"


def test_every_state_has_a_name_an_explanation_and_a_next_step():
    silent = [
        state for state in State if state not in FACES and face(Application(state=state), at=timezone.now()).key != "under_consideration"
    ]

    assert silent == []
    assert all(str(one.name) and str(one.says) and str(one.next) for one in FACES.values())


# -- Who may read ----------------------------------------------------------------


@pytest.mark.parametrize("state", State)
def test_lists_show_what_the_rule_lets_through(world, application, state):
    mine = placed(application, state, None)
    make_draft(world.call, world["other applicant"])

    seen = {who for who, person in world.people.items() if mine in Application.objects.visible_to(person)}

    assert seen == {who for who, person in world.people.items() if rules.may_read(person, mine)}
    assert seen == APPLICANT | (OFFICER if state != S.DRAFT else set())


def test_an_officer_reads_as_an_officer_what_is_of_the_own_calls(world, application):
    readers = {who for who, person in world.people.items() if application in Application.objects.run_by(person)}

    assert readers == OFFICER


def test_a_person_finds_the_own_applications_whatever_their_state(world, application):
    assert list(Application.objects.of(world["applicant"])) == [application]
    assert list(Application.objects.of(world["other applicant"])) == []


def test_the_body_in_charge_changes_with_the_step(world, application):
    member = world["member of the body in charge"]
    mine = again(application)
    assert rules.may_act_as_body(member, mine)

    advance(mine, "nominate", by=member)

    assert not rules.may_act_as_body(member, mine)
    assert not rules.may_act_as_body(make_body_member(make_institution("uz-ministry")), mine)
