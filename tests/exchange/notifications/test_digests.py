"""The daily letter: once a day, at seven in the morning of its reader, of everything that waits, and never empty."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from exchange.notifications import bundles
from exchange.notifications.digests import last_hour, send_due
from exchange.notifications.letters import compose
from exchange.notifications.models import Message, Way
from exchange.notifications.reading import messages_of
from exchange.notifications.relay import deliver_due
from exchange.notifications.wishes import set_wish
from scholarships.calls.models import Call
from scholarships.correspondence.actions import write
from scholarships.events.actions import record
from scholarships.events.models import Event
from scholarships.people.actions import give_role, take_role
from scholarships.people.models import Membership, Profile, Role, User
from tests.exchange.notifications.mailing import Server, again, states
from tests.exchange.notifications.stories import waits_for_the_daily_letter
from tests.exchange.pages import browser, main_of
from tests.factories import make_application, make_call, make_officer, make_user

pytestmark = pytest.mark.django_db

ASKED = "correspondence.from_applicant:officer"
BISHKEK = ZoneInfo("Asia/Bishkek")  # UTC+6, without summer time
HOUR = timedelta(hours=1)


@pytest.fixture
def officer() -> User:
    """An officer in Bishkek who wants the daily letter."""
    officer = make_officer()
    User.objects.filter(pk=officer.pk).update(zone="Asia/Bishkek")
    officer = User.objects.get(pk=officer.pk)
    waits_for_the_daily_letter(officer)
    return officer


def asked(officer: User, *, at: datetime | None = None, call=None) -> Message:
    """An applicant has written to the office, AT a moment."""
    application = make_application(call or Call.objects.first() or make_call(), make_user())
    write(application, by=application.applicant, text="Hello.", at=at)
    return Message.objects.get(user=officer, kind=ASKED, event__subject_key=application.code)


def morning(day: int, hour: int = 7, minute: int = 0) -> datetime:
    """That day of October 2024 in Bishkek."""
    return datetime(2024, 10, day, hour, minute, tzinfo=BISHKEK)


def call_named(code: str, title: str) -> Call:
    call = make_call(code)
    Call.objects.filter(pk=call.pk).update(title={"en": title})
    return Call.objects.get(pk=call.pk)


def went_out(message: Message, server: Server) -> bool:
    return message.message_id in [letter["Message-ID"] for letter in server.letters]


def line_of(row: Message) -> str:
    """ROW, as the daily letter lists it."""
    return f"- A message about {row.event.subject_key}: http://127.0.0.1:8000/inbox/messages/{row.code}/"


def digests() -> list[Message]:
    return list(Message.objects.filter(kind=bundles.BUNDLE).order_by("pk"))


def lists(digest: Message) -> list[Message]:
    return list(digest.bundled.order_by("pk"))


# -- Waiting ---------------------------------------------------------------------


def test_a_letter_of_such_a_kind_is_not_sent_singly_and_stands_in_the_inbox(officer, server, clock):
    message = asked(officer)

    deliver_due(now=clock)

    row = again(message)
    assert (row.delivery, row.claim, row.leased_until, row.digest) == ("bundled", "", None, None)
    assert not went_out(message, server)
    assert "In your daily letter" in main_of(browser(officer).get("/inbox/"))


def test_other_kinds_and_other_people_get_theirs_at_once(officer, server, clock):
    other = make_officer()
    give_role(officer, Role.REVIEWER)
    message = asked(other)

    deliver_due(now=clock)

    assert again(message).delivery == "sent"
    assert Message.objects.get(user=officer, kind="person.role_given:person", event__data__role="reviewer").delivery == "sent"


@pytest.mark.parametrize(("way", "becomes"), [(Way.MAIL, "sent"), (Way.INBOX, "kept"), (Way.DAILY, "bundled")])
def test_who_chooses_otherwise_meanwhile_gets_what_waits_in_the_new_way(officer, server, clock, way, becomes):
    message = asked(officer)
    deliver_due(now=clock)

    set_wish(officer, ASKED, way)
    deliver_due(now=clock.later(60))

    assert again(message).delivery == becomes
    assert went_out(message, server) == (way == Way.MAIL)


# -- When ------------------------------------------------------------------------


def test_at_seven_in_the_readers_morning_one_letter_lists_what_has_waited(officer):
    rows = [asked(officer, at=morning(4, 12)), asked(officer, at=morning(5, 6, 59))]
    deliver_due()

    counts = [send_due(at=moment) for moment in (morning(5, 6, 59), morning(5), morning(5, 7, 5))]

    (digest,) = digests()
    assert (counts, lists(digest)) == ([0, 1, 0], rows)
    assert (digest.user, digest.address, states(rows)) == (officer, officer.email, ["bundled"] * 2)


def test_a_clock_that_wakes_six_hours_late_still_tells_once_and_leaves_the_new_day_alone(officer):
    early, late = asked(officer, at=morning(4, 22)), asked(officer, at=morning(5, 10))
    deliver_due()

    counts = [send_due(at=morning(5, 13)), send_due(at=morning(5, 13, 5)), send_due(at=morning(6))]

    assert (counts, [lists(digest) for digest in digests()]) == ([1, 0, 1], [[early], [late]])


def test_after_days_of_standing_still_there_is_one_letter(officer):
    rows = [asked(officer, at=morning(day, 12)) for day in (1, 2, 3)]
    deliver_due()

    assert (send_due(at=morning(5, 9)), send_due(at=morning(5, 9)), [lists(one) for one in digests()]) == (1, 0, [rows])


def test_what_a_slow_worker_brings_after_the_letter_waits_for_the_next_one(officer):
    asked(officer, at=morning(4, 12))
    deliver_due()
    send_due(at=morning(5))
    late = asked(officer, at=morning(5, 6, 30))
    deliver_due()

    counts = [send_due(at=morning(5, 8)), send_due(at=morning(6))]

    assert (counts, lists(digests()[-1])) == ([0, 1], [late])


def test_nothing_is_written_when_nothing_waits(officer, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert send_due(at=morning(5)) == 0
    assert not Event.objects.filter(name=bundles.DIGEST).exists()


@pytest.mark.parametrize(
    ("zone", "country", "hour"),
    [("Asia/Bishkek", None, 1), ("Europe/Moscow", "KG", 4), ("", "KG", 1), ("", None, 7)],
)
def test_seven_is_that_of_the_profile_or_the_country_or_else_of_utc(zone, country, hour):
    user = make_user()
    User.objects.filter(pk=user.pk).update(zone=zone)
    Profile.objects.update_or_create(user=user, defaults={"citizenship_id": country})
    user = User.objects.get(pk=user.pk)

    assert last_hour(user, datetime(2024, 10, 5, 23, 30, tzinfo=ZoneInfo("UTC"))) == datetime(2024, 10, 5, hour, tzinfo=ZoneInfo("UTC"))


def test_on_the_days_of_summer_time_it_is_seven_on_the_wall_clock(officer):
    User.objects.filter(pk=officer.pk).update(zone="Europe/Berlin")
    user, berlin = User.objects.get(pk=officer.pk), ZoneInfo("Europe/Berlin")

    hours = [last_hour(user, datetime(2024, 3, day, 5, 30, tzinfo=ZoneInfo("UTC"))) for day in (30, 31)]

    assert hours == [datetime(2024, 3, 29, 7, tzinfo=berlin), datetime(2024, 3, 31, 7, tzinfo=berlin)]


# -- To whom ---------------------------------------------------------------------


def test_each_person_gets_their_own(officer):
    other = make_officer()
    waits_for_the_daily_letter(other)
    asked(officer, at=morning(4, 12))
    deliver_due()

    assert send_due(at=morning(5, 14)) == 2
    assert sorted((one.user_id, lists(one)[0].user_id) for one in digests()) == sorted([(officer.pk,) * 2, (other.pk,) * 2])


def test_who_has_lost_the_role_or_the_account_gets_none(officer):
    message = asked(officer, at=morning(4, 12))
    gone = make_officer()
    waits_for_the_daily_letter(gone)
    asked(gone, at=morning(4, 12))
    deliver_due()
    take_role(Membership.objects.get(user=officer))
    User.objects.filter(pk=gone.pk).update(is_active=False)

    assert (send_due(at=morning(5, 14)), digests(), again(message).delivery) == (0, [], "kept")


def test_one_letter_that_cannot_be_written_does_not_stop_the_others(officer, monkeypatch):
    broken = make_officer()
    waits_for_the_daily_letter(broken)
    asked(officer, at=morning(4, 12))
    deliver_due()
    User.objects.filter(pk=broken.pk).update(zone="Mars/Olympus")

    assert (send_due(at=morning(5, 14)), [one.user for one in digests()]) == (1, [officer])


# -- What it says ----------------------------------------------------------------


def test_it_says_how_many_and_lists_each_with_its_title_and_link_under_its_call(officer, server, clock):
    first, second = (call_named(code, title) for code, title in (("small-2027", "Rivers & roads"), ("other-2027", "Ice")))
    rows = [asked(officer, at=morning(4, hour), call=call) for hour, call in ((10, first), (11, second), (12, first))]
    deliver_due(now=clock)
    send_due(at=morning(5))

    deliver_due(now=clock.later(60))

    (mail,) = [letter for letter in server.letters if letter["To"] == officer.email and "daily letter" in letter["Subject"]]
    text = mail.get_body(("plain",)).get_content().replace("\r\n", "\n")
    assert mail["Subject"] == "Your daily letter: 3 messages"
    lines = re.findall(r"^(?:- .*|Ice|Rivers & roads)$", text, re.MULTILINE)
    assert lines == ["Ice", line_of(rows[1]), "Rivers & roads", line_of(rows[0]), line_of(rows[2])]
    assert "\n\n\n" not in text and "List-Unsubscribe" not in mail
    html = mail.get_body(("html",)).get_content()
    assert "Rivers &amp; roads" in html and html.count("/inbox/messages/") == 3


def test_one_message_is_one_message(officer):
    asked(officer, at=morning(4, 10))
    deliver_due()
    send_due(at=morning(5))

    assert compose(digests()[0]).subject == "Your daily letter: 1 message"


def test_of_very_many_it_lists_some_and_says_how_many_more(officer, monkeypatch):
    monkeypatch.setattr(bundles, "LONGEST", 2)
    for hour in range(5):
        asked(officer, at=morning(4, 10 + hour))
    deliver_due()
    send_due(at=morning(5))

    letter = compose(digests()[0])

    assert (letter.subject, letter.text.count("\n- "), "And 3 more." in letter.text) == ("Your daily letter: 5 messages", 2, True)


def test_it_is_not_sent_empty_when_all_that_it_lists_is_gone(officer, server, clock):
    asked(officer, at=morning(4, 10))
    deliver_due(now=clock)
    send_due(at=morning(5))
    Message.objects.filter(digest=digests()[0]).delete()
    arrived = len(server.letters)

    deliver_due(now=clock.later(60))

    assert (digests()[0].delivery, len(server.letters)) == ("queued", arrived)
    assert "are gone" in digests()[0].error


def test_it_takes_the_same_queries_for_one_message_and_for_many(officer):
    def queries(day: int) -> int:
        deliver_due()
        with CaptureQueriesContext(connection) as captured:
            send_due(at=morning(day))
            compose(digests()[-1])
        return len(captured)

    asked(officer, at=morning(4, 10))
    with_one = queries(5)
    for hour in range(8):
        asked(officer, at=morning(5, 10 + hour))

    assert queries(6) == with_one


# -- In the inbox ----------------------------------------------------------------


def test_it_goes_by_mail_alone_and_counts_nothing_as_unread(officer):
    asked(officer, at=morning(4, 10))
    deliver_due()
    before = messages_of(officer).count(), browser(officer).get("/inbox/").context["user"].unread
    send_due(at=morning(5))
    deliver_due()

    (digest,) = digests()
    client = browser(officer)
    assert (messages_of(officer).count(), client.get("/inbox/").context["user"].unread) == before
    assert client.get(f"/inbox/messages/{digest.code}/").status_code == 404
    assert "Your daily letter: 1 message" in main_of(client.get("/manage/outbox/"))


def test_what_was_sent_for_a_day_cannot_be_recorded_again(officer):
    asked(officer, at=morning(4, 10))
    deliver_due()
    send_due(at=morning(5))

    key = Event.objects.get(name=bundles.DIGEST).key
    assert key == f"digest.due:{officer.code}:20241005"
    with pytest.raises(Exception, match="already been done"):
        record(bundles.DIGEST, officer, key=key)
