"""check_mail says in plain words whether mail works, and why not."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from tests.exchange.notifications.mailing import Server
from tests.services import free_port, smtp_server

TO = "technician@sapar.example"


@pytest.fixture(autouse=True)
def _leaves(settings) -> None:
    settings.MAIL_STAYS_HERE, settings.EMAIL_BACKEND = False, "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", free_port(), 1


@pytest.fixture
def server(settings) -> Iterator[Server]:
    with smtp_server(Server()) as mailbox:
        settings.EMAIL_PORT = mailbox.port
        yield mailbox


def refusal(address: str = TO) -> str:
    with pytest.raises(CommandError) as said:
        call_command("check_mail", address, stdout=StringIO())
    assert said.value.returncode == 1
    return str(said.value)


def test_mail_that_works_is_said_to_work(server):
    out = StringIO()

    call_command("check_mail", TO, stdout=out)

    assert out.getvalue().startswith("Mail works: 127.0.0.1, port ") and server.addresses() == [TO]


def test_in_a_rehearsal_it_goes_to_the_one_address_too(server, settings):
    settings.MAIL_ALL_TO = "rehearsal@sapar.example"

    call_command("check_mail", TO, stdout=StringIO())

    assert server.addresses() == ["rehearsal@sapar.example"]


def test_without_a_server_set_no_mail_leaves(settings):
    settings.MAIL_STAYS_HERE = True

    assert "EMAIL_URL is not set" in refusal()


def test_what_is_no_address_is_refused():
    assert refusal("nobody") == "“nobody” is not a mail address."


def test_nothing_listens():
    assert "Nothing listens at 127.0.0.1" in refusal()


def test_a_name_that_nobody_has(settings):
    settings.EMAIL_HOST = "mail.sapar.invalid"

    assert "There is no server called mail.sapar.invalid" in refusal()


@contextmanager
def mute() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def test_a_server_that_says_nothing(settings):
    with mute() as settings.EMAIL_PORT:
        assert "hung up or said nothing" in refusal()


def test_tls_where_there_is_none(server, settings):
    settings.EMAIL_USE_SSL = True
    at_once = refusal()
    settings.EMAIL_USE_SSL, settings.EMAIL_USE_TLS = False, True

    assert "TLS" in at_once and "does not offer what EMAIL_URL asks for" in refusal()


def test_signing_in_where_there_is_none(server, settings):
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "sapar", "a-secret-word"

    said = refusal()

    assert "does not offer what EMAIL_URL asks for" in said and "a-secret-word" not in said


@pytest.mark.parametrize(
    ("command", "reply", "words"),
    [
        ("at_sender", "530 5.7.0 who are you", "refuses our own address"),
        ("answer", "550 5.1.1 no such mailbox", "refuses the recipient. It says: 550 5.1.1 no such mailbox"),
        ("at_data", "554 5.7.1 not wanted", "refuses the letter. It says: 554 5.7.1 not wanted"),
    ],
)
def test_what_the_server_refuses_is_told_in_its_words(server, command, reply, words):
    setattr(server, command, lambda address: reply)

    assert words in refusal()
