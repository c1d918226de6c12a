"""Ranked choices: up, down, out and in by plain buttons."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from scholarships.applications.models import Answer, Application, Choice
from scholarships.calls.models import Call
from scholarships.programmes.models import Programme
from tests.exchange.pages import browser, hidden, main_of, problems, queries_of
from tests.factories import make_call, make_draft, make_institution, make_programme

pytestmark = pytest.mark.django_db


@pytest.fixture
def call() -> Call:
    return make_call(programmes=4)


@pytest.fixture
def draft(call) -> Application:
    """Three choices: a, b, c. A fourth programme, d, could be added."""
    return make_draft(call, choices=list(call.programmes.order_by("code")[:3]))


def page(application: Application) -> str:
    return f"/apply/{application.code}/choices/"


def ranked(application: Application) -> str:
    rows = Choice.objects.filter(revision__application=application).order_by("rank")
    assert list(rows.values_list("rank", flat=True)) == list(range(1, len(rows) + 1))
    return "".join(code.removeprefix("small-") for code in rows.values_list("programme__code", flat=True))


@pytest.mark.parametrize(
    ("button", "code", "after"),
    [
        ("up", "b", "bac"),
        ("up", "c", "acb"),
        ("up", "a", "abc"),
        ("down", "a", "bac"),
        ("down", "b", "acb"),
        ("down", "c", "abc"),
        ("remove", "a", "bc"),
        ("remove", "c", "ab"),
        ("up", "d", "abc"),
        ("remove", "d", "abc"),
    ],
)
def test_each_button_moves_one_choice(draft, button, code, after):
    answer = browser(draft.applicant).post(page(draft), {button: f"small-{code}"})

    assert (answer.status_code, answer["Location"], ranked(draft)) == (302, page(draft), after)


def test_the_page_has_these_buttons_in_a_plain_form_and_none_that_lead_nowhere(draft):
    answer = browser(draft.applicant).get(page(draft)).content.decode()

    buttons = re.findall(r'name="(up|down|remove)" value="small-(\w)"( disabled)?', answer)
    assert [f"{name} {code}{' off' if off else ''}" for name, code, off in buttons] == [
        "up a off", "down a", "remove a", "up b", "down b", "remove b", "up c", "down c off", "remove c",
    ]  # fmt: skip


def test_a_programme_is_added_at_the_end(draft):
    client = browser(draft.applicant)
    client.post(page(draft), {"remove": "small-a"})

    answer = client.post(page(draft), {"add": "small-d"})

    assert (answer.status_code, ranked(draft)) == (302, "bcd")


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        ({"add": "small-d"}, "This call takes at most 3 choices."),
        ({"add": "elsewhere"}, "This programme is not part of the call."),
        ({"add": "nowhere"}, "This programme is not part of the call."),
        ({"add": "x" * 5000}, "This programme is not part of the call."),
    ],
)
def test_what_cannot_be_chosen_is_said(draft, sent, says):
    make_programme("elsewhere")

    answer = browser(draft.applicant).post(page(draft), sent)

    assert (answer.status_code, problems(answer), ranked(draft)) == (422, [says], "abc")


def test_a_programme_is_chosen_once(draft):
    client = browser(draft.applicant)
    client.post(page(draft), {"remove": "small-c"})

    answer = client.post(page(draft), {"add": "small-a"})

    assert (answer.status_code, problems(answer), ranked(draft)) == (422, ["You have chosen this programme already."], "ab")


def test_the_section_is_complete_with_one_choice_at_least(draft):
    client = browser(draft.applicant)
    for code in "abc":
        client.post(page(draft), {"remove": f"small-{code}"})
    none = client.post(page(draft), {"version": "0", "done": "y"})
    client.post(page(draft), {"add": "small-a"})

    answer = client.post(page(draft), {"version": hidden(client.get(page(draft)), "version"), "done": "y"})

    assert (none.status_code, problems(none)) == (422, ["Choose at least one programme."])
    assert (answer.status_code, answer["Location"]) == (302, f"/apply/{draft.code}/sections/plan/")
    assert Answer.objects.get(revision__application=draft, section="choices").is_done is True


def test_save_and_come_back_later_leads_to_the_task_list(draft):
    answer = browser(draft.applicant).post(page(draft), {"version": "0", "exit": "1"})

    assert (answer.status_code, answer["Location"]) == (302, f"/apply/{draft.code}/")


def test_a_programme_of_another_level_is_marked_and_keeps_the_section_from_being_complete(draft, call):
    Programme.objects.filter(code="small-b").update(level="doctoral")
    client = browser(draft.applicant)

    opened, sent = client.get(page(draft)), client.post(page(draft), {"version": "0", "done": "y"})

    title = Programme.objects.get(code="small-b").title
    assert "Not offered at the level you chose." in main_of(opened)
    assert (sent.status_code, problems(sent)) == (422, [f"“{title}” is not offered at the level you chose."])


@pytest.mark.parametrize("version", ["", "abc", "7", "9" * 30])
def test_a_page_that_was_saved_elsewhere_meanwhile_is_409(draft, version):
    client = browser(draft.applicant)
    client.post(page(draft), {"version": "0", "done": "n"})

    answer = client.post(page(draft), {"version": version, "done": "n"})

    assert (answer.status_code, problems(answer)) == (
        409,
        ["This page was saved in another window or on another device since you opened it."],
    )


def test_after_the_deadline_a_button_is_409_and_moves_nothing(draft):
    Call.objects.update(closes_at=timezone.now() - timedelta(days=1))

    answer = browser(draft.applicant).post(page(draft), {"up": "small-b"})

    assert (answer.status_code, ranked(draft)) == (409, "abc")
    assert "The call has closed. What you saved is kept, but nothing can be changed any more." in main_of(answer)


def test_the_page_takes_as_many_queries_for_three_choices_as_for_one(call):
    for number in range(3):
        call.programmes.add(make_programme(f"p-{number}", host=make_institution(f"host-{number}", name=f"Host {number}")))
    one = make_draft(call, choices=[call.programmes.get(code="p-0")])
    three = make_draft(call, choices=list(call.programmes.filter(code__startswith="p-")))

    assert (queries_of(browser(one.applicant), page(one)), queries_of(browser(three.applicant), page(three))) == (8, 8)
