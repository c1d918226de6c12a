"""Walk through docs/tour.md, and take its pictures.

Starts a demo site of its own in an empty folder, so that the walk always begins at the same place, and stops it at the end.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from exchange.demo.people import REVIEWER
from tests.browser import applying, deciding
from tests.browser.conftest import CHROMIUM, FLAGS
from tests.browser.hand import DESK, PHONE, Eyes, Hand
from tests.services import ROOT, free_port, wait_until

PICTURES = ROOT / "docs" / "pictures"
MOST_BYTES = 60_000
SCO, ENGINEERS = "SCO Scholarship 2027/28", "Engineers for Central Asia 2027"


class Walker(Hand):
    """Takes pictures instead of looking for faults; console and answers are still heard."""

    def look(self) -> None:
        pass

    def be(self, role: str) -> None:
        """The yellow bar: the same file as somebody else."""
        self.click("button", role, exact=True, within=self.page.locator("form.demo"))

    def take(self, name: str, *, height: int = 0) -> None:
        """The window as docs/pictures/NAME.webp, in at most MOST_BYTES."""
        self.page.set_viewport_size({**self.size, "height": height or self.size["height"]})  # type: ignore[arg-type]
        self.page.wait_for_load_state("networkidle")
        file = PICTURES / f"{name}.webp"
        with Image.open(io.BytesIO(self.page.screenshot())) as picture:
            for colours in (128, 64, 32):
                picture.convert("RGB").quantize(colours, dither=Image.Dither.NONE).convert("RGB").save(file, lossless=True, method=6)
                if file.stat().st_size <= MOST_BYTES:
                    break
        self.page.set_viewport_size(self.size)  # type: ignore[arg-type]
        print(f"{file.relative_to(ROOT)}: {file.stat().st_size / 1000:.0f} kB, {self.path}")


def walk(desk: Walker, phone: Walker) -> None:
    """What docs/tour.md tells, in its order. The phone is the student's."""
    visit(desk)
    code = hand_in(phone)
    nominate(desk, code)
    decide_and_assign(desk, code)
    review(desk, code)
    give_places(desk)
    accept(phone, code)
    see_many(desk)
    read_letters(desk)


def visit(desk: Walker) -> None:
    desk.open("/?citizenship=KG&level=master")
    desk.take("calls")


def hand_in(phone: Walker) -> str:
    phone.open("/")
    phone.be("student")
    phone.click("link", SCO)
    phone.take("tasks")
    phone.click("link", re.compile("^Continue"))
    for box in phone.page.locator("main input[type=checkbox][name]:not([name=done])").all():
        box.check()
    phone.page.check("[name=done][value=y]")
    phone.click("button", "Save and continue")
    code = applying.submit(phone)
    phone.take("receipt")
    return code


def nominate(desk: Walker, code: str) -> None:
    desk.be("officer")
    deciding.close_now(desk, SCO)
    desk.open(f"/manage/applications/{code}/")
    desk.be("ministry")
    desk.take("ministry")
    deciding.put_on_list(desk)
    deciding.send_list(desk)


def decide_and_assign(desk: Walker, code: str) -> None:
    desk.be("officer")
    desk.open(f"/manage/applications/{code}/")
    desk.click("link", re.compile("^Decide on eligibility"))
    desk.type("decision", "eligible")
    desk.click("button", "Save the decision")
    desk.open(f"/manage/applications/{code}/")
    deciding.assign(desk, [REVIEWER.name])
    desk.open(f"/manage/applications/{code}/")
    desk.take("record", height=1100)


def review(desk: Walker, code: str) -> None:
    desk.be("reviewer")
    desk.take("review")
    deciding.score(desk, 9)
    desk.be("officer")
    desk.open(f"/manage/applications/{code}/reviewers/")
    desk.click("button", "Close the review")


def give_places(desk: Walker) -> None:
    desk.click("link", "Calls", exact=True)
    desk.click("link", SCO)
    desk.click("link", "Ranking and places")
    desk.click("button", re.compile("^Save and allocate"))
    deciding.confirm_and_publish(desk)


def accept(phone: Walker, code: str) -> None:
    phone.open(f"/apply/{code}/result/")
    phone.take("offer")
    applying.accept(phone)


def see_many(desk: Walker) -> None:
    desk.click("link", "Calls", exact=True)
    desk.click("link", ENGINEERS)
    desk.take("call")
    desk.click("link", "Ranking and places")
    desk.click("button", re.compile("^Save and allocate"))
    desk.take("places")
    deciding.confirm_and_publish(desk)
    desk.take("offers")


def read_letters(desk: Walker) -> None:
    desk.click("link", "Outbox", exact=True)
    desk.take("outbox")
    desk.click("link", "Demo mailbox")
    desk.take("mailbox")


@contextmanager
def demo_site() -> Iterator[str]:
    """A demo site in an empty folder; gives its address."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="sapar-tour-") as folder:
        plain = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL", "EMAIL_URL", "SITE_URL"}}
        log = Path(folder) / "up.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "manage.py", "up"], cwd=ROOT, env={**plain, "VAR": folder, "PORT": str(port)}, stdout=out, stderr=out
            )
            try:
                wait_until(lambda: b" is open" in log.read_bytes() or process.poll() is not None, 180, "the site opening")
                assert process.poll() is None, log.read_text()
                yield f"http://127.0.0.1:{port}"
            finally:
                process.terminate()
                process.wait(30)


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    eyes = Eyes()
    with demo_site() as base, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        walk(Walker.at(browser, base, eyes, size=DESK), Walker.at(browser, base, eyes, size=PHONE))
        browser.close()
    if eyes.findings:
        sys.exit("\n".join(eyes.findings))
