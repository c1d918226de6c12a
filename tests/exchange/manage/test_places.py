"""The board: places to set, the ranking with its reasons, confirming and publishing."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from exchange.manage.forms.places import PlacesForm
from scholarships.allocations import actions as allocations
from scholarships.allocations.models import Placement, Run
from scholarships.applications.models import Application
from scholarships.calls.models import Call
from scholarships.events.models import Event
from scholarships.offers import actions as offers
from scholarships.offers.models import Offer
from scholarships.people.models import Scope
from scholarships.quotas import actions as quotas
from scholarships.quotas.models import Purpose, Quota
from scholarships.reviews.models import Assignment, Progress
from tests.factories import make_application, make_call, make_candidate, make_officer, make_reviewer, make_user

ROOT = Path(__file__).parents[3]
MATRIX = "a.country,o.level"
BOARD = "/manage/calls/small-2027/places/"
PUBLISH = "/manage/calls/small-2027/publish/"

pytestmark = pytest.mark.django_db


def browser(user) -> Client:
    client = Client(HTTP_HOST="127.0.0.1")
    client.force_login(user)
    return client


def said(answer) -> str:
    return " ".join(answer.content.decode().split())


def numbers(call, **changed) -> dict[str, str]:
    """What the form of the board sends: each number as it stands, but for those CHANGED ("m_KG_master")."""
    letters = {MATRIX: "m", "a.country": "c", "o.programme": "p"}
    rows = quotas.award_quotas(call)
    sent = {f"{letters[quota.by]}-{quota.cell.replace(',', '-')}": str(quota.places) for quota in rows}
    changes = {name.replace("_", "-"): value for name, value in changed.items()}
    return {"seen": quotas.edition(rows), "key": "k", **sent, **changes}


def places(call, cell="KG,master", by=MATRIX) -> int | None:
    return Quota.objects.filter(call=call, purpose=Purpose.AWARD, by=by, cell=cell).values_list("places", flat=True).first()


def reviewed(call, score, *scores, **changed):
    person = make_candidate(call, score, **changed)
    for one in scores:
        Assignment.objects.create(call=call, application=person, reviewer=make_reviewer(call), progress=Progress.DONE, scored=one)
    return person


def confirmed(call, officer) -> Run:
    return allocations.confirm(allocations.allocate(call, by=officer), by=officer)


# -- The board -------------------------------------------------------------------


def test_the_board_shows_the_places_and_before_any_allocation_the_order_of_the_scores():
    call, officer = make_call(), make_officer()
    second, first, tied = reviewed(call, "7.00", "6.00", "8.00"), reviewed(call, "9.00"), reviewed(call, "7.00")

    page = said(browser(officer).get(BOARD))

    assert re.search(r'name="m-KG-master" id="id_m-KG-master" value="2" aria-label="Kyrgyzstan, Master’s"', page)
    ranks = re.findall(r'<td class="n num hide-s">([^<]+)</td><th scope="row"><a href="/manage/applications/(\w+)/"', page)
    assert (ranks[0], sorted(ranks[1:])) == (("1", first.code), sorted([("2=", second.code), ("2=", tied.code)]))
    assert 'aria-label="Reviews 6.00, 8.00"' in page
    assert '<circle cx="71.0"' in page


def test_an_allocation_shows_each_result_with_its_reason():
    call, officer = make_call(), make_officer()
    first, _second, third = (make_candidate(call, score) for score in ("9.00", "8.00", "7.00"))
    allocations.allocate(call, by=officer)

    page = said(browser(officer).get(BOARD))

    assert f'<a href="/manage/applications/{first.code}/">' in page
    assert '<span class="tag ok">Place</span> <span class="why">Programme' in page
    assert (
        '<span class="tag wait">Reserve</span> <span class="why">All 2 places are taken (Kyrgyzstan, Master’s); the last went to rank 2 with 8.00.</span>'
        in page
    )
    assert page.count("the last went to rank 2 with 8.00") == 3  # the headline, and each of two choices
    assert "<small>2 of 2</small>" in page
    assert f'data-s="res"><td class="n num hide-s">3</td><th scope="row"><a href="/manage/applications/{third.code}/">' in page


def test_the_results_can_be_narrowed_and_earlier_allocations_chosen():
    call, officer = make_call(), make_officer()
    people = [make_candidate(call, score) for score in ("9.00", "8.00", "7.00")]
    earlier = allocations.allocate(call, by=officer)
    allocations.set_places(call, {MATRIX: {("KG", "master"): 1}}, by=officer)
    allocations.allocate(call, by=officer)
    client = browser(officer)

    def listed(url) -> list[str]:
        return re.findall(r'<th scope="row"><a href="/manage/applications/(\w+)/"', said(client.get(url)))

    codes = [person.code for person in people]
    assert listed(f"{BOARD}?result=place") == codes[:1]
    assert listed(f"{BOARD}?run={earlier.code}&result=place") == codes[:2]
    assert listed(f"{BOARD}?run={earlier.code}&result=reserve") == codes[2:]
    assert listed(f"{BOARD}?run=nonsense&result=nonsense&page=nonsense") == codes


def test_an_allocation_that_is_out_of_date_says_so_and_offers_no_confirmation():
    call, officer = make_call(), make_officer()
    make_candidate(call)
    run = allocations.allocate(call, by=officer)
    client = browser(officer)
    fresh = said(client.get(BOARD))
    make_candidate(call)

    stale = said(client.get(BOARD))

    confirm = f'href="{BOARD}{run.code}/confirm/"'
    assert (confirm in fresh, "This allocation is out of date." in fresh) == (True, False)
    assert (confirm in stale, "This allocation is out of date." in stale) == (False, True)


def test_files_that_take_no_part_are_counted_with_a_way_to_them():
    call, officer = make_call(), make_officer()
    make_application(call)
    make_candidate(call)

    page = said(browser(officer).get(BOARD))

    assert "1 file has not come to this step and takes no part." in page
    assert 'href="/manage/applications/?q=call%3Asmall-2027+step%3Anomination%2Celigibility%2Creview"' in page


@pytest.mark.parametrize("people", [1, 30])
@pytest.mark.parametrize("has_run", [False, True])
def test_the_board_takes_the_same_queries_for_one_row_and_for_thirty(people, has_run, django_assert_num_queries):
    call, officer = make_call(), make_officer()
    allocations.set_places(call, {"o.programme": {("small-a",): 1}}, by=officer)
    for number in range(people):
        reviewed(call, f"{9 - number / 10:.2f}", "8.00", "7.00")
    if has_run:
        allocations.allocate(call, by=officer)
    client = browser(officer)

    with django_assert_num_queries(18 if has_run else 13):
        assert client.get(BOARD).status_code == 200


def test_only_officers_of_the_call_come_to_the_board():
    call, officer = make_call(), make_officer()
    make_candidate(call)
    run = allocations.allocate(call, by=officer)
    urls = [BOARD, f"{BOARD}{run.code}/confirm/", f"{BOARD}{run.code}/problem.json", PUBLISH]

    assert [browser(officer).get(url).status_code for url in urls] == [200] * 4
    assert [browser(make_officer(scope=Scope.CALL, key="other")).get(url).status_code for url in urls] == [404] * 4
    assert [browser(make_user()).get(url).status_code for url in urls] == [403] * 4


def test_a_run_of_another_call_is_not_there():
    call, officer = make_call(), make_officer()
    make_candidate(call)
    run = allocations.allocate(call, by=officer)
    make_call("other-2027")

    assert browser(officer).get(f"/manage/calls/other-2027/places/{run.code}/confirm/").status_code == 404


# -- Setting places --------------------------------------------------------------


def test_places_of_country_level_and_programme_are_saved_with_one_click():
    call, officer = make_call(), make_officer()

    answer = browser(officer).post(BOARD, {**numbers(call, m_KG_master="5"), "p-small-a": "3", "c-KG": ""})

    assert (answer.status_code, answer["Location"]) == (302, BOARD)
    assert (places(call), places(call, "small-a", "o.programme"), places(call, "KG", "a.country")) == (5, 3, None)


def test_wrong_numbers_are_named_at_their_boxes_and_nothing_is_saved():
    call, officer = make_call(), make_officer()

    answer = browser(officer).post(BOARD, numbers(call, m_KG_master="many", m_KZ_master="-1", m_UZ_master="", m_KG_doctoral="7"))

    page = said(answer)
    assert answer.status_code == 422
    assert '<a href="#id_m-KG-master">Kyrgyzstan, Master’s: give a whole number.</a>' in page
    assert '<a href="#id_m-KZ-master">Kazakhstan, Master’s: give 0 or more.</a>' in page
    assert '<a href="#id_m-UZ-master">Uzbekistan, Master’s: give a number, 0 for no places.</a>' in page
    assert 'value="many" aria-label="Kyrgyzstan, Master’s" aria-invalid="true" aria-describedby="err_m-KG-master"' in page
    assert "set: 2" in page
    assert (places(call), places(call, "KG,doctoral")) == (2, 1)


def test_fewer_places_than_are_held_are_refused_at_the_box():
    call, officer = make_call(), make_officer()
    quotas.hold([Quota.objects.get(call=call, purpose=Purpose.AWARD, cell="KG,master")], subject="x")

    answer = browser(officer).post(BOARD, numbers(call, m_KG_master="0", m_KZ_master="9"))

    assert answer.status_code == 422
    assert '<a href="#id_m-KG-master">Kyrgyzstan, Master’s: 1 places are held or taken already, so 0 cannot be set.</a>' in said(answer)
    assert places(call, "KZ,master") == 2


def test_places_that_somebody_else_set_since_are_shown_and_not_overwritten():
    call, officer = make_call(), make_officer()
    sent = numbers(call, m_KG_master="5")
    allocations.set_places(call, {MATRIX: {("KG", "master"): 3}}, by=make_officer())
    client = browser(officer)

    refused = client.post(BOARD, sent)
    kept = places(call)
    again = client.post(BOARD, {**sent, "seen": re.search(r'name="seen" value="(\w+)"', said(refused)).group(1)})

    assert (refused.status_code, kept) == (409, 3)
    assert "Somebody has set places since you opened this page." in said(refused)
    assert 'value="5"' in said(refused)
    assert "set: 3" in said(refused)
    assert (again.status_code, places(call)) == (302, 5)


def test_saving_and_allocating_is_one_click_and_a_second_click_makes_no_second_run():
    call, officer = make_call(), make_officer()
    make_candidate(call)
    client, sent = browser(officer), {**numbers(call, m_KG_master="1"), "run": "1"}

    first, second = client.post(BOARD, sent), client.post(BOARD, sent)

    run = Run.objects.get()
    assert (first.status_code, first["Location"]) == (302, f"{BOARD}?run={run.code}")
    assert (second.status_code, second["Location"]) == (302, BOARD)
    assert places(call) == 1


def test_allocating_without_candidates_says_why():
    make_call()

    answer = browser(make_officer()).post(f"{BOARD}run/", {"key": "k"})

    assert answer.status_code == 422
    assert "No application has come to the step where places are given." in said(answer)
    assert Run.objects.count() == 0


def test_the_run_is_made_by_post_alone():
    call, officer = make_call(), make_officer()
    make_candidate(call)
    client = browser(officer)

    assert (client.get(f"{BOARD}run/").status_code, Run.objects.count()) == (405, 0)
    assert (client.post(f"{BOARD}run/", {"key": "k"}).status_code, Run.objects.count()) == (302, 1)


def test_places_added_after_the_results_are_asked_about_before_offers_go_out():
    call, officer = make_call(), make_officer()
    for score in ("9.00", "8.00", "7.00"):
        make_candidate(call, score)
    offers.publish(confirmed(call, officer), by=officer)
    client, sent = browser(officer), numbers(call, m_KG_master="3")

    asked = client.post(BOARD, sent)
    before = places(call), Offer.objects.count()
    done = client.post(BOARD, {**sent, "confirmed": "1"})

    assert (asked.status_code, before) == (200, (2, 2))
    assert "The results are out, so places that you add are offered at once" in said(asked)
    assert '<input type="hidden" name="confirmed" value="1">' in said(asked)
    assert (done.status_code, places(call), Offer.objects.count()) == (302, 3, 3)


def test_the_boxes_of_very_many_programmes_are_drawn_where_they_are_asked_for():
    call = make_call()
    many = {f"programme-{number}": f"Programme {number}, Host" for number in range(31)}

    drawn = {has_all: len(PlacesForm(call, [], many, has_all=has_all).slots) for has_all in (False, True)}

    assert drawn == {False: 3 * 2 + 3, True: 3 * 2 + 3 + 31}


# -- Confirming ------------------------------------------------------------------


def test_the_page_of_confirmation_says_who_gets_what_and_what_follows():
    call, officer = make_call(), make_officer()
    for score in ("9.00", "8.00", "7.00"):
        make_candidate(call, score)
    run = allocations.allocate(call, by=officer)

    page = said(browser(officer).get(f"{BOARD}{run.code}/confirm/"))

    assert '<p>Get a place</p><p class="big">2</p>' in page
    assert '<p>On reserve</p><p class="big">1</p>' in page
    assert '<th scope="row">Kyrgyzstan</th><td class="n num"><b>2</b> <span class="small muted">of 2</span></td>' in page
    assert "Confirm 2 places" in page
    assert page.count('<th scope="row"><a href="/manage/applications/') == 2


def test_confirming_counts_and_leads_on_to_the_publication():
    call, officer = make_call(), make_officer()
    person = make_candidate(call)
    run = allocations.allocate(call, by=officer)
    url = f"{BOARD}{run.code}/confirm/"
    client = browser(officer)

    first, second = client.post(url), client.post(url)

    assert [(answer.status_code, answer["Location"]) for answer in (first, second)] == [(302, PUBLISH)] * 2
    assert Application.objects.get(pk=person.pk).state == "selected"
    assert "Confirmed by Chen Li" in said(client.get(url))
    assert Event.objects.filter(name="call.allocation_confirmed").count() == 1


def test_what_is_out_of_date_is_not_confirmed():
    call, officer = make_call(), make_officer()
    make_candidate(call)
    run = allocations.allocate(call, by=officer)
    make_candidate(call)

    answer = browser(officer).post(f"{BOARD}{run.code}/confirm/")

    assert answer.status_code == 422
    assert "Scores, choices or places have changed since this allocation. Run it again." in said(answer)
    assert Run.objects.confirmed().count() == 0


@pytest.mark.parametrize("people", [1, 30])
def test_the_page_of_confirmation_takes_the_same_queries_for_one_and_for_thirty(people, django_assert_num_queries):
    call, officer = make_call(), make_officer()
    allocations.set_places(call, {MATRIX: {("KG", "master"): 40}}, by=officer)
    for _copy in range(people):
        make_candidate(call)
    run = allocations.allocate(call, by=officer)
    client = browser(officer)

    with django_assert_num_queries(15):
        assert client.get(f"{BOARD}{run.code}/confirm/").status_code == 200


# -- The proof -------------------------------------------------------------------


def test_the_two_files_prove_each_other_without_the_site(tmp_path):
    call, officer = make_call(), make_officer()
    for score in ("9.00", "8.00", "7.00"):
        make_candidate(call, score)
    run = allocations.allocate(call, by=officer)
    client = browser(officer)
    problem, result = (client.get(f"{BOARD}{run.code}/{name}.json") for name in ("problem", "result"))
    (tmp_path / "problem.json").write_bytes(problem.content)

    made = subprocess.run(
        [sys.executable, "-m", "scholarships.engine.allocation", str(tmp_path / "problem.json")], cwd=ROOT, capture_output=True, check=True
    )

    assert made.stdout == result.content
    assert (result["Content-Type"], result["Content-Disposition"]) == (
        "application/json",
        f'attachment; filename="small-2027-{run.code}-result.json"',
    )
    assert json.loads(result.content)["digest"]["output"] == run.output_digest


def test_the_files_name_nobody():
    call, officer = make_call(), make_officer()
    make_candidate(call, family_name="VERYRARENAME")
    run = allocations.allocate(call, by=officer)
    client = browser(officer)

    files = [client.get(f"{BOARD}{run.code}/{name}.json").content.decode() for name in ("problem", "result")]

    assert "VERYRARENAME" in said(client.get(BOARD))
    assert [("VERYRARENAME" in text, "@" in text) for text in files] == [(False, False)] * 2


def test_there_is_no_third_file():
    call, officer = make_call(), make_officer()
    make_candidate(call)
    run = allocations.allocate(call, by=officer)

    assert browser(officer).get(f"{BOARD}{run.code}/secrets.json").status_code == 404


# -- Publishing ------------------------------------------------------------------


def test_before_a_confirmation_there_is_nothing_to_publish():
    make_call()
    client = browser(make_officer())

    assert "There is nothing to publish" in said(client.get(PUBLISH))
    assert (client.post(PUBLISH).status_code, Offer.objects.count()) == (200, 0)


def test_the_page_of_publication_says_that_the_clock_does_it_and_what_goes_out():
    call, officer = make_call(), make_officer()
    for score in ("9.00", "8.00", "7.00"):
        make_candidate(call, score)
    confirmed(call, officer)

    page = said(browser(officer).get(PUBLISH))

    assert "You need to do nothing: the site publishes by itself on" in page
    assert '<dt>Offers, by letter and on the page of the application</dt><dd class="num">2</dd>' in page
    assert '<dt>Told that they are on the reserve list</dt><dd class="num">1</dd>' in page


def test_publishing_now_moves_the_date_makes_the_offers_and_leads_to_them():
    call, officer = make_call(), make_officer()
    make_candidate(call)
    confirmed(call, officer)
    client = browser(officer)

    answers = [client.post(PUBLISH, {"key": "k"}) for _copy in range(2)]

    assert [(answer.status_code, answer["Location"]) for answer in answers] == [(302, "/manage/calls/small-2027/offers/")] * 2
    assert Offer.objects.count() == 1
    assert timezone.now() - timedelta(minutes=1) < Call.objects.get(pk=call.pk).results_at <= timezone.now()
    assert Event.objects.about(call).filter(name="call.dates_moved").count() == 1
    assert "The results went out on" in said(client.get(PUBLISH))


def test_publishing_names_those_who_have_withdrawn_since():
    from scholarships.applications.actions import withdraw

    call, officer = make_call(), make_officer()
    person = make_candidate(call)
    confirmed(call, officer)
    withdraw(Application.objects.get(pk=person.pk), by=person.applicant)

    assert "1 person with a place has withdrawn since: the place goes to the next who fits." in said(browser(officer).get(PUBLISH))


def test_after_the_results_the_board_shows_the_state_of_each_and_the_way_to_the_offers():
    call, officer = make_call(), make_officer()
    make_candidate(call)
    offers.publish(confirmed(call, officer), by=officer)

    page = said(browser(officer).get(BOARD))

    assert '<span class="tag ok">Place</span> <span class="tag wait">Offered</span>' in page
    assert 'href="/manage/calls/small-2027/offers/">Offers</a>' in page
    assert "1 held, 0 taken" in page
    assert Placement.objects.count() == 1


# -- Two keys --------------------------------------------------------------------


def test_above_fifty_people_another_officer_confirms():
    call, officer = make_call(), make_officer()
    make_candidate(call)
    run = allocations.allocate(call, by=officer)
    Run.objects.filter(pk=run.pk).update(candidates=51)
    confirm = f"{BOARD}{run.code}/confirm/"

    alone, refused = browser(officer).get(confirm), browser(officer).post(confirm)
    other = browser(make_officer(name="Wu Jie"))
    accepted = other.post(confirm)

    assert "a second officer must confirm it" in said(alone)
    assert (refused.status_code, accepted.status_code) == (422, 302)
    assert Run.objects.get(pk=run.pk).confirmed_by.name == "Wu Jie"


def test_results_on_their_way_can_be_stopped_for_ten_minutes(settings):
    settings.UNDO_SECONDS = 600
    call, officer = make_call(), make_officer()
    make_candidate(call)
    run = confirmed(call, officer)
    client = browser(officer)

    answer = client.post(PUBLISH, {"key": "k"})

    call.refresh_from_db()
    left = call.results_at - timezone.now()
    assert answer["Location"] == PUBLISH and timedelta(minutes=9) < left <= timedelta(minutes=10)
    assert (offers.publish_due(), Offer.objects.count()) == (0, 0)
    assert "The results are on their way" in said(client.get(PUBLISH))
    assert offers.publish_due(at=timezone.now() + timedelta(minutes=11)) == 1
    assert Run.objects.get(pk=run.pk).published_at is not None
