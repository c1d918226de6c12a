"""Every kind of person who may meet one application, and the call they meet in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AnonymousUser

from scholarships.calls.models import Call
from scholarships.partners.models import Institution
from scholarships.people.actions import give_role
from scholarships.people.models import Role, Scope
from tests.factories import make_body_member, make_call, make_officer, make_reviewer, make_user


@dataclass(frozen=True)
class World:
    """``people``: kind of person -> user. The applicant is a citizen of KG, so that the ministry of KG is in charge."""

    call: Call
    people: dict[str, Any]

    def __getitem__(self, kind: str) -> Any:
        return self.people[kind]


def make_world() -> World:
    call, other = make_call(), make_call("other-call")
    both = make_officer(scope=Scope.CALL, key=other.code)
    give_role(both, Role.REVIEWER, scope=Scope.CALL, key=call.code)
    people = {
        "applicant": make_user("Nuray Asanova"),
        "other applicant": make_user("Other Student"),
        "officer of the call": make_officer(scope=Scope.CALL, key=call.code),
        "officer of the site": make_officer(),
        "officer of another call": make_officer(scope=Scope.CALL, key=other.code),
        "member of the body in charge": make_body_member(Institution.objects.get(code="kg-ministry")),
        "member of another body": make_body_member(Institution.objects.get(code="kz-ministry")),
        "reviewer of the call": make_reviewer(call),
        "officer elsewhere who reviews here": both,
        "technician": make_user("The Technician", is_staff=True, is_superuser=True),
        "anonymous": AnonymousUser(),
    }
    return World(call, people)


APPLICANT = {"applicant"}
OFFICER = {"officer of the call", "officer of the site"}
BODY = {"member of the body in charge"}
