"""How fast letters leave, which stay in the inbox, who gets the answers, and what can never be sent."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from exchange.notifications import outbox
from exchange.notifications.models import Address, Message, Preference, Relay, Way
from exchange.notifications.relay import deliver_due
from exchange.notifications.tasks import is_stopping
from scholarships.events.actions import record
from scholarships.people.actions import JOINED
from tests.exchange.notifications.mailing import again, letter_to, letters, states
from tests.factories import make_user

pytestmark = pytest.mark.django_db
OPTIONAL = "review.recused:officer"


def optional_letter(user) -> Message:
    message = letter_to(user)
    Message.objects.filter(pk=message.pk).update(kind=OPTIONAL)
    return again(message)


# -- How fast --------------------------------------------------------------------


def test_no_more_leave_in_a_minute_than_the_setting_says_and_the_rest_waits_for_the_next(server, clock, settings):
    settings.MAIL_PER_MINUTE = 25
    clock.at = (clock.at + timedelta(minutes=1)).replace(second=1)
    waiting = letters(60)

    tried = [deliver_due(now=clock), deliver_due(now=clock.later(30)), deliver_due(now=clock.later(30)), deliver_due(now=clock.later(60))]

    assert (tried, states(waiting)) == ([25, 0, 25, 10], ["sent"] * 60)
    assert Message.objects.exclude(tries=0).count() == 0


def test_what_another_worker_has_sent_in_this_minute_counts_too(server, clock, settings):
    settings.MAIL_PER_MINUTE = 25
    Relay.objects.create(pk=1, minute=clock.at.replace(second=0, microsecond=0), taken=22)
    letters(5)

    assert (deliver_due(now=clock), Relay.objects.get().taken) == (3, 25)


def test_a_connection_is_opened_anew_after_so_many_letters(server, clock, settings):
    settings.MAIL_PER_CONNECTION = 4
    letters(10)

    assert (deliver_due(now=clock), server.connections) == (10, 3)


def test_a_worker_that_is_asked_to_end_finishes_the_letter_in_hand_and_gives_the_rest_back(server, clock):
    waiting = letters(5)

    tried = deliver_due(now=clock, is_stopping=lambda: len(server.letters) == 2)

    assert (tried, states(waiting)) == (2, ["sent"] * 2 + ["queued"] * 3)
    assert set(Message.objects.filter(delivery="queued").values_list("claim", "leased_until", "tries")) == {("", None, 0)}
    assert not is_stopping()


def test_the_queries_of_a_run_grow_by_one_a_letter_and_no_more(server, clock, django_assert_max_num_queries):
    letters(20)

    with django_assert_max_num_queries(20 + 14):
        assert deliver_due(now=clock) == 20


# -- In the inbox only -------------------------------------------------------------


def test_a_reader_who_opted_out_of_a_kind_finds_it_in_the_inbox_only(server, clock):
    wants, wants_not = make_user(), make_user()
    Preference.objects.create(user=wants_not, kind=OPTIONAL, way=Way.INBOX)
    sent, kept, other = optional_letter(wants), optional_letter(wants_not), letter_to(wants_not)

    deliver_due(now=clock)

    assert states([sent, kept, other]) == ["sent", "kept", "sent"]
    row = again(kept)
    assert (row.claim, row.leased_until, row.tries, server.addresses()) == ("", None, 0, [wants.email, wants_not.email])


def test_nobody_opts_out_of_a_letter_that_must_be_read(server, clock):
    user = make_user()
    Preference.objects.create(user=user, kind="test.letter", way=Way.INBOX)
    message = letter_to(user)

    deliver_due(now=clock)

    assert again(message).delivery == "sent"


def test_an_address_from_which_letters_kept_coming_back_gets_codes_and_nothing_else(server, clock):
    user = make_user(email="Gone@sapar.example")
    Address.objects.create(address=user.email.lower(), stopped_at=timezone.now())
    message = letter_to(user)
    code = outbox.post(record(JOINED, user), "account.code", user.email, outbox.Letter("123456", "123456\n"), user=user)

    deliver_due(now=clock)

    assert states([message, code]) == ["kept", "sent"]


# -- Headers ---------------------------------------------------------------------


def test_a_letter_from_which_one_may_opt_out_says_how_and_others_do_not(server, clock, settings):
    optional, other = optional_letter(make_user()), letter_to(make_user())

    deliver_due(now=clock)

    found = {letter["Message-ID"]: (letter["List-Unsubscribe"], letter["List-Unsubscribe-Post"]) for letter in server.letters}
    address, post = found[optional.message_id]
    assert address.strip().startswith(f"<{settings.SITE_URL}/inbox/unsubscribe/") and post == "List-Unsubscribe=One-Click"
    assert found[other.message_id] == (None, None)


def test_the_answers_of_each_role_go_where_the_setting_says(server, clock, settings):
    settings.REPLY_TO = {"officer": "desk@sapar.example"}
    optional, other = optional_letter(make_user()), letter_to(make_user())

    deliver_due(now=clock)

    found = {letter["Message-ID"]: letter["Reply-To"] for letter in server.letters}
    assert found == {optional.message_id: "desk@sapar.example", other.message_id: settings.OFFICE_EMAIL}


def test_the_body_of_a_letter_is_the_same_on_each_try(server, clock):
    message, bodies = letter_to(make_user(), html="<p>Words.</p>"), []
    for _try in range(2):
        deliver_due(now=clock)
        bodies.append(server.letters[-1].as_bytes().partition(b"\n\n")[2])
        Message.objects.filter(pk=message.pk).update(delivery="queued")

    assert bodies[0] == bodies[1]


def test_in_a_rehearsal_all_mail_goes_to_one_address_and_says_whom_it_was_for(server, clock, settings):
    settings.MAIL_ALL_TO = "rehearsal@sapar.example"
    letter_to(make_user(email="nuray@sapar.example"), subject="Your receipt")

    deliver_due(now=clock)

    assert [(letter["To"], letter["Subject"]) for letter in server.letters] == [
        ("rehearsal@sapar.example", "[nuray@sapar.example] Your receipt")
    ]


# -- What can never be sent ---------------------------------------------------------


@pytest.mark.parametrize(
    "address", ["nobody", "a b@sapar.example", "x@sapar.example\r\nBcc: all@sapar.example", "@sapar.example", "нурай@sapar.example"]
)
def test_a_letter_to_what_is_no_address_has_failed_at_once_with_the_reason(server, clock, address):
    bad, good = letters(2)
    Message.objects.filter(pk=bad.pk).update(address=address)

    deliver_due(now=clock)

    assert states([bad, good]) == ["failed", "sent"]
    assert again(bad).error == "This is not an address to which mail can go."


def test_a_subject_with_a_line_break_has_failed_at_once_with_the_reason(server, clock):
    bad, good = letters(2)
    Message.objects.filter(pk=bad.pk).update(subject="Hello\r\nBcc: all@sapar.example")

    deliver_due(now=clock)

    assert (states([bad, good]), again(bad).error) == (["failed", "sent"], "The subject holds a line break.")


def test_twenty_thousand_waiting_letters_cost_a_claim_no_more_than_a_few(server, clock):
    user = make_user()
    event = record(JOINED, user)
    rows = [
        Message(
            event=event,
            kind="test.letter",
            user=user,
            address=f"p{n}@sapar.example",
            subject="A",
            text="B",
            message_id=f"<{n}@x>",
            due_at=clock.at,
        )
        for n in range(20_000)
    ]
    Message.objects.bulk_create(rows, batch_size=500)

    assert deliver_due(now=clock, is_stopping=lambda: len(server.letters) >= 30) == 30
    assert Message.objects.filter(delivery="queued").count() == 20_000 - 30
    assert not Message.objects.filter(leased_until__gt=clock.at - timedelta(days=1)).exists()
