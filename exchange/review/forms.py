"""The sheet on which a reviewer scores, and the reasons to leave a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from exchange.ui.forms import PlainForm
from exchange.ui.questions import name_of
from scholarships.calls.form import RubricItem
from scholarships.reviews.actions import total_of
from scholarships.reviews.models import Conflict, Review
from scholarships.texts.fields import Text

SKIPPED = "na"
SCORES = [str(score) for score in range(11)]
BANDS = ("0–2", "3–4", "5–6", "7–8", "9–10")
LONGEST_COMMENT = 5000


@dataclass(frozen=True)
class Difference:
    """What one line says in the review that is saved, and in the one that was typed."""

    label: Any
    saved: str
    typed: str


@dataclass(frozen=True)
class Line:
    """One line of the rubric with its row of numbers. ``value``: "0" to "10", "na", or "" for not scored yet."""

    item: RubricItem
    name: str
    id: str
    value: str
    errors: Sequence[str]

    @property
    def scores(self) -> list[str]:
        return SCORES

    @property
    def anchors(self) -> list[tuple[str, Text]]:
        return list(zip(BANDS, self.item.anchors, strict=False))


class ReviewForm(PlainForm):
    """Scores, comment and the version of the draft that the page showed. Nothing is required: a draft may be empty."""

    comment = forms.CharField(
        label=_("Comment for the panel"),
        help_text=_("Reasons, not a repeat of the scores. The applicant does not see it."),
        widget=forms.Textarea(attrs={"rows": 4}),
        max_length=LONGEST_COMMENT,
        required=False,
    )
    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0, initial=0)

    def __init__(self, rubric: Sequence[RubricItem], review: Review | None, data: Mapping[str, Any] | None = None) -> None:
        self.rubric = rubric
        initial = {field_name(key): written(score) for key, score in review.scores.items()} if review else {}
        said = {"comment": review.comment, "version": review.version} if review else {}
        super().__init__(data, initial=initial | said)
        for item in rubric:
            choices = [(score, score) for score in SCORES] + ([(SKIPPED, _("N/A"))] if item.may_skip else [])
            self.fields[field_name(item.key)] = forms.ChoiceField(
                label=str(item.title),
                choices=choices,
                required=False,
                widget=forms.RadioSelect,
                error_messages={"invalid_choice": _NOT_OFFERED},
            )

    def clean_comment(self) -> str:
        return str(self.cleaned_data["comment"]).replace("\r\n", "\n")

    def scores(self) -> dict[str, int | None]:
        """What is scored: rubric key -> number, or None for "not applicable"."""
        said = {item.key: self.cleaned_data.get(field_name(item.key)) for item in self.rubric}
        return {key: None if value == SKIPPED else int(value) for key, value in said.items() if value}

    def lines(self) -> list[Line]:
        found = []
        for item in self.rubric:
            field = self[field_name(item.key)]
            found.append(Line(item, field.html_name, field.auto_id, str(field.value() or ""), list(map(str, field.errors))))
        return found

    def total(self) -> Decimal | None:
        """The weighted total of what the page shows, for readers without scripts."""
        shown = {line.item.key: line.value for line in self.lines()}
        return total_of(self.rubric, {key: int(value) for key, value in shown.items() if value in SCORES})

    def differences(self, saved: Review | None) -> list[Difference]:
        """Where SAVED and this form say different things."""
        scores = saved.scores if saved else {}
        typed = self.scores()
        found = [
            Difference(item.title, _said(item.key, scores), _said(item.key, typed))
            for item in self.rubric
            if _said(item.key, scores) != _said(item.key, typed)
        ]
        comment = saved.comment if saved else ""
        if comment != self.cleaned_data["comment"]:
            found.append(Difference(self.fields["comment"].label, comment, self.cleaned_data["comment"]))
        return found

    def accept_errors(self, refused: ValidationError) -> None:
        """Each missing line at its own row of numbers."""
        for error in refused.error_list:
            key = (error.params or {}).get("key")
            self.add_error(field_name(key) if key else None, error)


_NOT_OFFERED = _("Choose one of the numbers offered.")


def field_name(key: str) -> str:
    return f"score-{name_of(key)}"


def written(score: int | None) -> str:
    """A stored score as its radio button."""
    return SKIPPED if score is None else str(score)


def _said(key: str, scores: Mapping[str, int | None]) -> str:
    """A score in words: "" where the line is not scored."""
    return "" if key not in scores else str(_("N/A")) if scores[key] is None else str(scores[key])


class ConflictForm(PlainForm):
    conflict = forms.ChoiceField(
        label=_("What kind of conflict is it?"),
        choices=Conflict.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose which kind of conflict it is."), "invalid_choice": _("Choose one of the kinds offered.")},
    )
