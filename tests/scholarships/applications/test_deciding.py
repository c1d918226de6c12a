"""The office decides on eligibility, one by one or together."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from scholarships.applications import actions
from scholarships.applications.content import content_of
from scholarships.applications.models import Application, Stage, State
from scholarships.applications.readiness import verdict_of, verdicts_of
from scholarships.calls.models import StepKind
from scholarships.events.models import Event
from scholarships.people.models import Scope
from tests.factories import make_application, make_at_review, make_body_member, make_call, make_institution, make_nominated, make_officer

pytestmark = pytest.mark.django_db


def last_event(application: Application) -> tuple[str, dict]:
    return Event.objects.about(application).values_list("name", "data").last()


def codes_of(refused: ValidationError) -> dict[str, list[str]]:
    return {name: [error.code for error in errors] for name, errors in refused.error_dict.items()}


def test_an_eligible_application_goes_on_to_the_next_step():
    application = make_nominated()

    actions.decide_eligibility(application, is_eligible=True, by=make_officer())

    assert application.state == State.ELIGIBLE
    assert Stage.objects.get(application=application, left_at__isnull=True).kind == StepKind.REVIEW
    assert last_event(application) == ("application.eligible", {})


def test_finding_eligible_against_the_site_names_the_criteria_decided_by_hand():
    application = make_nominated(education_highest="secondary")

    actions.decide_eligibility(application, is_eligible=True, by=make_officer())

    assert last_event(application) == ("application.eligible", {"by_hand": ["degree"]})


def test_an_ineligible_application_ends_with_its_criteria_and_the_reason_the_applicant_reads():
    application = make_nominated()

    actions.decide_eligibility(application, is_eligible=False, criteria=["degree", "age"], note=" No diploma. ", by=make_officer())

    application.refresh_from_db()
    assert (application.state, application.reason, application.note) == (State.INELIGIBLE, "age", "No diploma.")
    assert not Stage.objects.filter(application=application, left_at__isnull=True).exists()
    assert last_event(application) == ("application.ineligible", {"criteria": ["age", "degree"]})


@pytest.mark.parametrize(
    ("criteria", "note", "codes"),
    [
        ([], "No diploma.", {"criteria": ["no_criteria"]}),
        (["unknown"], "No diploma.", {"criteria": ["no_criteria"]}),
        (["degree"], "   ", {"note": ["no_reason"]}),
        ([], "", {"criteria": ["no_criteria"], "note": ["no_reason"]}),
    ],
)
def test_not_eligible_needs_criteria_of_the_call_and_a_reason(criteria: list[str], note: str, codes: dict[str, list[str]]):
    application = make_nominated()

    with pytest.raises(ValidationError) as refused:
        actions.decide_eligibility(application, is_eligible=False, criteria=criteria, note=note, by=make_officer())

    assert codes_of(refused.value) == codes
    application.refresh_from_db()
    assert application.state == State.NOMINATED


@pytest.mark.parametrize("is_eligible", [True, False])
def test_only_an_officer_of_the_call_decides(is_eligible: bool):
    application = make_nominated()
    other = make_officer(scope=Scope.CALL, key=make_call("other-2027").code)
    body = make_body_member(make_institution("kg-ministry"))

    for user in (other, body, application.applicant):
        with pytest.raises(PermissionDenied):
            actions.decide_eligibility(application, is_eligible=is_eligible, criteria=["degree"], note="No diploma.", by=user)


@pytest.mark.parametrize("make", [make_application, make_at_review])
def test_nothing_is_decided_before_or_after_the_step_of_eligibility(make):
    application = make()

    with pytest.raises(ValidationError) as refused:
        actions.decide_eligibility(application, is_eligible=True, by=make_officer())

    assert refused.value.code == "wrong_state"


def test_the_same_decision_sent_twice_is_made_once():
    application, officer = make_nominated(), make_officer()

    for _each in range(2):
        actions.decide_eligibility(application, is_eligible=True, by=officer, key="k1")

    assert Event.objects.filter(name="application.eligible").count() == 1


def test_verdicts_of_many_are_the_verdicts_of_each_in_two_queries():
    call = make_call()
    rows = [make_nominated(call), make_nominated(call, education_highest="secondary"), make_nominated(call, birth_date="1980-01-01")]
    alone = {row.pk: verdict_of(content_of(row, row.revision)) for row in rows}

    with CaptureQueriesContext(connection) as queries:
        together = verdicts_of(rows)

    assert together == alone
    assert len(queries) == 2
    assert [together[row.pk].is_eligible for row in rows] == [True, False, False]


def test_many_are_found_eligible_together():
    call = make_call()
    rows = [make_nominated(call), make_nominated(call, citizenship="KZ")]

    actions.find_eligible(rows, by=make_officer())

    assert list(Application.objects.values_list("state", flat=True)) == [State.ELIGIBLE] * 2
    assert Event.objects.filter(name="application.eligible").count() == 2


def test_one_that_does_not_meet_all_criteria_stops_all():
    call = make_call()
    good, bad = make_nominated(call), make_nominated(call, education_highest="secondary")

    with pytest.raises(ValidationError) as refused:
        actions.find_eligible([good, bad], by=make_officer())

    assert (refused.value.code, refused.value.params) == ("by_hand", {"code": bad.code})
    assert set(Application.objects.values_list("state", flat=True)) == {State.NOMINATED}


def test_many_are_found_eligible_by_an_officer_of_their_call_only():
    application = make_nominated()

    with pytest.raises(PermissionDenied):
        actions.find_eligible([application], by=make_officer(scope=Scope.CALL, key=make_call("other-2027").code))
