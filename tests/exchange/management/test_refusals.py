"""What is wrong at the start is one plain sentence with its remedy and an exit code: no traceback, nothing left running."""

from __future__ import annotations

import os
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from exchange.demo.people import STUDENT
from tests.exchange.management.site import environment, processes_of, refusal
from tests.services import ROOT, free_port

GOOD_SECRET = "0123456789abcdef" * 4
PRODUCTION = {"SITE_URL": "https://sapar.example", "SECRET_KEY": GOOD_SECRET, "EMAIL_URL": "smtp://127.0.0.1:25"}

WRONG = {
    "a port that is none": ({"PORT": "eight"}, "PORT is “eight”, but it must be a whole number."),
    "a database of another kind": (
        {"DATABASE_URL": "mysql://sapar:s3cret@127.0.0.1/site"},
        "DATABASE_URL must look like postgres://user:password@host:5432/name or sqlite:////folder/site.sqlite3.",
    ),
    "an address of Redis that is none": (
        {"REDIS_URL": "localhost:6379"},
        "REDIS_URL must look like redis://:password@host:6379/0 or unix:///folder/redis.sock?db=0.",
    ),
    "an address of mail that is none": (
        {"EMAIL_URL": "mail.example"},
        "EMAIL_URL must look like smtp://user:password@host:587/?tls=1 (or smtps://...).",
    ),
    "an address of the site without its scheme": (
        {"SITE_URL": "sapar.example"},
        "SITE_URL must be the address of the site and nothing more, for example https://sapar.example.",
    ),
    "production without a secret": (
        {**PRODUCTION, "SECRET_KEY": ""},
        "SITE_URL is https, so this is production: set SECRET_KEY to 50 or more random characters.",
    ),
    "production with a short secret": (
        {**PRODUCTION, "SECRET_KEY": "too-short"},
        "SITE_URL is https, so this is production: set SECRET_KEY to 50 or more random characters.",
    ),
    "production with Django's default secret": (
        {**PRODUCTION, "SECRET_KEY": f"django-insecure-{GOOD_SECRET}"},
        "SITE_URL is https, so this is production: set SECRET_KEY to 50 or more random characters.",
    ),
    "production without mail": (
        {**PRODUCTION, "EMAIL_URL": ""},
        "SITE_URL is https, so this is production: set EMAIL_URL, for example smtp://user:password@host:587/?tls=1.",
    ),
    "production with DEBUG": ({**PRODUCTION, "DEBUG": "1"}, "DEBUG is on, and SITE_URL is https. Switch DEBUG off in production."),
    "every host allowed": ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS must name hosts; “*” would let anybody's host name in."),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_setting_is_one_sentence(case, tmp_path):
    settings, sentence = WRONG[case]

    assert refusal(tmp_path / "var", **settings) == (1, sentence)


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    folder = tmp_path / "file" / "var"

    assert refusal(folder) == (
        1,
        f"The folder {folder} cannot be written (Not a directory). Make it writable, or set VAR to another folder.",
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_of_somebody_else_is_named(tmp_path):
    folder = tmp_path / "var"
    folder.mkdir(mode=0o500)

    assert refusal(folder) == (
        1,
        f"The folder {folder} cannot be written (Permission denied). Make it writable, or set VAR to another folder.",
    )


def test_a_database_that_does_not_answer_is_one_sentence_and_what_was_started_is_ended(tmp_path):
    port = free_port()
    code, said = refusal(tmp_path / "var", DATABASE_URL=f"postgres://sapar:s3cret@127.0.0.1:{port}/site")

    assert code == 1
    assert said.startswith("The database does not answer: ")
    assert said.endswith(". Check DATABASE_URL and that the server runs.")
    assert (said.count("\n"), "Connection refused" in said, "s3cret" in said) == (0, True, False)
    assert processes_of(tmp_path / "var") == []


def test_a_database_file_in_a_folder_that_is_not_there_is_one_sentence(tmp_path):
    assert refusal(tmp_path / "var", DATABASE_URL=f"sqlite:///{tmp_path}/nowhere/site.sqlite3") == (
        1,
        "The database does not answer: unable to open database file. Check DATABASE_URL and that the server runs.",
    )


def test_a_redis_that_does_not_answer_is_one_sentence(tmp_path):
    port = free_port()
    code, said = refusal(tmp_path / "var", REDIS_URL=f"redis://127.0.0.1:{port}/0")

    assert code == 1
    assert said.startswith("Redis at REDIS_URL does not answer (")
    assert said.endswith("). Start it, or unset REDIS_URL to use the embedded one.")
    assert said.count("\n") == 0


def test_production_on_the_database_of_the_demo_is_refused(folder):
    script = f"import django; django.setup(); from scholarships.people.models import User; User.objects.create_user('{STUDENT.email}')"
    made = subprocess.run(
        [sys.executable, "-c", script],
        env=environment(folder, DJANGO_SETTINGS_MODULE="exchange.settings", PYTHONPATH=str(ROOT)),
        check=False,
    )

    assert made.returncode == 0
    assert refusal(folder, **PRODUCTION) == (
        1,
        "This database holds the demo world, whose password everybody knows. For production set DATABASE_URL (or VAR) to another one.",
    )
    assert processes_of(folder) == []


# -- Before there is a Django ----------------------------------------------------


def test_an_old_python_is_named_by_manage_py(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 9, 1, "final", 0))

    with pytest.raises(SystemExit) as stopped:
        runpy.run_path(str(ROOT / "manage.py"), run_name="__main__")

    assert stopped.value.code == ("This is Python 3.9; the site needs 3.11 or newer. Install it, or name one: make run PYTHON=python3.12")


def test_a_python_without_django_says_what_to_run():
    done = subprocess.run([sys.executable, "-S", str(ROOT / "manage.py"), "up"], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "Django is not installed here. Run `make run`, or `pip install -r requirements.txt` first.\n"


@pytest.fixture
def make(tmp_path):
    """``make run`` with a Python that is PRELUDE before it is itself; nothing is installed."""
    if shutil.which("make") is None:
        pytest.skip("there is no make here")

    def run(prelude: str) -> tuple[int, str]:
        python = tmp_path / "python"
        python.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{prelude}; import sys; exec(sys.argv.pop(1))" "$2"\n')
        python.chmod(0o755)
        command = ["make", "run", f"PYTHON={python}", f"VENV={tmp_path / 'venv'}"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        return done.returncode, "\n".join(line for line in (done.stdout + done.stderr).splitlines() if not line.startswith("make"))

    return run


def test_an_old_python_is_named_by_make(make, tmp_path):
    code, said = make("import sys; sys.version_info = (3, 9, 1)")

    assert (code, said) == (2, "This is Python 3.9; the site needs 3.11 or newer. Name another one: make run PYTHON=python3.12")
    assert not (tmp_path / "venv").exists()


def test_a_python_without_venv_is_told_what_to_install(make, tmp_path):
    code, said = make("import sys; sys.modules['ensurepip'] = None")

    assert code == 2
    assert said.splitlines()[-1] == "This Python has no venv module. On Debian and Ubuntu: apt install python3-venv. Then run make again."
    assert not Path(tmp_path / "venv").exists()
