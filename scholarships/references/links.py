"""The keys by which people without an account come in.

A key is an HMAC, under the site's secret, of its purpose, its request, its address and a random nonce: 256 bits,
of which only the hash is stored. It is derived again whenever a letter leaves, so that a reminder carries the same
link and no stored letter holds one. See docs/decisions/0016.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.crypto import salted_hmac

from scholarships.references.dates import due_of
from scholarships.references.models import Link, LinkPurpose, Reference

AFTER_DUE = timedelta(days=30)  # so long a link still says how things stand
LIST_FOR = timedelta(days=1)
_KEY = re.compile(r"[A-Za-z0-9_-]{43}")


def key_of(link: Link) -> str:
    """The key of LINK, to be written into a letter to its address and nowhere else."""
    said = "|".join((link.purpose, link.reference.code if link.reference else "", link.address, link.nonce))
    digest = salted_hmac("scholarships.references.links", said, algorithm="sha256").digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def link_to(reference: Reference, purpose: str = LinkPurpose.LETTER, *, at: datetime | None = None) -> Link:
    """The valid link of REFERENCE for PURPOSE; made where there is none, or where the site's secret has changed since."""
    now = at or timezone.now()
    rows = Link.objects.valid(at=now).filter(reference=reference, purpose=purpose, address=reference.address).select_related("reference")
    for link in rows.order_by("-pk")[:1]:
        if _hashed(key_of(link)) == link.sha256:
            return link
    return _make(purpose, reference.address, reference.language, max(due_of(reference.application), now) + AFTER_DUE, now, reference)


def list_link(address: str, language: str, *, at: datetime) -> Link:
    """A new link to all requests that went to ADDRESS."""
    return _make(LinkPurpose.LIST, address, language, at + LIST_FOR, at)


def _make(purpose: str, address: str, language: str, expires_at: datetime, now: datetime, reference: Reference | None = None) -> Link:
    link = Link(
        purpose=purpose, reference=reference, address=address, language=language, nonce=secrets.token_hex(32), made_at=now, expires_at=expires_at
    )  # fmt: skip
    link.sha256 = _hashed(key_of(link))
    link.save(force_insert=True)
    return link


def read_key(key: str, *purposes: str, at: datetime | None = None) -> Link:
    """The link with this KEY, for one of PURPOSES.

    Raises:
        LookupError: there is none, it has expired, it was revoked, or its request has gone to another address since.
    """
    if not _KEY.fullmatch(key):
        raise LookupError("not a key")
    rows = Link.objects.valid(at=at or timezone.now()).filter(purpose__in=purposes, sha256=_hashed(key))
    link = rows.select_related(
        "reference__application__call", "reference__application__version", "reference__application__applicant"
    ).first()
    if link is None or (link.reference is not None and link.reference.address != link.address):
        raise LookupError("no such key")
    return link


def revoke(reference: Reference, *, at: datetime) -> None:
    """Close every link of REFERENCE."""
    Link.objects.filter(reference=reference, revoked_at__isnull=True).update(revoked_at=at)


def _hashed(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
