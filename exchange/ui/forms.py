"""The base of all forms: our markup through crispy, plain messages, and fields that phones like."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from functools import lru_cache
from typing import Any

from crispy_forms.helper import FormHelper
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django_countries import countries as all_countries


class PlainForm(forms.Form):
    """A form whose template draws the ``<form>`` and its buttons; crispy draws the fields.

    ``novalidate``: messages are ours and translated. An error stands at its field and, as a link,
    in the summary above (``{% error_summary form %}``).
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            dress(field)

    @property
    def helper(self) -> FormHelper:
        helper = FormHelper()
        helper.form_tag = False
        helper.disable_csrf = True
        helper.form_show_errors = False
        return helper

    def accept_errors(self, refused: ValidationError) -> None:
        """Show what an action refused: at the field it names, else above the form."""
        if hasattr(refused, "error_dict"):
            for name, errors in refused.error_dict.items():
                self.add_error(name if name in self.fields else None, errors)
        else:
            self.add_error(None, refused)


def dress(field: forms.Field) -> None:
    """Give the widget its classes; required is said by the server, in words that name the question."""
    widget = field.widget
    _say_plainly(field)
    if not hasattr(field, "is_optional"):
        field.is_optional = not field.required  # type: ignore[attr-defined]
    if isinstance(widget, forms.CheckboxInput | forms.RadioSelect | forms.CheckboxSelectMultiple):
        kind = "form-check-input"
    elif isinstance(widget, forms.Select):
        kind = "form-select"
    else:
        kind = "form-control"
    widget.attrs["class"] = f"{kind} {widget.attrs.get('class', '')}".strip()
    widget.use_required_attribute = lambda initial: False  # type: ignore[method-assign]


def _say_plainly(field: forms.Field) -> None:
    """Instead of Django's own words, which in a summary would not tell which field they are about."""
    said, ready_made = field.error_messages, {**forms.Field.default_error_messages, **forms.ChoiceField.default_error_messages}
    if field.label and said.get("required") == ready_made["required"]:
        words = _("Choose an answer: %(question)s") if isinstance(field, forms.ChoiceField) else _("Enter an answer: %(question)s")
        said["required"] = words % {"question": field.label}
    if said.get("invalid_choice") == ready_made["invalid_choice"]:
        said["invalid_choice"] = _("Choose one of the answers offered.")


class DateParts(forms.MultiWidget):
    """A day as three small boxes: quicker and surer on a phone than a calendar."""

    template_name = "components/date_parts.html"
    use_fieldset = True

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        number = {"inputmode": "numeric", "class": "form-control w-5"}
        year = number | {"class": "form-control w-7"}
        super().__init__({"d": forms.TextInput(number), "m": forms.TextInput(number), "y": forms.TextInput(year)}, attrs)

    def decompress(self, value: Any) -> list[Any]:
        if isinstance(value, str):
            try:
                value = date.fromisoformat(value)
            except ValueError:
                return [value, "", ""]
        return [value.day, value.month, value.year] if value else ["", "", ""]

    def id_for_label(self, id_: str, index: str = "0") -> str:
        return f"{id_}_0"


class DatePartsField(forms.Field):
    """A day; cleans to a ``date``, or None."""

    widget = DateParts

    def clean(self, value: Any) -> date | None:
        parts = [str(part or "").strip() for part in (value or ["", "", ""])]
        if not any(parts):
            if self.required:
                raise ValidationError(_("Enter a date, like 27 3 2030."), code="required")
            return None
        try:
            day, month, year = (int(part) for part in parts)
            return date(year, month, day)
        except (ValueError, OverflowError):
            raise ValidationError(_("Enter a real date, like 27 3 2030."), code="not_a_date") from None


class LocalMoment(forms.DateTimeInput):
    """A day and time; the zone is said beside it."""

    input_type = "datetime-local"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="%Y-%m-%dT%H:%M", **kwargs)


@lru_cache(maxsize=8)
def _countries(language: str | None) -> dict[str, str]:
    """Code -> name, in the order of the names."""
    return {country.code: country.name for country in all_countries}


def countries() -> list[tuple[str, str]]:
    """Every country by its name in the reader's language, after an empty first line."""
    return [("", str(_("Choose a country"))), *_countries(get_language()).items()]


def country_name(code: str) -> str:
    return _countries(get_language()).get(code, code)


def choice_field(label: Any, options: Iterable[tuple[str, Any]], *, empty: Any = None, **kwargs: Any) -> forms.ChoiceField:
    """A select with a first empty line that says what to do."""
    choices: Callable[[], list[tuple[str, Any]]] = lambda: [*([("", empty)] if empty is not None else []), *options]  # noqa: E731
    return forms.ChoiceField(label=label, choices=choices, **kwargs)
