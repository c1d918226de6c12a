"""Places are allocated, kept with their proof, and confirmed once."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.utils import timezone

from scholarships.allocations import actions
from scholarships.allocations.models import Placement, Result, Run, RunFile
from scholarships.applications import actions as applications
from scholarships.applications.models import Application, State
from scholarships.engine.allocation import digest
from scholarships.events.models import Event
from scholarships.people.models import Scope
from scholarships.quotas import actions as quotas
from scholarships.quotas.models import Purpose, Quota
from tests.factories import make_application, make_call, make_candidate, make_officer

ROOT = Path(__file__).parents[3]
MATRIX = "a.country,o.level"

pytestmark = pytest.mark.django_db


def code(refused) -> str:
    return refused.value.error_list[0].code


def results(run) -> list[tuple[int, str, str, str | None]]:
    rows = Placement.objects.filter(run=run).order_by("rank")
    return list(rows.values_list("rank", "application__code", "result", "programme__code"))


def states(*people) -> list[str]:
    return [Application.objects.get(pk=person.pk).state for person in people]


# -- Running ---------------------------------------------------------------------


def test_places_go_by_score_under_the_caps_of_country_and_level():
    call, officer = make_call(), make_officer()
    third, first, second = (make_candidate(call, score) for score in ("7.10", "9.00", "8.25"))
    other = make_candidate(call, "5.00", citizenship="KZ")

    run = actions.allocate(call, by=officer)

    assert results(run) == [
        (1, first.code, Result.PLACE, "small-a"),
        (2, second.code, Result.PLACE, "small-a"),
        (3, third.code, Result.RESERVE, None),
        (4, other.code, Result.PLACE, "small-a"),
    ]
    assert (run.candidates, run.awarded, run.by, run.confirmed_at) == (4, 3, officer, None)
    assert run.finished_at is not None


def test_caps_that_cross_bind_together_and_the_reason_names_the_one_that_was_full_first():
    call, officer = make_call(), make_officer()
    actions.set_places(call, {"o.programme": {("small-a",): 1, ("small-b",): 5}}, by=officer)
    best, other, next_best = make_candidate(call, "9.00"), make_candidate(call, "8.00", citizenship="KZ"), make_candidate(call, "7.00")

    run = actions.allocate(call, by=officer)

    assert results(run) == [
        (1, best.code, Result.PLACE, "small-a"),
        (2, other.code, Result.PLACE, "small-b"),
        (3, next_best.code, Result.PLACE, "small-b"),
    ]
    assert Placement.objects.get(run=run, rank=2).reasons == [
        {
            "choice": "small-a",
            "outcome": "refused",
            "quota": "o.programme[small-a]",
            "used": 1,
            "cap": 1,
            "cut_rank": 1,
            "cut_score": "9.00",
        },
        {"choice": "small-b", "outcome": "awarded", "quota": None, "used": None, "cap": None, "cut_rank": None, "cut_score": None},
    ]


def test_who_meets_a_cap_of_zero_everywhere_gets_no_place_and_is_not_on_reserve():
    call, officer = make_call(), make_officer()
    actions.set_places(call, {MATRIX: {("UZ", "master"): 0}}, by=officer)
    make_candidate(call, citizenship="UZ")

    run = actions.allocate(call, by=officer)

    assert [row[2] for row in results(run)] == [Result.NONE]


def test_only_reviewed_applications_at_the_step_of_places_take_part():
    call, officer = make_call(), make_officer()
    make_application(call)
    unscored = make_candidate(call)
    Application.objects.filter(pk=unscored.pk).update(score=None)
    gone = make_candidate(call)
    applications.withdraw(gone, by=gone.applicant)
    there = make_candidate(call)

    run = actions.allocate(call, by=officer)

    assert [row[1] for row in results(run)] == [there.code]


def test_a_choice_that_has_left_the_call_is_passed_over():
    call, officer = make_call(), make_officer()
    person = make_candidate(call)
    call.programmes.remove(call.programmes.get(code="small-a"))

    run = actions.allocate(call, by=officer)

    assert results(run) == [(1, person.code, Result.PLACE, "small-b")]


def test_equal_scores_are_decided_by_the_published_lottery_and_not_by_the_order_of_rows():
    call, officer = make_call(), make_officer()
    people = [make_candidate(call, "8.00") for _copy in range(6)]

    orders = [[row[1] for row in results(actions.allocate(call, by=officer, seed=f"{number:x}"))] for number in range(6)]
    again = [row[1] for row in results(actions.allocate(call, by=officer, seed="0"))]

    assert again == orders[0]
    assert len({tuple(order) for order in orders}) > 1
    assert sorted(orders[0]) == sorted(person.code for person in people)


def test_a_run_is_written_down_with_its_digest_and_changes_no_application():
    call, officer = make_call(), make_officer()
    person = make_candidate(call)
    seen = Event.objects.count()

    run = actions.allocate(call, by=officer, key="k")

    assert states(person) == [State.IN_REVIEW]
    events = Event.objects.order_by("pk")[seen:]
    assert [(event.name, event.subject_key, event.by, event.key, event.data) for event in events] == [
        ("call.allocated", call.code, officer, f"{call.code}:run:k", {"run": run.code, "awarded": 1, "digest": run.output_digest})
    ]


def test_the_same_key_makes_no_second_run():
    call, officer = make_call(), make_officer()
    make_candidate(call)
    actions.allocate(call, by=officer, key="k")

    with pytest.raises(ValidationError) as refused:
        actions.allocate(call, by=officer, key="k")

    assert code(refused) == "already_done"
    assert Run.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_five_posts_of_one_key_at_the_same_moment_one_run_stays():
    call, officer = make_call(), make_officer()
    make_candidate(call)
    start = threading.Barrier(5)

    def post() -> None:
        try:
            start.wait()
            actions.allocate(call, by=officer, key="k")
        except ValidationError:
            pass
        finally:
            connection.close()

    threads = [threading.Thread(target=post) for _copy in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (Run.objects.count(), RunFile.objects.count(), Placement.objects.count()) == (1, 2, 1)
    assert Run.objects.whole().count() == 1


def test_without_quotas_or_candidates_there_is_nothing_to_run():
    call, officer = make_call(), make_officer()
    with pytest.raises(ValidationError) as no_candidates:
        actions.allocate(call, by=officer)
    make_candidate(call)
    Quota.objects.filter(call=call, purpose=Purpose.AWARD).update(purpose=Purpose.NOMINATION, by="x")
    with pytest.raises(ValidationError) as no_quotas:
        actions.allocate(call, by=officer)

    assert (code(no_candidates), code(no_quotas)) == ("no_candidates", "no_quotas")
    assert Run.objects.count() == 0


def test_an_officer_of_another_call_may_not_run_set_or_confirm():
    call, officer = make_call(), make_officer()
    stranger = make_officer(scope=Scope.CALL, key="other-call")
    make_candidate(call)
    run = actions.allocate(call, by=officer)

    for act in (
        lambda: actions.allocate(call, by=stranger),
        lambda: actions.set_places(call, {MATRIX: {("KG", "master"): 9}}, by=stranger),
        lambda: actions.confirm(run, by=stranger),
    ):
        with pytest.raises(PermissionDenied):
            act()


# -- The proof -------------------------------------------------------------------


def test_the_engine_makes_of_the_problem_file_the_very_bytes_of_the_result_file(tmp_path):
    call, officer = make_call(), make_officer()
    for score, country in (("9.00", "KG"), ("8.00", "KG"), ("8.00", "KG"), ("7.50", "KZ"), ("7.25", "UZ")):
        make_candidate(call, score, citizenship=country)
    run = actions.allocate(call, by=officer)
    files = dict(run.files.values_list("name", "content"))
    (tmp_path / "problem.json").write_text(files["problem"], encoding="utf-8")

    said = subprocess.run(
        [sys.executable, "-m", "scholarships.engine.allocation", str(tmp_path / "problem.json")], cwd=ROOT, capture_output=True, check=True
    ).stdout

    assert said == files["result"].encode() + b"\n"
    assert digest(json.loads(files["problem"])) == run.input_digest
    assert json.loads(files["result"])["digest"] == {"input": run.input_digest, "output": run.output_digest}


# -- Stale -----------------------------------------------------------------------


def _scores(call):
    Application.objects.filter(call=call).update(score=Decimal("1.00"))


def _places(call):
    actions.set_places(call, {MATRIX: {("KG", "master"): 1}}, by=make_officer())


def _another(call):
    make_candidate(call)


def _withdrawn(call):
    person = Application.objects.filter(call=call).select_related("applicant").first()
    applications.withdraw(person, by=person.applicant)


def _programme(call):
    call.programmes.remove(call.programmes.first())


@pytest.mark.parametrize("change", [_scores, _places, _another, _withdrawn, _programme])
def test_a_run_is_stale_when_its_input_has_changed(change):
    call, officer = make_call(), make_officer()
    for score in ("8.00", "7.29"):
        make_candidate(call, score)
    run = actions.allocate(call, by=officer)
    fresh = actions.looks_stale(run), actions.is_stale(run)

    change(call)

    assert fresh == (False, False)
    assert (actions.looks_stale(run), actions.is_stale(run)) == (True, True)


def test_scores_that_change_places_are_seen_by_the_fingerprint():
    call, officer = make_call(), make_officer()
    one, two = make_candidate(call, "8.00"), make_candidate(call, "6.00")
    run = actions.allocate(call, by=officer)

    Application.objects.filter(pk=one.pk).update(score=two.score)
    Application.objects.filter(pk=two.pk).update(score=one.score)

    assert actions.looks_stale(run) is True


def test_a_place_that_is_held_makes_no_run_stale():
    call, officer = make_call(), make_officer()
    make_candidate(call)
    run = actions.allocate(call, by=officer)

    quotas.hold([Quota.objects.filter(call=call, purpose=Purpose.AWARD).first()], subject="x")

    assert (actions.looks_stale(run), actions.is_stale(run)) == (False, False)


# -- Confirming ------------------------------------------------------------------


def given_three(call):
    """Two get the places of KG, the third waits; the fourth has no place to wait for."""
    people = [make_candidate(call, score) for score in ("9.00", "8.00", "7.00")]
    return [*people, make_candidate(call, "6.00", citizenship="UZ")]


def test_confirming_writes_the_result_of_each_application_and_one_event_of_the_call():
    call, officer = make_call(), make_officer()
    actions.set_places(call, {MATRIX: {("UZ", "master"): 0}}, by=officer)
    people = given_three(call)
    run = actions.allocate(call, by=officer)

    actions.confirm(run, by=officer)

    assert states(*people) == [State.SELECTED, State.SELECTED, State.RESERVE, State.NOT_SELECTED]
    assert (run.confirmed_by, run.confirmed_at is not None) == (officer, True)
    events = Event.objects.about(call).filter(name="call.allocation_confirmed")
    assert [(event.by, event.data["run"]) for event in events] == [(officer, run.code)]


def test_confirming_twice_changes_nothing_more():
    call, officer = make_call(), make_officer()
    given_three(call)
    run = actions.allocate(call, by=officer)
    actions.confirm(run, by=officer)
    seen = Event.objects.count()

    actions.confirm(Run.objects.get(pk=run.pk), by=officer)

    assert Event.objects.count() == seen


def test_a_confirmation_that_was_interrupted_goes_on_where_it_stopped():
    call, officer = make_call(), make_officer()
    people = given_three(call)
    run = actions.allocate(call, by=officer)
    Run.objects.filter(pk=run.pk).update(confirmed_at=timezone.now(), confirmed_by=officer)  # and there the process died
    run.refresh_from_db()
    left = actions.unsettled(run).count()

    actions.confirm(run, by=make_officer())

    assert (left, actions.unsettled(run).count()) == (4, 0)
    assert states(*people) == [State.SELECTED, State.SELECTED, State.RESERVE, State.SELECTED]


def test_confirming_goes_on_without_somebody_who_withdraws_in_that_moment():
    call, officer = make_call(), make_officer()
    people = given_three(call)
    run = actions.allocate(call, by=officer)
    Run.objects.filter(pk=run.pk).update(confirmed_at=timezone.now(), confirmed_by=officer)
    run.refresh_from_db()
    gone: list[Application] = []

    def withdraw_first(execute, sql, params, many, context):
        if not gone and 'FROM "applications_stage"' in sql and "SELECT" in sql and 'FROM "applications_application"' not in sql:
            gone.append(Application.objects.select_related("applicant").get(pk=people[0].pk))
            applications.withdraw(gone[0], by=gone[0].applicant)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(withdraw_first):
        actions.confirm(run, by=officer)

    assert len(gone) == 1
    assert states(*people) == [State.WITHDRAWN, State.SELECTED, State.RESERVE, State.SELECTED]


def test_a_stale_run_cannot_be_confirmed():
    call, officer = make_call(), make_officer()
    make_candidate(call)
    run = actions.allocate(call, by=officer)
    make_candidate(call)

    with pytest.raises(ValidationError) as refused:
        actions.confirm(run, by=officer)

    assert code(refused) == "stale"
    assert Run.objects.confirmed().count() == 0


def test_only_one_run_of_a_call_can_be_confirmed_and_no_other_can_be_made_after_it():
    call, officer = make_call(), make_officer()
    make_candidate(call)
    first, second = actions.allocate(call, by=officer), actions.allocate(call, by=officer)
    actions.confirm(first, by=officer)

    with pytest.raises(ValidationError):
        actions.confirm(second, by=officer)
    with pytest.raises(ValidationError) as refused:
        actions.allocate(call, by=officer)

    assert code(refused) == "confirmed_already"
    assert list(Run.objects.confirmed()) == [first]


# -- Setting places --------------------------------------------------------------


def test_places_of_several_dimensions_are_set_together_or_not_at_all():
    call, officer = make_call(), make_officer()

    with pytest.raises(ValidationError) as refused:
        actions.set_places(call, {MATRIX: {("KG", "master"): 7}, "o.programme": {("small-a",): -1}}, by=officer)
    before = Quota.objects.get(call=call, purpose=Purpose.AWARD, by=MATRIX, cell="KG,master").places
    changed = actions.set_places(call, {MATRIX: {("KG", "master"): 7}, "o.programme": {("small-a",): 1}}, by=officer)

    assert (code(refused), before, changed) == ("not_places", 2, 2)


def test_places_that_somebody_else_set_since_are_not_overwritten():
    call, officer = make_call(), make_officer()
    seen = quotas.edition(quotas.award_quotas(call))
    actions.set_places(call, {MATRIX: {("KG", "master"): 5}}, by=officer, seen=seen)

    with pytest.raises(ValidationError) as refused:
        actions.set_places(call, {MATRIX: {("KG", "master"): 3}}, by=officer, seen=seen)

    assert code(refused) == "changed_meanwhile"
    assert Quota.objects.get(call=call, purpose=Purpose.AWARD, by=MATRIX, cell="KG,master").places == 5


def test_what_a_confirmed_allocation_gives_is_promised_until_it_is_published():
    call, officer = make_call(), make_officer()
    given_three(call)
    run = actions.allocate(call, by=officer)
    actions.confirm(run, by=officer)

    with pytest.raises(ValidationError) as refused:
        actions.set_places(call, {MATRIX: {("KG", "master"): 1, ("UZ", "master"): 0, ("KZ", "master"): 0}}, by=officer)
    actions.set_places(call, {MATRIX: {("KG", "master"): 3, ("KZ", "master"): 0}}, by=officer)

    assert [(error.code, error.params["cell"], error.params["given"]) for error in refused.value.error_list] == [
        ("promised", "KG,master", 2),
        ("promised", "UZ,master", 1),
    ]


def test_what_a_run_gives_is_counted_in_every_dimension_in_one_query(django_assert_num_queries):
    call, officer = make_call(), make_officer()
    given_three(call)
    run = actions.allocate(call, by=officer)

    with django_assert_num_queries(1):
        given = actions.given_by(run, [MATRIX, "a.country", "o.programme"])

    assert given == {MATRIX: {"KG,master": 2, "UZ,master": 1}, "a.country": {"KG": 2, "UZ": 1}, "o.programme": {"small-a": 3}}
