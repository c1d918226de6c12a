"""Wishes are kept when the two ways become three, forward and back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from tests.factories import make_user

pytestmark = pytest.mark.django_db(transaction=True)
ROOM = "notifications"


def at(migration: str) -> Any:
    """The models of the room as they are at MIGRATION, to which the database is taken."""
    executor = MigrationExecutor(connection)
    executor.migrate([(ROOM, migration)])
    return executor.loader.project_state([(ROOM, migration)]).apps.get_model(ROOM, "Preference")


@pytest.fixture(autouse=True)
def _and_back() -> Iterator[None]:
    yield
    executor = MigrationExecutor(connection)
    executor.migrate([key for key in executor.loader.graph.leaf_nodes() if key[0] == ROOM])


def test_wishes_are_kept_forward_and_back():
    user = make_user()
    before = at("0007_application_of_a_letter")
    for kind, by_mail in (("a", True), ("b", False)):
        before.objects.create(user_id=user.pk, kind=kind, by_mail=by_mail)

    after = at("0010_preference_without_by_mail")
    ways = list(after.objects.order_by("kind").values_list("kind", "way"))
    after.objects.create(user_id=user.pk, kind="c", way="daily")
    again = at("0007_application_of_a_letter")

    assert ways == [("a", "mail"), ("b", "inbox")]
    assert list(again.objects.order_by("kind").values_list("kind", "by_mail")) == [("a", True), ("b", False), ("c", True)]
