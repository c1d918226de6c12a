"""Each step of each user: what it is, what to do, and what it may cost."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from django.test import Client

from scholarships.applications.models import Application
from scholarships.people.models import User
from tests.bench.world import CALL, MINISTRY, OFFICER, REVIEWER, STUDENT, World


@dataclass(frozen=True)
class Bound:
    """At most so many queries and CPU milliseconds; ``ms_large`` at 100,000 applications."""

    queries: int
    ms: float
    ms_large: float = 0


@dataclass(frozen=True)
class Step:
    """``act`` raises when the answer is not the one expected. Steps of one ``flow`` are held against FLOWS together."""

    who: str
    name: str
    act: Callable[[], object]
    bound: Bound | None = None
    flow: str = ""


FLOWS = {"submit": Bound(30, 60)}
OPENING, REVIEWING, LISTING = Bound(12, 25), Bound(12, 30), Bound(15, 60, 80)


def steps_of(world: World, n: int, turns: int) -> Iterator[Step]:
    """All steps; those that use a file up have TURNS of them."""
    yield from _visitor()
    yield from _student()
    yield from _submitting(world, turns)
    yield from _ministry()
    yield from _reviewer(world, turns)
    yield from officer(n)


def _visitor() -> Iterator[Step]:
    client = _visiting()
    for name, path in (
        ("open calls", "/?citizenship=KG&level=master"),
        ("one call", f"/calls/{CALL}/"),
        ("programmes, filtered", "/programmes/?level=master&taught_in=en"),
        ("can I apply?", f"/calls/{CALL}/can-i-apply/"),
    ):
        yield Step("visitor", name, _get(client, path), OPENING)


def _student() -> Iterator[Step]:
    client = _signed_in(STUDENT)
    code = Application.objects.get(applicant__email=STUDENT).code
    for name, path in (
        ("my applications", ""),
        ("open one: its tasks", f"{code}/"),
        ("a page of questions", f"{code}/sections/education/"),
        ("choices", f"{code}/choices/"),
        ("documents", f"{code}/documents/"),
    ):
        yield Step("student", name, _get(client, f"/apply/{path}"), OPENING)


def _submitting(world: World, turns: int) -> Iterator[Step]:
    """Check answers, submit, receipt: each turn with the next draft and its student, signed in beforehand."""
    drafts = [(_signed_in(_applicant(code)), code) for code in world.drafts[1 : turns + 1]]
    keys: dict[str, str] = {}

    def check(client: Client, code: str) -> None:
        page = client.get(f"/apply/{code}/check/").content.decode()
        keys[code] = re.findall(r'name="key" value="([^"]+)"', page)[-1]

    def submit(client: Client, code: str) -> None:
        answer = client.post(f"/apply/{code}/check/", {"key": keys[code]})
        assert (answer.status_code, answer["Location"]) == (302, f"/apply/{code}/receipt/"), "not submitted"

    def receipt(client: Client, code: str) -> None:
        assert client.get(f"/apply/{code}/receipt/").status_code == 200, "no receipt"

    yield Step("student", "check answers", _each(check, drafts), flow="submit")
    yield Step("student", "submit", _each(submit, drafts), Bound(30, 25), flow="submit")
    yield Step("student", "receipt", _each(receipt, drafts), flow="submit")


def _ministry() -> Iterator[Step]:
    client = _signed_in(MINISTRY)
    yield Step("ministry", "my lists", _get(client, "/nominate/"), None)
    yield Step("ministry", "one list", _get(client, f"/nominate/calls/{CALL}/kg-moe/"), None)


def _reviewer(world: World, turns: int) -> Iterator[Step]:
    client = _signed_in(REVIEWER)
    yield Step("reviewer", "my files", _get(client, "/review/"), REVIEWING)
    yield Step("reviewer", "open a file", _get(client, f"/review/{world.files[0]}/"), REVIEWING)

    def score(code: str, button: str) -> None:
        page = client.get(f"/review/{code}/").content.decode()
        names = sorted(set(re.findall(r'name="(score[^"]*)"', page)))
        version = re.findall(r'name="version" value="(\d+)"', page)[0]
        forms[code] = {**dict.fromkeys(names, "8"), "comment": "Clear.", "version": version, button: "1"}

    forms: dict[str, dict[str, str]] = {}
    files = [(code,) for code in world.files[:turns]]
    for button, name in (("draft", "save a draft"), ("submit", "score and next")):

        def act(code: str) -> None:
            answer = client.post(f"/review/{code}/", forms[code])
            assert answer.status_code == 302, f"the score is refused: {answer.status_code}"

        for (code,) in files:
            score(code, button)
        yield Step("reviewer", name, _each(act, files), REVIEWING)


def officer(n: int) -> Iterator[Step]:
    """The officer's list, as filters, orders, deep pages and searches, and one record."""
    client = _signed_in(OFFICER)
    last, half = max(n * 95 // 100 // 50, 1), max(n // 900, 1)
    for name, address in (
        ("first page, newest act first", "?"),
        ("first page, one call", f"?q=call:{CALL}"),
        ("filtered and sorted by name", f"?q=call:{CALL}+country:KG+level:master+state:submitted&order=name"),
        ("filtered by host, highest score", "?q=host:cn-hhu+-state:withdrawn&order=score"),
        ("score above 8, highest first", "?q=score:%3E8&order=score"),
        ("with a body, by name", "?q=with:kg-moe&order=name"),
        ("with the office", "?q=with:office"),
        ("step and not state", "?q=step:review+-state:in_review"),
        ("deep page", f"?page={last}"),
        ("deep page by name", f"?page={last}&order=name"),
        ("deep page by score", f"?page={last}&order=score"),
        ("deep page, filtered", f"?q=call:{CALL}+country:KG&order=name&page={half}"),
        ("deep page of a step", f"?q=step:nomination&page={half}"),
        ("word search, one name in twenty", "?q=asanova"),
        ("word search, two words", "?q=nuray+976"),
        ("word search, rare", "?q=mirzoev+11&order=name"),
        ("word search, Cyrillic, filtered", "?q=гүлнұр+country:KZ&order=score"),
        ("word search, one Chinese letter", "?q=王"),
        ("word search, nothing found", "?q=nobodyhere"),
        ("two letters, nothing found", "?q=qq"),
        ("nothing fits", "?q=state:lapsed&order=name"),
    ):
        yield Step("officer", name, _get(client, "/manage/applications/" + quote(address, safe="?=&:+%-")), LISTING)
    yield Step("officer", "one record", _get(client, f"/manage/applications/{Application.objects.latest('pk').code}/"), None)


# -- Small parts -----------------------------------------------------------------


_SITE = Client(HTTP_HOST="127.0.0.1").handler  # one for all, as a server has one: it loads the middleware once


def _visiting() -> Client:
    client = Client(HTTP_HOST="127.0.0.1")
    client.handler = _SITE
    return client


def _signed_in(email: str) -> Client:
    client = _visiting()
    client.force_login(User.objects.get(email=email))
    return client


def _applicant(code: str) -> str:
    return User.objects.get(applications__code=code).email


def _get(client: Client, path: str) -> Callable[[], object]:
    def act() -> None:
        answer = client.get(path)
        assert answer.status_code == 200, f"{path} answers {answer.status_code}"

    return act


def _each(act: Callable[..., object], given: list[Any]) -> Callable[[], object]:
    """ACT on the next of GIVEN at each turn."""
    rest = iter(given)
    return lambda: act(*next(rest))
