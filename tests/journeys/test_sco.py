"""The SCO scholarship, from a visitor's question to the accepted offer, with every letter that a real worker sends on the way."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from django.utils.dateformat import format as date_format

from exchange.demo.world import NURAY
from exchange.management.commands.load_call import load_library, shipped
from scholarships.applications.models import Application
from scholarships.calls.file import read
from scholarships.calls.loading import load
from scholarships.calls.models import Call
from scholarships.offers.models import Offer
from scholarships.programmes.models import Programme
from tests.journeys.applying import fill_in, sign_up, submit
from tests.journeys.deciding import Staff, assign, check_and_nominate, close_now, find_eligible, give_places, score, send_list
from tests.journeys.person import Person
from tests.services import Mailbox, wait_until

pytestmark = pytest.mark.django_db(transaction=True)

STUDENT = "nuray@sapar.example"
CHOICES = ("cn-hhu-hydrology-master", "cn-lzu-atmospheric-master", "cn-hhu-environment-master")


@pytest.fixture
def sco() -> Call:
    load_library()
    return load(read(shipped("sco").read_text(encoding="utf-8")), opens_on=timezone.localdate() - timedelta(days=5))


@pytest.fixture
def staff(sco) -> Staff:
    """An officer, the member of Kyrgyzstan's ministry, two reviewers."""
    return Staff.of(sco, bodies={"ministry.kg@sapar.example": "kg-moe"})


def test_from_the_visitor_to_the_accepted_offer(sco, staff, post):
    student = Person(STUDENT)

    when_the_visitor_asks_whether_she_can_apply(student, sco)
    code = when_she_signs_up_and_applies(student, sco, post)
    when_the_office_closes_the_call(staff, sco, post)
    when_the_ministry_checks_ranks_and_sends(staff, sco, post)
    when_the_office_finds_her_eligible_and_assigns(staff, code, post)
    when_the_reviewers_score(staff, code)
    when_the_office_gives_places_and_publishes(staff, sco, post)
    then_she_accepts(student, code, post)
    then_every_letter_has_come(post, code)


def when_the_visitor_asks_whether_she_can_apply(student: Person, call: Call) -> None:
    student.open("/?citizenship=KG&level=master").follow(str(call.title))
    student.follow("Check in a minute")
    born = {"birth_date_d": "14", "birth_date_m": "3", "birth_date_y": "2003"}
    student.press("Check", {"citizenship": "KG", "level": "master", "education": "bachelor", "hsk": "4", **born})
    assert student.reads("You can apply"), student.text


def when_she_signs_up_and_applies(student: Person, call: Call, post: Mailbox) -> str:
    student.follow("Start application")
    sign_up(student, post, name="Nuray Asanova", citizenship="KG")
    student.press("Start application")
    fill_in(student, call, NURAY, [Programme.objects.select_related("host").get(code=code) for code in CHOICES])
    code = submit(student)
    assert student.reads(Application.objects.get(code=code).revision.sha256)
    wait_until(lambda: f"Your receipt {code}" in post.subjects_to(STUDENT), what="the receipt")
    return code


def when_the_office_closes_the_call(staff: Staff, call: Call, post: Mailbox) -> None:
    close_now(staff.officer, call)
    wait_until(lambda: len(post.subjects_to(staff.bodies[0].email)) == 2, what="the letter to the ministry")


def when_the_ministry_checks_ranks_and_sends(staff: Staff, call: Call, post: Mailbox) -> None:
    check_and_nominate(staff.bodies[0], "ASANOVA")
    send_list(staff.bodies[0], call, "kg-moe")
    wait_until(lambda: len(post.subjects_to(STUDENT)) == 3, what="the letter that she is nominated")


def when_the_office_finds_her_eligible_and_assigns(staff: Staff, code: str, post: Mailbox) -> None:
    find_eligible(staff.officer, code)
    assign(staff.officer, code, staff.reviewers)
    wait_until(lambda: all(len(post.to(reviewer.email)) == 2 for reviewer in staff.reviewers), what="the letters to the reviewers")


def when_the_reviewers_score(staff: Staff, code: str) -> None:
    for reviewer, points in zip(staff.reviewers, (9, 8), strict=True):
        score(reviewer, points)
    assert Application.objects.get(code=code).score == Decimal("8.50")


def when_the_office_gives_places_and_publishes(staff: Staff, call: Call, post: Mailbox) -> None:
    give_places(staff.officer, call, {"m-KG-master": "1"})


def then_she_accepts(student: Person, code: str, post: Mailbox) -> None:
    wait_until(lambda: "offer" in post.subjects_to(STUDENT)[-1].lower(), what="the letter with the offer")
    student.open(f"/apply/{code}/status/").follow("offer")
    assert student.reads("Hydrology")
    student.press("Continue", {"answer": "accept"}).press("Yes, accept")
    assert Application.objects.get(code=code).state == "accepted"


def then_every_letter_has_come(post: Mailbox, code: str) -> None:
    title, ministry = "SCO Scholarship 2027/28", "Ministry of Science, Higher Education and Innovation of the Kyrgyz Republic"
    wait_until(lambda: len(post.to(STUDENT)) == 5, what="the letter that the place is hers")
    answer_by = date_format(timezone.localtime(Offer.objects.get().answer_by, ZoneInfo("Asia/Shanghai")), "j F Y")
    received = {address: post.subjects_to(address) for address in {str(letter["To"]) for letter in post.letters}}
    received[STUDENT][0] = re.sub(r"\d{6}", "######", received[STUDENT][0])

    assert received == {
        STUDENT: [
            "###### is your code for Sapar",
            f"Your receipt {code}",
            f"Your application {code} was nominated",
            f"You are offered a place: answer by {answer_by}",
            f"You have accepted your place, {code}",
        ],
        "ministry.kg@sapar.example": [
            "You have a new role",
            f"{title} has closed: 1 file waits for you",
            f"The list of {ministry} was sent",
        ],
        "lina@sapar.example": ["You have a new role", f"New files to review in {title}"],
        "wang@sapar.example": ["You have a new role", f"New files to review in {title}"],
        "chen@sapar.example": [
            "You have a new role",
            f"The list of {ministry} was sent",
            f"The allocation of {title} is confirmed",
            f"The results of {title} are published",
        ],
    }
    offer = post.to(STUDENT)[3]
    assert (offer.get_content_type(), [part.get_content_type() for part in offer.iter_parts()]) == (
        "multipart/alternative",
        ["text/plain", "text/html"],
    )
    assert all(f"http://127.0.0.1:8000/apply/{code}/result/" in part.get_content() for part in offer.iter_parts())
