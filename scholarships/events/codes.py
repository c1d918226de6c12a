"""Public references: short random codes, by which events, pages and people name things."""

import secrets

# Without vowels (no words by accident) and without what is mistaken for something else when read out.
ALPHABET = "23456789BCDFGHJKMNPQRSTVWXYZ"


def new_code(length: int = 9) -> str:
    """A random code; 9 characters of 28 give 1e13, so that guessing one is hopeless and a clash never seen."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))
