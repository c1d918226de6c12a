"""A real worker, a real Redis, a real mail server: letters go out, whoever dies meanwhile."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from datetime import timedelta

import psutil
import pytest
from django.utils import timezone

from exchange.notifications.models import Delivery, Message
from exchange.notifications.relay import LEASE, deliver_due
from scholarships.applications import actions
from tests.chaos.server import Faulty
from tests.exchange.notifications.mailing import Server, again, letter_to, states
from tests.factories import make_draft, make_user
from tests.services import celery_worker, smtp_server, valkey, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def far() -> Iterator[Server]:
    """A mail server to which the worker sends; this process sends to nobody."""
    with smtp_server(Server()) as mailbox:
        yield mailbox
        mailbox.held.clear()


def is_sent(message: Message) -> bool:
    return again(message).delivery == Delivery.SENT


def test_a_submission_rings_a_worker_without_any_sweep_and_the_receipt_goes_out_once(far):
    draft = make_draft()
    with valkey(), celery_worker(far, sweep=False):
        actions.submit(draft, by=draft.applicant)

        message = Message.objects.get(event__name="application.submitted")
        wait_until(lambda: is_sent(message), what="the receipt going out")

    assert [(letter["To"], letter["Message-ID"]) for letter in far.letters] == [(draft.applicant.email, message.message_id)]


def test_a_letter_in_the_hands_of_a_killed_worker_goes_out_after_the_lease(far, settings):
    far.held.set()
    with valkey():
        with celery_worker(far, sweep=False) as worker:
            message = letter_to(make_user())
            wait_until(lambda: far.letters, what="the letter arriving at the server")
            kill_whole(worker.pid)
        held = again(message)
        far.held.clear()
        far.letters.clear()  # the server never got as far as taking it
        settings.MAIL_STAYS_HERE, settings.EMAIL_BACKEND = False, "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", far.port
        early = deliver_due()
        late = deliver_due(now=lambda: timezone.now() + LEASE + timedelta(seconds=1))

    assert (held.delivery, held.tries) == ("sending", 0)
    assert (early, late, is_sent(message)) == (0, 1, True)
    assert [letter["Message-ID"] for letter in far.letters] == [message.message_id]


def kill_whole(pid: int) -> None:
    """SIGKILL for the worker and the children that do its work."""
    parent = psutil.Process(pid)
    family = [parent, *parent.children(recursive=True)]
    for process in family:
        process.kill()
    psutil.wait_procs(family, timeout=10)


@pytest.mark.skipif(bool(os.environ.get("REDIS_URL")), reason="this Redis is not ours to stop")
def test_a_worker_outlives_a_redis_that_goes_away_while_it_holds_a_letter_and_goes_on_with_an_empty_one(far):
    draft, redis = make_draft(), contextlib.ExitStack()
    redis.enter_context(valkey())
    with redis, celery_worker(far) as worker:
        far.held.set()
        first = letter_to(make_user())
        wait_until(lambda: far.letters, what="the first letter arriving at the server")
        redis.close()
        far.held.clear()
        wait_until(lambda: is_sent(first), what="the first letter going out")

        application = actions.submit(draft, by=draft.applicant)
        receipt = Message.objects.get(event__name="application.submitted")
        with valkey():
            wait_until(lambda: is_sent(receipt), 60, "the receipt going out after Redis came back")
            ended = worker.poll()

    assert (application.state, ended) == ("submitted", None)
    assert [letter["Message-ID"] for letter in far.letters] == [first.message_id, receipt.message_id]


def test_a_worker_whose_hands_are_killed_gets_new_ones_and_goes_on(far):
    with valkey(), celery_worker(far, sweep=False) as worker:
        for _hand in range(3):  # more than it has
            far.letters.clear()
            far.held.set()
            letter_to(make_user())
            wait_until(lambda: far.letters, what="a letter arriving at the server")
            for hand in psutil.Process(worker.pid).children():
                hand.kill()
            far.held.clear()
        message = letter_to(make_user())
        wait_until(lambda: is_sent(message), what="the next letter going out")
        ended = worker.poll()

    assert ended is None


def test_two_workers_share_what_waits_and_send_each_letter_once(far, tmp_path):
    with valkey(), celery_worker(far, log=tmp_path / "one.log"), celery_worker(far, log=tmp_path / "two.log", sweep=False):
        waiting = [letter_to(make_user()) for _letter in range(60)]
        wait_until(lambda: states(waiting) == ["sent"] * 60, 60, "all going out")

    assert sorted(letter["Message-ID"] for letter in far.letters) == sorted(message.message_id for message in waiting)


def test_a_worker_that_is_asked_to_end_finishes_the_letter_in_hand_and_gives_the_rest_back():
    with smtp_server(Faulty(is_well=True, seconds=0.1)) as slow, valkey():
        waiting = [letter_to(make_user()) for _letter in range(40)]
        with celery_worker(slow, sweep=True) as worker:
            wait_until(lambda: len(slow.log) >= 3, what="the first letters arriving")
            worker.terminate()
            worker.wait(20)
        ended = states(waiting)

    assert (ended.count("sent"), ended.count("sending")) == (len(slow.log), 0)
    assert 3 <= len(slow.log) < 40
