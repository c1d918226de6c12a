"""What the environment says is read once; what is wrong with it is one plain sentence that never repeats a password."""

from __future__ import annotations

import os
import stat
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from exchange import environment
from exchange.environment import Misconfigured


def refusal(read: Callable[..., Any], *arguments: Any) -> str:
    """What is said when READ refuses."""
    with pytest.raises(Misconfigured) as stopped:
        read(*arguments)
    return str(stopped.value)


# -- Plain variables -------------------------------------------------------------


def test_a_missing_variable_is_named(monkeypatch):
    monkeypatch.delenv("SAPAR_TEST", raising=False)

    assert refusal(environment.env, "SAPAR_TEST") == "The variable SAPAR_TEST is not set. Set it in the environment and start again."
    assert environment.env("SAPAR_TEST", "else") == "else"


@pytest.mark.parametrize(
    ("said", "means"), [("1", True), ("Yes", True), (" on ", True), ("TRUE", True), ("0", False), ("off", False), ("", False)]
)
def test_a_flag_is_yes_or_no(monkeypatch, said, means):
    monkeypatch.setenv("SAPAR_TEST", said)

    assert environment.flag("SAPAR_TEST") is means


def test_a_flag_that_is_not_set_is_what_it_is_by_default(monkeypatch):
    monkeypatch.delenv("SAPAR_TEST", raising=False)

    assert (environment.flag("SAPAR_TEST"), environment.flag("SAPAR_TEST", True)) == (False, True)


def test_a_number_is_whole(monkeypatch):
    monkeypatch.setenv("SAPAR_TEST", " 12 ")
    assert environment.number("SAPAR_TEST", 5) == 12
    monkeypatch.setenv("SAPAR_TEST", "")
    assert environment.number("SAPAR_TEST", 5) == 5
    monkeypatch.setenv("SAPAR_TEST", "twelve")
    assert refusal(environment.number, "SAPAR_TEST", 5) == "SAPAR_TEST is “twelve”, but it must be a whole number."


@pytest.mark.parametrize("said", ["0", "-1", "65536", "800000"])
def test_a_port_is_a_number_that_ports_have(monkeypatch, said):
    monkeypatch.setenv("PORT", said)

    assert refusal(environment.port, "PORT", 8000) == f"PORT is “{said}”, but a port is a number from 1 to 65535."


def test_a_port_may_be_the_last_one(monkeypatch):
    monkeypatch.setenv("PORT", "65535")

    assert environment.port("PORT", 8000) == 65535


# -- Addresses -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "means"),
    [
        ("", "http://127.0.0.1:8000"),
        ("https://sapar.example", "https://sapar.example"),
        ("https://sapar.example/", "https://sapar.example"),
        ("HTTPS://Sapar.Example:8443", "https://sapar.example:8443"),
        (" http://10.0.0.7:8000 ", "http://10.0.0.7:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_the_address_of_the_site_is_scheme_and_host(monkeypatch, said, means):
    monkeypatch.setenv("SITE_URL", said)

    assert environment.site_url("http://127.0.0.1:8000") == means


@pytest.mark.parametrize(
    "said",
    [
        "sapar.example",
        "sapar.example:443",
        "//sapar.example",
        "https:sapar.example",
        "https://",
        "ftp://sapar.example",
        "https://sapar.example/path",
        "https://sapar.example?x=1",
        "https://sapar.example#top",
        "https://me:secret@sapar.example",
    ],
)
def test_an_address_of_the_site_that_could_mean_either_demo_or_production_is_refused(monkeypatch, said):
    monkeypatch.setenv("SITE_URL", said)

    assert refusal(environment.site_url, "") == (
        "SITE_URL must be the address of the site and nothing more, for example https://sapar.example."
    )


@pytest.mark.parametrize(
    ("url", "means"),
    [
        ("postgres://sapar:s%40c@db.example:5433/site", ("postgresql", "site", "db.example", 5433, "sapar", "s@c")),
        ("postgresql://127.0.0.1/site", ("postgresql", "site", "127.0.0.1", "", "", "")),
        ("postgres://%2Frun%2Fpostgresql/site", ("postgresql", "site", "/run/postgresql", "", "", "")),
        ("sqlite:////srv/my%20site/site.sqlite3", ("sqlite3", "/srv/my site/site.sqlite3", "", "", "", "")),
        ("sqlite:///site.sqlite3", ("sqlite3", "site.sqlite3", "", "", "", "")),
    ],
)
def test_the_address_of_the_database_is_understood(url, means):
    found = environment.database_settings(url)

    assert (found["ENGINE"].rpartition(".")[2], *(found[name] for name in ("NAME", "HOST", "PORT", "USER", "PASSWORD"))) == means


@pytest.mark.parametrize(
    "url",
    [
        "nonsense",
        "mysql://sapar:s3cret@db.example/site",
        "postgres://sapar:s3cret@db.example",
        "postgres://sapar:s3cret@db.example/",
        "sqlite://",
        "sqlite://site.sqlite3/x",
        "oracle://s3cret/x",
    ],
)
def test_the_address_of_another_database_is_refused_with_an_example(url):
    assert refusal(environment.database_settings, url) == (
        "DATABASE_URL must look like postgres://user:password@host:5432/name or sqlite:////folder/site.sqlite3."
    )


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("postgres://sapar:s3cret@db.example:port/site", "Port could not be cast to integer value as 'port'"),
        ("postgres://sapar:s3cret@db.example:99999/site", "Port out of range 0-65535"),
        ("postgres://[::1/site", "Invalid IPv6 URL"),
    ],
)
def test_an_address_that_cannot_be_read_is_refused_without_its_password(url, reason):
    said = refusal(environment.database_settings, url)

    assert said == f"DATABASE_URL is not an address that can be read: {reason}."


@pytest.mark.parametrize(
    "url", ["redis://127.0.0.1:6379/5", "redis://:s3cret@redis.example/0", "rediss://redis.example:6380/0", "unix:///run/redis.sock?db=2"]
)
def test_an_address_of_redis_is_taken_as_it_is(monkeypatch, url):
    monkeypatch.setenv("REDIS_URL", url)

    assert environment.redis_url("unix:///ours?db=0") == url


def test_without_an_address_of_redis_it_is_the_embedded_one(monkeypatch):
    monkeypatch.setenv("REDIS_URL", "  ")

    assert environment.redis_url("unix:///ours?db=0") == "unix:///ours?db=0"


@pytest.mark.parametrize("url", ["nonsense", "localhost:6379", "redis://", "http://redis.example", "unix://", "unix:/", "amqp://s3cret@x"])
def test_an_address_of_something_else_than_redis_is_refused_with_an_example(monkeypatch, url):
    monkeypatch.setenv("REDIS_URL", url)

    assert refusal(environment.redis_url, "") == "REDIS_URL must look like redis://:password@host:6379/0 or unix:///folder/redis.sock?db=0."


@pytest.mark.parametrize(
    ("url", "as_celery_spells_it"),
    [
        ("unix:///run/redis.sock?db=2", "redis+socket:///run/redis.sock?virtual_host=2"),
        ("redis://127.0.0.1:6379/5", "redis://127.0.0.1:6379/5"),
    ],
)
def test_celery_hears_of_the_same_redis(url, as_celery_spells_it):
    assert environment.broker_url(url) == as_celery_spells_it


@pytest.mark.parametrize(
    ("url", "host", "port", "user", "password", "from_the_first_byte", "starttls"),
    [
        ("smtp://127.0.0.1", "127.0.0.1", 25, "", "", False, False),
        ("smtp://sapar%40x:p%2Fw@mail.example:587/?tls=1", "mail.example", 587, "sapar@x", "p/w", False, True),
        ("smtp://mail.example?tls=Yes", "mail.example", 25, "", "", False, True),
        ("smtp://mail.example:26/?tls=0", "mail.example", 26, "", "", False, False),
        ("smtps://mail.example", "mail.example", 465, "", "", True, False),
        ("smtps://mail.example/?tls=1", "mail.example", 465, "", "", True, False),
    ],
)
def test_the_address_of_the_mail_server_is_understood(url, host, port, user, password, from_the_first_byte, starttls):
    assert environment.mail_settings(url) == {
        "EMAIL_HOST": host,
        "EMAIL_PORT": port,
        "EMAIL_HOST_USER": user,
        "EMAIL_HOST_PASSWORD": password,
        "EMAIL_USE_SSL": from_the_first_byte,
        "EMAIL_USE_TLS": starttls,
    }


@pytest.mark.parametrize("url", ["mail.example", "smtp://", "http://mail.example", "smtp:s3cret"])
def test_an_address_of_something_else_than_mail_is_refused_with_an_example(url):
    assert refusal(environment.mail_settings, url) == "EMAIL_URL must look like smtp://user:password@host:587/?tls=1 (or smtps://...)."


# -- The folder ------------------------------------------------------------------


def test_the_folder_is_absolute_wherever_a_process_stands(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VAR", "here")
    assert environment.folder("VAR", Path("/else")) == tmp_path / "here"
    monkeypatch.setenv("VAR", "~/there")
    assert environment.folder("VAR", Path("/else")) == Path.home() / "there"
    monkeypatch.setenv("VAR", " ")
    assert environment.folder("VAR", Path("/else")) == Path("/else")


def test_a_secret_is_made_once_long_and_for_its_owner_alone(tmp_path):
    folder = tmp_path / "new" / "var"

    secrets = {environment.secret_in(folder) for _start in range(3)}

    assert [len(secret) >= 50 for secret in secrets] == [True]
    assert stat.S_IMODE((folder / "secret").stat().st_mode) == 0o600
    assert [path.name for path in folder.iterdir()] == ["secret"]


def test_processes_that_start_together_find_one_secret(tmp_path):
    found, start = [], threading.Barrier(8)

    def run() -> None:
        start.wait(10)
        found.append(environment.secret_in(tmp_path))

    threads = [threading.Thread(target=run) for _process in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (len(found), len(set(found)), "" in found) == (8, 1, False)


def test_a_secret_that_was_cut_off_on_a_full_disk_is_made_again(tmp_path):
    (tmp_path / "secret").touch(mode=0o600)

    assert len(environment.secret_in(tmp_path)) >= 50


def test_a_folder_that_cannot_be_written_is_named_with_the_remedy(tmp_path):
    (tmp_path / "file").touch()
    folder = tmp_path / "file" / "var"

    assert refusal(environment.secret_in, folder) == (
        f"The folder {folder} cannot be written (Not a directory). Make it writable, or set VAR to another folder."
    )


def test_a_socket_stands_in_the_folder_where_its_path_is_short_enough(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    long = tmp_path / ("Нурай" * 20)

    near, far, other = environment.socket_in(Path("/srv/var")), environment.socket_in(long), environment.socket_in(long / "x")

    assert near == Path("/srv/var/valkey.sock")
    assert (far.parent.parent, far.name, len(os.fsencode(far)) < 108, far != other) == (tmp_path, "valkey.sock", True, True)
    assert stat.S_IMODE(far.parent.stat().st_mode) == 0o700
    assert environment.socket_in(long) == far


def test_a_folder_for_sockets_that_somebody_else_has_made_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    long = tmp_path / ("x" * 100)
    ours = environment.socket_in(long).parent
    ours.rmdir()
    ours.symlink_to(tmp_path)

    assert refusal(environment.socket_in, long) == f"{ours} belongs to somebody else. Set VAR to a folder with a shorter path."


# -- Mail beside its server -------------------------------------------------------


def test_one_address_or_none(monkeypatch):
    found = []
    for said in ("", " rehearsal@sapar.example "):
        monkeypatch.setenv("MAIL_ALL_TO", said)
        found.append(environment.address("MAIL_ALL_TO"))

    assert found == ["", "rehearsal@sapar.example"]


@pytest.mark.parametrize("said", ["nobody", "a@b, c@d", "A <a@sapar.example>", "a@b@c"])
def test_what_is_no_one_address_is_refused(monkeypatch, said):
    monkeypatch.setenv("MAIL_ALL_TO", said)

    assert refusal(environment.address, "MAIL_ALL_TO") == "MAIL_ALL_TO must be one mail address, for example rehearsal@sapar.example."


def test_addresses_by_role(monkeypatch):
    monkeypatch.setenv("REPLY_TO", "applicant=students@sapar.example, reviewer = reviews@sapar.example,")

    assert environment.addresses_by_role("REPLY_TO") == {"applicant": "students@sapar.example", "reviewer": "reviews@sapar.example"}


@pytest.mark.parametrize("said", ["students@sapar.example", "dean=a@sapar.example", "applicant=nobody"])
def test_a_role_that_nobody_has_and_an_address_that_is_none_are_refused(monkeypatch, said):
    monkeypatch.setenv("REPLY_TO", said)

    assert refusal(environment.addresses_by_role, "REPLY_TO").startswith("REPLY_TO cannot be read at “")
