"""Signing in, the second factor of staff, and the profile."""
