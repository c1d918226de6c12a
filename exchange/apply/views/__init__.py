"""The applicant's pages, by noun."""
