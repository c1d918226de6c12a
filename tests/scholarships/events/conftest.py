"""An event of the tests' own, declared while they run: elsewhere somebody counts the names."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from scholarships.events import names
from tests.scholarships.events import HAPPENED


@pytest.fixture(autouse=True)
def _declared() -> Iterator[None]:
    names.declare(HAPPENED, "Something happened in a test", "what", "when", "many")
    yield
    names._declared.pop(HAPPENED)
