"""The dates of a call."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from exchange.ui.forms import LocalMoment, PlainForm
from scholarships.calls.models import Call

DATES = ("opens_at", "closes_at", "results_at")


class Moment(forms.DateTimeField):
    """A day and time in the zone of the call; cleans to an instant."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"],
            widget=LocalMoment(attrs={"class": "w-20"}),
            error_messages={"required": _("Enter a day and a time."), "invalid": _("Enter a day and a time, like 2027-01-12 18:00.")},
            **kwargs,
        )


class DatesForm(PlainForm):
    """When the call opens and closes and when its results go out. Only what is changed is moved."""

    opens_at = Moment(label=_("Opens"))
    closes_at = Moment(label=_("Closes"))
    results_at = Moment(label=_("Results"), help_text=_("Offers go out at this moment, and nobody hears of a decision before it."))

    def __init__(self, call: Call, *args: Any, **kwargs: Any) -> None:
        self.zone = ZoneInfo(call.zone)
        shown = {name: getattr(call, name).astimezone(self.zone).replace(second=0, microsecond=0, tzinfo=None) for name in DATES}
        super().__init__(*args, initial=shown, **kwargs)

    def clean(self) -> dict[str, Any]:
        """In their order; each is checked against the one before."""
        cleaned = super().clean() or {}
        for before, after, says in (
            ("opens_at", "closes_at", _("The call must close after it opens.")),
            ("closes_at", "results_at", _("The results must not come before the call closes.")),
        ):
            first, second = cleaned.get(before), cleaned.get(after)
            if first and second and (second < first or (second == first and after == "closes_at")):
                self.add_error(after, ValidationError(says, code="order"))
        return cleaned

    def moved(self) -> dict[str, datetime]:
        """The dates that were changed, as instants."""
        changed = [name for name in DATES if self.cleaned_data[name].replace(tzinfo=None) != self.initial[name]]
        return {name: self.cleaned_data[name].replace(tzinfo=self.zone) for name in changed}
