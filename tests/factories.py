"""Complete things, made in one line: ``make_application()`` is ready to be handed in."""

from __future__ import annotations

import io
import itertools
import json
from datetime import timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from django.utils import timezone
from PIL import Image

from scholarships.applications import actions
from scholarships.applications.content import content_of, requirements_for
from scholarships.applications.door import advance
from scholarships.applications.models import Application, Outcome, Revision, Stage, State
from scholarships.applications.rules import current_stage
from scholarships.calls.file import CallFile, read
from scholarships.calls.form import form_of
from scholarships.calls.loading import load
from scholarships.calls.models import Call, SectionKind, StepKind
from scholarships.documents import actions as papers
from scholarships.documents.models import Document, DocumentVersion
from scholarships.nominations import actions as nominations
from scholarships.nominations.models import Nomination
from scholarships.partners.models import Institution
from scholarships.people.actions import give_role, settle
from scholarships.people.models import Profile, Role, Scope, User
from scholarships.programmes.models import Programme
from scholarships.references import actions as asking
from scholarships.references import answering
from scholarships.references.models import Letter, Reference
from scholarships.reviews.actions import assign
from scholarships.reviews.models import Assignment

_number = itertools.count(1)


def make_user(name: str = "Nuray Asanova", *, email: str = "", country: str = "KG", **fields: Any) -> User:
    number = next(_number)
    user = User.objects.create_user(email or f"person{number}@sapar.example", name="", **fields)
    settle(user, name=name, citizenship=country, language="en")
    return user


def make_institution(code: str = "", *, kind: str = "university", country: str = "CN", name: str = "") -> Institution:
    number = next(_number)
    found = Institution.objects.filter(code=code).first() if code else None
    return found or Institution.objects.create(
        code=code or f"inst-{number}", kind=kind, country_id=country, name={"en": name or f"University {number}"}
    )


def make_programme(
    code: str = "",
    *,
    host: Institution | None = None,
    level: str = "master",
    taught_in: str = "en",
    field: str = "0613",
    months: int = 24,
    title: str = "",
) -> Programme:
    number = next(_number)
    code = code or f"prog-{number}"
    return Programme.objects.create(
        code=code,
        host=host or make_institution(),
        level=level,
        taught_in=taught_in,
        field=field,
        months=months,
        title={"en": title or f"Programme {number}"},
    )


def make_officer(*, scope: str = Scope.SITE, key: str = "", name: str = "Chen Li") -> User:
    user = make_user(name, country="CN")
    give_role(user, Role.OFFICER, scope=scope, key=key)
    return user


def make_reviewer(
    call: Call | None = None, *, name: str = "Rustam Omarov", country: str = "DE", institution: Institution | None = None
) -> User:
    user = make_user(name, country=country)
    Profile.objects.filter(user=user).update(institution=institution)
    give_role(user, Role.REVIEWER, scope=Scope.CALL if call else Scope.SITE, key=call.code if call else "")
    return User.objects.select_related("profile").get(pk=user.pk)


def make_body_member(body: Institution, *, name: str = "Aizada Toktogulova") -> User:
    user = make_user(name)
    give_role(user, Role.BODY, scope=Scope.INSTITUTION, key=body.code)
    return user


SMALL_CALL = """
call: {code}
scheme:
  code: small
  kind: bilateral
  name: Small scheme
  coverage:
    - {{item: Tuition, says: Waived}}
  stipends: {{master: 3000, doctoral: 3500}}
title: Small call
summary: A small call for tests.
zone: Asia/Shanghai
opens: 2026-11-01T09:00
closes: 2026-12-20T18:00
grace: 15
results: 2027-02-15T18:00
starts: 2027-09-01
countries: [KG, KZ, UZ]
levels: [master, doctoral]
choices: 3
reviews: 2
programmes: [{programmes}]
milestones:
  - {{key: nomination, title: Nomination, from: 2026-12-21T09:00, until: 2027-01-10T18:00}}
sections:
  - key: study
    group: About you
    title: Your study
    questions:
      - {{key: citizenship, kind: country, label: Citizenship}}
      - key: level
        kind: choice
        label: Level
        options: [{{value: master, label: Master}}, {{value: doctoral, label: Doctorate}}]
  - key: person
    group: About you
    title: Person
    questions:
      - {{key: family_name, kind: text, label: Family name, identity: true, limits: {{pattern: latin}}}}
      - {{key: given_names, kind: text, label: Given names, identity: true, limits: {{pattern: latin}}}}
      - {{key: birth_date, kind: date, label: Date of birth, identity: true}}
      - {{key: passport, kind: text, label: Passport number, identity: true, limits: {{pattern: passport}}}}
  - key: education
    group: About you
    title: Education
    questions:
      - key: education.highest
        kind: choice
        label: Highest education
        options: [{{value: secondary, label: Secondary}}, {{value: bachelor, label: Bachelor}}, {{value: master, label: Master}}]
      - {{key: gpa, kind: number, label: Average mark, limits: {{minimum: 0, maximum: 100}}}}
      - key: schools
        kind: group
        label: Schools
        limits: {{most: 5}}
        columns:
          - {{key: name, kind: text, label: School, identity: true}}
          - {{key: year, kind: text, label: Year, limits: {{pattern: year}}}}
  - key: choices
    kind: choices
    group: Your study
    title: Choices
  - key: plan
    group: Your study
    title: Study plan
    questions:
      - {{key: plan, kind: long, label: Study plan, limits: {{words_min: 10, words_max: 200}}}}
  - key: documents
    kind: documents
    group: Papers
    title: Documents
requirements:
  - {{key: passport, kind: passport, title: Passport page}}
  - {{key: transcript, kind: transcript, title: Transcript, reviewers_see: true}}
criteria:
  - {{key: citizen, kind: citizenship, params: {{countries: [KG, KZ, UZ]}}, title: Citizen of a partner country}}
  - {{key: age, kind: age, params: {{maximum: 35, on: 2027-09-01}}, when: 'level == "master"', title: Under 35}}
  - {{key: degree, kind: education, params: {{at_least: bachelor}}, title: Bachelor}}
rubric:
  - {{key: record, title: Record, weight: 60, anchors: [a, b, c, d, e]}}
  - {{key: plan, title: Plan, weight: 30, anchors: [a, b, c, d, e]}}
  - {{key: other, title: Other, weight: 10, anchors: [a, b, c, d, e], may_skip: true}}
steps:
  - {{key: nomination, kind: nomination, title: Nomination, body: citizenship, milestone: nomination, bodies: {{KG: kg-ministry, KZ: kz-ministry, UZ: uz-ministry}}}}
  - {{key: eligibility, kind: eligibility, title: Eligibility}}
  - {{key: review, kind: review, title: Review}}
  - {{key: allocation, kind: allocation, title: Places}}
  - {{key: offer, kind: offer, title: Offer}}
quotas:
  - purpose: award
    by: [a.country, o.level]
    cells: [[KG, master, 2], [KG, doctoral, 1], [KZ, master, 2], [KZ, doctoral, 1], [UZ, master, 2], [UZ, doctoral, 1]]
  - purpose: nomination
    by: [a.country, o.level]
    cells: [[KG, master, 3], [KG, doctoral, 1], [KZ, master, 3], [UZ, master, 3]]
"""


def small_call_file(code: str = "small-2027", programmes: list[str] | None = None, **replaced: str) -> CallFile:
    text = SMALL_CALL.format(code=code, programmes=", ".join(programmes or ["small-a", "small-b"]))
    for old, new in replaced.items():
        text = text.replace(old, new)
    return read(text)


def make_call(code: str = "small-2027", *, programmes: int = 2, opened_days_ago: int = 10, **replaced: str) -> Call:
    """A published call, open now: three countries, two levels, five steps, quotas. REPLACED: words of its file -> others."""
    for country in ("kg", "kz", "uz"):
        make_institution(f"{country}-ministry", kind="ministry", country=country.upper(), name=f"Ministry of {country.upper()}")
    host = make_institution("small-host", name="Small Host University")
    codes = [f"small-{letter}" for letter in "abcdefgh"[:programmes]]
    for programme in codes:
        if not Programme.objects.filter(code=programme).exists():
            make_programme(programme, host=host)
    return load(small_call_file(code, codes, **replaced), opens_on=timezone.localdate() - timedelta(days=opened_days_ago))


def make_call_with_letters(code: str = "letters-2027", **terms: Any) -> Call:
    """The small call, which asks for two letters of referees until ten days after it closes. TERMS: others than the usual ones."""
    for country in ("kg", "kz", "uz"):
        make_institution(f"{country}-ministry", kind="ministry", country=country.upper(), name=f"Ministry of {country.upper()}")
    host = make_institution("small-host", name="Small Host University")
    for programme in ("small-a", "small-b"):
        if not Programme.objects.filter(code=programme).exists():
            make_programme(programme, host=host)
    said = {"ways": "either", "wanted": 2, "most": 3, "due": "letters", **terms}
    milestone = "  - {key: letters, title: Letters are due, from: 2026-12-20T18:00, until: 2026-12-30T18:00}\n"
    section = "  - {key: letters, kind: letters, group: Papers, title: Letters}\n"
    file = small_call_file(
        code,
        **{
            "milestones:\n": f"milestones:\n{milestone}",
            "requirements:\n": f"{section}requirements:\n",
            "criteria:\n": f"letters: {json.dumps(said)}\ncriteria:\n",
        },
    )
    return load(file, opens_on=timezone.localdate() - timedelta(days=10))


def make_reference(application: Application | None = None, *, scan: bool = False, **said: Any) -> Reference:
    """A referee who is asked for a letter, with an address of an institution."""
    application = application or make_draft(make_call_with_letters())
    number = next(_number)
    referee = {
        "name": "Aigul Karimova", "address": f"karimova{number}@ksu.example", "position": "Professor", "institution": "Karakol State University",
    }  # fmt: skip
    file = (io.BytesIO(picture()), "letter.jpg") if scan else None
    return asking.ask(application, asking.Referee(**referee | said), by=application.applicant, scan=file)


def send_letter(reference: Reference, text: str = "She measured a canal for two seasons.", **said: Any) -> Letter:
    """The letter of a referee, sent."""
    answering.save(reference, text=text, known_version=0, **said)
    return answering.send(reference)


@lru_cache
def picture(color: str = "white", size: tuple[int, int] = (320, 220)) -> bytes:
    """The bytes of a JPEG."""
    out = io.BytesIO()
    Image.new("RGB", size, color).save(out, "JPEG")
    return out.getvalue()


def make_document(owner: User, kind: str = "passport", *, name: str = "page.jpg") -> DocumentVersion:
    return papers.add(owner, kind, io.BytesIO(picture()), name)


def paper_without_check(owner: User, kind: str) -> DocumentVersion:
    """A paper for tests that are not about papers: no file, no child process."""
    document = Document.objects.create(owner=owner, kind=kind)
    version = DocumentVersion.objects.create(
        document=document, number=1, format="jpeg", name=f"{kind}.jpg", size=1000, pages=1, sha256="0" * 64, original="none", rebuilt="none"
    )
    document.current = version
    document.save(update_fields=["current"])
    return version


ANSWERS: dict[str, dict[str, Any]] = {
    "study": {"citizenship": "KG", "level": "master"},
    "person": {"family_name": "ASANOVA", "given_names": "NURAY", "birth_date": "2003-03-14", "passport": "AN1234567"},
    "education": {"education.highest": "bachelor", "gpa": "86", "schools": [{"name": "Karakol State University", "year": "2026"}]},
    "plan": {"plan": "I want to study how glaciers melt and what the villages below can do about water."},
}


def make_draft(
    call: Call | None = None, applicant: User | None = None, *, choices: list[Programme] | None = None, **changed: Any
) -> Application:
    """An application that is complete and not handed in. CHANGED: question key -> another answer."""
    call = call or make_call()
    applicant = applicant or make_user()
    application = actions.start(call, by=applicant)
    content = content_of(application)
    for section in content.form.sections:
        if section.kind == SectionKind.QUESTIONS:
            values = {
                question.key: changed.get(question.key.replace(".", "_"), ANSWERS.get(section.key, {}).get(question.key))
                for question in section.questions
            }
            actions.save_answers(application, section, values, is_done=True, known_version=0, by=applicant)
    actions.set_choices(application, choices or list(call.programmes.all()[:2]), by=applicant)
    content = content_of(application)
    for requirement in requirements_for(content.form, content.facts):
        if requirement.is_required:
            for _copy in range(requirement.least):
                actions.attach(application, requirement.key, paper_without_check(applicant, requirement.kind), by=applicant)
    return application


def make_application(call: Call | None = None, applicant: User | None = None, **changed: Any) -> Application:
    """A complete application, handed in."""
    draft = make_draft(call, applicant, **changed)
    return actions.submit(draft, by=draft.applicant)


def close_call(call: Call, *, days_ago: int = 1) -> Call:
    """CALL, closed so long ago: bodies may send their lists."""
    call.closes_at = timezone.now() - timedelta(days=days_ago)
    call.save(update_fields=["closes_at"])
    return call


def make_nomination(
    member: User, call: Call | None = None, *, name: str = "NURAY", standing: str = "", level: str = "", **changed: Any
) -> Nomination:
    """A file that MEMBER's body has to check, or has put on a list. LEVEL changes what lists and places go by."""
    application = make_application(call, given_names=name, **changed)
    if level:
        Application.objects.filter(pk=application.pk).update(level=level)
    nominations.take_in(member)
    nomination = (
        Nomination.objects.select_related("application__call", "application__version", "stage", "body")
        .filter(application=application)
        .latest("pk")
    )
    return nominations.put_on_list(nomination, standing, by=member) if standing else nomination


def make_at_review(call: Call | None = None, applicant: User | None = None, **changed: Any) -> Application:
    """An application that was nominated and found eligible, and waits for reviewers."""
    return pass_on_to_review(make_application(call, applicant, **changed))


def pass_on_to_review(application: Application) -> Application:
    """What a nominating body and an officer do with an application that is handed in."""
    stage = current_stage(application)
    assert stage is not None and stage.body is not None
    advance(application, "nominate", by=make_body_member(stage.body), data={"body": stage.body.code, "rank": 1})
    return advance(application, "find_eligible", by=make_officer())


def make_assignment(application: Application | None = None, reviewer: User | None = None) -> Assignment:
    """A file on a reviewer's desk."""
    application = application or make_at_review()
    reviewer = reviewer or make_reviewer(application.call)
    assign(application.call, [(application, reviewer)], by=make_officer())
    return Assignment.objects.get(application=application, reviewer=reviewer)


def make_candidate(call: Call, score: str = "8.00", *, choices: list[Programme] | None = None, **changed: Any) -> Application:
    """An application that is reviewed and waits at the step where places are given. CHANGED as for ``make_draft``."""
    application = make_application(call, choices=choices, **changed)
    step = form_of(application.version).first_step_of(StepKind.ALLOCATION)
    assert step is not None
    Stage.objects.filter(application=application, left_at__isnull=True).update(left_at=timezone.now(), outcome=Outcome.PASSED)
    Stage.objects.create(application=application, step=step.key, kind=step.kind, order=step.order)
    Application.objects.filter(pk=application.pk).update(state=State.IN_REVIEW, score=Decimal(score))
    return Application.objects.select_related("call", "version", "applicant").get(pk=application.pk)


def make_nominated(call: Call | None = None, applicant: User | None = None, **changed: Any) -> Application:
    """An application that its body has sent on: it waits for the office to decide on eligibility."""
    application = make_application(call, applicant, **changed)
    stage = current_stage(application)
    assert stage is not None and stage.body is not None
    return advance(application, "nominate", by=make_body_member(stage.body), data={"body": stage.body.code, "rank": 1})


def make_crowd(call: Call, count: int, **of_person: Any) -> list[Application]:
    """COUNT applications that are handed in, each of another person, made in bulk and without letters."""
    start, now, first = User.objects.count(), timezone.now(), call.programmes.first()
    people = [User(email=f"crowd{start + at}@sapar.example", name=f"Person {at}", **of_person) for at in range(count)]
    rows = [
        Application(
            call=call, version=call.version, applicant=person, name=person.name, level="master", country_id="KG", first_choice=first
        )
        for person in User.objects.bulk_create(people, batch_size=500)
    ]
    Application.objects.bulk_create(rows, batch_size=500)
    revisions = [Revision(application=row, version=call.version, number=1, handed_in_at=now, sha256="0" * 64) for row in rows]
    for row, revision in zip(rows, Revision.objects.bulk_create(revisions, batch_size=500), strict=True):
        row.state, row.revision, row.submitted_at = State.SUBMITTED, revision, now
    Application.objects.bulk_update(rows, ["state", "revision", "submitted_at"], batch_size=200)
    return rows
