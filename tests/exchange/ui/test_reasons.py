"""Reasons in words: what the officer reads, and what the applicant may not read."""

from __future__ import annotations

import pytest

from exchange.ui.reasons import explained, names_in, pool_name, sentence
from scholarships.allocations import actions
from scholarships.allocations.models import Placement
from tests.factories import make_call, make_candidate, make_institution, make_officer, make_programme


def refused(cap=2, quota="a.country,o.level[KG,master]"):
    return {"choice": "x", "outcome": "refused", "quota": quota, "used": cap, "cap": cap, "cut_rank": 2, "cut_score": "8.00"}


def test_an_applicant_reads_no_cut_off_where_so_few_places_are_that_it_would_name_somebody():
    assert sentence(refused(4), {}) == "All 4 places are taken (Kyrgyzstan, Master’s) by applications with a higher rank."
    assert sentence(refused(5), {}) == "All 5 places are taken (Kyrgyzstan, Master’s); the last went to rank 2 with 8.00."


def test_an_officer_reads_every_cut_off():
    assert sentence(refused(1), {}, for_officer=True) == "The 1 place is taken (Kyrgyzstan, Master’s); the last went to rank 2 with 8.00."


def test_a_pool_without_places_and_a_choice_not_reached_are_said():
    assert sentence(refused(0, "a.country[KG]"), {}) == "There are no places: Kyrgyzstan."
    assert sentence({"choice": "x", "outcome": "not reached"}, {}) == "Not looked at, because a higher choice was free."
    assert sentence({"choice": "x", "outcome": "awarded"}, {}) == "A place for you."
    assert sentence({"choice": "x", "outcome": "awarded"}, {}, for_officer=True) == "A place."


def test_pools_are_named_in_words():
    names = {"hydrology": "Hydrology, Hohai University"}

    assert pool_name("total", names) == "all places"
    assert pool_name("o.programme[hydrology]", names) == "Hydrology, Hohai University"
    assert pool_name("o.programme[unknown]", names) == "unknown"


@pytest.mark.django_db
@pytest.mark.parametrize("programmes", [2, 20])
def test_names_of_many_choices_and_hosts_take_two_queries(programmes, django_assert_num_queries):
    host = make_institution("a-host", name="A Host")
    rows = [make_programme(f"programme-{number}", host=host, title=f"Title {number}") for number in range(programmes)]
    reasons = [refused(quota="o.host[a-host]") | {"choice": row.code} for row in rows]

    with django_assert_num_queries(2):
        names = names_in(reasons)

    assert names == {row.code: f"Title {number}, A Host" for number, row in enumerate(rows)} | {"a-host": "A Host"}


@pytest.mark.django_db
def test_a_placement_is_explained_with_its_rank_among_all_who_took_part():
    call, officer = make_call(), make_officer()
    for score in ("9.00", "8.00", "7.00"):
        make_candidate(call, score)
    run = actions.allocate(call, by=officer)

    why = explained(Placement.objects.select_related("run").get(run=run, rank=3))

    assert (why.rank, why.of, str(why.score)) == (3, 3, "7.00")
    assert [says for _name, says in why.choices] == [
        "All 2 places are taken (Kyrgyzstan, Master’s) by applications with a higher rank."
    ] * 2
