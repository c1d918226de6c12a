"""The officer's outbox: what waits, what failed and why, trying again, and whose words stay private."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from exchange.accounts.adapter import CODE_SENT
from exchange.notifications.letters import Letter
from exchange.notifications.models import Delivery, Message, Relay
from exchange.notifications.outbox import post
from exchange.notifications.relay import deliver_due
from scholarships.events.actions import record
from scholarships.events.models import Event
from scholarships.people.models import Scope
from tests.factories import make_application, make_call, make_officer, make_user

PAGE, RETRY = "/manage/outbox/", "/manage/outbox/retry/"

pytestmark = pytest.mark.django_db


def browser(user) -> Client:
    client = Client(HTTP_HOST="127.0.0.1")
    client.force_login(user)
    return client


def said(answer) -> str:
    return " ".join(answer.content.decode().split())


def letter_about(application, subject="Your receipt", **fields) -> Message:
    """A letter about APPLICATION that is written already."""
    event = Event.objects.about(application).last()
    message = post(event, f"test-{Message.objects.count()}", application.applicant.email, Letter(subject, f"{subject} in words.\n"))
    Message.objects.filter(pk=message.pk).update(call=application.call.code, **fields)
    return Message.objects.get(pk=message.pk)


def failed(application, subject="Your receipt") -> Message:
    return letter_about(application, subject, delivery=Delivery.FAILED, error="550 no such mailbox", tries=1)


def code_letter(user) -> Message:
    event = record(CODE_SENT, user)
    return post(event, "account.code", user.email, Letter("482913 is your code", "Type 482913 to sign in.\n"), user=user)


def codes(page) -> list[str]:
    return re.findall(r'href="/manage/outbox/(?!catalogue/)(\w+)/"', page)


# -- The list --------------------------------------------------------------------


def test_letters_stand_in_the_outbox_the_newest_first_with_their_state():
    application, client = make_application(), browser(make_officer())
    Message.objects.all().delete()
    older, newer = letter_about(application), failed(application, "Second letter")

    page = said(client.get(PAGE))

    assert codes(page) == [newer.code, older.code]
    assert '>Second letter</a><span class="small fw-normal d-block down">550 no such mailbox</span>' in page
    assert '<span class="tag bad">Failed</span><span class="small muted d-block">1 try</span>' in page
    assert '<p>Waiting</p><p class="big">1</p>' in page
    assert '<p>Failed</p><p class="big down">1</p>' in page


def test_the_age_of_the_oldest_waiting_letter_is_said():
    application, client = make_application(), browser(make_officer())
    Message.objects.update(delivery=Delivery.SENT, sent_at=timezone.now(), created_at=timezone.now() - timedelta(days=9))
    letter_about(application, created_at=timezone.now() - timedelta(hours=3, minutes=1))

    assert '<p>The oldest has waited</p><p class="big">3 hours, 1 minute</p>' in said(client.get(PAGE))


def test_letters_are_found_by_state_and_by_words_of_address_or_subject():
    application, client = make_application(), browser(make_officer())
    Message.objects.all().delete()
    receipt, second = letter_about(application), failed(application, "Second letter")

    def found(query) -> list[str]:
        return codes(said(client.get(f"{PAGE}?{query}")))

    assert found("state=failed") == [second.code]
    assert found("state=queued") == [receipt.code]
    assert found("q=second") == [second.code]
    assert found(f"q={application.applicant.email}") == [second.code, receipt.code]
    assert found("state=queued&q=second") == []
    assert found("state=nonsense&page=nonsense") == [second.code, receipt.code]


def test_a_letter_that_was_written_for_nobody_yet_is_named_by_what_happened():
    application = make_application()
    message = Message.objects.get(event__name="application.submitted", user=application.applicant)

    assert f'<a href="/manage/outbox/{message.code}/">Submitted</a>' in said(browser(make_officer()).get(PAGE))


def test_while_delivery_rests_the_page_says_until_when():
    Relay.objects.create(pk=1, paused_until=timezone.now() + timedelta(minutes=5))

    assert "Delivery rests." in said(browser(make_officer()).get(PAGE))


@pytest.mark.parametrize("letters", [1, 30])
def test_the_list_takes_the_same_queries_for_one_letter_and_for_thirty(letters, django_assert_num_queries):
    application = make_application()
    for _copy in range(letters):
        failed(application)
    site, of_call = browser(make_officer()), browser(make_officer(scope=Scope.CALL, key="small-2027"))

    for client in (site, of_call):
        with django_assert_num_queries(11):
            assert client.get(PAGE).status_code == 200


# -- Who sees what ---------------------------------------------------------------


def test_a_letter_belongs_to_the_call_of_its_application():
    application, officer = make_application(), make_officer()

    assert list(Message.objects.filter(user=application.applicant).values_list("call", flat=True)) == ["small-2027"]
    assert list(Message.objects.filter(user=officer).values_list("call", flat=True)) == [""]


def test_the_officer_of_a_call_sees_letters_about_its_applications_alone():
    one, other = make_application(), make_application(make_call("other-2027"))
    of_site, of_call = browser(make_officer()), browser(make_officer(scope=Scope.CALL, key="small-2027"))
    Message.objects.all().delete()
    mine, theirs, account = letter_about(one), letter_about(other), code_letter(make_user())

    assert codes(said(of_call.get(PAGE))) == [mine.code]
    assert [of_call.get(f"{PAGE}{message.code}/").status_code for message in (mine, theirs, account)] == [200, 404, 404]
    assert codes(said(of_site.get(PAGE))) == [account.code, theirs.code, mine.code]
    assert [browser(make_user()).get(url).status_code for url in (PAGE, f"{PAGE}{mine.code}/")] == [403, 403]


def test_the_words_of_a_letter_with_a_code_are_shown_and_found_nowhere():
    message = code_letter(make_user(email="somebody@sapar.example"))
    client = browser(make_officer())

    pages = [said(client.get(url)) for url in (PAGE, f"{PAGE}?q=somebody", f"{PAGE}{message.code}/")]
    searched = [codes(said(client.get(f"{PAGE}?q={words}"))) for words in ("482913", "is your code", "somebody")]

    assert [("482913" in page, "somebody@sapar.example" in page) for page in pages] == [(False, True)] * 3
    assert searched == [[], [], [message.code]]


def test_a_failed_letter_with_a_code_shows_no_words_before_it_is_tried_again():
    message = code_letter(make_user())
    Message.objects.update(delivery=Delivery.FAILED, error="550 no")

    page = said(browser(make_officer()).post(RETRY, {"all": "1"}))

    assert ("482913" in page, message.address in page) == (False, True)


# -- One letter ------------------------------------------------------------------


def test_a_letter_is_shown_with_its_words_its_error_and_the_way_to_its_application():
    application = make_application()
    message = failed(application)

    page = said(browser(make_officer()).get(f"{PAGE}{message.code}/"))

    assert '<div class="mail text-break"><p>Your receipt in words.</p></div>' in page
    assert '<p class="mb-2">550 no such mailbox</p>' in page
    assert f'<a href="/manage/applications/{application.code}/">{application.code}</a>' in page
    assert message.message_id.strip("<>") in page


def test_the_words_of_a_letter_are_text_and_never_markup():
    message = letter_about(make_application(), "<script>alert(1)</script>")

    page = said(browser(make_officer()).get(f"{PAGE}{message.code}/"))

    assert ("<script>alert" in page, "&lt;script&gt;alert" in page) == (False, True)


# -- Again -----------------------------------------------------------------------


def test_failed_letters_are_counted_and_shown_before_they_are_queued_again():
    application = make_application()
    one, two = failed(application), failed(application)
    client = browser(make_officer())

    asked = client.post(RETRY, {"all": "1"})
    before = Message.objects.filter(delivery=Delivery.FAILED).count()
    done = client.post(RETRY, {"all": "1", "confirmed": "1"})

    assert (asked.status_code, before) == (200, 2)
    assert "<h1>Try 2 letters again</h1>" in said(asked)
    assert '<input type="hidden" name="all" value="1">' in said(asked)
    assert (done.status_code, done["Location"]) == (302, f"{PAGE}?state=queued")
    assert list(Message.objects.filter(pk__in=[one.pk, two.pk]).values_list("delivery", "tries", "error")) == [("queued", 0, "")] * 2


def test_only_the_ticked_ones_are_queued_again():
    application = make_application()
    one, two = failed(application), failed(application)
    client = browser(make_officer())

    asked = said(client.post(RETRY, {"pick": one.code}))
    client.post(RETRY, {"pick": one.code, "confirmed": "1"})

    assert "<h1>Try 1 letter again</h1>" in asked
    assert f'<input type="hidden" name="pick" value="{one.code}">' in asked
    assert [Message.objects.get(pk=message.pk).delivery for message in (one, two)] == ["queued", "failed"]


def test_without_a_tick_there_is_nothing_to_try_again():
    failed(make_application())

    answer = browser(make_officer()).post(RETRY)

    assert (answer.status_code, "No failed letter was ticked." in said(answer)) == (200, True)


def test_a_letter_of_another_call_or_one_that_is_sent_is_not_queued_again():
    theirs = failed(make_application(make_call("other-2027")))
    sent = letter_about(make_application(), delivery=Delivery.SENT, sent_at=timezone.now())
    client = browser(make_officer(scope=Scope.CALL, key="small-2027"))

    for data in ({"pick": [theirs.code, sent.code]}, {"all": "1"}):
        client.post(RETRY, {**data, "confirmed": "1"})

    assert [Message.objects.get(pk=message.pk).delivery for message in (theirs, sent)] == ["failed", "sent"]


def test_what_is_queued_again_goes_out():
    message = failed(make_application())
    browser(make_officer()).post(RETRY, {"pick": message.code, "confirmed": "1"})

    deliver_due()

    assert Message.objects.get(pk=message.pk).delivery == Delivery.SENT


def test_trying_again_is_a_post():
    assert browser(make_officer()).get(RETRY).status_code == 405
