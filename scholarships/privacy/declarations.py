"""Purpose, period and eraser of each personal field.

A model declares them beside its fields::

    PERSONAL = {"family_name": Personal(Purpose.IDENTITY, Period.CALL, blank)}
    NOT_PERSONAL = ("code",)

Numbers, yes/no, choices, dates of the system and keys to other rows need no word: they say
nothing without the row they hang on. Free text, addresses, files and JSON do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

from django.apps import apps
from django.db import models
from django.utils.translation import gettext_lazy as _


class Purpose(Enum):
    """Why a thing is held."""

    ACCOUNT = _("To sign you in and to write to you")
    IDENTITY = _("To know who applies and to issue admission and visa papers")
    SELECTION = _("To decide on the application")
    CONTACT = _("To reach you about the application")
    PROOF = _("To show later what was decided and what was sent")


class Period(Enum):
    """How long a thing is held."""

    ACCOUNT = _("As long as the account exists")
    CALL = _("Until three years after the results of the call")
    MESSAGE = _("Until one year after it was sent")


Eraser = Callable[[models.Model, str], Any]


def blank(row: models.Model, name: str) -> Any:
    """The empty value of the field: "", {} or None."""
    field = row._meta.get_field(name)
    if field.null:
        return None
    return field.get_default() if isinstance(field, models.JSONField) else ""


def placeholder(row: models.Model, name: str) -> Any:
    """A value that is unique and says nothing, for a field that may not be empty."""
    return f"erased-{row.pk}@erased.invalid"


def delete_file(row: models.Model, name: str) -> Any:
    """Delete the file and leave the field empty."""
    getattr(row, name).delete(save=False)
    return ""


@dataclass(frozen=True)
class Personal:
    purpose: Purpose
    period: Period
    eraser: Eraser = blank


# Fields of these kinds hold no words about a person; any other kind can.
_SILENT = (
    models.AutoField,
    models.IntegerField,
    models.DecimalField,
    models.FloatField,
    models.BooleanField,
    models.DateTimeField,
    models.DurationField,
    models.UUIDField,
)


def _speaks(field: models.Field) -> bool:
    return not (field.choices or field.is_relation or isinstance(field, _SILENT))


def personal_fields() -> Iterator[tuple[type[models.Model], str, Personal]]:
    """Each declared personal field of the house: model, field name, declaration."""
    for model in apps.get_models():
        for name, declared in getattr(model, "PERSONAL", {}).items():
            yield model, name, declared


def undeclared_fields(within: Iterable[type[models.Model]] | None = None) -> list[str]:
    """Fields of the house's own models (all, or those WITHIN) that could hold words about a person and say nothing of it."""
    missing = []
    for model in apps.get_models() if within is None else within:
        if not model.__module__.startswith(("scholarships.", "exchange.")):
            continue
        declared = {*getattr(model, "PERSONAL", {}), *getattr(model, "NOT_PERSONAL", ())}
        missing += [
            f"{model._meta.label}.{field.name}" for field in model._meta.concrete_fields if _speaks(field) and field.name not in declared
        ]
    return missing


def erase(row: models.Model) -> None:
    """Empty each personal field of ROW by its eraser and save it."""
    fields = getattr(row, "PERSONAL", {})
    for name, declared in fields.items():
        setattr(row, name, declared.eraser(row, name))
    row.save(update_fields=list(fields))
