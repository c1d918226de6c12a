"""Write a call file into the database: all of it or nothing."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from scholarships.calls.file import CallFile, Place
from scholarships.calls.models import (
    Call,
    CallProgramme,
    CallVersion,
    Criterion,
    LetterTerms,
    Milestone,
    Question,
    Requirement,
    RubricItem,
    Section,
    Step,
    StepBody,
)
from scholarships.events.actions import record
from scholarships.events.names import declare
from scholarships.partners.models import Country, Institution
from scholarships.programmes.models import Programme
from scholarships.schemes.models import Coverage, Scheme, StipendRate
from scholarships.texts.fields import Text, text

PUBLISHED = declare("call.published", "Call published", "version")

_DAY = re.compile(r"(?<![\d-])\d{4}-\d{2}-\d{2}(?![\d-])")

# Parts of the file that later rooms load: write(call, part of the data).
Part = Callable[[Call, Any], None]
_parts: dict[str, Part] = {}


def register_part(name: str, load_part: Part) -> None:
    """Let an upper room load the part NAME of a call file."""
    _parts[name] = load_part


@transaction.atomic
def load(file: CallFile, *, by: Any = None, code: str = "", title: Any = None, opens_on: date | None = None) -> Call:
    """Write FILE as a published call.

    Args:
        code, title: others than the file's, for a second call from the same file.
        opens_on: the day on which the call opens. Its calendar moves by as many days; the start of
            studies and the days that criteria name move by whole years, so that they stay what they
            are ("1 September"). In texts ``{year}`` is the year in which studies start, ``{next}``
            the last two digits of the year after.

    Raises:
        WrongFile: a country, institution or programme does not exist, or there is such a call already.
    """
    data = file.data
    code = code or data["call"]
    if Call.objects.filter(code=code).exists():
        raise file.fault(("call",), f"There is a call “{code}” already.")
    loader = _Loader.of(file, opens_on)
    call = loader.call(code, title)
    version = CallVersion.objects.create(call=call, number=1)
    loader.sections(version)
    loader.papers(version)
    loader.criteria(version)
    loader.rubric(version)
    loader.letters(version)
    loader.steps(version)
    for name, load_part in _parts.items():
        if name in data:
            load_part(call, data[name])
    now = timezone.now()
    version.published_at = now
    version.save(update_fields=["published_at"])
    call.version = version
    call.save(update_fields=["version"])
    record(PUBLISHED, call, by=by, at=now, version=version.number)
    return call


def _years_later(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # 29 February
        return day.replace(year=day.year + years, day=28)


@dataclass(frozen=True)
class _Loader:
    """Writes the parts of one file, moved by ``shift`` and ``years``."""

    file: CallFile
    shift: timedelta
    years: int

    @classmethod
    def of(cls, file: CallFile, opens_on: date | None) -> _Loader:
        data = file.data
        shift = opens_on - date.fromisoformat(data["opens"][:10]) if opens_on else timedelta()
        results, starts, years = date.fromisoformat(data["results"][:10]) + shift, date.fromisoformat(data["starts"]), 0
        while _years_later(starts, years) <= results:
            years += 1
        return cls(file, shift, years)

    def moment(self, said: str) -> datetime:
        """A moment in the call's zone, moved on the calendar of that zone."""
        return (datetime.fromisoformat(said) + self.shift).replace(tzinfo=zoneinfo.ZoneInfo(self.file.data["zone"]))

    def day(self, said: str) -> date:
        return _years_later(date.fromisoformat(said), self.years)

    def text(self, said: Any) -> Text:
        year = self.day(self.file.data["starts"]).year
        return Text(
            {
                language: words.replace("{year}", str(year)).replace("{next}", f"{(year + 1) % 100:02}")
                for language, words in text(said).items()
            }
        )

    def params(self, said: Any) -> Any:
        """Parameters with each day in them moved and each text filled."""
        if isinstance(said, Mapping):
            return {key: self.params(value) for key, value in said.items()}
        if isinstance(said, list):
            return [self.params(value) for value in said]
        if isinstance(said, str):
            try:
                return self.day(said).isoformat()
            except ValueError:
                return str(self.text(said)) if "{" in said else said
        return said

    def criterion_params(self, said: Mapping[str, Any]) -> Any:
        return self.params({**said, "holds": self.condition(said["holds"])} if "holds" in said else said)

    def condition(self, said: str) -> str:
        """A condition with each day in it moved."""
        return _DAY.sub(lambda found: self.params(found[0]), said)

    def found(self, rows: Any, field: str, codes: Sequence[str], place: Place) -> list[Any]:
        """The rows with CODES, in their order; a code without a row refuses the file."""
        by_code = {getattr(row, field): row for row in rows.filter(**{f"{field}__in": codes})}
        for index, code in enumerate(codes):
            if code not in by_code:
                raise self.file.fault((*place, index), f"There is no {rows.model._meta.verbose_name} “{code}”. Load it first.")
        return [by_code[code] for code in codes]

    def call(self, code: str, title: Any) -> Call:
        data = self.file.data
        call = Call.objects.create(
            code=code,
            scheme=self.scheme(),
            title=self.text(title or data["title"]),
            summary=self.text(data["summary"]),
            zone=data["zone"],
            opens_at=self.moment(data["opens"]),
            closes_at=self.moment(data["closes"]),
            grace=data.get("grace", 0),
            results_at=self.moment(data["results"]),
            answer_days=data.get("answer_days", 14),
            starts_on=self.day(data["starts"]),
            main_language=data.get("main_language", "en"),
            levels=data["levels"],
            choices_max=data.get("choices", 3),
            reviews_wanted=data.get("reviews", 2),
        )
        call.countries.set(self.found(Country.objects.all(), "code", data["countries"], ("countries",)))
        programmes = self.found(Programme.objects.all(), "code", data["programmes"], ("programmes",))
        CallProgramme.objects.bulk_create(CallProgramme(call=call, programme=programme) for programme in programmes)
        Milestone.objects.bulk_create(
            Milestone(
                call=call,
                key=item["key"],
                title=self.text(item["title"]),
                starts_at=self.moment(item["from"]),
                ends_at=self.moment(item["until"]) if "until" in item else None,
            )
            for item in data.get("milestones", [])
        )
        return call

    def scheme(self) -> Scheme:
        """The scheme of the call; the first file that names it describes it."""
        said = self.file.data["scheme"]
        scheme = Scheme.objects.filter(code=said["code"]).first()
        if scheme:
            return scheme
        funder = self.found(Institution.objects.all(), "code", [said["funder"]], ("scheme", "funder"))[0] if "funder" in said else None
        scheme = Scheme.objects.create(code=said["code"], kind=said["kind"], name=self.text(said["name"]), funder=funder)
        Coverage.objects.bulk_create(
            Coverage(
                scheme=scheme, order=order, item=self.text(item["item"]), says=self.text(item.get("says")), is_paid=item.get("paid", True)
            )
            for order, item in enumerate(said.get("coverage", []), start=1)
        )
        StipendRate.objects.bulk_create(
            StipendRate(scheme=scheme, level=level, cny_a_month=amount) for level, amount in said.get("stipends", {}).items()
        )
        return scheme

    def sections(self, version: CallVersion) -> None:
        for order, said in enumerate(self.file.data["sections"], start=1):
            section = Section.objects.create(
                version=version,
                key=said["key"],
                order=order,
                kind=said.get("kind", "questions"),
                group=self.text(said.get("group")),
                title=self.text(said["title"]),
                help=self.text(said.get("help")),
                condition=self.condition(said.get("when", "")),
            )
            for number, question in enumerate(said.get("questions", []), start=1):
                row = self.question(section, number, question, None)
                row.save()
                Question.objects.bulk_create(
                    self.question(section, at, column, row) for at, column in enumerate(question.get("columns", []), start=1)
                )

    def question(self, section: Section, order: int, said: Mapping[str, Any], parent: Question | None) -> Question:
        return Question(
            section=section,
            parent=parent,
            key=said["key"],
            order=order,
            kind=said["kind"],
            label=self.text(said["label"]),
            help=self.text(said.get("help")),
            is_required=said.get("required", True),
            is_identity=said.get("identity", False),
            condition=self.condition(said.get("when", "")),
            options=[{"value": option["value"], "label": self.text(option["label"])} for option in said.get("options", [])],
            limits=self.params(said.get("limits", {})),
        )

    def papers(self, version: CallVersion) -> None:
        Requirement.objects.bulk_create(
            Requirement(
                version=version,
                key=said["key"],
                order=order,
                kind=said["kind"],
                title=self.text(said["title"]),
                help=self.text(said.get("help")),
                condition=self.condition(said.get("when", "")),
                is_required=said.get("required", True),
                least=said.get("least", 1),
                most=said.get("most", said.get("least", 1)),
                max_megabytes=said.get("megabytes", 5),
                max_pages=said.get("pages", 30),
                validity=said.get("validity", {}),
                reviewers_see=said.get("reviewers_see", False),
            )
            for order, said in enumerate(self.file.data.get("requirements", []), start=1)
        )

    def letters(self, version: CallVersion) -> None:
        said = self.file.data.get("letters")
        if not said:
            return
        wanted = said.get("wanted", 2)
        LetterTerms.objects.create(
            version=version,
            ways=said.get("ways", "link"),
            wanted=wanted,
            least=said.get("least", wanted),
            most=said.get("most", wanted + 1),
            milestone=said["due"],
            who=self.text(said.get("who")),
            needs=self.text(said.get("needs")),
            is_institutional=said.get("institutional", True),
            openness=said.get("openness", "confidential"),
            review_waits=said.get("review_waits", False),
            reviewers_see=said.get("reviewers_see", False),
            ratings=[
                {"key": line["key"], "title": self.text(line["title"]), "anchors": [self.text(anchor) for anchor in line["anchors"]]}
                for line in said.get("ratings", [])
            ],
        )

    def criteria(self, version: CallVersion) -> None:
        Criterion.objects.bulk_create(
            Criterion(
                version=version,
                key=said["key"],
                order=order,
                kind=said["kind"],
                params=self.criterion_params(said.get("params", {})),
                condition=self.condition(said.get("when", "")),
                is_hard=said.get("hard", True),
                title=self.text(said["title"]),
                message=self.text(said.get("message")),
            )
            for order, said in enumerate(self.file.data.get("criteria", []), start=1)
        )

    def rubric(self, version: CallVersion) -> None:
        RubricItem.objects.bulk_create(
            RubricItem(
                version=version,
                key=item["key"],
                order=order,
                title=self.text(item["title"]),
                help=self.text(item.get("help")),
                weight=item["weight"],
                anchors=[self.text(anchor) for anchor in item["anchors"]],
                may_skip=item.get("may_skip", False),
            )
            for order, item in enumerate(self.file.data.get("rubric", []), start=1)
        )

    def steps(self, version: CallVersion) -> None:
        for index, said in enumerate(self.file.data["steps"]):
            step = Step.objects.create(
                version=version,
                key=said["key"],
                order=index + 1,
                kind=said["kind"],
                title=self.text(said["title"]),
                says=self.text(said.get("says")),
                body_by=said.get("body", ""),
                milestone=said.get("milestone", ""),
            )
            bodies = said.get("bodies", [])
            place = ("steps", index, "bodies")
            if isinstance(bodies, dict):
                found = self.found(Institution.objects.all(), "code", list(bodies.values()), place)
                countries = self.found(Country.objects.all(), "code", list(bodies), place)
                StepBody.objects.bulk_create(
                    StepBody(step=step, country=country, institution=body) for country, body in zip(countries, found, strict=True)
                )
            else:
                StepBody.objects.bulk_create(
                    StepBody(step=step, institution=body) for body in self.found(Institution.objects.all(), "code", bodies, place)
                )
