"""The Celery app: `celery -A exchange.celery worker`, `... beat`."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "exchange.settings")

app = Celery("exchange")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["exchange.notifications"])
app.autodiscover_tasks(["exchange"], related_name="jobs")
