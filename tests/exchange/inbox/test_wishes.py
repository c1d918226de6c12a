"""What comes by mail: chosen on a page, or left by the address in a letter, without signing in."""

from __future__ import annotations

import pytest

from exchange.inbox.kinds import NAMES
from exchange.notifications.catalogue import NOTICES
from exchange.notifications.envelopes import stop_path
from exchange.notifications.models import Delivery, Message, Preference
from exchange.notifications.relay import deliver_due
from scholarships.correspondence.actions import write
from tests.exchange.pages import all_in, browser, main_of
from tests.factories import make_application, make_officer, make_reviewer, make_user

PAGE = "/inbox/preferences/"
ASKED = "correspondence.from_applicant:officer"
FIELD = "correspondence-from_applicant-officer"

pytestmark = pytest.mark.django_db


def wishes(user) -> dict[str, bool]:
    return dict(Preference.objects.filter(user=user).values_list("kind", "by_mail"))


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


def test_every_kind_that_one_may_leave_has_a_name_in_words():
    assert {notice.kind for notices in NOTICES.values() for notice in notices if notice.may_opt_out} == NAMES.keys()


def test_each_person_chooses_among_the_kinds_of_their_role():
    asked = {
        role: all_in(browser(user).get(PAGE), "legend") for role, user in {"student": make_user(), "reviewer": make_reviewer()}.items()
    }

    assert NAMES[ASKED] in all_in(browser(make_officer()).get(PAGE), "legend")
    assert NAMES[ASKED] not in asked["student"] + asked["reviewer"]
    assert NAMES["reminder.review:reviewer"] in asked["reviewer"]


def test_a_kind_is_left_and_taken_again():
    officer = make_officer()
    client = browser(officer)

    answer = client.post(PAGE, {**fields(client), FIELD: "inbox"}, follow=True)
    assert (answer.redirect_chain, wishes(officer)) == ([(PAGE, 302)], {ASKED: False})
    assert "Your preferences are saved." in main_of(answer)
    assert fields(client)[FIELD] == "inbox"

    client.post(PAGE, {**fields(client), FIELD: "mail"})
    assert wishes(officer) == {ASKED: True}


@pytest.mark.parametrize("sent", [{}, {FIELD: "by pigeon"}])
def test_a_page_that_lacks_an_answer_or_holds_another_is_refused_and_nothing_is_changed(sent):
    officer = make_officer()

    answer = browser(officer).post(PAGE, sent)

    assert (answer.status_code, wishes(officer)) == (422, {})


def test_what_is_not_wanted_by_mail_stays_in_the_inbox():
    officer = make_officer()
    Preference.objects.create(user=officer, kind=ASKED, by_mail=False)

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

    assert (answer.status_code, wishes(officer)) == (200, {ASKED: False})


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
    assert wishes(officer) == {ASKED: False}


def test_a_false_token_and_a_letter_that_one_cannot_leave_are_not_there():
    application = make_application()
    receipt = Message.objects.get(user=application.applicant)
    message = letter_to(make_officer(), application)

    for path in (stop_path(message)[:-2] + "x/", f"/inbox/unsubscribe/{message.code}/", stop_path(receipt)):
        assert [browser().get(path).status_code, browser().post(path).status_code] == [404, 404]
    assert not Preference.objects.exists()
