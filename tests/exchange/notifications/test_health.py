"""Whether letters leave, as an alarm, Prometheus and a load balancer hear it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from exchange.jobs import heartbeat
from exchange.notifications.health import health
from exchange.notifications.models import Heartbeat, Message
from exchange.notifications.outbox import Letter, post
from scholarships.events.actions import record
from scholarships.people.actions import JOINED
from tests.exchange.notifications.mailing import letter_to, letters
from tests.exchange.pages import browser
from tests.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def living() -> None:
    heartbeat(timezone.now().timestamp() - 3)


def ago(minutes: float):
    return timezone.now() - timedelta(minutes=minutes)


def test_all_is_green_when_worker_and_clock_live_and_nothing_waits(living):
    answer = browser().get("/readyz")

    assert (answer.status_code, answer.json()) == (
        200,
        {"state": "green", "oldest_due_seconds": None, "dead_letters": 0, "worker_seconds": 0, "beat_seconds": 3},
    )


def test_a_letter_that_has_been_due_for_more_than_five_minutes_is_red(living):
    message = letter_to(make_user())
    found = {}
    for minutes in (4, 6):
        Message.objects.filter(pk=message.pk).update(created_at=ago(60), due_at=ago(minutes))
        found[minutes] = browser().get("/readyz").status_code

    assert found == {4: 200, 6: 503}


def test_a_letter_that_a_dead_worker_left_behind_counts_too_and_one_that_rests_does_not(living):
    left, resting = letters(2)
    Message.objects.filter(pk=resting.pk).update(created_at=ago(60), due_at=timezone.now() + timedelta(minutes=1))
    Message.objects.filter(pk=left.pk).update(delivery="sending", leased_until=ago(10))

    assert health().oldest_due == 600
    assert health().is_red


def test_a_letter_with_a_code_that_overtakes_the_others_is_not_old(living):
    user = make_user()
    post(record(JOINED, user), "account.code", user.email, Letter("123456", "123456\n"), user=user)

    assert (health().oldest_due, health().is_red) == (0, False)


@pytest.mark.parametrize("name", ["worker", "beat"])
def test_a_worker_or_a_clock_that_is_silent_for_five_minutes_is_red(living, name):
    Heartbeat.objects.filter(name=name).update(at=ago(6))

    assert browser().get("/readyz").status_code == 503


def test_a_site_on_which_no_worker_ever_ran_is_red():
    assert browser().get("/readyz").json()["state"] == "red"


def test_a_heartbeat_that_comes_late_does_not_turn_the_clock_back(living):
    heartbeat(timezone.now().timestamp() - 100)

    assert health().clock == 3


def test_a_dead_letter_is_counted_and_not_red(living):
    Message.objects.filter(pk=letter_to(make_user()).pk).update(delivery="failed")

    assert (health().dead_letters, health().is_red) == (1, False)


def test_the_queries_do_not_grow_with_the_letters(living, django_assert_num_queries):
    letters(30)

    with django_assert_num_queries(4):
        health()


def test_figures_are_for_those_with_the_token_and_missing_to_all_others(living, settings):
    letters(2)
    client = browser()
    closed = client.get("/metrics").status_code, client.get("/metrics", HTTP_AUTHORIZATION="Bearer ").status_code
    settings.METRICS_TOKEN = "a-long-token"
    wrong = client.get("/metrics").status_code, client.get("/metrics", HTTP_AUTHORIZATION="Bearer another").status_code
    answer = client.get("/metrics", HTTP_AUTHORIZATION="Bearer a-long-token")

    assert (closed, wrong, answer.status_code) == ((404, 404), (404, 404), 200)
    assert answer["Content-Type"].startswith("text/plain; version=0.0.4")
    lines = answer.content.decode().splitlines()
    assert {'sapar_outbox_messages{state="queued"} 2', 'sapar_outbox_messages{state="failed"} 0', "sapar_healthy 1"} <= set(lines)
    assert 'sapar_heartbeat_age_seconds{process="beat"} 3' in lines


def test_a_load_balancer_hears_that_the_site_answers_even_when_no_letter_leaves():
    answer = browser().get("/healthz")

    assert (answer.status_code, answer.content) == (200, b"ok\n")
