"""The catalogue covers every event, and every letter can be written."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings

import exchange.jobs  # every room is loaded, and has declared its events
import exchange.urls  # noqa: F401
from exchange.notifications.catalogue import NOTICES, SILENT, Channel, notice_of
from exchange.notifications.models import Message
from exchange.notifications.reading import messages_of
from scholarships.events.actions import record
from scholarships.events.names import all_names
from scholarships.people.actions import JOINED
from tests.factories import make_user


def test_somebody_has_thought_about_every_event():
    assert set(all_names()) - set(NOTICES) - set(SILENT) == set()


def test_no_event_is_both_told_and_silent_and_none_is_invented():
    assert set(NOTICES) & set(SILENT) == set()
    assert (set(NOTICES) | set(SILENT)) - set(all_names()) == set()


def test_each_silence_has_its_reason():
    assert [name for name, reason in SILENT.items() if len(reason) < 10] == []


@pytest.mark.parametrize(
    "letter", sorted({notice.letter for notices in NOTICES.values() for notice in notices} | {"account.code", "account.changed"})
)
def test_each_letter_has_a_subject_a_text_and_an_html_part(letter):
    folder = Path(settings.BASE_DIR) / "templates" / "emails"

    assert [part for part in ("subject.txt", "txt", "html") if not (folder / f"{letter}.{part}").exists()] == []


def test_no_letter_lies_there_that_nobody_gets():
    folder = Path(settings.BASE_DIR) / "templates" / "emails"
    known = {notice.letter for notices in NOTICES.values() for notice in notices} | {"account.code", "account.changed"}

    assert {path.name.removesuffix(".html") for path in folder.glob("*.html")} - known == {"base", "worded"}


def test_a_kind_names_one_notice():
    kinds = [(event, notice.kind) for event, notices in NOTICES.items() for notice in notices]

    assert [kind for event, kind in kinds if notice_of(kind) is None] == []


@pytest.mark.django_db
def test_what_goes_by_mail_alone_is_in_no_inbox():
    user = make_user()
    event = record(JOINED, user)
    kinds = {notice.kind: notice.channel for notices in NOTICES.values() for notice in notices}
    for kind in kinds:
        Message.objects.create(event=event, kind=kind, user=user, address=user.email, message_id=kind)

    shown = set(messages_of(user).values_list("kind", flat=True))

    assert set(kinds) - shown == {kind for kind, channel in kinds.items() if channel == Channel.MAIL}
