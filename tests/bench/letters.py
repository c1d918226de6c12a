"""How fast letters are released and leave: by one worker of two processes, to a mail server on this machine. Seconds of the wall."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.utils import timezone

from exchange.notifications import mailings
from exchange.notifications.models import Delivery, Message
from scholarships.applications.models import Application
from scholarships.calls.models import Call
from scholarships.people.actions import give_role
from scholarships.people.models import Role, User
from tests.bench.world import CALL, OFFICER
from tests.services import Mailbox, celery_worker, valkey

RELEASED, MOST_SECONDS = 10_000, 2.0
DELIVERED, LEAST_A_SECOND = 2_000, 250.0


def measure_letters() -> int:
    """Print both figures; how many are out of their bounds. Needs RELEASED applications."""
    Message.objects.all().delete()
    written, seconds = release(RELEASED)
    late = seconds > MOST_SECONDS
    _line(f"write and hold {RELEASED:,} letters", f"{written:.2f} s", "", False)
    _line(f"release {RELEASED:,} letters", f"{seconds:.2f} s", f"<= {MOST_SECONDS} s", late)
    Message.objects.filter(pk__in=list(Message.objects.order_by("pk").values_list("pk", flat=True)[DELIVERED:])).delete()
    speed = deliver()
    slow = speed < LEAST_A_SECOND
    _line(f"deliver {DELIVERED:,} letters", f"{speed:.0f} a second", f">= {LEAST_A_SECOND:.0f} a second", slow)
    return late + slow


def _line(name: str, said: str, bound: str, is_over: bool) -> None:
    print(f"  {'worker':9} {name:34} {said:>24}   {bound:14} {'OVER' if is_over else ''}".rstrip(), flush=True)


def release(count: int) -> tuple[float, float]:
    """Write one letter to so many applicants, and release it as a second officer: the seconds that each took."""
    rows = Application.objects.filter(pk__in=list(Application.objects.order_by("pk").values_list("pk", flat=True)[:count]))
    writer, second = User.objects.get(email=OFFICER), User.objects.create_user("second@sapar.example")
    give_role(second, Role.OFFICER)
    Message.objects.all().delete()
    words = {"en": "About your file {code}"}, {"en": "Dear {name},\n\nthe dates of the interviews are on your page."}
    began = time.monotonic()
    mailing = mailings.hold(
        Call.objects.get(code=CALL), mailings.addressees(rows.order_by("pk")), subject=words[0], text=words[1], by=writer
    )
    written = time.monotonic() - began
    held = Message.objects.filter(mailing=mailing)
    assert held.count() == count, "not each of them is written to"
    began = time.monotonic()
    mailings.release(mailing, by=second)
    mailings.go_on(at=timezone.now() + timedelta(seconds=settings.UNDO_SECONDS + 1))
    took = time.monotonic() - began
    assert held.filter(delivery=Delivery.QUEUED).count() == count, "not each of them is released"
    held.update(due_at=timezone.now())
    return written, took


def deliver() -> float:
    """Letters a second, from the moment at which the first is taken: the worker's own start is not counted."""
    waiting = Message.objects.waiting()
    with sink() as (mailbox, taken), valkey(), celery_worker(mailbox, log=Path(settings.VAR) / "worker.log"):
        count = waiting.count() + Message.objects.filter(delivery=Delivery.SENT).count()
        while waiting.exists():
            time.sleep(0.2)
            assert not taken or time.monotonic() - taken[0] < 300, "it takes more than five minutes"
    assert Message.objects.filter(delivery=Delivery.SENT).count() == count, f"not all went out on {connection.vendor}"
    return (len(taken) - 1) / (taken[-1] - taken[0])


class _Sink(asyncio.Protocol):
    """As much SMTP as a client needs that all goes well for. What it is given it forgets; it keeps the moments."""

    def __init__(self, taken: list[float]) -> None:
        self.taken, self.rest, self.is_data = taken, b"", False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.way = transport
        self.way.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        self.rest += data
        while True:
            end = b"\r\n.\r\n" if self.is_data else b"\r\n"
            line, found, rest = self.rest.partition(end)
            if not found:
                return
            self.rest = rest
            self.way.write(self._answer(line))

    def _answer(self, line: bytes) -> bytes:
        if self.is_data:
            self.is_data = False
            self.taken.append(time.monotonic())
            return b"250 taken\r\n"
        self.is_data = line[:4].upper() == b"DATA"
        return b"354 go on\r\n" if self.is_data else b"221 bye\r\n" if line[:4].upper() == b"QUIT" else b"250 ok\r\n"


@contextlib.contextmanager
def sink() -> Iterator[tuple[Mailbox, list[float]]]:
    """A mail server that takes everything, and the moments at which it did."""
    taken: list[float] = []
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(loop.create_server(lambda: _Sink(taken), "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield Mailbox(port=server.sockets[0].getsockname()[1]), taken
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
