"""The result with its reasons, and the answer to an offer: shown once more before it counts, and counted once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from scholarships.allocations import actions as allocations
from scholarships.allocations.models import Run
from scholarships.applications import actions as applications
from scholarships.applications.models import Application, State
from scholarships.calls.actions import publish_now
from scholarships.calls.models import Call
from scholarships.events.models import Event
from scholarships.offers import actions
from scholarships.offers.models import Offer
from scholarships.quotas.models import Purpose, Quota
from tests.exchange.pages import all_in, browser, hidden, main_of, problem_targets, problems
from tests.factories import make_call, make_candidate, make_nominated, make_officer

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> list[Application]:
    """Four of Kyrgyzstan in the order of their scores, published: two offers, two on the reserve list."""
    call, officer = make_call(), make_officer()
    found = [make_candidate(call, score) for score in ("9.00", "8.00", "7.00", "6.00")]
    run = allocations.confirm(allocations.allocate(call, by=officer), by=officer)
    publish_now(Call.objects.get(pk=call.pk), by=officer)
    actions.make_from(Run.objects.select_related("call").get(pk=run.pk))
    return [Application.objects.select_related("call", "applicant").get(pk=one.pk) for one in found]


def page(application: Application) -> str:
    return f"/apply/{application.code}/result/"


def states(people: list[Application]) -> list[str]:
    return [Application.objects.get(pk=one.pk).state for one in people]


def places() -> tuple[int, int, int]:
    row = Quota.objects.get(purpose=Purpose.AWARD, by="a.country,o.level", cell="KG,master")
    return row.places, row.held, row.used


def answer_with(client, application: Application, answer: str):
    """Choose, read it once more, confirm."""
    once_more = client.post(page(application), {"answer": answer})
    return client.post(page(application), {"answer": answer, "confirmed": "1", "key": hidden(once_more, "key")})


# -- Reading ---------------------------------------------------------------------


def test_an_offer_says_what_why_and_until_when(people):
    offer = Offer.objects.get(application=people[0])

    says = main_of(browser(people[0].applicant).get(page(people[0])))

    assert "You are offered a place" in says
    assert f"Your choice number 1 {offer.programme}, Small Host University" in says
    assert "Tuition 3,000 CNY a month" in says
    assert "Rank 1 of 4 with a score of 9.00 of 10." in says
    assert f"Choice 1 {offer.programme}, Small Host University A place for you." in says
    assert "No answer by" in says


@pytest.mark.parametrize(("rank", "heading", "reason"), [(2, "On the reserve list", "All 2 places are taken (Kyrgyzstan, Master’s) by applications with a higher rank.")])  # fmt: skip
def test_who_gets_no_place_reads_the_reason_for_each_choice(people, rank, heading, reason):
    answer = browser(people[rank].applicant).get(page(people[rank]))

    assert all_in(answer, "h1") == [heading]
    assert main_of(answer).count(reason) == 2
    assert 'name="answer"' not in answer.content.decode()


def test_who_is_found_ineligible_reads_the_reason_at_once():
    application = make_nominated()
    applications.decide_eligibility(
        application, is_eligible=False, criteria=["age"], note="You turn 36 before studies start.", by=make_officer()
    )

    says = main_of(browser(application.applicant).get(page(application)))

    assert "Not eligible" in says
    assert "The reason You turn 36 before studies start." in says


# -- Answering -------------------------------------------------------------------


def test_an_answer_is_asked_for(people):
    answer = browser(people[0].applicant).post(page(people[0]), {})

    assert (answer.status_code, problems(answer)) == (422, ["Choose whether you accept or decline."])
    assert problem_targets(answer) == ["id_answer_0"]


def test_an_answer_that_is_none_is_refused(people):
    answer = browser(people[0].applicant).post(page(people[0]), {"answer": "perhaps", "confirmed": "1"})

    assert (answer.status_code, problems(answer), states(people)[0]) == (422, ["Choose one of the answers offered."], State.OFFERED)


@pytest.mark.parametrize(("answer", "heading"), [("accept", "Accept this place?"), ("decline", "Decline this place?")])
def test_an_answer_is_shown_once_more_before_it_counts(people, answer, heading):
    once_more = browser(people[0].applicant).post(page(people[0]), {"answer": answer})

    assert (once_more.status_code, all_in(once_more, "h1"), states(people)[0]) == (200, [heading], State.OFFERED)
    assert (hidden(once_more, "answer"), hidden(once_more, "confirmed"), len(hidden(once_more, "key")) >= 20) == (answer, "1", True)


def test_an_offer_is_accepted(people):
    client = browser(people[0].applicant)

    answer = answer_with(client, people[0], "accept")

    assert (answer.status_code, answer["Location"]) == (302, page(people[0]))
    assert "You have accepted. The place is yours." in main_of(client.get(page(people[0])))
    assert (states(people), places()) == ([State.ACCEPTED, State.OFFERED, State.RESERVE, State.RESERVE], (2, 1, 1))


def test_an_offer_is_declined_and_the_next_on_the_list_is_offered_the_place(people):
    client = browser(people[0].applicant)

    answer = answer_with(client, people[0], "decline")

    assert (answer.status_code, answer["Location"]) == (302, page(people[0]))
    assert (states(people), places()) == ([State.DECLINED, State.OFFERED, State.OFFERED, State.RESERVE], (2, 2, 0))


@pytest.mark.parametrize("key", ["the same key", "", "x" * 5000])
def test_the_same_answer_sent_twice_counts_once(people, key):
    client = browser(people[0].applicant)

    answers = [client.post(page(people[0]), {"answer": "accept", "confirmed": "1", "key": key}) for _time in range(2)]

    assert [answer["Location"] for answer in answers] == [page(people[0])] * 2
    assert (Event.objects.about(people[0]).filter(name="application.accepted").count(), places()) == (1, (2, 1, 1))


@pytest.mark.parametrize(("first", "second", "state"), [("accept", "decline", State.ACCEPTED), ("decline", "accept", State.DECLINED)])
def test_who_has_answered_cannot_answer_otherwise(people, first, second, state):
    client = browser(people[0].applicant)
    answer_with(client, people[0], first)

    answer = client.post(page(people[0]), {"answer": second, "confirmed": "1", "key": "other"})

    assert (answer.status_code, problems(answer), states(people)[0]) == (409, ["This offer has been answered already."], state)


@pytest.mark.parametrize("answer", ["accept", "decline"])
def test_after_its_date_an_offer_is_not_answered_any_more(people, answer):
    Offer.objects.update(answer_by=timezone.now() - timedelta(minutes=1))
    client = browser(people[0].applicant)

    opened, sent = client.get(page(people[0])), client.post(page(people[0]), {"answer": answer, "confirmed": "1", "key": "late"})

    assert 'name="answer"' not in opened.content.decode()
    assert (sent.status_code, problems(sent), states(people)[0]) == (409, ["The time to answer this offer is over."], State.OFFERED)


def test_an_offer_that_has_lapsed_says_so(people):
    Offer.objects.filter(application=people[0]).update(answer_by=timezone.now() - timedelta(minutes=1))
    actions.lapse_due()
    client = browser(people[0].applicant)

    opened, sent = client.get(page(people[0])), client.post(page(people[0]), {"answer": "accept", "confirmed": "1", "key": "late"})

    assert all_in(opened, "h1") == ["Offer lapsed"]
    assert (sent.status_code, states(people)[0]) == (409, State.LAPSED)


@pytest.mark.parametrize("sent", [{"answer": "accept"}, {"answer": "accept", "confirmed": "1", "key": "k"}, {}])
def test_where_there_is_no_offer_there_is_nothing_to_answer(people, sent):
    reserve, waiting = people[2], make_nominated(make_call("other"))

    answers = [browser(one.applicant).post(page(one), sent) for one in (reserve, waiting)]

    assert [(answer.status_code, all_in(answer, "h1")) for answer in answers] == [(409, ["This is not possible now"])] * 2
    assert "There is no offer that waits for your answer." in main_of(answers[0])
    assert states([reserve, waiting]) == [State.RESERVE, State.NOMINATED]


def test_an_offer_of_somebody_else_is_not_answered(people):
    answer = browser(people[1].applicant).post(page(people[0]), {"answer": "decline", "confirmed": "1", "key": "k"})

    assert (answer.status_code, states(people)[0]) == (404, State.OFFERED)
