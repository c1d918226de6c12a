"""The whole site, started as a person starts it: ``manage.py up`` with a folder and a port of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import suppress
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urlencode

import psutil

from tests.services import ROOT, free_port, wait_until

UP = (sys.executable, str(ROOT / "manage.py"), "up")
OURS = ("VAR", "PORT", "SITE_URL", "SECRET_KEY", "DEBUG", "DATABASE_URL", "REDIS_URL", "EMAIL_URL", "CELERY_PREFIX", "ALLOWED_HOSTS")


def environment(folder: Path, **more: str) -> dict[str, str]:
    """An environment in which nothing is configured but FOLDER and MORE."""
    plain = {name: value for name, value in os.environ.items() if name not in OURS}
    return {**plain, "VAR": str(folder), "PYTHONDONTWRITEBYTECODE": "1", "SWEEP_SECONDS": "1", **more}


def refusal(folder: Path, *arguments: str, **more: str) -> tuple[int, str]:
    """How ``up`` ends where it cannot start: exit code, and what is said without the lines of progress."""
    done = subprocess.run(
        [*UP, *arguments], env=environment(folder, **{"PORT": str(free_port()), **more}), capture_output=True, text=True, timeout=60
    )
    said = [line for line in (done.stdout + done.stderr).splitlines() if not line.startswith("[")]
    return done.returncode, "\n".join(said)


def processes_of(folder: Path) -> list[psutil.Process]:
    """Every process that works with FOLDER."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            # Valkey writes its title over its environment, but stands in the folder.
            is_ours = process.environ().get("VAR") == str(folder) or process.cwd() == str(folder / "valkey")
            if is_ours and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


class Site:
    """A running site. What it prints goes to a file beside its folder."""

    def __init__(self, folder: Path, *arguments: str, **more: str):
        self.folder, self.port = folder, int(more.get("PORT") or free_port())
        self.url = f"http://127.0.0.1:{self.port}"
        self.screen = folder.with_name(f"{folder.name}-{self.port}-{len(list(folder.parent.iterdir()))}.txt")
        with self.screen.open("wb") as out:
            self.process = subprocess.Popen(
                [*UP, *arguments],
                env=environment(folder, **{**more, "PORT": str(self.port)}),
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def said(self) -> str:
        return self.screen.read_text(encoding="utf-8")

    def log(self, name: str) -> str:
        """The end of the log of NAME: web, worker, clock, valkey."""
        file = self.folder / "log" / f"{name}.log"
        return file.read_text(encoding="utf-8", errors="replace")[-6000:] if file.exists() else ""

    def wait_for(self, words: str, seconds: float = 120) -> None:
        wait_until(lambda: words in self.said() or self.process.poll() is not None, seconds, f"“{words}”")
        assert words in self.said(), self.said()

    def opened(self) -> Site:
        self.wait_for(" is open: ")
        return self

    def end(self, number: int = signal.SIGINT) -> int:
        """Send the signal of Ctrl-C; gives the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(60)

    def abandon(self) -> None:
        """After a test, however it went: nothing of it may stay."""
        with suppress(subprocess.TimeoutExpired):
            self.end()
        for process in processes_of(self.folder):
            with suppress(psutil.Error):
                process.kill()

    def children(self, mark: str = "") -> list[psutil.Process]:
        """The processes that it started itself, those with MARK in their command."""
        return [child for child in psutil.Process(self.process.pid).children() if mark in " ".join(child.cmdline())]

    def memory(self) -> int:
        """Bytes of all its processes; what several share counts once (PSS)."""
        return sum(process.memory_full_info().pss for process in processes_of(self.folder))


class Browser:
    """A browser that keeps its cookies."""

    def __init__(self, site: Site):
        self.site = site
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))

    def get(self, path: str) -> str:
        return self._open(self.site.url + path)

    def post(self, path: str, page: str, **data: str) -> str:
        """Send the form of PAGE to PATH."""
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.get(page)).group(1)
        form = urlencode({"csrfmiddlewaretoken": token, **data}).encode()
        request = urllib.request.Request(self.site.url + path, form, {"Referer": self.site.url + page})
        return self._open(request)

    def _open(self, what: str | urllib.request.Request) -> str:
        try:
            with self.opener.open(what, timeout=30) as answer:
                return answer.read().decode("utf-8", "replace")
        except urllib.error.HTTPError as error:
            if error.code >= 500:
                error.add_note(f"What the web server said:\n{self.site.log('web')}")
            raise

    def ask_for_a_code(self, email: str) -> None:
        self.post("/accounts/login/code/", "/accounts/login/code/", email=email)

    def letters_to(self, email: str) -> list[str]:
        """The subjects of the letters in the demo's mailbox that have been sent."""
        page = self.get(f"/demo/mailbox/?to={email}")
        rows = re.findall(r'<tr><th scope="row"[^>]*><a [^>]*>([^<]*)</a>.*?</tr>', page, re.DOTALL)
        return rows if "Queued" not in page and "Being sent" not in page else []
