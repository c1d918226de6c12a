"""Conflicts of interest that follow from what is known: nationality, institutions, one's own application."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from scholarships.applications.models import Application, Choice
from scholarships.references.models import Reference

OWN, NATIONALITY, HOME, HOST, REFEREE = "own", "nationality", "home", "host", "referee"

NAMES = {
    OWN: _("the own application"),
    NATIONALITY: _("same nationality"),
    HOME: _("the applicant’s home institution"),
    HOST: _("an institution the applicant has chosen"),
    REFEREE: _("asked for a letter about the applicant"),
}


@dataclass(frozen=True)
class Side:
    """What conflicts are derived from, of one application."""

    applicant: int
    country: str | None
    home: int | None
    hosts: frozenset[int]
    referees: frozenset[str] = frozenset()  # addresses, in small letters


def sides_of(applications: list[Application]) -> dict[int, Side]:
    """The sides of APPLICATIONS in two queries: application pk -> Side."""
    hosts: dict[int, set[int]] = {}
    for revision, host in Choice.objects.filter(revision__in=[row.revision_id for row in applications]).values_list(
        "revision_id", "programme__host_id"
    ):
        hosts.setdefault(revision, set()).add(host)
    referees: dict[int, set[str]] = {}
    for application, address in Reference.objects.filter(application__in=applications).values_list("application_id", "address"):
        referees.setdefault(application, set()).add(address)
    return {
        row.pk: Side(
            row.applicant_id,
            row.country_id,
            row.home_id,
            frozenset(hosts.get(row.revision_id or 0, ())),
            frozenset(referees.get(row.pk, ())),
        )
        for row in applications
    }


def conflict_between(reviewer: Any, side: Side) -> str | None:
    """The code of the conflict that keeps REVIEWER away from an application, or None.

    REVIEWER is a User with its profile at hand.
    """
    if side.applicant == reviewer.pk:
        return OWN
    if reviewer.email.lower() in side.referees:
        return REFEREE
    profile = getattr(reviewer, "profile", None)
    if profile is None:
        return None
    if side.country and profile.citizenship_id == side.country:
        return NATIONALITY
    if profile.institution_id and profile.institution_id == side.home:
        return HOME
    if profile.institution_id and profile.institution_id in side.hosts:
        return HOST
    return None
