"""The drawing of the states follows the table."""

from django.conf import settings

from scholarships.applications.drawing import drawing


def test_the_drawing_in_the_docs_is_not_stale():
    assert (settings.BASE_DIR / "docs" / "states.md").read_text(encoding="utf-8") == drawing()
