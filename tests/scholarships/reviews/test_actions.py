"""Assigning, scoring, handing in, leaving a file."""

from __future__ import annotations

import threading
from contextlib import nullcontext
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection

from scholarships.applications.actions import withdraw
from scholarships.applications.models import Application, State
from scholarships.applications.rules import current_stage
from scholarships.calls.form import form_of
from scholarships.calls.models import Call
from scholarships.documents.models import DocumentVersion
from scholarships.events.models import Event
from scholarships.people.models import Membership, User
from scholarships.reviews import actions, rules
from scholarships.reviews.models import Assignment, Progress, Review
from tests.factories import (
    make_application,
    make_assignment,
    make_at_review,
    make_call,
    make_call_with_letters,
    make_institution,
    make_officer,
    make_reference,
    make_reviewer,
    make_user,
    send_letter,
)

pytestmark = pytest.mark.django_db

FULL = {"record": 8, "plan": 6, "other": None}  # weights 60 and 30 count, 10 is not applicable
FULL_TOTAL = Decimal("7.33")


def rubric_of(call: Call):
    return form_of(call.version).rubric


def code_of(refused: pytest.ExceptionInfo[ValidationError]) -> set[str]:
    return {error.code for error in refused.value.error_list}


def hand_in(assignment: Assignment, scores=FULL, comment: str = "", known_version: int = 0) -> Review:
    return actions.submit_review(assignment, scores, comment, known_version=known_version, by=assignment.reviewer)


def fresh(assignment: Assignment) -> Assignment:
    return Assignment.objects.get(pk=assignment.pk)


# -- The total -------------------------------------------------------------------


def test_the_total_is_the_weighted_mean():
    assert actions.total_of(rubric_of(make_call()), {"record": 8, "plan": 6, "other": 2}) == Decimal("6.80")


def test_not_applicable_counts_nowhere_and_never_as_zero():
    rubric = rubric_of(make_call())

    assert actions.total_of(rubric, {"record": 8, "plan": 8, "other": None}) == Decimal("8.00")
    assert actions.total_of(rubric, {"record": 8, "plan": 8, "other": 0}) == Decimal("7.20")


def test_a_line_that_is_not_scored_yet_counts_nowhere():
    assert actions.total_of(rubric_of(make_call()), {"plan": 4}) == Decimal("4.00")


def test_without_any_number_there_is_no_total():
    rubric = rubric_of(make_call())

    assert [actions.total_of(rubric, {}), actions.total_of(rubric, {"other": None})] == [None, None]


def test_a_total_of_zero_is_a_total():
    assert actions.total_of(rubric_of(make_call()), {"record": 0, "plan": 0, "other": 0}) == Decimal("0.00")


@pytest.mark.parametrize(
    ("weights", "scores", "total"),
    [
        ((2, 1), (7, 6), "6.67"),  # 20/3
        ((2, 1), (6, 7), "6.33"),  # 19/3
        ((199, 1), (7, 6), "7.00"),  # 6.995 is a tie, and goes up
        ((199, 1), (6, 7), "6.01"),  # 6.005
    ],
)
def test_the_total_has_two_decimals_and_a_tie_goes_up(weights, scores, total):
    item = rubric_of(make_call())[0]
    rubric = [type(item)(str(number), item.title, item.help, weight, item.anchors, False) for number, weight in enumerate(weights)]

    assert actions.total_of(rubric, {str(number): score for number, score in enumerate(scores)}) == Decimal(total)


# -- Assigning -------------------------------------------------------------------


def test_assigning_puts_the_application_in_review_and_tells_the_reviewer_how_many():
    call = make_call()
    applications = [make_at_review(call), make_at_review(call)]
    reviewer, officer = make_reviewer(call), make_officer()

    count = actions.assign(call, [(application, reviewer) for application in applications], by=officer)

    assert count == 2
    assert set(Application.objects.values_list("state", flat=True)) == {State.IN_REVIEW}
    assert list(Event.objects.filter(name=actions.ASSIGNED).values_list("subject_key", "by", "data")) == [
        (reviewer.code, officer.pk, {"call": call.code, "files": 2})
    ]


def test_a_pair_that_exists_stays_as_it_is():
    assignment = make_assignment()
    actions.save_review(assignment, {"record": 5}, "", known_version=0, by=assignment.reviewer)

    count = actions.assign(
        assignment.call, [(Application.objects.get(pk=assignment.application_id), assignment.reviewer)], by=make_officer()
    )

    assert count == 0
    assert fresh(assignment).progress == Progress.DRAFT


def test_the_same_pair_twice_is_one_assignment():
    application = make_at_review()
    reviewer = make_reviewer(application.call)

    assert actions.assign(application.call, [(application, reviewer)] * 2, by=make_officer()) == 1


def test_only_an_officer_of_the_call_assigns():
    application = make_at_review()
    reviewer = make_reviewer(application.call)

    with pytest.raises(PermissionDenied):
        actions.assign(application.call, [(application, reviewer)], by=reviewer)

    assert Assignment.objects.count() == 0


@pytest.mark.parametrize("kind", ["own", "nationality", "home", "host"])
def test_a_conflict_of_interest_refuses_all_of_it(kind):
    call = make_call()
    application, harmless = make_at_review(call), make_at_review(call)
    home = make_institution()
    Application.objects.filter(pk=application.pk).update(home=home)
    application.refresh_from_db()
    reviewer = {
        "own": lambda: _also_reviewer(call, application),
        "nationality": lambda: make_reviewer(call, country="KG"),
        "home": lambda: make_reviewer(call, institution=home),
        "host": lambda: make_reviewer(call, institution=call.programmes.first().host),
    }[kind]()

    with pytest.raises(ValidationError) as refused:
        actions.assign(call, [(harmless, make_reviewer(call)), (application, reviewer)], by=make_officer())

    assert code_of(refused) == {"conflict"}
    assert Assignment.objects.count() == 0


def _also_reviewer(call: Call, application: Application) -> User:
    """The applicant with a reviewer's role, whose passport says something else meanwhile."""
    user = User.objects.get(pk=application.applicant_id)
    user.profile.citizenship_id = "DE"
    user.profile.save()
    Membership.objects.create(user=user, role="reviewer", scope_kind="call", scope_key=call.code)
    return user


@pytest.mark.parametrize(("waits", "letters", "days", "is_assigned"), [
    (True, 1, 0, False), (True, 2, 0, True), (True, 1, 40, True), (False, 0, 0, True),
])  # fmt: skip
def test_a_review_waits_for_letters_until_they_are_due_where_the_call_says_so(waits, letters, days, is_assigned):
    call = make_call_with_letters(review_waits=waits, least=2)
    application = make_at_review(call)
    for _number in range(letters):
        send_letter(make_reference(application))
    at = call.closes_at + timedelta(days=days)

    with nullcontext() if is_assigned else pytest.raises(ValidationError, match="waits for letters"):
        actions.assign(call, [(application, make_reviewer(call))], by=make_officer(), at=at)

    assert Assignment.objects.exists() == is_assigned


def test_somebody_who_is_no_reviewer_of_the_call_gets_nothing():
    application = make_at_review()

    with pytest.raises(ValidationError) as refused:
        actions.assign(application.call, [(application, make_user(country="DE"))], by=make_officer())

    assert code_of(refused) == {"not_a_reviewer"}


def test_an_application_before_its_review_is_not_assigned():
    application = make_application()

    with pytest.raises(ValidationError) as refused:
        actions.assign(application.call, [(application, make_reviewer(application.call))], by=make_officer())

    assert code_of(refused) == {"not_at_review"}


def test_assigning_many_files_takes_as_many_queries_as_assigning_few(django_assert_num_queries):
    call = make_call()
    officer, reviewer = make_officer(), make_reviewer(call)
    few, many = [make_at_review(call)], [make_at_review(call) for _number in range(5)]
    rules.scopes_of(officer, "officer")

    with django_assert_num_queries(18):
        actions.assign(call, [(application, reviewer) for application in list(Application.objects.filter(pk=few[0].pk))], by=officer)
    with django_assert_num_queries(18):
        rows = Application.objects.filter(pk__in=[application.pk for application in many])
        actions.assign(call, [(application, reviewer) for application in list(rows)], by=officer)


# -- Evenly ----------------------------------------------------------------------


def loads(plan: actions.Plan) -> dict[str, int]:
    found: dict[str, int] = {}
    for _application, reviewer in plan.pairs:
        found[reviewer.name] = found.get(reviewer.name, 0) + 1
    return found


def test_the_plan_gives_each_application_two_and_each_reviewer_as_many():
    call = make_call()
    applications = [make_at_review(call) for _number in range(6)]
    for name in ("A", "B", "C", "D"):
        make_reviewer(call, name=name)

    plan = actions.plan_evenly(call, applications, rules.reviewers_of(call))

    assert loads(plan) == {"A": 3, "B": 3, "C": 3, "D": 3}
    assert [application.pk for application, _reviewer in plan.pairs] == [row.pk for row in applications for _copy in range(2)]
    assert plan.short == ()


def test_the_plan_counts_what_lies_on_the_desks_already():
    call = make_call()
    busy, idle, third = (make_reviewer(call, name=name) for name in ("A", "B", "C"))
    for _number in range(3):
        make_assignment(make_at_review(call), busy)
    application = make_at_review(call)

    plan = actions.plan_evenly(call, [application], [busy, idle, third])

    assert plan.pairs == ((application, idle), (application, third))


def test_the_plan_never_goes_against_a_conflict_and_says_what_is_missing():
    call = make_call()
    application = make_at_review(call)
    neighbour, free = make_reviewer(call, name="A", country="KG"), make_reviewer(call, name="B")

    plan = actions.plan_evenly(call, [application], [neighbour, free])

    assert plan.pairs == ((application, free),)
    assert plan.short == ((application, 1),)


def test_a_file_left_for_a_conflict_is_planned_for_somebody_else():
    call = make_call()
    first, second, third = (make_reviewer(call, name=name) for name in ("A", "B", "C"))
    application = make_at_review(call)
    make_assignment(application, second)
    actions.recuse(make_assignment(application, first), "teacher", by=first)

    assert actions.plan_evenly(call, [application], [first, second, third]).pairs == ((application, third),)


def test_what_is_assigned_stays_and_only_the_rest_is_planned():
    call = make_call()
    first, second = make_reviewer(call, name="A"), make_reviewer(call, name="B")
    application = make_at_review(call)
    make_assignment(application, first)

    assert actions.plan_evenly(call, [application], [first, second]).pairs == ((application, second),)


def test_the_applications_with_few_possible_reviewers_choose_first_so_that_the_load_is_even():
    call = make_call()
    call.reviews_wanted = 1
    open_to_both = [make_at_review(call) for _number in range(3)]
    only_a = [make_at_review(call, citizenship="KZ") for _number in range(3)]
    reviewers = [make_reviewer(call, name="A"), make_reviewer(call, name="B", country="KZ")]

    plan = actions.plan_evenly(call, [*open_to_both, *only_a], reviewers)

    assert loads(plan) == {"A": 3, "B": 3}


def test_the_plan_is_repeatable():
    call = make_call()
    applications = [make_at_review(call) for _number in range(4)]
    reviewers = [make_reviewer(call, name="Same Name") for _number in range(3)]

    first, second = (actions.plan_evenly(call, applications, order) for order in (reviewers, reviewers[::-1]))

    assert first == second


# -- Drafts ----------------------------------------------------------------------


def test_a_draft_is_kept_with_its_total_and_counts_nowhere():
    assignment = make_assignment()

    review = actions.save_review(assignment, {"record": 7}, "So far so good.", known_version=0, by=assignment.reviewer)

    assert (review.scores, review.comment, review.total, review.version) == ({"record": 7}, "So far so good.", Decimal("7.00"), 1)
    assert (fresh(assignment).progress, fresh(assignment).scored) == (Progress.DRAFT, None)
    assert Application.objects.get().score is None


def test_a_draft_that_another_page_has_saved_is_not_overwritten():
    assignment = make_assignment()
    actions.save_review(assignment, {"record": 7}, "there", known_version=0, by=assignment.reviewer)
    actions.save_review(assignment, {"record": 8}, "there again", known_version=1, by=assignment.reviewer)

    for known in (0, 1):
        with pytest.raises(ValidationError) as refused:
            actions.save_review(assignment, {"record": 1}, "here", known_version=known, by=assignment.reviewer)
        assert code_of(refused) == {"changed_meanwhile"}

    assert list(Review.objects.values_list("comment", "version")) == [("there again", 2)]


@pytest.mark.parametrize("scores", [{"record": 11}, {"record": -1}, {"record": None}, {"record": 7.5}, {"record": "7"}])
def test_a_score_off_the_scale_is_refused(scores):
    assignment = make_assignment()

    with pytest.raises(ValidationError) as refused:
        actions.save_review(assignment, scores, "", known_version=0, by=assignment.reviewer)

    assert code_of(refused) == {"off_scale"}
    assert Review.objects.count() == 0


def test_a_line_that_the_rubric_does_not_have_falls_away():
    assignment = make_assignment()

    assert actions.save_review(assignment, {"record": 5, "beauty": 10}, "", known_version=0, by=assignment.reviewer).scores == {"record": 5}


def test_only_its_own_reviewer_writes_a_review():
    assignment = make_assignment()

    for stranger in (make_reviewer(assignment.call), make_officer(), assignment.application.applicant):
        with pytest.raises(PermissionDenied):
            actions.save_review(assignment, FULL, "", known_version=0, by=stranger)
        with pytest.raises(PermissionDenied):
            actions.submit_review(assignment, FULL, "", known_version=0, by=stranger)


def test_who_is_no_longer_a_reviewer_of_the_call_writes_none():
    assignment = make_assignment()
    Membership.objects.filter(user=assignment.reviewer).delete()
    reviewer = User.objects.get(pk=assignment.reviewer_id)

    with pytest.raises(PermissionDenied):
        actions.save_review(assignment, FULL, "", known_version=0, by=reviewer)


# -- Handing in ------------------------------------------------------------------


def test_handing_in_counts_at_once_and_is_recorded():
    assignment = make_assignment()

    review = hand_in(assignment, comment="Clear.")

    assert (fresh(assignment).progress, fresh(assignment).scored) == (Progress.DONE, FULL_TOTAL)
    assert review.submitted_at is not None
    assert Application.objects.get().score == FULL_TOTAL
    assert list(Event.objects.filter(name=actions.SUBMITTED).values_list("subject_key", "by", "data")) == [
        (assignment.code, assignment.reviewer_id, {"application": assignment.application.code})
    ]


def test_a_missing_score_is_named_and_the_rest_is_kept_as_a_draft():
    assignment = make_assignment()

    with pytest.raises(ValidationError) as refused:
        hand_in(assignment, {"record": 8}, "half")

    assert [(error.code, error.params["key"]) for error in refused.value.error_list] == [("incomplete", "plan"), ("incomplete", "other")]
    assert list(Review.objects.values_list("scores", "comment", "submitted_at")) == [({"record": 8}, "half", None)]
    assert fresh(assignment).progress == Progress.DRAFT


def test_a_review_without_any_number_is_incomplete_and_kept():
    assignment = make_assignment()
    version = assignment.application.version
    version.rubric.update(may_skip=True)
    version.published_at = None  # read the rubric anew
    version.save()

    with pytest.raises(ValidationError) as refused:
        hand_in(fresh(assignment), {"record": None, "plan": None, "other": None}, "nothing to go by")

    assert code_of(refused) == {"incomplete"}
    assert Review.objects.get().comment == "nothing to go by"
    assert fresh(assignment).progress == Progress.DRAFT


def test_what_is_handed_in_can_no_longer_be_changed():
    assignment = make_assignment()
    hand_in(assignment)

    for act in (actions.save_review, actions.submit_review):
        with pytest.raises(ValidationError) as refused:
            act(fresh(assignment), {**FULL, "record": 1}, "", known_version=1, by=assignment.reviewer)
        assert code_of(refused) == {"handed_in"}

    assert Review.objects.get().scores == FULL


def test_a_page_that_was_opened_before_cannot_change_what_is_handed_in():
    opened_before = make_assignment()
    hand_in(fresh(opened_before))

    with pytest.raises(ValidationError) as refused:
        actions.save_review(opened_before, {"record": 1}, "", known_version=1, by=opened_before.reviewer)

    assert code_of(refused) == {"handed_in"}


def test_the_last_review_wanted_closes_the_review_with_the_mean():
    application = make_at_review()
    first, second = make_assignment(application), make_assignment(application)

    hand_in(first, {"record": 8, "plan": 8, "other": None})
    assert current_stage(Application.objects.get()).kind == "review"
    hand_in(second, {"record": 5, "plan": 6, "other": None})

    reviewed = Application.objects.get()
    assert reviewed.score == Decimal("6.67")  # of 8.00 and 5.33; 6.665 goes up
    assert (reviewed.state, current_stage(reviewed).kind) == (State.IN_REVIEW, "allocation")
    assert list(Event.objects.filter(name="application.reviewed").values_list("by", "data")) == [(None, {"score": "6.67", "reviews": 2})]


def test_a_third_reviewer_who_was_asked_is_waited_for():
    application = make_at_review()
    first, second, third = (make_assignment(application) for _number in range(3))
    hand_in(first)
    hand_in(second)
    assert current_stage(Application.objects.get()).kind == "review"

    hand_in(third)

    assert current_stage(Application.objects.get()).kind == "allocation"


def test_when_the_one_who_was_waited_for_leaves_the_review_closes():
    application = make_at_review()
    first, second, third = (make_assignment(application) for _number in range(3))
    hand_in(first)
    hand_in(second)

    actions.recuse(third, "project", by=third.reviewer)

    assert current_stage(Application.objects.get()).kind == "allocation"


def test_when_the_file_is_taken_back_from_the_one_who_was_waited_for_the_review_closes():
    application = make_at_review()
    first, second, third = (make_assignment(application) for _number in range(3))
    hand_in(first)
    hand_in(second)

    actions.take_back(third, by=make_officer())

    assert current_stage(Application.objects.get()).kind == "allocation"


def test_fewer_reviews_than_wanted_do_not_close_the_review():
    application = make_at_review()
    hand_in(make_assignment(application))

    assert current_stage(Application.objects.get()).kind == "review"


def test_after_an_officer_has_closed_the_review_nothing_more_counts():
    application = make_at_review()
    first, late = make_assignment(application), make_assignment(application)
    hand_in(first)
    actions.close_review(Application.objects.get(), by=make_officer())

    for act in (actions.save_review, actions.submit_review):
        with pytest.raises(ValidationError) as refused:
            act(fresh(late), {"record": 0, "plan": 0, "other": 0}, "", known_version=0, by=late.reviewer)
        assert code_of(refused) == {"wrong_state"}

    assert Application.objects.get().score == FULL_TOTAL
    assert (fresh(late).progress, Review.objects.count()) == (Progress.TODO, 1)


def test_a_withdrawn_application_is_not_scored():
    assignment = make_assignment()
    withdraw(Application.objects.get(), by=assignment.application.applicant)

    with pytest.raises(ValidationError) as refused:
        hand_in(assignment)

    assert code_of(refused) == {"wrong_state"}
    assert Application.objects.get().score is None


def test_an_officer_cannot_close_a_review_of_which_there_is_none():
    with pytest.raises(ValidationError) as refused:
        actions.close_review(make_assignment().application, by=make_officer())

    assert code_of(refused) == {"no_review"}


# -- Leaving and taking back -----------------------------------------------------


def test_leaving_for_a_conflict_closes_the_file_and_deletes_the_draft():
    assignment = make_assignment()
    actions.save_review(assignment, {"record": 5}, "I know this person.", known_version=0, by=assignment.reviewer)

    actions.recuse(fresh(assignment), "relative", by=assignment.reviewer)

    assert (fresh(assignment).progress, fresh(assignment).conflict) == (Progress.RECUSED, "relative")
    assert Review.objects.count() == 0
    assert Assignment.objects.visible_to(assignment.reviewer).count() == 0
    assert list(Event.objects.filter(name=actions.RECUSED).values_list("subject_key", "data")) == [
        (assignment.code, {"application": assignment.application.code, "conflict": "relative"})
    ]


def test_after_leaving_a_page_that_is_still_open_writes_nothing():
    assignment = make_assignment()
    actions.recuse(fresh(assignment), "other", by=assignment.reviewer)

    for act in (actions.save_review, actions.submit_review):
        with pytest.raises(PermissionDenied):
            act(assignment, FULL, "", known_version=0, by=assignment.reviewer)

    assert (fresh(assignment).progress, Review.objects.count()) == (Progress.RECUSED, 0)


def test_what_is_handed_in_is_not_left_any_more():
    assignment = make_assignment()
    hand_in(assignment)

    with pytest.raises(ValidationError) as refused:
        actions.recuse(fresh(assignment), "relative", by=assignment.reviewer)

    assert code_of(refused) == {"handed_in"}


def test_leaving_needs_a_kind_of_conflict():
    assignment = make_assignment()

    for kind in ("", "boredom"):
        with pytest.raises(ValidationError) as refused:
            actions.recuse(assignment, kind, by=assignment.reviewer)
        assert code_of(refused) == {"no_reason"}


def test_nobody_else_leaves_the_file():
    assignment = make_assignment()

    for stranger in (make_reviewer(assignment.call), make_officer()):
        with pytest.raises(PermissionDenied):
            actions.recuse(assignment, "relative", by=stranger)


def test_an_officer_takes_a_file_back_with_its_draft():
    assignment = make_assignment()
    actions.save_review(assignment, {"record": 5}, "", known_version=0, by=assignment.reviewer)

    actions.take_back(assignment, by=make_officer())

    assert (Assignment.objects.count(), Review.objects.count()) == (0, 0)


def test_only_an_officer_takes_a_file_back():
    assignment = make_assignment()

    with pytest.raises(PermissionDenied):
        actions.take_back(assignment, by=assignment.reviewer)


def test_what_is_handed_in_or_left_stays_written_down():
    application = make_at_review()
    handed_in, left = make_assignment(application), make_assignment(application)
    hand_in(handed_in)
    actions.recuse(left, "relative", by=left.reviewer)

    for assignment, code in ((handed_in, "handed_in"), (left, "recused")):
        with pytest.raises(ValidationError) as refused:
            actions.take_back(assignment, by=make_officer())
        assert code_of(refused) == {code}

    assert Assignment.objects.count() == 2


# -- Reading papers --------------------------------------------------------------


def test_all_pages_of_a_paper_within_an_hour_are_one_reading():
    assignment = make_assignment()
    file = DocumentVersion.objects.select_related("document").filter(document__kind="transcript").get()
    noon = assignment.assigned_at.replace(hour=12, minute=0)

    for minute in (0, 1, 59):
        actions.note_reading(assignment, file, by=assignment.reviewer, at=noon.replace(minute=minute))
    actions.note_reading(assignment, file, by=assignment.reviewer, at=noon.replace(hour=13))

    assert (
        list(Event.objects.filter(name="document.opened").values_list("subject_key", "actor", "by", "data"))
        == [
            (
                file.document.code,
                "reviewer",
                assignment.reviewer_id,
                {"kind": "transcript", "version": 1, "application": assignment.application.code},
            )
        ]
        * 2
    )


# -- At the same moment ----------------------------------------------------------


def at_once(*acts) -> list[str]:
    """Run ACTS in threads that start together; what came of each: "done" or the code of the refusal."""
    barrier = threading.Barrier(len(acts))
    results: list[str] = []

    def run(act):
        try:
            barrier.wait()
            act()
            results.append("done")
        except ValidationError as refused:
            results.append(str(refused.error_list[0].code))
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(results)


@pytest.mark.django_db(transaction=True)
def test_two_submissions_of_one_review_count_once():
    assignment = make_assignment()
    pages = [Assignment.objects.select_related("call", "application__version", "reviewer").get(pk=assignment.pk) for _page in range(6)]

    results = at_once(*[lambda page=page: hand_in(page) for page in pages])

    assert results == ["done"] + ["handed_in"] * 5
    assert Review.objects.count() == 1
    assert Event.objects.filter(name=actions.SUBMITTED).count() == 1
    assert Application.objects.get().score == FULL_TOTAL


@pytest.mark.django_db(transaction=True)
def test_two_reviewers_who_hand_in_at_once_both_count_and_close_the_review():
    application = make_at_review()
    codes = [make_assignment(application).code, make_assignment(application).code]
    pages = [Assignment.objects.select_related("call", "application__version", "reviewer").get(code=code) for code in codes]

    results = at_once(
        lambda: hand_in(pages[0], {"record": 10, "plan": 10, "other": None}),
        lambda: hand_in(pages[1], {"record": 5, "plan": 5, "other": None}),
    )

    assert results == ["done", "done"]
    assert Application.objects.get().score == Decimal("7.50")
    assert current_stage(Application.objects.get()).kind == "allocation"


@pytest.mark.django_db(transaction=True)
def test_two_first_drafts_at_once_are_one_draft():
    assignment = make_assignment()
    pages = [Assignment.objects.select_related("call", "application__version", "reviewer").get(pk=assignment.pk) for _page in range(4)]

    results = at_once(
        *[lambda page=page: actions.save_review(page, {"record": 5}, "", known_version=0, by=page.reviewer) for page in pages]
    )

    assert results == ["changed_meanwhile"] * 3 + ["done"]
    assert Review.objects.count() == 1
