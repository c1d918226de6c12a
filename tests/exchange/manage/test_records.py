"""One application for its officer: the record, its papers, eligibility, and returning it."""

from __future__ import annotations

import io
import re
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from scholarships.applications import actions
from scholarships.applications.content import content_of
from scholarships.applications.models import Application, Attachment, State
from scholarships.events.models import Event
from scholarships.nominations.models import Standing
from scholarships.people.models import Scope, User
from scholarships.reviews.actions import save_review, submit_review
from tests.factories import (
    make_application,
    make_assignment,
    make_at_review,
    make_body_member,
    make_call,
    make_candidate,
    make_document,
    make_draft,
    make_institution,
    make_nominated,
    make_nomination,
    make_officer,
    make_reviewer,
    make_user,
)

pytestmark = pytest.mark.django_db


def client_of(user: User) -> Client:
    client = Client(HTTP_HOST="127.0.0.1")
    client.force_login(user)
    return client


def url(name: str, application: Application, *more: str) -> str:
    return reverse(f"manage:{name}", args=[application.code, *more])


def words(html: str) -> str:
    """The text of a page as one line."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).replace("&#x27;", "'").split())


def record(application: Application, user: User | None = None, query: str = "") -> str:
    response = client_of(user or make_officer()).get(url("record", application) + query)
    assert response.status_code == 200
    return response.content.decode()


def with_real_papers(application: Application) -> Application:
    """APPLICATION whose handed-in papers are real files."""
    for attachment in Attachment.objects.filter(revision=application.revision):
        attachment.file = make_document(application.applicant, attachment.requirement)
        attachment.save()
    return application


def paper_of(application: Application, requirement: str = "passport") -> str:
    return Attachment.objects.get(revision=application.revision, requirement=requirement).file.code


# -- Who sees it -----------------------------------------------------------------


def test_nobody_but_an_officer_of_the_call_sees_anything_of_an_application():
    application = make_nominated()
    other = make_officer(scope=Scope.CALL, key=make_call("other-2027").code)
    pages = [
        *(url(name, application) for name in ("record", "eligibility", "return", "reviewers")),
        url("paper", application, paper_of(application)),
        url("page", application, paper_of(application), 1),
    ]

    for address in pages:
        assert client_of(other).get(address).status_code == 404
        assert client_of(application.applicant).get(address).status_code == 403
        assert Client(HTTP_HOST="127.0.0.1").get(address).status_code == 302


def test_an_officers_own_application_to_a_call_of_others_is_not_theirs_to_manage():
    officer = make_officer(scope=Scope.CALL, key=make_call("other-2027").code)
    own = make_application(make_call(), officer)

    assert client_of(officer).get(url("record", own)).status_code == 404


def test_a_draft_and_a_missing_code_answer_alike():
    draft, client = make_draft(), client_of(make_officer())

    answers = [client.get(address) for address in (url("record", draft), "/manage/applications/NOSUCH/", "/manage/applications/%00/")]

    assert [answer.status_code for answer in answers] == [404, 404, 404]


# -- The record ------------------------------------------------------------------


def test_the_record_shows_answers_choices_and_criteria():
    html = words(record(make_nominated()))

    for text in (
        "NURAY ASANOVA,",
        "Passport number AN1234567",
        "Karakol State University, 2026",
        "Highest education Bachelor",
        "Small Host University",
    ):
        assert text in html
    assert "3 of 3 met, with figures" in html
    assert "Applicant sees Under consideration" in html


def test_the_record_shows_what_was_handed_in_not_what_is_being_written():
    application = make_application()
    revision = actions.open_change(application, by=application.applicant)
    section = content_of(application, revision).form.section("plan")
    actions.save_answers(application, section, {"plan": "Quite another plan."}, is_done=False, known_version=1, by=application.applicant)

    html = record(application)

    assert "how glaciers melt" in html
    assert "another plan" not in html


@pytest.mark.parametrize(
    ("make", "title", "ways"),
    [
        (make_application, "The nominating body acts", ["Return for correction…"]),
        (make_nominated, "Decide on eligibility", ["Decide on eligibility…", "Return for correction…"]),
        (make_at_review, "Give it to reviewers", ["Give to reviewers…"]),
        (lambda: make_assignment().application, "The reviewers score it", ["Reviewers…"]),
        (lambda: make_candidate(make_call()), "It waits for the allocation", ["Ranking and places"]),
    ],
)
def test_the_next_step_offers_what_the_table_of_states_allows(make, title: str, ways: list[str]):
    html = record(make())

    panel = html[html.index("lead-panel") : html.index("</section>", html.index("lead-panel"))]
    assert title in panel
    assert re.findall(r'class="btn [^"]+" href="[^"]+">([^<]+)<', panel) == ways


def test_reviews_stand_there_with_names_scores_and_a_plot_and_drafts_stay_unread():
    application = make_at_review()
    one, two = (make_reviewer(application.call, name=name) for name in ("Rustam Omarov", "Anna Petrova"))
    first, second = make_assignment(application, one), make_assignment(application, two)
    submit_review(first, {"record": 9, "plan": 8, "other": None}, "Rare field data.", known_version=0, by=one)
    save_review(second, {"record": 2}, "Only a draft.", known_version=0, by=two)

    html = record(application)

    assert "Rare field data." in html
    assert "Only a draft." not in html
    assert re.findall(r'<circle cx="([\d.]+)" cy="11"', html) == ["100.4"]
    assert "Rustam Omarov Done 8.67" in words(html)
    assert "Anna Petrova Draft –" in words(html)
    assert "1 of 2 reviews are handed in." in html


def test_the_nomination_stands_there_with_rank_and_comment():
    member = make_body_member(make_institution("kg-ministry", kind="ministry", country="KG"))
    nomination = make_nomination(member, make_call(), standing=Standing.RANKED)

    html = words(record(nomination.application))

    assert "Nominated, rank 1" in html


def test_events_say_what_happened_who_did_it_and_the_detail():
    officer = make_officer()
    application = make_nominated()
    actions.decide_eligibility(application, is_eligible=False, criteria=["degree"], note="A bachelor’s degree is needed.", by=officer)

    html = words(record(application))

    assert "Found ineligible, by Chen Li" in html
    assert ". Bachelor " in html
    assert "The applicant was told: A bachelor’s degree is needed." in html


def test_the_letters_stand_there_with_their_delivery():
    html = words(record(make_application()))

    assert "Applicant – Queued" in html


def test_what_is_missing_is_said():
    application = make_application()
    Attachment.objects.filter(revision=application.revision, requirement="transcript").delete()

    assert "Missing: Transcript" in words(record(application))


def test_previous_and_next_keep_the_query():
    call = make_call()
    first = make_nominated(call, given_names="AIDA")
    second = make_nominated(call, given_names="BOLAT")
    make_nominated(call, given_names="CHOLPON", citizenship="KZ")
    third = make_nominated(call, given_names="DANIYAR")

    html = record(second, query="?q=country:KG&order=name")

    assert "2 of 3 in your list" in html
    assert f'rel="prev" href="{url("record", first)}?q=country%3AKG&amp;order=name"' in html
    assert f'rel="next" href="{url("record", third)}?q=country%3AKG&amp;order=name"' in html


def test_an_application_that_is_not_in_the_list_has_no_number():
    call = make_call()
    application = make_nominated(call)
    make_nominated(call, citizenship="KZ")

    html = record(application, query="?q=country:KZ&colour=red")

    assert "in your list<" not in html


def test_the_record_costs_the_same_with_much_and_with_little():
    call, officer = make_call(), make_officer()

    def queries(application: Application) -> int:
        client = client_of(officer)
        client.get(url("record", application))
        with CaptureQueriesContext(connection) as captured:
            assert client.get(url("record", application)).status_code == 200
        return len(captured)

    little, much = make_at_review(call), make_at_review(call)
    for _each in range(10):
        make_assignment(much, make_reviewer(call))
        Attachment.objects.create(revision=much.revision, requirement="transcript", order=2, file=make_draft_paper(much))
        Event.objects.create(name="application.told", subject_kind="application", subject_key=much.code, by=make_user())

    assert (queries(little), queries(much)) == (20, 20)


def make_draft_paper(application: Application):
    from tests.factories import paper_without_check

    return paper_without_check(application.applicant, "transcript")


# -- Papers ----------------------------------------------------------------------


def openings(application: Application) -> list[tuple[str, int, dict]]:
    return list(Event.objects.filter(name="document.opened").values_list("actor", "by", "data"))


def test_a_thumbnail_is_too_small_to_be_read_and_is_no_reading():
    application = with_real_papers(make_application())

    response = client_of(make_officer()).get(url("page", application, paper_of(application), 1) + "?small")

    assert response.status_code == 200
    assert response["Content-Type"] == "image/jpeg"
    assert Image.open(io.BytesIO(response.content)).width <= 180
    assert openings(application) == []


def test_reading_a_paper_is_written_down_once_an_hour():
    application, officer = with_real_papers(make_application()), make_officer()
    client, paper = client_of(officer), paper_of(application)

    answers = [
        client.get(url("paper", application, paper)),
        client.get(url("page", application, paper, 1)),
        client.get(url("paper", application, paper)),
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert openings(application) == [("officer", officer.pk, {"kind": "passport", "version": 1, "application": application.code})]


def test_each_download_is_written_down_and_is_the_rebuilt_copy_under_a_neutral_name():
    application, officer = with_real_papers(make_application()), make_officer()

    response = client_of(officer).get(url("paper", application, paper_of(application)) + "?as=file")

    assert response["Content-Disposition"] == f'attachment; filename="{application.code}-passport.jpg"'
    assert response["Cache-Control"] == "no-store"
    assert len(openings(application)) == 1


@pytest.mark.parametrize("number", [0, 2, 99])
def test_a_page_that_is_not_there_is_missing(number: int):
    application = with_real_papers(make_application())

    assert client_of(make_officer()).get(url("page", application, paper_of(application), number)).status_code == 404


def test_a_paper_without_a_file_is_missing():
    application = make_application()

    for query in ("", "?small"):
        assert client_of(make_officer()).get(url("page", application, paper_of(application), 1) + query).status_code == 404


def test_the_papers_of_another_application_are_not_served():
    call = make_call()
    mine, other = make_application(call), make_application(call)

    for name, more in (("paper", ()), ("page", (1,))):
        assert client_of(make_officer()).get(url(name, mine, paper_of(other), *more)).status_code == 404


# -- Eligibility -----------------------------------------------------------------


def test_the_page_shows_each_criterion_with_its_figures_and_proposes():
    html = client_of(make_officer()).get(url("eligibility", make_nominated(education_highest="secondary"))).content.decode()

    text = words(html)
    assert "1 criterion is not met" in text
    assert "Citizen of a partner country : met Kyrgyzstan" in text
    assert "Under 35 : met 24 years old on 1 September 2027" in text
    assert "Bachelor : not met Secondary" in text
    assert re.search(r'value="not_eligible"[^>]* checked', html)
    assert re.search(r'value="degree"[^>]* checked', html)


def test_an_officer_finds_eligible_and_goes_back_to_the_record_with_the_list():
    application = make_nominated()

    response = client_of(make_officer()).post(url("eligibility", application) + "?q=step:eligibility", {"decision": "eligible", "key": "k"})

    assert response.url == url("record", application) + "?q=step%3Aeligibility"
    application.refresh_from_db()
    assert application.state == State.ELIGIBLE


def test_an_officer_finds_not_eligible_with_criteria_and_a_reason():
    application = make_nominated()

    response = client_of(make_officer()).post(
        url("eligibility", application), {"decision": "not_eligible", "criteria": ["degree"], "note": "No diploma.", "key": "k"}
    )

    assert response.status_code == 302
    application.refresh_from_db()
    assert (application.state, application.reason, application.note) == (State.INELIGIBLE, "degree", "No diploma.")


def test_save_and_next_opens_the_next_of_the_list():
    call = make_call()
    first = make_nominated(call, given_names="AIDA")
    second = make_nominated(call, given_names="BOLAT")
    address = url("eligibility", first) + "?q=step:eligibility&order=name"

    response = client_of(make_officer()).post(address, {"decision": "eligible", "next": "1"})

    assert response.url == url("eligibility", second) + "?q=step%3Aeligibility&order=name"


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        ({}, "Choose whether the application is eligible."),
        ({"decision": "perhaps"}, "Choose one of the answers offered."),
        ({"decision": "not_eligible", "note": "No diploma."}, "Say which criteria are not met."),
        ({"decision": "not_eligible", "criteria": ["degree"]}, "Give the reason in words: the applicant reads it at once."),
        ({"decision": "not_eligible", "criteria": ["unknown"], "note": "x"}, "Choose criteria of this call."),
        ({"decision": "not_eligible", "criteria": ["degree"], "note": "x" * 2001}, "at most 2000 characters"),
    ],
)
def test_a_refused_decision_keeps_what_was_typed_and_says_why(sent: dict, message: str):
    application = make_nominated()

    response = client_of(make_officer()).post(url("eligibility", application), sent)

    html = response.content.decode()
    assert response.status_code == 422
    assert message in html
    assert 'id="errors"' in html
    assert str(sent.get("note", "")) in html
    application.refresh_from_db()
    assert application.state == State.NOMINATED


def test_a_decision_that_came_too_late_is_a_conflict():
    application, client = make_nominated(), client_of(make_officer())
    client.post(url("eligibility", application), {"decision": "eligible", "key": "one"})

    response = client.post(url("eligibility", application), {"decision": "eligible", "key": "another"})

    assert response.status_code == 409
    assert "There is nothing to decide here now" in response.content.decode()


def test_the_same_decision_sent_twice_leads_to_the_record_twice():
    application, client = make_nominated(), client_of(make_officer())

    answers = [client.post(url("eligibility", application), {"decision": "eligible", "key": "one"}) for _each in range(2)]

    assert [answer.status_code for answer in answers] == [302, 302]
    assert Event.objects.filter(name="application.eligible").count() == 1


# -- Returning -------------------------------------------------------------------


def returning(**changed: object) -> dict[str, object]:
    until = (timezone.now() + timedelta(days=5)).astimezone(ZoneInfo("Asia/Shanghai"))
    return {
        "reason": "unreadable",
        "sections": ["documents"],
        "until": f"{until:%Y-%m-%dT%H:%M}",
        "note": "Too dark.",
        "key": "k",
    } | changed


def test_an_officer_returns_it_with_sections_date_and_text():
    application = make_nominated()
    sent = returning()

    response = client_of(make_officer()).post(url("return", application), sent)

    assert response.url == url("record", application)
    assert [str(message) for message in get_messages(response.wsgi_request)] == [
        f"{application.code} is returned. The applicant has been told."
    ]
    application.refresh_from_db()
    assert (application.state, application.reason, application.note, application.reopened) == (
        State.RETURNED, "unreadable", "Too dark.", ["documents"],
    )  # fmt: skip
    assert f"{application.correct_by.astimezone(ZoneInfo('Asia/Shanghai')):%Y-%m-%dT%H:%M}" == sent["until"]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"reason": ""}, "Choose a reason."),
        ({"reason": "nonsense"}, "Choose one of the answers offered."),
        ({"sections": []}, "Say which sections are to be corrected."),
        ({"sections": ["nonsense"]}, "Choose sections of this call."),
        ({"until": "soon"}, "Enter a day and a time"),
        ({"until": ""}, "Set a date for the correction."),
        ({"until": "2020-01-01T10:00"}, "Set a date in the future for the correction."),
        ({"note": "  "}, "Say in words what is to be corrected"),
    ],
)
def test_a_refused_return_keeps_what_was_typed_and_says_why(changed: dict, message: str):
    application = make_nominated()

    response = client_of(make_officer()).post(url("return", application), returning(**changed))

    assert response.status_code == 422
    assert message in response.content.decode()
    if "note" not in changed:
        assert "Too dark." in response.content.decode()
    application.refresh_from_db()
    assert application.state == State.NOMINATED


def test_what_is_under_review_cannot_be_returned():
    application, client = make_assignment().application, client_of(make_officer())

    assert "This cannot be returned now" in client.get(url("return", application)).content.decode()
    assert client.post(url("return", application), returning()).status_code == 409


def test_the_steps_speak_to_the_officer_and_not_to_the_applicant():
    call, officer = make_call(), make_officer()
    application = make_nominated(call)
    until = timezone.now() + timedelta(days=5)
    actions.give_back(application, by=officer, reason="unreadable", sections=["documents"], until=until, note="Page 2.")

    page = client_of(officer).get(f"/manage/applications/{application.code}/").content.decode()

    assert "Returned to the applicant on" in page
    assert "Returned to you on" not in page
