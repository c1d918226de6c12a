"""The officer's offers: who has answered, who is next and why, and letting one lapse."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from scholarships.allocations import actions as allocations
from scholarships.applications.models import Application, State
from scholarships.offers import actions
from scholarships.offers.models import Offer, OfferState
from scholarships.people.models import Scope
from tests.factories import make_call, make_candidate, make_officer, make_user

PAGE = "/manage/calls/small-2027/offers/"
MATRIX = "a.country,o.level"

pytestmark = pytest.mark.django_db


def browser(user) -> Client:
    client = Client(HTTP_HOST="127.0.0.1")
    client.force_login(user)
    return client


def said(answer) -> str:
    return " ".join(answer.content.decode().split())


def published(call, officer, *scores):
    """Offers out: two places of Kyrgyzstan, the others wait."""
    people = [make_candidate(call, score) for score in scores]
    run = allocations.confirm(allocations.allocate(call, by=officer), by=officer)
    actions.publish(run, by=officer)
    return people


def offer_of(person) -> Offer:
    return Offer.objects.select_related("application__call", "run__call").get(application=person)


def codes(page) -> list[str]:
    return re.findall(r'<a href="/manage/applications/(\w+)/"', page)


def test_each_offer_is_listed_with_its_place_and_its_date_and_the_reserve_in_order():
    call, officer = make_call(), make_officer()
    people = published(call, officer, "9.00", "8.00", "7.00", "6.00")

    page = said(browser(officer).get(PAGE))

    assert codes(page) == [person.code for person in people]
    assert page.count("Let it lapse…") == 2
    assert '<p>Waits for an answer</p><p class="big">2</p>' in page
    assert '<p>On the reserve list</p><p class="big">2</p>' in page
    assert 'data-l="Rank">3</td>' in page


def test_the_reserve_list_says_what_each_choice_waits_for():
    call, officer = make_call(), make_officer()
    allocations.set_places(call, {"o.programme": {("small-a",): 1, ("small-b",): 5}}, by=officer)
    published(call, officer, "9.00", "8.00", "7.00")

    page = said(browser(officer).get(PAGE))

    waits = re.findall(r"<li>(Programme \d+), Small Host University\. <span class=\"muted\">([^<]+)</span>", page)
    assert [says for _name, says in waits] == ["full: Kyrgyzstan, Master’s; this programme", "full: Kyrgyzstan, Master’s"]


def test_offers_can_be_narrowed_by_state():
    call, officer = make_call(), make_officer()
    one, two = published(call, officer, "9.00", "8.00")
    actions.accept(offer_of(one), by=one.applicant)
    client = browser(officer)

    assert codes(said(client.get(f"{PAGE}?state=accepted"))) == [one.code]
    assert codes(said(client.get(f"{PAGE}?state=made"))) == [two.code]
    assert codes(said(client.get(f"{PAGE}?state=lapsed"))) == []
    assert codes(said(client.get(f"{PAGE}?state=nonsense"))) == [two.code, one.code]


def test_a_freed_place_is_shown_with_who_came_next():
    call, officer = make_call(), make_officer()
    one, _two, three = published(call, officer, "9.00", "8.00", "7.00")
    actions.decline(offer_of(one), by=one.applicant)

    page = said(browser(officer).get(PAGE))

    turns = re.findall(r'<li class="(\w+)"><b>([^<]+)</b>', page)
    assert turns == [("done", f"Offered to {three.name}"), ("now", f"{one.name}: Declined")]
    assert "from the reserve list" in page


def test_before_a_confirmation_the_page_says_that_there_is_none():
    make_call()

    page = said(browser(make_officer()).get(PAGE))

    assert "No allocation is confirmed yet." in page
    assert "No offer is made yet." in page


def test_letting_an_offer_lapse_is_shown_once_more_and_names_the_next():
    call, officer = make_call(), make_officer()
    one, _two, three = published(call, officer, "9.00", "8.00", "7.00")
    url = f"{PAGE}{offer_of(one).code}/lapse/"
    client = browser(officer)

    asked = said(client.get(url))
    before = Application.objects.get(pk=one.pk).state
    done = client.post(url, follow=True)

    assert "<dt>Holds a place in</dt><dd>Kyrgyzstan, Master’s</dd>" in asked
    assert before == State.OFFERED
    assert done.redirect_chain == [(PAGE, 302)]
    assert f"The place is offered to the next who fits: {three.name} (Programme" in said(done)
    assert offer_of(one).state == OfferState.LAPSED


def test_where_nobody_fits_the_officer_hears_that_too():
    call, officer = make_call(), make_officer()
    (one,) = published(call, officer, "9.00")

    done = browser(officer).post(f"{PAGE}{offer_of(one).code}/lapse/", follow=True)

    assert "Nobody on the reserve list fits the freed place now." in said(done)


def test_an_answered_offer_cannot_lapse():
    call, officer = make_call(), make_officer()
    (one,) = published(call, officer, "9.00")
    actions.accept(offer_of(one), by=one.applicant)
    client, url = browser(officer), f"{PAGE}{offer_of(one).code}/lapse/"

    refused = client.post(url)

    assert refused.status_code == 409
    assert "This offer has been answered already." in said(refused)
    assert "Let the offer lapse</button>" not in said(client.get(url))
    assert offer_of(one).state == OfferState.ACCEPTED


def test_offers_of_other_calls_are_not_there():
    call, officer = make_call(), make_officer()
    (one,) = published(call, officer, "9.00")
    make_call("other-2027")
    code = offer_of(one).code
    stranger = browser(make_officer(scope=Scope.CALL, key="other-2027"))

    assert [stranger.get(url).status_code for url in (PAGE, f"{PAGE}{code}/lapse/", f"/manage/calls/other-2027/offers/{code}/lapse/")] == [
        404
    ] * 3
    assert stranger.post(f"{PAGE}{code}/lapse/").status_code == 404
    assert browser(officer).get(f"/manage/calls/other-2027/offers/{code}/lapse/").status_code == 404
    assert [browser(make_user()).get(url).status_code for url in (PAGE, f"{PAGE}{code}/lapse/")] == [403] * 2
    assert offer_of(one).state == OfferState.MADE


@pytest.mark.parametrize("people", [3, 30])
def test_the_page_takes_the_same_queries_for_few_offers_and_for_many(people, django_assert_num_queries):
    call, officer = make_call(), make_officer()
    allocations.set_places(call, {MATRIX: {("KG", "master"): people // 2}, "o.programme": {("small-a",): 1}}, by=officer)
    rows = published(call, officer, *(f"{9 - number / 10:.2f}" for number in range(people)))
    actions.decline(offer_of(rows[0]), by=rows[0].applicant)
    client = browser(officer)

    with django_assert_num_queries(17):
        assert client.get(PAGE).status_code == 200
