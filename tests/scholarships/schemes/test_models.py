"""What a scheme covers and pays."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from scholarships.schemes.models import Coverage, Scheme, StipendRate
from tests.factories import make_institution

pytestmark = pytest.mark.django_db


@pytest.fixture
def scheme() -> Scheme:
    return Scheme.objects.create(code="sco", kind="sco", name={"en": "SCO Scholarship", "ru": "Стипендия ШОС"}, funder=make_institution())


def test_what_is_covered_stands_in_its_order(scheme):
    for order, item in ((2, "Stipend"), (1, "Tuition"), (3, "Travel")):
        Coverage.objects.create(scheme=scheme, order=order, item={"en": item}, is_paid=item != "Travel")

    assert [(str(row.item), row.is_paid) for row in scheme.coverage.all()] == [("Tuition", True), ("Stipend", True), ("Travel", False)]


def refused(act) -> bool:
    with pytest.raises(IntegrityError), transaction.atomic():
        act()
    return True


def test_the_database_keeps_one_line_for_an_order_and_one_rate_for_a_level(scheme):
    Coverage.objects.create(scheme=scheme, order=1, item={"en": "Tuition"})
    StipendRate.objects.create(scheme=scheme, level="master", cny_a_month=3000)

    assert refused(lambda: Coverage.objects.create(scheme=scheme, order=1, item={"en": "Stipend"}))
    assert refused(lambda: StipendRate.objects.create(scheme=scheme, level="master", cny_a_month=3500))


def test_a_stipend_is_an_exact_sum_and_never_negative(scheme):
    StipendRate.objects.create(scheme=scheme, level="master", cny_a_month=Decimal("3000.10"))
    StipendRate.objects.create(scheme=scheme, level="doctoral", cny_a_month=0)

    assert StipendRate.objects.get(level="master").cny_a_month == Decimal("3000.10")
    assert refused(lambda: StipendRate.objects.create(scheme=scheme, level="bachelor", cny_a_month=-1))


def test_a_funder_cannot_vanish_from_its_scheme(scheme):
    with pytest.raises(IntegrityError), transaction.atomic():
        scheme.funder.delete()

    assert Scheme.objects.get().name.said_in("ru") == "Стипендия ШОС"
