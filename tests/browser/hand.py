"""A person at a browser: clicks and typed fields are counted, and each new page is looked at: axe, overflow, console, status."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Response

AXE = (Path(__file__).parent / "axe.min.js").read_text(encoding="utf-8")
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
# Light and dark are one document: in dark only what depends on colour can differ.
RUNS = {"light": "axe.run()", "dark": "axe.run({runOnly: ['color-contrast', 'link-in-text-block']})"}
SHAPES = "[...new Set([...document.querySelectorAll('main, main *')].map(e => e.tagName + '.' + (e.getAttribute('class') || '')))]"
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@dataclass
class Cost:
    """What a task took."""

    clicks: int = 0
    fields: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.clicks + other.clicks, self.fields + other.fields)

    def is_within(self, clicks: int, fields: int) -> bool:
        return self.clicks <= clicks and self.fields <= fields


@dataclass
class Eyes:
    """What has been looked at, by everybody together, and what was found."""

    kinds: set[str] = field(default_factory=set)
    shapes: set[str] = field(default_factory=set)
    findings: list[str] = field(default_factory=list)

    def is_new(self, kind: str, shapes: list[str]) -> bool:
        """Whether this kind of page, or anything on it, is seen for the first time."""
        is_new = kind not in self.kinds or not self.shapes.issuperset(shapes)
        self.kinds.add(kind)
        self.shapes.update(shapes)
        return is_new


@dataclass
class Hand:
    """One person with a browser of her own, as wide as ``size``. ``seconds``: from the last click to the page that it brought."""

    page: Page
    base: str
    eyes: Eyes
    size: dict[str, int]
    cost: Cost = field(default_factory=Cost)
    seconds: float = 0

    @classmethod
    def at(cls, browser: Browser, base: str, eyes: Eyes, *, size: dict[str, int] = PHONE) -> Hand:
        context = browser.new_context(viewport=size, reduced_motion="reduce")  # type: ignore[arg-type]
        context.set_default_timeout(15_000)
        hand = cls(context.new_page(), base, eyes, size)
        hand.page.on("console", hand._hear)
        hand.page.on("pageerror", lambda error: eyes.findings.append(f"{hand.path}: script stopped: {error}"))
        hand.page.on("response", hand._receive)
        return hand

    @property
    def path(self) -> str:
        return self.page.url.removeprefix(self.base).partition("#")[0]

    @contextmanager
    def counting(self) -> Iterator[Cost]:
        """What is clicked and typed inside."""
        before, cost = self.cost, Cost()
        self.cost = cost
        try:
            yield cost
        finally:
            self.cost = before + cost

    # -- Going and clicking ----------------------------------------------------

    def open(self, path: str) -> None:
        self.page.goto(self.base + path)
        self.look()

    def click(
        self, role: str, name: str | re.Pattern[str], *, exact: bool = False, within: Locator | None = None, twice: bool = False
    ) -> None:
        """Click what a person would look for: its role and what it says. TWICE: as somebody impatient does."""
        self._go((within or self.page).get_by_role(role, name=name, exact=exact).first, twice=twice)  # type: ignore[arg-type]

    def press(self, selector: str) -> None:
        self._go(self.page.locator(selector).first)

    def _go(self, control: Locator, *, twice: bool = False) -> None:
        control.scroll_into_view_if_needed()
        began = time.monotonic()
        with self.page.expect_navigation(wait_until="load"):
            if twice:
                control.dblclick()
            else:
                control.click()
        self.seconds = time.monotonic() - began
        self.cost.clicks += 1
        self.look()

    # -- Typing ----------------------------------------------------------------

    def type(self, name: str, value: Any) -> None:
        """Answer the field NAME, whatever kind it is; what is not on the page is passed over."""
        if isinstance(value, bool):
            value = "yes" if value else "no"
        if isinstance(value, str) and len(value) == 10 and self.page.locator(f"[name='{name}_y']").count():
            for part, said in zip("ymd", value.split("-"), strict=True):
                self.page.fill(f"[name='{name}_{part}']", said.lstrip("0"))
            self.cost.fields += 1
            return
        control = self.page.locator(f"[name='{name}']")
        if not control.count() or value in ("", None, []):
            return
        kind = control.first.get_attribute("type") or control.first.evaluate("e => e.tagName.toLowerCase()")
        if kind == "radio":
            self.page.check(f"[name='{name}'][value='{value}']")
        elif kind == "checkbox":
            control.first.check()
        elif kind == "select":
            control.first.select_option(str(value))
        else:
            control.first.fill(str(value))
        self.cost.fields += 1

    def type_all(self, values: Mapping[str, Any]) -> None:
        for name, value in values.items():
            if not isinstance(value, list):
                self.type(name.replace(".", "-"), value)

    def type_missing(self, values: Mapping[str, Any]) -> None:
        """Only what the page does not know already."""
        self.type_all({name: value for name, value in values.items() if not self.is_answered(name.replace(".", "-"))})

    def is_answered(self, name: str) -> bool:
        control = self.page.locator(f"[name='{name}']")
        if not control.count():
            return False
        if control.first.get_attribute("type") in {"radio", "checkbox"}:
            return self.page.locator(f"[name='{name}']:checked").count() > 0
        return bool(control.first.input_value())

    def names(self, start: str) -> list[str]:
        """The names of the fields here that begin so, each once, as they stand."""
        return list(dict.fromkeys(self.page.locator(f"[name^='{start}']").evaluate_all("all => all.map(e => e.name)")))

    # -- Looking ---------------------------------------------------------------

    def reads(self, text: str) -> bool:
        return text in " ".join(self.page.inner_text("body").split())

    def look(self) -> None:
        """Let axe look at this page in light and in dark, and see whether it scrolls sideways, where it shows anything new."""
        path = self.path.split("?")[0]
        kind = "/".join("*" if re.search(r"\d", part) else part for part in path.split("/"))
        if not self.eyes.is_new(kind, self.page.evaluate(SHAPES)):
            return
        self.page.evaluate(AXE)
        for scheme, run in RUNS.items():
            self.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            found = self.page.evaluate(f"{run}.then(r => r.violations.map(v => v.id + ': ' + v.nodes[0].html.slice(0, 120)))")
            self.eyes.findings += [f"{path} ({scheme}): {one}" for one in found]
        self.page.emulate_media(color_scheme="light")
        for size in (PHONE, DESK):
            self.page.set_viewport_size(size)  # type: ignore[arg-type]
            if (over := self.page.evaluate(SIDEWAYS)) > 0:
                self.eyes.findings.append(f"{path} ({size['width']}): scrolls sideways by {over} px")
        self.page.set_viewport_size(self.size)  # type: ignore[arg-type]

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.eyes.findings.append(f"{self.path}: console: {message.text}")

    def _receive(self, answer: Response) -> None:
        if answer.status >= 400:
            self.eyes.findings.append(f"{answer.url.removeprefix(self.base)}: answers {answer.status}")
