"""Two letters: one referee declines and is replaced, one mail comes back, one scan is confirmed by a click; then the office reads."""

from __future__ import annotations

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from scholarships.applications.models import Application
from scholarships.events.models import Event
from scholarships.references.models import Reference
from tests.factories import make_call_with_letters, make_draft, make_officer, make_user, picture
from tests.journeys.person import Person
from tests.services import Mailbox, wait_until

pytestmark = pytest.mark.django_db(transaction=True)

STUDENT = "nuray@sapar.example"
KARIMOVA, WRONG, SYDYKOV = "karimova@ksu.example", "mistyped@ksu.example", "sydykov@ksu.example"
ABDIEV = "abdiev@ksu.example"


def test_two_letters_on_crooked_ways(post):
    post.answer = lambda address: "550 5.1.1 no such mailbox" if address == WRONG else None
    application = make_draft(make_call_with_letters(), make_user("Nuray Asanova", email=STUDENT))
    student = Person(STUDENT)
    student.client.force_login(application.applicant)

    when_two_referees_are_asked(student, application)
    when_one_declines_and_names_a_colleague(post)
    then_the_applicant_hears_of_both(student, application, post)
    when_another_is_asked_instead_and_a_scan_is_uploaded(student, application)
    when_the_other_one_writes(post, application)
    when_the_scan_is_confirmed_by_one_click(post)
    then_both_letters_have_arrived(student, application, post)
    then_the_office_reads_and_the_applicant_does_not(student, application)


def when_two_referees_are_asked(student: Person, application: Application) -> None:
    student.open(f"/apply/{application.code}/").follow("Letters")
    for name, address in (("Aigul Karimova", KARIMOVA), ("Bakyt Sydykov", WRONG)):
        student.press("Ask this referee", _said(name, address))
    assert student.reads("Aigul KarimovaAsked"), student.text
    assert student.reads("Bakyt SydykovAsked") or student.reads("Bakyt SydykovThe mail came back"), student.text  # the worker is quick


def _said(name: str, address: str) -> dict[str, str]:
    return {"name": name, "position": "Professor", "institution": "Karakol State University", "address": address}


def when_one_declines_and_names_a_colleague(post: Mailbox) -> None:
    karimova = _follows_the_link(KARIMOVA, post, "asks you for a letter")
    karimova.follow("Decline, or say that you are not this person")
    karimova.press("Tell the office", {"reason": "no_time", "words": "Field season until May.", "colleague": "Dr. Abdiev"})
    assert karimova.reads("Thank you for telling us")


def _follows_the_link(address: str, post: Mailbox, subject: str) -> Person:
    """The referee opens the mail and its link, without an account."""
    letter = wait_until(lambda: [one for one in post.to(address) if subject in one["Subject"]], what=f"the mail to {address}")[-1]
    link = re.search(r"http://127\.0\.0\.1:8000(/refer/\S+)", letter.get_body(("plain",)).get_content())
    assert link is not None
    return Person(address).open(link.group(1))


def then_the_applicant_hears_of_both(student: Person, application: Application, post: Mailbox) -> None:
    wait_until(lambda: len(post.subjects_to(STUDENT)) == 2, what="the letters about both")
    assert sorted(post.subjects_to(STUDENT)) == ["Aigul Karimova cannot write a letter", "Our mail to Bakyt Sydykov came back"]
    student.open(f"/apply/{application.code}/letters/")
    assert student.reads("You could ask: Dr. Abdiev."), student.text
    assert student.reads("Our mail came back: this address takes none"), student.text
    assert not student.reads("Field season")


def when_another_is_asked_instead_and_a_scan_is_uploaded(student: Person, application: Application) -> None:
    student.follow("Ask somebody else").press("Ask this referee", _said("Dr. Abdiev", ABDIEV))
    student.follow("Give another address")
    scan = SimpleUploadedFile("letter.jpg", picture(), "image/jpeg")
    student.press("Ask this referee", {**_said("Bakyt Sydykov", SYDYKOV), "way": "scan", "file": scan})
    assert Reference.objects.filter(application=application, state="asked").count() == 2


def when_the_other_one_writes(post: Mailbox, application: Application) -> None:
    abdiev = _follows_the_link(ABDIEV, post, "asks you for a letter")
    assert abdiev.reads("Nuray Asanova asks you for a letter")
    check = Reference.objects.get(address=ABDIEV).check_code
    assert abdiev.reads(f"{check[:4]}-{check[4:]}")
    abdiev.press("Attach or paste the letter").press("Save and come back", {"text": "Nuray measured a canal."})
    abdiev.press("Send the letter", {"text": "Nuray measured a canal for two seasons."})
    assert abdiev.reads("Thank you: your letter has arrived."), abdiev.text
    assert Person("").open("/refer/check/").press("Check", {"code": check}).reads("Yes: this request comes from us.")


def when_the_scan_is_confirmed_by_one_click(post: Mailbox) -> None:
    sydykov = _follows_the_link(SYDYKOV, post, "Is this your letter")
    sydykov.press("Yes, this is my letter")
    assert sydykov.reads("Thank you: your letter has arrived."), sydykov.text


def then_both_letters_have_arrived(student: Person, application: Application, post: Mailbox) -> None:
    wait_until(lambda: len(post.subjects_to(STUDENT)) == 4, what="the letters that both have arrived")
    assert sorted(post.subjects_to(STUDENT)[2:]) == ["The letter of Bakyt Sydykov has arrived", "The letter of Dr. Abdiev has arrived"]
    student.open(f"/apply/{application.code}/letters/")
    assert student.reads("Enough letters have arrived."), student.text
    student.press("Save and continue", {"done": "y"})
    student.follow("Check your answers and submit").press("Submit application")


def then_the_office_reads_and_the_applicant_does_not(student: Person, application: Application) -> None:
    officer = Person("chen@sapar.example")
    chen = make_officer()
    officer.client.force_login(chen)
    officer.open(f"/manage/applications/{application.code}/")
    assert officer.reads("2 of 2 have arrived."), officer.text
    reference = Reference.objects.get(address=ABDIEV)
    officer.open(f"/manage/applications/{application.code}/references/{reference.code}/")
    assert officer.reads("Nuray measured a canal for two seasons.")
    assert Event.objects.filter(name="reference.read", by=chen, subject_key=reference.code).exists()
    assert student.client.get(f"/apply/{application.code}/letters/{reference.code}/").status_code == 404
