"""How a criterion, and a request to a referee, is marked on a page, wherever it is shown."""

from __future__ import annotations

from scholarships.engine.eligibility import Finding, Outcome
from scholarships.references.models import State

REFERENCE_LOOKS = {
    State.ASKED: "wait", State.OPENED: "doing", State.RECEIVED: "ok", State.DECLINED: "bad", State.BOUNCED: "bad", State.CANCELLED: "off",
}  # fmt: skip

_MARKS = {Outcome.MET: "", Outcome.NOT_MET: "no", Outcome.UNKNOWN: "ask"}


def mark_of(finding: Finding) -> str:
    """ "" met, "no" not met, "ask" to be looked at: it cannot be told, or only a soft criterion is not met."""
    if finding.outcome == Outcome.NOT_MET and not finding.hard:
        return "ask"
    return _MARKS[finding.outcome]
