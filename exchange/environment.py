"""What the environment says, read once and checked, each with a plain sentence when it is wrong."""

from __future__ import annotations

import hashlib
import os
import secrets
import tempfile
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit


class Misconfigured(SystemExit):
    """Stops the start: one plain sentence with the remedy goes to the screen, the exit code is 1."""


def env(name: str, default: str | None = None) -> str:
    """The variable NAME.

    Raises:
        Misconfigured: it is missing and there is no default.
    """
    value = os.environ.get(name, default)
    if value is None or (value == "" and default is None):
        raise Misconfigured(f"The variable {name} is not set. Set it in the environment and start again.")
    return value


def flag(name: str, default: bool = False) -> bool:
    value = os.environ.get(name, "").strip().lower()
    return default if not value else value in {"1", "true", "yes", "on"}


def number(name: str, default: int) -> int:
    value = os.environ.get(name, "").strip()
    try:
        return int(value) if value else default
    except ValueError:
        raise Misconfigured(f"{name} is “{value}”, but it must be a whole number.") from None


def secret_in(folder: Path) -> str:
    """The secret kept in FOLDER, made on the first start, readable by its owner only."""
    file = folder / "secret"
    try:
        return file.read_text().strip()
    except FileNotFoundError:
        pass
    except OSError as error:
        raise Misconfigured(f"{file} cannot be read ({error.strerror}). Give this user access to it.") from None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            out.write(secrets.token_urlsafe(50))
    except FileExistsError:  # another process of the same start was quicker
        pass
    except OSError as error:
        raise Misconfigured(
            f"The folder {folder} cannot be written ({error.strerror}). Make it writable, or set VAR to another folder."
        ) from None
    return file.read_text().strip()


def socket_in(folder: Path) -> Path:
    """A path for a unix socket in FOLDER; where that is too long for one (108 bytes), a folder of our own under /tmp."""
    path = folder / "valkey.sock"
    if len(str(path)) < 100:
        return path
    short = Path(tempfile.gettempdir()) / f"sapar-{hashlib.sha256(str(folder).encode()).hexdigest()[:12]}"
    short.mkdir(mode=0o700, exist_ok=True)
    return short / "valkey.sock"


def broker_url(redis_url: str) -> str:
    """The same server as Celery spells it: a unix socket is ``redis+socket://`` there and ``unix://`` for redis-py."""
    return (
        "redis+socket://" + redis_url.removeprefix("unix://").replace("?db=", "?virtual_host=")
        if redis_url.startswith("unix://")
        else redis_url
    )


def mail_settings(url: str) -> dict[str, object]:
    """Django's EMAIL_* of ``smtp://user:password@host:port/?tls=1`` (``smtps://`` for TLS from the first byte)."""
    parts = urlsplit(url)
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise Misconfigured("EMAIL_URL must look like smtp://user:password@host:587/?tls=1 (or smtps://...).")
    options = parse_qs(parts.query)
    try:
        port = parts.port or (465 if parts.scheme == "smtps" else 25)
    except ValueError:
        raise Misconfigured("The port in EMAIL_URL must be a number.") from None
    return {
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": port,
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": parts.scheme == "smtps",
        "EMAIL_USE_TLS": options.get("tls", ["0"])[0] in {"1", "true"},
    }
