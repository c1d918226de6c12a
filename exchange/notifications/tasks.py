"""Doors with a name, and nothing else: the rows own their retries."""

from exchange.celery import app
from exchange.notifications import outbox


@app.task(name=outbox.DELIVER)
def deliver_due() -> None:
    outbox.deliver_due()
