"""What a student does by clicking: asks, signs up, fills every page in, hands in, answers an offer."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from pathlib import Path

from exchange.demo.crowd import Somebody, answers_of
from scholarships.calls.form import Form, form_of
from scholarships.calls.models import Call
from scholarships.programmes.models import Programme
from tests.browser.hand import Cost, Hand
from tests.services import Mailbox, wait_until


def find_the_call(hand: Hand, call: Call, *, citizenship: str, level: str) -> None:
    hand.open("/")
    hand.type("citizenship", citizenship)
    hand.type("level", level)
    hand.click("button", "Show my calls")
    hand.click("link", str(call.title))


def check_whether_she_can(hand: Hand, **answers: str) -> None:
    """From the page of the call to the verdict; what she has said before is there already."""
    hand.click("link", "Check in a minute")
    hand.type_missing(answers)
    hand.click("button", "Check", exact=True)


def sign_up(hand: Hand, post: Mailbox, email: str, *, name: str, citizenship: str) -> None:
    """From the sign-in page to the page that was wanted, by the six digits of a letter."""
    hand.type("email", email)
    hand.click("button", "Send me a code")
    letter = wait_until(lambda: post.to(email), what="the letter with the code")[-1]
    code = re.search(r"\d{6}", str(letter["Subject"]))
    assert code is not None
    hand.type("code", code.group(0))
    hand.click("button", "Sign in", exact=True)
    hand.type_missing({"name": name, "citizenship": citizenship})
    hand.click("button", "Continue")


def fill_in(hand: Hand, call: Call, person: Somebody, programmes: Sequence[Programme], paper: Path) -> tuple[int, Cost]:
    """Every page from the first to the task list; gives how many pages there were, and what they took."""
    assert call.version is not None
    form = form_of(call.version)
    facts = {
        "taught_in": sorted({row.taught_in for row in programmes}),
        "fields": sorted({row.field for row in programmes}),
        "months": max(row.months for row in programmes),
    }
    answers = answers_of(form, person, facts, random.Random(1))
    pages = 0
    with hand.counting() as cost:
        hand.click("link", re.compile("^Continue"))
        while section := _section_of(hand.path):
            pages += 1
            assert pages < 40, f"the pages do not end: {hand.path}"
            if section == "choices":
                _choose(hand, programmes)
            elif section == "documents":
                _upload(hand, paper)
            elif section == "letters":  # they may come later
                _finish(hand)
            else:
                _answer(hand, form, section, answers[section])
    return pages, cost


def _section_of(path: str) -> str:
    """The section whose page this is, or "" on the task list."""
    match = re.search(r"/apply/\w+/(?:sections/)?([a-z_.]+)/$", path)
    return match.group(1) if match else ""


def _choose(hand: Hand, programmes: Sequence[Programme]) -> None:
    for programme in programmes:
        hand.click("link", "Find a programme")
        row = hand.page.get_by_role("row", name=re.compile(f"^{programme.title}.*{programme.host.name}"))
        hand.click("button", re.compile("^Add"), within=row)
    hand.click("button", re.compile(f"^Down.*{programmes[0].title}"))
    hand.click("button", re.compile(f"^Up.*{programmes[0].title}"))
    _finish(hand)


def _answer(hand: Hand, form: Form, key: str, answers: dict) -> None:
    for group, rows in answers.items():
        for row in rows if isinstance(rows, list) and rows and isinstance(rows[0], dict) else []:
            hand.press(f"section[aria-labelledby='g-{group}'] a.btn")
            hand.type_all(row)
            hand.click("button", "Save entry")
    for _turn in range(4):  # answers open further questions on the same page
        hand.type_missing(answers)
        before = hand.page.url
        _finish(hand)
        if hand.page.url != before or not hand.reads("More questions follow"):
            break
    assert not hand.page.locator("#errors").count(), f"{key}: {hand.page.locator('#errors').inner_text()}"


def _upload(hand: Hand, paper: Path) -> None:
    while True:
        missing = hand.page.locator("section.panel", has=hand.page.get_by_text("Missing", exact=True)).first
        if not missing.count():
            break
        for part, said in (("d", "10"), ("m", "11"), ("y", "2026")):
            box = missing.locator(f"input[name$='-issued_on_{part}']")
            if box.count():
                box.fill(said)
        missing.locator("input[type=file]").set_input_files(paper)
        hand.click("button", "Upload", within=missing)
        assert not hand.page.locator("#errors").count(), hand.page.locator("#errors").inner_text()
    _finish(hand)


def _finish(hand: Hand) -> None:
    hand.page.check("[name=done][value=y]")
    hand.click("button", "Save and continue")


def submit(hand: Hand) -> str:
    """From the task list to the receipt, by a double click; gives the reference."""
    hand.click("link", "Check your answers and submit")
    assert not hand.page.locator("main .notice").count(), hand.page.locator("main .notice").first.inner_text()
    hand.click("button", "Submit application", twice=True)
    hand.page.wait_for_url(re.compile("/receipt/"))
    return hand.path.split("/")[2]


def accept(hand: Hand) -> None:
    """From the page of the offer."""
    hand.type("answer", "accept")
    hand.click("button", "Continue", exact=True)
    hand.click("button", "Yes, accept")
