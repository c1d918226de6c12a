"""The 3+2 programme in Chinese medicine: two students, one place; the first declines, and it goes to the next who fits."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.utils import timezone

from exchange.demo.crowd import Somebody
from exchange.management.commands.load_call import load_library, shipped
from scholarships.applications.models import Application
from scholarships.calls.file import read
from scholarships.calls.loading import load
from scholarships.calls.models import Call
from scholarships.programmes.models import Programme
from tests.journeys.applying import fill_in, sign_up, submit
from tests.journeys.deciding import Staff, assign, check_and_nominate, close_now, give_places, score, send_list
from tests.journeys.person import Person
from tests.services import Mailbox, wait_until

pytestmark = pytest.mark.django_db(transaction=True)

MALIKA = Somebody("Malika", "Yusupova", "UZ", "bachelor", birth=date(2005, 5, 20), gpa=88, hsk=4, ielts=6.0, merit=0.85, home="uz-usmi")
TIMUR = Somebody("Timur", "Saidov", "UZ", "bachelor", birth=date(2005, 2, 2), gpa=90, hsk=4, ielts=6.0, merit=0.9, home="uz-usmi")
BODY = "home.uz@sapar.example"


@pytest.fixture
def joint() -> Call:
    load_library()
    return load(read(shipped("tcm-3-2").read_text(encoding="utf-8")), opens_on=timezone.localdate() - timedelta(days=5))


@pytest.fixture
def staff(joint) -> Staff:
    """An officer, the member of the home university, two reviewers."""
    return Staff.of(joint, bodies={BODY: "uz-usmi"})


def test_a_declined_place_goes_to_the_next_who_fits_and_she_accepts_it(joint, staff, post):
    programme = joint.programmes.select_related("host").get()
    timur, malika = Person("timur@sapar.example"), Person("malika@sapar.example")

    then_the_phases_of_the_programme_are_read(timur, joint)
    codes = [when_a_student_applies(*who, joint, programme, post) for who in ((timur, TIMUR), (malika, MALIKA))]
    close_now(staff.officer, joint)
    when_the_home_university_sends(staff, joint)
    when_the_reviewers_score(staff, codes)
    give_places(staff.officer, joint, {f"p-{programme.code}": "1"})
    when_he_declines(timur, codes[0], post)
    then_she_is_offered_the_place_and_accepts(malika, codes[1], post)


def then_the_phases_of_the_programme_are_read(visitor: Person, call: Call) -> None:
    visitor.open("/?citizenship=UZ&level=bachelor").follow(str(call.title))
    assert (visitor.reads("Tashkent"), visitor.reads("Urumqi"), visitor.reads("HSK 4")) == (True, True, True), visitor.text


def when_a_student_applies(student: Person, who: Somebody, call: Call, programme: Programme, post: Mailbox) -> str:
    student.open(f"/calls/{call.code}/").follow("Start application")
    sign_up(student, post, name=who.name, citizenship="UZ")
    student.press("Start application")
    fill_in(student, call, who, [programme])
    code = submit(student)
    wait_until(lambda: f"Your receipt {code}" in post.subjects_to(student.email), what="the receipt")
    return code


def when_the_home_university_sends(staff: Staff, call: Call) -> None:
    for name in ("SAIDOV", "YUSUPOVA"):
        check_and_nominate(staff.bodies[0], name)
    send_list(staff.bodies[0], call, "uz-usmi")


def when_the_reviewers_score(staff: Staff, codes: list[str]) -> None:
    """Each file alone, so that the better scores are the first one's."""
    for code, points in zip(codes, (9, 7), strict=True):
        assign(staff.officer, code, staff.reviewers)
        for reviewer in staff.reviewers:
            score(reviewer, points)


def when_he_declines(student: Person, code: str, post: Mailbox) -> None:
    wait_until(lambda: "You are offered a place" in post.subjects_to(student.email)[-1], what="his offer")
    student.open(f"/apply/{code}/result/").press("Continue", {"answer": "decline"}).press("Yes, decline")
    assert Application.objects.get(code=code).state == "declined"


def then_she_is_offered_the_place_and_accepts(student: Person, code: str, post: Mailbox) -> None:
    wait_until(lambda: "You are offered a place" in post.subjects_to(student.email)[-1], what="her offer")
    student.open(f"/apply/{code}/result/").press("Continue", {"answer": "accept"}).press("Yes, accept")
    assert Application.objects.get(code=code).state == "accepted"
    wait_until(lambda: post.subjects_to(student.email)[-1] == f"You have accepted your place, {code}", what="the last letter")
    assert post.subjects_to(student.email)[1:4] == [
        f"Your receipt {code}",
        f"Your application {code} was nominated",
        f"The result of your application {code}",
    ]
