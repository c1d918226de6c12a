"""The rehearsal: letters wait, and then everything dies in turn."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import redis
from django.conf import settings
from django.db import connection

from exchange.notifications.letters import Letter
from exchange.notifications.models import Message
from exchange.notifications.outbox import post
from scholarships.events.actions import record
from scholarships.people.actions import JOINED
from tests.chaos.judge import duplicates, faults_of
from tests.chaos.server import CUT, LATER, REFUSED, Faulty
from tests.factories import make_user
from tests.services import celery_worker, smtp_server, valkey, wait_until

KILLS, CONCURRENCY = 8, 2
LEASE = 6  # seconds; 45 outside of rehearsals
MOST_SECONDS = 120  # until all are out, after the last fault
KIND = "person.role_given:person"  # rendered at the first claim, as all letters of the catalogue


@dataclass(frozen=True)
class Outcome:
    faults: list[str]
    said: str


def write_letters(count: int) -> list[str]:
    """COUNT letters that wait, half of them still without words; gives their Message-IDs."""
    user = make_user()
    event = record(JOINED, user)
    rows = [
        post(event, "test.letter", f"person{number}@sapar.example", Letter("A letter", "Words.\n", "<p>Words.</p>"))
        for number in range(count)
    ]
    halves = [row.pk for row in rows[::2]]
    Message.objects.filter(pk__in=halves).update(kind=KIND, subject="", text="", html="", user=user)
    return [row.message_id for row in rows]


def rehearse(count: int, folder: Path) -> Outcome:
    """Let COUNT letters leave while the worker is killed KILLS times and Redis is frozen, stopped and wiped.

    Redis is left alone when it is not ours (REDIS_URL is set).
    """
    names = write_letters(count)
    mailbox = Faulty()
    mailbox.doom(names)
    harm = {} if os.environ.get("REDIS_URL") else {1: "freeze", 3: "stop", 5: "wipe"}
    began = time.monotonic()
    with smtp_server(mailbox), contextlib.ExitStack() as services:
        services.enter_context(valkey())
        for life in range(KILLS):
            with living(mailbox, folder / f"life{life}.log") as worker:
                _harm(harm.get(life, ""), services)
                goal = min(len(mailbox.log) + max(1, count // (KILLS + 2)), count)
                wait_until(lambda goal=goal: len(mailbox.log) >= goal or not waiting(), 60, f"{goal} letters in life {life}")
                kill_whole(worker.pid)
        mailbox.is_well = True
        last_fault = time.monotonic()
        with living(mailbox, folder / "last.log"):
            wait_until(lambda: not waiting(), MOST_SECONDS, "all letters going out")
        took = time.monotonic() - last_fault
    states = dict(Message.objects.filter(message_id__in=names).values_list("message_id", "delivery"))
    fates = [arrival.fate for arrival in mailbox.log]
    return Outcome(
        faults_of(states, mailbox.log, kills=KILLS, concurrency=CONCURRENCY),
        f"{count} letters on {connection.vendor}: {KILLS} kills, Redis {', '.join(harm.values()) or 'left alone'}, {fates.count(LATER)} x 451, "
        f"{fates.count(REFUSED)} x 550, {fates.count(CUT)} cut; {duplicates(mailbox.log)} duplicates; all out {took:.0f} s after the last fault, "
        f"{time.monotonic() - began:.0f} s in all",
    )


def waiting() -> int:
    return Message.objects.waiting().count()


def living(mailbox: Faulty, log: Path) -> contextlib.AbstractContextManager:
    return celery_worker(mailbox, log=log, MAIL_LEASE_SECONDS=str(LEASE))


def kill_whole(pid: int) -> None:
    """SIGKILL for the worker and the children that do its work."""
    parent = psutil.Process(pid)
    family = [parent, *parent.children(recursive=True)]
    for process in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(family, timeout=10)


def _harm(how: str, services: contextlib.ExitStack) -> None:
    if how == "freeze":
        with frozen(_valkey()):
            time.sleep(3)
    elif how == "stop":
        services.close()
        time.sleep(2)
        services.enter_context(valkey())
    elif how == "wipe":
        _client().flushall()


def _valkey() -> psutil.Process:
    return psutil.Process(_client().info("server")["process_id"])


def _client() -> redis.Redis:
    return redis.Redis(unix_socket_path=str(settings.VALKEY_SOCKET))


@contextlib.contextmanager
def frozen(process: psutil.Process) -> Iterator[None]:
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)
