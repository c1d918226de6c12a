"""What the environment says, read once and checked, each with a plain sentence when it is wrong."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

import dj_database_url

_ADDRESS = re.compile(r"[^\s@<>,;=]+@[^\s@<>,;=]+")
ROLES = ("applicant", "body", "reviewer", "officer", "person")  # as the kinds of letters end
_YES = {"1", "true", "yes", "on"}


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
    return default if not value else value in _YES


def number(name: str, default: int) -> int:
    value = os.environ.get(name, "").strip()
    try:
        return int(value) if value else default
    except ValueError:
        raise Misconfigured(f"{name} is “{value}”, but it must be a whole number.") from None


def port(name: str, default: int) -> int:
    value = number(name, default)
    if not 1 <= value <= 65535:
        raise Misconfigured(f"{name} is “{value}”, but a port is a number from 1 to 65535.")
    return value


def folder(name: str, default: Path) -> Path:
    """The folder that NAME says, as an absolute path: the processes of one start need not stand in the same place."""
    said = os.environ.get(name, "").strip()
    return Path(said).expanduser().absolute() if said else default


# -- Addresses -------------------------------------------------------------------
# None of the sentences repeats an address: it may hold a password.


def _parts(name: str, url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise Misconfigured(f"{name} is not an address that can be read: {error}.") from None
    return parts


def site_url(default: str) -> str:
    """SITE_URL as scheme and host. It decides between demo and production, so nothing doubtful passes."""
    parts = _parts("SITE_URL", env("SITE_URL", "").strip() or default)
    is_plain = parts.path in {"", "/"} and not (parts.query or parts.fragment or parts.username)
    if parts.scheme not in {"http", "https"} or not parts.hostname or not is_plain:
        raise Misconfigured("SITE_URL must be the address of the site and nothing more, for example https://sapar.example.")
    return f"{parts.scheme}://{parts.netloc.lower()}"


def database_settings(url: str) -> dict[str, Any]:
    """Django's DATABASES entry of ``postgres://user:password@host:5432/name`` or ``sqlite:////folder/site.sqlite3``."""
    parts = _parts("DATABASE_URL", url)
    is_known = parts.scheme in {"sqlite", "postgres", "postgresql"}
    if not is_known or len(parts.path) < 2 or (parts.scheme == "sqlite" and parts.netloc):
        raise Misconfigured("DATABASE_URL must look like postgres://user:password@host:5432/name or sqlite:////folder/site.sqlite3.")
    return dict(dj_database_url.parse(url))


def redis_url(default: str) -> str:
    url = env("REDIS_URL", "").strip()
    if not url:
        return default
    parts = _parts("REDIS_URL", url)
    if not (parts.hostname if parts.scheme in {"redis", "rediss"} else parts.scheme == "unix" and len(parts.path) > 1):
        raise Misconfigured("REDIS_URL must look like redis://:password@host:6379/0 or unix:///folder/redis.sock?db=0.")
    return url


def broker_url(redis_url: str) -> str:
    """The same server as Celery spells it: a unix socket is ``redis+socket://`` there and ``unix://`` for redis-py."""
    return (
        "redis+socket://" + redis_url.removeprefix("unix://").replace("?db=", "?virtual_host=")
        if redis_url.startswith("unix://")
        else redis_url
    )


def mail_settings(url: str) -> dict[str, object]:
    """Django's EMAIL_* of ``smtp://user:password@host:port/?tls=1`` (``smtps://`` for TLS from the first byte)."""
    parts = _parts("EMAIL_URL", url)
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise Misconfigured("EMAIL_URL must look like smtp://user:password@host:587/?tls=1 (or smtps://...).")
    is_tls_at_once = parts.scheme == "smtps"
    return {
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": parts.port or (465 if is_tls_at_once else 25),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": is_tls_at_once,
        "EMAIL_USE_TLS": not is_tls_at_once and parse_qs(parts.query).get("tls", ["0"])[0].lower() in _YES,
    }


def address(name: str) -> str:
    """The mail address that NAME holds, "" where it is not set."""
    said = env(name, "").strip()
    if said and not _ADDRESS.fullmatch(said):
        raise Misconfigured(f"{name} must be one mail address, for example rehearsal@sapar.example.")
    return said


def addresses_by_role(name: str) -> dict[str, str]:
    """``applicant=students@..., reviewer=reviews@...`` of NAME, as a dictionary."""
    pairs = [pair.partition("=") for pair in env(name, "").split(",") if pair.strip()]
    found = {role.strip(): said.strip() for role, _equals, said in pairs}
    if wrong := [role for role, said in found.items() if role not in ROLES or not _ADDRESS.fullmatch(said)]:
        raise Misconfigured(
            f"{name} cannot be read at “{wrong[0]}”: it must look like applicant=students@sapar.example, with the roles {', '.join(ROLES)}."
        )
    return found


# -- The folder for everything that is written ---------------------------------------


def secret_in(folder: Path) -> str:
    """The secret kept in FOLDER, made on the first start, readable by its owner only."""
    file = folder / "secret"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not file.exists() or not file.stat().st_size:
            _make_secret(file)
        return file.read_text().strip()
    except OSError as error:
        raise unwritable(folder, error) from None


def _make_secret(file: Path) -> None:
    """Whole or not at all, and the first one counts: another process of the same start may do this at this moment."""
    own = file.with_name(f".secret-{secrets.token_hex(8)}")
    with os.fdopen(os.open(own, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(secrets.token_urlsafe(50))
    try:
        if file.exists() and not file.stat().st_size:  # cut off on a full disk
            file.unlink()
        os.link(own, file)
    except FileExistsError:
        pass
    finally:
        own.unlink()


def unwritable(folder: Path, error: OSError) -> Misconfigured:
    return Misconfigured(f"The folder {folder} cannot be written ({error.strerror}). Make it writable, or set VAR to another folder.")


def socket_in(folder: Path) -> Path:
    """A path for a unix socket in FOLDER; where that is too long for one (108 bytes), a folder of our own under /tmp."""
    path = folder / "valkey.sock"
    if len(os.fsencode(path)) < 100:
        return path
    short = Path(tempfile.gettempdir()) / f"sapar-{hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]}"
    short.mkdir(mode=0o700, exist_ok=True)
    if short.stat().st_uid != os.getuid() or short.is_symlink():
        raise Misconfigured(f"{short} belongs to somebody else. Set VAR to a folder with a shorter path.")
    return short / "valkey.sock"
