"""The first officer of a fresh production site: a link that works once, printed on the console."""

from __future__ import annotations

from django.conf import settings
from django.core import signing
from django.urls import reverse

from scholarships.people.models import Membership, Role

_SALT = "first officer"
LIFE = 3600  # seconds


def first_officer_link() -> str:
    """The link, or "" where there is an officer already."""
    if has_officer():
        return ""
    return settings.SITE_URL + reverse("accounts:first_officer", args=[signing.dumps("first", salt=_SALT)])


def has_officer() -> bool:
    return Membership.objects.active().filter(role=Role.OFFICER).exists()


def is_good(token: str) -> bool:
    """Whether TOKEN is ours, not an hour old, and nobody has become officer since."""
    try:
        return signing.loads(token, salt=_SALT, max_age=LIFE) == "first" and not has_officer()
    except signing.BadSignature:
        return False
