"""No letter is lost, whatever dies; and the judge who says so would notice."""

from __future__ import annotations

import pytest
from django.core.mail import get_connection
from django.utils import timezone

from exchange.notifications.envelopes import envelope
from exchange.notifications.models import Delivery, Message
from tests.chaos.judge import faults_of
from tests.chaos.rehearsal import rehearse, write_letters
from tests.chaos.server import CUT, LATER, REFUSED, TAKEN, Arrival, Faulty
from tests.exchange.notifications.mailing import letters
from tests.services import smtp_server

pytestmark = pytest.mark.django_db(transaction=True)


def test_two_hundred_letters_survive_eight_kills_a_redis_that_goes_away_and_a_mail_server_with_faults(tmp_path):
    outcome = rehearse(200, tmp_path)

    print(outcome.said)
    assert outcome.faults == []


def marks_before_sending(mailbox: Faulty, *, dies_at: int) -> None:
    """An outbox as it must not be: it marks a letter as sent, and dies before it sends it."""
    with get_connection("django.core.mail.backends.smtp.EmailBackend", host="127.0.0.1", port=mailbox.port) as connection:
        for number, message in enumerate(Message.objects.waiting().order_by("pk")):
            Message.objects.filter(pk=message.pk).update(delivery=Delivery.SENT, sent_at=timezone.now())
            if number == dies_at:
                return
            envelope(message, connection).send()


def states() -> dict[str, str]:
    return dict(Message.objects.values_list("message_id", "delivery"))


def test_the_judge_catches_an_outbox_that_marks_before_it_sends():
    waiting = letters(6)
    with smtp_server(Faulty(is_well=True, seconds=0)) as mailbox:
        marks_before_sending(mailbox, dies_at=2)
        marks_before_sending(mailbox, dies_at=-1)

        found = faults_of(states(), mailbox.log, kills=1, concurrency=1)

    assert found == [f"1 lost, {waiting[2].message_id} for example"]


A, B = "<a@sapar.example>", "<b@sapar.example>"


def came(name: str, fate: str, body: bytes = b"Words.") -> Arrival:
    return Arrival(name, "A letter", body, fate)


@pytest.mark.parametrize(
    ("ended", "log", "found"),
    [
        ({A: "sent", B: "failed"}, [came(A, LATER), came(A, TAKEN), came(B, REFUSED)], []),
        ({A: "sent"}, [came(A, CUT), came(A, TAKEN)], []),
        ({A: "sent"}, [came(A, TAKEN), came(A, TAKEN)], []),  # one kill explains it
        ({A: "sent"}, [came(A, TAKEN)] * 3, ["2 duplicates, and at most 1 are explained"]),
        ({A: "sent"}, [came(A, LATER), came(A, TAKEN, b"Other words.")], ["1 with other words on another try"]),
        ({A: "queued"}, [came(A, TAKEN)], ["1 still wait"]),
        ({A: "failed"}, [came(A, LATER)], [f"1 lost, {A} for example", "1 given up though nobody refused them for good"]),
        ({}, [came(A, TAKEN)], ["1 that no row knows"]),
    ],
)
def test_the_judge_tells_right_from_wrong(ended, log, found):
    assert faults_of(ended, log, kills=1, concurrency=1) == found


def test_the_letters_of_a_rehearsal_are_of_both_sorts():
    write_letters(4)

    assert sorted(Message.objects.values_list("subject", flat=True)) == ["", "", "A letter", "A letter"]
