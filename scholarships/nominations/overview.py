"""The bodies of a call as its officers see them: whose list is there, whose is late, and acting for one that is absent."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Count
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from scholarships.applications.models import Stage
from scholarships.calls.models import Call, StepKind
from scholarships.events.actions import record
from scholarships.events.names import declare
from scholarships.nominations.lists import Acting, acting
from scholarships.nominations.models import Nomination, SentList, Standing
from scholarships.partners.models import Institution
from scholarships.people.actions import give_role
from scholarships.people.models import Membership, Role, Scope
from scholarships.people.rules import deciding_institutions_of, is_site_officer

STOOD_IN = declare("nomination.stood_in", "An officer acts for a body", "body", "reason", "until")

DAYS = 7  # for so long an officer acts for a body
REASONS = {
    "late": _("Its list is late"),
    "asked": _("The body has asked for it"),
    "nobody": _("Nobody acts for the body now"),
}


@dataclass(frozen=True)
class BodyState:
    """A body of a call: files still with it and not sent, of them on its lists; members who decide; its list where it was sent."""

    here: Acting
    files: int
    ranked: int
    reserve: int
    deciders: int
    sent: SentList | None

    def is_late(self, at: datetime) -> bool:
        due = self.here.milestone.ends_at if self.here.milestone else None
        return self.sent is None and self.files > 0 and due is not None and due < at


def bodies_of(call: Call) -> list[BodyState]:
    """Every body that acts in CALL, those with files first; in six queries."""
    institutions = Institution.objects.filter(pk__in=_named(call))
    places = acting(institutions, call=call)
    bodies = [one.body.pk for one in places]
    open_here = Stage.objects.filter(application__call=call, kind=StepKind.NOMINATION, left_at__isnull=True, body__in=bodies)
    files = Counter(dict(open_here.order_by().values_list("body").annotate(Count("pk"))))
    rows = Nomination.objects.filter(call=call, body__in=bodies).at_hand_or_sent().order_by()
    lists = {(body, standing): count for body, standing, count in rows.values_list("body", "standing").annotate(Count("pk"))}
    deciders = Membership.objects.active().of_bodies(one.body.code for one in places).filter(decides=True, user__is_active=True)
    members = dict(deciders.order_by().values_list("scope_key").annotate(Count("pk")))
    sent = {(row.body_id, row.step): row for row in SentList.objects.standing().filter(call=call).select_related("by")}
    found = [
        BodyState(
            one,
            files[one.body.pk],
            lists.get((one.body.pk, Standing.RANKED), 0),
            lists.get((one.body.pk, Standing.RESERVE), 0),
            members.get(one.body.code, 0),
            sent.get((one.body.pk, one.step)),
        )
        for one in places
    ]
    return sorted(found, key=lambda one: (one.sent is not None, -one.files, one.here.body.code))


def _named(call: Call) -> Any:
    """The institutions that the steps of the published version name."""
    return call.version.steps.filter(kind=StepKind.NOMINATION).values("bodies__institution") if call.version else []


def stand_in(call: Call, body: Institution, *, reason: str, by: Any, at: datetime | None = None) -> Membership:
    """BY, an officer of the site, acts for BODY for some days, as its deputy; logged with the REASON, a key of REASONS.

    Of the site, because a body is one in all calls.

    Raises:
        PermissionDenied: BY is not an officer of the site.
        ValidationError: ``no_reason``; ``not_here``: the body does not act in CALL; ``already``: BY decides for it.
    """
    if not is_site_officer(by):
        raise PermissionDenied
    if reason not in REASONS:
        raise ValidationError(_("Choose why you act for this body."), code="no_reason")
    if not acting([body], call=call):
        raise ValidationError(_("This body has no part in this call."), code="not_here")
    if body.code in deciding_institutions_of(by):
        raise ValidationError(_("You act for this body already."), code="already")
    until = ((at or timezone.now()) + timedelta(days=DAYS)).date()
    with transaction.atomic():
        membership = give_role(by, Role.BODY, scope=Scope.INSTITUTION, key=body.code, ends_on=until, by=by)
        record(STOOD_IN, call, by=by, actor=Role.OFFICER, body=body.code, reason=reason, until=until)
    return membership
