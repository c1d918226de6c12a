"""Places are set, held, taken and given back; nobody gets a place that is not there."""

from __future__ import annotations

import threading

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from scholarships.events.models import Event
from scholarships.quotas import actions
from scholarships.quotas.models import Entry, Move, Purpose, Quota, cell_of, normal
from tests.factories import make_call, make_officer

AWARD, MATRIX = Purpose.AWARD, "a.country,o.level"


def quota(call, cell="KG,master", by=MATRIX) -> Quota:
    return Quota.objects.get(call=call, purpose=AWARD, by=by, cell=cell)


def counts(call, cell="KG,master") -> tuple[int, int, int]:
    row = quota(call, cell)
    return row.places, row.held, row.used


def codes(refused) -> list[str]:
    return [error.code for error in refused.value.error_list]


# -- Setting ---------------------------------------------------------------------


@pytest.mark.django_db
def test_setting_places_changes_the_cell_and_writes_a_row_of_the_ledger_and_one_event():
    call, officer = make_call(), make_officer()
    before = Event.objects.about(call).count()

    changed = actions.set_places(call, AWARD, MATRIX, {("KG", "master"): 5, ("KZ", "master"): 2}, user=officer, reason="more money")

    assert changed == 1
    assert counts(call) == (5, 0, 0)
    last = Entry.objects.order_by("pk").last()
    assert (last.quota, last.move, last.places, last.reason, last.by) == (quota(call), Move.SET, 3, "more money", officer)
    events = Event.objects.about(call)[before:]
    assert [(event.name, event.by, event.data) for event in events] == [
        ("call.quotas_set", officer, {"purpose": "award", "dimension": MATRIX, "cells": 1})
    ]


@pytest.mark.django_db
def test_setting_the_same_places_again_writes_nothing():
    call = make_call()
    rows = Entry.objects.count(), Event.objects.count()

    assert actions.set_places(call, AWARD, MATRIX, {("kg", " Master "): 2}) == 0

    assert (Entry.objects.count(), Event.objects.count()) == rows


@pytest.mark.django_db
def test_each_cell_that_would_go_below_what_is_held_is_named_and_nothing_is_set():
    call = make_call()
    for cell in ("KG,master", "KZ,master"):
        actions.hold([quota(call, cell)], subject=f"first-{cell}")
        actions.hold([quota(call, cell)], subject=f"second-{cell}")

    with pytest.raises(ValidationError) as refused:
        actions.set_places(call, AWARD, MATRIX, {("KG", "master"): 1, ("KZ", "master"): 0, ("UZ", "master"): 9, ("UZ", "doctoral"): -1})

    assert codes(refused) == ["below_taken", "below_taken", "not_places"]
    assert [error.params["cell"] for error in refused.value.error_list] == ["KG,master", "KZ,master", "UZ,doctoral"]
    assert refused.value.messages[0] == "KG,master: 2 places are held or taken already, so 1 cannot be set."
    assert (counts(call), counts(call, "UZ,master")) == ((2, 2, 0), (2, 0, 0))


@pytest.mark.django_db
def test_places_may_go_down_to_what_is_held_and_taken():
    call = make_call()
    row = quota(call)
    actions.hold([row], subject="a")
    actions.use([row], subject="a")

    actions.set_places(call, AWARD, MATRIX, {("KG", "master"): 1})

    assert counts(call) == (1, 0, 1)


@pytest.mark.django_db
def test_the_edition_of_places_differs_when_a_number_does_and_not_when_one_is_held():
    call = make_call()
    first = actions.edition(actions.award_quotas(call))
    actions.hold([quota(call)], subject="a")
    held = actions.edition(actions.award_quotas(call))
    actions.set_places(call, AWARD, MATRIX, {("KG", "master"): 3})

    assert held == first
    assert actions.edition(actions.award_quotas(call)) != first


def test_a_cell_has_one_name_whatever_case_and_blanks_it_is_typed_with():
    assert cell_of(" kg ", "Master") == "KG,master"
    assert normal("CN-XJMU") == "cn-xjmu"


# -- Holding ---------------------------------------------------------------------


@pytest.mark.django_db
def test_a_place_is_held_taken_and_given_back_and_the_ledger_says_so():
    call = make_call()
    row = quota(call)

    actions.hold([row], subject="a")
    actions.hold([row], subject="b")
    actions.use([row], subject="a")
    actions.release([row], subject="b")
    assert counts(call) == (2, 0, 1)
    actions.free([row], subject="a")

    assert counts(call) == (2, 0, 0)
    moves = Entry.objects.filter(quota=row).exclude(move=Move.SET).values_list("move", "subject")
    assert list(moves) == [("hold", "a"), ("hold", "b"), ("use", "a"), ("release", "b"), ("free", "a")]


@pytest.mark.django_db
def test_a_full_quota_refuses_and_the_others_asked_with_it_stay_free():
    call = make_call()
    both = [quota(call, "KG,master"), quota(call, "KG,doctoral")]
    actions.hold([both[1]], subject="a")

    with pytest.raises(actions.NoPlace):
        actions.hold(both, subject="b")

    assert (counts(call, "KG,master"), counts(call, "KG,doctoral")) == ((2, 0, 0), (1, 1, 0))
    assert Entry.objects.filter(subject="b").count() == 0


@pytest.mark.django_db
def test_several_are_held_together_or_not_at_all():
    call = make_call()
    row = quota(call)

    with pytest.raises(actions.NoPlace):
        actions.hold_all({"a": [row], "b": [row], "c": [row]})
    assert counts(call) == (2, 0, 0)
    actions.hold_all({"a": [row], "b": [row]})

    assert counts(call) == (2, 2, 0)
    assert list(Entry.objects.filter(move=Move.HOLD).values_list("subject", "places")) == [("a", 1), ("b", 1)]


@pytest.mark.django_db
def test_the_database_refuses_more_than_there_is():
    from django.db import IntegrityError, transaction

    row = quota(make_call())

    with pytest.raises(IntegrityError), transaction.atomic():
        Quota.objects.filter(pk=row.pk).update(held=3)


@pytest.mark.django_db(transaction=True)
def test_of_fifty_who_want_the_last_place_at_once_exactly_one_gets_it():
    call = make_call()
    row = quota(call, "KG,doctoral")
    got: list[int] = []
    start = threading.Barrier(50)

    def want(number: int) -> None:
        try:
            start.wait()
            actions.hold([row], subject=f"person-{number}")
            got.append(number)
        except actions.NoPlace:
            pass
        finally:
            connection.close()

    threads = [threading.Thread(target=want, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(got) == 1
    assert counts(call, "KG,doctoral") == (1, 1, 0)
    assert list(Entry.objects.filter(move=Move.HOLD).values_list("subject", flat=True)) == [f"person-{got[0]}"]
