"""Who hears of an event: each function answers for many events in a constant number of queries."""

from __future__ import annotations

from dataclasses import dataclass

from scholarships.applications.models import Application
from scholarships.events.models import Event
from scholarships.people.models import User


@dataclass(frozen=True)
class Hearing:
    """EVENT is told to ADDRESS; ``user`` where the address belongs to an account."""

    event: Event
    address: str
    user: User | None
    language: str


def hearing(event: Event, user: User) -> Hearing:
    return Hearing(event, user.email, user, user.language)


def applicant(events: list[Event]) -> list[Hearing]:
    """The applicant of the application that each event is about."""
    codes = {event.subject_key for event in events}
    applications = (
        Application.objects.filter(code__in=codes)
        .select_related("applicant")
        .only("code", "applicant__email", "applicant__language", "applicant__is_active")
    )
    by_code = {application.code: application.applicant for application in applications}
    return [hearing(event, by_code[event.subject_key]) for event in events if event.subject_key in by_code]
