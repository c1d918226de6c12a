"""The whole content of a revision: read in a constant number of queries, hashed in one canonical form."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from scholarships.applications.answers import join
from scholarships.applications.models import Answer, Application, Attachment, Choice, Revision
from scholarships.calls.form import Form, Requirement, form_of
from scholarships.programmes.models import Programme

# Answers with these keys are known to the house beyond the form: they fill lists, facts and quotas.
CITIZENSHIP, BIRTH_DATE, LEVEL, HOME = "citizenship", "birth_date", "level", "home_institution"
FAMILY_NAME, GIVEN_NAMES, OWN_SCRIPT = "family_name", "given_names", "name_own_script"


@dataclass(frozen=True)
class Content:
    """``answers``: section key -> its row; ``choices`` in rank order; ``attachments`` in order."""

    application: Application
    revision: Revision
    form: Form
    answers: Mapping[str, Answer]
    choices: tuple[Choice, ...]
    attachments: tuple[Attachment, ...]

    def values(self, section: str) -> dict[str, Any]:
        row = self.answers.get(section)
        return {} if row is None else join(row.values, row.identity)

    @property
    def all_values(self) -> dict[str, Any]:
        return {key: value for section in self.answers for key, value in self.values(section).items()}

    @property
    def facts(self) -> dict[str, Any]:
        return facts_of(self.application, self.all_values, [choice.programme for choice in self.choices])

    def attached(self, requirement: str) -> list[Attachment]:
        return [one for one in self.attachments if one.requirement == requirement]


def facts_of(application: Application, values: Mapping[str, Any], programmes: list[Programme]) -> dict[str, Any]:
    """What conditions and criteria may ask: every answer under its key, and what follows from the choices.

    ``taught_in``: languages of the chosen programmes; ``months``: the longest of them;
    ``fields``: their ISCED-F fields; ``age_at_start``: full years on the day studies start.
    """
    facts = dict(values)
    facts["level"] = values.get(LEVEL) or application.level or None
    facts["citizenship"] = values.get(CITIZENSHIP) or application.country_id
    if programmes:
        facts["taught_in"] = sorted({programme.taught_in for programme in programmes})
        facts["fields"] = sorted({programme.field for programme in programmes})
        facts["months"] = max(programme.months for programme in programmes)
    try:
        born = date.fromisoformat(str(values.get(BIRTH_DATE)))
    except ValueError:
        pass
    else:
        start = application.call.starts_on
        facts["age_at_start"] = start.year - born.year - ((start.month, start.day) < (born.month, born.day))
    return facts


def content_of(application: Application, revision: Revision | None = None) -> Content:
    """The content of REVISION, else of the one being written, else of the last handed in: 4 queries at most."""
    if revision is None:
        revision = application.revisions.select_related("version").order_by("-number").first()
        assert revision is not None, "an application always has a revision"
    return Content(
        application=application,
        revision=revision,
        form=form_of(revision.version),
        answers={row.section: row for row in Answer.objects.filter(revision=revision)},
        choices=tuple(Choice.objects.filter(revision=revision).select_related("programme__host").order_by("rank")),
        attachments=tuple(Attachment.objects.filter(revision=revision).select_related("file__document").order_by("requirement", "order")),
    )


def canonical(content: Content) -> bytes:
    """The bytes that the receipt's SHA-256 covers: what the person handed in, and nothing else."""
    said = {
        "application": content.application.code,
        "call": content.application.call.code,
        "version": content.revision.version.number,
        "revision": content.revision.number,
        "answers": {section: content.values(section) for section in content.answers if content.values(section)},
        "choices": [choice.programme.code for choice in content.choices],
        "documents": sorted(
            [one.requirement, one.order, one.file.sha256, one.file.issued_on.isoformat() if one.file.issued_on else ""]
            for one in content.attachments
        ),
    }
    return json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest(content: Content) -> str:
    return hashlib.sha256(canonical(content)).hexdigest()


def requirements_for(form: Form, facts: Mapping[str, Any]) -> list[Requirement]:
    """The papers asked from a person with these FACTS."""
    return [requirement for requirement in form.requirements if requirement.condition.holds(facts) is True]


def oldest_allowed(requirement: Requirement, application: Application) -> date | None:
    """The earliest day of issue of a paper that may be so many months old at the deadline."""
    months = requirement.validity.get("months_before_close")
    return application.call.closes_at.date() - timedelta(days=round(30.44 * months)) if months else None
