"""What comes by mail, at once or once a day: chosen on a page, or left by the address in a letter, without signing in."""

from __future__ import annotations

import pytest

from exchange.inbox.kinds import NAMES
from exchange.notifications.catalogue import NOTICES
from exchange.notifications.envelopes import stop_path
from exchange.notifications.models import Delivery, Message, Preference, Way
from exchange.notifications.relay import deliver_due
from scholarships.correspondence.actions import write
from scholarships.people.models import User
from tests.exchange.pages import all_in, browser, main_of
from tests.factories import make_application, make_body_member, make_institution, make_officer, make_reviewer, make_user

PAGE = "/inbox/preferences/"
ASKED = "correspondence.from_applicant:officer"
FIELD = "correspondence-from_applicant-officer"

pytestmark = pytest.mark.django_db


def wishes(user) -> dict[str, str]:
    return dict(Preference.objects.filter(user=user).values_list("kind", "way"))


def fields(client) -> dict[str, str]:
    """What the page sends when nothing is changed on it."""
    form = client.get(PAGE).context["form"]
    return {name: field.initial for name, field in form.fields.items()}


def letter_to(officer, application=None) -> Message:
    """A letter of which OFFICER may want no more."""
    application = application or make_application()
    write(application, by=application.applicant, text="Hello.")
    return Message.objects.get(user=officer, kind=ASKED)


# -- The page --------------------------------------------------------------------


def test_every_kind_of_which_one_may_choose_the_way_has_a_name_in_words():
    assert {notice.kind for notices in NOTICES.values() for notice in notices if notice.may_opt_out or notice.may_bundle} == NAMES.keys()


def test_each_person_chooses_among_the_kinds_of_their_role():
    asked = {
        role: all_in(browser(user).get(PAGE), "legend") for role, user in {"student": make_user(), "reviewer": make_reviewer()}.items()
    }

    assert NAMES[ASKED] in all_in(browser(make_officer()).get(PAGE), "legend")
    assert NAMES[ASKED] not in asked["student"] + asked["reviewer"]
    assert NAMES["reminder.review:reviewer"] in asked["reviewer"]


def test_each_kind_offers_what_the_catalogue_allows():
    offered = {}
    for user in (make_officer(), make_reviewer(), make_body_member(make_institution("kg-ministry")), make_user()):
        form = browser(user).get(PAGE).context["form"]
        offered |= {form.kinds[name]: [way for way, _label in field.choices] for name, field in form.fields.items()}

    assert offered[ASKED] == ["mail", "daily", "inbox"]
    assert offered["review.assigned:reviewer"] == offered["nomination.list_sent:body"] == offered["call.closed:body"] == ["mail", "daily"]
    assert offered["reminder.review:reviewer"] == offered["reminder.draft:applicant"] == ["mail", "inbox"]


def test_the_hour_of_the_daily_letter_is_said_to_those_who_may_have_one():
    officer, student = make_officer(), make_user()
    User.objects.filter(pk=officer.pk).update(zone="Asia/Bishkek")

    assert "The daily letter comes at 07:00 Bishkek time" in main_of(browser(officer).get(PAGE))
    assert "The daily letter" not in main_of(browser(student).get(PAGE))


def test_a_kind_is_left_and_taken_again():
    officer = make_officer()
    client = browser(officer)

    answer = client.post(PAGE, {**fields(client), FIELD: "inbox"}, follow=True)
    assert (answer.redirect_chain, wishes(officer)) == ([(PAGE, 302)], {ASKED: "inbox"})
    assert "Your preferences are saved." in main_of(answer)
    assert fields(client)[FIELD] == "inbox"

    for way in ("daily", "mail"):
        client.post(PAGE, {**fields(client), FIELD: way})
        assert (wishes(officer), fields(client)[FIELD]) == ({ASKED: way}, way)


@pytest.mark.parametrize("sent", [{}, {FIELD: "by pigeon"}])
def test_a_page_that_lacks_an_answer_or_holds_another_is_refused_and_nothing_is_changed(sent):
    officer = make_officer()

    answer = browser(officer).post(PAGE, sent)

    assert (answer.status_code, wishes(officer)) == (422, {})


def test_what_is_not_wanted_by_mail_stays_in_the_inbox():
    officer = make_officer()
    Preference.objects.create(user=officer, kind=ASKED, way=Way.INBOX)

    message = letter_to(officer)
    deliver_due()

    message.refresh_from_db()
    assert message.delivery == Delivery.KEPT
    assert "The applicant of" in main_of(browser(officer).get(f"/inbox/messages/{message.code}/"))


# -- The address in a letter -----------------------------------------------------


def test_a_mail_program_leaves_a_kind_in_one_click_without_signing_in():
    officer = make_officer()
    message = letter_to(officer)

    answer = browser(enforce_csrf_checks=True).post(stop_path(message), {"List-Unsubscribe": "One-Click"})

    assert (answer.status_code, wishes(officer)) == (200, {ASKED: "inbox"})


def test_opening_the_address_changes_nothing_and_shows_a_button():
    officer = make_officer()
    message = letter_to(officer)

    answer = browser().get(stop_path(message))

    assert str(NAMES[ASKED]) in main_of(answer)
    assert all_in(answer, "button")[-1] == "No more mail of this kind"
    assert wishes(officer) == {}


def test_twice_is_as_good_as_once():
    officer = make_officer()
    message = letter_to(officer)

    assert [browser().post(stop_path(message)).status_code for _click in range(2)] == [200, 200]
    assert wishes(officer) == {ASKED: "inbox"}


def test_a_false_token_and_a_letter_that_one_cannot_leave_are_not_there():
    application = make_application()
    receipt = Message.objects.get(user=application.applicant)
    message = letter_to(make_officer(), application)

    for path in (stop_path(message)[:-2] + "x/", f"/inbox/unsubscribe/{message.code}/", stop_path(receipt)):
        assert [browser().get(path).status_code, browser().post(path).status_code] == [404, 404]
    assert not Preference.objects.exists()
