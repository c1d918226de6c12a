"""Draw the states of an application into docs/states.md."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from scholarships.applications.drawing import drawing


class Command(BaseCommand):
    help = "Write docs/states.md from the table of transitions, or --check that it is what the table says."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--check", action="store_true", help="write nothing; exit code 1 when the file is stale")

    def handle(self, *args: Any, **options: Any) -> None:
        file = settings.BASE_DIR / "docs" / "states.md"
        if not options["check"]:
            file.write_text(drawing(), encoding="utf-8")
        elif not file.exists() or file.read_text(encoding="utf-8") != drawing():
            raise CommandError(f"{file} is not what the table of transitions says. Run: manage.py draw_states")
