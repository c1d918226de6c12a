"""The words of a letter."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from exchange.ui.forms import PlainForm


class WordingForm(PlainForm):
    """Subject and text with placeholders; which ones are allowed is asked by the action."""

    subject = forms.CharField(label=_("Subject"), max_length=200, error_messages={"required": _("Write a subject.")})
    text = forms.CharField(
        label=_("Text"),
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 12}),
        help_text=_("An empty line begins a paragraph. The button to the page and the footer are added."),
        error_messages={"required": _("Write a text.")},
    )

    def words(self) -> Any:
        """What is in the boxes now, right or wrong."""
        return SimpleNamespace(subject=str(self["subject"].value() or ""), text=str(self["text"].value() or ""))
