"""The places of a call: a number for each country and level, each country, each programme."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from exchange.ui.forms import country_name
from scholarships.calls.models import Call
from scholarships.programmes.models import Level
from scholarships.quotas.actions import edition
from scholarships.quotas.models import Quota

MATRIX, COUNTRY, PROGRAMME = "a.country,o.level", "a.country", "o.programme"
DIMENSIONS = {MATRIX: "m", COUNTRY: "c", PROGRAMME: "p"}  # and the first letter of their fields
MOST = 9999
UNASKED = 30


@dataclass(frozen=True)
class Slot:
    """One number to give: its field, what it is called, and the quota, if there is one."""

    name: str
    by: str
    values: tuple[str, ...]
    label: str
    quota: Quota | None


class NumberOfPlaces(forms.IntegerField):
    """Its errors begin with its label: in a table of two hundred a message must say where it belongs."""

    default_error_messages = {
        "invalid": gettext_lazy("give a whole number."),
        "min_value": gettext_lazy("give 0 or more."),
        "max_value": gettext_lazy("give at most %(limit_value)d."),
    }

    def __init__(self, label: str) -> None:
        super().__init__(label=label, required=False, min_value=0, max_value=MOST)
        for validator, code in zip(self.validators, ("max_value", "min_value"), strict=True):
            validator.message = self.error_messages[code]  # type: ignore[attr-defined]

    def clean(self, value: Any) -> int | None:
        try:
            return super().clean(value)
        except ValidationError as refused:
            raise ValidationError([f"{self.label}: {message}" for message in refused.messages], code="not_places") from None


class PlacesForm(forms.Form):
    """An empty box is no limit; a number that was set once stays a number.

    ``slots`` are the boxes to draw: two hundred widgets would take longer than the rest of the page. ``dimensions``
    are those in which the call has quotas, ``others`` its quotas in dimensions that have no boxes here. Those of
    more than ``UNASKED`` programmes are drawn where they are asked for.
    """

    def __init__(
        self, call: Call, quotas: Iterable[Quota], programmes: Mapping[str, str], *args: Any, has_all: bool = True, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.quotas = rows = list(quotas)
        self.programme_count = len(programmes)
        drawn = programmes if has_all or len(programmes) <= UNASKED else {}
        known = {(quota.by, quota.cell): quota for quota in rows}
        self.edition = edition(rows)
        self.slots = [
            Slot("-".join([DIMENSIONS[by], *values]), by, values, label, known.get((by, ",".join(values))))
            for by, values, label in _cells(call, drawn)
        ]
        self.dimensions = {quota.by for quota in rows}
        self.others = [quota for quota in rows if quota.by not in DIMENSIONS]
        for slot in self.slots:
            self.fields[slot.name] = NumberOfPlaces(label=slot.label)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for slot in self.slots:
            if slot.quota and slot.name not in self.errors and cleaned.get(slot.name) is None:
                self.add_error(
                    slot.name, ValidationError(_("%(place)s: give a number, 0 for no places.") % {"place": slot.label}, code="required")
                )
        return cleaned

    def changed(self) -> dict[str, dict[tuple[str, ...], int]]:
        """The numbers that differ from what is set: dimension -> cell -> number."""
        found: dict[str, dict[tuple[str, ...], int]] = {}
        for slot in self.slots:
            number = self.cleaned_data[slot.name]
            if number is not None and (slot.quota is None or number != slot.quota.places):
                found.setdefault(slot.by, {})[slot.values] = number
        return found

    def adds_places(self) -> bool:
        """Whether some number is higher than it was."""
        before = {(slot.by, slot.values): slot.quota.places for slot in self.slots if slot.quota}
        return any(number > before.get((by, values), 0) for by, cells in self.changed().items() for values, number in cells.items())

    def accept_errors(self, refused: ValidationError) -> None:
        """Show what the action refused, each at its box."""
        boxes = {(slot.by, ",".join(slot.values)): slot for slot in self.slots}
        for error in refused.error_list:
            params = error.params or {}
            slot = boxes.get((params.get("by", ""), params.get("cell", "")))
            if slot:
                self.add_error(slot.name, ValidationError(error.message, code=error.code, params={**params, "cell": slot.label}))
            else:
                self.add_error(None, error)


def _cells(call: Call, programmes: Mapping[str, str]) -> Iterable[tuple[str, tuple[str, ...], str]]:
    countries = sorted(((country.pk, country_name(country.pk)) for country in call.countries.all()), key=lambda pair: pair[1])
    for code, name in countries:
        for level in call.levels:
            yield MATRIX, (code, level), f"{name}, {Level(level).label}"
        yield COUNTRY, (code,), _("%(country)s, all levels") % {"country": name}
    for code, name in programmes.items():
        yield PROGRAMME, (code,), name
