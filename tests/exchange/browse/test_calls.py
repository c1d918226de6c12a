"""Which calls are open to me, and what one call says: before any account."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from scholarships.calls.models import Call, CallVersion
from scholarships.people.actions import settle
from scholarships.people.models import Scope
from scholarships.schemes.models import Coverage, Scheme
from tests.exchange.pages import all_in, browser, main_of, queries_of
from tests.factories import make_call, make_call_with_letters, make_officer, make_user

pytestmark = pytest.mark.django_db


def call_for(code: str, countries: str = "KG KZ UZ", levels: str = "master doctoral", **fields) -> Call:
    """A call open now to citizens of COUNTRIES at LEVELS, whose title is its code."""
    call = make_call(code)
    call.countries.set(countries.split())
    call.levels, call.title = levels.split(), {"en": f"Call {code}"}
    for name, value in fields.items():
        setattr(call, name, value)
    call.save()
    return call


def titles(answer) -> list[str]:
    return all_in(answer, "h3", "name")


def unpublished(code: str) -> Call:
    call = call_for(code)
    call.version = None
    call.save(update_fields=["version"])
    CallVersion.objects.filter(call=call).update(published_at=None)
    return call


# -- The list --------------------------------------------------------------------


def test_a_visitor_sees_the_open_calls_and_no_others_the_next_deadline_first():
    now = timezone.now()
    call_for("later", closes_at=now + timedelta(days=9))
    call_for("sooner", closes_at=now + timedelta(days=3))
    call_for("over", closes_at=now - timedelta(days=1))
    call_for("coming", opens_at=now + timedelta(days=1))
    unpublished("secret")

    answer = browser().get("/")

    assert titles(answer) == ["Call sooner", "Call later"]
    assert "2 open calls" in main_of(answer)


@pytest.mark.parametrize(
    ("question", "found", "says"),
    [
        ("citizenship=KG", ["Call north", "Call both"], "2 calls open to Kyrgyzstan"),
        ("citizenship=TM", ["Call both"], "1 call open to Turkmenistan"),
        ("level=bachelor", ["Call both"], "1 open call"),
        ("citizenship=KG&level=bachelor", ["Call both"], "1 call open to Kyrgyzstan"),
        ("citizenship=KG&level=senior", [], "0 calls open to Kyrgyzstan"),
        ("citizenship=DE", [], "0 calls open to Germany"),
        ("", ["Call north", "Call both"], "2 open calls"),
    ],
)
def test_calls_are_found_by_citizenship_and_level(question, found, says):
    now = timezone.now()
    call_for("north", "KG KZ", "master", closes_at=now + timedelta(days=3))
    call_for("both", "KG TM", "bachelor master", closes_at=now + timedelta(days=9))

    answer = browser().get(f"/?{question}")

    assert titles(answer) == found
    assert says in main_of(answer)


def test_the_choice_stands_in_the_form_again():
    page = browser().get("/?citizenship=KG&level=master").content.decode()

    assert '<option value="KG" selected>Kyrgyzstan</option>' in page
    assert '<option value="master" selected>' in page


def test_where_nothing_is_open_the_page_names_what_opens_next_or_another_way():
    assert "we tell you when the next call opens" in main_of(browser().get("/?citizenship=TM"))

    call_for("coming", opens_at=timezone.now() + timedelta(days=2))

    answer = browser().get("/?citizenship=TM")
    assert "No call is open for this choice now." in main_of(answer)
    assert 'href="/calls/coming/"' in answer.content.decode()


def test_an_answer_that_is_not_on_the_list_is_left_out_and_said():
    call_for("north", "KG KZ", "master")

    answer = browser().get("/?citizenship=KG&level=nonsense")

    assert titles(answer) == ["Call north"]
    assert "One of the answers was not on the list and is left out." in main_of(answer)
    assert "1 call open to Kyrgyzstan" in main_of(answer)


@time_machine.travel(datetime(2026, 12, 1, 12, tzinfo=UTC), tick=False)
def test_each_deadline_is_said_in_the_zone_of_the_call_and_in_that_of_the_country_asked_for():
    call_for("north", closes_at=datetime(2026, 12, 20, 10, tzinfo=UTC))

    assert all_in(browser().get("/?citizenship=KG"), "time") == ["20 December 2026, 18:00 Beijing (16:00 in Bishkek)"]
    assert all_in(browser().get("/"), "time") == ["20 December 2026, 18:00 Beijing", ""]  # the second is the browser's, by script


def test_the_list_takes_as_many_queries_for_thirty_calls_as_for_one():
    call_for("call-1")
    one = queries_of(browser(), "/?citizenship=KG")
    for number in range(2, 31):
        call_for(f"call-{number}")

    thirty = queries_of(browser(), "/?citizenship=KG")

    assert len(titles(browser().get("/?citizenship=KG"))) == 30
    assert (one, thirty) == (6, 6)


# -- One call --------------------------------------------------------------------


@pytest.fixture
def fixed_day():
    with time_machine.travel(datetime(2026, 12, 1, 12, tzinfo=UTC), tick=False):
        yield


def deadline_on(answer) -> str:
    """The deadline as it stands in the box beside the call."""
    return [words for words in all_in(answer, "time") if words][-1]


def test_a_visitor_reads_the_deadline_in_the_zone_of_the_call(fixed_day):
    call_for("north", closes_at=datetime(2026, 12, 20, 10, tzinfo=UTC))

    answer = browser().get("/calls/north/")

    assert deadline_on(answer) == "20 December 2026, 18:00 Beijing"
    assert 'data-local="2026-12-20T10:00:00+00:00" data-says="%s your time"' in answer.content.decode()


@pytest.mark.parametrize(
    ("country", "zone", "says"),
    [
        ("KG", "", "20 December 2026, 18:00 Beijing (16:00 in Bishkek)"),
        ("KZ", "", "20 December 2026, 18:00 Beijing (15:00 in Astana)"),
        ("KZ", "Europe/Moscow", "20 December 2026, 18:00 Beijing (13:00 in Moscow)"),
        ("CN", "", "20 December 2026, 18:00 Beijing"),
    ],
)
def test_who_is_signed_in_reads_it_in_the_own_zone_too(fixed_day, country, zone, says):
    call_for("north", closes_at=datetime(2026, 12, 20, 10, tzinfo=UTC))
    person = make_user(country=country)
    settle(person, name="Nuray", citizenship=country, zone=zone)

    assert deadline_on(browser(person).get("/calls/north/")) == says


def test_a_deadline_that_falls_on_another_day_for_the_reader_says_the_day(fixed_day):
    call_for("north", closes_at=datetime(2026, 12, 20, 22, tzinfo=UTC))

    assert deadline_on(browser(make_user(country="KZ")).get("/calls/north/")) == "21 December 2026, 06:00 Beijing (03:00 in Astana)"

    Call.objects.update(closes_at=datetime(2026, 12, 20, 17, tzinfo=UTC))
    assert (
        deadline_on(browser(make_user(country="KZ")).get("/calls/north/"))
        == "21 December 2026, 01:00 Beijing (20 December, 22:00 in Astana)"
    )


def test_the_citizenship_answered_before_comes_before_the_profile(fixed_day):
    call_for("north", closes_at=datetime(2026, 12, 20, 10, tzinfo=UTC))
    client = browser(make_user(country="KZ"))
    client.post("/calls/north/can-i-apply/", {"citizenship": "KG", "level": "master", "birth_date_d": "1", "birth_date_m": "2", "birth_date_y": "2000", "education": "bachelor"})  # fmt: skip

    assert deadline_on(client.get("/calls/north/")) == "20 December 2026, 18:00 Beijing (16:00 in Bishkek)"


def test_a_call_says_what_it_pays_and_asks_how_it_scores_and_how_many_places_there_are():
    call = call_for("north")
    Coverage.objects.create(scheme=Scheme.objects.get(), order=2, item={"en": "Travel"}, says={"en": "You pay it"}, is_paid=False)

    answer = browser().get("/calls/north/")

    says = main_of(answer)
    assert "Tuition Waived Not paid: Travel You pay it Stipend, Master’s 3,000 CNY a month Stipend, Doctorate 3,500 CNY a month" in says
    assert "Citizen of a partner country Bachelor" in says
    assert "Also for: Master’s Under 35" in says
    assert "Passport page Transcript" in says
    assert "Record 60% Plan 30% Other 10%" in says
    assert "Country Master’s Doctorate In all Kazakhstan 2 1 3 Kyrgyzstan 2 1 3 Uzbekistan 2 1 3" in says
    assert f"Places 9 Choices {call.choices_max} Programmes 2" in says
    assert f"What arrives within {call.grace} minutes after it still counts" in says


@pytest.mark.parametrize(
    ("opens", "closes", "says", "may_start"),
    [(-5, 5, "Open", True), (-5, -1, "Closed", False), (2, 5, "Not yet open", False)],
)
def test_only_an_open_call_can_be_started(opens, closes, says, may_start):
    now = timezone.now()
    call_for("north", opens_at=now + timedelta(days=opens), closes_at=now + timedelta(days=closes))

    answer = browser().get("/calls/north/")

    assert all_in(answer, "span", "tag") == [says]
    assert ("Start application" in main_of(answer)) is may_start


def test_a_call_that_is_not_published_is_there_for_its_officers_only():
    call = unpublished("secret")

    assert [browser().get(path).status_code for path in ("/calls/secret/", "/calls/secret/programmes/", "/calls/secret/can-i-apply/", "/calls/secret/can-i-apply/result/")] == [404] * 4  # fmt: skip
    assert browser(make_user()).get("/calls/secret/").status_code == 404
    assert browser(make_officer(scope=Scope.CALL, key="another")).get("/calls/secret/").status_code == 404
    answer = browser(make_officer(scope=Scope.CALL, key=call.code)).get("/calls/secret/")
    assert (answer.status_code, answer["Location"]) == (302, "/manage/calls/secret/")


def test_a_missing_call_and_one_that_is_not_published_look_the_same():
    unpublished("secret")

    secret, missing = browser().get("/calls/secret/"), browser().get("/calls/missing/")

    assert (secret.status_code, missing.status_code) == (404, 404)
    assert secret.content == missing.content


@pytest.mark.parametrize(
    ("path", "heading"), [("/help/", "Help and contact"), ("/privacy/", "Privacy"), ("/accessibility/", "Accessibility")]
)
def test_the_pages_of_words_answer(path, heading):
    answer = browser().get(path)

    assert (answer.status_code, all_in(answer, "h1")) == (200, [heading])


def test_the_page_of_a_call_says_how_many_letters_of_referees_it_asks_for():
    call = make_call_with_letters(who="A professor who has taught you.")

    said = main_of(browser().get(f"/calls/{call.code}/"))

    assert "2 letters of referees, who need no account. A professor who has taught you." in said
