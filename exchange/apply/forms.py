"""The applicant's forms beside the call's own questions."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from exchange.ui.forms import DatePartsField, PlainForm
from scholarships.applications.reasons import WITHDRAWAL_REASONS
from scholarships.calls.form import Letters
from scholarships.calls.models import Openness
from scholarships.documents.checking import limits_sentence, refusal
from scholarships.documents.models import Kind
from scholarships.references.actions import LIMITS, LONGEST_NOTE, Referee, ways_of
from scholarships.references.models import Way


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


class RefereeForm(PlainForm):
    """Who is asked for a letter; what the call leaves open is asked, the rest is not."""

    way = forms.ChoiceField(
        label=_("How does the letter come?"),
        widget=forms.RadioSelect,
        initial=Way.LINK,
        choices=[
            (Way.LINK, _("The referee gets a mail with a link, and sends it")),
            (Way.SCAN, _("I have a signed scan, and the referee confirms it by one click")),
        ],
    )
    name = forms.CharField(label=_("Name"), max_length=120, help_text=_("As in a letter: Prof. Aigul Karimova."))
    position = forms.CharField(label=_("Position"), max_length=120)
    institution = forms.CharField(label=_("Institution"), max_length=160)
    address = forms.EmailField(label=_("E-mail address"), help_text=_("The one at the institution. Only the person asked reads it."))
    language = forms.ChoiceField(label=_("Language of the mail"), choices=settings.LANGUAGES, initial="en")
    note = forms.CharField(
        label=_("A note to the referee"),
        required=False,
        max_length=LONGEST_NOTE,
        help_text=_("What you did together, and what the letter could be about. It stands in the mail."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    confidential = forms.ChoiceField(
        label=_("May you read the letter?"),
        choices=[("y", _("No, it is confidential: readers trust such letters more")), ("n", _("Yes, the letter is open to me"))],
        initial="y",
        widget=forms.RadioSelect,
    )
    file = forms.FileField(
        label=_("The signed letter"),
        required=False,
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": "image/jpeg,image/png,application/pdf"}),
    )
    sure = forms.BooleanField(label=_("The address is right: this referee has no other"), required=False)

    def __init__(self, terms: Letters, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        ways = ways_of(terms)
        if len(ways) == 1:
            del self.fields["way"]
        if Way.SCAN not in ways:
            del self.fields["file"]
        else:
            self.fields["file"].help_text = (
                f"{_('Only for a signed scan.')} {limits_sentence(LIMITS)}" if len(ways) > 1 else limits_sentence(LIMITS)
            )
        if terms.openness != Openness.CHOICE:
            del self.fields["confidential"]
        if not terms.is_institutional:
            self.fields["position"].required = self.fields["institution"].required = False

    @property
    def is_warned(self) -> bool:
        """Whether the page asks about an address of a free-mail service."""
        return self.is_bound and ("sure" in self.errors or bool(self.data.get("sure")))

    @property
    def is_scan(self) -> bool:
        return self.cleaned_data.get("way", Way.SCAN if "file" in self.fields else Way.LINK) == Way.SCAN

    @property
    def scan(self) -> tuple[Any, str] | None:
        """Content and name of the scan."""
        file = self.cleaned_data.get("file")
        return (file, file.name or "") if self.is_scan and file is not None else None

    @property
    def referee(self) -> Referee:
        said = self.cleaned_data
        return Referee(
            name=said["name"], address=said["address"], position=said["position"], institution=said["institution"],
            language=said["language"], note=said["note"], is_confidential=said.get("confidential", "y") == "y",
        )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        said = super().clean() or self.cleaned_data
        file = said.get("file")
        if self.is_scan and "file" not in self.errors:
            if file is None:
                self.add_error("file", ValidationError(_("Choose the file of the signed letter."), code="required"))
            elif not file.size:
                self.add_error("file", refusal("empty", LIMITS))
        return said
