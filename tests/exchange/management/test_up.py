"""One command opens the whole site; one key closes it; what dies comes back."""

from __future__ import annotations

import re
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from exchange.demo.people import PASSWORD, SIGN_INS
from tests.exchange.management.site import Browser, Site, processes_of, refusal
from tests.services import smtp_server, wait_until


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[Site]:
    """The demo, opened for the first time in a folder with an awkward name."""
    running = Site(tmp_path_factory.mktemp("up") / "Мой var #1")
    try:
        yield running.opened()
    finally:
        running.abandon()


@pytest.fixture
def start() -> Iterator[type[Site]]:
    """Starts sites, and ends them after the test."""
    started = []

    def one(*arguments, **more) -> Site:
        started.append(Site(*arguments, **more))
        return started[-1]

    yield one
    for running in started:
        running.abandon()


def users_in(folder: Path) -> list[str]:
    with sqlite3.connect(folder / "site.sqlite3") as database:
        return [email for (email,) in database.execute("select email from people_user order by email")]


# -- The demo is open ------------------------------------------------------------


def test_it_says_each_step_then_the_address_and_who_signs_in(site):
    said = site.said()

    steps = [re.sub(r"^\[ *[\d.]+ s\] ", "", line) for line in said.splitlines() if line.startswith("[")]
    assert steps == [
        "Valkey runs on a socket under var/.",
        "Database (sqlite): bringing it up to date.",
        "Static files.",
        "First start: building the demo world.",
        f"Sapar is open: {site.url}",
    ]
    assert f"password for all: {PASSWORD}" in said
    assert re.findall(r"^    (\w+) +(\S+@\S+)$", said, re.MULTILINE) == [(person.role, person.email) for person in SIGN_INS]
    assert "Demo mailbox" in said


def test_the_site_answers_and_its_worker_delivers(site):
    visitor = Browser(site)

    visitor.ask_for_a_code("somebody@sapar.example")

    (subject,) = wait_until(lambda: visitor.letters_to("somebody@sapar.example"), what="the letter with the code")
    assert re.fullmatch(r"\d{6} is your code for Sapar", subject)


def test_everything_together_takes_no_more_than_700_megabytes(site):
    reader = Browser(site)
    for role in ("student", "ministry", "reviewer", "officer"):
        page = reader.post("/demo/switch/", "/", **{"as": role})
        for link in list(dict.fromkeys(re.findall(r'href="(/(?:apply|nominate|review|manage)/[^"#?]*)"', page)))[:8]:
            reader.get(link)

    assert 200e6 < site.memory() <= 700e6


@pytest.mark.parametrize(
    ("name", "mark"),
    [("The web server", "gunicorn"), ("The worker", "celery worker"), ("The clock", " beat "), ("Valkey", "valkey-server")],
)
def test_a_child_that_is_killed_is_named_and_comes_back(site, name, mark):
    mark = mark.replace("celery worker", "exchange.celery worker")
    (child,) = site.children(mark)
    family = [child, *child.children(recursive=True)]
    before = site.said().count(f"{name} runs again.")

    child.kill()

    wait_until(lambda: site.said().count(f"{name} runs again.") > before, 30, f"{name} being named and started again")
    assert re.search(rf"^\[[^]]*\] {name} ended \(signal SIGKILL\)(: .*)?\. Starting it again in \d+ s\.$", site.said(), re.MULTILINE)
    assert [process.pid for process in psutil.wait_procs(family, timeout=10)[1]] == []
    (again,) = site.children(mark)
    assert again.pid != child.pid
    visitor = Browser(site)
    wait_until(lambda: answers(visitor), 30, "the site answering")
    address = f"after-{child.pid}@sapar.example"
    visitor.ask_for_a_code(address)
    assert len(wait_until(lambda: visitor.letters_to(address), 60, "a letter going out")) == 1


def answers(visitor: Browser) -> bool:
    try:
        return "<h1" in visitor.get("/")
    except OSError:
        return False


def test_a_second_start_in_the_same_folder_is_refused_and_harms_nothing(site):
    code, said = refusal(site.folder)

    assert (code, said) == (
        1,
        f"The site runs already with the folder {site.folder}. Stop it, or start a second one with a folder and a port of its own: "
        "VAR=... PORT=8001 make run",
    )
    assert answers(Browser(site))


def test_a_taken_port_is_named(site, tmp_path):
    code, said = refusal(tmp_path / "var", PORT=str(site.port))

    assert (code, said) == (1, f"Port {site.port} is taken by another program. Stop it, or choose another one: PORT=8001 make run")
    assert processes_of(tmp_path / "var") == []


# -- Closing, and opening again --------------------------------------------------


def test_ctrl_c_ends_everything_and_the_next_start_finds_its_data(folder, start):
    first = start(folder, "--without-demo").opened()
    Browser(first).ask_for_a_code("somebody@sapar.example")

    ended = first.end(signal.SIGINT)
    left, said = processes_of(folder), first.said()
    second = start(folder, "--without-demo").opened()
    found = users_in(folder)

    assert (ended, left, found) == (0, [], ["somebody@sapar.example"])
    assert said.rstrip().endswith("Stopped. Everything is kept; the next start finds it again.")
    assert "Traceback" not in said
    assert len(wait_until(lambda: Browser(second).letters_to("somebody@sapar.example"), what="the letter of the first start")) == 1
    # Killed itself, it takes its children along, and the folder is free for the next start.
    second.process.kill()
    second.process.wait(10)
    wait_until(lambda: not processes_of(folder), 30, "the children ending")


def test_who_closes_the_terminal_while_the_demo_is_built_leaves_nothing_half_built(folder, start):
    first = start(folder)
    first.wait_for("  drafts and applications")

    ended = first.end(signal.SIGHUP)

    assert (ended, processes_of(folder), users_in(folder)) == (0, [], [])
    assert "Traceback" not in first.said()


# -- Production ------------------------------------------------------------------


def test_production_starts_empty_and_prints_one_link_for_the_first_officer(folder, start):
    with smtp_server() as mail:
        running = start(
            folder, SITE_URL="https://sapar.example", SECRET_KEY="0123456789abcdef" * 4, EMAIL_URL=f"smtp://127.0.0.1:{mail.port}"
        ).opened()
        running.wait_for("Open this link once")
        said = running.said()
        people, ended = users_in(folder), running.end(signal.SIGTERM)

    assert (ended, processes_of(folder)) == (0, [])
    assert "Sapar is open: https://sapar.example" in said
    assert len(re.findall(r"^    https://sapar\.example/accounts/first-officer/\S+/$", said, re.MULTILINE)) == 1
    assert ("demo" in said.lower(), PASSWORD in said, people) == (False, False, [])
