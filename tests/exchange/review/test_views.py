"""The reviewer's pages: the list, the file beside the rubric, handing in, leaving."""

from __future__ import annotations

import re
from decimal import Decimal
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from scholarships.applications.actions import withdraw
from scholarships.applications.models import Application, Attachment, Revision, Stage, State
from scholarships.calls.models import Call
from scholarships.events.codes import new_code
from scholarships.events.models import Event
from scholarships.people.models import User
from scholarships.reviews import actions
from scholarships.reviews.models import Assignment, Progress, Review
from tests.factories import (
    make_assignment,
    make_at_review,
    make_call,
    make_officer,
    make_programme,
    make_reviewer,
    make_user,
)

pytestmark = pytest.mark.django_db

FULL = {"score-record": "8", "score-plan": "6", "score-other": "na", "comment": "Clear and doable."}
SCORES = {"record": 8, "plan": 6, "other": None}


def client_of(user: User) -> Client:
    client = Client(HTTP_HOST="127.0.0.1")
    client.force_login(user)
    return client


def file_url(assignment: Assignment, q: str = "") -> str:
    return reverse("review:file", args=[assignment.code]) + (f"?{urlencode({'q': q})}" if q else "")


def list_url(q: str = "", **more: str) -> str:
    said = {"q": q, **more} if q else more
    return reverse("review:mine") + (f"?{urlencode(said)}" if said else "")


def references(page: str) -> list[str]:
    """The references in the rows of the list, in order."""
    return re.findall(r'<th scope="row"><a href="[^"]*">([^<]*)</a>', page)


def text_of(response) -> str:
    return response.content.decode()


def desk(reviewer: User, call: Call, count: int) -> list[Assignment]:
    """COUNT files on the desk of REVIEWER, made in bulk: every third is done, every third a draft."""
    number = User.objects.count()
    people = User.objects.bulk_create([User(email=f"bulk{number + at}@sapar.example", name=f"Person {at}") for at in range(count)])
    first = call.programmes.first()
    now = timezone.now()
    applications = Application.objects.bulk_create(
        [
            Application(call=call, version=call.version, applicant=person, level="master", country_id="KG", first_choice=first)
            for person in people
        ]
    )
    revisions = Revision.objects.bulk_create(
        [Revision(application=row, version=call.version, number=1, handed_in_at=now, sha256="0" * 64) for row in applications]
    )
    for row, revision in zip(applications, revisions, strict=True):
        row.state, row.revision, row.submitted_at = State.IN_REVIEW, revision, now
    Application.objects.bulk_update(applications, ["state", "revision", "submitted_at"], batch_size=200)
    Stage.objects.bulk_create([Stage(application=row, step="review", kind="review", order=3) for row in applications])
    progress = [Progress.TODO, Progress.DRAFT, Progress.DONE]
    assignments = Assignment.objects.bulk_create(
        [
            Assignment(
                call=call, application=row, reviewer=reviewer, progress=progress[at % 3], scored=Decimal("7.00") if at % 3 == 2 else None
            )
            for at, row in enumerate(applications)
        ]
    )
    Review.objects.bulk_create(
        [
            Review(
                assignment=row,
                revision=row.application.revision,
                total=Decimal("7.00"),
                scores=SCORES,
                submitted_at=now if row.progress == Progress.DONE else None,
            )
            for row in assignments
            if row.progress != Progress.TODO
        ]
    )
    return assignments


# -- Who comes in ----------------------------------------------------------------


def test_only_reviewers_come_in():
    assignment = make_assignment()

    for user in (make_user(), make_officer()):
        for url in (list_url(), file_url(assignment), reverse("review:next"), reverse("review:conflict", args=[assignment.code])):
            assert client_of(user).get(url).status_code == 403


def test_somebody_elses_file_is_a_missing_file():
    assignment = make_assignment()
    stranger = client_of(make_reviewer(assignment.call))
    missing = stranger.get(reverse("review:file", args=[new_code()]))

    for name in ("file", "conflict"):
        url = reverse(f"review:{name}", args=[assignment.code])
        assert stranger.get(url).status_code == 404
        assert stranger.post(url, FULL).status_code == 404
    assert re.sub(r"[0-9A-Z]{9}|value=\"[^\"]*\"", "", text_of(stranger.get(file_url(assignment)))) == re.sub(
        r"[0-9A-Z]{9}|value=\"[^\"]*\"", "", text_of(missing)
    )
    assert Review.objects.count() == 0


# -- The list --------------------------------------------------------------------


def test_an_empty_desk_says_so():
    page = text_of(client_of(make_reviewer()).get(list_url()))

    assert "No files are assigned to you now." in page


def test_the_list_shows_each_file_with_its_first_choice_country_level_score_and_state():
    assignment = make_assignment()
    actions.save_review(assignment, {"record": 7}, "", known_version=0, by=assignment.reviewer)

    page = text_of(client_of(assignment.reviewer).get(list_url()))
    row = re.search(r"<tbody>(.*?)</tbody>", page, re.DOTALL)[1]

    said = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", row)).strip()
    title = assignment.application.first_choice.title
    assert said == f"{assignment.application.code} Software and applications {title}, Small Host University Kyrgyzstan Master’s 7.00 Draft"


def test_the_desk_counts_and_gives_the_own_average():
    call = make_call()
    reviewer = make_reviewer(call)
    handed_in, drafted, _waiting = (make_assignment(make_at_review(call), reviewer) for _number in range(3))
    actions.submit_review(handed_in, SCORES, "", known_version=0, by=reviewer)
    actions.save_review(drafted, {"record": 1}, "", known_version=0, by=reviewer)

    page = client_of(reviewer).get(list_url())

    assert dict(page.context["desk"].counts) == {"todo": 1, "draft": 1, "done": 1}
    assert (page.context["desk"].left, page.context["desk"].mean) == (2, Decimal("7.33"))
    assert [(chip.label, chip.count) for chip in page.context["chips"]] == [("All", 3), ("To do", 1), ("Drafts", 1), ("Done", 1)]


def test_the_list_takes_the_same_queries_for_1_30_and_1000_files(django_assert_num_queries):
    call = make_call()
    for count in (1, 30, 1000):
        reviewer = make_reviewer(call)
        desk(reviewer, call, count)
        client = client_of(reviewer)
        client.get(list_url())  # the form of the call is read once in each process
        with django_assert_num_queries(7):
            client.get(list_url())
        with django_assert_num_queries(8):
            client.get(list_url("is:todo country:KG small"))


def test_a_page_of_the_list_has_25_rows_and_the_next_one_goes_on():
    call = make_call()
    reviewer = make_reviewer(call)
    desk(reviewer, call, 30)
    client = client_of(reviewer)

    first, second = (references(text_of(client.get(list_url(page=str(number))))) for number in (1, 2))

    assert (len(first), len(second), len({*first, *second})) == (25, 5, 30)


def test_each_word_of_the_query_narrows_the_list():
    call, other_call = make_call(), make_call("other-2027")
    reviewer = make_reviewer()
    agronomy = make_programme("z-agro", level="doctoral", field="0811", title="Dry Land Farming")
    call.programmes.add(agronomy)
    farming = make_assignment(make_at_review(call, level="doctoral", citizenship="KZ", choices=[agronomy]), reviewer)
    software = make_assignment(make_at_review(call), reviewer)
    other = make_assignment(make_at_review(other_call), reviewer)
    actions.save_review(software, {"record": 1}, "", known_version=0, by=reviewer)
    actions.submit_review(other, SCORES, "", known_version=0, by=reviewer)
    code_of = {assignment.application.code: name for assignment, name in ((farming, "farming"), (software, "software"), (other, "other"))}

    def found(q: str) -> set[str]:
        return {code_of[code] for code in references(text_of(client_of(reviewer).get(list_url(q))))}

    assert found("") == {"farming", "software", "other"}
    assert found("is:todo") == {"farming"}
    assert found("is:draft") == {"software"}
    assert found("IS:Done") == {"other"}
    assert found("is:todo is:draft") == {"farming", "software"}
    assert found("country:kz") == {"farming"}
    assert found("level:doctoral") == {"farming"}
    assert found("call:other-2027") == {"other"}
    assert found("level:doctoral country:KG") == set()
    assert found("agronomy") == {"farming"}  # the field
    assert found("“dry land”") == {"farming"}  # the programme
    assert found("small host software") == {"software", "other"}  # host and field
    assert found(software.application.code.lower()) == {"software"}


def test_the_list_cannot_be_searched_for_a_person():
    assignment = make_assignment()
    client = client_of(assignment.reviewer)
    applicant = assignment.application.applicant

    for said in ("asanova", "Nuray", "Nuray Asanova", applicant.email, applicant.code, "AN1234567", "karakol"):
        assert references(text_of(client.get(list_url(said)))) == []


def test_a_filter_that_is_none_is_left_out_and_said():
    assignment = make_assignment()

    page = text_of(client_of(assignment.reviewer).get(list_url("is:lost score:9 country:KG")))

    assert "Left out, because it is no filter of this list: is:lost, score:9" in page
    assert references(page) == [assignment.application.code]


def test_chips_keep_the_rest_of_the_query_and_count_what_they_lead_to():
    call = make_call()
    reviewer = make_reviewer(call)
    make_assignment(make_at_review(call, citizenship="KZ"), reviewer)
    make_assignment(make_at_review(call), reviewer)

    chips = client_of(reviewer).get(list_url("country:KZ is:done")).context["chips"]

    assert [(chip.label, chip.count, chip.is_on, chip.url) for chip in chips] == [
        ("All", 1, False, "/review/?q=country%3AKZ"),
        ("To do", 1, False, "/review/?q=is%3Atodo+country%3AKZ"),
        ("Drafts", 0, False, "/review/?q=is%3Adraft+country%3AKZ"),
        ("Done", 0, True, "/review/?q=is%3Adone+country%3AKZ"),
    ]


@pytest.mark.parametrize("q", ['"', "is:", ":", "a" * 5000, "%00\0", "<script>", "'; drop", 'call:"a b"', "“", "()[]*\\"])
def test_whatever_is_typed_the_list_answers(q):
    assignment = make_assignment()

    assert client_of(assignment.reviewer).get(list_url(q)).status_code == 200
    assert client_of(assignment.reviewer).get(file_url(assignment, q)).status_code == 200


# -- From file to file -----------------------------------------------------------


def test_review_next_leads_to_the_first_open_file_and_keeps_the_query():
    call = make_call()
    reviewer = make_reviewer(call)
    first, second = sorted((make_assignment(make_at_review(call), reviewer) for _number in range(2)), key=lambda row: row.code)
    client = client_of(reviewer)

    assert client.get(reverse("review:next")).headers["Location"] == file_url(first)
    assert client.get(reverse("review:next") + "?q=is%3Atodo").headers["Location"] == file_url(first, "is:todo")
    assert client.get(reverse("review:next") + f"?after={first.code}").headers["Location"] == file_url(second)
    assert client.get(reverse("review:next") + f"?after={second.code}").headers["Location"] == file_url(first)


def test_when_nothing_waits_review_next_leads_back_to_the_list_and_says_so():
    assignment = make_assignment()

    page = client_of(assignment.reviewer).get(reverse("review:next") + f"?q=level%3Amaster&after={assignment.code}", follow=True)

    assert page.redirect_chain == [(list_url("level:master"), 302)]
    assert "Nothing else in this list waits for your review." in text_of(page)


def test_skipping_a_file_changes_nothing():
    call = make_call()
    reviewer = make_reviewer(call)
    skipped, other = (make_assignment(make_at_review(call), reviewer) for _number in range(2))

    page = client_of(reviewer).get(client_of(reviewer).get(file_url(skipped)).context["skip_url"])

    assert page.headers["Location"] == file_url(other)
    assert set(Assignment.objects.values_list("progress", flat=True)) == {Progress.TODO}


def test_previous_and_next_follow_the_order_of_the_list():
    call = make_call()
    reviewer = make_reviewer(call)
    rows = sorted((make_assignment(make_at_review(call), reviewer) for _number in range(3)), key=lambda row: row.code)

    middle = client_of(reviewer).get(file_url(rows[1], "is:todo")).context

    assert (middle["previous_url"], middle["following_url"]) == (file_url(rows[0], "is:todo"), file_url(rows[2], "is:todo"))
    assert (middle["place"].number, middle["place"].count) == (2, 3)


# -- The file --------------------------------------------------------------------


def test_the_file_shows_answers_plan_and_pages_and_where_they_are():
    assignment = make_assignment()
    transcript = Attachment.objects.get(requirement="transcript").file

    page = text_of(client_of(assignment.reviewer).get(file_url(assignment)))

    assert re.findall(r'<a href="#([^"]*)">([^<]*)</a>', page.split("doc-tabs")[1].split("</nav>")[0]) == [
        ("part-plan", "Study plan"),
        ("answers", "Answers"),
        ("paper-transcript", "Transcript"),
    ]
    for anchor in ("part-plan", "answers", "paper-transcript", "score"):
        assert page.count(f'id="{anchor}"') == 1
    assert "I want to study how glaciers melt" in page
    assert "16 words" in page
    assert "Highest education" in page
    assert f'<img src="{reverse("review:page", args=[assignment.code, transcript.code, 1])}"' in page
    assert 'loading="lazy"' in page
    assert 'alt="Transcript, page 1 of 1"' in page
    assert "Passport page" not in page


def test_an_open_file_asks_for_each_line_of_the_rubric():
    assignment = make_assignment()

    page = text_of(client_of(assignment.reviewer).get(file_url(assignment)))

    assert re.findall(r'class="seg[^"]*" data-w="(\d+)"', page) == ["60", "30", "10"]
    assert page.count('value="na"') == 1  # only where the rubric allows it
    assert page.count(" checked") == 0
    assert re.search(r"data-total>([^<]*)<", page)[1] == "–"


def test_opening_a_file_takes_eight_queries_however_many_files_there_are(django_assert_num_queries):
    call = make_call()
    reviewer = make_reviewer(call)
    assignment = make_assignment(make_at_review(call), reviewer)
    client = client_of(reviewer)
    client.get(file_url(assignment))

    with django_assert_num_queries(8):
        client.get(file_url(assignment))
    desk(reviewer, call, 30)
    with django_assert_num_queries(8):
        client.get(file_url(assignment))


def test_a_draft_is_kept_and_the_page_comes_back_with_it_and_its_total():
    assignment = make_assignment()
    client = client_of(assignment.reviewer)

    saved = client.post(
        file_url(assignment), {"score-record": "8", "comment": "First\r\nimpression", "version": "0", "q": "is:todo", "draft": "1"}
    )
    page = text_of(client.get(saved.headers["Location"]))

    assert (saved.status_code, saved.headers["Location"]) == (302, file_url(assignment, "is:todo") + "#score")
    assert list(Review.objects.values_list("scores", "comment", "submitted_at")) == [({"record": 8}, "First\nimpression", None)]
    assert re.findall(r'id="([^"]*)" value="[^"]*" checked', page) == ["id_score-record_8"]
    assert re.search(r"data-total>([^<]*)<", page)[1] == "8.00"
    assert "Draft saved" in page
    assert '<input type="hidden" name="version" value="1">' in page


def test_a_form_sent_without_a_button_is_a_draft_and_never_a_submission():
    assignment = make_assignment()

    client_of(assignment.reviewer).post(file_url(assignment), {**FULL, "version": "0"})

    assert Assignment.objects.get().progress == Progress.DRAFT


def test_submit_hands_in_and_leads_to_the_next_file_of_the_query():
    call = make_call()
    reviewer = make_reviewer(call)
    first, second = sorted((make_assignment(make_at_review(call), reviewer) for _number in range(2)), key=lambda row: row.code)

    answer = client_of(reviewer).post(file_url(first), {**FULL, "version": "0", "q": "is:todo", "submit": "1"})

    assert (answer.status_code, answer.headers["Location"]) == (302, file_url(second, "is:todo"))
    assert list(Assignment.objects.filter(pk=first.pk).values_list("progress", "scored")) == [(Progress.DONE, Decimal("7.33"))]
    assert Review.objects.get().comment == "Clear and doable."


def test_a_missing_score_is_named_and_linked_and_what_was_typed_is_kept_as_the_draft():
    assignment = make_assignment()
    client = client_of(assignment.reviewer)

    answer = client.post(file_url(assignment), {"score-record": "8", "comment": "half done", "version": "0", "submit": "1"})
    page = text_of(answer)

    assert answer.status_code == 422
    assert re.findall(r'<li><a href="#([^"]*)">([^<]*)</a></li>', page.split('id="errors"')[1].split("</ul>")[0]) == [
        ("id_score-plan_0", "Score “Plan”."),
        ("id_score-other_0", "Score “Other”."),
    ]
    assert "What you have typed is saved as a draft." in page
    assert "half done" in page
    assert re.findall(r'id="([^"]*)" value="[^"]*" checked', page) == ["id_score-record_8"]
    assert Review.objects.get().scores == {"record": 8}

    again = client.post(file_url(assignment), {**FULL, "version": re.search(r'name="version" value="(\d+)"', page)[1], "submit": "1"})
    assert again.status_code == 302
    assert Assignment.objects.get().progress == Progress.DONE


@pytest.mark.parametrize(
    "changed",
    [
        {"score-record": "11"},
        {"score-record": "eight"},
        {"score-record": "na"},  # this line may not be skipped
        {"comment": "x" * 5001},
        {"version": "yesterday"},
        {"version": "-1"},
        {"version": ""},
    ],
)
def test_a_form_that_cannot_be_read_is_shown_again_with_what_was_typed(changed):
    assignment = make_assignment()

    answer = client_of(assignment.reviewer).post(file_url(assignment), {**FULL, "version": "0", "submit": "1", **changed})

    assert answer.status_code == 422
    assert 'id="errors"' in text_of(answer)
    assert ("Clear and doable." in text_of(answer)) == ("comment" not in changed)
    assert Review.objects.count() == 0


def test_a_draft_saved_elsewhere_is_not_overwritten_and_both_texts_are_shown():
    assignment = make_assignment()
    actions.save_review(assignment, {"record": 3}, "typed at home", known_version=0, by=assignment.reviewer)
    client = client_of(assignment.reviewer)

    answer = client.post(file_url(assignment), {**FULL, "version": "0", "submit": "1"})
    page = text_of(answer)

    assert answer.status_code == 409
    rows = [re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", row)).strip() for row in page.split("<tbody>")[1].split("</tr>")[:-1]]
    assert rows == ["Record 3 8", "Plan – 6", "Other – N/A", "Comment for the panel typed at home Clear and doable."]
    assert Review.objects.get().comment == "typed at home"

    kept = dict(re.findall(r'<input type="hidden" name="(score-[^"]*|comment|version)" value="([^"]*)">', page))
    assert client.post(file_url(assignment), {**kept, "draft": "1"}).status_code == 302
    assert list(Review.objects.values_list("scores", "comment", "version")) == [(SCORES, "Clear and doable.", 2)]


def test_a_page_that_is_sent_twice_hands_in_once_and_goes_on():
    call = make_call()
    reviewer = make_reviewer(call)
    assignment, other = (make_assignment(make_at_review(call), reviewer) for _number in range(2))
    client = client_of(reviewer)
    sent = {**FULL, "version": "0", "submit": "1"}

    answers = [client.post(file_url(assignment), sent) for _time in range(2)]

    assert [answer.headers["Location"] for answer in answers] == [file_url(other)] * 2
    assert Event.objects.filter(name=actions.SUBMITTED).count() == 1


def test_other_scores_after_handing_in_are_not_taken_and_said_to_be_lost():
    assignment = make_assignment()
    client = client_of(assignment.reviewer)
    client.post(file_url(assignment), {**FULL, "version": "0", "submit": "1"})

    answer = client.post(file_url(assignment), {**FULL, "score-record": "1", "version": "0", "submit": "1"})

    assert answer.status_code == 409
    assert "This review is handed in already" in text_of(answer)
    assert "Keep what I typed" not in text_of(answer)
    assert Review.objects.get().scores == SCORES


def test_what_is_handed_in_is_shown_without_a_form():
    assignment = make_assignment()
    actions.submit_review(assignment, SCORES, "Clear.", known_version=0, by=assignment.reviewer)

    page = text_of(client_of(assignment.reviewer).get(file_url(assignment)))

    assert 'type="radio"' not in page
    assert "It counts and can no longer be changed." in page
    assert "<p>Clear.</p>" in page
    assert "I have a conflict" not in page
    assert "None is handed in yet." in page


def test_others_scores_appear_only_after_the_own_review_and_without_names():
    application = make_at_review()
    other, own = make_assignment(application), make_assignment(application)
    actions.submit_review(other, {"record": 9, "plan": 10, "other": None}, "A rare find.", known_version=0, by=other.reviewer)
    User.objects.filter(pk=other.reviewer_id).update(name="Otherreviewer")
    client = client_of(own.reviewer)

    before = text_of(client.get(file_url(own))) + text_of(client.get(list_url()))
    client.post(file_url(own), {**FULL, "version": "0", "submit": "1"})
    after = text_of(client.get(file_url(own)))

    for said in ("9.33", "A rare find."):
        assert said not in before
        assert said in after
    assert "Otherreviewer" not in before + after


# -- Leaving a file --------------------------------------------------------------


def test_a_conflict_closes_the_file_everywhere_at_once():
    call = make_call()
    reviewer = make_reviewer(call)
    left, kept = (make_assignment(make_at_review(call), reviewer) for _number in range(2))
    actions.save_review(left, {"record": 1}, "", known_version=0, by=reviewer)
    client = client_of(reviewer)
    image = reverse(
        "review:page", args=[left.code, Attachment.objects.get(revision=left.application.revision, requirement="transcript").file.code, 1]
    )

    answer = client.post(reverse("review:conflict", args=[left.code]), {"conflict": "teacher", "q": "level:master"})

    assert (answer.status_code, answer.headers["Location"]) == (302, list_url("level:master"))
    for url in (file_url(left), reverse("review:conflict", args=[left.code]), image):
        assert client.get(url).status_code == 404
    assert client.post(file_url(left), {**FULL, "version": "1", "submit": "1"}).status_code == 404
    page = client.get(list_url())
    assert references(text_of(page)) == [kept.application.code]
    assert dict(page.context["desk"].counts) == {"todo": 1}
    assert client.get(file_url(kept)).context["place"].count == 1
    assert client.get(reverse("review:next") + f"?after={kept.code}").headers["Location"] == list_url()
    assert Review.objects.count() == 0


def test_the_kind_of_conflict_has_to_be_chosen():
    assignment = make_assignment()
    client, url = client_of(assignment.reviewer), reverse("review:conflict", args=[assignment.code])

    for said in ({}, {"conflict": "boredom"}):
        answer = client.post(url, said)
        assert answer.status_code == 422
        assert '<a href="#id_conflict_0">' in text_of(answer)
    assert Assignment.objects.get().progress == Progress.TODO


def test_after_handing_in_the_conflict_page_names_the_office():
    assignment = make_assignment()
    actions.submit_review(assignment, SCORES, "", known_version=0, by=assignment.reviewer)
    client, url = client_of(assignment.reviewer), reverse("review:conflict", args=[assignment.code])

    assert "mailto:office@sapar.example" in text_of(client.get(url))
    assert client.post(url, {"conflict": "teacher"}).status_code == 422
    assert Assignment.objects.get().progress == Progress.DONE


def test_a_withdrawn_application_is_gone_from_the_desk():
    assignment = make_assignment()
    withdraw(Application.objects.get(), by=assignment.application.applicant)
    client = client_of(assignment.reviewer)

    assert client.get(file_url(assignment)).status_code == 404
    assert references(text_of(client.get(list_url()))) == []


# -- Cost ------------------------------------------------------------------------


def test_handing_in_takes_ten_statements_beside_begin_and_commit():
    application = make_at_review()
    assignment = make_assignment(application)
    make_assignment(application)
    client = client_of(assignment.reviewer)
    client.get(file_url(assignment))

    with CaptureQueriesContext(connection) as context:
        client.post(file_url(assignment), {**FULL, "version": "0", "submit": "1"})

    statements = [query["sql"] for query in context if not re.match(r"BEGIN|COMMIT|SAVEPOINT|RELEASE", query["sql"])]
    assert len(statements) == 10
