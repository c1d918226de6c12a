"""Who hears of an event: each function answers for many events of one name in a constant number of queries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db.models import QuerySet

from scholarships.applications.models import Application, Stage, State
from scholarships.calls.models import StepKind
from scholarships.calls.rules import ALONE
from scholarships.events.models import Event
from scholarships.nominations.lists import waiting_for_a_list
from scholarships.offers.models import Offer
from scholarships.people.models import Membership, MembershipQuerySet, Role, Scope, User
from scholarships.references.models import Link, Reference
from scholarships.reviews.models import Assignment


@dataclass(frozen=True)
class Hearing:
    """EVENT is told to ADDRESS; ``user`` where the address belongs to an account; ``call`` where it was read with it."""

    event: Event
    address: str
    user: User | None
    language: str
    call: str = ""


def _hearing(event: Event, user: User, call: str = "") -> Hearing:
    return Hearing(event, user.email, user, user.language, call)


def applicant(events: list[Event]) -> list[Hearing]:
    """The applicant of the application that each event is about."""
    codes = {event.subject_key for event in events}
    rows = Application.objects.filter(code__in=codes).select_related("applicant", "call")
    by_code = {row.code: row for row in rows.only("code", "applicant__email", "applicant__language", "call__code")}
    found = [(event, by_code[event.subject_key]) for event in events if event.subject_key in by_code]
    return [_hearing(event, row.applicant, row.call.code) for event, row in found]


def person(events: list[Event]) -> list[Hearing]:
    """The person that each event is about."""
    users = {user.code: user for user in User.objects.filter(code__in={event.subject_key for event in events}, is_active=True)}
    return [_hearing(event, users[event.subject_key]) for event in events if event.subject_key in users]


def officers(events: list[Event]) -> list[Hearing]:
    """The officers of the call that each event belongs to."""
    calls = calls_of(events)
    members = list(_members().filter(role=Role.OFFICER))
    return [
        _hearing(event, member.user)
        for event in events
        for member in _once(members)
        if member.scope_kind == Scope.SITE or member.scope_key == calls.get(event.pk)
    ]


def second_officers(events: list[Event]) -> list[Hearing]:
    """The other officers of the call, where a mailing of more letters than one officer may release waits for one of them."""
    many = [event for event in events if event.data["letters"] > ALONE]
    return [hearing for hearing in officers(many) if hearing.user != hearing.event.by] if many else []


def held_for(events: list[Event]) -> list[Hearing]:
    """Those whom a mailing is for: their rows are written, and held, by ``mailings.write``."""
    return []


def _members() -> MembershipQuerySet:
    """Those who act now, in whatever role."""
    return Membership.objects.active().filter(user__is_active=True).select_related("user").order_by("user", "pk")


def _once(members: Iterable[Membership]) -> Iterable[Membership]:
    """Site scope first, and nobody twice for the same scope."""
    return sorted(members, key=lambda member: (member.user_id, member.scope_kind != Scope.SITE))


def calls_of(events: Iterable[Event]) -> Mapping[int, str]:
    """Event pk -> code of the call it belongs to, where it belongs to one."""
    found: dict[int, str] = {}
    wanted: dict[int, str] = {}
    offers: dict[int, str] = {}
    requests: dict[int, str] = {}
    for event in events:
        if event.subject_kind == "call":
            found[event.pk] = event.subject_key
        elif event.subject_kind == "offer":
            offers[event.pk] = event.subject_key
        elif event.subject_kind == "reference":
            requests[event.pk] = event.subject_key
        elif "call" in event.data:
            found[event.pk] = event.data["call"]
        else:
            wanted[event.pk] = event.subject_key if event.subject_kind == "application" else event.data.get("application", "")
    if wanted:
        calls = dict(Application.objects.filter(code__in=set(wanted.values())).values_list("code", "call__code"))
        found |= {pk: calls[code] for pk, code in wanted.items() if code in calls}
    if offers:
        calls = dict(Offer.objects.filter(code__in=set(offers.values())).values_list("code", "application__call__code"))
        found |= {pk: calls[code] for pk, code in offers.items() if code in calls}
    if requests:
        calls = dict(Reference.objects.filter(code__in=set(requests.values())).values_list("code", "application__call__code"))
        found |= {pk: calls[code] for pk, code in requests.items() if code in calls}
    return found


def members_of_the_body(events: list[Event]) -> list[Hearing]:
    """The members of the body that each event names."""
    members = list(_members().of_bodies({event.data["body"] for event in events}))
    return [_hearing(event, member.user) for event in events for member in members if member.scope_key == event.data["body"]]


def bodies_with_files(events: list[Event]) -> list[Hearing]:
    """The members of the bodies that have files of the call which each event is about."""
    return _bodies_of(events, Stage.objects.filter(left_at__isnull=True, kind=StepKind.NOMINATION))


def bodies_without_a_list(events: list[Event]) -> list[Hearing]:
    """The members of the bodies that have files of the call which each event is about, and have not sent their list."""
    return _bodies_of(events, waiting_for_a_list())


def _bodies_of(events: list[Event], stages: QuerySet[Stage]) -> list[Hearing]:
    rows = stages.filter(application__call__code__in={event.subject_key for event in events})
    bodies = set(rows.values_list("application__call__code", "body__code").distinct())
    members = list(_members().of_bodies({body for _call, body in bodies if body}))
    return [_hearing(event, member.user) for event in events for member in members if (event.subject_key, member.scope_key) in bodies]


def with_drafts(events: list[Event]) -> list[Hearing]:
    """Those who have begun an application to the call that each event is about, and not handed it in."""
    return _applicants_of(events, [State.DRAFT])


def concerned_by_dates(events: list[Event]) -> list[Hearing]:
    """Where the closing of a call has moved and is still to come: those with a draft, and those who may still change what they handed in."""
    moved = [
        event for event in events if event.data.get("closes") != event.data.get("closed") and event.data["closes"] > event.at.isoformat()
    ]
    return _applicants_of(moved, [State.DRAFT, State.SUBMITTED])


def _applicants_of(events: list[Event], states: list[State]) -> list[Hearing]:
    codes = {event.subject_key for event in events}
    rows = Application.objects.filter(call__code__in=codes, state__in=states, applicant__is_active=True).select_related("applicant")
    hearers = [
        (row.call.code, row.applicant) for row in rows.select_related("call").only("call__code", "applicant__email", "applicant__language")
    ]
    return [_hearing(event, user) for event in events for call, user in hearers if call == event.subject_key]


def with_open_reviews(events: list[Event]) -> list[Hearing]:
    """The reviewers who still have files to score in the call that each event is about."""
    rows = Assignment.objects.open().filter(call__code__in={event.subject_key for event in events}, reviewer__is_active=True)
    pairs = set(rows.values_list("call__code", "reviewer"))
    users = User.objects.in_bulk({user for _call, user in pairs})
    return [_hearing(event, users[user]) for event in events for call, user in sorted(pairs) if call == event.subject_key]


def holder_of_the_offer(events: list[Event]) -> list[Hearing]:
    """The applicant to whom the offer was made that each event is about."""
    rows = Offer.objects.filter(code__in={event.subject_key for event in events}).select_related("application__applicant")
    users = {row.code: row.application.applicant for row in rows}
    return [_hearing(event, users[event.subject_key]) for event in events if event.subject_key in users]


def applicant_written_to(events: list[Event]) -> list[Hearing]:
    """The applicant, of what the office has written."""
    return applicant([event for event in events if event.data["by_office"]])


def officers_written_to(events: list[Event]) -> list[Hearing]:
    """The officers of the call, of what an applicant has written."""
    asked = [event for event in events if not event.data["by_office"]]
    return officers(asked) if asked else []


def asker(events: list[Event]) -> list[Hearing]:
    """The applicant for whom each event's referee was asked."""
    rows = Reference.objects.filter(code__in={event.subject_key for event in events}).select_related("application__applicant")
    users = {row.code: row.application.applicant for row in rows}
    return [_hearing(event, users[event.subject_key]) for event in events if event.subject_key in users]


def referee(events: list[Event]) -> list[Hearing]:
    """The referee that each event is about: an address, whether or not somebody has an account with it."""
    rows = {row.code: row for row in Reference.objects.filter(code__in={event.subject_key for event in events})}
    return [Hearing(event, row.address, None, row.language) for event in events if (row := rows.get(event.subject_key)) is not None]


def address_of_link(events: list[Event]) -> list[Hearing]:
    """The address to which each event's link leads."""
    rows = {row.code: row for row in Link.objects.filter(code__in={event.subject_key for event in events})}
    return [Hearing(event, row.address, None, row.language) for event in events if (row := rows.get(event.subject_key)) is not None]
