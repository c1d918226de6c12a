"""``python -m tests.tour``: a demo site of its own, the walk through it, the pictures."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "exchange.settings")
django.setup()

from tests.tour.walk import main  # noqa: E402  the settings must be there first

main()
