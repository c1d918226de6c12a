"""A call's questions as form fields: what kind of question becomes which field, and back to JSON."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from exchange.ui.forms import DatePartsField, PlainForm, countries, dress
from scholarships.applications.answers import Problem
from scholarships.calls.form import Question
from scholarships.calls.models import QuestionKind

_YES_NO = [("yes", gettext_lazy("Yes")), ("no", gettext_lazy("No"))]
_AUTOCOMPLETE = {
    "family_name": "family-name",
    "given_names": "given-name",
    "phone": "tel",
    "email": "email",
    "present_address": "street-address",
}
_RADIO_UP_TO = 6


def field_for(question: Question, *, institutions: list[tuple[str, str]] | None = None) -> forms.Field:
    """The field that asks QUESTION; what is right and complete is judged by ``applications.answers``."""
    common: dict[str, Any] = {"label": str(question.label), "help_text": str(question.help), "required": question.is_required}
    options = [(option.value, str(option.label)) for option in question.options]
    match QuestionKind(question.kind):
        case QuestionKind.LONG:
            return forms.CharField(widget=forms.Textarea(attrs={"rows": 12 if "words_min" in question.limits else 4}), **common)
        case QuestionKind.NUMBER:
            return forms.CharField(widget=forms.TextInput(attrs={"inputmode": "decimal", "class": "w-7"}), **common)
        case QuestionKind.DATE:
            return DatePartsField(**common)
        case QuestionKind.CHOICE if len(options) <= _RADIO_UP_TO:
            return forms.ChoiceField(choices=options, widget=forms.RadioSelect, **common)
        case QuestionKind.CHOICE:
            return forms.ChoiceField(choices=[("", _("Choose")), *options], **common)
        case QuestionKind.CHOICES:
            return forms.MultipleChoiceField(choices=options, widget=forms.CheckboxSelectMultiple, **common)
        case QuestionKind.COUNTRY:
            return forms.ChoiceField(choices=countries, widget=forms.Select(attrs={"class": "w-30"}), **common)
        case QuestionKind.INSTITUTION:
            return forms.ChoiceField(choices=[("", _("Choose an institution")), *(institutions or [])], **common)
        case QuestionKind.YES_NO:
            return forms.ChoiceField(choices=_YES_NO, widget=forms.RadioSelect, **common)
        case QuestionKind.STATEMENT:
            return forms.BooleanField(**common)
        case QuestionKind.EMAIL:
            return forms.CharField(widget=forms.TextInput(attrs={"type": "email", "class": "w-30", "autocomplete": "email"}), **common)
        case QuestionKind.PHONE:
            return forms.CharField(widget=forms.TextInput(attrs={"type": "tel", "class": "w-20", "autocomplete": "tel"}), **common)
        case _:
            attrs = {"class": "w-30"}
            if question.key in _AUTOCOMPLETE:
                attrs["autocomplete"] = _AUTOCOMPLETE[question.key]
            if question.limits.get("pattern") == "passport":
                attrs |= {"autocapitalize": "characters", "spellcheck": "false", "class": "w-20"}
            return forms.CharField(widget=forms.TextInput(attrs=attrs), **common)


def to_initial(question: Question, value: Any) -> Any:
    """A stored value as the field shows it."""
    if question.kind == QuestionKind.YES_NO:
        return {True: "yes", False: "no"}.get(value, "")
    return value


def to_stored(question: Question, cleaned: Any) -> Any:
    """A cleaned value as it is stored in JSON."""
    if question.kind == QuestionKind.YES_NO:
        return {"yes": True, "no": False}.get(cleaned)
    if isinstance(cleaned, date):
        return cleaned.isoformat()
    if isinstance(cleaned, Decimal):
        return str(cleaned)
    if question.kind == QuestionKind.NUMBER and isinstance(cleaned, str):
        return cleaned.strip().replace(",", ".")
    if isinstance(cleaned, str):
        return cleaned.strip() if question.kind != QuestionKind.LONG else cleaned.replace("\r\n", "\n").strip()
    return cleaned


def name_of(key: str) -> str:
    """The form name of a question: dots in a key would confuse element ids."""
    return key.replace(".", "-")


class QuestionsForm(PlainForm):
    """Some questions as a form. Drafts may leave anything out: nothing is required while saving."""

    def __init__(
        self,
        questions: list[Question],
        values: Mapping[str, Any],
        *args: Any,
        institutions: list[tuple[str, str]] | None = None,
        **kwargs: Any,
    ) -> None:
        self.questions = [question for question in questions if question.kind != QuestionKind.GROUP]
        initial = {name_of(question.key): to_initial(question, values.get(question.key)) for question in self.questions}
        super().__init__(*args, initial=initial, **kwargs)
        for question in self.questions:
            field = field_for(question, institutions=institutions)
            dress(field)
            field.required = False  # a draft may leave anything out
            self.fields[name_of(question.key)] = field

    def stored_values(self) -> dict[str, Any]:
        """What can be kept: question key -> JSON value, without fields that could not be read."""
        return {
            question.key: to_stored(question, self.cleaned_data[name_of(question.key)])
            for question in self.questions
            if name_of(question.key) in self.cleaned_data
        }

    def accept_problems(self, problems: list[Problem]) -> None:
        """Show each problem at its field, unless the field has one already."""
        for problem in problems:
            name = name_of(problem.field)
            if name in self.fields and name not in self.errors:
                self.add_error(name, forms.ValidationError(problem.message, code=problem.code))
