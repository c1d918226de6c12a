"""Writing a message, and choosing what comes by mail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from exchange.inbox.kinds import name_of
from exchange.notifications.catalogue import Notice, ways_of
from exchange.notifications.models import Way
from exchange.ui.forms import PlainForm, dress
from scholarships.correspondence.actions import LIMITS, LONGEST, MOST_FILES
from scholarships.documents.checking import limits_sentence


class FilesInput(forms.FileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Files of one field; cleans to a list."""

    widget = FilesInput

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile]:
        return [super(FilesField, self).clean(one, initial) for one in data or [] if one]


class PostForm(PlainForm):
    text = forms.CharField(
        label=_("Your message"),
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 6}),
        error_messages={"required": _("Write a message.")},
    )
    file = FilesField(
        label=_("Files"),
        required=False,
        allow_empty_file=True,  # an empty one has a sentence of ours
        widget=FilesInput(attrs={"accept": "image/jpeg,image/png,application/pdf"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        most = _("At most %(most)d files.") % {"most": MOST_FILES}
        self.fields["file"].help_text = f"{limits_sentence(LIMITS)} {most}"


class WishesForm(PlainForm):
    """One question for each kind of letter."""

    def __init__(self, kinds: Sequence[Notice], wishes: Mapping[str, Way], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kinds = {_field_of(notice.kind): notice.kind for notice in kinds}
        for notice in kinds:
            name, ways = _field_of(notice.kind), ways_of(notice)
            self.fields[name] = forms.ChoiceField(
                label=name_of(notice.kind),
                choices=[(way.value, way.label) for way in ways],
                initial=wish.value if (wish := wishes.get(notice.kind, Way.MAIL)) in ways else Way.MAIL.value,
                widget=forms.RadioSelect,
            )
            dress(self.fields[name])

    @property
    def wishes(self) -> dict[str, Way]:
        """Kind -> the way that was chosen."""
        return {kind: Way(self.cleaned_data[name]) for name, kind in self.kinds.items()}


def _field_of(kind: str) -> str:
    return kind.replace(".", "-").replace(":", "-")
