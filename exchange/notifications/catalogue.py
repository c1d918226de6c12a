"""THE catalogue: what happened -> who hears of it, and how. A test fails for an event that is not in it.

``letter`` names the templates ``templates/emails/<letter>.{subject.txt,txt,html}``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from exchange.notifications import audiences, pages, reminders
from exchange.notifications.audiences import Hearing
from exchange.notifications.bounces import STOPPED
from exchange.notifications.bundles import BUNDLE, DIGEST
from exchange.notifications.models import Way
from exchange.notifications.pages import Page
from scholarships.events.models import Event
from scholarships.references.models import LinkPurpose


class Channel(TextChoices):
    BOTH = "both", _("E-mail and inbox")
    MAIL = "mail", _("E-mail")
    INBOX = "inbox", _("Inbox")


@dataclass(frozen=True)
class Notice:
    """One kind of letter: who hears, which templates, which page it leads to, by which channel, whether one may opt out of it
    by mail, and whether it may wait for the daily letter: what asks for an answer within a day, such as a reminder, may not.

    ``key``: its link lets somebody without an account in, for this purpose of ``references.LinkPurpose``; see ``keys``.
    """

    kind: str
    who: str
    audience: Callable[[list[Event]], list[Hearing]]
    letter: str
    page: Page
    channel: Channel = Channel.BOTH
    may_opt_out: bool = False
    may_bundle: bool = False
    key: str = ""


APPLICANT, BODY, REVIEWER, OFFICER, PERSON = _("Applicant"), _("Nominating body"), _("Reviewer"), _("Officers of the call"), _("The person")
STAFF = _("Staff who have chosen it")
REFEREE = _("Referee")


def _applicant(letter: str, page: Page = pages.status) -> Notice:
    return Notice(f"{letter}:applicant", APPLICANT, audiences.applicant, letter, page)


def _officers(letter: str, page: Page) -> Notice:
    return Notice(f"{letter}:officer", OFFICER, audiences.officers, letter, page, may_opt_out=True, may_bundle=True)


def _referee(letter: str, key: str = LinkPurpose.LETTER, page: Page = pages.request) -> Notice:
    return Notice(f"{letter}:referee", REFEREE, audiences.referee, letter, page, Channel.MAIL, key=key)


def _asker(letter: str) -> Notice:
    return Notice(f"{letter}:applicant", APPLICANT, audiences.asker, letter, pages.letters)


NOTICES: dict[str, tuple[Notice, ...]] = {
    "application.submitted": (_applicant("application.submitted"),),
    "application.changed": (_applicant("application.changed"),),
    "application.withdrawn": (_applicant("application.withdrawn"),),
    "application.returned": (_applicant("application.returned", pages.tasks),),
    "application.nominated": (_applicant("application.nominated"),),
    "application.not_nominated": (_applicant("application.not_nominated", pages.result),),
    "application.ineligible": (_applicant("application.ineligible", pages.result),),
    "application.offered": (_applicant("application.offered", pages.result),),
    "application.accepted": (_applicant("application.accepted", pages.result),),
    "application.declined": (_applicant("application.declined", pages.result), _officers("officer.place_freed", pages.offers)),
    "application.lapsed": (_applicant("application.lapsed", pages.result), _officers("officer.place_freed", pages.offers)),
    "application.told": (_applicant("application.told", pages.result),),
    "call.closed": (Notice("call.closed:body", BODY, audiences.bodies_with_files, "call.closed", pages.nominations, may_bundle=True),),
    "call.dates_moved": (Notice("call.dates_moved:applicant", APPLICANT, audiences.concerned_by_dates, "call.dates_moved", pages.own),),
    "call.allocation_confirmed": (_officers("call.allocation_confirmed", pages.places),),
    "call.results_published": (_officers("call.results_published", pages.offers),),
    "nomination.list_sent": (
        Notice(
            "nomination.list_sent:body", BODY, audiences.members_of_the_body, "nomination.list_sent", pages.nominations, may_bundle=True
        ),
        _officers("nomination.list_sent", pages.call),
    ),
    "application.taken_back": (_applicant("application.taken_back"),),
    "nomination.list_taken_back": (_officers("nomination.list_taken_back", pages.call),),
    "reference.asked": (_referee("reference.asked"),),
    "reference.reminded": (_referee("reference.reminded"),),
    "reference.prepared": (_referee("reference.prepared", LinkPurpose.RELEASE, pages.release),),
    "reference.received": (_referee("reference.thanks"), _asker("reference.received")),
    "reference.cancelled": (_referee("reference.cancelled", "", pages.referees),),
    "reference.declined": (_asker("reference.declined"),),
    "reference.bounced": (_asker("reference.bounced"),),
    "reference.listed": (
        Notice(
            "reference.listed:referee",
            REFEREE,
            audiences.address_of_link,
            "reference.listed",
            pages.requests,
            Channel.MAIL,
            key=LinkPurpose.LIST,
        ),
    ),
    "review.assigned": (Notice("review.assigned:reviewer", REVIEWER, audiences.person, "review.assigned", pages.reviews, may_bundle=True),),
    "review.recused": (_officers("review.recused", pages.record),),
    "correspondence.written": (
        Notice(
            "correspondence.from_office:applicant", APPLICANT, audiences.applicant_written_to, "correspondence.from_office", pages.thread
        ),
        Notice(
            "correspondence.from_applicant:officer",
            OFFICER,
            audiences.officers_written_to,
            "correspondence.from_applicant",
            pages.thread,
            may_opt_out=True,
            may_bundle=True,
        ),
    ),
    "mailing.held": (
        Notice("mailing.held:applicant", APPLICANT, audiences.held_for, "mailing", pages.status),
        Notice("mailing.held:officer", OFFICER, audiences.second_officers, "mailing.held", pages.mailing, may_opt_out=True),
    ),
    reminders.DRAFT: (Notice("reminder.draft:applicant", APPLICANT, audiences.with_drafts, "reminder.draft", pages.own, may_opt_out=True),),
    reminders.LETTER: (_referee("reminder.letter"),),
    reminders.REVIEW: (
        Notice("reminder.review:reviewer", REVIEWER, audiences.with_open_reviews, "reminder.review", pages.reviews, may_opt_out=True),
    ),
    reminders.LIST: (Notice("reminder.list:body", BODY, audiences.bodies_without_a_list, "reminder.list", pages.nominations),),
    reminders.OFFER: (Notice("reminder.offer:applicant", APPLICANT, audiences.holder_of_the_offer, "reminder.offer", pages.result),),
    "person.role_given": (Notice("person.role_given:person", PERSON, audiences.person, "person.role_given", pages.home),),
    DIGEST: (Notice(BUNDLE, STAFF, audiences.person, "digest", pages.inbox, Channel.MAIL),),
    STOPPED: (Notice("address.stopped:person", PERSON, audiences.person, "address.stopped", pages.profile, Channel.INBOX),),
}

# Events that nobody is written to about, each with the reason.
SILENT: dict[str, str] = {
    "application.started": _("the person who did it sees it"),
    "application.reopened": _("the person who did it sees it"),
    "application.eligible": _("the applicant's name for it is “under consideration”: nothing about a place is told before the results"),
    "application.review_started": _("nothing about a place is told before the results; the reviewers get a letter of their own"),
    "application.reviewed": _("nothing about a place is told before the results"),
    "application.selected": _("told as an offer when the results are published"),
    "application.reserved": _("told when the results are published"),
    "application.not_selected": _("told when the results are published"),
    "account.code_sent": _("the letter with the code is posted with it"),
    "account.changed": _("the letter about it is posted with it"),
    "call.letter_worded": _("the letters themselves say it"),
    "call.published": _("shown on the page of open calls"),
    "call.quotas_set": _("the ledger keeps it, the officer who did it sees it"),
    "call.allocated": _("a trial until it is confirmed"),
    "document.added": _("the person who did it sees it"),
    "document.replaced": _("the person who did it sees it"),
    "document.removed": _("the person who did it sees it"),
    "document.opened": _("shown to the owner under “Who has opened my documents”"),
    "mailing.released": _("the letters themselves tell it"),
    "mailing.taken_back": _("the page of the mailing shows it"),
    "mailing.cancelled": _("the page of the mailing shows it"),
    "mailing.letter_reworded": _("the person who did it sees it"),
    "mailing.letter_removed": _("the person who did it sees it"),
    "nomination.checked": _("the body that did it sees it"),
    "nomination.stood_in": _("the officer who did it sees it; the members see it among them"),
    "person.joined": _("the person who did it sees it"),
    "person.role_taken": _("the office tells it in person"),
    "reference.opened": _("the applicant's page shows it"),
    "reference.renewed": _("the person who did it sees it; for the applicant it has arrived before"),
    "reference.read": _("the log of readings keeps it"),
    "review.submitted": _("the officers' list shows it"),
    "review.taken_back": _("the reviewer's list shows it"),
}


def notices_for(event: str) -> tuple[Notice, ...]:
    return NOTICES.get(event, ())


def notice_of(kind: str) -> Notice | None:
    """The notice with this KIND, None for letters of accounts, which come rendered."""
    return _BY_KIND.get(kind)


def ways_of(notice: Notice) -> list[Way]:
    """The ways among which the readers of NOTICE choose."""
    return [Way.MAIL, *([Way.DAILY] if notice.may_bundle else []), *([Way.INBOX] if notice.may_opt_out else [])]


_BY_KIND = {notice.kind: notice for notices in NOTICES.values() for notice in notices}
