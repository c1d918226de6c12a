"""Reviewers of one application by hand, and of many evenly."""

from __future__ import annotations

import re

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from scholarships.applications.models import Application, State
from scholarships.people.models import Scope, User
from scholarships.reviews.actions import recuse, submit_review
from scholarships.reviews.models import Assignment, Conflict, Progress
from tests.factories import (
    make_assignment,
    make_at_review,
    make_call,
    make_institution,
    make_nominated,
    make_officer,
    make_reviewer,
)

pytestmark = pytest.mark.django_db

SCORES = {"record": 8, "plan": 6, "other": None}


def client_of(user: User) -> Client:
    client = Client(HTTP_HOST="127.0.0.1")
    client.force_login(user)
    return client


def url(application: Application) -> str:
    return reverse("manage:reviewers", args=[application.code])


def evenly(call: str = "small-2027") -> str:
    return reverse("manage:evenly", args=[call])


def words(response) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def said(response) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


def pairs() -> list[tuple[str, str]]:
    return sorted(Assignment.objects.values_list("application__code", "reviewer__name"))


# -- One application -------------------------------------------------------------


def test_who_may_not_have_the_file_is_shown_with_the_reason_and_cannot_be_chosen():
    application = make_at_review()
    call = application.call
    make_reviewer(call, name="Free Reviewer")
    make_reviewer(call, name="Same Nationality", country="KG")
    make_reviewer(call, name="From Host", institution=make_institution("small-host"))

    response = client_of(make_officer()).get(url(application))

    text = words(response)
    assert "Free Reviewer 0 open files" in text
    assert "Same Nationality Not possible: same nationality" in text
    assert "From Host Not possible: an institution the applicant has chosen" in text
    assert len(re.findall(r'name="reviewers"[^>]*disabled', response.content.decode())) == 2


def test_an_officer_gives_the_file_to_reviewers_by_hand():
    application, one, two = make_at_review(), make_reviewer(name="One"), make_reviewer(name="Two")

    response = client_of(make_officer()).post(url(application), {"do": "assign", "reviewers": [one.code, two.code]})

    assert response.url == url(application)
    assert said(response) == ["Given to 2 reviewers."]
    assert pairs() == [(application.code, "One"), (application.code, "Two")]
    application.refresh_from_db()
    assert application.state == State.IN_REVIEW


def test_a_reviewer_with_a_conflict_is_refused_even_when_the_page_is_forged():
    application = make_at_review()
    conflicted = make_reviewer(application.call, country="KG")

    response = client_of(make_officer()).post(url(application), {"do": "assign", "reviewers": [conflicted.code]})

    assert response.status_code == 422
    assert "Choose from the reviewers who may have this file." in response.content.decode()
    assert pairs() == []


@pytest.mark.parametrize("reviewers", [[], ["NOSUCH"], ["' OR 1=1"], ["\x00"]])
def test_bad_input_is_refused_with_a_sentence(reviewers: list[str]):
    application = make_at_review()
    make_reviewer(application.call)

    response = client_of(make_officer()).post(url(application), {"do": "assign", "reviewers": reviewers})

    assert response.status_code == 422
    assert 'id="errors"' in response.content.decode()


def test_before_the_step_of_review_nobody_can_be_assigned():
    application = make_nominated()
    reviewer = make_reviewer(application.call)
    client = client_of(make_officer())

    assert "It is not at the step of review now: it is “Nominated”." in words(client.get(url(application)))
    assert client.post(url(application), {"do": "assign", "reviewers": [reviewer.code]}).status_code == 422
    assert pairs() == []


def test_a_file_is_taken_back():
    assignment = make_assignment()

    response = client_of(make_officer()).post(url(assignment.application), {"do": "take_back", "assignment": assignment.code})

    assert said(response) == ["The file is taken back from Rustam Omarov."]
    assert pairs() == []


def test_a_review_that_is_handed_in_stays():
    assignment = make_assignment()
    submit_review(assignment, SCORES, "", known_version=0, by=assignment.reviewer)
    client = client_of(make_officer())

    response = client.post(url(assignment.application), {"do": "take_back", "assignment": assignment.code})

    assert response.status_code == 422
    assert "This review is handed in and stays." in response.content.decode()
    assert Assignment.objects.get().progress == Progress.DONE


def test_the_assignment_of_another_application_is_not_there():
    call = make_call()
    mine, other = make_at_review(call), make_assignment(make_at_review(call))

    assert client_of(make_officer()).post(url(mine), {"do": "take_back", "assignment": other.code}).status_code == 404


def test_who_left_for_a_conflict_is_shown_and_does_not_get_it_back():
    assignment = make_assignment()
    recuse(assignment, Conflict.TEACHER, by=assignment.reviewer)

    text = words(client_of(make_officer()).get(url(assignment.application)))

    assert "Rustam Omarov left for a conflict: I taught, supervised or employed the applicant" in text
    assert "Rustam Omarov Not possible: left this file for a conflict of interest" in text


def test_an_officer_closes_a_review_with_fewer_than_wanted():
    assignment = make_assignment()
    submit_review(assignment, SCORES, "", known_version=0, by=assignment.reviewer)
    make_assignment(assignment.application, make_reviewer(name="Late"))

    response = client_of(make_officer()).post(url(assignment.application), {"do": "close"})

    assert said(response) == ["The review is closed. The application goes on to the next step."]


def test_a_review_without_any_score_cannot_be_closed():
    assignment = make_assignment()

    response = client_of(make_officer()).post(url(assignment.application), {"do": "close"})

    assert response.status_code == 422
    assert "There is no review yet" in response.content.decode()


def test_the_page_costs_the_same_with_one_and_with_thirty_reviewers():
    application, client = make_at_review(), client_of(make_officer())

    def queries() -> int:
        client.get(url(application))
        with CaptureQueriesContext(connection) as captured:
            client.get(url(application))
        return len(captured)

    make_reviewer(application.call)
    with_one = queries()
    for number in range(29):
        reviewer = make_reviewer(application.call, name=f"Reviewer {number}")
        if number % 2:
            make_assignment(application, reviewer)

    assert (with_one, queries()) == (9, 9)


# -- Many, evenly ----------------------------------------------------------------


def test_the_proposal_shows_the_load_of_each_reviewer_and_what_stays_short():
    call = make_call()
    make_reviewer(call, name="Anna")
    make_reviewer(call, name="Boris", country="KG")
    make_at_review(call)  # of KG: Boris may not
    make_at_review(call, citizenship="KZ")

    response = client_of(make_officer()).get(evenly())

    text = words(response)
    assert "2 files find reviewers" in text
    assert "Anna 0 handed in 0 +2 2" in text
    assert "Boris 0 handed in 0 +1 1" in text
    assert "1 file stays short of reviewers" in text
    assert pairs() == []


def mark_of(client: Client, address: str) -> dict[str, str]:
    """The hidden fields of the form that confirms."""
    html = client.get(address).content.decode()
    form = html[html.rindex("<form method=") :]
    return dict(re.findall(r'name="(mark|codes)" value="([^"]*)"', form))


def test_what_is_confirmed_is_assigned():
    call, client = make_call(), client_of(make_officer())
    reviewers = [make_reviewer(call, name=name) for name in ("Anna", "Boris")]
    first, second = make_at_review(call), make_at_review(call)

    response = client.post(evenly(), mark_of(client, evenly()))

    assert response.url == "/manage/applications/?q=call:small-2027+with:reviewers"
    assert said(response) == ["2 files are given to reviewers."]
    assert pairs() == sorted((row.code, reviewer.name) for row in (first, second) for reviewer in reviewers)


def test_only_the_chosen_are_assigned_and_the_rest_is_said():
    call, client = make_call(), client_of(make_officer())
    for name in ("Anna", "Boris"):
        make_reviewer(call, name=name)
    chosen, other, early = make_at_review(call), make_at_review(call), make_nominated(call)
    address = f"{evenly()}?pick={chosen.code}&pick={early.code}"

    text = words(client.get(address))
    client.post(evenly(), mark_of(client, address))

    assert "1 file finds reviewers" in text
    assert "It is “Nominated”, at the step “Eligibility”." in text
    assert {code for code, _name in pairs()} == {chosen.code}
    assert other.code not in text


def test_a_proposal_that_has_changed_meanwhile_is_not_carried_out():
    call, client = make_call(), client_of(make_officer())
    make_reviewer(call, name="Anna")
    make_at_review(call)
    old = mark_of(client, evenly())
    make_at_review(call)

    response = client.post(evenly(), old)

    assert response.status_code == 409
    assert "Something has changed since this was proposed." in response.content.decode()
    assert pairs() == []


@pytest.mark.parametrize("sent", [{}, {"mark": "forged"}, {"mark": "", "codes": "NOSUCH"}])
def test_a_forged_confirmation_is_refused(sent: dict[str, str]):
    call = make_call()
    make_reviewer(call)
    make_at_review(call)

    assert client_of(make_officer()).post(evenly(), sent).status_code == 409
    assert pairs() == []


def test_sent_twice_it_is_done_once():
    call, client = make_call(), client_of(make_officer())
    make_reviewer(call, name="Anna")
    make_at_review(call)
    confirmed = mark_of(client, evenly())

    answers = [client.post(evenly(), confirmed) for _each in range(2)]

    assert [answer.status_code for answer in answers] == [302, 409]
    assert len(pairs()) == 1


def test_many_are_assigned_in_batches(monkeypatch):
    call, client = make_call(), client_of(make_officer())
    make_reviewer(call, name="Anna")
    for _each in range(3):
        make_at_review(call)
    monkeypatch.setattr("exchange.manage.bulk.BATCH", 2)

    response = client.post(evenly(), mark_of(client, evenly()))

    assert said(response) == ["3 files are given to reviewers."]


def test_a_call_without_reviewers_or_files_proposes_nothing():
    make_call()

    response = client_of(make_officer()).get(evenly())

    assert "Nothing is to be assigned" in words(response)
    assert "Give them the files" not in words(response)


def test_only_an_officer_of_the_call_assigns():
    make_call()
    other = make_officer(scope=Scope.CALL, key=make_call("other-2027").code)
    reviewer = make_reviewer()

    assert client_of(other).get(evenly()).status_code == 404
    assert client_of(other).post(evenly(), {}).status_code == 404
    assert client_of(reviewer).get(evenly()).status_code == 403
    assert client_of(make_officer()).get(evenly("nosuch")).status_code == 404


def test_the_proposal_costs_the_same_for_one_and_for_thirty_files():
    call, client = make_call(), client_of(make_officer())
    make_reviewer(call, name="Anna")

    def queries() -> int:
        client.get(evenly())
        with CaptureQueriesContext(connection) as captured:
            client.get(evenly())
        return len(captured)

    make_at_review(call)
    with_one = queries()
    for _each in range(29):
        make_at_review(call)

    assert with_one == queries()
