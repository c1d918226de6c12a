"""Countries with their zones, and institutions from the shipped files."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from scholarships.partners.loading import LIBRARY, load_institutions
from scholarships.partners.models import Country, Institution, InstitutionKind, validate_zone
from scholarships.partners.zones import city_of, known_zones


@pytest.mark.parametrize(
    ("zone", "city"),
    [
        ("Asia/Shanghai", "Beijing"),
        ("Asia/Almaty", "Astana"),
        ("Europe/Moscow", "Moscow"),
        ("America/Argentina/Buenos_Aires", "Buenos Aires"),
        ("UTC", "UTC"),
    ],
)
def test_a_zone_is_called_by_the_city_people_know(zone, city):
    assert city_of(zone).said_in("en") == city


def test_every_known_city_is_a_zone_with_a_name_in_each_language():
    for zone in known_zones():
        validate_zone(zone)
        assert set(city_of(zone)) == {"en", "zh-hans", "ru"}


@pytest.mark.parametrize("zone", ["", "Beijing", "Asia", "../etc/passwd", "/etc/localtime", "Asia/Shanghai\x00", "x" * 300])
def test_what_is_no_zone_is_refused(zone):
    with pytest.raises(ValidationError) as refused:
        validate_zone(zone)

    assert refused.value.code == "unknown_zone"


@pytest.mark.django_db
def test_every_country_has_a_zone_and_a_name_in_each_language():
    countries = list(Country.objects.all())

    assert len(countries) > 240
    for country in countries:
        validate_zone(country.zone)
        assert set(country.name) == {"en", "zh-hans", "ru"}
        assert bool(city_of(country.zone))


@pytest.mark.django_db
def test_people_of_members_read_deadlines_in_the_zone_of_a_city_that_has_its_name_in_their_languages():
    members = Country.objects.filter(is_sco_member=True) | Country.objects.filter(code="TM")

    assert {country.code for country in members if country.zone not in known_zones()} == set()


@pytest.mark.django_db
def test_ten_countries_are_members_of_the_sco():
    members = set(Country.objects.filter(is_sco_member=True).values_list("code", flat=True))

    assert members == {"BY", "CN", "IN", "IR", "KG", "KZ", "PK", "RU", "TJ", "UZ"}


@pytest.mark.django_db
def test_the_shipped_institutions_are_loaded_and_loading_again_changes_nothing():
    paths = sorted(LIBRARY.glob("*.yaml"))
    rows = [row for path in paths for row in yaml.safe_load(path.read_text(encoding="utf-8"))]

    loaded = sum(load_institutions(path) for path in paths)
    before = list(Institution.objects.order_by("pk").values())
    sum(load_institutions(path) for path in paths)

    assert loaded == len(rows) == Institution.objects.count()
    assert list(Institution.objects.order_by("pk").values()) == before
    for institution in Institution.objects.all():
        institution.full_clean()
        assert institution.kind in InstitutionKind.values


@pytest.mark.django_db
def test_an_institution_that_exists_is_brought_up_to_date(tmp_path):
    path = tmp_path / "one.yaml"
    path.write_text("- {code: x, kind: university, name: Old, country: KG}\n", encoding="utf-8")
    load_institutions(path)
    path.write_text("- {code: x, kind: college, name: {en: New, ru: Новый}, country: KZ, city: Astana, number: 10001}\n", encoding="utf-8")

    load_institutions(path)

    kept = Institution.objects.get(code="x")
    assert (kept.kind, kept.name, kept.country_id, kept.city, kept.number) == (
        "college",
        {"en": "New", "ru": "Новый"},
        "KZ",
        {"en": "Astana"},
        "10001",
    )


@pytest.mark.django_db
def test_of_a_wrong_file_nothing_is_loaded(tmp_path):
    path = Path(tmp_path / "wrong.yaml")
    path.write_text(
        "- {code: good, kind: university, name: Good, country: KG}\n- {code: bad, kind: university, country: KG}\n", encoding="utf-8"
    )

    with pytest.raises(KeyError):
        load_institutions(path)

    assert not Institution.objects.exists()


@pytest.mark.django_db
def test_a_code_names_one_institution():
    Institution.objects.create(code="x", kind="university", country_id="KG", name={"en": "X"})

    with pytest.raises(IntegrityError), transaction.atomic():
        Institution.objects.create(code="x", kind="college", country_id="KZ", name={"en": "Y"})
