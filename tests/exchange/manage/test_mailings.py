"""Writing to many from the list: whom it reaches is seen first, and what is held is looked through, released, taken back."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from exchange.notifications.models import Mailing, MailingState, Message
from scholarships.people.models import Scope, User
from tests.factories import make_application, make_call, make_crowd, make_officer, make_reviewer

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def ten_minutes(settings):
    settings.UNDO_SECONDS = 600


WORDS = {"subject-en": "Your file {code}", "text-en": "Dear {name}, <b>good</b> news."}


def client_of(user: User) -> Client:
    client = Client(HTTP_HOST="127.0.0.1")
    client.force_login(user)
    return client


def write(client: Client, call: Any, **more: str) -> Any:
    """Open the page for all of CALL, and send it as a browser would."""
    address = f"/manage/calls/{call.code}/write/?all=1&q="
    page = client.get(address).content.decode()
    sent = dict(re.findall(r'<input type="hidden" name="(key|mark|all|q|order|codes)" value="([^"]*)"', page))
    return client.post(address, {**sent, **WORDS, "act": "hold", **more})


def page_of(mailing: Mailing) -> str:
    return f"/manage/mailings/{mailing.code}/"


def test_from_the_list_one_goes_on_to_the_call_of_those_chosen():
    call, officer = make_call(), make_officer()
    one, other = make_crowd(call, 2)

    answer = client_of(officer).get(f"/manage/applications/bulk/?pick={one.code}&pick={other.code}&do=write")

    assert answer.url.startswith(f"/manage/calls/{call.code}/write/?")
    page = client_of(officer).get(answer.url).content.decode()
    assert "Write and hold 2 letters" in page


def test_where_several_calls_were_chosen_it_is_asked_which_first():
    one, other, officer = make_call(), make_call("other-2027"), make_officer()
    make_crowd(one, 1)
    make_crowd(other, 1)

    page = client_of(officer).get("/manage/applications/bulk/?all=1&q=&do=write").content.decode()

    assert set(re.findall(r"/manage/calls/([\w-]+)/write/", page)) == {one.code, other.code}


def test_the_page_says_whom_it_reaches_in_which_languages_and_who_is_left_out():
    call, officer = make_call(), make_officer()
    make_crowd(call, 2, language="ru")
    (closed,) = make_crowd(call, 1, is_active=False)

    page = client_of(officer).get(f"/manage/calls/{call.code}/write/?all=1").content.decode()

    assert re.search(r"<dt>Russian</dt><dd class=\"num\">2</dd>", page)
    assert closed.code in page and "The account is closed." in page


def test_a_preview_shows_the_letter_of_a_real_reader_in_each_language_and_writes_nothing():
    call, officer = make_call(), make_officer()
    (one,), (other,) = make_crowd(call, 1), make_crowd(call, 1, language="ru")

    answer = write(client_of(officer), call, act="preview", **{"subject-ru": "Дело {code}", "text-ru": "Здравствуйте."})

    page = answer.content.decode()
    assert answer.status_code == 200
    assert f"Your file {one.code}" in page and f"Дело {other.code}" in page
    assert "&lt;b&gt;good" in page
    assert not Mailing.objects.exists()


def test_held_released_taken_back_and_cancelled():
    call, officer = make_call(), make_officer()
    make_crowd(call, 3)
    client = client_of(officer)

    answer = write(client, call)
    mailing = Mailing.objects.get()
    states = [mailing.state]
    for act in ("release", "take-back", "release", "hurry", "cancel"):
        assert client.post(page_of(mailing), {"act": act}).status_code == 302
        mailing.refresh_from_db()
        states.append(mailing.state)
    refused = client.post(page_of(mailing), {"act": "release"})

    assert answer.url == page_of(mailing)
    assert states == ["held", "released", "held", "released", "released", "cancelled"]
    assert refused.status_code == 409 and "somebody was quicker" in refused.content.decode()
    assert client.post(page_of(mailing), {"act": "nothing"}).status_code == 404


def test_the_same_page_sent_twice_makes_one_mailing():
    call, officer = make_call(), make_officer()
    make_crowd(call, 1)
    client = client_of(officer)

    first = write(client, call, key="same")
    second = write(client, call, key="same")

    assert (first.url, Mailing.objects.count(), Message.objects.filter(mailing__isnull=False).count()) == (second.url, 1, 1)


def test_a_list_that_has_changed_meanwhile_is_shown_again():
    call, officer = make_call(), make_officer()
    make_crowd(call, 1)

    answer = write(client_of(officer), call, mark="another")

    assert answer.status_code == 409
    assert "The list has changed" in answer.content.decode() and not Mailing.objects.exists()


def test_wrong_words_are_shown_at_their_field():
    call, officer = make_call(), make_officer()
    make_crowd(call, 1)

    answer = write(client_of(officer), call, **{"subject-en": "Hello {nmae}"})

    assert answer.status_code == 422
    assert "There is no placeholder {nmae} here. Allowed are {call}, {closes}, {code}, {name}, {office}." in answer.content.decode()


def test_above_fifty_the_writer_sees_that_a_second_officer_is_needed():
    call, writer, second = make_call(), make_officer(), make_officer(name="Wu Jie")
    make_crowd(call, 51)
    write(client_of(writer), call)
    mailing = Mailing.objects.get()

    alone, other = (client_of(user).get(page_of(mailing)).content.decode() for user in (writer, second))
    refused = client_of(writer).post(page_of(mailing), {"act": "release"})
    client_of(second).post(page_of(mailing), {"act": "release"})

    assert "a second officer must release them" in alone and 'value="release"' not in alone
    assert 'value="release"' in other
    assert refused.status_code == 422
    mailing.refresh_from_db()
    assert (mailing.state, mailing.released_by) == (MailingState.RELEASED, second)


def test_single_letters_are_read_changed_and_taken_out():
    call, officer = make_call(), make_officer()
    one, _other = make_crowd(call, 2)
    client = client_of(officer)
    write(client, call)
    mailing = Mailing.objects.get()
    letter = mailing.messages.get(application=one.code)
    address = f"{page_of(mailing)}{letter.code}/"

    before = client.get(address).content.decode()
    wrong = client.post(address, {"subject": "{nmae}", "text": "x"})
    client.post(address, {"subject": "For {name} alone", "text": "Another text."})
    after = client.get(address).content.decode()
    client.post(address, {"remove": "1"})

    assert f"Your file {one.code}" in before and wrong.status_code == 422
    assert f"For {one.name} alone" in after and "Another text." in after
    assert client.get(address).status_code == 404
    assert mailing.messages.count() == 1


def test_mailings_of_other_calls_are_not_there():
    call, other = make_call(), make_call("other-2027")
    make_crowd(call, 1)
    write(client_of(make_officer()), call)
    mailing = Mailing.objects.get()
    letter = mailing.messages.get()
    stranger = client_of(make_officer(scope=Scope.CALL, key=other.code))

    addresses = (page_of(mailing), f"{page_of(mailing)}{letter.code}/", f"/manage/calls/{call.code}/write/")
    assert [stranger.get(address).status_code for address in addresses] == [404, 404, 404]
    assert mailing.code not in stranger.get("/manage/mailings/").content.decode()
    assert client_of(make_reviewer(call)).get("/manage/mailings/").status_code == 403


@pytest.mark.parametrize("count", [1, 60])
def test_the_page_takes_the_same_queries_for_one_letter_and_for_many(count, django_assert_num_queries):
    call, officer = make_call(), make_officer()
    make_crowd(call, count)
    write(client_of(officer), call)
    client = client_of(make_officer())
    address = page_of(Mailing.objects.get())
    client.get(address)

    with django_assert_num_queries(7):
        client.get(address)


def test_the_applicant_sees_a_held_letter_nowhere():
    call, officer = make_call(), make_officer()
    application = make_application(call)
    client = client_of(application.applicant)
    write(client_of(officer), call)
    held = Message.objects.get(mailing__isnull=False)

    assert held.code not in client.get("/inbox/").content.decode()
    assert client.get(f"/inbox/{held.code}/").status_code == 404
    assert held.code not in client.get(f"/apply/{application.code}/status/").content.decode()
