"""What people of the demo have written and chosen: a thread with the office, a call's own words, a wish about mail."""

from __future__ import annotations

import io
from datetime import timedelta

from django.db.models import F
from django.utils import timezone

from exchange.demo import specimens
from exchange.notifications.models import Message, Way
from exchange.notifications.wishes import set_wish
from exchange.notifications.wordings import reword
from scholarships.applications.models import Application
from scholarships.calls.models import Call
from scholarships.correspondence.actions import write
from scholarships.people.models import User

QUESTION = """Good morning,

our registry has found a wrong date on my transcript: I graduated in June, not in July. I enclose their letter.

Must I change anything in my application?"""
ANSWER = """Dear Nuray Asanova,

thank you. The letter now lies with your application, and the ministry will see it. You need not change anything."""
RECEIPT = """{standard}

Please keep the originals of your papers ready: the ministry of your country may ask to see them. Questions about this call: {office}."""


def talk(call: Call, applicant: User, officer: User) -> None:
    """APPLICANT asks about the application to CALL and encloses a paper; OFFICER answers, which is the one message that is unread."""
    application = Application.objects.select_related("call", "applicant").get(call=call, applicant=applicant)
    lines = ["To whom it may concern", "", "The date of graduation is", "26 June 2026.", "The transcript will be printed again."]
    letter = specimens.page("Letter of the registry", lines, signed="Registrar")
    asked_at = timezone.now() - timedelta(days=2)
    write(application, by=applicant, text=QUESTION, files=[(io.BytesIO(letter), "letter of the registry.jpg")], at=asked_at)
    Message.objects.filter(user__in=(applicant, officer)).update(read_at=F("created_at"))
    write(application, by=officer, text=ANSWER, at=timezone.now() - timedelta(hours=3))


def choose_words(call: Call, officer: User) -> None:
    """CALL's receipt has words of its own in English; OFFICER has what applicants write in one letter a day."""
    reword(call, "application.submitted", "en", subject="Your receipt {code}: {call}", text=RECEIPT, known=0, by=officer)
    set_wish(officer, "correspondence.from_applicant:officer", Way.DAILY)
