"""Programmes from the shipped files: their hosts, fields, partners and phases."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from scholarships.engine.conditions import check
from scholarships.partners import loading as partners
from scholarships.programmes.fields import FIELDS, field_name
from scholarships.programmes.loading import LIBRARY, load_programmes
from scholarships.programmes.models import Partner, Phase, Programme, ProgrammeKind
from tests.factories import make_institution, make_programme

pytestmark = pytest.mark.django_db


@pytest.fixture
def library() -> int:
    for path in sorted(partners.LIBRARY.glob("*.yaml")):
        partners.load_institutions(path)
    return sum(load_programmes(path) for path in sorted(LIBRARY.glob("*.yaml")))


def test_the_shipped_programmes_are_whole(library):
    assert library == Programme.objects.count() > 50
    for programme in Programme.objects.select_related("host"):
        programme.full_clean()
    assert set(Programme.objects.values_list("field", flat=True)) - set(FIELDS) == set()


def test_loading_again_changes_nothing(library):
    def rows() -> list:
        return [
            list(Programme.objects.order_by("code").values()),
            list(Partner.objects.order_by("programme", "institution").values_list("programme", "institution", "part")),
            list(Phase.objects.order_by("programme", "order").values_list("programme", "order", "months", "entry")),
        ]

    before = rows()
    for path in sorted(LIBRARY.glob("*.yaml")):
        load_programmes(path)

    assert rows() == before


def test_the_phases_of_a_joint_programme_stand_in_order_and_add_up(library):
    joint = [programme for programme in Programme.objects.exclude(kind=ProgrammeKind.DEGREE) if programme.phases.exists()]

    assert joint != []
    for programme in joint:
        phases = list(programme.phases.all())
        assert [phase.order for phase in phases] == list(range(1, len(phases) + 1))
        assert sum(phase.months for phase in phases) == programme.months


def test_the_entry_conditions_of_phases_can_be_read(library):
    assert [str(error) for phase in Phase.objects.exclude(entry="") for error in check(phase.entry, _facts(phase.entry))] == []


def _facts(text: str) -> set[str]:
    return {word for word in text.replace("(", " ").replace(")", " ").split() if word[0].isalpha()}


@pytest.mark.parametrize("field", ["613", "06130", "06A3", "", "061\n", "٠٦١٣", "０６１３"])
def test_a_field_has_four_digits(field):
    programme = make_programme()
    programme.field = field

    with pytest.raises(ValidationError) as refused:
        programme.full_clean()

    assert set(refused.value.error_dict) == {"field"}


def test_a_field_is_said_by_its_name_else_by_its_code():
    assert (field_name("0613"), field_name("9999")) == ("Software and applications", "9999")


def test_a_programme_is_found_by_the_words_of_its_title_and_host_in_every_script():
    programme = make_programme(title="Wasserbau", host=make_institution(name="Universität Karaganda"))
    programme.title = {"en": "ХОЛОДНАЯ Вода", "zh-hans": "水利工程"}

    programme.save()

    assert Programme.objects.get(search__contains="холодная вода 水利工程 universität karaganda") == programme


def test_a_partner_has_each_part_once():
    programme, home = make_programme(), make_institution()
    Partner.objects.create(programme=programme, institution=home, part="home")
    Partner.objects.create(programme=programme, institution=home, part="partner")

    with pytest.raises(IntegrityError), transaction.atomic():
        Partner.objects.create(programme=programme, institution=home, part="home")


def test_two_phases_cannot_have_one_place():
    programme = make_programme()
    Phase.objects.create(programme=programme, order=1, months=12)

    with pytest.raises(IntegrityError), transaction.atomic():
        Phase.objects.create(programme=programme, order=1, months=24)


def test_of_a_programme_whose_host_is_unknown_nothing_is_loaded(tmp_path):
    path = tmp_path / "wrong.yaml"
    path.write_text(
        "- {code: a, title: A, host: known, level: master, taught_in: en, field: '0613', months: 24}\n"
        "- {code: b, title: B, host: nobody, level: master, taught_in: en, field: '0613', months: 24}\n",
        encoding="utf-8",
    )
    make_institution("known")

    with pytest.raises(KeyError, match="nobody"):
        load_programmes(path)

    assert not Programme.objects.exists()
