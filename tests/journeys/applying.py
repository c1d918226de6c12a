"""What a student does: signs in by code, starts, fills every page in, uploads papers, submits."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from exchange.demo.crowd import Somebody, answers_of
from exchange.demo.specimens import page as specimen
from scholarships.calls.form import form_of
from scholarships.calls.models import Call
from scholarships.programmes.models import Programme
from tests.journeys.person import Person
from tests.services import Mailbox, wait_until


def sign_up(student: Person, post: Mailbox, *, name: str, citizenship: str) -> None:
    """From the sign-in page to the page that was wanted, by the six digits of a letter."""
    before = len(post.to(student.email))
    student.press("Send me a code", {"email": student.email})
    letter = wait_until(lambda: post.to(student.email)[before:], what="the letter with the code")[-1]
    code = re.search(r"\d{6}", str(letter["Subject"]))
    assert code is not None
    student.press("Sign in", {"code": code.group(0)})
    student.press("Continue", {"name": name, "citizenship": citizenship})


def fill_in(student: Person, call: Call, person: Somebody, programmes: Sequence[Programme]) -> int:
    """Every page from the first to the task list; gives how many there were."""
    assert call.version is not None
    facts = {
        "taught_in": sorted({row.taught_in for row in programmes}),
        "fields": sorted({row.field for row in programmes}),
        "months": max(row.months for row in programmes),
    }
    answers = answers_of(form_of(call.version), person, facts, random.Random(1))
    pages = 0
    student.follow("Continue")
    while section := _section_of(student.path):
        pages += 1
        assert pages < 40, f"the pages do not end: {student.path}"
        if section == "choices":
            _choose(student, programmes)
        elif section == "documents":
            _upload(student)
        elif section == "letters":  # they may come later
            student.press("Save and continue", {"done": "y"})
        else:
            _answer(student, answers[section])
    return pages


def _section_of(path: str) -> str:
    """The section whose page this is, or "" on the task list."""
    match = re.fullmatch(r"/apply/\w+/(?:sections/)?([a-z_.]+)/", path)
    return match.group(1) if match else ""


def _choose(student: Person, programmes: Sequence[Programme]) -> None:
    for programme in programmes:
        student.follow("Find a programme")
        student.press("Filter", {"host": programme.host.code})
        student.press("Add as choice", within=str(programme.title))
    student.press("Save and continue", {"done": "y"})


def _answer(student: Person, answers: Mapping[str, Any]) -> None:
    here = student.path
    for group, rows in answers.items():
        for row in rows if isinstance(rows, list) and rows and isinstance(rows[0], dict) else []:
            link = student.page.xpath("//section[@aria-labelledby=$id]//a[contains(@class, 'btn')]/@href", id=f"g-{group}")[0]
            student.open(link)
            student.press("Save entry", _controls(student, row))
    for _turn in range(4):  # answers open further questions on the same page
        student.press("Save and continue", {**_controls(student, answers), "done": "y"})
        if student.path != here or not student.reads("More questions follow"):
            break
    assert not student.page.xpath("//*[@id='errors']"), student.text


def _controls(student: Person, answers: Mapping[str, Any]) -> dict[str, Any]:
    """ANSWERS as the controls of this page say them."""
    found: dict[str, Any] = {}
    for key, value in answers.items():
        name = key.replace(".", "-")
        if student.has_field(f"{name}_y"):
            for part, said in zip("ymd", str(value).split("-"), strict=False):
                found[f"{name}_{part}"] = said
        elif student.has_field(name) and value not in (None, "", []):
            is_statement = student.page.xpath("//*[@name=$name]/@type", name=name)[:1] == ["checkbox"]
            found[name] = (
                "on"
                if value is True and is_statement
                else {True: "yes", False: "no"}.get(value, value)
                if isinstance(value, bool)
                else value
            )
    return found


def _upload(student: Person) -> None:
    """A paper for everything that is missing."""
    image = specimen("Specimen", ["A paper of an invented person"])
    for number in range(40):
        missing = [part for part in student.page.xpath("//section") if part.xpath(".//span[contains(@class, 'todo')]")]
        if not missing:
            break
        file = next(name for name in missing[0].xpath(".//input[@type='file']/@name"))
        values: dict[str, Any] = {file: SimpleUploadedFile(f"paper-{number}.jpg", image, "image/jpeg")}
        for name in missing[0].xpath(".//input[contains(@name, 'issued_on')]/@name"):
            values[name] = {"d": "10", "m": "11", "y": "2026"}[name[-1]]
        student.press("Upload", values, within=missing[0].xpath("string(.//h2)").strip())
    student.press("Save and continue", {"done": "y"})


def submit(student: Person) -> str:
    """From the task list to the receipt; gives the reference."""
    student.follow("Check your answers and submit")
    student.press("Submit application")
    return student.path.split("/")[2]
