"""What a referee fills in."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from exchange.ui.forms import PlainForm, dress
from scholarships.calls.form import Rating
from scholarships.documents.checking import limits_sentence
from scholarships.references.actions import LIMITS
from scholarships.references.answering import LONGEST
from scholarships.references.models import DECLINE_REASONS, Known, Letter

CANNOT_SAY = "na"


class LetterForm(PlainForm):
    """``ratings`` asks for a grid only where the call does."""

    file = forms.FileField(
        label=_("Attach the letter"),
        required=False,
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": "image/jpeg,image/png,application/pdf"}),
    )
    text = forms.CharField(
        label=_("Or paste or write it here"),
        required=False,
        max_length=LONGEST,
        help_text=_("What you have seen yourself helps most: a task, what was done, how it compares with others."),
        widget=forms.Textarea(attrs={"rows": 10}),
    )
    known = forms.ChoiceField(
        label=_("How long have you known this person?"), required=False, choices=Known.choices, widget=forms.RadioSelect
    )
    sender = forms.ChoiceField(
        label=_("Who sends it?"),
        required=False,
        initial="referee",
        widget=forms.RadioSelect,
        choices=[
            ("referee", _("I do: the letter is sent when I press the button")),
            ("assistant", _("I prepare it for the referee, who gets a mail and releases it")),
        ],
    )

    def __init__(self, ratings: tuple[Rating, ...], letter: Letter | None, *args: Any, **kwargs: Any) -> None:
        if letter is not None:
            marks = {f"rating-{key}": CANNOT_SAY if mark is None else str(mark) for key, mark in letter.ratings.items()}
            kwargs["initial"] = {"text": letter.text, "known": letter.known, "sender": "referee", **marks}
        super().__init__(*args, **kwargs)
        self.ratings = {line.key: f"rating-{line.key}" for line in ratings}
        for line in ratings:
            levels = [(str(level), str(anchor)) for level, anchor in enumerate(line.anchors, start=1)]
            field = forms.ChoiceField(
                label=str(line.title), required=False, choices=[*levels, (CANNOT_SAY, _("I cannot say"))], widget=forms.RadioSelect
            )  # fmt: skip
            dress(field)
            field.is_optional = False  # type: ignore[attr-defined]  # saving needs no answer, sending does
            self.fields[f"rating-{line.key}"] = field
        for name in ("file", "text", "sender"):
            self.fields[name].is_optional = False  # type: ignore[attr-defined]
        self.fields["file"].help_text = limits_sentence(LIMITS)

    @property
    def marks(self) -> dict[str, int | None]:
        """Key of a line -> 1 to 5, None for "I cannot say"; without those that are open."""
        said = {key: self.cleaned_data.get(name) for key, name in self.ratings.items()}
        return {key: None if mark == CANNOT_SAY else int(mark) for key, mark in said.items() if mark}


class DeclineForm(PlainForm):
    reason = forms.ChoiceField(
        label=_("Why not?"),
        choices=[item for item in DECLINE_REASONS.items() if item[0] != "not_mine"],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose one of the reasons.")},
    )
    words = forms.CharField(
        label=_("In your words"),
        required=False,
        max_length=2000,
        help_text=_("Only the officers of the call read this."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    colleague = forms.CharField(
        label=_("Who could write instead?"),
        required=False,
        max_length=200,
        help_text=_("A name. The applicant reads it and decides whom to ask."),
    )

    def __init__(self, *args: Any, is_scan: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if is_scan:
            self.fields["reason"].choices = [  # type: ignore[attr-defined]
                ("not_mine", DECLINE_REASONS["not_mine"]),
                ("wrong_person", DECLINE_REASONS["wrong_person"]),
                ("other", DECLINE_REASONS["other"]),
            ]
            del self.fields["colleague"]


class AddressForm(PlainForm):
    address = forms.EmailField(
        label=_("Your e-mail address"),
        help_text=_("The one to which we wrote. The list goes there, and nowhere else."),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )


class CheckForm(PlainForm):
    code = forms.CharField(
        label=_("The code in the mail"),
        max_length=20,
        help_text=_("Eight signs, like 4K7B-92MX."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "class": "w-12"}),
    )

    def clean_code(self) -> str:
        return "".join(sign for sign in self.cleaned_data["code"].upper() if sign.isalnum())
