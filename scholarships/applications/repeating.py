"""What an application repeats of its answers, for lists and quotas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scholarships.applications.content import CITIZENSHIP, FAMILY_NAME, GIVEN_NAMES, HOME, LEVEL, OWN_SCRIPT
from scholarships.applications.models import Application
from scholarships.applications.words import folded
from scholarships.partners.models import Country, Institution
from scholarships.programmes.models import Level


def repeat(application: Application, values: Mapping[str, Any]) -> None:
    """Write down on the application what lists and quotas need of VALUES."""
    changed = set_repeated(application, values)
    if changed:
        application.save(update_fields=changed)


def set_repeated(application: Application, values: Mapping[str, Any]) -> list[str]:
    """Set it on the object alone; gives the names of the fields that have changed."""
    changed = {field: value for field, value in _said(values, application.code).items() if getattr(application, field) != value}
    for field, value in changed.items():
        setattr(application, field, value)
    return list(changed)


def _said(values: Mapping[str, Any], code: str) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if LEVEL in values:
        fields["level"] = values[LEVEL] if values[LEVEL] in Level.values else ""
    if CITIZENSHIP in values:
        fields["country"] = Country.objects.filter(pk=values[CITIZENSHIP] or "").first()
    if HOME in values:
        fields["home"] = Institution.objects.filter(code=values[HOME] or "").first()
    if FAMILY_NAME in values or GIVEN_NAMES in values:
        family, given, own = (str(values.get(key) or "").strip() for key in (FAMILY_NAME, GIVEN_NAMES, OWN_SCRIPT))
        name = " ".join(part for part in (given, family) if part)
        fields["name"] = name[:200]
        fields["search"] = folded(" ".join([name, f"{family} {given}", own, code]))[:400]
        fields["sort_key"] = " ".join([family or given, given]).casefold()[:120]
    return fields
