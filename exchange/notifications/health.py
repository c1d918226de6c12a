"""Whether letters leave: how long the oldest due one has waited, what has failed, and whether worker and clock live."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, DateTimeField, Min
from django.db.models.functions import Greatest
from django.utils import timezone

from exchange.notifications.models import UNSENT, Delivery, Heartbeat, Message

RED = timedelta(minutes=5)
WORKER, CLOCK = "worker", "beat"


@dataclass(frozen=True)
class Health:
    """Ages in whole seconds; None: nothing is due, or the worker or the clock never showed itself."""

    oldest_due: int | None
    counts: dict[str, int]
    worker: int | None
    clock: int | None

    @property
    def dead_letters(self) -> int:
        return self.counts[Delivery.FAILED]

    @property
    def is_late(self) -> bool:
        return self.oldest_due is not None and self.oldest_due > RED.total_seconds()

    @property
    def minutes_late(self) -> int:
        return (self.oldest_due or 0) // 60

    @property
    def is_worker_silent(self) -> bool:
        return _is_silent(self.worker)

    @property
    def is_clock_silent(self) -> bool:
        return _is_silent(self.clock)

    @property
    def is_red(self) -> bool:
        return self.is_late or self.is_worker_silent or self.is_clock_silent


def _is_silent(age: int | None) -> bool:
    return age is None or age > RED.total_seconds()


def health(now: datetime | None = None) -> Health:
    """Three queries and one more, however many letters there are."""
    now = now or timezone.now()
    # A letter with a code overtakes: it is due before it was written.
    since = Message.objects.filter(delivery=Delivery.QUEUED, due_at__lte=now).aggregate(
        at=Min(Greatest("created_at", "due_at", output_field=DateTimeField()))
    )["at"]
    left = Message.objects.filter(delivery=Delivery.SENDING, leased_until__lt=now).aggregate(at=Min("leased_until"))["at"]
    counts = dict(Message.objects.filter(delivery__in=UNSENT).order_by().values_list("delivery").annotate(Count("pk")))
    beats = dict(Heartbeat.objects.values_list("name", "at"))
    return Health(
        oldest_due=_age(min((at for at in (since, left) if at), default=None), now),
        counts={state: counts.get(state, 0) for state in UNSENT},
        worker=_age(beats.get(WORKER), now),
        clock=_age(beats.get(CLOCK), now),
    )


def _age(at: datetime | None, now: datetime) -> int | None:
    return None if at is None else max(0, int((now - at).total_seconds()))


def beat(sent: datetime | None) -> None:
    """The worker lives; and so does the clock, which SENT it here."""
    for name, at in ((WORKER, timezone.now()), (CLOCK, sent)):
        if at is not None and not Heartbeat.objects.filter(name=name, at__lt=at).update(at=at):
            Heartbeat.objects.get_or_create(name=name, defaults={"at": at})


def metrics(found: Health) -> str:
    """FOUND in the text form of Prometheus."""
    lines = [
        "# HELP sapar_outbox_messages Letters by state, those that have been sent left out.",
        "# TYPE sapar_outbox_messages gauge",
        *(f'sapar_outbox_messages{{state="{state.value}"}} {found.counts[state]}' for state in UNSENT),
        "# HELP sapar_outbox_oldest_due_seconds For how long the oldest due letter has waited.",
        "# TYPE sapar_outbox_oldest_due_seconds gauge",
        f"sapar_outbox_oldest_due_seconds {found.oldest_due or 0}",
        "# HELP sapar_heartbeat_age_seconds Since when a process has not shown itself; +Inf: it never has.",
        "# TYPE sapar_heartbeat_age_seconds gauge",
        *(
            f'sapar_heartbeat_age_seconds{{process="{name}"}} {"+Inf" if age is None else age}'
            for name, age in ((WORKER, found.worker), (CLOCK, found.clock))
        ),
        "# HELP sapar_healthy Whether letters leave: 1 or 0.",
        "# TYPE sapar_healthy gauge",
        f"sapar_healthy {int(not found.is_red)}",
    ]
    return "\n".join(lines) + "\n"
