"""What becomes of a letter: sent once, tried again, failed with its reason; and when the whole way out is shut."""

from __future__ import annotations

import socket
import threading
from datetime import timedelta

import pytest
from django.db import connection

from exchange.notifications import outbox, outcomes
from exchange.notifications.models import Delivery, Message, Relay
from exchange.notifications.outcomes import wait_after
from exchange.notifications.relay import deliver_due
from tests.exchange.notifications.mailing import again, letter_to, letters, states, waits
from tests.factories import make_user
from tests.services import smtp_server, wait_until

pytestmark = pytest.mark.django_db


def error_of(message: Message) -> str:
    return again(message).error


# -- Sent ------------------------------------------------------------------------


def test_a_letter_that_waits_is_sent_once(server, clock):
    message = letter_to(make_user(email="nuray@sapar.example"), subject="Your receipt", text="Thank you.\n", html="<p>Thank you.</p>")

    tried = deliver_due(now=clock), deliver_due(now=clock)

    row = again(message)
    assert tried == (1, 0)
    assert (row.delivery, row.sent_at, row.claim, row.leased_until, row.tries, row.error) == ("sent", clock.at, "", None, 0, "")
    assert [(letter["To"], letter["Subject"], letter["Message-ID"]) for letter in server.letters] == [
        ("nuray@sapar.example", "Your receipt", message.message_id)
    ]


def test_a_letter_has_a_text_and_an_html_part_and_says_that_a_machine_wrote_it(server, clock, settings):
    letter_to(None, address="nuray@sapar.example", text="Thank you, “Нурай”.\n", html="<p>Thank you, “Нурай”.</p>")

    deliver_due(now=clock)

    (letter,) = server.letters
    assert [part.get_content_type() for part in letter.walk()] == ["multipart/alternative", "text/plain", "text/html"]
    assert letter.get_body(("plain",)).get_content().splitlines() == ["Thank you, “Нурай”."]
    assert letter.get_body(("html",)).get_content().strip() == "<p>Thank you, “Нурай”.</p>"
    assert (letter["From"], letter["Reply-To"]) == (settings.DEFAULT_FROM_EMAIL, settings.OFFICE_EMAIL)
    assert (letter["Auto-Submitted"], letter["X-Auto-Response-Suppress"]) == ("auto-generated", "OOF, AutoReply")


def test_a_recipient_without_an_account_gets_the_letter_too(server, clock):
    message = letter_to(None, address="referee@elsewhere.example")

    deliver_due(now=clock)

    assert (again(message).delivery, again(message).user, server.addresses()) == ("sent", None, ["referee@elsewhere.example"])


def test_more_than_one_batch_goes_out_in_one_run_over_one_connection(server, clock):
    waiting = letters(45)

    assert deliver_due(now=clock) == 45

    assert server.addresses() == [message.address for message in waiting]
    assert server.connections == 1


def test_a_letter_with_a_code_overtakes_those_that_wait(server, clock):
    letters(3)
    user = make_user(email="code@sapar.example")
    message = outbox.post(
        outbox.Event.objects.last(), "account.code", user.email, outbox.Letter("123456 is your code", "123456\n"), user=user
    )

    deliver_due(now=clock)

    assert again(message).delivery == "sent"
    assert server.addresses()[0] == "code@sapar.example"


def test_a_letter_that_is_not_due_waits(server, clock):
    message = letter_to(make_user())
    Message.objects.update(due_at=clock.at + timedelta(seconds=1))

    assert (deliver_due(now=clock), again(message).delivery) == (0, "queued")
    assert (deliver_due(now=clock.later(1)), again(message).delivery) == (1, "sent")


def test_when_the_time_is_over_the_rest_of_the_batch_waits_as_it_was(server, clock):
    waiting = letters(5)
    server.at_data = lambda address: clock.later(20) and None  # each letter takes 20 seconds

    tried = deliver_due(seconds=50, now=clock)

    assert (tried, states(waiting)) == (3, ["sent"] * 3 + ["queued"] * 2)
    assert list(Message.objects.filter(delivery="queued").values_list("claim", "leased_until", "tries", "error")) == [("", None, 0, "")] * 2


# -- Refused for now -------------------------------------------------------------


def test_a_letter_refused_for_now_is_tried_again_after_growing_waits_under_the_same_message_id(server, clock):
    message = letter_to(make_user(email="nuray@sapar.example"))
    server.answer = lambda address: "451 4.7.1 greylisted, come again"

    said = []
    for _try in range(4):
        deliver_due(now=clock)
        said.append((again(message).delivery, again(message).tries, error_of(message), waits(message, clock)))
        clock.later(waits(message, clock))
    server.answer = lambda address: None
    deliver_due(now=clock)

    assert said == [("queued", number, "451 4.7.1 greylisted, come again", wait) for number, wait in ((1, 10), (2, 20), (3, 40), (4, 80))]
    assert (again(message).delivery, again(message).error) == ("sent", "")
    assert [letter["Message-ID"] for letter in server.letters] == [message.message_id]


def test_a_letter_that_was_taken_without_an_answer_comes_again_under_the_same_message_id(server, clock):
    message = letter_to(make_user())
    lost = []

    def hang_up(address: str) -> str | None:
        if not lost:
            lost.append(server.letters[-1]["Message-ID"])
            return "421 4.3.2 shutting down"
        return None

    server.at_data = hang_up
    deliver_due(now=clock)
    deliver_due(now=clock.later(10))

    assert (again(message).delivery, again(message).tries) == ("sent", 1)
    assert lost == [letter["Message-ID"] for letter in server.letters] == [message.message_id]


def test_the_others_of_the_batch_go_out_when_one_is_refused_for_now(server, clock):
    waiting = letters(3)
    server.answer = lambda address: "421 4.3.2 not you, not now" if address == "person1@sapar.example" else None

    deliver_due(now=clock)

    assert states(waiting) == ["sent", "queued", "sent"]


def test_waits_grow_to_half_an_hour_and_last_a_day_in_all():
    total = sum((wait_after(tries) for tries in range(outcomes.MOST_TRIES - 1)), timedelta())

    assert [wait_after(tries).total_seconds() for tries in (0, 1, 6, 7, 8, 9, 60)] == [10, 20, 640, 1280, 1800, 1800, 1800]
    assert timedelta(hours=24) <= total < timedelta(hours=25)


def test_a_letter_that_is_refused_for_a_day_has_failed_and_can_be_tried_again_by_hand_for_another_day(server, clock):
    message = letter_to(make_user())
    server.answer = lambda address: "452 mailbox full"
    Message.objects.update(tries=outcomes.MOST_TRIES - 1)

    deliver_due(now=clock)
    failed = again(message).delivery, again(message).tries, again(message).error
    back = outbox.retry([message])
    deliver_due(now=clock.later(60))

    assert failed == ("failed", outcomes.MOST_TRIES, "452 mailbox full")
    assert (back, again(message).delivery, again(message).tries) == (1, "queued", 1)


# -- Refused for good ------------------------------------------------------------


@pytest.mark.parametrize("command", ["answer", "at_data"])
def test_a_letter_refused_for_good_has_failed_at_once_and_the_reason_is_kept(server, clock, command):
    bad, good = letters(2)
    setattr(server, command, lambda address: "554 5.7.1 not wanted here" if address == bad.address else None)

    deliver_due(now=clock)

    assert states([bad, good]) == ["failed", "sent"]
    row = again(bad)
    assert (row.error, row.tries, row.claim, row.leased_until) == ("554 5.7.1 not wanted here", 1, "", None)


def test_a_failed_letter_goes_out_when_it_is_tried_again_by_hand(server, clock):
    message = letter_to(make_user())
    server.answer = lambda address: "550 5.1.1 no such mailbox"
    deliver_due(now=clock)
    server.answer = lambda address: None

    untouched = deliver_due(now=clock.later(3600)), outbox.retry([]), again(message).delivery
    back = outbox.retry([message])
    deliver_due(now=clock)

    assert untouched == (0, 0, "failed")
    assert (back, again(message).delivery, again(message).error, len(server.letters)) == (1, "sent", "", 1)


def test_only_failed_letters_are_put_back(server, clock):
    sent, waiting = letters(2)
    Message.objects.filter(pk=waiting.pk).update(due_at=clock.at + timedelta(hours=1))
    deliver_due(now=clock)

    assert (outbox.retry([sent, waiting]), states([sent, waiting])) == (0, ["sent", "queued"])


def test_many_wrong_addresses_fail_and_hold_up_nobody(server, clock):
    wrong, right = letters(8, prefix="wrong"), letters(2)
    server.answer = lambda address: "550 5.1.1 no such mailbox" if address.startswith("wrong") else None

    deliver_due(now=clock)

    assert (states(wrong), states(right)) == (["failed"] * 8, ["sent"] * 2)
    assert not Relay.objects.filter(paused_until__gt=clock.at).exists()


# -- The way out is shut ---------------------------------------------------------


def test_when_most_of_a_batch_is_refused_for_good_nothing_is_buried_and_the_way_out_rests_a_minute(server, clock):
    waiting = letters(6)
    server.answer = lambda address: None if address == "person0@sapar.example" else "554 5.7.1 relaying denied"

    first = deliver_due(now=clock), deliver_due(now=clock.later(59))
    rows = list(Message.objects.filter(delivery=Delivery.QUEUED).values_list("error", "tries", "claim", "leased_until"))
    server.answer = lambda address: None
    second = deliver_due(now=clock.later(1))

    assert (first, second) == ((6, 0), 5)
    assert rows == [("554 5.7.1 relaying denied", 1, "", None)] * 5
    assert states(waiting) == ["sent"] * 6


def test_while_the_way_out_rests_new_letters_wait_untouched(server, clock):
    Relay.objects.create(pk=1, paused_until=clock.at + timedelta(seconds=15))
    message = letter_to(make_user())

    tried = deliver_due(now=clock)

    assert (tried, again(message).delivery, again(message).claim, server.connections) == (0, "queued", "", 0)
    assert (deliver_due(now=clock.later(16)), again(message).delivery) == (1, "sent")


def test_refusals_that_are_few_are_the_letters_own(server, clock):
    waiting = letters(4)
    server.answer = lambda address: "554 5.7.1 not wanted"

    deliver_due(now=clock)

    assert states(waiting) == ["failed"] * 4
    assert not Relay.objects.exists()


def test_a_server_that_does_not_answer_costs_no_letter_a_try(clock, settings):
    with smtp_server() as gone:
        pass
    settings.MAIL_STAYS_HERE = False
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", gone.port
    waiting = letters(25)

    tried = deliver_due(now=clock), deliver_due(now=clock.later(14))
    rows = set(Message.objects.values_list("delivery", "tries", "claim"))
    reasons = set(Message.objects.exclude(error="").values_list("error", flat=True))
    with smtp_server(gone):
        closed_again = deliver_due(now=clock.later(1))

    assert (tried, rows) == ((0, 0), {("queued", 0, "")})
    assert [reason.startswith("ConnectionRefusedError") for reason in reasons] == [True]
    assert (closed_again, states(waiting), len(gone.letters)) == (25, ["sent"] * 25, 25)


def test_a_server_that_refuses_our_own_address_costs_no_letter_a_try(server, clock):
    waiting = letters(2)
    server.at_sender = lambda address: "530 5.7.0 authentication required"

    tried = deliver_due(now=clock)
    rows = list(Message.objects.order_by("pk").values_list("delivery", "tries", "error"))
    server.at_sender = lambda address: None
    deliver_due(now=clock.later(15))

    assert tried == 0
    assert rows == [("queued", 0, "530 5.7.0 authentication required")] * 2
    assert states(waiting) == ["sent"] * 2


def test_a_wrong_password_of_ours_costs_no_letter_a_try(server, clock, settings):
    """The server of these tests offers no AUTH at all, which is as wrong as a wrong password."""
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "sapar", "wrong"
    message = letter_to(make_user())

    tried = deliver_due(now=clock)

    assert (tried, again(message).delivery, again(message).tries) == (0, "queued", 0)
    assert error_of(message).startswith("SMTPNotSupportedError")


def test_a_server_that_takes_the_call_and_says_nothing_costs_no_letter_a_try(clock, settings):
    settings.MAIL_STAYS_HERE, settings.EMAIL_BACKEND = False, "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_TIMEOUT = 0.3
    waiting = letters(2)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        settings.EMAIL_HOST, settings.EMAIL_PORT = mute.getsockname()[:2]
        tried = deliver_due(now=clock)

    assert (tried, states(waiting), set(Message.objects.values_list("tries", flat=True))) == (0, ["queued"] * 2, {0})
    assert error_of(waiting[0]) == "SMTPServerDisconnected: Connection unexpectedly closed: timed out"


def test_a_server_that_never_answers_a_letter_costs_that_letter_one_try(server, clock, settings):
    settings.EMAIL_TIMEOUT = 0.3
    message = letter_to(make_user())
    server.held.set()

    deliver_due(now=clock)
    first = again(message).delivery, again(message).tries, waits(message, clock)
    server.held.clear()
    deliver_due(now=clock.later(10))

    assert first == ("queued", 1, 10)
    assert again(message).delivery == "sent"
    assert {letter["Message-ID"] for letter in server.letters} == {message.message_id}


def test_a_server_that_hangs_up_in_the_middle_costs_that_letter_one_try(server, clock):
    waiting = letters(2)
    server.hangs_up_on = "person0@sapar.example"

    deliver_due(now=clock)

    assert states(waiting) == ["queued", "sent"]
    assert again(waiting[0]).tries == 1


# -- A letter that cannot be made ------------------------------------------------


def test_a_letter_that_cannot_be_made_fails_alone_after_five_tries(server, clock, caplog):
    bad, good = letters(2)
    Message.objects.filter(pk=bad.pk).update(subject="", kind="nobody.knows:this")

    deliver_due(now=clock)
    first = states([bad, good])
    for _try in range(6):
        deliver_due(now=clock.later(100))

    assert first == ["queued", "sent"]
    row = again(bad)
    assert (row.delivery, row.tries, row.error) == ("failed", outcomes.MOST_TRIES_OF_POISON, "LookupError: no notice “nobody.knows:this”")
    assert bad.address not in caplog.text


def test_a_letter_whose_address_breaks_the_protocol_fails_alone(server, clock):
    bad, good = letters(2)
    Message.objects.filter(pk=bad.pk).update(address="x\nBcc: all@sapar.example\n@sapar.example")

    for _try in range(6):
        deliver_due(now=clock.later(100))

    assert states([bad, good]) == ["failed", "sent"]
    assert server.addresses() == [good.address]


# -- Leases ----------------------------------------------------------------------


class Elsewhere(threading.Thread):
    """Another worker, with a connection of its own."""

    def __init__(self, now):
        super().__init__()
        self.now, self.tried, self.error = now, -1, None
        self.start()

    def run(self) -> None:
        try:
            self.tried = deliver_due(now=self.now)
        except Exception as error:
            self.error = error
        finally:
            connection.close()

    def end(self) -> int:
        self.join(30)
        assert (self.is_alive(), self.error) == (False, None)
        return self.tried


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_send_each_letter_once(server, clock):
    waiting = letters(60)

    workers = [Elsewhere(clock) for _worker in range(2)]
    tried = sum(worker.end() for worker in workers)

    assert (tried, states(waiting)) == (60, ["sent"] * 60)
    assert sorted(letter["Message-ID"] for letter in server.letters) == sorted(message.message_id for message in waiting)


@pytest.mark.django_db(transaction=True)
def test_what_one_worker_holds_the_other_does_not_take_before_the_lease_is_over(server, clock):
    message = letter_to(make_user())
    server.held.set()
    slow = Elsewhere(type(clock)(clock.at))
    wait_until(lambda: len(server.letters) == 1, what="the letter arriving")

    meanwhile = deliver_due(now=clock), deliver_due(now=clock.later(44))
    server.held.clear()

    assert meanwhile == (0, 0)
    assert (slow.end(), again(message).delivery, len(server.letters)) == (1, "sent", 1)


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_lost_its_lease_cannot_write_the_outcome_any_more(server, clock):
    message = letter_to(make_user())
    server.held.set()
    slow = Elsewhere(type(clock)(clock.at))
    wait_until(lambda: len(server.letters) == 1, what="the letter arriving")
    # The sweep finds the lease over, while the first worker still waits for its answer: a 5xx, in the end.
    Message.objects.update(delivery=Delivery.SENT, claim="the second worker's", sent_at=clock.at, leased_until=None)
    server.at_data = lambda address: "554 too late"
    server.held.clear()
    slow.end()

    row = again(message)
    assert (row.delivery, row.claim, row.error, row.tries) == ("sent", "the second worker's", "", 0)


@pytest.mark.django_db(transaction=True)
def test_what_a_dead_worker_held_is_sent_after_the_lease(server, clock):
    message = letter_to(make_user())
    Message.objects.update(delivery=Delivery.SENDING, claim="a dead worker's", leased_until=clock.at + timedelta(seconds=45))

    early = deliver_due(now=clock.later(45))
    late = deliver_due(now=clock.later(0.1))

    assert (early, late, again(message).delivery, again(message).tries) == (0, 1, "sent", 0)
