"""Who acts for a body: its members prepare or decide, and may be deputies until a day."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from scholarships.nominations.actions import lock_lists
from scholarships.partners.models import Institution
from scholarships.people.actions import give_role, take_role
from scholarships.people.models import Membership, Role, Scope, User
from scholarships.people.rules import deciding_institutions_of


def members_of(body: Institution) -> QuerySet[Membership]:
    """Its members now: those who decide first."""
    return Membership.objects.of_bodies([body.code]).active().select_related("user").order_by("-decides", "user__name", "pk")


def add(body: Institution, user: User, *, decides: bool, ends_on: date | None = None, by: Any) -> Membership:
    """Let USER act for BODY, or change what they may and until when. They hear of it.

    Raises:
        PermissionDenied: BY does not decide for the body.
        ValidationError: at ``ends_on``: the day is over; ``last``: nobody would decide for good any more.
    """
    _allow(body, by)
    if ends_on is not None and ends_on < timezone.now().date():
        raise ValidationError({"ends_on": ValidationError(_("This day is over."), code="over")})
    with transaction.atomic():
        lock_lists(body.pk)  # two who end each other's membership wait for each other
        if not decides or ends_on is not None:
            _keep_one(body, user)
        return give_role(user, Role.BODY, scope=Scope.INSTITUTION, key=body.code, decides=decides, ends_on=ends_on, by=by)


def end(membership: Membership, *, by: Any) -> None:
    """MEMBERSHIP ends now. Raises as ``add``."""
    body = Institution.objects.get(code=membership.scope_key)
    _allow(body, by)
    with transaction.atomic():
        lock_lists(body.pk)
        _keep_one(body, membership.user)
        take_role(membership, by=by)


def _allow(body: Institution, by: Any) -> None:
    if body.code not in deciding_institutions_of(by):
        raise PermissionDenied


def _keep_one(body: Institution, leaving: User) -> None:
    """Somebody beside LEAVING decides for the body without an end, unless LEAVING never did."""
    lasting = Membership.objects.of_bodies([body.code]).filter(decides=True, ends_on__isnull=True)
    if lasting.filter(user=leaving).exists() and not lasting.exclude(user=leaving).exists():
        raise ValidationError(_("One member must decide for the body without an end: give that to somebody else first."), code="last")
