#!/usr/bin/env python
"""The one way to start anything: ``manage.py up`` runs the whole site, ``manage.py help`` lists the rest."""

import os
import sys

if sys.version_info < (3, 11):
    sys.exit(
        "This is Python %d.%d; the site needs 3.11 or newer. Install it, or name one: make run PYTHON=python3.12" % sys.version_info[:2]
    )
try:
    from django.core.management import execute_from_command_line
except ModuleNotFoundError:
    sys.exit("Django is not installed here. Run `make run`, or `pip install -r requirements.txt` first.")

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "exchange.settings")
    execute_from_command_line(sys.argv)
