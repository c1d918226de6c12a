"""Who may act for a nominating body."""

from __future__ import annotations

from typing import Any

import rules

from scholarships.nominations.models import Nomination
from scholarships.people.rules import deciding_institutions_of, institutions_of


@rules.predicate
def is_member_of_body(user: Any, nomination: Nomination) -> bool:
    return nomination.body.code in institutions_of(user)


@rules.predicate
def decides_for_body(user: Any, nomination: Nomination) -> bool:
    return nomination.body.code in deciding_institutions_of(user)


may_read = is_member_of_body
may_prepare = is_member_of_body
may_decide = decides_for_body
