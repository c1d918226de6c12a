"""Officers read which letters the site writes."""

from __future__ import annotations

import pytest
from django.urls import reverse

from exchange.notifications.catalogue import NOTICES, SILENT
from tests.exchange.pages import browser
from tests.factories import make_officer, make_user

pytestmark = pytest.mark.django_db


def test_every_event_stands_there_with_its_letters_or_the_reason_for_none():
    html = browser(make_officer()).get(reverse("manage:catalogue")).content.decode()

    assert [name for name in [*NOTICES, *SILENT] if f">{name}<" not in html] == []
    assert "Officers of the call" in html
    assert "A trial until it is confirmed" in html


def test_it_is_for_officers():
    assert browser(make_user()).get(reverse("manage:catalogue")).status_code == 403
