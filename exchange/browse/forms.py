"""The visitor's questions: which calls, which programmes, can I apply?"""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from exchange.ui.forms import DatePartsField, PlainForm, choice_field, countries
from scholarships.engine.eligibility import EDUCATION
from scholarships.programmes.models import Level, TaughtIn

_EDUCATION_NAMES = {
    "none": _("None of these yet"),
    "secondary": _("Secondary school"),
    "bachelor": _("Bachelor’s degree"),
    "master": _("Master’s degree"),
    "doctoral": _("Doctorate"),
}


class FinderForm(forms.Form):
    """Which calls are mine? Bad values are ignored with a note."""

    citizenship = choice_field(_("I am a citizen of"), [], required=False)
    level = choice_field(_("I want to study"), Level.choices, empty=_("Any level"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["citizenship"].choices = countries()
        for field in self.fields.values():
            field.widget.attrs["class"] = "form-select"


class ProgrammeFilterForm(forms.Form):
    level = choice_field(_("Level"), Level.choices, empty=_("Any level"), required=False)
    taught_in = choice_field(_("Taught in"), TaughtIn.choices, empty=_("Any language"), required=False)
    field = forms.ChoiceField(label=_("Field"), required=False)
    host = forms.ChoiceField(label=_("University"), required=False)
    q = forms.CharField(label=_("Words"), required=False, max_length=80)

    def __init__(self, fields: list[tuple[str, str]], hosts: list[tuple[str, str]], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["field"].choices = [("", _("Any field")), *fields]
        self.fields["host"].choices = [("", _("Any university")), *hosts]
        for name, field in self.fields.items():
            field.widget.attrs["class"] = "form-control" if name == "q" else "form-select"


class EligibilityForm(PlainForm):
    """Six questions at most; what is left open is answered with "not yet known", never with a no."""

    citizenship = forms.ChoiceField(label=_("Citizenship"), choices=countries, widget=forms.Select(attrs={"class": "w-30"}))
    level = forms.ChoiceField(label=_("I want to study"), choices=Level.choices, widget=forms.RadioSelect)
    birth_date = DatePartsField(label=_("Date of birth"), help_text=_("For example 27 3 2004."))
    education = forms.ChoiceField(
        label=_("Highest education, finished before studies start"),
        choices=[(key, _EDUCATION_NAMES[key]) for key in EDUCATION],
        widget=forms.RadioSelect,
    )
    hsk = forms.TypedChoiceField(
        label=_("Chinese: HSK level"), required=False, coerce=int, empty_value=None,
        choices=[("", _("No certificate, or I do not know yet")), *((level, f"HSK {level}") for level in range(1, 7))], widget=forms.Select(attrs={"class": "w-30"}),
    )  # fmt: skip
    ielts = forms.DecimalField(
        label=_("English: IELTS score"),
        required=False,
        min_value=0,
        max_value=9,
        decimal_places=1,
        error_messages=dict.fromkeys(
            ("invalid", "min_value", "max_value", "max_decimal_places"), _("Enter a score from 0 to 9, like 6.5.")
        ),
        widget=forms.TextInput(attrs={"inputmode": "decimal", "class": "w-7"}),
    )

    def __init__(self, levels: list[str], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["level"].choices = [(level, name) for level, name in Level.choices if level in levels]

    def facts(self) -> dict[str, Any]:
        """The answers as the facts that criteria ask."""
        data = self.cleaned_data
        return {
            "citizenship": data["citizenship"],
            "level": data["level"],
            "birth_date": data["birth_date"],
            "education.highest": data["education"],
            "hsk.level": data["hsk"],
            "ielts.score": data["ielts"],
        }
