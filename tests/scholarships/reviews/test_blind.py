"""What a reviewer may read, and what is never fetched."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.test.utils import CaptureQueriesContext

from scholarships.applications.actions import withdraw
from scholarships.applications.models import Answer, Application, Attachment
from scholarships.people.models import Membership, User
from scholarships.people.rules import forget_scopes
from scholarships.reviews import actions, rules
from scholarships.reviews.blind import OtherReview, blind_file, other_reviews, paper_of
from scholarships.reviews.models import Assignment
from tests.factories import make_assignment, make_at_review, make_call, make_officer, make_reviewer

pytestmark = pytest.mark.django_db

FULL = {"record": 8, "plan": 6, "other": None}


def seen(assignment: Assignment) -> Assignment:
    return Assignment.objects.blind().get(pk=assignment.pk)


def again(user: User) -> User:
    """The user as the next request reads it."""
    return User.objects.get(pk=user.pk)


def hand_in(assignment: Assignment, scores=FULL, comment: str = "") -> None:
    actions.submit_review(assignment, scores, comment, known_version=0, by=assignment.reviewer)


# -- Who sees a file -------------------------------------------------------------


def everybody(assignment: Assignment) -> list[User]:
    return [
        assignment.reviewer,
        make_reviewer(assignment.call),
        make_reviewer(),
        make_officer(),
        User.objects.get(pk=assignment.application.applicant_id),
    ]


def list_and_rule_agree(assignment: Assignment, users: list[User]) -> list[bool]:
    """What the list shows to each of USERS, which is what the rule says."""
    shown = [Assignment.objects.visible_to(user).filter(pk=assignment.pk).exists() for user in users]
    row = Assignment.objects.get(pk=assignment.pk)
    assert shown == [bool(rules.may_read(user, row)) for user in users]
    return shown


def test_a_file_is_seen_by_its_own_reviewer_and_nobody_else():
    assignment = make_assignment()

    assert list_and_rule_agree(assignment, everybody(assignment)) == [True, False, False, False, False]


def test_a_file_that_is_handed_in_stays_readable_for_its_reviewer():
    assignment = make_assignment()
    hand_in(assignment)

    assert list_and_rule_agree(assignment, everybody(assignment)) == [True, False, False, False, False]


def test_a_file_left_for_a_conflict_is_seen_by_nobody():
    assignment = make_assignment()
    actions.recuse(assignment, "teacher", by=assignment.reviewer)

    assert list_and_rule_agree(assignment, everybody(assignment)) == [False] * 5


def test_a_withdrawn_application_is_closed_also_to_those_who_have_handed_in():
    application = make_at_review()
    waiting, done = make_assignment(application), make_assignment(application)
    hand_in(done)
    withdraw(Application.objects.get(), by=application.applicant)

    assert list_and_rule_agree(waiting, [waiting.reviewer]) == [False]
    assert list_and_rule_agree(done, [done.reviewer]) == [False]


def test_a_review_that_an_officer_has_closed_is_open_only_to_those_who_have_handed_in():
    application = make_at_review()
    waiting, done = make_assignment(application), make_assignment(application)
    hand_in(done)
    actions.close_review(Application.objects.get(), by=make_officer())

    assert list_and_rule_agree(waiting, [waiting.reviewer]) == [False]
    assert list_and_rule_agree(done, [done.reviewer]) == [True]


def test_who_is_no_longer_a_reviewer_of_the_call_sees_its_files_no_more():
    assignment = make_assignment()
    other_call = make_call("other-2027")
    Membership.objects.filter(user=assignment.reviewer).update(scope_key=other_call.code)
    reviewer = again(assignment.reviewer)

    assert list_and_rule_agree(assignment, [reviewer]) == [False]

    Membership.objects.filter(user=reviewer).update(scope_kind="site", scope_key="")
    forget_scopes(reviewer)
    assert list_and_rule_agree(assignment, [reviewer]) == [True]


def test_nobody_who_is_not_signed_in_sees_a_file():
    make_assignment()

    assert list(Assignment.objects.visible_to(AnonymousUser())) == []


def test_what_is_open_stands_first_and_the_order_of_dealing_is_not_kept():
    call = make_call()
    reviewer = make_reviewer(call)
    dealt = [make_assignment(make_at_review(call), reviewer) for _number in range(4)]
    hand_in(dealt[1])

    waiting = sorted(assignment.code for assignment in dealt if assignment != dealt[1])
    assert [row.code for row in Assignment.objects.visible_to(reviewer).in_order()] == [*waiting, dealt[1].code]


# -- What is in it ---------------------------------------------------------------


def test_the_answers_are_there_and_what_tells_who_it_is_is_not():
    file = blind_file(make_assignment())

    assert {section.key: values for section, values in file.answers} == {
        "study": {"citizenship": "KG", "level": "master"},
        "education": {"education.highest": "bachelor", "gpa": "86", "schools": [{"year": "2026"}]},
        "plan": {"plan": "I want to study how glaciers melt and what the villages below can do about water."},
    }
    assert (file.level, file.country) == ("master", "KG")
    assert [programme.code for programme in file.programmes] == ["small-a", "small-b"]


def test_an_identity_answer_that_lies_in_the_wrong_place_is_left_out():
    assignment = make_assignment()
    row = Answer.objects.get(revision=assignment.application.revision, section="person")
    row.values = {"family_name": "ASANOVA", "unknown": "ASANOVA"}
    row.save()

    assert "ASANOVA" not in str(blind_file(assignment).answers)


def test_only_papers_that_reviewers_see_are_there():
    assignment = make_assignment()
    file = blind_file(assignment)
    transcript, passport = (Attachment.objects.get(requirement=key).file for key in ("transcript", "passport"))

    assert [(requirement.key, [one.file for one in attachments]) for requirement, attachments in file.papers] == [
        ("transcript", [transcript])
    ]
    assert paper_of(assignment, transcript.code).file == transcript
    assert paper_of(assignment, passport.code) is None


def test_a_paper_of_another_application_is_not_there():
    call = make_call()
    mine, other = make_assignment(make_at_review(call)), make_assignment(make_at_review(call))
    foreign = Attachment.objects.get(requirement="transcript", revision=other.application.revision).file

    assert paper_of(mine, foreign.code) is None


def test_an_open_file_is_read_in_five_queries_none_of_which_fetches_who_it_is():
    code = make_assignment().pk
    with CaptureQueriesContext(
        connection,
    ) as context:
        assignment = Assignment.objects.blind().get(pk=code)
        file = blind_file(assignment)
        str([file.answers, assignment.application.first_choice.host, assignment.call.title, assignment.total])

    sql = "\n".join(query["sql"] for query in context)
    assert len(context) == 5
    for column in ("name", "search", "sort_key", "home_id", "note", "applicant_id"):
        assert not re.search(rf'"applications_application"\."{column}"', sql)
    for column in (
        '"applications_answer"."identity"',
        '"documents_documentversion"."name"',
        '"documents_documentversion"."original"',
        "people_user",
    ):
        assert column not in sql


# -- What others say -------------------------------------------------------------


def test_other_reviews_are_hidden_until_the_own_one_is_handed_in():
    application = make_at_review()
    first, second = make_assignment(application), make_assignment(application)
    hand_in(first, {"record": 9, "plan": 9, "other": None}, "Rare.")
    actions.save_review(second, FULL, "", known_version=0, by=second.reviewer)

    assert other_reviews(seen(second), by=again(second.reviewer)) == ()

    actions.submit_review(second, FULL, "Fine.", known_version=1, by=second.reviewer)
    assert other_reviews(seen(second), by=again(second.reviewer)) == (OtherReview(Decimal("9.00"), "Rare."),)


def test_a_draft_of_another_reviewer_is_never_shown():
    application = make_at_review()
    first, second = make_assignment(application), make_assignment(application)
    actions.save_review(first, FULL, "not yet", known_version=0, by=first.reviewer)
    hand_in(second)

    assert other_reviews(seen(second), by=again(second.reviewer)) == ()


def test_the_highest_of_the_others_stands_first_whoever_handed_in_first():
    application = make_at_review()
    assignments = [make_assignment(application) for _number in range(3)]
    for assignment, score in zip(assignments, (2, 9, 5), strict=True):
        hand_in(assignment, {"record": score, "plan": score, "other": None}, f"{score}")

    assert [other.comment for other in other_reviews(seen(assignments[2]), by=again(assignments[2].reviewer))] == ["9", "2"]


def test_nobody_but_the_reviewer_is_shown_the_others():
    assignment = make_assignment()
    hand_in(assignment)

    assert other_reviews(seen(assignment), by=make_reviewer(assignment.call)) == ()
