"""Somebody at the site without JavaScript: opens pages, follows links by what they say, fills forms in and sends them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.test import Client
from lxml import html


@dataclass
class Person:
    """``page``: the document that is open, at ``path``. Whatever answers 400 or more stops the story."""

    email: str
    client: Client = field(default_factory=lambda: Client(HTTP_HOST="127.0.0.1"))
    page: Any = None
    path: str = ""

    def open(self, path: str) -> Person:
        return self._arrive(self.client.get(path, follow=True), path)

    def follow(self, says: str) -> Person:
        """Follow the first link that says so."""
        found = [link for link in self.page.iter("a") if says in _said(link)]
        assert found, f"{self.path} has no link “{says}”; it has {[_said(link) for link in self.page.iter('a')]}"
        return self.open(_absolute(self.path, found[0].get("href")))

    def press(self, says: str, values: Mapping[str, Any] | None = None, *, within: str = "") -> Person:
        """Fill VALUES into the form of the first button that says so, and press it. WITHIN: a text of the part where it stands."""
        button = self._button(says, within)
        form = self.page.get_element_by_id(button.get("form")) if button.get("form") else next(button.iterancestors("form"))
        sent: dict[str, list[Any]] = {}
        for name, value in form.form_values():
            sent.setdefault(name, []).append(value)
        known = {control.get("name") for control in form.iter("input", "select", "textarea", "button")}
        known |= {control.get("name") for control in self.page.xpath("//*[@form=$id]", id=form.get("id") or "-")}
        for name, value in (values or {}).items():
            assert name in known, f"{self.path} has no field {name}; it has {sorted(filter(None, known))}"
            sent[name] = list(value) if isinstance(value, list | tuple) else [value]
        if button.get("name"):
            sent[button.get("name")] = [button.get("value") or ""]
        path = _absolute(self.path, form.get("action") or self.path)
        if (form.get("method") or "get").lower() == "get":
            return self._arrive(self.client.get(path, sent, follow=True), path)
        return self._arrive(self.client.post(path, sent, follow=True), path)

    def has_field(self, name: str) -> bool:
        return bool(self.page.xpath("//*[@name=$name]", name=name))

    def reads(self, text: str) -> bool:
        return text in self.text

    @property
    def text(self) -> str:
        return _said(self.page)

    def _button(self, says: str, within: str) -> Any:
        for button in self.page.iter("button"):
            if says in _said(button) and (not within or any(within in _said(part) for part in _around(button))):
                return button
        raise AssertionError(f"{self.path} has no button “{says}”; it has {[_said(button) for button in self.page.iter('button')]}")

    def _arrive(self, answer: Any, path: str) -> Person:
        self.path = answer.redirect_chain[-1][0] if answer.redirect_chain else path
        self.page = html.fromstring(answer.content)
        assert answer.status_code < 400, f"{self.path} answers {answer.status_code}: {self.text[:1500]}"
        return self


def _said(element: Any) -> str:
    return " ".join(element.text_content().split())


def _around(button: Any) -> list[Any]:
    """The row, item or section in which a button stands."""
    return [part for part in button.iterancestors("tr", "li", "section", "article") if part is not None][:1]


def _absolute(path: str, link: str) -> str:
    if link.startswith("?"):
        return path.split("?")[0] + link
    return link.replace("http://127.0.0.1:8000", "").split("#")[0]
