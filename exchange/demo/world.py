"""The demo world, built through the same actions that people use."""

from __future__ import annotations

from collections.abc import Callable

from allauth.account.models import EmailAddress
from django.utils import timezone

from exchange.demo.people import HOME_UNIVERSITY, JOINT_STUDENT, MINISTRY, OFFICER, REVIEWER, STUDENT, Persona
from exchange.management.commands.load_call import load_library, shipped
from scholarships.calls.file import read
from scholarships.calls.loading import load
from scholarships.people.actions import give_role, settle
from scholarships.people.models import Role, Scope, User


def build(say: Callable[[str], object]) -> None:
    load_library()
    for name in ("sco", "tcm-3-2", "turkmenistan"):
        load(read(shipped(name).read_text(encoding="utf-8")), opens_on=timezone.localdate())
    for persona in (STUDENT, JOINT_STUDENT, MINISTRY, HOME_UNIVERSITY, REVIEWER, OFFICER):
        person(persona)
    give_role(User.objects.get(email=OFFICER.email), Role.OFFICER)
    give_role(User.objects.get(email=REVIEWER.email), Role.REVIEWER)
    give_role(User.objects.get(email=MINISTRY.email), Role.BODY, scope=Scope.INSTITUTION, key="kg-moe")
    give_role(User.objects.get(email=HOME_UNIVERSITY.email), Role.BODY, scope=Scope.INSTITUTION, key="uz-usmi")
    say("The demo world is built.")


def person(persona: Persona) -> User:
    user = User.objects.create_user(persona.email, persona.password)
    EmailAddress.objects.create(user=user, email=persona.email, primary=True, verified=True)
    settle(user, name=persona.name, citizenship={"student": "KG"}.get(persona.role), language="en")
    return user
