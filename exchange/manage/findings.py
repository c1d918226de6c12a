"""Eligibility in words: each criterion, what came of it, and the figures behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from exchange.ui.forms import country_name
from exchange.ui.marks import mark_of
from exchange.ui.templatetags.ui import day
from scholarships.applications.content import Content
from scholarships.applications.readiness import verdict_of
from scholarships.calls.form import Form
from scholarships.engine.eligibility import Finding, Outcome


@dataclass(frozen=True)
class Line:
    """One criterion: ``look`` is its mark ("" met, "no", "ask"), ``says`` what the answers say about it."""

    key: str
    look: str
    title: str
    outcome: str
    says: str
    message: str


@dataclass(frozen=True)
class Findings:
    """``proposal``: True, False, or None while something is open."""

    proposal: bool | None
    lines: tuple[Line, ...]

    @property
    def met(self) -> int:
        return sum(not line.look for line in self.lines)

    @property
    def failed(self) -> list[Line]:
        return [line for line in self.lines if line.look == "no"]


def findings_of(content: Content) -> Findings:
    """The criteria of the call held against what was handed in."""
    verdict, facts = verdict_of(content), content.facts
    by_key = {criterion.rule.key: criterion for criterion in content.form.criteria}
    words = {Outcome.MET: _("met"), Outcome.NOT_MET: _("not met"), Outcome.UNKNOWN: _("cannot be told")}
    return Findings(
        verdict.is_eligible,
        tuple(
            Line(
                finding.key,
                mark_of(finding),
                str(by_key[finding.key].title),
                words[finding.outcome],
                says(by_key[finding.key].rule.kind, finding, facts, content.form),
                str(by_key[finding.key].message),
            )
            for finding in verdict.findings
        ),
    )


def says(kind: str, finding: Finding, facts: Mapping[str, Any], form: Form) -> str:
    """The figures behind FINDING, "" where there are none."""
    values = finding.values
    match kind:
        case "citizenship":
            return country_name(values["country"]) if values.get("country") else _("not said")
        case "age":
            if "age" not in values:
                return _("date of birth not said")
            return _("%(age)d years old on %(day)s") % {"age": values["age"], "day": day(values["on"])}
        case "education":
            question = form.question("education.highest")
            has = str(values["highest"] or "")
            return (question.label_of(has) if question else has) or _("not said")
        case "language":
            return "; ".join(_test(test, facts) for test in values["tests"])
        case "valid_until":
            if values.get("found") is None:
                return _("not said")
            return _("until %(found)s, asked %(day)s") % {"found": day(values["found"]), "day": day(values["day"])}
    return ""


def _test(test: Mapping[str, Any], facts: Mapping[str, Any]) -> str:
    """One test: what is asked, and what the applicant has."""
    name = str(test["test"])
    part = "level" if "level" in test else "score"
    has = facts.get(f"{name}.{part}")
    if facts.get(f"{name}.none") is True:
        shown = _("no certificate")
    else:
        shown = _("not said") if has in (None, "") else str(has)
    return _("%(test)s: %(has)s, asked %(asked)s") % {"test": name.upper(), "has": shown, "asked": test[part]}
