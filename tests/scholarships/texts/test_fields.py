"""A text in several languages is said in the reader's, and never fails to be said."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation

from scholarships.partners.models import Institution
from scholarships.texts.fields import MultilingualField, Text, text, validate_text
from tests.factories import make_institution

WATER = Text({"en": "Water", "zh-hans": "水", "ru": "Вода"})


@pytest.mark.parametrize(("language", "said"), [("en", "Water"), ("zh-hans", "水"), ("ru", "Вода"), ("fr", "Water")])
def test_a_text_is_said_in_the_language_of_the_reader_else_in_the_main_one(language, said):
    with translation.override(language):
        assert str(WATER) == said


@pytest.mark.parametrize(
    ("words", "said", "language"),
    [
        ({"en": "Water"}, "Water", "en"),
        ({"ru": "Вода", "en": ""}, "Вода", "ru"),
        ({"ru": "", "en": "Water"}, "Water", "en"),
        ({"zh-hans": "水"}, "水", "zh-hans"),
        ({}, "", "ru"),
        ({"en": ""}, "", "ru"),
    ],
)
def test_a_text_that_lacks_the_language_is_said_in_another_and_names_it(words, said, language):
    one = Text(words)

    assert (one.said_in("ru"), one.language_of("ru")) == (said, language)


def test_without_an_active_language_the_main_one_is_said():
    with translation.override(None):
        assert str(WATER) == "Water"


def test_an_empty_text_is_false():
    assert [bool(Text(words)) for words in ({}, {"en": ""}, {"en": "", "ru": "x"})] == [False, False, True]


@pytest.mark.parametrize(
    ("value", "made"),
    [("Water", {"en": "Water"}), ("", {}), (None, {}), ({"ru": "Вода"}, {"ru": "Вода"}), (WATER, WATER)],
)
def test_anything_that_can_be_a_text_becomes_one(value, made):
    assert (text(value), type(text(value))) == (made, Text)


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("Water", "not_a_text"),
        (["Water"], "not_a_text"),
        ({"en": 5}, "not_a_text"),
        ({"en": None}, "not_a_text"),
        ({"tk": "Suw"}, "unknown_language"),
    ],
)
def test_what_is_no_text_is_refused(value, code):
    with pytest.raises(ValidationError) as refused:
        validate_text(value)

    assert refused.value.code == code
    assert validate_text(WATER) is None


@pytest.mark.django_db
def test_a_text_is_kept_by_the_database_in_every_language():
    made = make_institution()
    Institution.objects.filter(pk=made.pk).update(name=WATER)

    kept = Institution.objects.get(pk=made.pk)

    assert (kept.name, type(kept.name), kept.name.said_in("zh-hans")) == (WATER, Text, "水")
    assert Institution.objects.get(name__ru="Вода") == kept


def test_a_field_takes_words_and_texts():
    field = MultilingualField()

    assert [(field.to_python(value), type(field.to_python(value))) for value in ("Water", {"ru": "Вода"})] == [
        ({"en": "Water"}, Text),
        ({"ru": "Вода"}, Text),
    ]
    assert field.get_default() == Text()
