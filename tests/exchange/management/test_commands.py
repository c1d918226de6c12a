"""load_call, demo and draw_states: what they take, and what they refuse without touching anything."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import override_settings
from django.utils import timezone

from exchange.ui.templatetags.ui import moment
from scholarships.applications.drawing import drawing
from scholarships.calls.models import Call, is_open
from scholarships.events.models import Event
from scholarships.partners.models import Institution
from scholarships.people.models import User
from scholarships.programmes.models import Programme
from scholarships.schemes.models import Scheme
from tests.factories import make_user

pytestmark = pytest.mark.django_db

SHIPPED = Path(__file__).parents[3] / "scholarships" / "calls" / "library" / "turkmenistan.yaml"
TEXT = SHIPPED.read_text(encoding="utf-8")


def run(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def refused(*arguments: str) -> str:
    with pytest.raises(CommandError) as said:
        run(*arguments)
    assert said.value.returncode == 1
    return str(said.value)


def everything() -> tuple[int, ...]:
    return tuple(model.objects.count() for model in (Call, Scheme, Institution, Programme, Event))


# -- load_call -------------------------------------------------------------------


def test_a_shipped_call_is_loaded_by_its_name_and_opens_today():
    said = run("load_call", "turkmenistan", "--open-from", "today")

    call = Call.objects.get()
    opens, closes = (moment(at, "Asia/Ashgabat") for at in (call.opens_at, call.closes_at))
    assert said == f"Loaded xinjiang-tm-2027: “{call.title}”, open from {opens} to {closes}.\n"
    assert (opens.rpartition(", ")[2], closes.rpartition(", ")[2]) == ("09:00 Ashgabat", "18:00 Ashgabat")
    assert call.opens_at.astimezone(timezone.get_fixed_timezone(300)).date() == timezone.localdate()
    assert is_open(call, call.opens_at + timedelta(hours=1))
    assert call.programmes.count() > 10


def test_a_call_may_be_loaded_a_second_time_under_another_code():
    run("load_call", str(SHIPPED))

    assert "There is a call “xinjiang-tm-2027” already." in refused("load_call", str(SHIPPED))
    run("load_call", str(SHIPPED), "--as", "xinjiang-tm-2028", "--open-from", "2027-11-09")
    assert sorted(Call.objects.values_list("code", "opens_at__year")) == [("xinjiang-tm-2027", 2026), ("xinjiang-tm-2028", 2027)]


@pytest.mark.parametrize(
    ("old", "new", "line", "reason"),
    [
        ("grace: 30", "grace: [30", 35, "This is not YAML: did not find expected ',' or ']'."),
        ("grace: 30", "grace: soon", 34, "grace: This must be a whole number, and is “soon”."),
        ("closes: 2027", "closes: 2025", 33, "closes: A call opens, then closes, then has its results: these dates are in another order."),
        (
            "\nmilestones:",
            "  - cn-xju-alchemy-master\nmilestones:",
            66,
            "programmes 23: There is no programme “cn-xju-alchemy-master”. Load it first.",
        ),
    ],
    ids=["not YAML", "against the schema", "against itself", "a programme that is not there"],
)
def test_a_wrong_file_is_refused_with_line_and_reason_and_nothing_of_it_is_loaded(tmp_path, old, new, line, reason):
    assert TEXT.count(old) == 1
    file = tmp_path / "call.yaml"
    file.write_text(TEXT.replace(old, new), encoding="utf-8")
    before = everything()

    assert refused("load_call", str(file)) == f"{file}: line {line}: {reason}"
    assert everything() == before


def test_every_fault_of_a_file_has_a_line_of_its_own(tmp_path):
    file = tmp_path / "call.yaml"
    file.write_text(TEXT.replace("grace: 30", "grace: soon").replace("choices: 2", "choices: many"), encoding="utf-8")

    said = refused("load_call", str(file)).splitlines()

    assert [line.startswith(f"{file}: line ") for line in said] == [True, True]


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    picture = tmp_path / "call.jpg"
    picture.write_bytes(b"\xff\xd8\xff\xe0")

    assert refused("load_call", "nowhere.yaml") == "nowhere.yaml cannot be read: [Errno 2] No such file or directory: 'nowhere.yaml'"
    assert refused("load_call", str(picture)).startswith(f"{picture} cannot be read: ")


def test_a_day_that_is_none_is_refused_before_anything_is_loaded():
    before = everything()

    said = refused("load_call", "turkmenistan", "--open-from", "tomorrow")

    assert said == "--open-from takes a day like 2026-11-24, or today, not “tomorrow”."
    assert everything() == before


# -- demo ------------------------------------------------------------------------


def test_the_demo_is_built_into_an_empty_database_only_and_harms_no_other():
    make_user(email="somebody@sapar.example")
    before = everything()

    said = refused("demo")

    assert said == "There are people in this database already. The demo world is built into an empty one only."
    assert (everything(), list(User.objects.values_list("email", flat=True))) == (before, ["somebody@sapar.example"])


@override_settings(IS_DEMO=False)
def test_in_production_there_is_no_demo():
    assert refused("demo") == "SITE_URL is https, so this is production: no demo data goes in here."
    assert not User.objects.exists()


# -- draw_states -----------------------------------------------------------------


def test_the_drawing_of_states_is_written_and_checked(tmp_path, settings):
    settings.BASE_DIR = tmp_path
    (tmp_path / "docs").mkdir()
    file = tmp_path / "docs" / "states.md"
    stale = f"{file} is not what the table of transitions says. Run: manage.py draw_states"

    missing = refused("draw_states", "--check")
    run("draw_states")
    run("draw_states", "--check")
    fresh = file.read_text(encoding="utf-8")
    file.write_text("Something else.\n", encoding="utf-8")

    assert (missing, refused("draw_states", "--check"), fresh) == (stale, stale, drawing())
    assert file.read_text(encoding="utf-8") == "Something else.\n"
