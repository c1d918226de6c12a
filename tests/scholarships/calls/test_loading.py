"""A call file becomes a published call: all of it or nothing, in its own year or moved to another."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction

from scholarships.calls import file, loading
from scholarships.calls.file import CallFile, WrongFile, read
from scholarships.calls.form import form_of
from scholarships.calls.loading import load
from scholarships.calls.models import Call, CallVersion, Criterion, Milestone, Question, Requirement, RubricItem, Section, Step, StepBody
from scholarships.engine.conditions import parse
from scholarships.events.models import Event
from scholarships.partners import loading as partners
from scholarships.partners.models import Country
from scholarships.programmes import loading as programmes
from scholarships.quotas.models import Quota
from scholarships.schemes.models import Coverage, Scheme, StipendRate
from tests.factories import make_institution, make_programme, make_user, small_call_file

pytestmark = pytest.mark.django_db

LIBRARY = sorted((file.Path(file.__file__).parent / "library").glob("*.yaml"))
TABLES = [Call, CallVersion, Section, Question, Requirement, Criterion, RubricItem, Step, StepBody, Milestone, Quota, Scheme, Coverage, StipendRate, Event]  # fmt: skip


@pytest.fixture(scope="module")
def library(django_db_setup, django_db_blocker) -> Iterator[dict[str, CallFile]]:
    """The shipped institutions and programmes in the database, and the shipped calls as they are read."""
    with django_db_blocker.unblock(), transaction.atomic():
        for path in partners.LIBRARY.glob("*.yaml"):
            partners.load_institutions(path)
        for path in programmes.LIBRARY.glob("*.yaml"):
            programmes.load_programmes(path)
        yield {path.stem: read(path.read_text(encoding="utf-8")) for path in LIBRARY}
        transaction.set_rollback(True)


@pytest.fixture
def small() -> CallFile:
    """The small call of the tests, with everything that it names in the database."""
    for country in ("kg", "kz", "uz"):
        make_institution(f"{country}-ministry", kind="ministry", country=country.upper())
    for code in ("small-a", "small-b"):
        make_programme(code)
    return small_call_file()


def rows() -> dict[str, int]:
    return {model.__name__: model.objects.count() for model in TABLES}


# -- What is shipped -------------------------------------------------------------


@pytest.mark.parametrize("name", [path.stem for path in LIBRARY])
def test_a_shipped_call_is_loaded_whole(library, name):
    data = library[name].data

    call = load(library[name])

    form = form_of(call.version)
    assert (call.code, call.version.number, call.version.published_at is not None) == (data["call"], 1, True)
    assert set(call.countries.values_list("code", flat=True)) == set(data["countries"])
    assert set(call.programmes.values_list("code", flat=True)) == set(data["programmes"])
    assert [section.key for section in form.sections] == [section["key"] for section in data["sections"]]
    assert {question.key for _section, question in form.questions()} == {
        question["key"] for section in data["sections"] for question in section.get("questions", [])
    }
    assert [one.key for one in form.requirements] == [one["key"] for one in data["requirements"]]
    assert [one.rule.key for one in form.criteria] == [one["key"] for one in data["criteria"]]
    assert [one.weight for one in form.rubric] == [one["weight"] for one in data["rubric"]]
    assert [step.key for step in form.steps] == [step["key"] for step in data["steps"]]
    assert sum(Quota.objects.filter(call=call).values_list("places", flat=True)) == sum(
        cell[-1] for quota in data["quotas"] for cell in quota["cells"]
    )
    assert list(Event.objects.about(call).filter(name="call.published").values_list("data", flat=True)) == [{"version": 1}]


def test_every_condition_of_the_shipped_calls_can_be_read(library):
    for shipped in library.values():
        load(shipped)
    written = [
        row.condition
        for model in (Section, Question, Requirement, Criterion)
        for row in model.objects.filter(**{"version__call__isnull" if model is not Question else "section__version__call__isnull": False})
    ]

    assert len(written) > 100
    assert [text for text in written if not isinstance(parse(text).facts, frozenset)] == []


@pytest.mark.parametrize("name", [path.stem for path in LIBRARY])
def test_a_shipped_call_is_loaded_again_in_another_year_under_another_code(library, name):
    load(library[name])

    other = load(library[name], code="another-year", title="Another year", opens_on=date(2030, 3, 1))

    zone = ZoneInfo(other.zone)
    assert (other.code, str(other.title), other.opens_at.astimezone(zone).date()) == ("another-year", "Another year", date(2030, 3, 1))
    assert other.starts_on > other.results_at.date()
    assert (other.starts_on.month, other.starts_on.day) == (9, 1)


# -- Moved dates -----------------------------------------------------------------


def test_without_another_day_dates_are_those_of_the_file_in_the_zone_of_the_call(small):
    call = load(small)

    assert call.opens_at == datetime(2026, 11, 1, 1, tzinfo=UTC)  # 9:00 in Beijing
    assert call.closes_at == datetime(2026, 12, 20, 10, tzinfo=UTC)
    assert (call.grace, call.starts_on) == (15, date(2027, 9, 1))


def test_a_moved_calendar_keeps_its_distances_and_its_hours(small):
    call = load(small, opens_on=date(2026, 11, 11))
    milestone = call.milestones.get()

    assert call.opens_at == datetime(2026, 11, 11, 1, tzinfo=UTC)
    assert call.closes_at == datetime(2026, 12, 30, 10, tzinfo=UTC)
    assert call.results_at == datetime(2027, 2, 25, 10, tzinfo=UTC)
    assert (milestone.starts_at, milestone.ends_at) == (datetime(2026, 12, 31, 1, tzinfo=UTC), datetime(2027, 1, 20, 10, tzinfo=UTC))


def test_a_moved_calendar_keeps_the_hour_of_its_zone_over_a_change_of_the_clock(small):
    summer = small_call_file(**{"zone: Asia/Shanghai": "zone: Europe/Berlin"})

    call = load(summer, opens_on=date(2026, 6, 1))

    assert call.opens_at == datetime(2026, 6, 1, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("opens", "starts"),
    [
        (date(2026, 11, 1), date(2027, 9, 1)),
        (date(2027, 4, 1), date(2027, 9, 1)),  # results in mid July
        (date(2027, 7, 1), date(2028, 9, 1)),  # results in October: the next September
        (date(2020, 1, 1), date(2027, 9, 1)),
    ],
)
def test_studies_start_on_their_day_of_the_year_after_the_results(small, opens, starts):
    assert load(small, opens_on=opens).starts_on == starts


def test_days_in_criteria_and_conditions_move_by_whole_years(small):
    text = """  - {key: born, kind: condition, params: {holds: 'birth_date < 2009-09-01 and "2000-02-29" != birth_date'}, when: birth_date > 1990-01-01, title: Born}
criteria:"""
    moved = small_call_file(**{"criteria:": f"criteria:\n{text.removesuffix('criteria:').rstrip()}"})

    call = load(moved, opens_on=date(2028, 11, 1))

    born, _citizen, age, _degree = form_of(call.version).criteria
    assert call.starts_on == date(2029, 9, 1)
    assert born.rule.params == {"holds": 'birth_date < 2011-09-01 and "2002-02-28" != birth_date'}
    assert born.rule.when == "birth_date > 1992-01-01"
    assert age.rule.params == {"maximum": 35, "on": "2029-09-01"}


def test_the_year_is_filled_into_texts(small):
    dated = small_call_file(**{"title: Small call": "title: Studies from {year} to {next}"})

    assert str(load(dated, opens_on=date(2028, 11, 1)).title) == "Studies from 2029 to 30"


# -- Nothing half loaded ---------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("countries: [KG, KZ, UZ]", "countries: [KG, KZ, UZ, XX]", "There is no country “XX”. Load it first."),
        ("programmes: [small-a, small-b]", "programmes: [small-a, small-z]", "There is no programme “small-z”. Load it first."),
        ("UZ: uz-ministry", "UZ: uz-office", "There is no institution “uz-office”. Load it first."),
        ("  name: Small scheme", "  name: Small scheme\n  funder: nobody", "There is no institution “nobody”. Load it first."),
    ],
)
def test_what_the_database_does_not_know_refuses_the_file_with_its_line_and_leaves_nothing(small, old, new, message):
    wrong = small_call_file(**{old: new, **({"UZ: uz-ministry": "UZ: uz-ministry, XX: uz-ministry"} if "XX" in new else {})})
    before = rows()

    with pytest.raises(WrongFile) as refused:
        load(wrong)

    (fault,) = refused.value.faults
    assert fault.message == message
    assert fault.line > 1
    assert rows() == before


def test_nothing_is_left_where_a_late_part_fails(small, monkeypatch):
    def fail(call: Call, part: object) -> None:
        assert call.code == "small-2027"
        raise RuntimeError("a late part")

    monkeypatch.setitem(loading._parts, "quotas", fail)
    before = rows()

    with pytest.raises(RuntimeError):
        load(small)

    assert rows() == before


def test_the_same_file_twice_is_refused(small):
    load(small)
    before = rows()

    with pytest.raises(WrongFile) as refused:
        load(small)

    assert [(fault.where, fault.message) for fault in refused.value.faults] == [("call", "There is a call “small-2027” already.")]
    assert rows() == before


# -- What becomes of the parts ---------------------------------------------------


def test_two_calls_of_one_scheme_share_it(small):
    load(small)
    load(small, code="small-2028")

    scheme = Scheme.objects.get()
    assert set(scheme.calls.values_list("code", flat=True)) == {"small-2027", "small-2028"}
    assert list(scheme.stipends.order_by("level").values_list("level", "cny_a_month")) == [
        ("doctoral", Decimal("3500.00")),
        ("master", Decimal("3000.00")),
    ]


def test_what_a_file_leaves_out_has_its_default(small):
    call = load(small_call_file(**{"grace: 15\n": "", "choices: 3\n": "", "reviews: 2\n": ""}))

    assert (call.grace, call.choices_max, call.reviews_wanted, call.answer_days, call.main_language) == (0, 3, 2, 14, "en")
    passport = form_of(call.version).requirement("passport")
    assert passport is not None
    assert (passport.is_required, passport.least, passport.most, passport.max_bytes, passport.max_pages, passport.reviewers_see) == (
        True,
        1,
        1,
        5 * 1024 * 1024,
        30,
        False,
    )


def test_columns_belong_to_their_question(small):
    form = form_of(load(small).version)

    schools = form.question("schools")
    assert schools is not None
    assert [(column.key, column.is_identity) for column in schools.columns] == [("name", True), ("year", False)]
    assert form.question("name") is None


def test_the_bodies_of_a_step_are_kept_by_country(small):
    step = form_of(load(small).version).steps[0]

    assert {country: len(pks) for country, pks in step.bodies.items()} == {"KG": 1, "KZ": 1, "UZ": 1}


def test_institutions_that_send_their_own_are_kept_without_a_country(small):
    home = small_call_file(
        **{
            "body: citizenship": "body: home",
            "bodies: {KG: kg-ministry, KZ: kz-ministry, UZ: uz-ministry}": "bodies: [kg-ministry, kz-ministry]",
        }
    )

    step = form_of(load(home).version).steps[0]

    assert {country: len(pks) for country, pks in step.bodies.items()} == {"": 2}


def test_loading_says_who_published(small):
    officer = make_user()

    call = load(small, by=officer)

    assert list(Event.objects.about(call).filter(name="call.published").values_list("by", "data")) == [(officer.pk, {"version": 1})]


def test_a_form_is_read_once_in_a_process(small, django_assert_num_queries):
    call = load(small)
    form = form_of(call.version)

    with django_assert_num_queries(0):
        assert form_of(CallVersion(pk=call.version.pk, code=call.version.code, published_at=call.version.published_at)) is form


def test_every_country_of_the_shipped_calls_exists(library):
    named = {code for shipped in library.values() for code in shipped.data["countries"]}

    assert named - set(Country.objects.values_list("code", flat=True)) == set()
