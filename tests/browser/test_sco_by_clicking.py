"""The story of tests/journeys/test_sco.py in a real browser, by clicking: from the visitor's question to the accepted offer.

Every page on the way is looked at, and what each person clicks and types is held against what the design allows.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.utils import timezone

from exchange.demo.specimens import page as specimen
from exchange.demo.world import NURAY
from exchange.management.commands.load_call import load_library, shipped
from scholarships.applications.models import Application, State
from scholarships.calls.file import read
from scholarships.calls.loading import load
from scholarships.calls.models import Call
from scholarships.people.actions import give_role
from scholarships.people.models import Role, Scope
from scholarships.programmes.models import Programme
from tests.browser import applying, deciding
from tests.browser.hand import DESK, PHONE, Eyes, Hand
from tests.factories import make_assignment, make_at_review, make_call
from tests.journeys.deciding import PEOPLE, give_roles, make_account
from tests.journeys.test_sco import CHOICES, STUDENT, then_every_letter_has_come
from tests.services import Mailbox, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

OFFICER, *REVIEWERS = PEOPLE
MINISTRY = "ministry.kg@sapar.example"
# What the design promises: (clicks, fields) at most.
BEFORE_SIGN_UP, CHECK, SIGN_UP = (4, 2), (2, 6), (3, 3)
REQUIRED_FIELDS, PAGES, SECONDS_TO_RECEIPT = 60, 12, 3
SEND_A_LIST, TRY_A_QUOTA, NEXT_REVIEW = (3, 1), (3, 1), 1
# What the design does not count: as it is now, so that nobody adds a click unseen.
ANSWER_AN_OFFER, CLOSE, NOMINATE, DECIDE, ASSIGN, SCORE, PUBLISH = (2, 1), (4, 0), (2, 9), (4, 1), (2, 2), (1, 7), (3, 0)


@pytest.fixture
def sco() -> Call:
    load_library()
    call = load(read(shipped("sco").read_text(encoding="utf-8")), opens_on=timezone.localdate() - timedelta(days=5))
    give_roles(call, {MINISTRY: "kg-moe"})
    return call


@pytest.fixture
def paper(tmp_path: Path) -> Path:
    file = tmp_path / "paper.jpg"
    file.write_bytes(specimen("Specimen", ["A paper of an invented person"]))
    return file


@pytest.fixture
def eyes() -> Eyes:
    return Eyes()


def test_from_the_visitor_to_the_accepted_offer_by_clicking_alone(sco, post, chromium, live_server, paper, eyes):
    student, ministry, officer, *reviewers = (
        Hand.at(chromium, live_server.url, eyes, size=size) for size in (PHONE, DESK, DESK, DESK, DESK)
    )

    when_the_visitor_asks_whether_she_can_apply(student, sco)
    when_she_signs_up(student, post)
    code = when_she_applies(student, sco, paper, post)
    when_the_officer_closes_the_call(officer, sco)
    when_the_ministry_checks_ranks_and_sends(ministry, post)
    when_the_officer_finds_her_eligible_and_assigns(officer, code, post)
    for reviewer, email, points in zip(reviewers, REVIEWERS, (9, 8), strict=True):
        when_a_reviewer_scores(reviewer, email, points, post)
    when_the_officer_gives_places_and_publishes(officer, sco, code, post)
    then_she_accepts(student, code, post)

    then_every_letter_has_come(post, code)
    assert eyes.findings == []


def when_the_visitor_asks_whether_she_can_apply(visitor: Hand, call: Call) -> None:
    with visitor.counting() as found:
        applying.find_the_call(visitor, call, citizenship="KG", level="master")
    with visitor.counting() as checked:
        applying.check_whether_she_can(visitor, citizenship="KG", level="master", education="bachelor", hsk="4", birth_date="2003-03-14")
    assert visitor.reads("You can apply")
    with visitor.counting() as started:
        visitor.click("link", "Start application")
    assert (found + started).is_within(*BEFORE_SIGN_UP), (found, started)
    assert checked.is_within(*CHECK), checked


def when_she_signs_up(visitor: Hand, post: Mailbox) -> None:
    with visitor.counting() as cost:
        applying.sign_up(visitor, post, STUDENT, name="Nuray Asanova", citizenship="KG")
    assert cost.is_within(*SIGN_UP), cost


def when_she_applies(student: Hand, call: Call, paper: Path, post: Mailbox) -> str:
    student.click("button", "Start application")
    programmes = [Programme.objects.select_related("host").get(code=code) for code in CHOICES]
    pages, cost = applying.fill_in(student, call, NURAY, programmes, paper)
    assert (pages <= PAGES, cost.fields <= REQUIRED_FIELDS) == (True, True), (pages, cost)

    code = applying.submit(student)
    assert student.seconds < SECONDS_TO_RECEIPT
    assert student.reads(code)
    assert student.reads(Application.objects.get(call=call).revision.sha256)
    wait_until(lambda: f"Your receipt {code}" in post.subjects_to(STUDENT), what="the receipt")
    return code


def when_the_officer_closes_the_call(officer: Hand, call: Call) -> None:
    officer.open("/accounts/login/")
    deciding.sign_in(officer, OFFICER)
    with officer.counting() as cost:
        deciding.close_now(officer, str(call.title))
    assert cost.is_within(*CLOSE), cost


def when_the_ministry_checks_ranks_and_sends(ministry: Hand, post: Mailbox) -> None:
    letter = wait_until(lambda: post.to(MINISTRY)[1:], what="the letter to the ministry")[0]
    deciding.open_from_letter(ministry, letter)
    deciding.sign_in(ministry, MINISTRY)
    with ministry.counting() as cost:
        deciding.check_and_nominate(ministry, "ASANOVA")
    assert cost.is_within(*NOMINATE), cost
    with ministry.counting() as cost:
        deciding.send_list(ministry)
    assert cost.is_within(*SEND_A_LIST), cost
    wait_until(lambda: len(post.to(STUDENT)) == 3, what="the letter that she is nominated")


def when_the_officer_finds_her_eligible_and_assigns(officer: Hand, code: str, post: Mailbox) -> None:
    letter = wait_until(lambda: post.to(OFFICER)[1:], what="the letter that the list was sent")[0]
    deciding.open_from_letter(officer, letter)
    with officer.counting() as cost:
        deciding.find_eligible(officer, "ASANOVA")
    assert cost.is_within(*DECIDE), cost
    with officer.counting() as cost:
        deciding.assign(officer, [PEOPLE[email] for email in REVIEWERS])
    assert cost.is_within(*ASSIGN), cost
    assert Application.objects.get(code=code).assignments.count() == 2


def when_a_reviewer_scores(reviewer: Hand, email: str, points: int, post: Mailbox) -> None:
    letter = wait_until(lambda: post.to(email)[1:], what="the letter to the reviewer")[0]
    deciding.open_from_letter(reviewer, letter)
    deciding.sign_in(reviewer, email)
    reviewer.click("link", "Review next")
    assert not reviewer.reads("Asanova")
    with reviewer.counting() as cost:
        deciding.score(reviewer, points)
    assert cost.is_within(*SCORE), cost


def when_the_officer_gives_places_and_publishes(officer: Hand, call: Call, code: str, post: Mailbox) -> None:
    assert Application.objects.get(code=code).score == Decimal("8.50")
    officer.open(f"/manage/calls/{call.code}/")
    officer.click("link", "Ranking and places")
    before = len(post.letters)
    with officer.counting() as cost:
        deciding.set_places(officer, "m-KG-master", 1)
    assert cost.is_within(*TRY_A_QUOTA), cost
    assert officer.reads("1 place for 1 application") or officer.reads("Nobody is told yet")
    assert len(post.letters) == before
    with officer.counting() as cost:
        deciding.confirm_and_publish(officer)
    assert cost.is_within(*PUBLISH), cost


def then_she_accepts(student: Hand, code: str, post: Mailbox) -> None:
    letter = wait_until(lambda: [letter for letter in post.to(STUDENT) if "offered" in str(letter["Subject"])], what="the offer")[0]
    deciding.open_from_letter(student, letter)
    assert student.reads("Hydrology")
    with student.counting() as cost:
        applying.accept(student)
    assert cost.is_within(*ANSWER_AN_OFFER), cost
    assert Application.objects.get(code=code).state == State.ACCEPTED


def test_a_reviewer_comes_from_a_submitted_review_to_the_next_with_one_click(chromium, live_server):
    call = make_call()
    lina = make_account(REVIEWERS[0], PEOPLE[REVIEWERS[0]], "CN")
    give_role(lina, Role.REVIEWER, scope=Scope.CALL, key=call.code)
    for _copy in range(2):
        make_assignment(make_at_review(call), lina)
    hand = Hand.at(chromium, live_server.url, Eyes())
    hand.open("/review/next/")
    deciding.sign_in(hand, lina.email)
    before = hand.path

    with hand.counting() as cost:
        deciding.score(hand, 7)

    assert (cost.clicks, hand.path != before, len(hand.names("score-")) > 0) == (NEXT_REVIEW, True, True)
