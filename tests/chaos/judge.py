"""What must be true of the letters, whatever died meanwhile."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from tests.chaos.server import CUT, REFUSED, TAKEN, Arrival


def faults_of(states: Mapping[str, str], log: list[Arrival], *, kills: int, concurrency: int) -> list[str]:
    """What is wrong with an outbox whose rows ended in STATES (by Message-ID), and which the mail server saw as LOG."""
    arrived = Counter(arrival.message_id for arrival in log if arrival.fate in (TAKEN, CUT))
    refused = {arrival.message_id for arrival in log if arrival.fate == REFUSED}
    found = []

    if lost := [name for name in states if name not in arrived and name not in refused]:
        found.append(f"{len(lost)} lost, {lost[0]} for example")
    if waiting := [name for name, state in states.items() if state not in ("sent", "failed")]:
        found.append(f"{len(waiting)} still wait")
    if wrong := [name for name, state in states.items() if state == "failed" and name not in refused]:
        found.append(f"{len(wrong)} given up though nobody refused them for good")
    if unknown := arrived.keys() - states.keys():
        found.append(f"{len(unknown)} that no row knows")

    most = kills * concurrency + sum(arrival.fate == CUT for arrival in log)
    if (twice := duplicates(log)) > most:
        found.append(f"{twice} duplicates, and at most {most} are explained")

    words = {(arrival.message_id, arrival.subject, arrival.body) for arrival in log}
    if changed := [name for name, number in Counter(name for name, _subject, _body in words).items() if number > 1]:
        found.append(f"{len(changed)} with other words on another try")
    return found


def duplicates(log: list[Arrival]) -> int:
    arrived = Counter(arrival.message_id for arrival in log if arrival.fate in (TAKEN, CUT))
    return sum(number - 1 for number in arrived.values())
