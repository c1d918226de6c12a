"""The applicant's forms beside the call's own questions."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from exchange.ui.forms import DatePartsField, PlainForm
from scholarships.applications.reasons import WITHDRAWAL_REASONS
from scholarships.documents.models import Kind


class DoneForm(PlainForm):
    """Asked at the end of each section."""

    done = forms.ChoiceField(
        label=_("Have you completed this section?"),
        required=False,
        choices=[("y", _("Yes, mark it complete")), ("n", _("No, I will come back later"))],
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["done"].is_optional = False  # type: ignore[attr-defined]  # asked of everybody, though saving needs no answer


class UploadForm(PlainForm):
    """One file for one paper."""

    file = forms.FileField(
        label=_("File"),
        required=False,
        allow_empty_file=True,  # an empty one has a sentence of ours
        widget=forms.FileInput(attrs={"accept": "image/jpeg,image/png,application/pdf"}),
    )
    issued_on = DatePartsField(label=_("When was it issued?"), required=False, help_text=_("The date on the paper. For example 10 6 2026."))

    def __init__(self, *args: Any, asks_date: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["issued_on"].is_optional = False  # type: ignore[attr-defined]
        if not asks_date:
            del self.fields["issued_on"]


class LibraryForm(PlainForm):
    kind = forms.ChoiceField(
        label=_("Kind of document"),
        choices=[("", _("Kind of document")), *Kind.choices],
        error_messages={"required": _("Say what kind of document it is.")},
    )
    file = forms.FileField(
        label=_("File"),
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": "image/jpeg,image/png,application/pdf"}),
        error_messages={"required": _("Choose a file.")},
    )


class WithdrawForm(PlainForm):
    reason = forms.ChoiceField(
        label=_("Why do you withdraw?"),
        choices=[*WITHDRAWAL_REASONS.items()],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose a reason; “I would rather not say” is one.")},
    )


class AnswerForm(PlainForm):
    """Accept or decline; it is shown once more before it counts."""

    answer = forms.ChoiceField(
        label=_("Your answer"),
        choices=[("accept", _("Accept")), ("decline", _("Decline"))],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose whether you accept or decline.")},
    )
