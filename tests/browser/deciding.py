"""What those do by clicking who decide: the ministry, the officer, the reviewers. Each comes by the link in a letter where there is one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from email.message import EmailMessage
from urllib.parse import urlsplit

from django.conf import settings

from tests.browser.hand import Hand
from tests.journeys.deciding import PASSWORD


def sign_in(hand: Hand, email: str) -> None:
    """On the sign-in page, wherever it leads."""
    hand.type("login", email)
    hand.type("password", PASSWORD)
    hand.press("form:has([name=password]) button[type=submit], form:has([name=password]) button:not([type])")


def open_from_letter(hand: Hand, letter: EmailMessage) -> None:
    """Follow the link of LETTER, as it stands in its text."""
    body = letter.get_body(("plain",))
    assert body is not None
    link = re.search(re.escape(settings.SITE_URL) + r"/\S+", body.get_content())
    assert link is not None, body.get_content()
    parts = urlsplit(link.group(0))
    hand.open(f"{parts.path}?{parts.query}" if parts.query else parts.path)


def close_now(hand: Hand, title: str) -> None:
    hand.click("link", "Calls", exact=True)
    hand.click("link", title)
    hand.click("button", re.compile("^Close now"))
    hand.click("button", re.compile("^Close now"))


def check_and_nominate(hand: Hand, name: str) -> None:
    """From the list: open the file of NAME, find each paper in order, and put it on the list."""
    hand.click("link", re.compile(name, re.IGNORECASE))
    put_on_list(hand)


def put_on_list(hand: Hand) -> None:
    """On the page of the file."""
    for check in hand.names("check-"):
        hand.type(check, "yes")
    hand.type("decision", "nominate")
    hand.click("button", "Save and next")


def send_list(hand: Hand) -> None:
    hand.click("link", "Check and send")
    hand.type("confirmed", "on")
    hand.click("button", "Send the list")


def find_eligible(hand: Hand, name: str) -> None:
    """From the page of the call."""
    hand.click("link", "Decide eligibility")
    hand.click("link", re.compile(name, re.IGNORECASE))
    hand.click("link", re.compile("^Decide on eligibility"))
    hand.type("decision", "eligible")
    hand.click("button", "Save the decision")


def assign(hand: Hand, names: Iterable[str]) -> None:
    """From the record."""
    hand.click("link", re.compile("^Give to reviewers"))
    for name in names:
        hand.page.get_by_role("checkbox", name=re.compile(f"^{name}")).check()
        hand.cost.fields += 1
    hand.click("button", "Give it to them")


def score(hand: Hand, points: int) -> None:
    """On the page of the file, all lines alike."""
    for line in hand.names("score-"):
        hand.type(line, str(points))
    hand.type("comment", "Clear, and within reach.")
    hand.click("button", "Submit and next")


def set_places(hand: Hand, box: str, places: int) -> None:
    hand.type(box, str(places))
    hand.click("button", re.compile("^Save and allocate"))


def confirm_and_publish(hand: Hand) -> None:
    hand.click("link", re.compile("^Confirm"))
    hand.click("button", re.compile("^Confirm"))
    hand.click("button", re.compile("^Publish now"))
