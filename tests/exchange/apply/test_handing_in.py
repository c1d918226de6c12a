"""Start, check, hand in, receipt, status: once, with proof, and with words for what stands in the way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from exchange.notifications.models import Message
from scholarships.applications import actions
from scholarships.applications.models import Answer, Application, Attachment, Choice, Revision, State
from scholarships.calls.models import Call
from scholarships.events.models import Event
from scholarships.people.models import User
from tests.exchange.pages import all_in, browser, hidden, main_of, problems, queries_of
from tests.factories import make_application, make_call, make_draft, make_nominated, make_officer, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def call() -> Call:
    return make_call()


@pytest.fixture
def draft(call) -> Application:
    return make_draft(call)


def page(application: Application, name: str = "check") -> str:
    return f"/apply/{application.code}/{name}/"


def again(application: Application) -> Application:
    return Application.objects.select_related("call", "version", "revision", "applicant").get(pk=application.pk)


def handed_in(application: Application) -> tuple[int, int, int]:
    """Submissions, events and letters to the applicant."""
    events = Event.objects.about(application).filter(name="application.submitted")
    return (
        Revision.objects.filter(application=application, handed_in_at__isnull=False).count(),
        events.count(),
        Message.objects.filter(event__in=events, user=application.applicant).count(),
    )


# -- Starting --------------------------------------------------------------------


def test_one_button_starts_an_application(call):
    person = make_user()
    client = browser(person)
    assert "Start application" in main_of(client.get("/apply/start/small-2027/"))

    answer = client.post("/apply/start/small-2027/")

    application = Application.objects.get(applicant=person)
    assert (answer.status_code, answer["Location"]) == (302, f"/apply/{application.code}/")
    assert (application.state, application.country_id) == ("draft", "KG")


def test_starting_twice_leads_to_the_one_there_is(call):
    client = browser(make_user())
    client.post("/apply/start/small-2027/")
    code = Application.objects.get().code

    answers = client.post("/apply/start/small-2027/"), client.get("/apply/start/small-2027/")

    assert [answer["Location"] for answer in answers] == [f"/apply/{code}/"] * 2
    assert Application.objects.count() == 1


def test_what_is_handed_in_leads_to_its_status(call):
    application = make_application(call)

    assert browser(application.applicant).get("/apply/start/small-2027/")["Location"] == page(application, "status")


def test_who_is_new_is_asked_the_three_questions_first(call):
    person = User.objects.create_user("new@sapar.example")

    answer = browser(person).get("/apply/start/small-2027/?add=small-b")

    assert (answer.status_code, answer["Location"]) == (302, "/accounts/welcome/?next=%2Fapply%2Fstart%2Fsmall-2027%2F%3Fadd%3Dsmall-b")


@pytest.mark.parametrize(("opens", "closes"), [(-9, -1), (1, 9)])
def test_a_call_that_is_not_open_takes_no_application_and_says_so(call, opens, closes):
    now = timezone.now()
    Call.objects.update(opens_at=now + timedelta(days=opens), closes_at=now + timedelta(days=closes))
    client = browser(make_user())

    opened, sent = client.get("/apply/start/small-2027/"), client.post("/apply/start/small-2027/")

    assert "This call takes no applications now." in main_of(opened)
    assert (sent.status_code, problems(sent), Application.objects.count()) == (409, ["This call takes no applications now."], 0)


@pytest.mark.parametrize("add", ["elsewhere", "x" * 5000, "'"])
def test_a_choice_that_the_call_does_not_have_is_left_out(call, add):
    client = browser(make_user())

    answers = client.get("/apply/start/small-2027/", {"add": add}), client.post("/apply/start/small-2027/", {"add": add})

    assert ([answer.status_code for answer in answers], Choice.objects.count()) == ([200, 302], 0)


# -- My applications -------------------------------------------------------------


def test_each_application_stands_with_its_next_step(call):
    draft = make_draft(call)
    client = browser(draft.applicant)

    assert "Complete all sections and submit before the deadline." in main_of(client.get("/apply/"))
    actions.submit(draft, by=draft.applicant)
    assert "You need to do nothing now. We write to you at each step." in main_of(client.get("/apply/"))
    assert "No applications yet." in main_of(browser(make_user()).get("/apply/"))


def test_the_list_takes_as_many_queries_for_thirty_applications_as_for_one(draft):
    client = browser(draft.applicant)
    one = queries_of(client, "/apply/")
    for number in range(29):
        make_draft(make_call(f"call-{number}"), draft.applicant)

    thirty = queries_of(client, "/apply/")

    assert (len(all_in(client.get("/apply/"), "h2", "name")), one, thirty) == (30, 3, 3)


# -- Checking --------------------------------------------------------------------


def test_the_whole_application_is_shown_once_more_with_a_way_to_change_each_part(draft):
    answer = browser(draft.applicant).get(page(draft))

    assert all_in(answer, "h2") == ["Your study", "Person", "Education", "Choices", "Study plan", "Documents"]
    says = main_of(answer)
    for words in (
        "Kyrgyzstan",
        "Master",
        "ASANOVA",
        "14 March 2003",
        "AN1234567",
        "Karakol State University",
        "how glaciers melt",
        "passport.jpg",
    ):
        assert words in says
    for path in ("sections/study", "sections/person", "choices", "documents"):
        assert f'href="/apply/{draft.code}/{path}/"' in answer.content.decode()


def test_what_is_missing_is_listed_with_links_and_the_button_is_off(draft):
    Attachment.objects.filter(requirement="transcript").delete()
    Choice.objects.all().delete()
    Answer.objects.filter(section="plan").update(values={})

    answer = browser(draft.applicant).get(page(draft))

    assert all_in(answer, "div", "notice") == [
        "3 things are still missing or wrong: Choose at least one programme. Enter an answer: Study plan Upload: Transcript."
    ]
    assert '<button type="submit" class="btn btn-go" disabled>' in answer.content.decode()


def test_what_is_not_complete_is_not_handed_in(draft):
    Choice.objects.all().delete()

    answer = browser(draft.applicant).post(page(draft), {"key": "k"})

    assert (answer.status_code, again(draft).state, handed_in(draft)) == (422, State.DRAFT, (0, 0, 0))
    assert "One thing is still missing or wrong: Choose at least one programme." in main_of(answer)


# -- Handing in ------------------------------------------------------------------


def test_a_complete_application_is_handed_in_and_the_receipt_comes(draft):
    client = browser(draft.applicant)
    key = hidden(client.get(page(draft)), "key")

    answer = client.post(page(draft), {"key": key})

    assert (answer.status_code, answer["Location"]) == (302, page(draft, "receipt"))
    assert (again(draft).state, handed_in(draft)) == (State.SUBMITTED, (1, 1, 1))


def test_each_page_carries_a_key_of_its_own(draft):
    client = browser(draft.applicant)

    keys = {hidden(client.get(page(draft)), "key") for _time in range(3)}

    assert ({len(key) >= 20 for key in keys}, len(keys)) == ({True}, 3)


@pytest.mark.parametrize("second", ["the same key", "another key", "", "x" * 5000])
def test_the_same_page_sent_again_changes_nothing_and_leads_to_the_receipt(draft, second):
    client = browser(draft.applicant)
    client.post(page(draft), {"key": "the same key"})
    before = again(draft).submitted_at

    answer = client.post(page(draft), {"key": second})

    assert (answer.status_code, answer["Location"]) == (302, page(draft, "receipt"))
    assert (handed_in(draft), again(draft).submitted_at) == ((1, 1, 1), before)


@pytest.mark.parametrize("key", ["", "x" * 5000, "𠮷" * 100, "'; --"])
def test_any_key_hands_in_once(draft, key):
    client = browser(draft.applicant)

    answers = [client.post(page(draft), {"key": key}) for _time in range(2)]

    assert ([answer["Location"] for answer in answers], handed_in(draft)) == ([page(draft, "receipt")] * 2, (1, 1, 1))


def test_two_drafts_of_one_person_may_carry_the_same_key(draft):
    other = make_draft(make_call("other"), draft.applicant)
    client = browser(draft.applicant)

    for application in (draft, other):
        client.post(page(application), {"key": "same"})

    assert (handed_in(draft), handed_in(other)) == ((1, 1, 1), (1, 1, 1))


def test_after_the_deadline_and_its_grace_nothing_is_handed_in_and_the_page_says_so(draft):
    call = draft.call
    client = browser(draft.applicant)
    with time_machine.travel(call.last_moment() + timedelta(seconds=1), tick=False):
        client.force_login(draft.applicant)
        answer = client.post(page(draft), {"key": "k"})

    assert (answer.status_code, again(draft).state, handed_in(draft)) == (409, State.DRAFT, (0, 0, 0))
    assert problems(answer) == ["The call has closed. What you saved is kept, but nothing can be changed any more."]


def test_within_the_published_grace_it_still_counts(draft):
    with time_machine.travel(draft.call.last_moment(), tick=False):
        client = browser(draft.applicant)
        answer = client.post(page(draft), {"key": "k"})

    assert (answer.status_code, again(draft).state) == (302, State.SUBMITTED)


def test_what_is_missing_after_the_deadline_does_not_hide_that_it_is_over(draft):
    Choice.objects.all().delete()
    Call.objects.update(closes_at=timezone.now() - timedelta(days=1))

    answer = browser(draft.applicant).post(page(draft), {"key": "k"})

    assert (answer.status_code, problems(answer)) == (
        409,
        ["The call has closed. What you saved is kept, but nothing can be changed any more."],
    )


# -- Receipt and status ----------------------------------------------------------


def test_the_receipt_is_proof_with_reference_time_in_both_zones_version_and_hash(draft):
    with time_machine.travel(datetime(2026, 12, 1, 10, 30, 45, tzinfo=UTC), tick=False):
        Call.objects.update(closes_at=datetime(2026, 12, 20, 10, tzinfo=UTC))
        client = browser(draft.applicant)
        client.post(page(draft), {"key": "k"})
        answer = client.get(page(draft, "receipt"))

    revision = again(draft).revision
    assert len(revision.sha256) == 64
    assert all_in(answer, "dd") == [
        "1 December 2026, 18:30:45 Beijing", "1 December 2026, 16:30:45 Bishkek", "the server’s", "1", f"sha-256 {revision.sha256}",
    ]  # fmt: skip
    assert all_in(answer, "span", "ref") == [draft.code]
    assert f"Also sent to {draft.applicant.email}" in main_of(answer)


def test_the_receipt_stays_at_its_address_whatever_becomes_of_the_application():
    application = make_nominated()

    assert browser(application.applicant).get(page(application, "receipt")).status_code == 200


def test_the_status_says_where_it_is_with_whom_and_what_comes_next(call):
    application = make_application(call)

    says = main_of(browser(application.applicant).get(page(application, "status")))

    assert "Submitted We have your application." in says
    assert "With Ministry of KG since " in says
    assert "Result, to everyone at the same moment" in says
    assert "Change your application" in says
    assert "Withdraw, and say why" in says


def test_until_the_results_a_decision_does_not_show(call):
    application = make_nominated(call)

    shown = main_of(browser(application.applicant).get(page(application, "status")))

    for state in (State.ELIGIBLE, State.IN_REVIEW, State.SELECTED, State.RESERVE, State.NOT_SELECTED):
        Application.objects.filter(pk=application.pk).update(state=state)
        assert main_of(browser(application.applicant).get(page(application, "status"))) == shown
    assert "Under consideration" in shown
    assert browser(application.applicant).get(page(application, "result"))["Location"] == page(application, "status")


def test_a_returned_application_says_what_to_correct_until_when(call):
    application = make_application(call)
    actions.give_back(application, by=make_officer(), reason="unreadable", sections=["plan", "documents"], note="Page two is dark.", until=timezone.now() + timedelta(days=3))  # fmt: skip

    says = main_of(browser(application.applicant).get(page(application, "status")))

    assert "Please correct your application Page two is dark." in says
    assert "Open for correction: Study plan , Documents . Until" in says


def test_letters_about_it_are_listed_and_nobody_elses(call):
    application, other = make_application(call), make_application(call)

    answer = browser(application.applicant).get(page(application, "status"))

    assert (application.applicant.email in main_of(answer), other.applicant.email in main_of(answer)) == (True, False)


def test_the_status_takes_as_many_queries_for_ten_letters_as_for_one(call):
    application = make_application(call)
    client = browser(application.applicant)
    one = queries_of(client, page(application, "status"))
    for number in range(9):
        client.post(page(application, "change"))
        client.post(page(application), {"key": f"change {number}"})

    ten = queries_of(client, page(application, "status"))

    assert (len(Message.objects.filter(user=application.applicant, event__subject_key=application.code)) >= 10, one, ten) == (True, 7, 7)


# -- Changing --------------------------------------------------------------------


def change_plan(client, application: Application, words: str) -> None:
    plan = page(application, "sections/plan")
    answer = client.post(plan, {"version": hidden(client.get(plan), "version"), "plan": words, "done": "y"})
    assert answer.status_code == 302


NEW_PLAN = "A better plan: I want to study how villages share the water of one glacier."


def test_what_is_handed_in_is_changed_as_the_next_version_until_the_deadline(call):
    application = make_application(call)
    client, first = browser(application.applicant), again(application).revision

    opened = client.post(page(application, "change"))
    change_plan(client, application, NEW_PLAN)
    meanwhile = again(application)
    answer = client.post(page(application), {"key": "change"})

    assert (opened.status_code, opened["Location"]) == (302, f"/apply/{application.code}/")
    assert (meanwhile.revision, meanwhile.state) == (first, State.SUBMITTED)  # until it is handed in the first one counts
    assert (answer.status_code, answer["Location"]) == (302, page(application, "receipt"))
    now = again(application)
    assert (now.revision.number, now.state, now.revision.sha256 != first.sha256) == (2, State.SUBMITTED, True)
    assert all_in(client.get(page(application, "receipt")), "dd")[3] == "2"
    assert Event.objects.about(application).filter(name="application.changed").count() == 1


def test_the_same_change_sent_twice_is_one(call):
    application = make_application(call)
    client = browser(application.applicant)
    client.post(page(application, "change"))

    answers = [client.post(page(application), {"key": "change"}) for _time in range(2)]

    assert [answer["Location"] for answer in answers] == [page(application, "receipt")] * 2
    assert (Event.objects.about(application).filter(name="application.changed").count(), again(application).revision.number) == (1, 2)


def test_a_change_that_is_not_handed_in_is_said_and_can_be_given_up(call):
    application = make_application(call)
    client = browser(application.applicant)
    client.post(page(application, "change"))
    assert "You have a change that is not handed in." in main_of(client.get(page(application, "status")))
    assert "You are changing what you have handed in." in main_of(client.get(f"/apply/{application.code}/"))

    answer = client.post(page(application, "change"), {"drop": "1"}, follow=True)

    assert "The change is given up. What you handed in stays as it is." in main_of(answer)
    assert Revision.objects.filter(application=application).count() == 1


def test_after_the_deadline_nothing_is_opened_for_a_change(call):
    application = make_application(call)
    Call.objects.update(closes_at=timezone.now() - timedelta(days=1))
    client = browser(application.applicant)

    answer = client.post(page(application, "change"))

    assert "Change your application" not in main_of(client.get(page(application, "status")))
    assert (answer.status_code, Revision.objects.filter(application=application).count()) == (409, 1)
    assert "The call has closed: what you handed in counts." in main_of(answer)


def test_a_change_that_was_open_at_the_deadline_is_not_handed_in(call):
    application = make_application(call)
    client = browser(application.applicant)
    client.post(page(application, "change"))
    Call.objects.update(closes_at=timezone.now() - timedelta(days=1))

    answer = client.post(page(application), {"key": "late"})

    assert (answer.status_code, again(application).revision.number) == (409, 1)


def test_what_has_gone_on_is_not_changed():
    application = make_nominated()

    answer = browser(application.applicant).post(page(application, "change"))

    assert (answer.status_code, all_in(answer, "h1")) == (409, ["This is not possible now"])
    assert "This application can no longer be changed." in main_of(answer)


def test_pages_of_writing_lead_to_the_status_once_the_application_has_gone_on(call):
    application = make_application(call)
    client = browser(application.applicant)
    client.post(page(application, "change"))
    Application.objects.filter(pk=application.pk).update(state=State.NOMINATED)

    answers = [client.get(path) for path in (f"/apply/{application.code}/", page(application), page(application, "choices"), page(application, "documents"), page(application, "sections/plan"))]  # fmt: skip

    assert [(answer.status_code, answer["Location"]) for answer in answers] == [(302, page(application, "status"))] * 5


# -- Withdrawing -----------------------------------------------------------------


def test_an_application_is_withdrawn_with_a_reason(call):
    application = make_application(call)
    client = browser(application.applicant)
    key = hidden(client.get(page(application, "withdraw")), "key")

    answer = client.post(page(application, "withdraw"), {"reason": "plans", "key": key}, follow=True)

    assert "Your application is withdrawn." in main_of(answer)
    assert (again(application).state, again(application).reason) == (State.WITHDRAWN, "plans")


def test_the_same_withdrawal_sent_twice_is_one(call):
    application = make_application(call)
    client = browser(application.applicant)

    answers = [client.post(page(application, "withdraw"), {"reason": "plans", "key": "k"}) for _time in range(2)]

    assert [answer["Location"] for answer in answers] == [page(application, "status")] * 2
    assert Event.objects.about(application).filter(name="application.withdrawn").count() == 1


@pytest.mark.parametrize("reason", ["", "nonsense", "x" * 5000])
def test_a_reason_is_asked(call, reason):
    application = make_application(call)

    answer = browser(application.applicant).post(page(application, "withdraw"), {"reason": reason, "key": "k"})

    says = "Choose a reason; “I would rather not say” is one." if not reason else "Choose one of the answers offered."
    assert (answer.status_code, problems(answer), again(application).state) == (422, [says], State.SUBMITTED)


def test_what_is_withdrawn_already_is_not_withdrawn_again(call):
    application = make_application(call)
    actions.withdraw(application, by=application.applicant)
    client = browser(application.applicant)

    opened, sent = (
        client.get(page(application, "withdraw")),
        client.post(page(application, "withdraw"), {"reason": "plans", "key": "other"}),
    )

    assert (opened.status_code, opened["Location"]) == (302, page(application, "status"))
    assert (sent.status_code, all_in(sent, "h1")) == (409, ["Somebody was quicker"])


def test_until_the_deadline_a_withdrawn_application_is_opened_again_and_must_be_handed_in_again(call):
    application = make_application(call)
    actions.withdraw(application, by=application.applicant)
    client = browser(application.applicant)

    answer = client.post(page(application, "reopen"), follow=True)

    assert "Your application is open again. It must be submitted again to count." in main_of(answer)
    assert again(application).state == State.DRAFT
    client.post(page(application), {"key": "again"})
    assert (again(application).state, again(application).revision.number) == (State.SUBMITTED, 2)


def test_after_the_deadline_a_withdrawn_application_stays_so(call):
    application = make_application(call)
    actions.withdraw(application, by=application.applicant)
    Call.objects.update(closes_at=timezone.now() - timedelta(days=1))
    client = browser(application.applicant)

    answer = client.post(page(application, "reopen"))

    assert "Open it again" not in main_of(client.get(page(application, "status")))
    assert (answer.status_code, again(application).state) == (409, State.WITHDRAWN)
    assert "The call has closed, so that this application cannot be opened again." in main_of(answer)


def test_what_is_not_withdrawn_is_not_opened_again(call):
    application = make_application(call)

    answer = browser(application.applicant).post(page(application, "reopen"))

    assert (answer.status_code, again(application).state) == (409, State.SUBMITTED)
