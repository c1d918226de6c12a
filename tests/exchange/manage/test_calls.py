"""The officer's calls: counts, what is next, and the dates."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone

from exchange.manage.agenda import standing_of, tasks_of
from scholarships.allocations import actions as allocations
from scholarships.calls.actions import close_now, edition
from scholarships.calls.models import Call
from scholarships.events.models import Event
from scholarships.offers import actions as offers
from scholarships.people.models import Scope
from scholarships.quotas.models import Entry, Quota
from tests.factories import make_application, make_at_review, make_call, make_candidate, make_draft, make_officer, make_user

pytestmark = pytest.mark.django_db

LIST, CALL, DATES = "/manage/calls/", "/manage/calls/small-2027/", "/manage/calls/small-2027/dates/"


def browser(user) -> Client:
    client = Client(HTTP_HOST="127.0.0.1")
    client.force_login(user)
    return client


def said(answer) -> str:
    return " ".join(answer.content.decode().split())


def says(call) -> list[str]:
    return [task.says for task in tasks_of(standing_of(Call.objects.select_related("version").get(pk=call.pk)), timezone.now())]


# -- The list --------------------------------------------------------------------


def test_the_list_shows_each_call_with_how_many_are_in_each_state():
    call, officer = make_call(), make_officer()
    make_application(call)
    make_application(call)
    make_draft(call)
    make_candidate(call)

    page = said(browser(officer).get(LIST))

    assert 'href="/manage/calls/small-2027/"' in page
    assert '<a href="/manage/applications/?q=call%3Asmall-2027+state%3Asubmitted"><span class="num">2</span> Submitted</a>' in page
    assert '<a href="/manage/applications/?q=call%3Asmall-2027+state%3Ain_review"><span class="num">1</span> In review</a>' in page
    assert '<span class="muted"><span class="num">1</span> Draft</span>' in page


def test_an_officer_of_a_call_sees_that_call_only_and_others_see_none():
    make_call()
    make_call("other-2027")
    of_other = browser(make_officer(scope=Scope.CALL, key="other-2027"))

    page = said(of_other.get(LIST))

    assert ("/manage/calls/other-2027/" in page, "/manage/calls/small-2027/" in page) == (True, False)
    assert [of_other.get(url).status_code for url in (CALL, DATES)] == [404, 404]
    assert [browser(make_user()).get(url).status_code for url in (LIST, CALL, DATES)] == [403, 403, 403]
    assert Client(HTTP_HOST="127.0.0.1").get(LIST).status_code == 302


@pytest.mark.parametrize("calls", [1, 12])
def test_the_list_takes_the_same_queries_for_one_call_and_for_many(calls, django_assert_num_queries):
    for number in range(calls):
        make_draft(make_call(f"call-{number}"))
    client = browser(make_officer())

    with django_assert_num_queries(5):
        assert client.get(LIST).status_code == 200


# -- One call --------------------------------------------------------------------


def test_the_page_of_a_call_says_what_is_next_and_how_many_files_stand_in_each_step():
    call, officer = make_call(), make_officer()
    make_at_review(call)
    make_candidate(call)

    page = said(browser(officer).get(CALL))

    assert "1 file has no reviewer yet." in page
    assert '<a class="btn btn-primary" href="/manage/calls/small-2027/reviewers/">Assign reviewers</a>' in page
    assert '<a href="/manage/applications/?q=call%3Asmall-2027+step%3Aallocation">1 file<span' in page
    assert '<a href="/manage/calls/small-2027/places/">Allocate the places</a>' in page


def test_what_is_next_follows_the_way_of_the_files():
    call, officer = make_call(), make_officer()
    first = make_application(call)
    told = [says(call)]
    person = make_candidate(call)
    told.append(says(call))
    run = allocations.allocate(call, by=officer)
    told.append(says(call))
    allocations.confirm(run, by=officer)
    told.append(says(call)[:1])
    offers.publish(run, by=officer)
    told.append(says(call))
    offer = offers.Offer.objects.select_related("application__call", "run__call").get(application=person)
    offers.accept(offer, by=person.applicant)
    told.append(says(call))

    call.refresh_from_db()
    closed = "1 file is with a nominating body."
    is_open = told[0][0]
    assert first.state == "submitted"
    assert is_open.startswith("Applications come in until ")
    assert told == [
        [is_open, closed],
        ["1 reviewed file waits for a place.", is_open, closed],
        ["1 reviewed file waits for a place. An allocation is made and not yet confirmed.", is_open, closed],
        [told[3][0]],
        ["1 offer waits for an answer.", closed],
        [closed],
    ]
    assert told[3][0].startswith("The allocation is confirmed. Results go out on ")


def test_without_places_the_officer_is_told_to_set_them():
    call = make_call()
    make_candidate(call)
    Entry.objects.all().delete()
    Quota.objects.filter(call=call).delete()

    assert tasks_of(standing_of(call), timezone.now())[0].button == "Set the places"


@pytest.mark.parametrize("people", [1, 30])
def test_the_page_of_a_call_takes_the_same_queries_for_one_application_and_for_many(people, django_assert_num_queries):
    call = make_call()
    for _copy in range(people):
        make_candidate(call)
    client = browser(make_officer())
    client.get(CALL)

    with django_assert_num_queries(10):
        assert client.get(CALL).status_code == 200


# -- Dates -----------------------------------------------------------------------


def typed(call, **changed) -> dict[str, str]:
    zone = ZoneInfo(call.zone)
    shown = {name: getattr(call, name).astimezone(zone).strftime("%Y-%m-%dT%H:%M") for name in ("opens_at", "closes_at", "results_at")}
    return {"act": "move", "seen": edition(call), "key": "k", **shown, **changed}


def test_an_officer_moves_a_date_in_the_calls_own_time_and_the_others_stay():
    call, officer = make_call(), make_officer()
    day = timezone.localdate() + timedelta(days=70)

    answer = browser(officer).post(DATES, typed(call, closes_at=f"{day}T18:30"))

    old, (opens, results) = call.closes_at, (call.opens_at, call.results_at)
    call.refresh_from_db()
    assert (answer.status_code, answer["Location"]) == (302, CALL)
    assert f"{call.closes_at.astimezone(ZoneInfo('Asia/Shanghai')):%Y-%m-%d %H:%M}" == f"{day} 18:30"
    assert (call.opens_at, call.results_at, old != call.closes_at) == (opens, results, True)
    event = Event.objects.about(call).last()
    assert (event.name, event.by, event.key) == ("call.dates_moved", officer, "small-2027:dates:k")


def test_dates_out_of_order_are_refused_at_the_field_and_what_was_typed_stays():
    call, officer = make_call(), make_officer()
    client = browser(officer)

    late = client.post(DATES, typed(call, closes_at="2020-01-01T10:00"))
    nonsense = client.post(DATES, typed(call, results_at="soon"))

    assert (late.status_code, nonsense.status_code) == (422, 422)
    assert '<a href="#id_closes_at">The call must close after it opens.</a>' in said(late)
    assert 'value="2020-01-01T10:00"' in said(late)
    assert '<a href="#id_results_at">Enter a day and a time, like 2027-01-12 18:00.</a>' in said(nonsense)
    assert Call.objects.get(pk=call.pk).closes_at == call.closes_at


def test_dates_that_somebody_else_has_moved_are_not_overwritten():
    call, officer = make_call(), make_officer()
    form = typed(call, results_at="2030-01-01T10:00")
    close_now(Call.objects.get(pk=call.pk), by=officer)

    answer = browser(officer).post(DATES, form)

    assert answer.status_code == 409
    assert "Somebody has moved the dates since you opened this page." in said(answer)
    assert Call.objects.get(pk=call.pk).results_at == call.results_at


def test_the_same_form_sent_twice_moves_once():
    call, officer = make_call(), make_officer()
    client, form = browser(officer), typed(call, results_at="2030-01-01T10:00")
    quick = {"act": "close", "confirmed": "1", "key": "q"}

    answers = [client.post(DATES, data) for data in (form, form, quick, quick)]

    assert [(answer.status_code, answer["Location"]) for answer in answers] == [(302, CALL)] * 4
    assert list(Event.objects.about(call).filter(name="call.dates_moved").values_list("key", flat=True)) == [
        "small-2027:dates:k",
        "small-2027:dates:q",
    ]


def test_closing_now_is_shown_first_with_the_drafts_it_leaves_behind():
    call, officer = make_call(), make_officer()
    make_draft(call)
    client = browser(officer)

    asked = client.post(DATES, {"act": "close"})
    before = Call.objects.get(pk=call.pk).closes_at
    done = client.post(DATES, {"act": "close", "confirmed": "1", "key": "k"})

    assert (asked.status_code, before) == (200, call.closes_at)
    assert "1 draft is not handed in and will not count." in said(asked)
    assert (done.status_code, done["Location"]) == (302, CALL)
    assert Call.objects.get(pk=call.pk).last_moment() < timezone.now()


def test_opening_for_fourteen_days_moves_the_results_where_they_would_come_too_early():
    call, officer = make_call(), make_officer()
    client = browser(officer)
    client.post(DATES, {"act": "close", "confirmed": "1"})
    Call.objects.filter(pk=call.pk).update(results_at=timezone.now() + timedelta(days=2))

    client.post(DATES, {"act": "open", "confirmed": "1"})

    call.refresh_from_db()
    assert timedelta(days=13) < call.closes_at - timezone.now() < timedelta(days=15)
    assert call.results_at == call.closes_at


def test_publishing_now_leads_to_the_page_of_publication():
    call = make_call()
    client = browser(make_officer())

    assert client.post(DATES, {"act": "publish"})["Location"] == "/manage/calls/small-2027/publish/"
    assert Call.objects.get(pk=call.pk).results_at == call.results_at


def test_an_officer_of_another_call_moves_nothing():
    call = make_call()
    client = browser(make_officer(scope=Scope.CALL, key="other"))

    assert client.post(DATES, {"act": "close", "confirmed": "1"}).status_code == 404
    assert Call.objects.get(pk=call.pk).closes_at == call.closes_at
