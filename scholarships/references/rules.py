"""Who asks for letters, and who reads them."""

from __future__ import annotations

from typing import Any

import rules

from scholarships.applications.rules import is_applicant, is_draft, is_officer_of_call
from scholarships.references.models import Letter, Reference

may_ask = is_applicant


@rules.predicate
def may_see(user: Any, reference: Reference) -> bool:
    """See that a letter is asked for and how it stands, not what it says."""
    return bool((is_applicant | (is_officer_of_call & ~is_draft))(user, reference.application))


@rules.predicate
def is_sent(user: Any, letter: Letter) -> bool:
    return letter.sent_at is not None


@rules.predicate
def is_about(user: Any, letter: Letter) -> bool:
    """The letter is about USER."""
    return letter.reference.application.applicant_id == user.pk


@rules.predicate
def is_open(user: Any, letter: Letter) -> bool:
    return not letter.reference.is_confidential


@rules.predicate
def is_officer_of_file(user: Any, letter: Letter) -> bool:
    return bool((is_officer_of_call & ~is_draft)(user, letter.reference.application))


may_read_letter = is_sent & ((is_officer_of_file & ~is_about) | (is_about & is_open))
