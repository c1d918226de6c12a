"""Processes of one start: begun in order, watched, restarted when they die, ended in the other order."""

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from exchange.environment import Misconfigured

GRACE = 10  # seconds for a process to end by itself
CALM = 30  # seconds after which a start counts as good and the wait before a restart is short again


@dataclass
class Service:
    """One process: NAME for the lines on the screen, its command, and the file its output goes to."""

    name: str
    command: Sequence[str]
    log: Path
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    restart_at: float = 0.0
    fails: int = 0

    def start(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as out:
            # A session of its own: Ctrl-C reaches us, and we end the others in order.
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.environment},
                start_new_session=True,
                preexec_fn=_end_with_us,
            )
        self.started = time.monotonic()

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def stop(self) -> None:
        if self.process is None:
            return
        if self.is_running:
            self.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(GRACE)
        self.kill_rest()

    def kill_rest(self) -> None:
        """Kill what is left of it: children outlive a parent that was killed."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def last_line(self) -> str:
        """The last line of the log, to say why it died."""
        try:
            lines = self.log.read_bytes()[-4000:].decode("utf-8", "replace").strip().splitlines()
        except OSError:
            return ""
        return lines[-1].strip() if lines else ""


_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def _end_with_us() -> None:
    """In the child: end when we are killed and cannot end it any more."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class Stopped(BaseException):
    """Somebody pressed Ctrl-C, sent SIGTERM or closed the terminal. No ``except Exception`` on the way keeps it."""


SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def _stop(number: int, frame: object) -> None:
    """Once is enough: a second signal must not interrupt the ending."""
    for one in SIGNALS:
        signal.signal(one, signal.SIG_IGN)
    raise Stopped


class Supervisor:
    """Starts services and keeps them running until it is told to stop."""

    def __init__(self, say: Callable[[str], None]):
        self.say = say
        self.services: list[Service] = []
        for one in SIGNALS:
            signal.signal(one, _stop)

    def start(self, service: Service) -> Service:
        """Start SERVICE and look after it from now on.

        Raises:
            Misconfigured: it cannot be started at all.
        """
        self.services.append(service)
        try:
            service.start()
        except OSError as error:
            raise Misconfigured(f"{service.name} cannot be started ({error.strerror}: {error.filename}).") from None
        return service

    def watch(self) -> None:
        """Restart what dies, with a wait that grows while it keeps dying."""
        while True:
            for service in self.services:
                self._look_after(service)
            time.sleep(0.5)

    def _look_after(self, service: Service) -> None:
        now = time.monotonic()
        if service.is_running:
            if service.fails and now - service.started > CALM:
                service.fails = 0
            return
        if not service.restart_at:
            code = service.process.returncode if service.process else None
            wait = min(2**service.fails, 30)
            service.fails += 1
            service.kill_rest()
            service.restart_at = now + wait
            self.say(f"{service.name} ended ({_how(code)}): {service.last_line()[:160]}. Starting it again in {wait} s.")
        elif now >= service.restart_at:
            service.restart_at = 0.0
            service.start()
            self.say(f"{service.name} runs again.")

    def stop(self) -> None:
        """End the services, the last started first."""
        for service in reversed(self.services):
            service.stop()


def _how(code: int | None) -> str:
    if code is None:
        return "unknown"
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def hold(folder: Path) -> int:
    """Hold FOLDER for this start, until the process ends; gives the descriptor of the lock.

    Raises:
        Misconfigured: another start holds it.
    """
    lock = os.open(folder / "lock", os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise Misconfigured(
            f"The site runs already with the folder {folder}. Stop it, or start a second one with a folder and a port of its own: VAR=... PORT=8001 make run"
        ) from None
    return lock


def is_free(port: int) -> bool:
    """Whether nobody listens on PORT of this machine."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def wait_for(answers: Callable[[], bool], service: Service, seconds: float) -> bool:
    """Wait until ANSWERS is true; False when the service died or the time is over."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if answers():
            return True
        if not service.is_running:
            return False
        time.sleep(0.1)
    return False


def python(*arguments: str) -> list[str]:
    """A command line of this very Python."""
    return [sys.executable, *arguments]
