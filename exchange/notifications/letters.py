"""A letter in the recipient's language: subject, plain text, HTML with its styles inlined, and the page it leads to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

import css_inline
from django.conf import settings
from django.template import Context
from django.template.loader import get_template, render_to_string
from django.utils import translation

from exchange.notifications import pages
from exchange.notifications.catalogue import notice_of
from exchange.notifications.models import Message
from exchange.notifications.subjects import Files, context_of, files_of
from exchange.notifications.wordings import current, fill, filled


class Worded(Protocol):
    """Subject and text with placeholders: a row of ``Wording``, or what an officer has typed and not saved."""

    subject: str
    text: str


@dataclass(frozen=True)
class Letter:
    subject: str
    text: str
    html: str = ""
    link: str = ""


_inliner = css_inline.CSSInliner(load_remote_stylesheets=False, keep_at_rules=True, keep_style_tags=True)


@dataclass(frozen=True)
class Known:
    """What the letters of a batch share, fetched once: the files they tell of, and the words that officers have set."""

    files: Files = field(default_factory=dict)
    wordings: dict[tuple[str, str, str], Worded | None] = field(default_factory=dict)

    def wording(self, call: str, letter: str, language: str) -> Worded | None:
        key = (call, letter, language)
        if key not in self.wordings:
            self.wordings[key] = current(*key)
        return self.wordings[key]


def know(messages: Iterable[Message]) -> Known:
    return Known(files_of(messages))


def compose(message: Message, known: Known | None = None) -> Letter:
    """Render MESSAGE, one of the batch of which KNOWN was fetched.

    Raises:
        LookupError: its kind is no longer in the catalogue, or what it is about is gone.
    """
    notice = notice_of(message.kind)
    if notice is None:
        raise LookupError(f"no notice “{message.kind}”")
    known = known or Known()
    with translation.override(message.language):
        context = context_of(message, known.files)
        wording = known.wording(message.call, notice.letter, message.language)
        return write_letter(notice.letter, {**context, "link": notice.page(context)}, wording)


def preview(letter: str, context: dict[str, Any], words: Worded) -> Letter:
    """LETTER of a mailing with WORDS filled for CONTEXT, in the active language; nothing is kept."""
    return write_letter(letter, {**context, **filled(words, context), "link": pages.status(context)})


def write_letter(letter: str, context: dict[str, Any], wording: Worded | None = None) -> Letter:
    """Render the three templates of LETTER in the active language, or the words of WORDING. ``context["link"]`` is a path."""
    link = context.get("link", "")
    full = {
        **context,
        "site_name": settings.SITE_NAME,
        "site_url": settings.SITE_URL,
        "url": settings.SITE_URL + link,
        "office": settings.OFFICE_EMAIL,
    }
    subject, body = _plain(f"emails/{letter}.subject.txt", full), _plain(f"emails/{letter}.txt", full).strip()
    template = f"emails/{letter}.html"
    if wording is not None:
        standard = body.removesuffix(full["url"]).strip()
        subject, words = fill(wording.subject, full), fill(wording.text, full, standard=standard).strip()
        body, template, full = f"{words}\n\n{full['url']}", "emails/worded.html", {**full, "words": words}
    subject = " ".join(subject.split())
    text = f"{body}\n\n{_plain('emails/foot.txt', full).strip()}\n"
    html = _inliner.inline(render_to_string(template, {**full, "subject": subject}))
    return Letter(subject, text, html, link)


def _plain(template: str, context: dict[str, Any]) -> str:
    """Plain text is not HTML: nothing is escaped in it."""
    return get_template(template).template.render(Context(context, autoescape=False))
