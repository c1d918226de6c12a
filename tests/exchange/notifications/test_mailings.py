"""Mailings: whom they reach, that they are held, who may release them, what can be taken back, and that nobody gets two."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from exchange.notifications import mailings, relay
from exchange.notifications.mailings import addressees
from exchange.notifications.models import Address, Delivery, Mailing, MailingState, Message
from exchange.notifications.reading import messages_of
from scholarships.applications.models import Application
from scholarships.calls.models import Call
from scholarships.events.models import Event
from scholarships.people.models import User
from tests.factories import make_application, make_call, make_crowd, make_officer, make_reviewer

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def ten_minutes(settings):
    settings.UNDO_SECONDS = 600


SUBJECT = {"en": "Your file {code}", "ru": "Ваше дело {code}"}
TEXT = {"en": "Dear {name},\n\nthe office moves to another house.", "ru": "{name}, офис переезжает."}


def hold(call: Call, by: User, **more: Any) -> Mailing:
    words = {"subject": SUBJECT, "text": TEXT} | more
    people = words.pop("people", None) or addressees(everybody(call))
    return mailings.hold(call, people, by=by, **words)


def everybody(call: Call) -> Any:
    return Application.objects.filter(call=call).order_by("pk")


def later(minutes: int) -> Any:
    return timezone.now() + timedelta(minutes=minutes)


def deliveries() -> list[str]:
    return sorted(Message.objects.filter(mailing__isnull=False).values_list("delivery", flat=True))


def events(name: str) -> int:
    return Event.objects.filter(name=f"mailing.{name}").count()


# -- To whom ---------------------------------------------------------------------


def test_nobody_is_written_to_twice_and_closed_accounts_are_left_out():
    call, other = make_call(), make_call("other-2027")
    first = make_application(call)
    second = make_application(other, first.applicant)
    (closed,) = make_crowd(call, 1, is_active=False)

    people = addressees(Application.objects.order_by("pk"))

    assert [one.code for one in people.fits] == [first.code]
    assert {one.code: why for one, why in people.left_out} == {
        second.code: f"The same person gets the letter about {first.code}. Nobody gets two.",
        closed.code: "The account is closed.",
    }


def test_languages_and_those_who_read_it_in_the_inbox_only_are_counted():
    call = make_call()
    make_crowd(call, 2, language="ru")
    (silent,) = make_crowd(call, 1)
    Address.objects.create(address=silent.applicant.email, hard_bounces=3, stopped_at=timezone.now())

    people = addressees(everybody(call))

    assert (people.languages, people.silent) == ({"ru": 2, "en": 1}, 1)


def test_whom_it_reaches_is_found_in_two_queries():
    call = make_call()
    for count in (1, 40):
        make_crowd(call, count)
        with CaptureQueriesContext(connection) as queries:
            addressees(everybody(call))
        assert len(queries) == 2


# -- Held ------------------------------------------------------------------------


def test_held_letters_do_not_leave_and_their_readers_do_not_see_them(server):
    call, officer = make_call(), make_officer()
    application = make_application(call)
    Message.objects.all().delete()

    mailing = hold(call, officer)
    relay.deliver_due()

    assert (mailing.state, mailing.waiting, deliveries()) == (MailingState.HELD, [], ["held"])
    assert list(messages_of(application.applicant)) == []
    assert list(Message.objects.about(application).values_list("mailing__code", "call")) == [(mailing.code, call.code)]


def test_the_same_page_sent_twice_makes_one_mailing():
    call, officer = make_call(), make_officer()
    make_crowd(call, 2)

    first, second = hold(call, officer, key="k1"), hold(call, officer, key="k1")

    assert (first, deliveries(), events("held")) == (second, ["held", "held"], 1)


@pytest.mark.parametrize(
    ("subject", "text", "where"),
    [
        ({"en": "Hello"}, {}, {"text-en": "half"}),
        ({}, {"ru": "Привет"}, {"subject-ru": "half"}),
        ({"en": "Hello {nmae}"}, {"en": "Text"}, {"subject-en": "unknown_placeholder"}),
        ({"en": "Hello"}, {"en": "Text { alone"}, {"text-en": "lonely_brace"}),
    ],
)
def test_words_that_could_not_be_sent_are_refused_at_their_place(subject, text, where):
    call = make_call()
    make_crowd(call, 1)

    with pytest.raises(ValidationError) as refused:
        hold(call, make_officer(), subject=subject, text=text)

    assert {name: errors[0].code for name, errors in refused.value.error_dict.items()} == where
    assert not Mailing.objects.exists()


def test_a_mailing_without_words_or_readers_is_refused():
    call, officer = make_call(), make_officer()

    with pytest.raises(ValidationError) as nobody:
        hold(call, officer)
    make_crowd(call, 1)
    with pytest.raises(ValidationError) as empty:
        hold(call, officer, subject={}, text={})

    assert (nobody.value.code, empty.value.code) == ("nobody", "empty")


def test_only_officers_of_the_call_write_and_release():
    call = make_call()
    make_crowd(call, 1)
    stranger = make_officer(scope="call", key=make_call("other-2027").code)

    for somebody in (stranger, make_reviewer(call)):
        with pytest.raises(PermissionDenied):
            hold(call, somebody)
    mailing = hold(call, make_officer())
    for act in (mailings.release, mailings.cancel, mailings.take_back, mailings.hurry):
        with pytest.raises(PermissionDenied):
            act(mailing, by=stranger)
    with pytest.raises(PermissionDenied):
        mailings.remove(mailing.messages.get(), by=stranger)


def test_what_a_dead_process_left_unwritten_is_written_by_the_clock_and_nobody_gets_two(monkeypatch):
    call, officer = make_call(), make_officer()
    make_crowd(call, 5)
    monkeypatch.setattr(mailings, "BATCH", 2)
    mailing = hold(call, officer)
    Message.objects.filter(pk__in=list(mailing.messages.values_list("pk", flat=True)[:2])).delete()
    everyone = list(everybody(call).values_list("pk", flat=True))
    Mailing.objects.update(state=MailingState.WRITING, waiting=everyone, created_at=later(-2))

    mailings.go_on()

    mailing.refresh_from_db()
    assert (mailing.state, mailing.waiting, deliveries()) == (MailingState.HELD, [], ["held"] * 5)


def test_writing_takes_the_same_queries_a_batch():
    """But for the INSERT of the rows, which Django splits where a database takes few parameters."""
    call, officer = make_call(), make_officer()
    make_crowd(call, 1)
    hold(call, officer)  # what an officer may do is read once
    counts = []
    for count in (3, 40):
        make_crowd(call, count)
        with CaptureQueriesContext(connection) as queries:
            hold(call, officer)
        counts.append(sum('"notifications_message" (' not in query["sql"] for query in queries))
    assert counts[0] == counts[1]


# -- Released --------------------------------------------------------------------


def test_released_letters_wait_ten_minutes_and_go_out_once_in_the_language_of_each(server):
    call, officer = make_call(), make_officer()
    Message.objects.all().delete()
    one, other = make_crowd(call, 1)[0], make_crowd(call, 1, language="ru")[0]
    mailing = hold(call, officer)

    mailings.release(mailing, by=officer)
    mailings.go_on(at=later(9))
    relay.deliver_due()
    assert (server.letters, deliveries()) == ([], ["held", "held"])
    assert (mailings.go_on(at=later(11)), mailings.go_on(at=later(11))) == (1, 0)
    Message.objects.update(due_at=timezone.now())
    relay.deliver_due()
    relay.deliver_due()

    assert sorted((letter["To"], letter["Subject"]) for letter in server.letters) == sorted(
        [(one.applicant.email, f"Your file {one.code}"), (other.applicant.email, f"Ваше дело {other.code}")]
    )
    assert list(messages_of(one.applicant).values_list("subject", flat=True)) == [f"Your file {one.code}"]


def test_above_fifty_the_writer_may_not_release_and_another_may():
    call, writer, second = make_call(), make_officer(), make_officer(name="Aigerim Sadykova")
    make_crowd(call, 51)
    mailing = hold(call, writer)

    with pytest.raises(ValidationError) as refused:
        mailings.release(mailing, by=writer)
    released = mailings.release(mailing, by=second)

    assert refused.value.code == "second_officer"
    assert (released.state, released.letters, released.released_by) == (MailingState.RELEASED, 51, second)
    assert list(Message.objects.filter(kind="mailing.held:officer").values_list("user__name", flat=True)) == ["Aigerim Sadykova"]


def test_up_to_fifty_one_officer_is_enough_and_nobody_is_called():
    call, writer = make_call(), make_officer()
    make_officer()
    make_crowd(call, 50)

    assert mailings.release(hold(call, writer), by=writer).state == MailingState.RELEASED
    assert not Message.objects.filter(kind="mailing.held:officer").exists()


def test_the_database_itself_asks_for_two_keys():
    call, writer = make_call(), make_officer()
    make_crowd(call, 1)
    mailing = hold(call, writer)

    with pytest.raises(IntegrityError), transaction.atomic():
        Mailing.objects.filter(pk=mailing.pk).update(released_by=F("by"), letters=51)


def test_a_release_is_taken_back_in_time_and_not_later():
    call, officer = make_call(), make_officer()
    make_crowd(call, 1)
    mailing = mailings.release(hold(call, officer), by=officer)

    mailings.take_back(mailing, by=officer)
    assert (mailings.go_on(at=later(60)), deliveries()) == (0, ["held"])
    mailings.release(mailing, by=officer)
    mailings.go_on(at=later(11))

    for act in (mailings.take_back, mailings.cancel, mailings.hurry):
        with pytest.raises(ValidationError):
            act(mailing, by=officer)
    assert deliveries() == ["queued"]


def test_one_need_not_wait_for_the_end_of_the_time():
    call, officer = make_call(), make_officer()
    make_crowd(call, 1)
    mailing = mailings.release(hold(call, officer), by=officer)

    mailings.hurry(mailing, by=officer)

    assert (mailings.go_on(), deliveries()) == (1, ["queued"])


@pytest.mark.parametrize("is_released", [False, True])
def test_a_cancelled_mailing_never_leaves(is_released: bool):
    call, officer = make_call(), make_officer()
    make_crowd(call, 2)
    mailing = hold(call, officer)
    if is_released:
        mailings.release(mailing, by=officer)

    mailings.cancel(mailing, by=officer)

    mailing.refresh_from_db()
    assert (mailing.state, deliveries(), mailings.go_on(at=later(60)), events("cancelled")) == (MailingState.CANCELLED, [], 0, 1)
    with pytest.raises(ValidationError):
        mailings.release(mailing, by=officer)


def test_letting_go_takes_the_same_queries_for_one_letter_and_for_many():
    call, officer, second = make_call(), make_officer(), make_officer()
    counts = []
    for count in (1, 80):
        make_crowd(call, count)
        mailings.release(hold(call, officer), by=second)
        with CaptureQueriesContext(connection) as queries:
            mailings.go_on(at=later(11))
        counts.append(len(queries))
    assert counts[0] == counts[1]


# -- Single letters --------------------------------------------------------------


def test_single_letters_are_changed_and_taken_out_while_held(server):
    call, officer = make_call(), make_officer()
    Message.objects.all().delete()
    changed, gone, kept = make_crowd(call, 3)
    mailing = hold(call, officer)
    letter = {one.application: one for one in mailing.messages.all()}

    mailings.reword(letter[changed.code], subject="For you, {name}", text="Another <b>text</b>.", by=officer)
    mailings.remove(letter[gone.code], by=officer)
    mailings.hurry(mailings.release(mailing, by=officer), by=officer)
    mailings.go_on()
    relay.deliver_due()

    assert sorted((one["To"], one["Subject"]) for one in server.letters) == sorted(
        [(changed.applicant.email, f"For you, {changed.name}"), (kept.applicant.email, f"Your file {kept.code}")]
    )
    assert "&lt;b&gt;text" in Message.objects.get(application=changed.code).html
    assert (events("letter_reworded"), events("letter_removed")) == (1, 1)


def test_single_letters_stay_as_they_are_once_released():
    call, officer = make_call(), make_officer()
    make_crowd(call, 1)
    mailing = hold(call, officer)
    letter = mailing.messages.get()
    mailings.release(mailing, by=officer)

    with pytest.raises(ValidationError):
        mailings.remove(letter, by=officer)
    with pytest.raises(ValidationError):
        mailings.reword(letter, subject="New", text="New", by=officer)
    with pytest.raises(ValidationError) as refused:
        mailings.reword(letter, subject="{nmae}", text="New", by=officer)
    assert set(refused.value.error_dict) == {"subject"}
    assert deliveries() == [Delivery.HELD]


def test_a_mailing_from_which_every_letter_was_taken_is_not_released():
    call, officer = make_call(), make_officer()
    make_crowd(call, 1)
    mailing = hold(call, officer)
    mailings.remove(mailing.messages.get(), by=officer)

    with pytest.raises(ValidationError) as refused:
        mailings.release(mailing, by=officer)

    assert refused.value.code == "nobody"
