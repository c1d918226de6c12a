"""Two referees of one application: one has written, one is still asked."""

from __future__ import annotations

from datetime import datetime, timedelta

from scholarships.applications.models import Application
from scholarships.references import actions as asking
from scholarships.references import answering
from scholarships.references.actions import Referee
from scholarships.references.models import Known

LETTER = """To the selection board

I taught Nuray for three years and supervised her bachelor thesis. She measured the flow of an irrigation canal at three points for two
seasons, mostly alone, and found an error in a table that the district had used since 1987. It took her two visits and a good deal of
tact to convince the engineers of it.

Among some sixty students whom I have supervised she is one of three who ask whether the question is right before they look for the
answer. What she still has to learn is to stop measuring and begin to write.

Aigul Karimova, Professor of Hydrology, Karakol State University"""


def ask_two(application: Application, *, at: datetime) -> None:
    """APPLICATION has a letter, and waits for another."""
    by = application.applicant
    karimova = asking.ask(
        application,
        Referee(
            "Prof. Aigul Karimova", "a.karimova@ksu.example", "Professor of Hydrology", "Karakol State University", "en",
            "Dear Professor, thank you for the two seasons at the canal. I would be glad if you could write about the thesis.",
        ),
        by=by, at=at,
    )  # fmt: skip
    asking.ask(
        application,
        Referee("Dr. Bakyt Sydykov", "b.sydykov@ksu.example", "Associate Professor", "Karakol State University", "ru"), by=by, at=at,
    )  # fmt: skip
    answering.save(karimova, text=LETTER, known=Known.LONG, known_version=0, at=at + timedelta(hours=5))
    answering.send(karimova, at=at + timedelta(hours=5))
