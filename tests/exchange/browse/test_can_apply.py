"""“Can I apply?”: a reason for each criterion, another door behind each no, before any account."""

from __future__ import annotations

import re

import pytest

from scholarships.applications.content import content_of
from scholarships.applications.models import Application
from scholarships.calls.models import Call
from scholarships.people.models import User
from tests.exchange.pages import all_in, browser, problem_targets, problems, queries_of, typed
from tests.factories import make_call, make_user

pytestmark = pytest.mark.django_db

ASKED = "/calls/small-2027/can-i-apply/"
ANSWERS = {
    "citizenship": "KG", "level": "master", "birth_date_d": "14", "birth_date_m": "3", "birth_date_y": "2003", "education": "bachelor", "hsk": "4", "ielts": "6.5",
}  # fmt: skip


def ask(client, path=ASKED, **changed):
    """The verdict for ANSWERS with some CHANGED."""
    answer = client.post(path, {**ANSWERS, **changed})
    assert (answer.status_code, answer["Location"]) == (302, f"{path}result/")
    return client.get(f"{path}result/")


def lines(answer) -> list[str]:
    """Each criterion with its mark and its reason."""
    check = re.search(r'<ul class="check mt-3">(.*?)</ul>', answer.content.decode(), re.DOTALL).group(1)
    return [
        re.sub(r" : (met|not met|to be checked)", r": \1", " ".join(re.sub(r"<[^>]+>", " ", line).split()))
        for line in re.findall(r"<li.*?</li>", check, re.DOTALL)
    ]


def doors(answer) -> list[str]:
    return all_in(answer, "h3", "name")


# -- The questions ---------------------------------------------------------------


def test_what_is_missing_is_said_at_its_field_and_what_was_typed_stays():
    make_call()

    answer = browser().post(ASKED, {"citizenship": "KG", "ielts": "six", "birth_date_d": "31", "birth_date_m": "2", "birth_date_y": "2003"})

    assert answer.status_code == 422
    assert problems(answer) == [
        "Choose an answer: I want to study",
        "Enter a real date, like 27 3 2030.",
        "Choose an answer: Highest education, finished before studies start",
        "Enter a score from 0 to 9, like 6.5.",
    ]
    assert problem_targets(answer) == ["id_level_0", "id_birth_date_0", "id_education_0", "id_ielts"]
    assert [typed(answer, name) for name in ("citizenship", "birth_date_d", "birth_date_m", "birth_date_y", "ielts")] == ["KG", "31", "2", "2003", "six"]  # fmt: skip


def test_a_form_sent_empty_is_refused():
    make_call()

    answer = browser().post(ASKED, {})

    assert (answer.status_code, len(problems(answer))) == (422, 4)


@pytest.mark.parametrize(
    "day",
    [
        ("0", "0", "0"),
        ("31", "2", "2003"),
        ("x", "y", "z"),
        ("1", "2", "9" * 30),
        ("-1", "2", "2003"),
        ("1", "", ""),
        ("9" * 5000, "1", "2003"),
    ],
)
def test_a_day_that_is_none_is_refused_in_words(day):
    make_call()

    answer = browser().post(ASKED, {**ANSWERS, **dict(zip(("birth_date_d", "birth_date_m", "birth_date_y"), day, strict=True))})

    assert (answer.status_code, problems(answer)) == (422, ["Enter a real date, like 27 3 2030."])


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("citizenship", "XX", "Choose one of the answers offered."),
        ("level", "senior", "Choose one of the answers offered."),
        ("education", "king", "Choose one of the answers offered."),
        ("hsk", "7", "Choose one of the answers offered."),
        ("ielts", "9.5", "Enter a score from 0 to 9, like 6.5."),
        ("ielts", "NaN", "Enter a score from 0 to 9, like 6.5."),
        ("ielts", "6.55", "Enter a score from 0 to 9, like 6.5."),
    ],
)  # fmt: skip
def test_an_answer_that_is_not_possible_is_refused(name, value, says):
    make_call()

    answer = browser().post(ASKED, {**ANSWERS, name: value})

    assert (answer.status_code, problems(answer)) == (422, [says])


def test_the_country_and_level_of_the_list_are_filled_in():
    make_call()

    answer = browser().get(f"{ASKED}?citizenship=KZ&level=doctoral")

    assert (typed(answer, "citizenship"), typed(answer, "level")) == ("KZ", "doctoral")


# -- The verdict -----------------------------------------------------------------


def test_each_criterion_has_its_mark_and_its_reason():
    make_call()

    assert lines(ask(browser())) == ["Citizen of a partner country: met", "Under 35: met", "Bachelor: met"]
    assert lines(ask(browser(), citizenship="DE", birth_date_y="1980", education="secondary")) == [
        "Citizen of a partner country: not met", "Under 35: not met", "Bachelor: not met",
    ]  # fmt: skip


def test_a_criterion_of_another_level_is_not_held_against_anybody():
    make_call()

    assert lines(ask(browser(), level="doctoral", birth_date_y="1980")) == ["Citizen of a partner country: met", "Bachelor: met"]


def test_who_fits_is_led_to_the_start_with_the_deadline_in_both_zones():
    call = make_call()

    answer = ask(browser())

    assert all_in(answer, "h1") == ["You look able to apply"]
    assert 'href="/apply/start/small-2027/"' in answer.content.decode()
    assert all_in(answer, "time")[0].endswith("in Bishkek)")
    assert doors(answer) == []
    assert call.title


def test_a_level_without_places_is_a_no_with_its_own_line():
    make_call()
    other = make_call("other")
    other.levels = ["doctoral"]
    other.save(update_fields=["levels"])
    client = browser()
    ask(client)

    answer = client.get("/calls/other/can-i-apply/result/")

    assert lines(answer)[0] == "The level you want is part of this call: not met This call has no places at that level."
    assert doors(answer) == [str(Call.objects.get(code="small-2027").title)]


def test_the_verdict_stands_on_the_call_and_on_the_list_too():
    make_call()
    client = browser()
    ask(client, citizenship="DE")

    assert all_in(client.get("/calls/small-2027/"), "h2")[0] == "Not open to you"
    assert all_in(client.get("/"), "span", "tag") == ["Not open to you"]


def test_without_answers_the_verdict_leads_to_the_questions():
    make_call()

    answer = browser().get(f"{ASKED}result/")

    assert (answer.status_code, answer["Location"]) == (302, ASKED)


def test_nothing_of_it_is_stored_before_there_is_an_account():
    make_call()
    people = User.objects.count()

    ask(browser())

    assert (User.objects.count(), Application.objects.count()) == (people, 0)


def test_the_answers_of_one_visitor_are_not_known_to_another():
    make_call()
    ask(browser())

    assert browser().get(f"{ASKED}result/").status_code == 302


def test_what_was_answered_is_carried_into_the_application():
    make_call()
    client = browser()
    ask(client, birth_date_y="2001")
    client.force_login(make_user())

    client.post("/apply/start/small-2027/")

    said = content_of(Application.objects.get()).all_values
    assert {key: said[key] for key in ("citizenship", "level", "birth_date", "education.highest")} == {
        "citizenship": "KG", "level": "master", "birth_date": "2001-03-14", "education.highest": "bachelor",
    }  # fmt: skip


def test_signing_in_does_not_lose_the_answers():
    make_call()
    client, person = browser(), make_user(email="nuray@sapar.example")
    ask(client, level="doctoral")
    person.set_password("a sentence that is long enough")
    person.save()
    from allauth.account.models import EmailAddress

    EmailAddress.objects.create(user=person, email=person.email, primary=True, verified=True)

    client.post("/accounts/login/", {"login": person.email, "password": "a sentence that is long enough"})
    client.post("/apply/start/small-2027/")

    assert Application.objects.get().level == "doctoral"


def test_other_doors_take_as_many_queries_for_thirty_calls_as_for_one():
    call = make_call()
    make_call("other-0")
    client = browser()
    ask(client)
    Call.objects.filter(pk=call.pk).update(levels=["doctoral"])
    one = queries_of(client, f"{ASKED}result/")
    for number in range(1, 30):
        make_call(f"other-{number}")

    thirty = queries_of(client, f"{ASKED}result/")

    assert (len(doors(client.get(f"{ASKED}result/"))), one, thirty) == (3, 6, 6)
