"""Everybody's pages: the inbox, threads between applicant and office, and what goes by mail."""
