"""The kinds of letters of which one may choose the way, as people say them."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

NAMES = {
    "officer.place_freed:officer": _("A place fell free: an offer was declined or has lapsed"),
    "call.allocation_confirmed:officer": _("An allocation of places was confirmed"),
    "call.results_published:officer": _("The results of a call were published"),
    "nomination.list_sent:officer": _("A nominating body has sent its list"),
    "nomination.list_taken_back:officer": _("A nominating body has taken its list back"),
    "review.recused:officer": _("A reviewer left a file for a conflict of interest"),
    "correspondence.from_applicant:officer": _("An applicant has written to the office"),
    "mailing.held:officer": _("A mailing to more than 50 people waits for a second officer"),
    "call.closed:body": _("A call has closed, and applications wait for your body"),
    "nomination.list_sent:body": _("The list of your body was sent"),
    "review.assigned:reviewer": _("You were given a file to review"),
    "reminder.draft:applicant": _("A reminder that your draft is not handed in yet"),
    "reminder.review:reviewer": _("A reminder that reviews are due"),
}


def name_of(kind: str) -> str:
    """KIND in words; one that has none yet goes by its own name."""
    return str(NAMES.get(kind, kind))
