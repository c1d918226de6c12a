"""Applicants ask referees, within what the call says; what comes back opens the request again."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from scholarships.applications import actions
from scholarships.events.models import Event
from scholarships.references import actions as asking
from scholarships.references import answering
from scholarships.references.actions import Referee
from scholarships.references.dates import due_of
from scholarships.references.links import key_of, link_to, read_key
from scholarships.references.models import LinkPurpose, Reference, State, Way
from tests.factories import (
    make_application,
    make_call,
    make_call_with_letters,
    make_draft,
    make_officer,
    make_reference,
    make_user,
    send_letter,
)

pytestmark = pytest.mark.django_db


def refused(act, *args, **kwargs) -> dict[str, list[str]] | list[str]:
    """The codes of what ACT refuses, at their fields."""
    with pytest.raises(ValidationError) as caught:
        act(*args, **kwargs)
    if hasattr(caught.value, "error_dict"):
        return {name: [error.code for error in errors] for name, errors in caught.value.error_dict.items()}
    return [error.code for error in caught.value.error_list]


def somebody(address: str = "karimova@ksu.example", **said) -> Referee:
    return Referee(name="Aigul Karimova", address=address, **said)


def test_asking_writes_the_request_its_link_and_one_event():
    application = make_draft(make_call_with_letters())

    reference = asking.ask(application, somebody("Karimova@KSU.example "), by=application.applicant, key="k1")

    assert (reference.state, reference.address, reference.way, reference.is_confidential) == ("asked", "karimova@ksu.example", "link", True)
    assert list(Event.objects.about(reference).values_list("name", "data")) == [
        ("reference.asked", {"application": application.code, "way": "link"})
    ]
    assert read_key(key_of(link_to(reference)), LinkPurpose.LETTER).reference == reference


def test_the_same_page_sent_twice_asks_once():
    application = make_draft(make_call_with_letters())
    first = asking.ask(application, somebody(), by=application.applicant, key="k1")

    assert asking.ask(application, somebody(), by=application.applicant, key="k1") == first
    assert Reference.objects.count() == 1


def test_only_the_applicant_asks():
    application = make_application(make_call_with_letters())
    for other in (make_user(), make_officer()):
        with pytest.raises(PermissionDenied):
            asking.ask(application, somebody(), by=other)


def test_a_call_without_letters_has_no_referees():
    application = make_draft(make_call())

    assert asking.terms_of(application) is None
    assert refused(asking.ask, application, somebody(), by=application.applicant) == ["not_asked"]


@pytest.mark.parametrize(
    ("address", "said"),
    [("karimova@mail.ru", {"sure": ["free_mail"]}), ("{own}", {"address": ["own"]}), ("{own_upper}", {"address": ["own"]})],
)
def test_an_address_that_cannot_be_the_referees_is_named(address, said):
    application = make_draft(make_call_with_letters())
    own = application.applicant.email

    assert refused(asking.ask, application, somebody(address.format(own=own, own_upper=own.upper())), by=application.applicant) == said


def test_a_free_mail_address_is_taken_when_the_applicant_is_sure_and_officers_see_it():
    application = make_draft(make_call_with_letters())

    reference = asking.ask(application, somebody("karimova@mail.ru"), by=application.applicant, is_sure=True)

    assert reference.is_free_mail


def test_a_call_that_does_not_ask_for_institutions_warns_of_no_address():
    application = make_draft(make_call_with_letters(institutional=False))

    assert asking.ask(application, somebody("karimova@mail.ru"), by=application.applicant).state == State.ASKED


def test_two_letters_come_from_two_people():
    reference = make_reference()
    application = reference.application

    assert refused(asking.ask, application, somebody(reference.address), by=application.applicant) == {"address": ["twice"]}


def test_no_more_are_asked_at_once_than_the_call_says():
    application = make_draft(make_call_with_letters(most=2))
    first = make_reference(application)
    make_reference(application)
    assert refused(make_reference, application) == ["too_many"]

    asking.cancel(first, by=application.applicant)

    assert make_reference(application).state == State.ASKED


def test_after_enough_letters_nobody_else_is_asked():
    application = make_draft(make_call_with_letters(wanted=1, most=2))
    send_letter(make_reference(application))

    assert refused(make_reference, application) == ["enough"]


def test_after_the_day_on_which_letters_are_due_nobody_is_asked_but_the_deadline_of_the_call_is_another():
    application = make_application(make_call_with_letters())
    due, closes = due_of(application), application.call.closes_at

    late = asking.ask(application, somebody(), by=application.applicant, at=closes + timedelta(days=5))

    assert due == closes + timedelta(days=10)
    assert late.state == State.ASKED
    assert refused(asking.ask, application, somebody("b@ksu.example"), by=application.applicant, at=due + timedelta(seconds=1)) == [
        "closed"
    ]


def test_a_missing_letter_does_not_hold_up_handing_in():
    draft = make_draft(make_call_with_letters())

    assert actions.submit(draft, by=draft.applicant).state == "submitted"


def test_a_withdrawn_application_asks_nobody():
    application = make_application(make_call_with_letters())
    actions.withdraw(application, by=application.applicant)

    assert refused(asking.ask, application, somebody(), by=application.applicant) == ["not_open"]


@pytest.mark.parametrize(
    ("openness", "wish", "is_confidential"), [("confidential", False, True), ("open", True, False), ("choice", False, False)]
)
def test_who_may_read_the_letter_is_as_the_call_says(openness, wish, is_confidential):
    application = make_draft(make_call_with_letters(openness=openness))

    assert asking.ask(application, somebody(is_confidential=wish), by=application.applicant).is_confidential == is_confidential


# -- Scans -----------------------------------------------------------------------


def test_a_scan_is_the_applicants_own_paper_and_open():
    reference = make_reference(scan=True)

    assert (reference.way, reference.is_confidential, reference.scan.document.owner) == (Way.SCAN, False, reference.application.applicant)


def test_a_call_that_wants_scans_takes_no_request_without_one():
    application = make_draft(make_call_with_letters(ways="scan"))

    assert refused(asking.ask, application, somebody(), by=application.applicant) == {"file": ["required"]}


def test_a_file_that_is_no_scan_is_refused_and_nobody_is_asked():
    application = make_draft(make_call_with_letters())

    said = refused(asking.ask, application, somebody(), by=application.applicant, scan=(io.BytesIO(b"hello"), "letter.pdf"))

    assert (said, Reference.objects.count()) == ({"file": ["file_mismatch"]}, 0)


# -- Reminding, replacing, cancelling ---------------------------------------------


def test_a_referee_is_reminded_once_a_day_and_three_times_in_all():
    reference = make_reference()
    by, asked = reference.application.applicant, reference.asked_at
    assert refused(asking.remind, reference, by=by, at=asked + timedelta(hours=23)) == ["too_soon"]

    for day in (1, 2, 3):
        reference = asking.remind(reference, by=by, at=asked + timedelta(days=day, minutes=day))

    assert reference.reminders == 3
    assert refused(asking.remind, reference, by=by, at=asked + timedelta(days=5)) == ["too_many"]
    assert Event.objects.filter(name="reference.reminded").count() == 3


def test_the_link_of_the_reminder_is_the_same_and_works():
    reference = make_reference()
    first = key_of(link_to(reference))
    asking.remind(reference, by=reference.application.applicant, at=reference.asked_at + timedelta(days=2))

    assert key_of(link_to(reference)) == first


def test_a_request_is_replaced_in_one_step_and_its_link_is_closed():
    old = make_reference(make_draft(make_call_with_letters(most=2)))
    make_reference(old.application)
    key = key_of(link_to(old))

    new = asking.ask(old.application, somebody(), by=old.application.applicant, instead=old)

    old.refresh_from_db()
    assert (old.state, new.state) == (State.CANCELLED, State.ASKED)
    with pytest.raises(LookupError):
        read_key(key, LinkPurpose.LETTER)


def test_a_letter_that_is_there_is_not_cancelled():
    reference = make_reference()
    send_letter(reference)

    assert refused(asking.cancel, reference, by=reference.application.applicant) == ["wrong_state"]


def test_cancelling_twice_is_cancelling_once():
    reference = make_reference()
    for _time in range(2):
        asking.cancel(reference, by=reference.application.applicant)

    assert Event.objects.filter(name="reference.cancelled").count() == 1


# -- What comes back ---------------------------------------------------------------


def test_a_mail_that_came_back_opens_the_request_again_once():
    reference = make_reference()
    key = key_of(link_to(reference))
    for _time in range(2):
        asking.come_back(reference.code, reference.address)

    reference.refresh_from_db()
    assert (reference.state, Event.objects.filter(name="reference.bounced").count()) == (State.BOUNCED, 1)
    with pytest.raises(LookupError):
        read_key(key, LinkPurpose.LETTER)
    assert asking.ask(reference.application, somebody("right@ksu.example"), by=reference.application.applicant, instead=reference)


def test_who_has_opened_the_request_has_got_the_mail():
    reference = make_reference()
    answering.note_opened(reference)
    asking.come_back(reference.code, reference.address)

    reference.refresh_from_db()
    assert reference.state == State.OPENED


def test_an_address_at_which_somebody_else_reads_is_not_asked_again():
    reference = make_reference()
    answering.decline(reference, reason="wrong_person")

    assert refused(asking.ask, reference.application, somebody(reference.address), by=reference.application.applicant) == {
        "address": ["unwanted"]
    }


def test_those_that_are_needed_are_those_that_wait_where_letters_are_too_few():
    application = make_draft(make_call_with_letters(wanted=1, most=3))
    first, second = make_reference(application), make_reference(application)
    answering.decline(make_reference(application), reason="no_time")
    assert set(Reference.objects.needed()) == {first, second}

    send_letter(first)

    assert set(Reference.objects.needed()) == set()
    assert timezone.now() < due_of(application)
