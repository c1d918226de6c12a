"""Programmes by level, language, field, host and words; with a call in hand each can be added as a choice."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from scholarships.applications.models import Choice
from scholarships.calls.models import Call
from scholarships.quotas.models import Purpose, Quota
from tests.exchange.pages import all_in, browser, main_of, queries_of
from tests.factories import make_application, make_call, make_draft, make_institution, make_programme, make_user

pytestmark = pytest.mark.django_db


def names(answer) -> list[str]:
    return all_in(answer, "th", "full")


@pytest.fixture
def shelf() -> None:
    """Four programmes at two hosts."""
    water, snow = make_institution("water", name="Water University"), make_institution("snow", name="Snow Institute")
    make_programme("a", host=snow, title="Glaciers", level="master", taught_in="en", field="0532")
    make_programme("b", host=snow, title="Avalanches", level="doctoral", taught_in="zh", field="0532")
    make_programme("c", host=water, title="Rivers", level="master", taught_in="ru", field="0712")
    make_programme("d", host=water, title="ЛЕДНИКИ", level="bachelor", taught_in="en", field="0712")


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("", ["Glaciers", "Avalanches", "Rivers", "ЛЕДНИКИ"]),
        ("level=master", ["Glaciers", "Rivers"]),
        ("taught_in=zh", ["Avalanches"]),
        ("field=0712", ["Rivers", "ЛЕДНИКИ"]),
        ("host=snow", ["Glaciers", "Avalanches"]),
        ("q=RIVER", ["Rivers"]),
        ("q=ледники", ["ЛЕДНИКИ"]),
        ("q=snow+glac", ["Glaciers"]),
        ("q=100%25", []),
        ("level=master&taught_in=en&field=0532&host=snow&q=gla", ["Glaciers"]),
        ("level=senior", []),
    ],
)
def test_programmes_are_found_by_level_language_field_host_and_words(shelf, question, found):
    answer = browser().get(f"/programmes/?{question}")

    assert names(answer) == found
    assert all_in(answer, "p", "muted")[0] == ("1 programme." if len(found) == 1 else f"{len(found)} programmes.")


def test_a_filter_that_is_not_on_the_list_is_left_out_and_said(shelf):
    answer = browser().get("/programmes/?level=master&host=nowhere")

    assert names(answer) == ["Glaciers", "Rivers"]
    assert "One of the filters was not on the list and is left out." in main_of(answer)


def test_where_nothing_matches_a_link_drops_all_filters(shelf):
    answer = browser().get("/programmes/?level=senior")

    assert "Nothing matches. Drop all filters" in main_of(answer)


def test_the_filters_offer_only_fields_and_hosts_that_there_are(shelf):
    make_institution("empty", name="Empty University")

    page = browser().get("/programmes/").content.decode()

    assert "Water University</option>" in page
    assert "Empty University" not in page


def test_a_long_list_has_pages_that_keep_the_filters():
    host = make_institution("host", name="Host")
    for number in range(31):
        make_programme(f"p-{number:02}", host=host, title=f"Title {number:02}")

    first, second = browser().get("/programmes/?level=master"), browser().get("/programmes/?level=master&page=2")

    assert (len(names(first)), names(second)) == (30, ["Title 30"])
    assert 'href="?level=master&amp;page=2"' in first.content.decode()
    assert "Showing 31 to 31" in main_of(second)


def test_a_page_past_the_end_leads_back_to_the_first(shelf):
    answer = browser().get("/programmes/?level=master&page=7")

    assert answer.status_code == 200
    assert "There is no page 7. Go to the first page" in main_of(answer)
    assert 'href="?level=master"' in answer.content.decode()


def test_the_list_takes_as_many_queries_for_thirty_programmes_as_for_one():
    call = make_call(programmes=1)
    one = queries_of(browser(), "/programmes/"), queries_of(browser(), "/calls/small-2027/programmes/")
    for number in range(29):
        call.programmes.add(make_programme(f"p-{number}", host=make_institution(f"host-{number}", name=f"Host {number}")))

    thirty = queries_of(browser(), "/programmes/"), queries_of(browser(), "/calls/small-2027/programmes/")

    assert len(names(browser().get("/programmes/"))) == 30
    assert (one, thirty) == ((4, 6), (4, 6))


def test_the_list_counts_only_where_the_page_does_not_tell():
    call = make_call()
    for number in range(29):
        call.programmes.add(make_programme(f"p-{number}", host=make_institution(f"host-{number}", name=f"Host {number}")))

    assert queries_of(browser(), "/programmes/") == 5
    assert queries_of(browser(), f"/calls/{call.code}/programmes/") == 7
    assert queries_of(browser(), f"/calls/{call.code}/programmes/?page=2") == 6


# -- With a call in hand ---------------------------------------------------------


@pytest.fixture
def call() -> Call:
    return make_call(programmes=3)


def buttons(answer) -> list[str]:
    return [words for words in all_in(answer, "td") if words.startswith("Add as choice")]


def test_a_call_shows_its_own_programmes_with_their_places(call):
    make_programme("other")
    Quota.objects.create(call=call, purpose=Purpose.AWARD, by="o.programme", cell="small-b", places=7)

    answer = browser().get("/calls/small-2027/programmes/")

    assert [name for name in names(answer) if name.startswith("Programme")] == [str(row.title) for row in call.programmes.order_by("code")]
    assert list(all_in(answer, "td", "n")) == ["", "7", ""]


def test_a_visitor_is_led_from_a_programme_to_an_application_that_begins_with_it(call):
    page = browser().get("/calls/small-2027/programmes/")
    assert 'href="/apply/start/small-2027/?add=small-b"' in page.content.decode()

    person = make_user()
    start = browser(person).get("/apply/start/small-2027/?add=small-b")
    assert 'name="add" value="small-b"' in start.content.decode()
    browser(person).post("/apply/start/small-2027/", {"add": "small-b"})

    assert list(Choice.objects.values_list("rank", "programme__code")) == [(1, "small-b")]


def test_who_writes_a_draft_adds_a_programme_to_its_choices_with_one_button(call):
    draft = make_draft(call, choices=[call.programmes.get(code="small-a")])
    client = browser(draft.applicant)

    page = client.get("/calls/small-2027/programmes/").content.decode()
    assert f'<form method="post" action="/apply/{draft.code}/choices/">' in page
    answer = client.post(f"/apply/{draft.code}/choices/", {"add": "small-c"})

    assert (answer.status_code, answer["Location"]) == (302, f"/apply/{draft.code}/choices/")
    assert list(Choice.objects.order_by("rank").values_list("programme__code", flat=True)) == ["small-a", "small-c"]


def test_a_draft_of_somebody_else_is_not_offered(call):
    draft = make_draft(call)

    page = browser(make_user()).get("/calls/small-2027/programmes/").content.decode()

    assert draft.code not in page


def test_a_change_of_what_is_handed_in_takes_a_programme_too(call):
    application = make_application(call, choices=[call.programmes.get(code="small-a")])
    client = browser(application.applicant)
    client.post(f"/apply/{application.code}/change/")

    assert buttons(client.get("/calls/small-2027/programmes/")) == [
        f"Add as choice : {row.title}" for row in call.programmes.order_by("code")
    ]
    client.post(f"/apply/{application.code}/choices/", {"add": "small-b"})

    assert list(Choice.objects.filter(revision__number=2).order_by("rank").values_list("programme__code", flat=True)) == [
        "small-a",
        "small-b",
    ]


def test_nothing_is_offered_to_whom_has_handed_in_or_when_the_call_is_closed(call):
    application, draft = make_application(call), make_draft(call)
    assert buttons(browser(application.applicant).get("/calls/small-2027/programmes/")) == []

    Call.objects.update(closes_at=timezone.now() - timedelta(days=1))

    assert [buttons(browser(person).get("/calls/small-2027/programmes/")) for person in (None, make_user(), draft.applicant)] == [[]] * 3
