"""Who runs a call."""

from __future__ import annotations

from typing import Any

import rules

from scholarships.calls.models import Call
from scholarships.people.models import Role, Scope
from scholarships.people.rules import scopes_of

ALONE = 50  # people whom one officer may decide on, or write to, in one act; above that a second one joins


def needs_second(people: int, first: Any, by: Any) -> bool:
    """Whether BY may not finish an act on so many PEOPLE, because BY is also the FIRST, who prepared it."""
    return people > ALONE and first == by


@rules.predicate
def is_officer_of(user: Any, call: Call) -> bool:
    scopes = scopes_of(user, Role.OFFICER)
    return Scope.SITE in scopes or call.code in scopes.get(Scope.CALL, ())


@rules.predicate
def is_published(user: Any, call: Call) -> bool:
    return call.version_id is not None


may_run = is_officer_of
may_read = is_published | is_officer_of
