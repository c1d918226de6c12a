"""The names of what can happen. Each room declares its own; nothing else can be recorded."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class EventName:
    """``name`` is "noun.what_happened"; ``says`` is the line of the event log (translatable)."""

    name: str
    says: str
    data: tuple[str, ...] = ()


_declared: dict[str, EventName] = {}


def declare(name: str, says: str, *data: str) -> str:
    """Declare that NAME can happen and which keys its data may have; gives NAME back."""
    known = _declared.get(name)
    event = EventName(name, says, data)
    if known is not None and known != event:
        raise ValueError(f"The event “{name}” is declared twice.")
    _declared[name] = event
    return name


def declared(name: str) -> EventName:
    """The declaration of NAME.

    Raises:
        LookupError: no room has declared it.
    """
    try:
        return _declared[name]
    except KeyError:
        raise LookupError(f"No room has declared the event “{name}”.") from None


def all_names() -> dict[str, EventName]:
    return dict(_declared)
