"""What the pages of the inbox share: a part of a long list, found by the code of the row before it, and links in a text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.http import Http404
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString


@dataclass(frozen=True)
class Part:
    """``rows`` in their order; ``older`` is the code behind which the next part begins, "" at the end."""

    rows: Sequence[Any]
    older: str


def plain(code: str) -> str:
    """CODE, if it can be one at all: PostgreSQL cannot even be asked for some signs."""
    if not (code.isascii() and code.isalnum()):
        raise Http404
    return code


def part_of(rows: QuerySet[Any], before: str, size: int) -> Part:
    """SIZE of ROWS, the newest first: the first ones, or those older than the one with the code BEFORE."""
    newest_first = rows.order_by("-pk")
    if before:
        newest_first = newest_first.filter(pk__lt=rows.order_by().filter(code=plain(before)).values("pk"))
    found = list(newest_first[: size + 1])
    return Part(found[:size], found[size - 1].code if len(found) > size else "")


def with_own_links(text: str) -> SafeString:
    """TEXT, escaped, in which addresses of this site are links; no other address becomes one, whoever has written it."""
    path = r"/(?!/)(?:[\w./?=&%#-]*[\w/=])?"
    pieces = re.split(rf"({re.escape(settings.SITE_URL)}(?:{path}|(?![\w.:@/-])))", text, flags=re.ASCII)
    return format_html_join("", "{}", ((_link(piece) if number % 2 else conditional_escape(piece),) for number, piece in enumerate(pieces)))


def _link(address: str) -> SafeString:
    path = address.removeprefix(settings.SITE_URL) or "/"
    return format_html('<a href="{}">{}</a>', path, address)
