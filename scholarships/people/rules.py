"""Who is what: the parts that later rules are combined from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import rules
from django.db.models import F, FilteredRelation, Q
from django.utils import timezone

from scholarships.people.models import Membership, Role, Scope, User

_DECIDING = "deciding"  # beside the roles: for what one decides
_SCOPES = "_scopes"  # set on the user object; through the attribute, because request.user is a lazy stand-in for it

_OF_A_SCOPE = ("role", "scope_kind", "scope_key", "decides")


def read_user(pk: Any, **more: Any) -> User | None:
    """The user with the key PK with their profile, country and scopes, in one query: every page begins with it.

    MORE are annotations of those who ask.
    """
    is_active = Q(memberships__ends_on__isnull=True) | Q(memberships__ends_on__gte=timezone.now().date())
    users = User.objects.select_related("profile__citizenship").annotate(held=FilteredRelation("memberships", condition=is_active))
    users = users.annotate(**more)
    held = {name: F(f"held__{name}") for name in _OF_A_SCOPE}
    rows = list(users.annotate(**{f"held_{name}": field for name, field in held.items()}).filter(pk=pk))
    if not rows:
        return None
    user = rows[0]
    setattr(user, _SCOPES, _by_role(tuple(getattr(row, f"held_{name}") for name in _OF_A_SCOPE) for row in rows if row.held_role))  # type: ignore[attr-defined]
    return user


def scopes_of(user: Any, role: str) -> dict[str, frozenset[str]]:
    """The scopes in which USER has ROLE: scope kind -> keys. Read once for each user object."""
    if not user.is_authenticated:
        return {}
    known = getattr(user, _SCOPES, None)
    if known is None:
        known = _by_role(Membership.objects.of(user, *Role.values).values_list(*_OF_A_SCOPE))
        setattr(user, _SCOPES, known)
    return {kind: frozenset(keys) for kind, keys in known.get(role, {}).items()}


def _by_role(rows: Iterable[Any]) -> dict[str, dict[str, set[str]]]:
    """Role, and beside the roles "deciding" -> scope kind -> keys."""
    found: dict[str, dict[str, set[str]]] = {}
    for role, kind, key, decides in rows:
        found.setdefault(role, {}).setdefault(kind, set()).add(key)
        if role == Role.BODY and decides:
            found.setdefault(_DECIDING, {}).setdefault(kind, set()).add(key)
    return found


def forget_scopes(user: Any) -> None:
    """Read the memberships of this user object anew next time."""
    setattr(user, _SCOPES, None)


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


def deciding_institutions_of(user: Any) -> frozenset[str]:
    """Those of ``institutions_of`` for which USER decides; for the others USER prepares."""
    return scopes_of(user, _DECIDING).get(Scope.INSTITUTION, frozenset())
