"""Rows of the outbox are written with what happened: with it or not at all, once, and whatever Redis does."""

from __future__ import annotations

import time

import pytest
from celery import Celery
from django.core.cache import caches
from django.core.exceptions import ValidationError
from django.db import transaction

from exchange.notifications import outbox, relay
from exchange.notifications.models import Delivery, Message
from scholarships.applications import actions
from scholarships.events.actions import record
from scholarships.events.models import Event
from scholarships.people.actions import JOINED, ROLE_GIVEN, give_role
from scholarships.people.models import Role, Scope
from tests.exchange.notifications.mailing import letter_to
from tests.factories import make_application, make_body_member, make_call, make_draft, make_institution, make_officer, make_user
from tests.services import free_port, valkey

pytestmark = pytest.mark.django_db


def heard(event: str) -> list[tuple[str, str]]:
    """Who hears of EVENT, and in which kind of letter."""
    return sorted(Message.objects.filter(event__name=event).values_list("address", "kind"))


def test_what_happened_and_its_letters_are_written_together():
    application = make_application()

    (message,) = Message.objects.filter(event__name="application.submitted")

    assert (message.kind, message.user, message.address) == (
        "application.submitted:applicant",
        application.applicant,
        application.applicant.email,
    )
    assert (message.delivery, message.tries, message.subject, message.created_at) == ("queued", 0, "", message.event.at)


def test_what_is_rolled_back_writes_to_nobody():
    draft = make_draft()
    before = Message.objects.count(), Event.objects.count()

    with pytest.raises(ZeroDivisionError), transaction.atomic():
        actions.submit(draft, by=draft.applicant)
        assert heard("application.submitted") != []
        raise ZeroDivisionError

    assert (Message.objects.count(), Event.objects.count()) == before


def test_a_refused_action_writes_to_nobody():
    application = make_application()
    before = Message.objects.count()

    with pytest.raises(ValidationError):
        actions.submit(application, by=application.applicant)

    assert Message.objects.count() == before


def test_the_same_event_twice_gives_one_letter():
    user = make_user()
    event = record(ROLE_GIVEN, user, role="officer", scope="site", of="", key="once")

    with pytest.raises(ValidationError) as refused, transaction.atomic():
        record(ROLE_GIVEN, user, role="officer", scope="site", of="", key="once")
    outbox.write([event])

    assert refused.value.code == "already_done"
    assert heard("person.role_given") == [(user.email, "person.role_given:person")]


def test_a_submission_repeated_with_its_key_gives_one_letter():
    draft = make_draft()

    for _click in range(3):
        actions.submit(draft, by=draft.applicant, key="the-key-of-the-page")

    assert heard("application.submitted") == [(draft.applicant.email, "application.submitted:applicant")]


def test_officers_hear_once_each_and_only_those_of_the_call():
    call = make_call()
    of_site, of_call = make_officer(), make_officer(scope=Scope.CALL, key=call.code)
    give_role(of_site, Role.OFFICER, scope=Scope.CALL, key=call.code)
    make_officer(scope=Scope.CALL, key="another-call")
    gone = make_officer()
    gone.is_active = False
    gone.save()

    record("call.results_published", call, run="run-1")

    assert heard("call.results_published") == sorted(
        [(of_site.email, "call.results_published:officer"), (of_call.email, "call.results_published:officer")]
    )


def test_members_of_bodies_hear_of_a_closed_call_when_they_have_files_of_it():
    application = make_application()
    mine = make_body_member(make_institution("kg-ministry"))
    make_body_member(make_institution("kz-ministry"))

    record("call.closed", application.call)

    assert heard("call.closed") == [(mine.email, "call.closed:body")]


def test_an_event_in_silence_writes_to_nobody():
    record(JOINED, make_user())

    assert not Message.objects.exists()


def test_a_recipient_of_two_kinds_of_one_event_gets_both():
    """A person who is both officer and member of the body that sent its list."""
    both = make_officer()
    body = make_institution("kg-ministry", kind="ministry", country="KG")
    call = make_call()
    give_role(both, Role.BODY, scope=Scope.INSTITUTION, key=body.code)
    event = record("nomination.list_sent", call, call=call.code, body=body.code, nominated=1, reserve=0)

    assert [(message.address, message.kind) for message in event.messages.order_by("kind")] == [
        (both.email, "nomination.list_sent:body"),
        (both.email, "nomination.list_sent:officer"),
    ]


def test_message_ids_are_of_our_domain_and_never_the_same(settings):
    settings.DEFAULT_FROM_EMAIL = "Sapar <no-reply@mail.sapar.example>"
    one, two = letter_to(make_user()), letter_to(make_user())

    assert one.message_id != two.message_id
    assert one.message_id == f"<{one.code.lower()}.{one.event_id}@mail.sapar.example>"


@pytest.mark.parametrize("events", [1, 30])
def test_the_letters_of_many_events_take_the_same_queries(events, django_assert_num_queries):
    call = make_call()
    make_officer()
    happened = [Event.objects.create(name="call.results_published", subject_kind="call", subject_key=call.code) for _event in range(events)]

    with django_assert_num_queries(2):  # the officers, and one INSERT
        outbox.write(happened)

    assert Message.objects.filter(kind="call.results_published:officer").count() == events


# -- The doorbell ----------------------------------------------------------------


def queue_length() -> int:
    with outbox.celery.connection_for_read() as broker:
        return broker.default_channel.client.llen("celery")


def empty_the_queue() -> None:
    caches["fast"].delete(outbox.DOORBELL)  # clear() would empty a Redis that other tests use at this moment
    with outbox.celery.connection_for_write() as broker:
        broker.default_channel.queue_purge("celery")


def test_many_letters_ring_once_and_only_after_the_transaction(django_capture_on_commit_callbacks):
    with valkey():
        empty_the_queue()
        with django_capture_on_commit_callbacks(execute=True):
            for _letter in range(5):
                letter_to(make_user())
            before = queue_length()
        after = queue_length()
        relay.deliver_due()
        with django_capture_on_commit_callbacks(execute=True):
            letter_to(make_user())
        again = queue_length()
        empty_the_queue()

    assert (before, after, again) == (0, 1, 2)


@pytest.fixture
def no_redis(settings) -> None:
    """Nobody listens where Redis should be."""
    settings.CACHES = {**settings.CACHES, "fast": {**settings.CACHES["fast"], "LOCATION": f"redis://127.0.0.1:{free_port()}/0"}}


def test_with_redis_down_the_action_succeeds_at_once_and_the_letter_goes_out_by_the_sweep(django_capture_on_commit_callbacks, no_redis):
    draft = make_draft()
    began = time.monotonic()

    with django_capture_on_commit_callbacks(execute=True):
        application = actions.submit(draft, by=draft.applicant)
    seconds = time.monotonic() - began
    waiting = Message.objects.get(event__name="application.submitted").delivery
    relay.deliver_due()

    assert (application.state, waiting) == ("submitted", Delivery.QUEUED)
    assert seconds < 2
    assert Message.objects.get(event__name="application.submitted").delivery == Delivery.SENT


def test_a_broker_that_dies_when_the_bell_is_rung_harms_nothing(django_capture_on_commit_callbacks, settings, monkeypatch, caplog):
    settings.CACHES = {**settings.CACHES, "fast": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    monkeypatch.setattr(
        outbox, "celery", Celery("nobody", broker=f"redis://127.0.0.1:{free_port()}/0", broker_transport_options={"max_retries": 1})
    )

    with django_capture_on_commit_callbacks(execute=True):
        message = letter_to(make_user())

    assert message.delivery == Delivery.QUEUED
    assert "Nobody heard the doorbell (OperationalError); the sweep will deliver." in caplog.text
