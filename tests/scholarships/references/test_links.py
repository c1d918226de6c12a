"""A key is bound to its purpose, request and address; it expires, is revoked, and is stored as a hash only."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import serializers
from django.utils import timezone

from scholarships.references.dates import due_of
from scholarships.references.links import AFTER_DUE, key_of, link_to, list_link, read_key
from scholarships.references.models import Link, LinkPurpose, Reference
from tests.factories import make_reference

pytestmark = pytest.mark.django_db


def opens(key: str, purpose: str, **kwargs) -> bool:
    try:
        return bool(read_key(key, purpose, **kwargs))
    except LookupError:
        return False


def test_a_key_has_256_bits_and_stands_nowhere_in_the_row():
    link = link_to(make_reference())
    key = key_of(link)

    assert len(key) == 43
    assert key not in serializers.serialize("json", [link])
    assert opens(key, LinkPurpose.LETTER)


def test_a_key_serves_one_purpose():
    key = key_of(link_to(make_reference()))

    assert (opens(key, LinkPurpose.RELEASE), opens(key, LinkPurpose.LIST)) == (False, False)


def test_a_key_serves_one_address():
    reference = make_reference()
    key = key_of(link_to(reference))
    Reference.objects.update(address="other@ksu.example")
    reference.refresh_from_db()

    assert not opens(key, LinkPurpose.LETTER)
    assert key_of(link_to(reference)) != key


def test_a_key_lives_until_some_weeks_after_the_letter_is_due():
    reference = make_reference()
    key, end = key_of(link_to(reference)), due_of(reference.application) + AFTER_DUE

    assert opens(key, LinkPurpose.LETTER, at=end - timedelta(seconds=1))
    assert not opens(key, LinkPurpose.LETTER, at=end + timedelta(seconds=1))


def test_when_the_secret_of_the_site_changes_keys_that_are_out_still_open_and_new_letters_get_new_ones(settings):
    reference = make_reference()
    key = key_of(link_to(reference))
    settings.SECRET_KEY = "another secret of the site, as long as it must be"

    assert opens(key, LinkPurpose.LETTER)
    assert (opens(key_of(link_to(reference)), LinkPurpose.LETTER), Link.objects.count()) == (True, 2)


@pytest.mark.parametrize("key", ["", "x", "a" * 43, "a" * 44, "ä" * 43, "\0" * 43])
def test_what_is_no_key_opens_nothing(key):
    make_reference()

    assert not opens(key, LinkPurpose.LETTER)


def test_a_link_to_a_list_lives_for_a_day():
    now = timezone.now()
    key = key_of(list_link("karimova@ksu.example", "en", at=now))

    assert (opens(key, LinkPurpose.LIST), opens(key, LinkPurpose.LIST, at=now + timedelta(days=1, seconds=1))) == (True, False)
