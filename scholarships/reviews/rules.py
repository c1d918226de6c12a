"""Who reviews, and whom a conflict of interest keeps away."""

from __future__ import annotations

from typing import Any

import rules

from scholarships.calls.models import Call
from scholarships.people.models import Membership, Role, Scope, User
from scholarships.reviews.models import Assignment, Progress


@rules.predicate
def is_assigned(user: Any, assignment: Assignment) -> bool:
    return assignment.reviewer_id == user.pk


@rules.predicate
def is_closed_by_conflict(user: Any, assignment: Assignment) -> bool:
    return assignment.progress == Progress.RECUSED


@rules.predicate
def is_handed_in(user: Any, assignment: Assignment) -> bool:
    return assignment.progress == Progress.DONE


may_read = is_assigned & ~is_closed_by_conflict
may_score = may_read & ~is_handed_in


def reviewers_of(call: Call) -> list[User]:
    """The reviewers of CALL with their profiles, by name."""
    scopes = Membership.objects.active().filter(role=Role.REVIEWER)
    rows = scopes.filter(scope_kind=Scope.SITE) | scopes.filter(scope_kind=Scope.CALL, scope_key=call.code)
    return list(User.objects.filter(pk__in=rows.values("user"), is_active=True).select_related("profile").order_by("name", "pk"))
