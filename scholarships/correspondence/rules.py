"""Who may read and write the thread of an application: its applicant and the officers of its call."""

from __future__ import annotations

from scholarships.applications.rules import is_applicant, is_draft, is_officer_of_call

may_read = (is_applicant | is_officer_of_call) & ~is_draft
may_write = may_read
