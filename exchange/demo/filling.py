"""Filling an application in as its applicant does: papers from the library, answers page by page."""

from __future__ import annotations

import io
import random
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from exchange.demo import specimens
from exchange.demo.crowd import Somebody, answers_of
from scholarships.applications import actions
from scholarships.applications.content import content_of, requirements_for
from scholarships.applications.models import Application
from scholarships.calls.form import form_of
from scholarships.calls.models import Call, SectionKind
from scholarships.documents import actions as papers
from scholarships.documents.models import DocumentVersion, Kind
from scholarships.people.models import User


def _drawn(person: Somebody, country: str) -> dict[str, list[bytes]]:
    courses = [
        ("Mathematics", "92"),
        ("Hydraulics", "95"),
        ("Physics of the atmosphere", "90"),
        ("Statistics", "94"),
        ("Field practice", "98"),
        ("Chinese language", "88"),
    ]
    letter = [
        "To the selection board",
        "",
        "I have taught the applicant for three years.",
        "In the field course the measurements were done twice,",
        "without being asked. The thesis found an error",
        "in the table that all of us had used for years.",
        "",
        "I recommend the applicant without reserve.",
    ]
    return {
        Kind.PASSPORT: [
            specimens.passport(person.name, country, f"{person.country}{person.birth:%m%d%y}7", person.birth.isoformat(), "2032-06-14")
        ],
        Kind.PHOTO: [specimens.page("Photo", ["Specimen of a photo"])],
        Kind.DIPLOMA: [
            specimens.page(
                "Diploma", [person.name, "", "Bachelor of Science, Hydrology", "Specimen State University", "June 2026"], signed="Rector"
            )
        ],
        Kind.TRANSCRIPT: [specimens.transcript(courses)],
        Kind.LANGUAGE: [specimens.page("HSK 4", ["Listening 85", "Reading 90", "Writing 78", "", "Total 253 of 300", "May 2026"])],
        Kind.LETTER: [
            specimens.page("Letter of recommendation", letter, signed="Professor, thesis supervisor"),
            specimens.page("Letter of recommendation", letter[:5], signed="Head of department"),
        ],
        Kind.MEDICAL: [
            specimens.page(
                "Physical examination",
                ["Heart: normal", "Lungs: normal", "Vision: 1.0 / 1.0", "", "Fit for study abroad"],
                signed="Physician, hospital stamp",
            )
        ],
        Kind.CONDUCT: [
            specimens.page("Certificate of conduct", ["No entries in the register.", "Issued for study abroad."], signed="Registry")
        ],
    }


def papers_of(user: User, person: Somebody, country: str) -> dict[tuple[int, str], list[DocumentVersion]]:
    """The library of a person one can be, uploaded as everybody does."""
    recently = timezone.localdate() - timedelta(days=20)
    return {
        (user.pk, kind): [
            papers.add(user, kind, io.BytesIO(image), f"{kind}-{number}.jpg", issued_on=recently)
            for number, image in enumerate(images, start=1)
        ]
        for kind, images in _drawn(person, country).items()
    }


def shared_papers() -> dict[str, tuple[str, int]]:
    """One specimen of each kind of paper for the whole crowd: kind -> (path in the storage, size in bytes)."""
    person = Somebody("Specimen", "Person", "KG", "master", birth=date(2003, 3, 14), gpa=80, hsk=4, ielts=6.5, merit=0.7)
    rare = {kind: [specimens.page(str(kind.label), ["Specimen of a paper"])] for kind in Kind}
    found = {}
    for kind, images in {**rare, **_drawn(person, "Specimen")}.items():
        path = default_storage.save(f"demo/{kind}", ContentFile(images[0]))
        found[str(kind)] = (path, len(images[0]))
    return found


def fill_in(
    call: Call,
    user: User,
    person: Somebody,
    choices: Sequence[str],
    library: Mapping[tuple[int, str], list[DocumentVersion]],
    dice: random.Random,
    *,
    at: datetime,
    leave_open: frozenset[str] = frozenset(),
) -> Application:
    """Fill an application in, page by page, as its applicant does; sections in LEAVE_OPEN stay empty."""
    application = actions.start(call, by=user, at=at)
    programmes = {programme.code: programme for programme in call.programmes.select_related("host")}
    actions.set_choices(application, [programmes[code] for code in choices], by=user, at=at)
    chosen = [programmes[code] for code in choices]
    facts = {
        "taught_in": sorted({row.taught_in for row in chosen}),
        "fields": sorted({row.field for row in chosen}),
        "months": max(row.months for row in chosen),
    }
    form = form_of(application.version)
    answers = answers_of(form, person, facts, dice)
    content = content_of(application)
    for section in form.sections:
        if section.kind == SectionKind.QUESTIONS and section.key in answers and section.key not in leave_open:
            known = content.answers.get(section.key)
            actions.save_answers(
                application, section, answers[section.key], is_done=True, known_version=known.version if known else 0, by=user, at=at
            )
    content = content_of(application)
    for requirement in requirements_for(form, content.facts):
        files = library.get((user.pk, requirement.kind), [])
        for file in files[: requirement.least]:
            actions.attach(application, requirement.key, file, by=user, at=at)
    for key in ("choices", "documents", "letters"):
        section = form.section(key)
        if section and key not in leave_open:
            actions.save_answers(application, section, {}, is_done=True, known_version=0, by=user, at=at)
    return application
