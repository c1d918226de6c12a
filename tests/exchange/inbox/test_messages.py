"""The inbox: a person's own messages, read and unread, with what became of their mail."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from exchange.accounts.adapter import CODE_SENT
from exchange.inbox.pages import with_own_links
from exchange.notifications.letters import Letter
from exchange.notifications.models import Delivery, Message
from exchange.notifications.outbox import post
from exchange.notifications.relay import deliver_due
from scholarships.events.actions import record
from scholarships.events.models import Event
from tests.exchange.pages import all_in, browser, main_of, queries_of, text_of
from tests.factories import make_application, make_officer, make_user

PAGE = "/inbox/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def application():
    """An application whose applicant has an empty inbox."""
    application = make_application()
    Message.objects.all().delete()
    return application


def letter(application, subject="Your receipt", text="In words.\n", *, html="", **fields) -> Message:
    """A message to the applicant that is written already."""
    event = Event.objects.about(application).last()
    user = application.applicant
    message = post(event, f"test-{Message.objects.count()}", user.email, Letter(subject, text, html), user=user)
    Message.objects.filter(pk=message.pk).update(**fields)
    return Message.objects.get(pk=message.pk)


def codes(answer) -> list[str]:
    return re.findall(r'href="/inbox/messages/(\w+)/"', answer.content.decode())


def in_the_bar(answer) -> str:
    """What the bar says of unread messages."""
    return all_in(answer, "header")[0].split("Inbox")[1].split("Nuray")[0].strip()


# -- The list --------------------------------------------------------------------


def test_my_messages_stand_there_the_newest_first_and_nobody_elses(application):
    older, newer = letter(application), letter(application, "A second letter")
    other = make_application(application.call)
    letter(other, "For somebody else")

    answer = browser(application.applicant).get(PAGE)

    assert codes(answer) == [newer.code, older.code]
    assert "For somebody else" not in text_of(answer)


def test_what_no_worker_has_written_yet_is_named_by_what_happened():
    application = make_application()

    assert "Submitted Unread" in main_of(browser(application.applicant).get(PAGE))


@pytest.mark.parametrize(
    ("delivery", "said"),
    [
        (Delivery.QUEUED, "On its way by mail"),
        (Delivery.SENDING, "On its way by mail"),
        (Delivery.SENT, "Sent by mail"),
        (Delivery.FAILED, "The mail could not be sent"),
        (Delivery.BOUNCED, "The mail came back"),
        (Delivery.KEPT, "Only here"),
        (Delivery.BUNDLED, "In your daily letter"),
    ],
)
def test_each_message_says_what_became_of_its_mail(application, delivery, said):
    message = letter(application, delivery=delivery, sent_at=timezone.now())
    client = browser(application.applicant)

    assert said in main_of(client.get(PAGE))
    assert said in main_of(client.get(f"/inbox/messages/{message.code}/"))


def test_a_long_list_is_read_in_parts_and_none_is_shown_twice(application):
    every = [letter(application, f"Letter {number}") for number in range(65)]
    client = browser(application.applicant)

    found, address = [], PAGE
    for _part in range(3):
        answer = client.get(address)
        found.append(codes(answer))
        if older := re.search(r'href="(\?before=\w+)"', answer.content.decode()):
            address = PAGE + older.group(1)

    assert [len(part) for part in found] == [30, 30, 5]
    assert [code for part in found for code in part] == [message.code for message in reversed(every)]
    assert "Older messages" not in main_of(answer)


@pytest.mark.parametrize(("before", "status"), [("NOSUCH", 200), ("%00", 200), ("a%27b", 404), ("%D1%84", 404)])
def test_a_part_that_does_not_exist_is_no_fault(application, before, status):
    letter(application)

    assert browser(application.applicant).get(f"{PAGE}?before={before}").status_code == status


@pytest.mark.parametrize("number", [1, 100])
def test_the_list_takes_the_same_queries_for_one_message_and_for_a_hundred(application, number):
    for _copy in range(number):
        letter(application)

    assert queries_of(browser(application.applicant), PAGE) == 4


# -- One message -----------------------------------------------------------------


def test_a_message_shows_its_words_and_the_page_it_leads_to():
    application = make_application()
    deliver_due()
    message = Message.objects.get(user=application.applicant, kind="application.submitted:applicant")

    answer = browser(application.applicant).get(f"/inbox/messages/{message.code}/")

    assert all_in(answer, "h1") == [message.subject]
    assert f'<a class="btn btn-primary" href="/apply/{application.code}/status/">' in answer.content.decode()


def test_a_message_that_no_worker_has_written_is_written_when_it_is_opened_and_sent_like_that():
    application = make_application()
    message = Message.objects.get(user=application.applicant, kind="application.submitted:applicant")

    shown = main_of(browser(application.applicant).get(f"/inbox/messages/{message.code}/"))

    message.refresh_from_db()
    assert message.subject and message.subject in shown
    before = message.text
    deliver_due()
    message.refresh_from_db()
    assert (message.delivery, message.text) == (Delivery.SENT, before)


def test_what_a_message_was_about_may_be_gone(application):
    event = Event.objects.create(name="application.told", subject_kind="application", subject_key="NOSUCH")
    message = Message.objects.create(
        event=event,
        kind="application.told:applicant",
        user=application.applicant,
        address="a@sapar.example",
        message_id="<1@sapar.example>",
    )

    answer = browser(application.applicant).get(f"/inbox/messages/{message.code}/")

    assert (answer.status_code, "no longer there" in main_of(answer)) == (200, True)


def test_markup_in_a_message_is_shown_as_it_is_written_and_its_html_is_never_used(application):
    message = letter(application, "<b>Bold</b>", "<script>alert(1)</script> & more\n", html="<p>HTML of the mail</p>")

    page = browser(application.applicant).get(f"/inbox/messages/{message.code}/").content.decode()

    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; more" in page
    assert "<script>alert" not in page and "<b>Bold" not in page and "HTML of the mail" not in page


def test_only_addresses_of_this_site_become_links(settings):
    settings.SITE_URL = "https://sapar.example"
    text = "See https://sapar.example/apply/X2/?a=1&b=2. Not https://sapar.example.evil.example/ nor https://sapar.example//evil.example www.evil.example"

    html = with_own_links(text)

    assert re.findall(r'<a href="([^"]*)">([^<]*)</a>', html) == [("/apply/X2/?a=1&amp;b=2", "https://sapar.example/apply/X2/?a=1&amp;b=2")]
    assert with_own_links("— https://sapar.example") == '— <a href="/">https://sapar.example</a>'


def test_nobody_reads_the_message_of_somebody_else(application):
    message = letter(application)

    for stranger in (make_user("Aida Bekova"), make_officer()):
        assert browser(stranger).get(f"/inbox/messages/{message.code}/").status_code == 404
    message.refresh_from_db()
    assert message.read_at is None


def test_a_code_for_signing_in_is_not_shown_and_not_counted(application):
    user = application.applicant
    message = post(record(CODE_SENT, user), "account.code", user.email, Letter("482913 is your code", "Type 482913.\n"), user=user)

    client = browser(user)
    answer = client.get(PAGE)

    assert "482913" not in text_of(answer)
    assert in_the_bar(answer) == ""
    assert client.get(f"/inbox/messages/{message.code}/").status_code == 404


# -- Read and unread -------------------------------------------------------------


def test_opening_a_message_reads_it_once(application):
    message = letter(application)
    client = browser(application.applicant)
    assert "Your receipt Unread" in main_of(client.get(PAGE))

    client.get(f"/inbox/messages/{message.code}/")
    first = Message.objects.get().read_at
    client.get(f"/inbox/messages/{message.code}/")

    assert first is not None and timezone.now() - first < timedelta(minutes=1)
    assert Message.objects.get().read_at == first
    assert "Unread" not in main_of(client.get(PAGE))


def test_every_page_says_how_many_are_unread_and_the_opened_one_counts_no_more(application):
    first, _second = letter(application), letter(application)
    client = browser(application.applicant)

    assert in_the_bar(client.get("/")) == "2 unread"
    assert in_the_bar(client.get(f"/inbox/messages/{first.code}/")) == "1 unread"
    assert in_the_bar(client.get(f"/apply/{application.code}/status/")) == "1 unread"


def test_counting_ends_at_a_hundred(application):
    for _copy in range(101):
        letter(application)

    assert in_the_bar(browser(application.applicant).get("/")) == "99+ unread"


def test_the_bar_asks_nothing_more(application):
    client = browser(application.applicant)
    without = queries_of(client, "/")
    for _copy in range(50):
        letter(application)

    assert queries_of(client, "/") == without


def test_all_are_marked_as_read_in_one_act_and_only_mine(application):
    for _copy in range(3):
        letter(application)
    letter(make_application(application.call), "For somebody else")
    others = Message.objects.exclude(user=application.applicant).filter(read_at__isnull=True).count()
    client = browser(application.applicant)

    answer = client.post("/inbox/read/", follow=True)

    assert "3 messages are marked as read." in main_of(answer)
    assert in_the_bar(answer) == ""
    assert Message.objects.exclude(user=application.applicant).filter(read_at__isnull=True).count() == others
    assert "No message was unread." in main_of(client.post("/inbox/read/", follow=True))
    assert client.get("/inbox/read/").status_code == 405
