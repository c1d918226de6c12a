"""What stands in the templates themselves: every text can be translated, and nothing is inline."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.template import engines

from tests.services import ROOT

FOLDER = ROOT / "templates"
TEMPLATES = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*") if path.suffix in {".html", ".txt"})
PAGES = [name for name in TEMPLATES if not name.startswith("emails/")]

QUERIES = {"country:KG level:master", "score:&gt;8", "with:office -state:selected", "is:todo country:KG level:master “hydrology”"}
# Texts that stand there as they are, each with its reason. A name that ends in / is a folder.
AS_IT_IS = {
    "errors/": ("*", "in three languages at once: the page for a fault cannot ask which one the reader speaks"),
    "components/languages.html": ("*", "each language is named in itself"),
    "manage/applications.html": (QUERIES, "the words of the query language are the same in every language"),
    "review/mine.html": (QUERIES, "the words of the query language are the same in every language"),
    "manage/places.html": ({"problem.json", "result.json"}, "the names of files"),
}
NAMES = {"SHA-256", "sha-256", "SHA-256:", "Message-ID"}  # of things that are called so everywhere
READ_ALOUD = ("aria-label", "alt", "title", "placeholder", "data-l", "data-label")

TRANSLATED = re.compile(r"{%\s*blocktrans(?:late)?\b.*?{%\s*endblocktrans(?:late)?\s*%}", re.DOTALL)
COMMENT = re.compile(r"{#.*?#}|{%\s*comment\b.*?{%\s*endcomment\s*%}|<!--.*?-->", re.DOTALL)
TEMPLATE_CODE = re.compile(r"{%.*?%}|{{.*?}}", re.DOTALL)
UNREAD = re.compile(
    r"<style\b.*?</style>|<kbd\b.*?</kbd>|<dt class=\"mono\">.*?</dt>|{%\s*block area\s*%}.*?{%\s*endblock\b.*?%}", re.DOTALL
)  # styles, keys, words of the query language, the class of the page
TAG = re.compile(r"<[^>]*>", re.DOTALL)
LETTER = re.compile(r"[^\W\d_]")


def source(name: str) -> str:
    return COMMENT.sub("", (FOLDER / name).read_text(encoding="utf-8"))


def untranslated(text: str) -> Iterator[str]:
    """What a person reads or hears of a template and no translator ever sees."""
    text = COMMENT.sub("", text)
    for argument in re.findall(r"""\|default(?:_if_none)?:(?:"([^"]*)"|'([^']*)')""", text):
        yield from (word for word in argument if LETTER.search(word))
    for argument in re.findall(r"""{%\s*include\b[^%]*\b(?:label|title|text|says|caption)=(?:"([^"]*)"|'([^']*)')""", text):
        yield from (word for word in argument if LETTER.search(word))
    bare = TEMPLATE_CODE.sub("\0", UNREAD.sub("\0", TRANSLATED.sub("\0", text)))
    for tag in TAG.findall(bare):
        yield from (value for value in re.findall(rf'\s(?:{"|".join(READ_ALOUD)})="([^"]*)"', tag) if LETTER.search(value))
    for piece in re.split("\0|\n", TAG.sub("\0", bare)):
        if LETTER.search(re.sub(r"&\w+;", "", piece)):
            yield piece.strip()


def allowed(name: str) -> set[str] | str:
    return next(
        (words for place, (words, _why) in AS_IT_IS.items() if name == place or (place.endswith("/") and name.startswith(place))), set()
    )


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_text_can_be_translated(name):
    found = set(untranslated((FOLDER / name).read_text(encoding="utf-8")))

    assert allowed(name) == "*" or found - NAMES - set(allowed(name)) == set()


@pytest.mark.parametrize(
    ("template", "found"),
    [
        ("<p>Hello</p>", ["Hello"]),
        ("<p>Привет, {{ name }}</p>", ["Привет,"]),
        ('<p aria-label="Close">{{ name }}</p>', ["Close"]),
        ('<td data-l="Sent">{{ sent|default:"Never" }}</td>', ["Never", "Sent"]),
        ('{% include "x.html" with label="Close" only %}', ["Close"]),
        ('{% trans "Hello" %} {% blocktrans with n=1 %}<b>All</b> {{ n }}{% endblocktrans %} {# Hello #}', []),
        ('{% block area %}staff{% endblock %}<kbd>j</kbd><dt class="mono">is:todo</dt><dd>todo</dd>', ["todo"]),
        ('<b class="x" data-l="{% trans "Sent" %}">{{ x|default:"–" }} · 12&nbsp;%</b><!-- Hello -->', []),
    ],
)
def test_this_check_finds_what_a_translator_would_miss(template, found):
    assert list(untranslated(template)) == found


def test_each_exception_is_still_needed():
    unneeded = [
        place
        for place in AS_IT_IS
        if not any(list(untranslated((FOLDER / name).read_text(encoding="utf-8"))) for name in TEMPLATES if name.startswith(place))
    ]

    assert unneeded == []


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_inline(name):
    text = TEMPLATE_CODE.sub("", source(name))

    assert re.findall(r"<style|\sstyle\s*=|\son[a-z]+\s*=|javascript:|<script(?![^>]*\ssrc=)", text, re.IGNORECASE) == []


@pytest.mark.parametrize("name", PAGES)
def test_it_can_be_read(name):
    engines["django"].get_template(name)


def test_each_partial_says_what_it_needs_in_its_first_line():
    silent = [name for name in TEMPLATES if Path(name).parent.name == "components" and not (FOLDER / name).read_text(encoding="utf-8").startswith("{#")]  # fmt: skip

    assert silent == []


def test_every_template_is_used():
    """By a view, by another template, or under a name that Django, allauth or crispy-forms looks for."""
    code = "\n".join(
        path.read_text(encoding="utf-8")
        for folder in ("exchange", "scholarships", "templates")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in {".py", ".html", ".txt"}
    )
    looked_for = ("allauth/", "django/", "bootstrap5/", "account/", "mfa/", "429.html")
    named_by_the_address = {f"browse/{name}.html" for name in ("help", "privacy", "accessibility")}

    assert [name for name in PAGES if not name.startswith(looked_for) and f'"{name}"' not in code] == sorted(named_by_the_address)
