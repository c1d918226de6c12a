"""One world for all tests of a module: each test works in a savepoint of its own and leaves it as it was."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import transaction

from scholarships.applications.models import Application
from tests.factories import make_application
from tests.scholarships.applications.people import World, make_world


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker) -> Iterator[World]:
    with django_db_blocker.unblock(), transaction.atomic():
        yield make_world()
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def _handed_in(world: World) -> int:
    return make_application(world.call, world["applicant"]).pk


@pytest.fixture
def application(_handed_in: int, db: None) -> Application:
    """The applicant's application to the call of the world, complete and handed in; a fresh object."""
    return Application.objects.select_related("call", "version", "applicant").get(pk=_handed_in)
