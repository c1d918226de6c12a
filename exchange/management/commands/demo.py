"""Build the invented world of the demo."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from exchange.demo import world
from scholarships.people.models import User


class Command(BaseCommand):
    help = "Build the demo world: calls in every stage, invented people, some hundred applications. Never in production."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.IS_DEMO:
            raise CommandError("SITE_URL is https, so this is production: no demo data goes in here.")
        if User.objects.exists():
            raise CommandError("There are people in this database already. The demo world is built into an empty one only.")
        with transaction.atomic():  # whoever stops it in the middle finds an empty database again
            world.build(self.say)

    def say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()  # each line when it is true, also into a pipe
