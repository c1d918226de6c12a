"""An invented applicant, by whom officers see what their words become. Nothing of it is ever saved."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from exchange.notifications.letters import Letter, Worded, write_letter
from scholarships.applications.models import Application, Revision
from scholarships.applications.reasons import RETURN_REASONS
from scholarships.calls.models import Call
from scholarships.offers.models import Offer
from scholarships.partners.models import Institution
from scholarships.programmes.models import Programme

NAME, CODE = "NURAY ASANOVA", "SAMPLE234"


def sample_letter(call: Call, letter: str, wording: Worded | None) -> Letter:
    """LETTER of CALL to the invented applicant, in the active language."""
    return write_letter(letter, _context(call), wording)


def _context(call: Call) -> dict[str, Any]:
    now = timezone.now()
    host = Institution(
        code="sample",
        name={"en": "Lanzhou University of Technology", "zh-hans": "兰州理工大学", "ru": "Ланьчжоуский технологический университет"},
    )
    first = call.programmes.select_related("host").first()
    programme = first or Programme(code="sample", title={"en": "Water engineering"}, host=host)
    application = Application(code=CODE, call=call, name=NAME, note="…", correct_by=now + timedelta(days=7), submitted_at=now)
    application.revision = Revision(number=1, handed_in_at=now, sha256="0" * 64)
    application.first_choice = programme
    offer = Offer(application=application, programme=programme, choice=1, answer_by=now + timedelta(days=14))
    return {
        "application": application,
        "own": application,
        "call": call,
        "offer": offer,
        "reason": RETURN_REASONS["unreadable"],
        "is_open": True,
        "link": f"/applications/{CODE}/",
    }
