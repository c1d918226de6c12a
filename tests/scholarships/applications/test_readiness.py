"""Is it ready to be handed in? Section by section, paper by paper."""

from __future__ import annotations

import dataclasses
from datetime import date, timedelta
from typing import Any

import pytest

from scholarships.applications import actions
from scholarships.applications.content import content_of, facts_of, oldest_allowed, requirements_for
from scholarships.applications.models import Answer, Application, Choice
from scholarships.applications.readiness import Status, problems_in, tasks_of, verdict_of
from scholarships.calls.form import Requirement
from scholarships.calls.models import Call
from scholarships.documents.models import DocumentVersion
from scholarships.engine.conditions import parse
from scholarships.programmes.models import Programme
from scholarships.texts.fields import text
from tests.factories import make_draft, make_programme, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def draft(world) -> Application:
    return make_draft(Call.objects.get(pk=world.call.pk), make_user())


def fields(application: Application) -> list[tuple[str, str]]:
    return [(problem.field, problem.code) for problem in problems_in(content_of(application))]


def status_of(application: Application) -> dict[str, str]:
    return {task.section.key: task.status.value for task in tasks_of(content_of(application))}


def say(application: Application, section: str, values: dict[str, Any], *, is_done: bool = False) -> None:
    row = Answer.objects.get(revision__application=application, section=section)
    form = content_of(application).form.section(section)
    assert form is not None
    actions.save_answers(application, form, values, is_done=is_done, known_version=row.version, by=application.applicant)


# -- The whole -------------------------------------------------------------------


def test_a_complete_draft_has_no_problems(draft):
    assert fields(draft) == []


def test_a_fresh_draft_names_everything_that_is_missing_section_by_section(world):
    fresh = actions.start(Call.objects.get(pk=world.call.pk), by=make_user())

    assert fields(fresh) == [
        ("study/citizenship", "required"),
        ("study/level", "required"),
        ("person/family_name", "required"),
        ("person/given_names", "required"),
        ("person/birth_date", "required"),
        ("person/passport", "required"),
        ("education/education.highest", "required"),
        ("education/gpa", "required"),
        ("education/schools", "required"),
        ("choices/choices", "required"),
        ("plan/plan", "required"),
        ("documents/passport", "required"),
        ("documents/transcript", "required"),
    ]


def test_a_level_that_the_call_does_not_have_is_named(draft):
    call = draft.call
    call.levels = ["doctoral"]

    assert ("/level", "wrong_level") in fields(draft)


# -- Tasks -----------------------------------------------------------------------


def test_a_section_is_completed_when_it_is_marked_and_right(draft):
    assert status_of(draft)["plan"] == Status.COMPLETED


def test_a_marked_section_that_is_no_longer_right_has_a_problem(draft):
    say(draft, "plan", {"plan": "Too short."}, is_done=True)

    assert status_of(draft)["plan"] == Status.PROBLEM


def test_a_section_with_answers_that_is_not_marked_is_in_progress(draft):
    say(draft, "plan", {"plan": "Still writing"})

    assert status_of(draft)["plan"] == Status.IN_PROGRESS


def test_a_section_of_blank_answers_is_not_started(draft):
    say(draft, "plan", {"plan": "  "})

    assert status_of(draft)["plan"] == Status.NOT_STARTED


def test_choices_and_papers_are_in_progress_until_they_are_marked(draft):
    assert (status_of(draft)["choices"], status_of(draft)["documents"]) == (Status.IN_PROGRESS, Status.IN_PROGRESS)

    actions.set_choices(draft, [], by=draft.applicant)
    for attachment in draft.revisions.get().attachments.all():
        actions.detach(draft, attachment, by=draft.applicant)

    assert (status_of(draft)["choices"], status_of(draft)["documents"]) == (Status.NOT_STARTED, Status.NOT_STARTED)


# -- Choices ---------------------------------------------------------------------


def test_a_programme_of_another_level_is_named(draft):
    doctoral = make_programme("small-doctoral", level="doctoral")
    Choice.objects.filter(revision__application=draft, rank=2).update(programme=doctoral)

    assert fields(draft) == [("choices/choice-2", "wrong_level")]


# -- Papers ----------------------------------------------------------------------


def test_a_missing_paper_is_named_with_its_title(draft):
    actions.detach(draft, draft.revisions.get().attachments.get(requirement="transcript"), by=draft.applicant)

    (problem,) = problems_in(content_of(draft))
    assert (problem.field, problem.message) == ("documents/transcript", "Upload: Transcript.")


def test_a_paper_that_is_too_large_for_the_call_is_named(draft):
    version = draft.revisions.get().attachments.get(requirement="passport").file

    DocumentVersion.objects.filter(pk=version.pk).update(size=5 * 1024 * 1024 + 1)
    assert fields(draft) == [("documents/passport", "too_large")]
    DocumentVersion.objects.filter(pk=version.pk).update(size=100, pages=31)
    assert fields(draft) == [("documents/passport", "too_large")]


def requirement(**validity: int) -> Requirement:
    return Requirement("x", "medical", text("Form"), text(""), parse(""), True, 1, 1, 1, 1, validity, False)


def test_how_old_a_paper_may_be_counts_back_from_the_deadline(draft):
    closes = draft.call.closes_at.date()

    assert oldest_allowed(requirement(months_before_close=6), draft) == closes - timedelta(days=183)
    assert oldest_allowed(requirement(), draft) is None


def test_a_paper_that_is_too_old_or_has_no_date_is_named(draft):
    """The small call asks for no date, so that its frozen form is asked with one that does."""
    content = content_of(draft)
    form = content.form
    dated = dataclasses.replace(form.requirements[0], validity={"months_before_close": 6})
    content = dataclasses.replace(content, form=dataclasses.replace(form, requirements=(dated, *form.requirements[1:])))
    (attachment,) = content.attached("passport")

    def problems(day: date | None) -> list[tuple[str, str]]:
        attachment.file.issued_on = day
        return [(problem.field, problem.code) for problem in problems_in(content)]

    oldest = oldest_allowed(dated, draft)
    assert oldest is not None
    assert problems(oldest) == []
    assert problems(oldest - timedelta(days=1)) == [("documents/passport", "too_old")]
    assert problems(None) == [("documents/passport", "too_old")]


def test_papers_are_asked_from_whom_their_condition_says(draft):
    form = content_of(draft).form
    masters = dataclasses.replace(form.requirements[0], condition=parse('level == "master"'))
    form = dataclasses.replace(form, requirements=(masters, *form.requirements[1:]))

    assert [one.key for one in requirements_for(form, {"level": "master"})] == ["passport", "transcript"]
    assert [one.key for one in requirements_for(form, {"level": "doctoral"})] == ["transcript"]
    assert [one.key for one in requirements_for(form, {})] == ["transcript"]


def test_several_files_for_one_paper_are_counted(draft):
    content = content_of(draft)
    letters = dataclasses.replace(content.form.requirements[0], least=3, most=3)
    content = dataclasses.replace(content, form=dataclasses.replace(content.form, requirements=(letters,)))

    assert [problem.message for problem in problems_in(content)] == ["Upload 2 more files: Passport page."]


# -- Facts -----------------------------------------------------------------------


def test_facts_are_the_answers_and_what_follows_from_the_choices(draft):
    programmes = [
        Programme(code="a", taught_in="zh", field="0613", months=24),
        Programme(code="b", taught_in="en", field="0912", months=36),
    ]
    draft.call.starts_on = date(2027, 9, 1)

    facts = facts_of(draft, {"birth_date": "2003-09-02", "gpa": "86", "level": "doctoral"}, programmes)

    assert facts == {
        "birth_date": "2003-09-02", "gpa": "86", "level": "doctoral", "citizenship": "KG", "taught_in": ["en", "zh"],
        "fields": ["0613", "0912"], "months": 36, "age_at_start": 23,
    }  # fmt: skip


@pytest.mark.parametrize("born", [None, "", "soon", "2003-02-29"])
def test_a_day_that_cannot_be_read_gives_no_age(draft, born):
    facts = facts_of(draft, {"birth_date": born}, [])

    assert {"age_at_start", "taught_in", "fields", "months"} & set(facts) == set()


def test_the_verdict_is_held_against_what_the_application_says(draft):
    assert verdict_of(content_of(draft)).is_eligible is True

    say(draft, "education", {"education.highest": "secondary"})

    assert verdict_of(content_of(draft)).is_eligible is False


def test_an_answer_that_is_no_number_is_no_accident(draft):
    say(draft, "education", {"education.highest": "bachelor", "gpa": "NaN", "schools": "none"})

    assert [field for field, _code in fields(draft)] == ["education/gpa", "education/schools"]
    assert verdict_of(content_of(draft)).is_eligible is True


def test_a_content_is_read_in_four_queries(draft, django_assert_num_queries):
    application = Application.objects.select_related("call").get(pk=draft.pk)

    with django_assert_num_queries(4):
        problems_in(content_of(application))
