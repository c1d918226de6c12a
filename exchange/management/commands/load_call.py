"""Load a call from a YAML file."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from exchange.ui.templatetags.ui import moment
from scholarships.calls.file import WrongFile, read
from scholarships.calls.loading import load
from scholarships.partners import loading as partners
from scholarships.programmes import loading as programmes


class Command(BaseCommand):
    help = "Load a call file and publish the call. A wrong file is refused with line and reason, and nothing of it is loaded."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("file", help="a YAML file, or the name of one that is shipped: sco, tcm-3-2, turkmenistan")
        parser.add_argument("--open-from", default="", help="the day on which it opens, 2026-11-24 or today; all dates move along")
        parser.add_argument("--as", dest="code", default="", help="load it under another code")

    def handle(self, *args: Any, **options: Any) -> None:
        path = Path(options["file"])
        if not path.exists() and (shipped(options["file"])).exists():
            path = shipped(options["file"])
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{path} cannot be read: {error}") from None
        opens_on = _day(options["open_from"])
        try:
            with transaction.atomic():
                load_library()
                call = load(read(text), code=options["code"], opens_on=opens_on)
        except WrongFile as wrong:
            raise CommandError("\n".join(f"{path}: {fault}" for fault in wrong.faults)) from None
        opens, closes = (moment(at, call.zone) for at in (call.opens_at, call.closes_at))
        self.stdout.write(f"Loaded {call.code}: “{call.title}”, open from {opens} to {closes}.")


def shipped(name: str) -> Path:
    return Path(__file__).parents[3] / "scholarships" / "calls" / "library" / f"{name}.yaml"


def load_library() -> None:
    """Bring the shipped institutions and programmes up to date: call files name them."""
    for path in sorted(partners.LIBRARY.glob("*.yaml")):
        partners.load_institutions(path)
    for path in sorted(programmes.LIBRARY.glob("*.yaml")):
        programmes.load_programmes(path)


def _day(said: str) -> date | None:
    if not said:
        return None
    if said == "today":
        return timezone.localdate()
    try:
        return date.fromisoformat(said)
    except ValueError:
        raise CommandError(f"--open-from takes a day like 2026-11-24, or today, not “{said}”.") from None
