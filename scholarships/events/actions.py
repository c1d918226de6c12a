"""Write down what happened, and seal what is written."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.dispatch import Signal
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from scholarships.events.models import Event, Seal
from scholarships.events.names import declared

# Sent inside the transaction that wrote the events: ``recorded.send(Event, events=[...])``.
recorded = Signal()

# What a code, a key of a section or an ISO time looks like. A name or a sentence does not.
_CODE = re.compile(r"[A-Za-z0-9_.:+,\[\]/-]{0,80}")


def record(
    name: str, subject: models.Model, *, by: Any = None, actor: str = "", key: str | None = None, at: datetime | None = None, **data: Any
) -> Event:
    """Write down that NAME happened to SUBJECT, in the caller's transaction.

    Args:
        by: the user who acted, None for the clock.
        actor: the role in which BY acted.
        key: makes it happen once.

    Raises:
        ValidationError: code ``already_done``; KEY has been used.
        LookupError: no room has declared NAME.
        TypeError: DATA has an undeclared key or holds words.
    """
    event = _event(name, subject, by=by, actor=actor, key=key, at=at, data=data)
    with transaction.atomic(savepoint=False):
        try:
            with transaction.atomic(savepoint=key is not None):
                event.save(force_insert=True)
        except IntegrityError:
            if key is None or not Event.objects.filter(key=key).exists():
                raise
            raise ValidationError(_("This has already been done."), code="already_done") from None
        recorded.send(Event, events=[event])
    return event


def record_many(
    name: str,
    subjects: Iterable[models.Model],
    *,
    by: Any = None,
    actor: str = "",
    at: datetime | None = None,
    data: dict[str, dict[str, Any]] | None = None,
) -> list[Event]:
    """Write down that NAME happened to each of SUBJECTS, in a constant number of queries.

    Args:
        data: the subject's code -> its data.
    """
    at = at or timezone.now()
    per_subject = data or {}
    events = [
        _event(name, subject, by=by, actor=actor, key=None, at=at, data=per_subject.get(_key_of(subject), {})) for subject in subjects
    ]
    if events:
        with transaction.atomic(savepoint=False):
            Event.objects.bulk_create(events, batch_size=500)
            recorded.send(Event, events=events)
    return events


def _key_of(subject: models.Model) -> str:
    return str(subject.code)  # type: ignore[attr-defined]


def _event(name: str, subject: models.Model, *, by: Any, actor: str, key: str | None, at: datetime | None, data: dict[str, Any]) -> Event:
    undeclared = set(data) - set(declared(name).data)
    if undeclared:
        raise TypeError(f"The event “{name}” has no data called {', '.join(sorted(undeclared))}.")
    plain = {word: _plain(name, word, value) for word, value in data.items() if value is not None}
    kind = str(subject._meta.model_name)
    return Event(
        name=name, subject_kind=kind, subject_key=_key_of(subject), by=by, actor=actor, key=key, at=at or timezone.now(), data=plain
    )


def _plain(name: str, word: str, value: Any) -> Any:
    """VALUE as JSON without words about a person."""
    if isinstance(value, bool | int):
        return value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, list | tuple):
        return [_plain(name, word, one) for one in value]
    if isinstance(value, str) and _CODE.fullmatch(value):
        return value
    raise TypeError(f"The event “{name}” may not hold words, and “{word}” does.")


def canonical(event: Event) -> bytes:
    """The bytes of EVENT that its seal covers."""
    row = [
        event.pk,
        event.name,
        event.subject_kind,
        event.subject_key,
        event.by_id,
        event.actor,
        event.at.isoformat(),
        event.key,
        event.data,
    ]
    return json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _link(before: str, event: Event) -> str:
    return hashlib.sha256(before.encode() + canonical(event)).hexdigest()


def seal(*, limit: int = 1000, now: datetime | None = None) -> int:
    """Seal at most LIMIT unsealed events that are a minute old, in the order of their keys.

    Only one job does this. A minute, because a transaction that began earlier may still be
    about to commit an event with a smaller key. Gives the number of new links.
    """
    border = (now or timezone.now()) - timedelta(minutes=1)
    with transaction.atomic():
        last = Seal.objects.order_by("-seq").first()
        events = list(Event.objects.filter(seal__isnull=True, at__lt=border).order_by("pk")[:limit])
        seq, link = (last.seq, last.hash) if last else (0, "")
        links = []
        for event in events:
            seq, link = seq + 1, _link(link, event)
            links.append(Seal(seq=seq, event=event, hash=link))
        Seal.objects.bulk_create(links)
    return len(links)


def broken_seal() -> Seal | None:
    """The first link that does not fit its event and the link before, or None."""
    before = ""
    for link in Seal.objects.select_related("event").order_by("seq").iterator(chunk_size=1000):
        if link.hash != _link(before, link.event):
            return link
        before = link.hash
    return None
