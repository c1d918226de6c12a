"""A large call to measure on: N applications in every state, and some complete files for whom the pages are opened."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.core.management import call_command
from django.core.management.color import no_style
from django.db import connection, transaction
from django.utils import timezone

from exchange.demo.bulk import write_applications
from exchange.demo.crowd import somebody
from exchange.demo.filling import shared_papers
from exchange.management.commands.load_call import load_library, shipped
from scholarships.applications.models import Application, Choice, Revision, Stage, State
from scholarships.applications.words import folded
from scholarships.calls.file import read
from scholarships.calls.form import form_of
from scholarships.calls.loading import load
from scholarships.calls.models import Call
from scholarships.people.actions import give_role
from scholarships.people.models import Role, Scope, User
from scholarships.programmes.models import Programme
from scholarships.reviews.models import Assignment
from tests.factories import make_reviewer, make_user

CALL = "sco-2027"
OFFICER, REVIEWER, MINISTRY, STUDENT = (f"{who}@bench.example" for who in ("officer", "reviewer", "ministry", "student"))
REVIEWERS = 20
NAMES = (
    "Asanova Nuray", "Mirzoev Farrukh", "Karimjonova Dilnoza", "Serikkyzy Aruzhan", "Durdyeva Ogulgerek", "Po‘latov Oybek",
    "Қурбонов Шерзод", "Umarova Madina", "Әлиева Гүлнұр", "Normatova Zarina", "王 小明", "Ҷӯраев Ҳасан", "Ivanov Pyotr", "Khan Ayesha",
    "Toktogulova Aizada", "Bekova Nurgul", "Sultanov Timur", "Rahimova Lola", "Sharma Priya", "李 娜",
)  # fmt: skip
COUNTRIES = ("KG", "KZ", "UZ", "TJ", "PK", "RU", "IR", "BY", "IN")
# State, kind of the open step, how many of a hundred.
STATES = (
    ("draft", "", 5), ("submitted", "nomination", 30), ("returned", "", 5), ("nominated", "eligibility", 15), ("eligible", "review", 10),
    ("in_review", "review", 18), ("in_review", "allocation", 7), ("ineligible", "", 5), ("withdrawn", "", 5),
)  # fmt: skip


@dataclass(frozen=True)
class World:
    """Codes of the complete files: ``drafts`` can be submitted, one each time; the reviewer can score ``files``."""

    drafts: tuple[str, ...]
    files: tuple[str, ...]


def empty() -> None:
    """Every table new and empty. What PostgreSQL's database held before is lost."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("DROP SCHEMA public CASCADE")
            cursor.execute("CREATE SCHEMA public")
    call_command("migrate", verbosity=0)


def fill(n: int, complete: int) -> World:
    """N applications to the shipped SCO call, then so many COMPLETE drafts of it and as many files for the reviewer."""
    load_library()
    call = load(read(shipped("sco").read_text(encoding="utf-8")), opens_on=timezone.localdate() - timedelta(days=30))
    load(read(shipped("tcm-3-2").read_text(encoding="utf-8")), opens_on=timezone.localdate() - timedelta(days=30))
    give_role(make_user("Chen Li", email=OFFICER, country="CN"), Role.OFFICER)
    give_role(make_user("Aizada Toktogulova", email=MINISTRY), Role.BODY, scope=Scope.INSTITUTION, key="kg-moe")
    reviewers = [make_reviewer(call, name=f"Reviewer {number}") for number in range(REVIEWERS)]
    User.objects.filter(pk=reviewers[0].pk).update(email=REVIEWER)
    for rows in _rows(n, call, reviewers):
        _write(rows)
    _settle()
    return _complete(call, complete, reviewers[0])


def _rows(n: int, call: Call, reviewers: list[User]) -> Iterator[list[list[Any]]]:
    """The rows of two thousand applications at a time, each model after what it points at."""

    steps = {step.kind: step for step in form_of(call.version).steps}
    programmes = list(Programme.objects.filter(calls=call).values_list("pk", flat=True))
    now = timezone.now()
    states = [(state, kind) for state, kind, share in STATES for _each in range(share)]
    first_user = User.objects.order_by("-pk").values_list("pk", flat=True)[0] + 1
    for start in range(0, n, 2000):
        people, applications, revisions, choices, stages, assignments = [], [], [], [], [], []
        for i in range(start, min(start + 2000, n)):
            pk = i + 1
            family, _space, given = NAMES[i * 7 % len(NAMES)].partition(" ")
            name = f"{given} {family} {i % 977}"
            state, kind = states[i * 37 % 100]
            country = COUNTRIES[i % len(COUNTRIES)]
            is_scored = kind == "allocation" or (state == "in_review" and i % 2)
            programme = programmes[i * 13 % len(programmes)]
            people.append(User(pk=first_user + i, email=f"p{i}@bench.example", name=name, password="!"))
            application = Application(
                pk=pk, call=call, version=call.version, applicant_id=first_user + i, state=state, level=("master", "doctoral")[i % 5 == 0],
                country_id=country, first_choice_id=programme, name=name, sort_key=f"{family} {name}".casefold(), revision_id=pk,
                submitted_at=now - timedelta(minutes=i), moved_at=now - timedelta(minutes=i * 7919 % 200_000),
                score=round((i * 31 % 1000) / 100, 2) if is_scored else None,
            )  # fmt: skip
            application.search = folded(f"{name} {family} {given} {application.code}")
            applications.append(application)
            revisions.append(Revision(pk=pk, application_id=pk, version=call.version, number=1, handed_in_at=now, sha256="0" * 64))
            choices.append(Choice(revision_id=pk, rank=1, programme_id=programme))
            if kind:
                step = steps[kind]
                body = next(iter(step.bodies[country])) if kind == "nomination" else None
                stages.append(Stage(application_id=pk, step=step.key, kind=kind, order=step.order, body_id=body, entered_at=now))
            if state == "in_review":
                assignments += [
                    Assignment(
                        call=call, application_id=pk, reviewer=reviewers[(i + k) % REVIEWERS],
                        progress="done" if is_scored else "todo", scored=5 if is_scored else None,
                    )
                    for k in range(2)
                ]  # fmt: skip
        yield [people, applications, revisions, choices, stages, assignments]


def _write(rows: list[list[Any]]) -> None:

    with transaction.atomic():
        for members in rows:
            type(members[0]).objects.bulk_create(members, batch_size=500)


def _settle() -> None:
    """Sequences go on after the numbers given by hand, and the planner knows the tables as after some hours of use."""

    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), [User, Application, Revision]):
            cursor.execute(statement)
        if connection.vendor == "postgresql":
            cursor.execute("SET statement_timeout = 0")
            cursor.execute("VACUUM ANALYZE")


def _complete(call: Call, number: int, reviewer: User) -> World:
    """Complete files with all answers and papers: drafts of one student each, and files in review for REVIEWER."""

    dice = random.Random(1)
    shared = shared_papers()
    written = write_applications(call, [somebody(dice, "KG", "master") for _each in range(2 * number)], shared, dice)
    drafts, files = written[:number], written[number:]
    now = timezone.now()
    for row in written:
        Application.objects.filter(pk=row.pk).update(moved_at=now)
    for row in drafts:
        Stage.objects.filter(application=row).delete()
        Revision.objects.filter(application=row).update(handed_in_at=None, sha256="")
        Application.objects.filter(pk=row.pk).update(state=State.DRAFT, submitted_at=None, revision=None)
    User.objects.filter(pk=drafts[0].applicant_id).update(email=STUDENT)
    review = form_of(call.version).first_step_of("review")
    for row in files:
        Stage.objects.filter(application=row).update(step=review.key, kind=review.kind, order=review.order, body=None)
        Application.objects.filter(pk=row.pk).update(state=State.IN_REVIEW)
        Assignment.objects.create(call=call, application=row, reviewer=reviewer)
    return World(drafts=tuple(row.code for row in drafts), files=tuple(row.assignments.get().code for row in files))
