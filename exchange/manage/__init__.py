"""The officer: one list, one record, eligibility, reviewers, places, offers, outbox."""
