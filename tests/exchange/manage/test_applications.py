"""The officer's list: what it shows to whom, how the address is read, and what is done with many at once."""

from __future__ import annotations

import re

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from scholarships.applications.models import Application, State
from scholarships.people.models import Scope, User
from tests.factories import (
    make_application,
    make_assignment,
    make_at_review,
    make_body_member,
    make_call,
    make_candidate,
    make_draft,
    make_institution,
    make_nominated,
    make_officer,
    make_reviewer,
    make_user,
)

pytestmark = pytest.mark.django_db

LIST = "/manage/applications/"
BULK = "/manage/applications/bulk/"


def client_of(user: User) -> Client:
    client = Client(HTTP_HOST="127.0.0.1")
    client.force_login(user)
    return client


def page(user: User, address: str = "") -> str:
    response = client_of(user).get(LIST + address)
    assert response.status_code == 200
    return response.content.decode()


def rows(html: str) -> list[str]:
    """Codes of the rows, in order."""
    return re.findall(r'name="pick" value="(\w+)"', html)


def said(response) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


# -- Who sees what ---------------------------------------------------------------


@pytest.mark.parametrize("address", [LIST, BULK, "/manage/"])
def test_the_list_is_for_officers(address: str):
    make_call()
    others = (make_user(), make_reviewer(), make_body_member(make_institution("kg-ministry")))

    assert [client_of(user).get(address).status_code for user in others] == [403, 403, 403]
    assert Client(HTTP_HOST="127.0.0.1").get(address).status_code == 302


def test_the_officers_home_is_the_list():
    assert client_of(make_officer()).get("/manage/").url == LIST


def test_an_officer_sees_what_was_handed_in_to_their_call_only():
    here, there = make_call(), make_call("other-2027")
    officer = make_officer(scope=Scope.CALL, key=here.code)
    mine = make_application(here)
    make_draft(here, make_user())
    make_application(there, officer)  # the officer's own, to a call that others run
    make_application(there)

    html = page(officer)

    assert rows(html) == [mine.code]
    assert "1 application<" in html


def test_the_site_officer_sees_all_calls():
    first, second = make_application(make_call()), make_application(make_call("other-2027"))

    assert rows(page(make_officer())) == [second.code, first.code]


# -- The address -----------------------------------------------------------------


@pytest.fixture
def two(db):
    call = make_call()
    aida = make_application(call, given_names="AIDA", family_name="ZHUNUSOVA")
    bolat = make_candidate(call, "8.40", given_names="BOLAT", family_name="ABDIEV", citizenship="KZ")
    return aida, bolat


@pytest.mark.parametrize(
    ("address", "names"),
    [
        ("", "BA"),
        ("?order=name", "BA"),
        ("?order=score", "BA"),
        ("?order=nonsense", "BA"),
        ("?q=aida", "A"),
        ("?q=country:KZ", "B"),
        ("?country=KZ", "B"),
        ("?q=country:KZ&country=KG", "BA"),
        ("?q=score:%3E8&state=in_review", "B"),
        ("?with=kg-ministry", "A"),
        ("?with=office&level=master", "B"),
        ("?q=country:Kyrgyzstan", "A"),
        ('?q=host:"Small+Host+University"', "BA"),
        ("?call=small-2027&host=small-host", "BA"),
        ("?state=lapsed", ""),
        ("?page=2", ""),
        ("?page=nonsense&n=nonsense", "BA"),
        ("?n=10", "BA"),
        ("?q=aida%00", "A"),
        ("?country=%00&q=%22%22", "BA"),
        ("?q=%FF", ""),
    ],
)
def test_the_address_holds_the_state_of_the_list(two, address: str, names: str):
    by_letter = {"A": two[0].code, "B": two[1].code}

    assert rows(page(make_officer(), address)) == [by_letter[name] for name in names]


def test_the_box_shows_what_was_typed_and_chosen(two):
    html = page(make_officer(), "?q=aida+colour:red&country=KG")

    assert 'value="aida colour:red country:KG"' in html


def test_what_is_not_understood_is_left_out_with_a_note(two):
    html = page(make_officer(), "?q=aida+colour:red+state:flying")

    assert rows(html) == [two[0].code]
    assert "“colour:red” is no search word and was left out." in html
    assert "“state:flying” is not known and was left out." in html


def test_the_selects_show_what_the_query_says_and_keep_what_they_cannot_say(two):
    html = page(make_officer(), "?q=country:KG+-level:doctoral+aida")

    assert '<option value="KG" selected>' in html
    assert '<input type="hidden" name="q" value="-level:doctoral aida">' in html


def test_typed_text_is_escaped(two):
    html = page(make_officer(), '?q="><script>alert(1)</script>')

    assert "<script>alert" not in html


def test_rows_take_the_list_along(two):
    html = page(make_officer(), "?q=country:KG&order=name")

    assert f'href="/manage/applications/{two[0].code}/?q=country%3AKG&amp;order=name"' in html


def test_a_row_says_choice_country_state_holder_and_score(two):
    html = page(make_officer(), "?q=country:KZ")

    row = html[html.index("<tbody>") : html.index("</tbody>")]
    words = " ".join(re.sub(r"<[^>]+>", " ", row).split())
    assert words.startswith(f"Choose {two[1].code} BOLAT ABDIEV {two[1].code} Programme")
    assert "Small Host University Kazakhstan Master’s In review Office since" in words
    assert words.endswith("8.40 0 of 2 reviews")


def test_a_filter_without_a_match_offers_to_drop_all_filters(two):
    html = page(make_officer(), "?q=nobody")

    assert "Nothing matches." in html
    assert 'name="do"' not in html


def test_the_count_stops_at_a_thousand(two, monkeypatch):
    monkeypatch.setattr("exchange.ui.paging.MOST_COUNTED", 1)

    assert "More than 1 applications" in page(make_officer())


def test_saved_views_are_queries(two):
    html = page(make_officer(), "?q=step:allocation")

    assert rows(html) == [two[1].code]
    assert '<a class="chip" href="?q=step%3Aallocation" aria-current="true">Places to give</a>' in html


def test_no_query_is_added_by_a_row():
    call, officer = make_call(), make_officer()
    reviewer = make_reviewer(call)

    def queries() -> int:
        client = client_of(officer)
        client.get(LIST)
        with CaptureQueriesContext(connection) as captured:
            response = client.get(f"{LIST}?q=country:KG,KZ,UZ&order=name")
        assert len(rows(response.content.decode())) == Application.objects.count()
        return len(captured)

    make_assignment(make_at_review(call), reviewer)
    with_one = queries()
    for number in range(29):
        (make_application, make_nominated)[number % 2](call, given_names=f"A{'bcdefghijk'[number % 10]}")

    assert (with_one, queries()) == (10, 10)


# -- Many at once: eligible ------------------------------------------------------


def test_a_bulk_act_shows_whom_it_fits_and_whom_not_before_anything_is_done():
    call = make_call()
    good, bad, early = make_nominated(call), make_nominated(call, education_highest="secondary"), make_application(call)

    response = client_of(make_officer()).get(BULK, {"do": "eligible", "pick": [good.code, bad.code, early.code]})

    html = response.content.decode()
    assert "It fits 1" in html
    assert "It does not fit 2" in html
    assert "A criterion is not met. Decide this one on its own page." in html
    assert "It is “Submitted”, at the step “Nomination”." in html
    assert f'name="codes" value="{good.code} "' in html
    assert set(Application.objects.values_list("state", flat=True)) == {State.NOMINATED, State.SUBMITTED}


def test_what_is_confirmed_is_done_and_the_list_comes_back():
    call = make_call()
    good, other = make_nominated(call), make_nominated(call)

    response = client_of(make_officer()).post(BULK, {"do": "eligible", "codes": good.code, "q": "country:KG", "order": "newest"})

    assert response.url == f"{LIST}?q=country%3AKG"
    assert said(response) == ["1 application is found eligible."]
    assert [Application.objects.get(pk=row.pk).state for row in (good, other)] == [State.ELIGIBLE, State.NOMINATED]


def test_sent_twice_it_is_done_once():
    application = make_nominated()
    client = client_of(make_officer())

    first, second = (client.post(BULK, {"do": "eligible", "codes": application.code}) for _each in range(2))

    assert said(first)[-1] == "1 application is found eligible."
    assert said(second)[-2:] == ["0 applications are found eligible.", "1 changed meanwhile and were left out."]


def test_all_that_match_are_chosen_by_the_query():
    call = make_call()
    kept = [make_nominated(call), make_nominated(call)]
    make_nominated(call, citizenship="KZ")

    html = client_of(make_officer()).get(BULK, {"do": "eligible", "all": "1", "q": "country:KG"}).content.decode()

    assert sorted(re.search(r'name="codes" value="([^"]*)"', html)[1].split()) == sorted(row.code for row in kept)


def test_more_than_one_act_takes_are_cut_and_said(monkeypatch):
    call = make_call()
    for _each in range(3):
        make_nominated(call)
    monkeypatch.setattr("exchange.manage.bulk.MOST", 2)

    html = client_of(make_officer()).get(BULK, {"do": "eligible", "all": "1"}).content.decode()

    assert "It fits 2" in html
    assert "confirm them, then go on with the rest" in html


def test_many_are_done_in_batches(monkeypatch):
    call = make_call()
    codes = [make_nominated(call).code for _each in range(3)]
    monkeypatch.setattr("exchange.manage.bulk.BATCH", 2)

    response = client_of(make_officer()).post(BULK, {"do": "eligible", "codes": " ".join(codes)})

    assert said(response) == ["3 applications are found eligible."]


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"do": "eligible"},
        {"do": "eligible", "pick": "NOSUCH"},
        {"do": "nonsense", "all": "1"},
        {"do": "eligible", "codes": "'; --"},
        {"do": "eligible", "pick": "\x00"},
    ],
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_nothing_chosen_leads_back_to_the_list(asked: dict[str, str], method: str):
    application = make_nominated()

    response = getattr(client_of(make_officer()), method)(BULK, asked)

    assert response.url == LIST
    assert said(response) == ["Choose applications and what to do with them."]
    assert Application.objects.get(pk=application.pk).state == State.NOMINATED


def test_an_officer_of_another_call_can_choose_nothing_here():
    application = make_nominated()
    officer = make_officer(scope=Scope.CALL, key=make_call("other-2027").code)

    response = client_of(officer).post(BULK, {"do": "eligible", "codes": application.code})

    assert response.url == LIST
    assert Application.objects.get(pk=application.pk).state == State.NOMINATED


def test_no_query_is_added_by_an_application_of_a_bulk_act():
    call, client = make_call(), client_of(make_officer())

    def queries() -> int:
        client.get(BULK, {"do": "eligible", "all": "1"})
        with CaptureQueriesContext(connection) as captured:
            response = client.get(BULK, {"do": "eligible", "all": "1"})
        assert f"It fits {Application.objects.count()}" in response.content.decode()
        return len(captured)

    make_nominated(call)
    with_one = queries()
    for _each in range(29):
        make_nominated(call)

    assert with_one == queries()


# -- Many at once: reviewers -----------------------------------------------------


def test_reviewers_for_files_of_one_call_are_proposed_on_its_page():
    application = make_at_review()

    response = client_of(make_officer()).get(BULK, {"do": "reviewers", "pick": application.code})

    assert response.url == f"{reverse('manage:evenly', args=['small-2027'])}?do=reviewers&pick={application.code}"


def test_for_files_of_several_calls_it_is_asked_which_first():
    first, second = make_at_review(make_call()), make_at_review(make_call("other-2027"))

    html = client_of(make_officer()).get(BULK, {"do": "reviewers", "pick": [first.code, second.code]}).content.decode()

    assert "Which call first?" in html
    assert [code in html for code in ("/manage/calls/small-2027/reviewers/", "/manage/calls/other-2027/reviewers/")] == [True, True]
