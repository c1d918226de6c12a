"""How a visitor's answers fit a call, in words, and which other calls are open to the same person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from exchange.ui.marks import mark_of
from scholarships.calls.form import form_of
from scholarships.calls.models import Call
from scholarships.engine.eligibility import Outcome, assess


@dataclass(frozen=True)
class Line:
    """One criterion: ``look`` is the mark ("" met, "no", "ask")."""

    look: str
    title: str
    message: str


@dataclass(frozen=True)
class Fit:
    is_eligible: bool | None
    lines: tuple[Line, ...]

    @property
    def tag(self) -> tuple[str, str]:
        """The verdict as a tag: words and look."""
        if self.is_eligible is False:
            return _("Not open to you"), "off"
        if any(line.look == "ask" for line in self.lines):
            return _("Open to you, something to check"), "wait"
        if any(line.look == "no" for line in self.lines):
            return _("Open to you, with a remark"), "wait"
        return _("You look able to apply"), "ok"


def fit_of(call: Call, facts: Mapping[str, Any]) -> Fit:
    """FACTS held against the criteria of CALL. A level that the call does not have is a no with its own line."""
    assert call.version is not None, "a published call has a version"
    form = form_of(call.version)
    verdict = assess([criterion.rule for criterion in form.criteria], facts)
    by_key = {criterion.rule.key: criterion for criterion in form.criteria}
    lines = [
        Line(
            mark_of(finding),
            str(by_key[finding.key].title),
            str(by_key[finding.key].message) if finding.outcome != Outcome.MET else "",
        )
        for finding in verdict.findings
    ]
    level = facts.get("level")
    if level and level not in call.levels:
        lines.insert(0, Line("no", _("The level you want is part of this call"), _("This call has no places at that level.")))
        return Fit(False, tuple(lines))
    return Fit(verdict.is_eligible, tuple(lines))


def other_doors(call: Call, facts: Mapping[str, Any], *, at: datetime, most: int = 3) -> list[Call]:
    """Open calls for which the same answers are no "no": another door, best first."""
    open_calls = (
        Call.objects.open_now(at=at)
        .exclude(pk=call.pk)
        .select_related("version", "scheme")
        .prefetch_related("scheme__stipends")
        .order_by("closes_at", "code")
    )
    fits = [(other, fit_of(other, facts)) for other in open_calls]
    same_level = sorted((pair for pair in fits if pair[1].is_eligible is not False), key=lambda pair: pair[1].is_eligible is None)
    found = [other for other, _fit in same_level]
    if not found and facts.get("level"):
        found = [other for other, _fit in fits if fit_of(other, {**facts, "level": None}).is_eligible is not False]
    return found[:most]
