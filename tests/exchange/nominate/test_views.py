"""The pages of a nominating body: who may come in, what they show, what a wrong form gets back."""

from __future__ import annotations

import io
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from scholarships.applications import actions as applications
from scholarships.applications.models import Application, State
from scholarships.calls.models import Call
from scholarships.documents import actions as papers
from scholarships.documents.checking import Limits
from scholarships.events.models import Event
from scholarships.nominations import actions
from scholarships.nominations.models import Nomination, SentList, Standing
from scholarships.partners.models import Institution
from scholarships.people.actions import give_role
from scholarships.people.models import Role, Scope, User
from tests.factories import close_call, make_body_member, make_call, make_draft, make_nomination, make_officer, make_reviewer, make_user

pytestmark = pytest.mark.django_db

RANKED, RESERVE, TO_CHECK = Standing.RANKED, Standing.RESERVE, Standing.TO_CHECK
LIST = "/nominate/calls/small-2027/kg-ministry/"


@pytest.fixture
def call() -> Call:
    return make_call()


@pytest.fixture
def member(call) -> User:
    return make_body_member(Institution.objects.get(code="kg-ministry"))


@pytest.fixture
def browser(member) -> Client:
    return signed_in(member)


def signed_in(user: User) -> Client:
    browser = Client(HTTP_HOST="127.0.0.1")
    browser.force_login(user)
    return browser


def page_of(nomination: Nomination) -> str:
    return f"/nominate/files/{nomination.application.code}/"


def paper_of(nomination: Nomination, requirement: str = "passport"):
    return nomination.application.revision.attachments.select_related("file__document").get(requirement=requirement).file


def again(nomination: Nomination) -> Nomination:
    return Nomination.objects.select_related("application__call", "application__version", "stage", "body").get(pk=nomination.pk)


def text_of(answer) -> str:
    """What a person reads: tags gone, white space folded."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def hidden(answer, name: str) -> str:
    return re.search(rf'name="{name}" value="([^"]*)"', answer.content.decode()).group(1)


def order(standing: str = RANKED) -> list[str]:
    rows = Nomination.objects.at_hand().filter(standing=standing).order_by("rank")
    return [name.split()[0] for name in rows.values_list("application__name", flat=True)]


# -- Who may come in -------------------------------------------------------------


def pages_for(nomination: Nomination) -> list[str]:
    file, paper = page_of(nomination), paper_of(nomination).code
    return [LIST, f"{LIST}send/", file, f"{file}papers/{paper}/", f"{file}papers/{paper}/pages/1/"]


def test_everybody_else_is_kept_out(call, member):
    nomination = make_nomination(member, call, standing=RANKED)
    for user in (make_user(), make_officer(), make_reviewer(call), nomination.application.applicant):
        browser = signed_in(user)
        assert [browser.get(path).status_code for path in ["/nominate/", *pages_for(nomination)]] == [403] * 6


def test_a_visitor_is_asked_to_sign_in(call, member):
    nomination = make_nomination(member, call, standing=RANKED)
    visitor = Client(HTTP_HOST="127.0.0.1")

    for path in ["/nominate/", *pages_for(nomination)]:
        answer = visitor.get(path)
        assert (answer.status_code, answer["Location"].partition("?")[0]) == (302, "/accounts/login/")


def test_lists_and_files_of_another_body_are_not_there(call, member):
    nomination = make_nomination(member, call, standing=RANKED)
    stranger = signed_in(make_body_member(Institution.objects.get(code="kz-ministry")))

    assert [stranger.get(path).status_code for path in pages_for(nomination)] == [404] * 5
    assert [stranger.post(path, {"decision": "reserve"}).status_code for path in (LIST, f"{LIST}send/", page_of(nomination))] == [404] * 3
    assert "ASANOVA" not in text_of(stranger.get("/nominate/"))
    assert again(nomination).standing == RANKED


def test_a_body_moves_no_file_of_another_body_through_its_own_list(call, member):
    nomination = make_nomination(member, call, standing=RANKED)
    stranger = signed_in(make_body_member(Institution.objects.get(code="kz-ministry")))

    answer = stranger.post("/nominate/calls/small-2027/kz-ministry/", {"reserve": nomination.application.code})

    assert (answer.status_code, again(nomination).standing) == (404, RANKED)


def test_a_draft_and_an_unknown_code_are_not_there(call, browser):
    draft = make_draft(call)

    assert browser.get(f"/nominate/files/{draft.code}/").status_code == 404
    assert browser.get("/nominate/files/NOTHING/").status_code == 404
    assert browser.get("/nominate/calls/nothing/kg-ministry/").status_code == 404


def test_a_member_of_two_bodies_moves_each_file_through_its_own_list(call, member):
    nomination = make_nomination(member, call, standing=RANKED)
    give_role(member, Role.BODY, scope=Scope.INSTITUTION, key="kz-ministry")

    answer = signed_in(member).post("/nominate/calls/small-2027/kz-ministry/", {"reserve": nomination.application.code})

    assert (answer.status_code, again(nomination).standing) == (404, RANKED)


# -- All lists -------------------------------------------------------------------


def test_a_file_that_has_come_stands_on_the_first_page(call, browser, member):
    applications.submit(draft := make_draft(call), by=draft.applicant)

    said = text_of(browser.get("/nominate/"))

    assert "Small call" in said
    assert "Check 1 file" in said
    assert "Master’s 0 of 3" in said


def test_without_an_application_the_page_says_so(call, browser):
    assert "No applications have come to you yet." in text_of(browser.get("/nominate/"))


def test_a_sent_list_stands_with_its_date_among_the_sent(call, browser, member):
    make_nomination(member, call, standing=RANKED)
    sent = actions.send_list(close_call(call), Institution.objects.get(code="kg-ministry"), by=member)

    said = text_of(browser.get("/nominate/"))

    assert "Sent lists" in said
    assert sent.code in said


# -- One list --------------------------------------------------------------------


def test_the_list_shows_nominated_above_the_line_and_reserve_below(call, browser, member):
    make_nomination(member, call, name="AIZADA", standing=RANKED)
    make_nomination(member, call, name="BEKZAT", standing=RESERVE)
    make_nomination(member, call, name="CHYNARA")

    said = text_of(browser.get(LIST))

    assert said.index("AIZADA") < said.index("The line.") < said.index("BEKZAT") < said.index("Still to check") < said.index("CHYNARA")
    assert "1 file still to check" in said


def test_up_and_down_move_one_place(call, browser, member):
    rows = [make_nomination(member, call, name=name, standing=RANKED) for name in ("AIZADA", "BEKZAT", "CHYNARA")]
    last, first = rows[2].application.code, rows[0].application.code

    answer = browser.post(LIST, {"up": f"{last}.3"})
    assert (answer.status_code, answer["Location"], order()) == (302, f"{LIST}#file-{last}", ["AIZADA", "CHYNARA", "BEKZAT"])
    browser.post(LIST, {"down": f"{first}.1"})
    assert order() == ["CHYNARA", "AIZADA", "BEKZAT"]


def test_to_reserve_and_nominate_cross_the_line(call, browser, member):
    nomination = make_nomination(member, call, standing=RANKED)
    code = nomination.application.code

    browser.post(LIST, {"reserve": code})
    assert (order(), order(RESERVE)) == ([], ["NURAY"])
    browser.post(LIST, {"nominate": code})
    assert (order(), order(RESERVE)) == (["NURAY"], [])


def test_the_ticked_are_nominated_together(call, browser, member):
    rows = [make_nomination(member, call, name=name) for name in ("AIZADA", "BEKZAT", "CHYNARA")]

    answer = browser.post(LIST, {"pick": [rows[0].application.code, rows[2].application.code], "nominate_picked": "1"}, follow=True)

    assert order() == ["AIZADA", "CHYNARA"]
    assert "2 files are on your list now." in text_of(answer)


def test_nothing_ticked_is_said(call, browser, member):
    make_nomination(member, call)

    answer = browser.post(LIST, {"nominate_picked": "1"})

    assert (answer.status_code, order()) == (422, [])
    assert "Tick at least one file first." in text_of(answer)


def test_a_button_of_an_old_page_answers_409_and_shows_the_list_as_it_is(call, browser, member):
    rows = [make_nomination(member, call, name=name, standing=RANKED) for name in ("AIZADA", "BEKZAT", "CHYNARA")]
    actions.move(again(rows[0]), +1, by=member)
    actions.move(again(rows[0]), +1, by=member)

    answer = browser.post(LIST, {"down": f"{rows[0].application.code}.1"})

    said = text_of(answer)
    assert answer.status_code == 409
    assert "Someone else has just changed this list." in said
    assert said.index("BEKZAT") < said.index("CHYNARA") < said.index("AIZADA")


def test_a_withdrawn_file_cannot_be_moved(call, browser, member):
    nomination = make_nomination(member, call, standing=RANKED)
    applications.withdraw(nomination.application, by=nomination.application.applicant)

    assert browser.post(LIST, {"reserve": nomination.application.code}).status_code == 409


@pytest.mark.parametrize("data", [{"up": "NOTHING.1"}, {"reserve": ""}, {"nominate": "x" * 500}])
def test_a_button_that_names_no_file_of_the_list_is_404(call, browser, data):
    assert browser.post(LIST, data).status_code == 404


@pytest.mark.parametrize("data", [{}, {"up": ""}, {"down": "%.%"}, {"something": "else"}])
def test_nonsense_is_no_server_error(call, browser, member, data):
    make_nomination(member, call, standing=RANKED)

    assert browser.post(LIST, data).status_code in {302, 404}


def test_a_rank_longer_than_any_number_is_no_server_error(call, browser, member):
    code = make_nomination(member, call, standing=RANKED).application.code

    assert browser.post(LIST, {"down": f"{code}.{'9' * 5000}"}).status_code in {302, 409}


def test_who_is_over_the_places_is_marked(call, browser, member):
    for name in ("AIZADA", "BEKZAT", "CHYNARA", "DASTAN"):
        make_nomination(member, call, name=name, standing=RANKED)

    answer = browser.get(LIST)

    assert "DASTAN ASANOVA is over your 3 places (Master’s)" in text_of(answer)
    assert "4 of 3" in text_of(answer)
    assert answer.content.decode().count('class="over"') == 1


def test_a_change_after_the_check_is_marked(call, browser, member):
    nomination = make_nomination(member, call, standing=RANKED)
    before = text_of(browser.get(LIST))
    applications.open_change(nomination.application, by=nomination.application.applicant)
    applications.submit(nomination.application, by=nomination.application.applicant)

    assert ("Changed since the check" in before, "Changed since the check" in text_of(browser.get(LIST))) == (False, True)


def test_those_who_are_gone_stand_with_their_reason(call, browser, member):
    down, back, away = (make_nomination(member, call, name=name) for name in ("AIZADA", "BEKZAT", "CHYNARA"))
    actions.turn_down(down, by=member, note="Fifth of five.")
    until = timezone.now() + timedelta(days=5)
    actions.give_file_back(back, by=member, reason="other", sections=["plan"], until=until, note="Too short.")
    applications.withdraw(away.application, by=away.application.applicant)

    said = text_of(browser.get(LIST))

    assert "1 not nominated, with the reason AIZADA ASANOVA : Fifth of five." in said
    assert "1 returned to the applicant BEKZAT ASANOVA , to be corrected by" in said
    assert "1 withdrawn by the applicant CHYNARA ASANOVA" in said


def test_a_sent_list_shows_where_its_people_are_and_has_no_buttons(call, browser, member):
    make_nomination(member, call, name="AIZADA", standing=RANKED)
    make_nomination(member, call, name="BEKZAT", standing=RESERVE)
    actions.send_list(close_call(call), Institution.objects.get(code="kg-ministry"), by=member)

    answer = browser.get(LIST)

    said = text_of(answer)
    assert "AIZADA ASANOVA" in said
    assert "Under consideration" in said
    assert "Waits on your reserve" in said
    assert 'name="up"' not in answer.content.decode()


def test_the_number_of_a_body_is_shown_where_it_has_one(call, browser):
    Institution.objects.filter(code="kg-ministry").update(number="41700")

    assert "number 41700" in text_of(browser.get(LIST))


# -- Sending ---------------------------------------------------------------------


def test_the_page_before_sending_says_what_will_happen(call, browser, member):
    make_nomination(member, call, name="AIZADA", standing=RANKED)
    make_nomination(member, call, name="BEKZAT", standing=RESERVE)
    close_call(call)

    answer = browser.get(f"{LIST}send/")

    said = text_of(answer)
    assert answer.status_code == 200
    assert "1 application goes on: Eligibility" in said
    assert "1 application stays on your reserve list" in said
    assert (SentList.objects.count(), "Send the list" in said) == (0, True)


def test_the_confirmed_list_is_sent(call, browser, member):
    nomination = make_nomination(member, call, standing=RANKED)
    close_call(call)
    seen = hidden(browser.get(f"{LIST}send/"), "seen")

    answer = browser.post(f"{LIST}send/", {"confirmed": "on", "seen": seen})

    assert (answer.status_code, answer["Location"]) == (302, LIST)
    assert Application.objects.get(pk=nomination.application_id).state == State.NOMINATED
    assert SentList.objects.get().by == member


def test_a_list_that_is_not_confirmed_stays(call, browser, member):
    make_nomination(member, call, standing=RANKED)
    close_call(call)

    answer = browser.post(f"{LIST}send/", {"seen": hidden(browser.get(f"{LIST}send/"), "seen")})

    assert (answer.status_code, SentList.objects.count()) == (422, 0)
    assert "Tick that you have read the list and want to send it." in text_of(answer)


def test_the_second_click_shows_the_list_that_the_first_has_sent(call, browser, member):
    make_nomination(member, call, standing=RANKED)
    close_call(call)
    data = {"confirmed": "on", "seen": hidden(browser.get(f"{LIST}send/"), "seen")}

    answers = [browser.post(f"{LIST}send/", data) for _click in range(2)]

    assert [(answer.status_code, answer["Location"]) for answer in answers] == [(302, LIST), (302, LIST)]
    assert SentList.objects.count() == 1
    assert browser.get(f"{LIST}send/")["Location"] == LIST


def test_over_the_places_is_refused_by_name(call, browser, member):
    for name in ("AIZADA", "BEKZAT", "CHYNARA", "DASTAN"):
        last = make_nomination(member, call, name=name, standing=RANKED)
    close_call(call)

    shown = browser.get(f"{LIST}send/")
    answer = browser.post(f"{LIST}send/", {"confirmed": "on"})

    sentence = "DASTAN ASANOVA, rank 4, is over your 3 places (Master’s). Move one to the reserve list."
    assert sentence in text_of(shown)
    assert (answer.status_code, SentList.objects.count()) == (422, 0)
    assert f'<a href="#file-{last.application.code}">{sentence}</a>' in answer.content.decode()


def test_too_early_is_refused(call, browser, member):
    make_nomination(member, call, standing=RANKED)

    answer = browser.post(f"{LIST}send/", {"confirmed": "on"})

    assert (answer.status_code, SentList.objects.count()) == (422, 0)
    assert "The call is still open" in text_of(answer)


def test_a_list_that_has_changed_since_it_was_read_is_409(call, browser, member):
    rows = [make_nomination(member, call, name=name, standing=RANKED) for name in ("AIZADA", "BEKZAT")]
    close_call(call)
    seen = hidden(browser.get(f"{LIST}send/"), "seen")
    actions.move(again(rows[0]), +1, by=member)

    answer = browser.post(f"{LIST}send/", {"confirmed": "on", "seen": seen})

    assert (answer.status_code, SentList.objects.count()) == (409, 0)
    assert hidden(answer, "seen") != seen


# -- One file --------------------------------------------------------------------


def test_a_file_shows_papers_answers_and_checks(call, browser, member):
    nomination = make_nomination(member, call)

    answer = browser.get(page_of(nomination))

    said, page = text_of(answer), answer.content.decode()
    assert "NURAY ASANOVA" in said
    assert "AN1234567" in said  # a body reads the whole file
    assert "how glaciers melt" in said
    assert "Citizen of a partner country : met" in said
    assert f'src="{page_of(nomination)}papers/{paper_of(nomination).code}/pages/1/"' in page
    assert page.count('type="radio" name="check-passport"') == 3


def test_what_is_being_changed_and_not_handed_in_is_not_shown(call, browser, member):
    nomination = make_nomination(member, call)
    application = nomination.application
    applications.open_change(application, by=application.applicant)
    revision = application.revisions.get(handed_in_at__isnull=True)
    revision.answers.filter(section="plan").update(values={"plan": "A plan that nobody has handed in."})

    said = text_of(browser.get(page_of(nomination)))

    assert ("how glaciers melt" in said, "nobody has handed in" in said) == (True, False)


def test_saving_keeps_the_checks_and_stays(call, browser, member):
    nomination = make_nomination(member, call)

    data = {"check-passport": "yes", "check-transcript": "no", "comment": "Seal missing.", "decision": "stay", "save": "1"}
    answer = browser.post(page_of(nomination), data, follow=True)

    kept = again(nomination)
    assert (kept.checks, kept.comment, kept.standing) == ({"passport": "yes", "transcript": "no"}, "Seal missing.", TO_CHECK)
    assert answer.redirect_chain == [(page_of(nomination), 302)]
    assert "The checks of NURAY ASANOVA are saved." in text_of(answer)


def test_save_and_next_leads_to_the_next_file_to_check(call, browser, member):
    first, second = make_nomination(member, call, name="AIZADA"), make_nomination(member, call, name="BEKZAT")

    answers = [browser.post(page_of(row), {"decision": "nominate", "next": "1"}) for row in (first, second)]

    assert [answer["Location"] for answer in answers] == [page_of(second), LIST]
    assert order() == ["AIZADA", "BEKZAT"]


def test_from_the_last_file_one_comes_to_the_first_that_was_left(call, browser, member):
    first, second = make_nomination(member, call, name="AIZADA"), make_nomination(member, call, name="BEKZAT")

    assert browser.post(page_of(second), {"decision": "reserve", "next": "1"})["Location"] == page_of(first)
    assert order(RESERVE) == ["BEKZAT"]


RETURN = {"decision": "return", "reason": "unreadable", "sections": ["documents"], "note": "Page 2 is cut off.", "next": "1"}


def test_a_return_opens_what_was_ticked_until_the_time_in_the_zone_of_the_call(call, browser, member):
    nomination = make_nomination(member, call)
    day = (timezone.now() + timedelta(days=7)).date()

    browser.post(page_of(nomination), {**RETURN, "until": f"{day}T18:00"})

    application = Application.objects.get(pk=nomination.application_id)
    assert (application.state, application.reason, application.reopened, application.note) == (
        State.RETURNED,
        "unreadable",
        ["documents"],
        "Page 2 is cut off.",
    )
    assert application.correct_by.isoformat() == f"{day}T10:00:00+00:00"  # 18:00 in Beijing


def test_a_return_without_what_it_needs_keeps_what_was_typed(call, browser, member):
    nomination = make_nomination(member, call)
    data = {"decision": "return", "comment": "My comment", "note": "", "until": "", "check-passport": "no", "save": "1"}

    answer = browser.post(page_of(nomination), data)

    said, page = text_of(answer), answer.content.decode()
    assert answer.status_code == 422
    for sentence in (
        "Choose the reason for the return.",
        "Set the date until which it can be corrected.",
        "Tick at least one part that opens for correction.",
        "Write what is to be corrected: the applicant reads it.",
    ):
        assert sentence in said
    assert "My comment" in said
    assert re.search(r'name="check-passport" value="no"[^>]*checked', page)
    assert re.search(r'value="return"[^>]*checked', page)
    assert again(nomination).application.state == State.SUBMITTED


@pytest.mark.parametrize(
    ("until", "sentence"),
    [
        ("2020-01-01T10:00", "Set a date in the future for the correction."),
        ("9999-12-31T23:59", "Set a date within a year."),
        ("tomorrow", "Enter a real date and time."),
    ],
)
def test_a_wrong_date_is_said_at_its_field(call, browser, member, until, sentence):
    nomination = make_nomination(member, call)

    answer = browser.post(page_of(nomination), {**RETURN, "until": until})

    assert answer.status_code == 422
    assert f'<a href="#id_until">{sentence}</a>' in answer.content.decode()
    assert "Page 2 is cut off." in text_of(answer)
    assert again(nomination).application.state == State.SUBMITTED


def test_not_nominated_needs_its_reason_and_tells_it(call, browser, member):
    nomination = make_nomination(member, call)

    refused = browser.post(page_of(nomination), {"decision": "turn_down", "note": " ", "next": "1"})
    taken = browser.post(page_of(nomination), {"decision": "turn_down", "note": "Fifth of five.", "next": "1"})

    assert (refused.status_code, taken.status_code) == (422, 302)
    application = Application.objects.get(pk=nomination.application_id)
    assert (application.state, application.note) == (State.NOT_SELECTED, "Fifth of five.")


def test_a_text_to_the_applicant_is_not_lost_in_a_decision_for_later(call, browser, member):
    nomination = make_nomination(member, call)

    answer = browser.post(page_of(nomination), {"decision": "stay", "note": "Please send page 2.", "save": "1"})

    assert answer.status_code == 422
    assert "Please send page 2." in text_of(answer)


def test_without_a_decision_the_page_asks_for_one(call, browser, member):
    nomination = make_nomination(member, call)

    answer = browser.post(page_of(nomination), {"save": "1"})

    assert answer.status_code == 422
    assert "Choose what becomes of the file" in text_of(answer)


@pytest.mark.parametrize(
    "data",
    [
        {"decision": "emperor"},
        {"decision": "nominate", "check-passport": "perhaps"},
        {"decision": "return", "sections": ["x"], "reason": "none", "until": "2027-13-45T99:99"},
        {"decision": "nominate", "comment": "x" * 3000},
    ],
)
def test_bad_input_is_422_and_changes_nothing(call, browser, member, data):
    nomination = make_nomination(member, call)

    assert browser.post(page_of(nomination), data).status_code == 422
    kept = again(nomination)
    assert (kept.standing, kept.checks, kept.application.state) == (TO_CHECK, {}, State.SUBMITTED)


def test_the_same_page_sent_twice_returns_once(call, browser, member):
    nomination = make_nomination(member, call)
    opened = browser.get(page_of(nomination))
    day = (timezone.now() + timedelta(days=7)).date()
    data = {**RETURN, "until": f"{day}T18:00", "key": hidden(opened, "key"), "known": hidden(opened, "known")}

    answers = [browser.post(page_of(nomination), data) for _click in range(2)]

    assert [answer.status_code for answer in answers] == [302, 302]
    assert Event.objects.filter(name="application.returned").count() == 1


def test_checks_saved_by_a_colleague_meanwhile_are_not_overwritten(call, browser, member):
    nomination = make_nomination(member, call)
    known = hidden(browser.get(page_of(nomination)), "known")
    actions.save_checks(again(nomination), {"passport": "no"}, "Colleague", by=member)

    answer = browser.post(page_of(nomination), {"decision": "nominate", "comment": "Mine", "known": known, "save": "1"})

    said = text_of(answer)
    assert answer.status_code == 409
    assert "Somebody has saved this file since you opened the page." in said
    assert "Mine" in said
    assert "Colleague" in said
    assert (again(nomination).comment, order()) == ("Colleague", [])
    retry = {"decision": "nominate", "comment": "Mine", "known": hidden(answer, "known"), "save": "1"}
    assert (browser.post(page_of(nomination), retry).status_code, order()) == (302, ["NURAY"])


@pytest.mark.parametrize("way", ["withdrawn", "returned", "turned down", "sent"])
def test_a_file_that_has_left_can_be_read_and_not_decided(call, browser, member, way):
    nomination = make_nomination(member, call, standing=RANKED)
    application = nomination.application
    match way:
        case "withdrawn":
            applications.withdraw(application, by=application.applicant)
        case "returned":
            until = timezone.now() + timedelta(days=5)
            actions.give_file_back(nomination, by=member, reason="other", sections=["plan"], until=until, note="x")
        case "turned down":
            actions.turn_down(nomination, by=member, note="x")
        case "sent":
            actions.send_list(close_call(call), Institution.objects.get(code="kg-ministry"), by=member)

    shown = browser.get(page_of(nomination))
    answer = browser.post(page_of(nomination), {"decision": "reserve", "comment": "What I typed", "save": "1"})

    assert (shown.status_code, "how glaciers melt" in text_of(shown), 'name="decision"' in shown.content.decode()) == (200, True, False)
    assert answer.status_code == 409
    assert "This file is no longer with you." in text_of(answer)
    assert "What I typed" in text_of(answer)


def test_a_file_that_came_back_says_so(call, browser, member):
    nomination = make_nomination(member, call)
    actions.save_checks(nomination, {"passport": "no"}, "Page 2 was cut off.", by=member)
    until = timezone.now() + timedelta(days=5)
    actions.give_file_back(nomination, by=member, reason="unreadable", sections=["documents"], until=until, note="Page 2.")
    application = Application.objects.get(pk=nomination.application_id)
    applications.submit(application, by=application.applicant)

    said = text_of(browser.get(page_of(nomination)))

    assert "Returned to the applicant on" in said
    assert "Page 2 was cut off." in said
    assert "Your decision on the whole file" in said


# -- Papers ----------------------------------------------------------------------


def with_a_real_passport(call: Call, member: User) -> Nomination:
    draft = make_draft(call)
    image = io.BytesIO()
    Image.new("RGB", (320, 220), "white").save(image, "JPEG", comment=b"taken by Nuray")
    image.seek(0)
    file = papers.add(draft.applicant, "passport", image, "nuray.jpg", limits=Limits())
    applications.detach(draft, draft.revisions.get().attachments.get(requirement="passport"), by=draft.applicant)
    applications.attach(draft, "passport", file, by=draft.applicant)
    applications.submit(draft, by=draft.applicant)
    actions.take_in(member)
    return Nomination.objects.select_related("application__revision", "stage", "body").get(application=draft)


def test_a_page_is_an_image_and_its_reading_is_written_down_once(call, browser, member):
    nomination = with_a_real_passport(call, member)
    url = reverse("nominate:page", args=[nomination.application.code, paper_of(nomination).code, 1])

    answers = [browser.get(url) for _look in range(2)]

    assert [(answer.status_code, answer["Content-Type"], answer["Cache-Control"]) for answer in answers] == [
        (200, "image/jpeg", "no-store")
    ] * 2
    assert list(Event.objects.filter(name="document.opened").values_list("by", "actor")) == [(member.pk, "nominating body")]


def test_the_file_itself_is_the_rebuilt_copy_under_a_neutral_name(call, browser, member):
    nomination = with_a_real_passport(call, member)
    code = nomination.application.code

    answer = browser.get(reverse("nominate:paper", args=[code, paper_of(nomination).code]))

    body = b"".join(answer.streaming_content)
    assert answer["Content-Disposition"] == f'attachment; filename="{code}-passport-1.jpg"'
    assert (body[:2], b"Nuray" in body) == (b"\xff\xd8", False)
    assert Event.objects.filter(name="document.opened").count() == 1


@pytest.mark.parametrize("number", [0, 2, 99])
def test_a_page_that_the_paper_does_not_have_is_not_there_and_not_logged(call, browser, member, number):
    nomination = make_nomination(member, call)
    url = reverse("nominate:page", args=[nomination.application.code, paper_of(nomination).code, number])

    assert (browser.get(url).status_code, Event.objects.filter(name="document.opened").count()) == (404, 0)


def test_a_paper_that_was_not_handed_in_with_this_file_is_not_there(call, browser, member):
    nomination, other = make_nomination(member, call), make_nomination(member, call, name="BEKZAT")

    url = reverse("nominate:page", args=[nomination.application.code, paper_of(other).code, 1])

    assert (browser.get(url).status_code, Event.objects.filter(name="document.opened").count()) == (404, 0)


# -- Every page ------------------------------------------------------------------


def test_no_query_is_added_by_more_candidates(call, browser, member):
    make_nomination(member, call, standing=RANKED)
    make_nomination(member, call, standing=RESERVE)
    down, shown = make_nomination(member, call), make_nomination(member, call)
    actions.turn_down(down, by=member, note="x")
    close_call(call)
    paths = ["/nominate/", LIST, f"{LIST}send/", page_of(shown)]
    few = [queries_of(browser, path) for path in paths]
    call.closes_at = timezone.now() + timedelta(days=1)
    call.save()
    for number in range(30):
        row = make_nomination(member, call, standing=(RANKED, RESERVE, "")[number % 3])
        if number % 5 == 0:
            actions.turn_down(row, by=member, note="x")
    close_call(call)

    many = [queries_of(browser, path) for path in paths]

    assert (few, many) == ([9, 13, 13, 10], [9, 13, 13, 10])


def queries_of(browser: Client, path: str) -> int:
    browser.get(path)
    with CaptureQueriesContext(connection) as caught:
        assert browser.get(path).status_code == 200
    return len(caught)


def test_no_page_needs_what_the_content_security_policy_forbids(call, browser, member):
    make_nomination(member, call, standing=RANKED)
    make_nomination(member, call, standing=RESERVE)
    to_check = make_nomination(member, call)
    refused = browser.post(page_of(to_check), {"decision": "return"})

    for answer in [refused, *(browser.get(path) for path in ("/nominate/", LIST, f"{LIST}send/", page_of(to_check)))]:
        page = answer.content.decode()
        assert "unsafe" not in answer["Content-Security-Policy"]
        assert re.findall(r"\sstyle=|<style|\son[a-z]+=|javascript:|<script(?![^>]*\ssrc=)", page) == []


def test_names_of_applicants_are_escaped(call, browser, member):
    nomination = make_nomination(member, call, standing=RANKED)
    Application.objects.filter(pk=nomination.application_id).update(name="<b>Nuray</b>")

    for path in (LIST, f"{LIST}send/", page_of(nomination)):
        page = browser.get(path).content.decode()
        assert ("<b>Nuray" in page, "&lt;b&gt;Nuray" in page) == (False, True)


def test_a_sent_list_is_taken_back_from_its_page(call, browser, member):
    make_nomination(member, call, standing=RANKED)
    close_call(call)
    actions.send_list(call, Institution.objects.get(code="kg-ministry"), by=member)
    page = browser.get(LIST).content.decode()

    answer = browser.post(f"{LIST}take-back/")
    twice = browser.post(f"{LIST}take-back/")

    assert "Take the list back" in page
    assert answer["Location"] == LIST
    assert "Take the list back" not in browser.get(LIST).content.decode()
    assert twice.status_code == 422 and "There is no list that could be taken back." in twice.content.decode()
