"""A text in several languages, and the field that stores it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _


class Text(dict[str, str]):
    """One text in several languages: ``{"en": "...", "zh-hans": "...", "ru": "..."}``.

    ``str()`` says it in the active language, else in the site's main language, else in any.
    """

    def __str__(self) -> str:
        return self.said_in(get_language() or settings.LANGUAGE_CODE)

    def said_in(self, language: str) -> str:
        return self.get(language) or self.get(settings.LANGUAGE_CODE) or next((text for text in self.values() if text), "")

    def language_of(self, language: str) -> str:
        """The language in which ``said_in`` answers, for the ``lang`` attribute."""
        for code in (language, settings.LANGUAGE_CODE, *self):
            if self.get(code):
                return code
        return language

    def __bool__(self) -> bool:
        return any(self.values())


def text(value: Text | Mapping[str, str] | str | None) -> Text:
    """VALUE as a Text; a bare string is a text in the site's main language."""
    if isinstance(value, Text):
        return value
    if isinstance(value, str):
        return Text({settings.LANGUAGE_CODE: value}) if value else Text()
    return Text(value or {})


def validate_text(value: Any) -> None:
    languages = {code for code, _name in settings.LANGUAGES}
    if not isinstance(value, Mapping) or not all(isinstance(said, str) for said in value.values()):
        raise ValidationError(_("A text is given per language."), code="not_a_text")
    unknown = set(value) - languages
    if unknown:
        raise ValidationError(
            _("There is no language “%(language)s” on this site."), code="unknown_language", params={"language": min(unknown)}
        )


class MultilingualField(models.JSONField):
    """A ``Text``: JSON of language -> words."""

    default_validators = [validate_text]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("default", Text)
        super().__init__(*args, **kwargs)

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        found = super().from_db_value(value, expression, connection)
        return Text(found) if isinstance(found, dict) else found

    def to_python(self, value: Any) -> Any:
        found = super().to_python(value)
        return text(found) if isinstance(found, dict | str) else found
