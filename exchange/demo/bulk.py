"""The crowd's applications, written in bulk as they stand once they have been handed in."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from django.db import transaction

from exchange.demo.crowd import Somebody, answers_of
from scholarships.applications.answers import split
from scholarships.applications.content import Content, digest, facts_of, requirements_for
from scholarships.applications.door import body_for
from scholarships.applications.models import Answer, Application, Attachment, Choice, Revision, Stage, State
from scholarships.applications.repeating import set_repeated
from scholarships.calls.form import Form, form_of
from scholarships.calls.models import Call, SectionKind
from scholarships.documents.models import Document, DocumentVersion, Format
from scholarships.events.actions import record_many
from scholarships.people.models import Profile, User
from scholarships.programmes.models import Programme


@dataclass
class Filed:
    """One complete application with all its rows, not yet in the database."""

    application: Application
    revision: Revision
    answers: list[Answer]
    choices: list[Choice]
    attachments: list[Attachment]
    stage: Stage


@transaction.atomic
def write_applications(
    call: Call, people: Sequence[Somebody], shared: Mapping[str, tuple[str, int]], dice: random.Random
) -> list[Application]:
    """An application to CALL for each of PEOPLE, complete, handed in before the deadline, with the call's first step.

    Args:
        shared: kind of paper -> (path in the storage, size in bytes); the crowd shares its specimens.
    """
    assert call.version is not None, "the call is published"
    form = form_of(call.version)
    by_level: dict[str, list[Programme]] = {}
    for programme in call.programmes.select_related("host"):
        by_level.setdefault(programme.level, []).append(programme)
    users = User.objects.bulk_create(_account(call, number, person) for number, person in enumerate(people))
    Profile.objects.bulk_create(Profile(user=user, citizenship_id=person.country) for user, person in zip(users, people, strict=True))
    filed = []
    for user, person in zip(users, people, strict=True):
        programmes = dice.sample(by_level[person.level], min(call.choices_max, len(by_level[person.level])))
        at = call.closes_at - timedelta(hours=dice.randint(2, 24 * 20))
        filed.append(_filed(call, form, user, person, programmes, shared, at, dice))
    _save(filed)
    applications = [one.application for one in filed]
    record_many(
        "application.submitted",
        applications,
        at=call.closes_at - timedelta(hours=1),
        data={one.application.code: {"revision": 1, "sha256": one.revision.sha256} for one in filed},
    )
    return applications


def _account(call: Call, number: int, person: Somebody) -> User:
    address = f"{person.given}.{person.family}.{call.code}.{number}@sapar.example".lower()
    return User(email=address, name=person.name, language="en", password="!")


def _filed(
    call: Call,
    form: Form,
    user: User,
    person: Somebody,
    programmes: Sequence[Programme],
    shared: Mapping[str, tuple[str, int]],
    at: datetime,
    dice: random.Random,
) -> Filed:
    application = Application(
        call=call, version=call.version, applicant=user, first_choice=programmes[0], started_at=at - timedelta(days=3), moved_at=at,
    )  # fmt: skip
    revision = Revision(application=application, version=call.version, number=1, opened_at=at, handed_in_at=at)
    said = answers_of(form, person, facts_of(application, {"level": person.level, "citizenship": person.country}, list(programmes)), dice)
    set_repeated(application, {key: value for answers in said.values() for key, value in answers.items()})
    answers = []
    for section in form.sections:
        if section.key in said or section.kind != SectionKind.QUESTIONS:
            values, identity = split(section, said.get(section.key, {}))
            answers.append(Answer(revision=revision, section=section.key, values=values, identity=identity, is_done=True, saved_at=at))
    choices = [Choice(revision=revision, rank=rank, programme=programme) for rank, programme in enumerate(programmes, start=1)]
    content = Content(application, revision, form, {row.section: row for row in answers}, tuple(choices), ())
    attachments = [
        Attachment(revision=revision, requirement=requirement.key, order=order, file=_paper(user, requirement.kind, order, shared, at))
        for requirement in requirements_for(form, content.facts)
        if requirement.is_required
        for order in range(1, requirement.least + 1)
    ]
    revision.sha256 = digest(replace(content, attachments=tuple(attachments)))
    step = form.steps[0]
    stage = Stage(
        application=application, step=step.key, kind=step.kind, order=step.order, body_id=body_for(step, application), entered_at=at
    )
    return Filed(application, revision, answers, choices, attachments, stage)


def _paper(user: User, kind: str, order: int, shared: Mapping[str, tuple[str, int]], at: datetime) -> DocumentVersion:
    path, size = shared[kind]
    return DocumentVersion(
        document=Document(owner=user, kind=kind, created_at=at), number=1, format=Format.JPEG, name=f"{kind}.jpg", size=size,
        sha256=sha256(f"{path} {order}".encode()).hexdigest(), original=path, rebuilt=path, uploaded_at=at, issued_on=at.date(),
    )  # fmt: skip


def _save(filed: Sequence[Filed]) -> None:
    """All rows, each table after those it points at; then the pointers back."""
    applications = [one.application for one in filed]
    attachments = [row for one in filed for row in one.attachments]
    versions = [row.file for row in attachments]
    tables: tuple[list[Any], ...] = (
        applications,
        [one.revision for one in filed],
        [row for one in filed for row in one.answers],
        [row for one in filed for row in one.choices],
        [row.document for row in versions],
        versions,
        attachments,
        [one.stage for one in filed],
    )
    for rows in tables:
        type(rows[0]).objects.bulk_create(rows, batch_size=500)
    for one in filed:
        application, revision = one.application, one.revision
        application.state, application.revision, application.submitted_at = State.SUBMITTED, revision, revision.handed_in_at
    Application.objects.bulk_update(applications, ["state", "revision", "submitted_at"], batch_size=200)
    for version in versions:
        version.document.current = version
    Document.objects.bulk_update([version.document for version in versions], ["current"], batch_size=200)
