"""Who reviews, and whom a conflict of interest keeps away."""

from __future__ import annotations

from typing import Any

import rules

from scholarships.applications.models import State
from scholarships.applications.rules import current_stage
from scholarships.calls.models import Call, StepKind
from scholarships.people.models import Membership, Role, Scope, User
from scholarships.people.rules import scopes_of
from scholarships.reviews.models import OPEN, Assignment, Progress


@rules.predicate
def is_assigned(user: Any, assignment: Assignment) -> bool:
    return assignment.reviewer_id == user.pk


@rules.predicate
def is_reviewer_of_call(user: Any, assignment: Assignment) -> bool:
    scopes = scopes_of(user, Role.REVIEWER)
    return Scope.SITE in scopes or assignment.call.code in scopes.get(Scope.CALL, ())


@rules.predicate
def is_handed_in(user: Any, assignment: Assignment) -> bool:
    return assignment.progress == Progress.DONE


@rules.predicate
def is_open(user: Any, assignment: Assignment) -> bool:
    """Not handed in, not left for a conflict, and the review of the application is not closed."""
    if assignment.progress not in OPEN:
        return False
    stage = current_stage(assignment.application)
    return stage is not None and stage.kind == StepKind.REVIEW


@rules.predicate
def is_withdrawn(user: Any, assignment: Assignment) -> bool:
    return assignment.application.state == State.WITHDRAWN


is_its_reviewer = is_assigned & is_reviewer_of_call
may_read = is_its_reviewer & (is_handed_in | is_open) & ~is_withdrawn
may_score = is_its_reviewer & is_open & ~is_withdrawn
may_see_others = is_its_reviewer & is_handed_in & ~is_withdrawn


def reviewers_of(call: Call) -> list[User]:
    """The reviewers of CALL with their profiles, by name."""
    scopes = Membership.objects.active().filter(role=Role.REVIEWER)
    rows = scopes.filter(scope_kind=Scope.SITE) | scopes.filter(scope_kind=Scope.CALL, scope_key=call.code)
    return list(User.objects.filter(pk__in=rows.values("user"), is_active=True).select_related("profile").order_by("name", "pk"))
