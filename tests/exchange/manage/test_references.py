"""Officers see how letters stand, read them on a page that writes it down, and get the hint of the same text."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from exchange.notifications import reminders
from exchange.notifications.models import Message
from exchange.notifications.pages import KEY
from exchange.notifications.relay import deliver_due
from scholarships.events.models import Event
from scholarships.people.models import Scope
from scholarships.references import actions as asking
from scholarships.references import answering
from scholarships.references.dates import due_of
from tests.exchange.pages import browser, main_of, text_of
from tests.factories import (
    make_application,
    make_call,
    make_call_with_letters,
    make_officer,
    make_reference,
    make_reviewer,
    make_user,
    picture,
    send_letter,
)
from tests.scholarships.references.test_prints import TEXT

pytestmark = pytest.mark.django_db


def test_the_record_says_how_the_letters_stand_and_why_a_referee_declined():
    application = make_application(make_call_with_letters())
    make_reference(application, name="Prof. A")
    answering.decline(make_reference(application, name="Prof. B"), reason="conflict", words="We fell out.")
    send_letter(make_reference(application, name="Prof. C"), "Zqxjv.")

    page = browser(make_officer()).get(f"/manage/applications/{application.code}/")

    said = main_of(page)
    assert "1 of 2 have arrived." in said and "The review does not wait for them." in said
    assert "A conflict of interest: We fell out." in said
    assert "Zqxjv" not in said and not Event.objects.filter(name="reference.read").exists()


def test_a_call_without_letters_says_nothing_of_them():
    application = make_application(make_call())

    assert "Letters of referees" not in text_of(browser(make_officer()).get(f"/manage/applications/{application.code}/"))


def test_reading_a_letter_is_written_down():
    application = make_application(make_call_with_letters())
    reference = make_reference(application)
    send_letter(reference, "She measured.", upload=(SimpleUploadedFile("a.jpg", picture()), "a.jpg"))
    officer = make_officer()
    client, path = browser(officer), f"/manage/applications/{application.code}/references/{reference.code}/"

    assert "She measured." in text_of(client.get(path))
    assert client.get(f"{path}pages/1/")["Content-Type"] == "image/jpeg"
    assert client.get(f"{path}?as=file")["Content-Disposition"].startswith("attachment")

    assert list(Event.objects.filter(name="reference.read").values_list("by", flat=True)) == [officer.pk] * 2
    assert f"Letter of a referee read, by {officer}" in main_of(client.get(f"/manage/applications/{application.code}/"))


def test_nobody_else_opens_it():
    application = make_application(make_call_with_letters())
    reference, other = make_reference(application), make_reference(application)
    send_letter(reference)
    answering.save(other, text="A draft", known_version=0)
    path = f"/manage/applications/{application.code}/references/{{}}/"
    readers = [make_officer(scope=Scope.CALL, key="elsewhere"), make_reviewer(application.call), application.applicant, make_user()]

    assert {browser(reader).get(path.format(reference.code)).status_code for reader in readers} <= {403, 404}
    assert browser(make_officer()).get(path.format(other.code)).status_code == 404


def test_the_same_text_about_another_applicant_is_hinted_at_with_its_place_and_to_officers_only():
    call = make_call_with_letters()
    one, other = make_application(call, make_user()), make_application(call, make_user())
    reference = make_reference(one)
    send_letter(reference, TEXT)
    copy = make_reference(other)
    send_letter(copy, f"To whom it may concern: {TEXT}")
    officer = browser(make_officer())

    record, letter = (
        officer.get(f"/manage/applications/{one.code}/"),
        officer.get(f"/manage/applications/{one.code}/references/{reference.code}/"),
    )

    assert "% the same text as in another letter" in text_of(record)
    assert ("of this text stands in another letter" in text_of(letter), other.code in text_of(letter), "the thesis found an error" in text_of(letter)) == (True, True, True)  # fmt: skip
    assert "same text" not in text_of(browser(one.applicant).get(f"/apply/{one.code}/letters/"))


def test_an_officer_of_one_call_is_not_told_whose_letter_of_another_call_it_is():
    mine, theirs = make_call_with_letters("mine-2027"), make_call_with_letters("theirs-2027")
    one, other = make_application(mine, make_user()), make_application(theirs, make_user())
    reference = make_reference(one)
    send_letter(reference, TEXT)
    send_letter(make_reference(other), TEXT)

    officer = browser(make_officer(scope=Scope.CALL, key=mine.code))
    said = text_of(officer.get(f"/manage/applications/{one.code}/references/{reference.code}/"))

    assert ("whose file you cannot open" in said, other.code in said) == (True, False)


def test_the_outbox_shows_the_letter_to_a_referee_without_its_key():
    make_reference()
    deliver_due()
    message = Message.objects.get(kind="reference.asked:referee")

    said = text_of(browser(make_officer()).get(f"/manage/outbox/{message.code}/"))

    assert f"/refer/{KEY}/" in said


def test_chasers_come_seven_and_two_days_before_and_stop_when_letters_are_enough():
    application = make_application(make_call_with_letters())
    first, second, third = (make_reference(application) for _number in range(3))
    send_letter(first)
    due = due_of(application)
    reminders.plan(at=due - timedelta(days=20))
    reminders.tell_due(at=due - timedelta(days=6))
    reminders.tell_due(at=due - timedelta(days=6))
    send_letter(second)
    reminders.tell_due(at=due - timedelta(days=1))

    told = Message.objects.filter(kind="reminder.letter:referee").values_list("address", "call")
    assert sorted(told) == sorted((one.address, application.call.code) for one in (second, third))


def test_who_was_reminded_by_the_applicant_or_declined_hears_no_more_than_is_planned():
    application = make_application(make_call_with_letters())
    gone = make_reference(application)
    reminders.plan(at=due_of(application) - timedelta(days=20))
    asking.cancel(gone, by=application.applicant)
    reminders.tell_due(at=due_of(application) - timedelta(days=1))

    assert not Message.objects.filter(kind="reminder.letter:referee").exists()
