"""Send one letter now, past the outbox, and say in plain words whether mail works."""

from __future__ import annotations

import smtplib
import socket
import ssl
from argparse import ArgumentParser
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage, get_connection
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email

TLS_WORDS = "In EMAIL_URL, smtps:// is TLS from the first byte (often port 465), and smtp://...?tls=1 is STARTTLS (often port 587)."


class Command(BaseCommand):
    help = "Send a letter to ADDRESS and say whether mail works and, if not, why. The exit code is 0 or 1."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("address", metavar="ADDRESS")

    def handle(self, *args: Any, **options: Any) -> None:
        address = settings.MAIL_ALL_TO or options["address"]
        try:
            validate_email(address)
        except ValidationError:
            raise CommandError(f"“{address}” is not a mail address.") from None
        if settings.MAIL_STAYS_HERE:
            raise CommandError("No mail leaves this site: EMAIL_URL is not set, and letters stay in the demo mailbox.")
        mail = EmailMessage(
            f"{settings.SITE_NAME}: mail works",
            f"This letter was sent by {settings.SITE_URL} to see whether mail leaves it.\n",
            settings.DEFAULT_FROM_EMAIL,
            [address],
            reply_to=[settings.OFFICE_EMAIL],
        )
        connection = get_connection()
        try:
            connection.open()
            mail.connection = connection
            mail.send()
        except (smtplib.SMTPException, OSError) as error:
            raise CommandError(f"Mail does not work. {why(error)}") from None
        finally:
            with suppress(smtplib.SMTPException, OSError):
                connection.close()
        note = " MAIL_ALL_TO is set: all mail goes to this one address." if settings.MAIL_ALL_TO else ""
        self.stdout.write(
            f"Mail works: {_server()} took a letter to {address}. Look whether it arrives, also among the unwanted mail.{note}"
        )


def _server() -> str:
    return f"{settings.EMAIL_HOST}, port {settings.EMAIL_PORT},"


def why(error: Exception) -> str:
    """What is wrong and what to do about it, in plain words. Nothing secret stands in them."""
    said = _reply(error)
    match error:
        case socket.gaierror():
            return f"There is no server called {settings.EMAIL_HOST}: is its name in EMAIL_URL right?"
        case ConnectionRefusedError():
            return f"Nothing listens at {_server()} or a firewall refuses it: is the port in EMAIL_URL right?"
        case ssl.SSLCertVerificationError():
            return (
                f"The certificate of {_server()} is not good for this name ({error.verify_message}). Use the name that it is made out to."
            )
        case ssl.SSLError():
            return f"TLS with {_server()} failed. {TLS_WORDS}"
        case TimeoutError():
            return f"{_server()} does not answer within {settings.EMAIL_TIMEOUT} seconds: a firewall may swallow it, or TLS is spoken wrongly. {TLS_WORDS}"
        case smtplib.SMTPAuthenticationError():
            return f"{_server()} refuses the user or the password of EMAIL_URL. It says: {said}"
        case smtplib.SMTPNotSupportedError():
            return f"{_server()} does not offer what EMAIL_URL asks for, TLS or signing in ({error}). {TLS_WORDS}"
        case smtplib.SMTPSenderRefused():
            return f"{_server()} refuses our own address, {settings.DEFAULT_FROM_EMAIL}: set FROM_EMAIL to one that it may send for. It says: {said}"
        case smtplib.SMTPRecipientsRefused():
            return f"{_server()} refuses the recipient. It says: {said}"
        case smtplib.SMTPServerDisconnected():
            return f"{_server()} hung up or said nothing. {TLS_WORDS}"
        case smtplib.SMTPException():
            return f"{_server()} refuses the letter. It says: {said}"
        case _:
            return f"{_server()} cannot be reached: {error}."


def _reply(error: Exception) -> str:
    """The words of the server."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, reply = next(iter(error.recipients.values()))
    elif isinstance(error, smtplib.SMTPResponseException):
        code, reply = error.smtp_code, error.smtp_error
    else:
        return str(error)
    return f"{code} {reply.decode('utf-8', 'replace') if isinstance(reply, bytes) else reply}"
