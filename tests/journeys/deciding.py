"""What those do who decide: the body nominates, the office finds eligible and assigns, reviewers score, the office gives places."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from allauth.account.models import EmailAddress

from scholarships.calls.models import Call
from scholarships.people.actions import give_role, settle
from scholarships.people.models import Role, Scope, User
from tests.journeys.person import Person

PASSWORD = "a-long-road-to-the-east"


@dataclass(frozen=True)
class Staff:
    """Those who decide on a call, each at a browser of their own, signed in with a password."""

    officer: Person
    bodies: tuple[Person, ...]
    reviewers: tuple[Person, ...]

    @classmethod
    def of(cls, call: Call, *, bodies: Mapping[str, str]) -> Staff:
        """BODIES: address -> code of the institution for which its owner acts."""
        officer, *reviewers = give_roles(call, bodies)
        return cls(_signed_in(officer), tuple(map(_signed_in, bodies)), tuple(map(_signed_in, reviewers)))


def give_roles(call: Call, bodies: Mapping[str, str]) -> tuple[str, ...]:
    """Accounts with a password for an officer, two reviewers and the members of BODIES; gives the addresses of the first three."""
    officer, *reviewers = (make_account(email, name, "CN") for email, name in PEOPLE.items())
    give_role(officer, Role.OFFICER)
    for reviewer in reviewers:
        give_role(reviewer, Role.REVIEWER, scope=Scope.CALL, key=call.code)
    for email, body in bodies.items():
        give_role(make_account(email, "Aizada Toktogulova", ""), Role.BODY, scope=Scope.INSTITUTION, key=body)
    return tuple(PEOPLE)


PEOPLE = {"chen@sapar.example": "Chen Li", "lina@sapar.example": "Li Na", "wang@sapar.example": "Wang Min"}


def make_account(email: str, name: str, country: str) -> User:
    user = User.objects.create_user(email, PASSWORD)
    EmailAddress.objects.create(user=user, email=email, primary=True, verified=True)
    settle(user, name=name, citizenship=country or None, language="en")
    return user


def _signed_in(email: str) -> Person:
    person = Person(email).open("/accounts/login/")
    return person.press("Sign in", {"login": email, "password": PASSWORD}, within="Or with a password")


def close_now(officer: Person, call: Call) -> None:
    officer.open(f"/manage/calls/{call.code}/").press("Close now").press("Close now")


def check_and_nominate(member: Person, name: str) -> None:
    """Open the file of NAME, find each paper in order, and put it on the list."""
    member.open("/nominate/").follow("Check")
    member.follow(name)
    checks = dict.fromkeys(member.page.xpath("//input[starts-with(@name, 'check-')]/@name"), "yes")
    member.press("Save", {**checks, "decision": "nominate"})


def send_list(member: Person, call: Call, body: str) -> None:
    member.open(f"/nominate/calls/{call.code}/{body}/").follow("Check and send")
    member.press("Send the list", {"confirmed": "on"})


def find_eligible(officer: Person, code: str) -> None:
    officer.open(f"/manage/applications/{code}/eligibility/").press("Save the decision", {"decision": "eligible"})


def assign(officer: Person, code: str, reviewers: Iterable[Person]) -> None:
    codes = User.objects.filter(email__in=[reviewer.email for reviewer in reviewers]).values_list("code", flat=True)
    officer.open(f"/manage/applications/{code}/reviewers/").press("Give it to them", {"reviewers": list(codes)})


def score(reviewer: Person, points: int) -> None:
    """Score the next file, all lines alike."""
    reviewer.open("/review/").follow("Review next")
    lines = dict.fromkeys(reviewer.page.xpath("//input[starts-with(@name, 'score-')]/@name"), str(points))
    reviewer.press("Submit and next", {**lines, "comment": "Clear, and within reach."})


def give_places(officer: Person, call: Call, places: dict[str, str]) -> None:
    """Set PLACES (box -> number), allocate, confirm and publish at once."""
    officer.open(f"/manage/calls/{call.code}/places/").press("Save and allocate", places)
    officer.follow("Confirm").press("Confirm")
    officer.press("Publish now")
