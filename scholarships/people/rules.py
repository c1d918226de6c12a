"""Who is what: the parts that later rules are combined from."""

from __future__ import annotations

from typing import Any

import rules

from scholarships.people.models import Membership, Role, Scope


def scopes_of(user: Any, role: str) -> dict[str, frozenset[str]]:
    """The scopes in which USER has ROLE: scope kind -> keys. Read once for each user object."""
    if not user.is_authenticated:
        return {}
    known = user.__dict__.get("_scopes")
    if known is None:
        known = {}
        for row in Membership.objects.of(user, *Role.values).values_list("role", "scope_kind", "scope_key"):
            known.setdefault(row[0], {}).setdefault(row[1], set()).add(row[2])
        user.__dict__["_scopes"] = known
    return {kind: frozenset(keys) for kind, keys in known.get(role, {}).items()}


def forget_scopes(user: Any) -> None:
    """Read the memberships of this user object anew next time."""
    user.__dict__.pop("_scopes", None)


@rules.predicate
def is_officer(user: Any) -> bool:
    return bool(scopes_of(user, Role.OFFICER))


@rules.predicate
def is_reviewer(user: Any) -> bool:
    return bool(scopes_of(user, Role.REVIEWER))


@rules.predicate
def is_body_member(user: Any) -> bool:
    return bool(scopes_of(user, Role.BODY))


@rules.predicate
def is_site_officer(user: Any) -> bool:
    return Scope.SITE in scopes_of(user, Role.OFFICER)


is_staff_of_any_kind = is_officer | is_reviewer | is_body_member


def institutions_of(user: Any) -> frozenset[str]:
    """Codes of the institutions for which USER acts as a nominating body."""
    return scopes_of(user, Role.BODY).get(Scope.INSTITUTION, frozenset())
