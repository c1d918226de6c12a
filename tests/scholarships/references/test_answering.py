"""Referees write without an account: save, send, replace, release, confirm, decline."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from scholarships.documents.models import Document, DocumentVersion
from scholarships.events.models import Event
from scholarships.people.actions import give_role
from scholarships.people.models import Role, Scope
from scholarships.references import answering
from scholarships.references.dates import due_of
from scholarships.references.models import Letter, Link, Reference, State
from scholarships.references.rules import may_read_letter, may_see
from tests.factories import (
    make_application,
    make_call_with_letters,
    make_draft,
    make_officer,
    make_reference,
    make_reviewer,
    make_user,
    picture,
    send_letter,
)
from tests.scholarships.references.test_asking import refused

pytestmark = pytest.mark.django_db

RATINGS = [{"key": "rigour", "title": "Rigour", "anchors": ["a", "b", "c", "d", "e"]}]


def upload(name: str = "letter.jpg") -> tuple[io.BytesIO, str]:
    return io.BytesIO(picture()), name


def happened(reference: Reference) -> list[str]:
    return list(Event.objects.about(reference).values_list("name", flat=True))


def test_what_is_saved_is_a_draft_that_nobody_reads():
    reference = make_reference(make_application(make_call_with_letters()))

    draft = answering.save(reference, text="Half a", known_version=0)

    reference.refresh_from_db()
    assert (reference.state, draft.sent_at, draft.version) == (State.OPENED, None, 1)
    assert not Letter.objects.visible_to(make_officer()).exists()


def test_a_letter_that_is_sent_is_received_once():
    reference = make_reference()
    answering.save(reference, text="She measured a canal.", known_version=0)
    for _time in range(2):
        answering.send(reference)

    reference.refresh_from_db()
    assert reference.state == State.RECEIVED
    assert happened(reference) == ["reference.asked", "reference.opened", "reference.received"]


def test_an_empty_letter_is_not_sent():
    reference = make_reference()
    answering.save(reference, text="  ", known_version=0)

    assert refused(answering.send, reference) == {"text": ["required"]}
    assert Reference.objects.get().state == State.OPENED


def test_a_file_alone_is_a_letter_and_belongs_to_nobody_with_an_account():
    reference = make_reference()
    answering.save(reference, text="", upload=upload(), known_version=0)

    letter = answering.send(reference)

    assert letter.file.document.owner is None
    for user in (reference.application.applicant, make_officer()):
        assert not Document.objects.visible_to(user).filter(pk=letter.file.document_id).exists()


def test_a_file_that_is_replaced_before_it_is_sent_is_gone():
    reference = make_reference()
    first = answering.save(reference, text="", upload=upload(), known_version=0).file
    path = Path(first.original.path)
    assert path.exists()

    second = answering.save(reference, text="", upload=upload(), known_version=1).file

    assert (path.exists(), list(DocumentVersion.objects.filter(document__owner=None))) == (False, [second])


def test_saving_does_not_overwrite_what_another_window_has_saved():
    reference = make_reference()
    answering.save(reference, text="One", known_version=0)

    assert refused(answering.save, reference, text="Two", known_version=0) == ["changed_meanwhile"]
    assert refused(answering.save, reference, text="Two", known_version=None) == ["changed_meanwhile"]
    assert Letter.objects.get().text == "One"


def test_a_letter_can_be_replaced_until_it_is_due_and_the_last_one_counts():
    reference = make_reference()
    send_letter(reference, "The first letter.")
    answering.save(reference, text="The second letter.", known_version=0)
    assert answering.sent_of(reference).text == "The first letter."

    answering.send(reference)

    assert list(Letter.objects.values_list("text", flat=True)) == ["The second letter."]
    assert happened(reference)[-2:] == ["reference.received", "reference.renewed"]
    assert refused(answering.save, reference, text="Third", known_version=0, at=due_of(reference.application) + timedelta(seconds=1)) == [
        "closed"
    ]


def test_after_enough_letters_the_other_links_say_that_none_is_needed():
    application = make_draft(make_call_with_letters(wanted=1, most=2))
    first, second = make_reference(application), make_reference(application)
    answering.save(second, text="Almost ready", known_version=0)
    send_letter(first)

    assert refused(answering.send, second) == ["not_needed"]
    assert answering.is_needed(first)


# -- The grid --------------------------------------------------------------------


def test_where_the_call_asks_for_ratings_each_line_needs_one_or_a_word_that_it_cannot_be_said():
    reference = make_reference(make_draft(make_call_with_letters(ratings=RATINGS)))
    answering.save(reference, text="Good.", ratings={"invented": 5}, known_version=0)
    assert refused(answering.send, reference) == {"rating-rigour": ["required"]}

    answering.save(reference, text="Good.", ratings={"rigour": None}, known_version=1)

    assert answering.send(reference).ratings == {"rigour": None}


# -- An assistant, a scan ----------------------------------------------------------


def test_what_an_assistant_prepares_is_sent_when_the_referee_releases_it():
    reference = make_reference()
    answering.save(reference, text="Prepared.", known_version=0)
    draft = answering.prepare(reference)
    assert Reference.objects.get().state == State.OPENED

    answering.release(reference, known_version=draft.version)

    assert Reference.objects.get().state == State.RECEIVED
    assert happened(reference)[-2:] == ["reference.prepared", "reference.received"]
    assert set(Link.objects.values_list("purpose", flat=True)) == {"letter", "release"}


def test_what_was_changed_after_the_referee_read_it_is_not_released():
    reference = make_reference()
    answering.save(reference, text="Prepared.", known_version=0)
    seen = answering.prepare(reference).version
    answering.save(reference, text="Changed.", known_version=seen)

    assert refused(answering.release, reference, known_version=seen) == ["changed_meanwhile"]


def test_a_scan_is_received_when_the_referee_says_that_it_is_theirs():
    reference = make_reference(scan=True)
    for _time in range(2):
        answering.confirm_scan(reference)

    assert (Reference.objects.get().state, Letter.objects.get().file) == (State.RECEIVED, reference.scan)
    assert happened(reference) == ["reference.asked", "reference.received"]


def test_a_letter_by_link_is_not_confirmed():
    with pytest.raises(PermissionDenied):
        answering.confirm_scan(make_reference())


def test_one_letter_answers_several_requests_about_the_same_applicant():
    student = make_user()
    first = make_reference(make_draft(make_call_with_letters("one-2027"), student), address="karimova@ksu.example")
    second = make_reference(make_draft(make_call_with_letters("two-2027"), student), address="karimova@ksu.example")
    sent = send_letter(first, "Written once.", upload=upload())
    assert [letter.pk for letter in answering.reusable(second)] == [sent.pk]

    answering.use_again(second, sent, known_version=0)
    letter = answering.send(second)

    assert (letter.text, letter.file.sha256) == ("Written once.", sent.file.sha256)
    assert letter.file.pk != sent.file.pk


def test_a_letter_about_somebody_else_is_not_used_again():
    first = make_reference(address="karimova@ksu.example")
    other = make_reference(make_draft(first.application.call), address="karimova@ksu.example")
    sent = send_letter(first)

    assert answering.reusable(other) == []
    with pytest.raises(PermissionDenied):
        answering.use_again(other, sent, known_version=0)


# -- Declining ---------------------------------------------------------------------


def test_who_declines_is_left_in_peace_and_what_was_begun_is_gone():
    reference = make_reference()
    answering.save(reference, text="Begun", upload=upload(), known_version=0)

    answering.decline(reference, reason="no_time", words="Field season.", colleague="Prof. B")

    reference.refresh_from_db()
    assert (reference.state, reference.reason, reference.words, reference.colleague) == (
        State.DECLINED,
        "no_time",
        "Field season.",
        "Prof. B",
    )
    assert (Letter.objects.count(), DocumentVersion.objects.filter(document__owner=None).count()) == (0, 0)
    assert not Link.objects.valid(at=timezone.now()).exists()
    assert "Field" not in str(list(Event.objects.values_list("data", flat=True)))


def test_a_letter_that_was_sent_is_not_declined_afterwards():
    reference = make_reference()
    send_letter(reference)

    assert refused(answering.decline, reference, reason="no_time") == ["wrong_state"]
    assert refused(answering.decline, make_reference(reference.application), reason="because") == {"reason": ["no_reason"]}


# -- The list of an address ---------------------------------------------------------


def test_the_list_of_an_address_goes_there_three_times_a_day_at_most():
    make_reference(address="karimova@ksu.example")

    links = [answering.send_list("Karimova@ksu.example") for _time in range(4)]

    assert [link is not None for link in links] == [True, True, True, False]
    assert answering.send_list("stranger@ksu.example") is None
    assert [one.address for one in answering.requests_to("karimova@ksu.example")] == ["karimova@ksu.example"]


# -- Who reads ----------------------------------------------------------------------


def people(application) -> dict[str, object]:
    own_officer = application.applicant
    return {
        "applicant": own_officer,
        "officer": make_officer(),
        "officer of the call": make_officer(scope=Scope.CALL, key=application.call.code),
        "officer of another call": make_officer(scope=Scope.CALL, key="other"),
        "reviewer": make_reviewer(application.call),
        "stranger": make_user(),
    }


@pytest.mark.parametrize("is_confidential", [True, False])
def test_the_list_of_readable_letters_is_what_the_rule_lets_through(is_confidential):
    application = make_application(make_call_with_letters(openness="choice"))
    letter = send_letter(make_reference(application, is_confidential=is_confidential))
    draft = answering.save(make_reference(application), text="A draft", known_version=0)

    for who, user in people(application).items():
        by_list = set(Letter.objects.visible_to(user))
        assert by_list == {one for one in (letter, draft) if may_read_letter(user, one)}, who
        assert set(Reference.objects.visible_to(user)) == {one for one in Reference.objects.all() if may_see(user, one)}, who
    readers = {who for who, user in people(application).items() if may_read_letter(user, letter)}
    assert readers == {"officer", "officer of the call"} | (set() if is_confidential else {"applicant"})


def test_an_officer_does_not_read_the_letter_about_herself():
    application = make_application(make_call_with_letters())
    letter = send_letter(make_reference(application))
    give_role(application.applicant, Role.OFFICER)

    assert not may_read_letter(application.applicant, letter)
    assert not Letter.objects.visible_to(application.applicant).exists()


def test_a_reading_is_written_down():
    reference = make_reference(make_application(make_call_with_letters()))
    letter, officer = send_letter(reference), make_officer()

    answering.note_reading(letter, by=officer)

    event = Event.objects.about(reference).last()
    assert (event.name, event.by, event.actor) == ("reference.read", officer, Role.OFFICER)
    with pytest.raises(PermissionDenied):
        answering.note_reading(letter, by=make_user())
