"""Offers: made once, answered once, and a freed place goes to the next who fits. Never more than the places."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.utils import timezone

from scholarships.allocations import actions as allocations
from scholarships.allocations.models import Placement, Run
from scholarships.applications import actions as applications
from scholarships.applications.models import Application, State
from scholarships.calls.actions import publish_now
from scholarships.calls.models import Call
from scholarships.events.models import Event
from scholarships.offers import actions
from scholarships.offers.models import Offer, OfferState
from scholarships.people.models import Scope
from scholarships.quotas.models import Entry, Move, Purpose, Quota
from tests.factories import make_call, make_candidate, make_officer

MATRIX = "a.country,o.level"

pytestmark = pytest.mark.django_db


def counts(call, cell="KG,master", by=MATRIX) -> tuple[int, int, int]:
    row = Quota.objects.get(call=call, purpose=Purpose.AWARD, by=by, cell=cell)
    return row.places, row.held, row.used


def states(*people) -> list[str]:
    return [Application.objects.get(pk=person.pk).state for person in people]


def live_offer(person) -> Offer:
    return Offer.objects.select_related("application__call", "run__call").get(application=person, state=OfferState.MADE)


def confirmed(call, officer) -> Run:
    """The call's allocation, confirmed; its results may go out now."""
    run = allocations.confirm(allocations.allocate(call, by=officer), by=officer)
    publish_now(Call.objects.get(pk=call.pk), by=officer)
    return Run.objects.select_related("call").get(pk=run.pk)


def published(call, officer) -> Run:
    run = confirmed(call, officer)
    actions.make_from(run)
    return run


# -- Publishing ------------------------------------------------------------------


def test_publishing_offers_the_places_and_tells_the_others_once():
    call, officer = make_call(), make_officer()
    allocations.set_places(call, {MATRIX: {("UZ", "master"): 0}}, by=officer)
    first, second, third = (make_candidate(call, score) for score in ("9.00", "8.00", "7.00"))
    nothing = make_candidate(call, "6.00", citizenship="UZ")
    run = confirmed(call, officer)
    now = timezone.now()

    made = actions.make_from(run, at=now)

    assert made == 2
    assert states(first, second, third, nothing) == [State.OFFERED, State.OFFERED, State.RESERVE, State.NOT_SELECTED]
    offer = live_offer(first)
    assert (offer.programme.code, offer.choice, offer.made_at, offer.answer_by) == (
        "small-a",
        1,
        now,
        now + timedelta(days=call.answer_days),
    )
    assert counts(call) == (2, 2, 0)
    told = Event.objects.filter(name="application.told").order_by("pk")
    assert [(event.subject_key, event.data) for event in told] == [
        (third.code, {"result": "reserve"}),
        (nothing.code, {"result": "not_selected"}),
    ]
    assert Event.objects.about(call).filter(name="call.results_published").count() == 1
    assert run.published_at == now


def test_publishing_twice_makes_nothing_twice():
    call, officer = make_call(), make_officer()
    people = [make_candidate(call, score) for score in ("9.00", "8.00", "7.00")]
    run = published(call, officer)
    seen = Event.objects.count(), Offer.objects.count(), Entry.objects.count()

    again = actions.make_from(run), actions.make_from(Run.objects.get(pk=run.pk)), actions.publish_due()

    assert again == (0, 0, 0)
    assert (Event.objects.count(), Offer.objects.count(), Entry.objects.count()) == seen
    assert states(*people) == [State.OFFERED, State.OFFERED, State.RESERVE]


def test_nothing_is_published_before_its_moment_or_without_a_confirmation():
    call, officer = make_call(), make_officer()
    make_candidate(call)
    run = allocations.allocate(call, by=officer)
    allocations.confirm(run, by=officer)

    assert (actions.make_from(run), actions.publish_due()) == (0, 0)
    assert actions.publish_due(at=call.results_at) == 1
    assert Offer.objects.count() == 1


def test_the_clock_goes_on_with_a_publication_that_was_interrupted():
    call, officer = make_call(), make_officer()
    people = [make_candidate(call, score) for score in ("9.00", "8.00", "7.00")]
    run = confirmed(call, officer)
    actions._offer(run, actions._selected(run)[:1], by=None, now=timezone.now())  # and there the process died

    assert actions.publish_due() == 1

    assert states(*people) == [State.OFFERED, State.OFFERED, State.RESERVE]
    assert Offer.objects.count() == 2
    assert Event.objects.filter(name="application.told").count() == 1


def test_a_confirmation_that_was_interrupted_is_finished_before_anything_is_published():
    call, officer = make_call(), make_officer()
    person = make_candidate(call)
    run = allocations.allocate(call, by=officer)
    publish_now(Call.objects.get(pk=call.pk), by=officer)
    Run.objects.filter(pk=run.pk).update(confirmed_at=timezone.now(), confirmed_by=officer)

    assert actions.publish_due() == 1

    assert states(person) == [State.OFFERED]


def test_the_place_of_somebody_who_withdrew_before_the_results_goes_to_the_next():
    call, officer = make_call(), make_officer()
    first, _second, third = (make_candidate(call, score) for score in ("9.00", "8.00", "7.00"))
    run = confirmed(call, officer)
    applications.withdraw(Application.objects.get(pk=first.pk), by=first.applicant)

    assert actions.make_from(run) == 2

    assert states(first, third) == [State.WITHDRAWN, State.OFFERED]
    assert counts(call) == (2, 2, 0)


def test_more_than_a_batch_is_offered_in_rank_order(monkeypatch):
    call, officer = make_call(), make_officer()
    allocations.set_places(call, {MATRIX: {("KG", "master"): 5}}, by=officer)
    people = [make_candidate(call, f"{9 - number}.00") for number in range(5)]
    monkeypatch.setattr(actions, "BATCH", 2)

    published(call, officer)

    assert list(Offer.objects.order_by("pk").values_list("application__code", flat=True)) == [person.code for person in people]
    assert counts(call) == (5, 5, 0)


def test_one_place_that_is_gone_keeps_no_other_from_the_batch():
    call, officer = make_call(), make_officer()
    first, second, other = make_candidate(call, "9.00"), make_candidate(call, "8.00"), make_candidate(call, "7.00", citizenship="KZ")
    run = confirmed(call, officer)
    Quota.objects.filter(call=call, by=MATRIX, cell="KG,master").update(places=1)  # what no action allows

    assert actions.make_from(run) == 2

    assert states(first, second, other) == [State.OFFERED, State.SELECTED, State.OFFERED]
    assert counts(call) == (1, 1, 0)


def test_who_was_selected_and_found_no_place_is_the_first_to_get_the_next():
    call, officer = make_call(), make_officer()
    first, second, third = (make_candidate(call, score) for score in ("9.00", "8.00", "7.00"))
    run = confirmed(call, officer)
    Quota.objects.filter(call=call, by=MATRIX, cell="KG,master").update(places=1)
    actions.make_from(run)

    actions.decline(live_offer(first), by=first.applicant)

    assert states(first, second, third) == [State.DECLINED, State.OFFERED, State.RESERVE]


# -- Answers ---------------------------------------------------------------------


def test_accepting_takes_the_place():
    call, officer = make_call(), make_officer()
    person = make_candidate(call)
    published(call, officer)

    offer = actions.accept(live_offer(person), by=person.applicant, key="k")

    assert (offer.state, states(person), counts(call)) == (OfferState.ACCEPTED, [State.ACCEPTED], (2, 0, 1))
    assert list(Entry.objects.filter(subject=offer.code).values_list("move", flat=True)) == [Move.HOLD, Move.USE]


def test_accepting_again_with_an_old_page_changes_nothing():
    call, officer = make_call(), make_officer()
    person = make_candidate(call)
    published(call, officer)
    one, old = live_offer(person), live_offer(person)
    actions.accept(one, by=person.applicant, key="k")
    seen = Event.objects.count(), Entry.objects.count()

    again = actions.accept(old, by=person.applicant, key="k")

    assert again.state == OfferState.ACCEPTED
    assert (Event.objects.count(), Entry.objects.count()) == seen


def test_an_answer_cannot_be_turned_round():
    call, officer = make_call(), make_officer()
    person = make_candidate(call)
    published(call, officer)
    one, old = live_offer(person), live_offer(person)
    actions.accept(one, by=person.applicant)

    with pytest.raises(ValidationError) as refused:
        actions.decline(old, by=person.applicant)

    assert refused.value.code == "wrong_state"
    assert (states(person), counts(call)) == ([State.ACCEPTED], (2, 0, 1))


def test_nobody_answers_for_somebody_else_or_after_the_date():
    call, officer = make_call(), make_officer()
    person = make_candidate(call)
    published(call, officer)
    offer = live_offer(person)

    for somebody in (officer, None):
        with pytest.raises(PermissionDenied):
            actions.accept(offer, by=somebody)
    with pytest.raises(ValidationError) as late:
        actions.accept(offer, by=person.applicant, at=offer.answer_by + timedelta(seconds=1))

    assert late.value.code == "too_late"
    assert actions.accept(offer, by=person.applicant, at=offer.answer_by).state == OfferState.ACCEPTED


# -- The next --------------------------------------------------------------------


def test_a_declined_place_goes_to_the_next_who_fits_and_not_to_a_better_one_elsewhere():
    call, officer = make_call(), make_officer()
    one, two = make_candidate(call, "9.50"), make_candidate(call, "9.00")
    elsewhere = [make_candidate(call, score, citizenship="KZ") for score in ("9.20", "9.10", "8.90")]
    here = make_candidate(call, "6.00")
    published(call, officer)
    assert states(one, two, *elsewhere, here) == [State.OFFERED] * 4 + [State.RESERVE] * 2

    actions.decline(live_offer(two), by=two.applicant)

    assert states(two, elsewhere[2], here) == [State.DECLINED, State.RESERVE, State.OFFERED]
    assert (counts(call), counts(call, "KZ,master")) == ((2, 2, 0), (2, 2, 0))


def test_the_next_gets_the_best_of_the_choices_that_is_free_now():
    call, officer = make_call(), make_officer()
    allocations.set_places(call, {"o.programme": {("small-a",): 1, ("small-b",): 1}}, by=officer)
    one, two, three = (make_candidate(call, score) for score in ("9.00", "8.00", "7.00"))
    published(call, officer)

    actions.decline(live_offer(two), by=two.applicant)

    offer = live_offer(three)
    assert (offer.programme.code, offer.choice) == ("small-b", 2)
    assert live_offer(one).programme.code == "small-a"
    assert (counts(call, "small-a", "o.programme"), counts(call, "small-b", "o.programme")) == ((1, 1, 0), (1, 1, 0))


def test_a_place_free_in_one_dimension_and_full_in_another_goes_to_nobody():
    call, officer = make_call(), make_officer()
    allocations.set_places(call, {"o.programme": {("small-a",): 1, ("small-b",): 0}}, by=officer)
    make_candidate(call, "9.00")
    waiting = make_candidate(call, "7.00")
    published(call, officer)

    assert (states(waiting), counts(call)) == ([State.RESERVE], (2, 1, 0))


def test_offers_lapse_after_their_date_and_the_next_is_offered_the_place():
    call, officer = make_call(), make_officer()
    one, two, three = (make_candidate(call, score) for score in ("9.00", "8.00", "7.00"))
    published(call, officer)
    actions.accept(live_offer(one), by=one.applicant)
    late = live_offer(two).answer_by + timedelta(seconds=1)

    assert actions.lapse_due(at=late) == 1
    assert actions.lapse_due(at=late) == 0

    assert states(one, two, three) == [State.ACCEPTED, State.LAPSED, State.OFFERED]
    assert counts(call) == (2, 1, 1)
    assert live_offer(three).answer_by == late + timedelta(days=call.answer_days)


def test_an_officer_lets_one_lapse_and_hears_who_is_next():
    call, officer = make_call(), make_officer()
    one, _two, three = (make_candidate(call, score) for score in ("9.00", "8.00", "7.00"))
    published(call, officer)

    made = actions.lapse(live_offer(one), by=officer)

    assert [offer.application for offer in made] == [three]
    assert states(one, three) == [State.LAPSED, State.OFFERED]


def test_an_officer_of_another_call_lets_nothing_lapse_and_adds_no_places():
    call, officer = make_call(), make_officer()
    person = make_candidate(call)
    published(call, officer)
    stranger = make_officer(scope=Scope.CALL, key="other")

    with pytest.raises(PermissionDenied):
        actions.lapse(live_offer(person), by=stranger)
    with pytest.raises(PermissionDenied):
        actions.promote_in(call, by=stranger)

    assert states(person) == [State.OFFERED]


def test_an_answered_offer_does_not_lapse():
    call, officer = make_call(), make_officer()
    person = make_candidate(call)
    published(call, officer)
    old = live_offer(person)
    actions.accept(live_offer(person), by=person.applicant)

    with pytest.raises(ValidationError) as refused:
        actions.lapse(old, by=officer)

    assert (refused.value.code, states(person)) == ("wrong_state", [State.ACCEPTED])


def test_what_was_freed_and_not_offered_on_is_offered_by_the_clock():
    call, officer = make_call(), make_officer()
    one, _two, three = (make_candidate(call, score) for score in ("9.00", "8.00", "7.00"))
    published(call, officer)
    actions._settle(live_offer(one), OfferState.DECLINED, "decline", by=one.applicant, key=None, now=timezone.now())  # and there it died

    assert (actions.promote_due(), actions.promote_due()) == (1, 0)

    assert states(three) == [State.OFFERED]


def test_places_added_after_publication_are_offered_when_the_officer_says_so():
    call, officer = make_call(), make_officer()
    people = [make_candidate(call, score) for score in ("9.00", "8.00", "7.00", "6.00")]
    published(call, officer)
    allocations.set_places(call, {MATRIX: {("KG", "master"): 3}}, by=officer)
    waits = states(*people)

    made = actions.promote_in(call, by=officer)

    assert waits == [State.OFFERED] * 2 + [State.RESERVE] * 2
    assert [offer.application for offer in made] == [people[2]]
    assert states(*people) == [State.OFFERED] * 3 + [State.RESERVE]


def test_a_dimension_set_after_the_run_binds_the_next_too():
    call, officer = make_call(), make_officer()
    one, _two, three = (make_candidate(call, score) for score in ("9.00", "8.00", "7.00"))
    published(call, officer)
    allocations.set_places(call, {"o.programme": {("small-a",): 0, ("small-b",): 1}}, by=officer)

    actions.decline(live_offer(one), by=one.applicant)

    assert live_offer(three).programme.code == "small-b"


def test_before_publication_nobody_is_promoted():
    call, officer = make_call(), make_officer()
    for score in ("9.00", "8.00", "7.00"):
        make_candidate(call, score)
    run = confirmed(call, officer)
    Placement.objects.filter(run=run, rank=1).delete()

    assert (actions.promote(run), actions.promote_in(call, by=officer), Offer.objects.count()) == ([], [], 0)


def test_an_offer_gives_back_where_it_held_whatever_was_set_since():
    call, officer = make_call(), make_officer()
    person = make_candidate(call)
    published(call, officer)
    allocations.set_places(call, {"a.country": {("KG",): 4}}, by=officer)
    offer = live_offer(person)

    held = [(quota.by, quota.cell) for quota in actions.held_by(offer)]
    actions.decline(offer, by=person.applicant)

    assert held == [(MATRIX, "KG,master")]
    assert (counts(call), counts(call, "KG", "a.country")) == ((2, 0, 0), (4, 0, 0))


# -- Many at once ----------------------------------------------------------------


def together(acts) -> list[str]:
    """Do ACTS at the same moment, each on a connection of its own; gives the codes of those refused."""
    start, refused = threading.Barrier(len(acts)), []

    def run(act) -> None:
        try:
            start.wait()
            act()
        except ValidationError as error:
            refused.append(error.code)
        except Exception as error:
            refused.append(repr(error))
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(refused)


@pytest.mark.django_db(transaction=True)
def test_fifty_answers_at_once_keep_the_places_right_and_promote_exactly_as_many_as_declined():
    call, officer = make_call(), make_officer()
    allocations.set_places(call, {MATRIX: {("KG", "master"): 20}, "o.programme": {("small-a",): 12, ("small-b",): 8}}, by=officer)
    people = [make_candidate(call, f"{9.8 - number / 10:.2f}") for number in range(30)]
    published(call, officer)
    offered, waiting = people[:20], people[20:]
    accepting, declining = offered[:10], offered[10:]
    twice = [*accepting, *declining, *accepting, *declining, *declining]

    def answer(person):
        act = actions.accept if person in accepting else actions.decline
        return lambda: act(live_offer_or_last(person), by=person.applicant, key=f"key-{person.code}")

    refused = together([answer(person) for person in twice])

    assert refused == []
    assert states(*accepting) == [State.ACCEPTED] * 10
    assert states(*declining) == [State.DECLINED] * 10
    assert sorted(states(*waiting)) == [State.OFFERED] * 10
    assert counts(call) == (20, 10, 10)
    assert sum(counts(call, cell, "o.programme")[1] for cell in ("small-a", "small-b")) == 10
    assert Offer.objects.live().count() == 20
    for quota in Quota.objects.filter(call=call, purpose=Purpose.AWARD):
        moves = [Entry.objects.filter(quota=quota, move=move).count() for move in (Move.HOLD, Move.RELEASE, Move.USE)]
        assert (quota.held, quota.used) == (moves[0] - moves[1] - moves[2], moves[2])


def live_offer_or_last(person) -> Offer:
    return Offer.objects.select_related("application__call", "run__call").filter(application=person).latest("pk")


@pytest.mark.django_db(transaction=True)
def test_ten_publications_at_once_offer_and_tell_everybody_once():
    call, officer = make_call(), make_officer()
    people = [make_candidate(call, score) for score in ("9.00", "8.00", "7.00", "6.00")]
    run = confirmed(call, officer)

    refused = together([lambda: actions.make_from(Run.objects.select_related("call").get(pk=run.pk)) for _copy in range(10)])

    assert refused == []
    assert states(*people) == [State.OFFERED] * 2 + [State.RESERVE] * 2
    assert (Offer.objects.count(), counts(call)) == (2, (2, 2, 0))
    assert sorted(Event.objects.filter(name="application.told").values_list("subject_key", flat=True)) == sorted(
        person.code for person in people[2:]
    )
    assert Event.objects.filter(name="call.results_published").count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_fifty_promotions_for_one_freed_place_one_person_gets_it():
    call, officer = make_call(), make_officer()
    one, _two, three, four = (make_candidate(call, score) for score in ("9.00", "8.00", "7.00", "6.00"))
    run = published(call, officer)
    actions._settle(live_offer(one), OfferState.DECLINED, "decline", by=one.applicant, key=None, now=timezone.now())

    refused = together([lambda: actions.promote(run) for _copy in range(50)])

    assert refused == []
    assert (states(three, four), counts(call)) == ([State.OFFERED, State.RESERVE], (2, 2, 0))
