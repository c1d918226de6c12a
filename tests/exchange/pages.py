"""A browser without a screen, and what a person reads on the page that it gets."""

from __future__ import annotations

import html
import re
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext


def browser(user: Any = None, **options: Any) -> Client:
    """A browser of its own, in which USER is signed in; without one a visitor's."""
    client = Client(HTTP_HOST="127.0.0.1", **options)
    if user is not None:
        client.force_login(user)
    return client


def text_of(answer: Any) -> str:
    """What a person reads on the whole page: tags gone, white space folded."""
    return words_in(answer.content.decode())


def main_of(answer: Any) -> str:
    """What a person reads between masthead and footer."""
    return words_in(re.search(r"<main.*?</main>", answer.content.decode(), re.DOTALL).group(0))


def words_in(markup: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", markup)).split())


def all_in(answer: Any, tag: str, css_class: str = "") -> list[str]:
    """The words of each TAG (of CSS_CLASS), in the order of the page; such tags must not stand in each other."""
    marked = rf'[^>]*class="[^"]*\b{css_class}\b[^"]*"[^>]*' if css_class else "[^>]*"
    return [words_in(found) for found in re.findall(rf"<{tag}\b{marked}>(.*?)</{tag}>", answer.content.decode(), re.DOTALL)]


def hidden(answer: Any, name: str) -> str:
    """The value of the first hidden field NAME."""
    return html.unescape(re.search(rf'type="hidden" name="{name}" value="([^"]*)"', answer.content.decode()).group(1))


def typed(answer: Any, name: str) -> str:
    """What stands in the field NAME of the page."""
    page = answer.content.decode()
    if box := re.search(rf'<textarea\b[^>]*\bname="{name}"[^>]*>(.*?)</textarea>', page, re.DOTALL):
        return html.unescape(box.group(1)).removeprefix("\n")
    if chosen := re.search(rf'<select\b[^>]*\bname="{name}"[^>]*>.*?<option value="([^"]*)" selected', page, re.DOTALL):
        return html.unescape(chosen.group(1))
    if ticked := re.search(rf'<input\b(?=[^>]*\bname="{name}")(?=[^>]*\bchecked)[^>]*\bvalue="([^"]*)"', page):
        return html.unescape(ticked.group(1))
    field = re.search(rf'<input\b(?=[^>]*\btype="(?:text|email|tel|password)")(?=[^>]*\bname="{name}")[^>]*>', page)
    value = re.search(r'\bvalue="([^"]*)"', field.group(0)) if field else None
    return html.unescape(value.group(1)) if value else ""


def problems(answer: Any) -> list[str]:
    """What the error summary says, line by line."""
    summary = re.search(r'<div class="errors".*?</div>', answer.content.decode(), re.DOTALL)
    return [words_in(line) for line in re.findall(r"<li>(.*?)</li>", summary.group(0), re.DOTALL)] if summary else []


def problem_targets(answer: Any) -> list[str]:
    """Where the links of the error summary lead, each to an element that is on the page."""
    page = answer.content.decode()
    targets = re.findall(r'<li><a href="#([^"]+)">', re.search(r'<div class="errors".*?</div>', page, re.DOTALL).group(0))
    return [target for target in targets if f'id="{target}"' in page]


def queries_of(client: Client, path: str) -> int:
    """How many queries PATH takes once what never changes has been read."""
    assert client.get(path).status_code == 200
    with CaptureQueriesContext(
        connection,
    ) as captured:
        client.get(path)
    return len(captured)
