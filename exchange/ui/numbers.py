"""Numbers that come back from a page: in an address, a hidden field, a button."""

from __future__ import annotations


def whole(said: str | None, *, digits: int = 9) -> int | None:
    """The whole number that SAID is, None where it is none or longer than DIGITS: anybody can send anything."""
    return int(said) if said and said.isdecimal() and len(said) <= digits else None
