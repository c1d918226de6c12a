"""The words of a mailing, in each language of the site."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _

from exchange.ui.forms import PlainForm, dress


class MailingForm(PlainForm):
    """Subject and text per language; which are needed, and which placeholders are allowed, the action says."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for language, _name in settings.LANGUAGES:
            subject = forms.CharField(label=_("Subject"), max_length=200, required=False, widget=_spoken(forms.TextInput, language))
            text = forms.CharField(label=_("Text"), max_length=5000, required=False, widget=_spoken(forms.Textarea, language, rows=8))
            for name, field in (("subject", subject), ("text", text)):
                self.fields[f"{name}-{language}"] = field
                field.is_optional = False  # type: ignore[attr-defined]
                dress(field)

    def languages(self) -> list[tuple[str, str, Any, Any]]:
        """Code and name of each language, with its two fields."""
        return [(code, str(name), self[f"subject-{code}"], self[f"text-{code}"]) for code, name in settings.LANGUAGES]

    def words(self, part: str) -> dict[str, str]:
        """What is in the boxes of PART, by language."""
        return {code: str(self[f"{part}-{code}"].value() or "") for code, _name in settings.LANGUAGES}


def _spoken(widget: type[forms.Widget], language: str, **attrs: Any) -> forms.Widget:
    return widget(attrs={"lang": language, **attrs})
