"""A mail server with faults, and the log of all that came."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from typing import Any

from tests.services import Mailbox

TAKEN, LATER, REFUSED, CUT = "taken", "451", "550", "cut"


@dataclass(frozen=True)
class Arrival:
    """One try: which letter, its bytes after the headers, and what became of it. CUT: taken, but nobody was told."""

    message_id: str
    subject: str
    body: bytes
    fate: str


@dataclass
class Faulty(Mailbox):
    """5 % of the tries are refused for now, 2 % are cut off after DATA; 3 % of the letters are refused for good.

    With ``is_well`` it stops having faults, only what was refused for good stays so.
    """

    log: list[Arrival] = field(default_factory=list)
    seconds: float = 0.02  # that a letter takes, so that a kill meets one
    is_well: bool = False
    chance: random.Random = field(default_factory=lambda: random.Random(7))
    doomed: set[str] = field(default_factory=set)

    def doom(self, message_ids: list[str]) -> None:
        """3 % of MESSAGE_IDS are refused for good, on each try."""
        self.doomed = set(self.chance.sample(message_ids, max(1, round(len(message_ids) * 0.03))))

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        raw = envelope.content
        letter = message_from_bytes(raw, policy=policy.default)
        message_id, number = str(letter["Message-ID"]), self.chance.random()
        ill = not self.is_well
        fate = REFUSED if message_id in self.doomed else LATER if ill and number < 0.05 else CUT if ill and number < 0.07 else TAKEN
        await asyncio.sleep(self.seconds)
        self.log.append(Arrival(message_id, str(letter["Subject"]), raw.partition(b"\r\n\r\n")[2], fate))
        if fate == CUT:
            server.transport.abort()
        return {REFUSED: "550 5.7.1 not wanted here", LATER: "451 4.3.0 come again"}.get(fate, "250 taken")
