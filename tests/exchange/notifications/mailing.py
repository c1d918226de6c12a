"""A mail server that can refuse, hang and go away, a clock that can be moved, and letters to send."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from exchange.notifications.letters import Letter
from exchange.notifications.models import Message
from exchange.notifications.outbox import post
from scholarships.events.actions import record
from scholarships.people.actions import JOINED
from scholarships.people.models import User
from tests.factories import make_user
from tests.services import Mailbox


@dataclass
class Server(Mailbox):
    """A mailbox whose server may refuse at each command, and hold back its answer to a letter.

    ``at_sender`` and ``at_data`` give an SMTP reply or None, like ``answer`` for recipients. While
    ``held`` is set, a letter that has arrived gets no answer. It hangs up where the recipient is
    ``hangs_up_on``. ``connections`` counts those who came.
    """

    at_sender: Callable[[str], str | None] = lambda address: None
    at_data: Callable[[str], str | None] = lambda address: None
    held: threading.Event = field(default_factory=threading.Event)
    hangs_up_on: str = ""
    connections: int = 0

    async def handle_EHLO(self, server: Any, session: Any, envelope: Any, hostname: str, responses: list[str]) -> list[str]:
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_MAIL(self, server: Any, session: Any, envelope: Any, address: str, mail_options: Any) -> str:
        refusal = self.at_sender(address)
        if refusal:
            return refusal
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, rcpt_options: Any) -> str:
        if address == self.hangs_up_on:
            server.transport.abort()
        return await super().handle_RCPT(server, session, envelope, address, rcpt_options)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        taken = await super().handle_DATA(server, session, envelope)
        address = envelope.rcpt_tos[0]
        while self.held.is_set():
            await asyncio.sleep(0.02)
        refusal = self.at_data(address)
        if refusal:
            self.letters.pop()
        return refusal or taken

    def addresses(self) -> list[str]:
        """To whom the letters went that were taken, in order."""
        return [str(letter["To"]) for letter in list(self.letters)]


@dataclass
class Clock:
    """What the worker takes for now."""

    at: datetime

    def __call__(self) -> datetime:
        return self.at

    def later(self, seconds: float) -> Clock:
        self.at += timedelta(seconds=seconds)
        return self


def letters(count: int, *, prefix: str = "person") -> list[Message]:
    """COUNT letters that wait, to person0@sapar.example and so on."""
    return [letter_to(make_user(email=f"{prefix}{number}@sapar.example")) for number in range(count)]


def letter_to(user: User | None, *, address: str = "", subject: str = "A letter", text: str = "Words.\n", html: str = "") -> Message:
    subject_of = user or make_user()
    message = post(record(JOINED, subject_of), "test.letter", address or subject_of.email, Letter(subject, text, html), user=user)
    Message.objects.filter(pk=message.pk).update(due_at=message.created_at)
    return Message.objects.get(pk=message.pk)


def again(message: Message) -> Message:
    return Message.objects.get(pk=message.pk)


def states(messages: list[Message]) -> list[str]:
    found = dict(Message.objects.values_list("pk", "delivery"))
    return [found[message.pk] for message in messages]


def waits(message: Message, clock: Clock) -> int:
    """The seconds until MESSAGE is tried again."""
    return round((again(message).due_at - clock.at).total_seconds())
