"""Roles are given and taken; a person settles in."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db import transaction

from scholarships.events.actions import record
from scholarships.events.names import declare
from scholarships.people.models import Membership, Profile, Role, Scope, User
from scholarships.people.rules import forget_scopes

JOINED = declare("person.joined", "A person joined")
ROLE_GIVEN = declare("person.role_given", "A role was given", "role", "scope", "of", "decides", "until")
ROLE_TAKEN = declare("person.role_taken", "A role was taken back", "role", "scope", "of")


@transaction.atomic
def settle(
    user: User, *, name: str, citizenship: str | None = None, language: str = "", name_own_script: str = "", zone: str = ""
) -> Profile:
    """Keep what the person said at the first sign-in or in the profile."""
    is_new = not user.name
    user.name, user.language, user.zone = name.strip(), language or user.language, zone
    user.save(update_fields=["name", "language", "zone"])
    profile, _created = Profile.objects.update_or_create(
        user=user, defaults={"citizenship_id": citizenship or None, "name_own_script": name_own_script.strip()}
    )
    if is_new:
        record(JOINED, user, by=user)
    return profile


@transaction.atomic
def give_role(
    user: User, role: str, *, scope: str = Scope.SITE, key: str = "", decides: bool = True, ends_on: date | None = None, by: Any = None
) -> Membership:
    """Give USER the ROLE in a scope; giving it twice changes nothing but what it allows and until when."""
    terms = {"decides": decides, "ends_on": ends_on}
    membership, created = Membership.objects.get_or_create(user=user, role=role, scope_kind=scope, scope_key=key, defaults=terms)
    if not created:
        created = bool(Membership.objects.filter(pk=membership.pk).exclude(**terms).update(**terms))
        membership.decides, membership.ends_on = decides, ends_on
    forget_scopes(user)
    if created:
        said: dict[str, Any] = {"decides": decides} if role == Role.BODY else {}
        record(ROLE_GIVEN, user, by=by, role=role, scope=scope, of=key, until=ends_on, **said)
    return membership


@transaction.atomic
def take_role(membership: Membership, *, by: Any = None) -> None:
    record(ROLE_TAKEN, membership.user, by=by, role=membership.role, scope=membership.scope_kind, of=membership.scope_key)
    forget_scopes(membership.user)
    membership.delete()
