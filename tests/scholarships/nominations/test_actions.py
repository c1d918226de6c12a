"""A body checks, ranks and sends, within its places and once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.utils import timezone

from scholarships.applications import actions as applications
from scholarships.applications.content import content_of
from scholarships.applications.lifecycle import face
from scholarships.applications.models import Application, Stage, State
from scholarships.calls.models import Call
from scholarships.events.models import Event
from scholarships.nominations import actions
from scholarships.nominations.lists import acting, list_of, places_of, summaries
from scholarships.nominations.models import Nomination, SentList, Standing
from scholarships.nominations.rules import may_read
from scholarships.partners.models import Institution
from scholarships.people.actions import give_role
from scholarships.people.models import Role, Scope, User
from scholarships.quotas.actions import set_places
from scholarships.quotas.models import Entry, Quota
from tests.factories import (
    close_call,
    make_application,
    make_body_member,
    make_call,
    make_institution,
    make_nomination,
    make_officer,
    make_user,
)

pytestmark = pytest.mark.django_db

RANKED, RESERVE, TO_CHECK = Standing.RANKED, Standing.RESERVE, Standing.TO_CHECK


@pytest.fixture
def call() -> Call:
    return make_call()


@pytest.fixture
def ministry(call) -> Institution:
    return Institution.objects.get(code="kg-ministry")


@pytest.fixture
def member(ministry) -> User:
    return make_body_member(ministry)


def again(nomination: Nomination) -> Nomination:
    """The row as another page reads it."""
    return Nomination.objects.select_related("application__call", "application__version", "stage", "body").get(pk=nomination.pk)


def order(call: Call, ministry: Institution, standing: str = RANKED) -> list[str]:
    """Names and ranks of one list."""
    rows = Nomination.objects.at_hand().filter(call=call, body=ministry, standing=standing).order_by("rank")
    return [f"{rank} {name.split()[0]}" for rank, name in rows.values_list("rank", "application__name")]


def codes_of(refused: pytest.ExceptionInfo[ValidationError]) -> list[str]:
    return [str(error.code) for error in refused.value.error_list]


def here_of(call: Call, ministry: Institution):
    return acting([ministry], call=call)[0]


# -- Files come ------------------------------------------------------------------


def test_a_file_that_has_come_is_taken_in_once(call, member):
    make_application(call)

    assert (actions.take_in(member), actions.take_in(member)) == (1, 0)
    assert [row.standing for row in Nomination.objects.visible_to(member)] == [TO_CHECK]


def test_a_body_takes_in_its_own_candidates_only(call, member):
    make_application(call, citizenship="KZ")

    assert actions.take_in(member) == 0


def test_the_list_of_what_one_sees_and_the_rule_agree(call, member):
    make_nomination(member, call)
    others = [member, make_body_member(Institution.objects.get(code="kz-ministry")), make_officer(), make_user()]

    for user in others:
        seen = set(Nomination.objects.visible_to(user))
        assert seen == {row for row in Nomination.objects.all() if may_read(user, row)}
    assert [Nomination.objects.visible_to(user).count() for user in others] == [1, 0, 0, 0]


# -- Checks ----------------------------------------------------------------------


def test_checks_are_kept_without_a_decision(call, member):
    nomination = make_nomination(member, call)

    actions.save_checks(nomination, {"passport": "yes", "transcript": "unclear"}, "The seal is faint.", by=member)

    kept = again(nomination)
    assert (kept.checks, kept.comment, kept.standing) == ({"passport": "yes", "transcript": "unclear"}, "The seal is faint.", TO_CHECK)


def test_checks_of_a_page_that_is_no_longer_the_newest_overwrite_nothing(call, member):
    nomination = make_nomination(member, call)
    opened_at = nomination.updated_at
    actions.save_checks(again(nomination), {"passport": "no"}, "Colleague", by=member, known=opened_at)

    with pytest.raises(ValidationError) as refused:
        actions.save_checks(again(nomination), {"passport": "yes"}, "Mine", by=member, known=opened_at)

    assert codes_of(refused) == ["changed_meanwhile"]
    assert again(nomination).comment == "Colleague"


def test_the_same_checks_sent_twice_are_no_conflict(call, member):
    nomination = make_nomination(member, call)
    opened_at = nomination.updated_at

    for _click in range(2):
        actions.save_checks(again(nomination), {"passport": "yes"}, "", by=member, known=opened_at)

    assert again(nomination).checks == {"passport": "yes"}


def test_a_change_that_the_applicant_hands_in_after_the_check_is_marked(call, member):
    nomination = make_nomination(member, call, standing=RANKED)
    application = nomination.application
    before = again(nomination).is_changed_since
    applications.open_change(application, by=application.applicant)
    applications.submit(application, by=application.applicant)

    assert (before, again(nomination).is_changed_since) == (False, True)


def test_a_move_in_the_list_is_no_look_at_the_file(call, member):
    nomination = make_nomination(member, call, standing=RANKED)
    application = nomination.application
    applications.open_change(application, by=application.applicant)
    applications.submit(application, by=application.applicant)

    actions.put_on_list(again(nomination), RESERVE, by=member)

    assert again(nomination).is_changed_since


# -- The order -------------------------------------------------------------------


def test_nominees_go_to_the_end_of_the_list(call, member, ministry):
    for name in ("AIZADA", "BEKZAT", "CHYNARA"):
        make_nomination(member, call, name=name, standing=RANKED)

    assert order(call, ministry) == ["1 AIZADA", "2 BEKZAT", "3 CHYNARA"]


def test_many_files_go_to_the_list_together_in_their_order(call, member, ministry):
    rows = [make_nomination(member, call, name=name) for name in ("AIZADA", "BEKZAT", "CHYNARA")]

    assert actions.put_all_on_list([rows[2], rows[0]], RANKED, by=member) == 2
    assert (order(call, ministry), again(rows[1]).standing) == (["1 CHYNARA", "2 AIZADA"], TO_CHECK)
    assert Event.objects.filter(name=actions.CHECKED).count() == 2


def test_up_and_down_change_places_with_the_neighbour(call, member, ministry):
    first, second, third = (make_nomination(member, call, name=name, standing=RANKED) for name in ("AIZADA", "BEKZAT", "CHYNARA"))

    actions.move(again(third), -1, by=member)
    assert order(call, ministry) == ["1 AIZADA", "2 CHYNARA", "3 BEKZAT"]
    actions.move(again(first), +1, by=member)
    assert order(call, ministry) == ["1 CHYNARA", "2 AIZADA", "3 BEKZAT"]
    actions.move(again(second), +1, by=member)
    assert order(call, ministry) == ["1 CHYNARA", "2 AIZADA", "3 BEKZAT"]


def test_who_leaves_the_list_leaves_no_gap(call, member, ministry):
    first, _second, third = (make_nomination(member, call, name=name, standing=RANKED) for name in ("AIZADA", "BEKZAT", "CHYNARA"))

    actions.put_on_list(again(first), RESERVE, by=member)
    actions.turn_down(again(third), by=member, note="The interview was not passed.")

    assert (order(call, ministry), order(call, ministry, RESERVE)) == (["1 BEKZAT"], ["1 AIZADA"])


def test_who_withdraws_is_off_the_list_and_the_others_can_still_be_moved(call, member, ministry):
    _first, second, third = (make_nomination(member, call, name=name, standing=RANKED) for name in ("AIZADA", "BEKZAT", "CHYNARA"))
    applications.withdraw(second.application, by=second.application.applicant)

    actions.move(again(third), -1, by=member)

    assert order(call, ministry) == ["1 CHYNARA", "2 AIZADA"]


def test_a_second_click_on_the_same_button_moves_nothing(call, member, ministry):
    rows = [make_nomination(member, call, name=name, standing=RANKED) for name in ("AIZADA", "BEKZAT", "CHYNARA")]

    for _click in range(2):
        actions.move(again(rows[2]), -1, by=member, known=3)

    assert order(call, ministry) == ["1 AIZADA", "2 CHYNARA", "3 BEKZAT"]


def test_a_move_from_a_page_that_is_no_longer_the_newest_is_refused(call, member, ministry):
    rows = [make_nomination(member, call, name=name, standing=RANKED) for name in ("AIZADA", "BEKZAT", "CHYNARA")]
    actions.move(again(rows[0]), +1, by=member)
    actions.move(again(rows[0]), +1, by=member)

    with pytest.raises(ValidationError) as refused:
        actions.move(again(rows[0]), +1, by=member, known=1)

    assert codes_of(refused) == ["changed_meanwhile"]


def test_of_two_who_decide_the_same_file_at_once_the_second_is_told(call, member):
    nomination = make_nomination(member, call)
    mine, theirs = again(nomination), again(nomination)
    actions.put_on_list(mine, RANKED, by=member)

    with pytest.raises(ValidationError) as refused:
        actions.put_on_list(theirs, RESERVE, by=member)

    assert codes_of(refused) == ["changed_meanwhile"]
    assert again(nomination).standing == RANKED


def test_a_file_withdrawn_a_moment_ago_is_not_put_on_the_list(call, member):
    nomination = make_nomination(member, call)
    applications.withdraw(nomination.application, by=nomination.application.applicant)

    with pytest.raises(ValidationError) as refused:
        actions.put_on_list(nomination, RANKED, by=member)

    assert codes_of(refused) == ["changed_meanwhile"]


@pytest.mark.parametrize("act", ["save_checks", "put_on_list", "move", "give_file_back", "turn_down"])
def test_a_member_of_another_body_decides_nothing(call, member, act):
    nomination = make_nomination(member, call, standing=RANKED)
    stranger = make_body_member(Institution.objects.get(code="kz-ministry"))
    until = timezone.now() + timedelta(days=5)
    acts = {
        "save_checks": lambda: actions.save_checks(nomination, {}, "", by=stranger),
        "put_on_list": lambda: actions.put_on_list(nomination, RESERVE, by=stranger),
        "move": lambda: actions.move(nomination, 1, by=stranger),
        "give_file_back": lambda: actions.give_file_back(nomination, by=stranger, reason="other", sections=["plan"], until=until, note="x"),
        "turn_down": lambda: actions.turn_down(nomination, by=stranger, note="x"),
    }

    with pytest.raises(PermissionDenied):
        acts[act]()

    assert again(nomination).standing == RANKED


# -- Not nominated, returned -----------------------------------------------------


def test_not_nominated_tells_the_reason_at_once(call, member):
    nomination = make_nomination(member, call)

    actions.turn_down(nomination, by=member, note="  Fifth of five in the interview. ")

    application = Application.objects.select_related("call").get(pk=nomination.application_id)
    assert (application.state, application.note) == (State.NOT_SELECTED, "Fifth of five in the interview.")
    assert face(application, at=timezone.now()).key == "not_selected"
    assert again(nomination).standing == Standing.NOT_NOMINATED


def test_not_nominated_without_a_reason_is_refused(call, member):
    nomination = make_nomination(member, call)

    with pytest.raises(ValidationError) as refused:
        actions.turn_down(nomination, by=member, note="   ")

    assert (codes_of(refused), again(nomination).standing) == (["no_reason"], TO_CHECK)


def test_turned_down_twice_with_one_key_is_turned_down_once(call, member):
    nomination = make_nomination(member, call)

    for _click in range(2):
        actions.turn_down(again(nomination), by=member, note="Too late.", key="once")

    assert Event.objects.filter(name="application.not_nominated").count() == 1


def test_a_returned_file_opens_only_the_sections_named(call, member):
    nomination = make_nomination(member, call, standing=RANKED)
    applicant = nomination.application.applicant
    until = timezone.now() + timedelta(days=5)

    actions.give_file_back(nomination, by=member, reason="unreadable", sections=["documents"], until=until, note="Page 2 is cut off.")

    application = Application.objects.get(pk=nomination.application_id)
    assert (application.state, application.reopened, application.correct_by) == (State.RETURNED, ["documents"], until)
    assert applications.require_writable(application, "documents", by=applicant, now=timezone.now())
    with pytest.raises(ValidationError) as refused:
        applications.require_writable(application, "plan", by=applicant, now=timezone.now())
    assert codes_of(refused) == ["not_open"]


def test_a_returned_file_leaves_the_list_and_comes_back_as_a_new_row(call, member, ministry):
    nomination = make_nomination(member, call, standing=RANKED)
    make_nomination(member, call, name="BEKZAT", standing=RANKED)
    until = timezone.now() + timedelta(days=5)
    actions.give_file_back(nomination, by=member, reason="unreadable", sections=["documents"], until=until, note="Page 2.")
    while_away = order(call, ministry)
    application = Application.objects.get(pk=nomination.application_id)
    applications.submit(application, by=application.applicant)
    actions.take_in(member)

    rows = Nomination.objects.filter(application=application).order_by("pk")
    assert while_away == ["1 BEKZAT"]
    assert [(row.standing, row.is_at_hand) for row in rows] == [(TO_CHECK, False), (TO_CHECK, True)]
    assert list(Nomination.objects.filter(call=call).gone()) == []


@pytest.mark.parametrize(
    ("sections", "days", "code"), [([], 5, "no_sections"), (["nothing"], 5, "no_sections"), (["plan"], -1, "too_early")]
)
def test_a_return_without_sections_or_with_a_past_date_changes_nothing(call, member, sections, days, code):
    nomination = make_nomination(member, call, standing=RANKED)
    until = timezone.now() + timedelta(days=days)

    with pytest.raises(ValidationError) as refused:
        actions.give_file_back(nomination, by=member, reason="other", sections=sections, until=until, note="x")

    kept = again(nomination)
    assert (codes_of(refused), kept.standing, kept.rank, kept.application.state) == ([code], RANKED, 1, State.SUBMITTED)


def test_returned_twice_with_one_key_is_returned_once(call, member):
    nomination = make_nomination(member, call)
    until = timezone.now() + timedelta(days=5)

    for _click in range(2):
        actions.give_file_back(again(nomination), by=member, reason="other", sections=["plan"], until=until, note="x", key="once")

    assert Event.objects.filter(name="application.returned").count() == 1


# -- Papers ----------------------------------------------------------------------


def test_turning_pages_for_an_hour_is_one_reading(call, member):
    nomination = make_nomination(member, call)
    content = content_of(nomination.application, nomination.application.revision)
    passport = content.attached("passport")[0].file
    now = timezone.now()

    for minutes in (0, 1, 59, 61):
        actions.read_paper(nomination, passport, by=member, at=now + timedelta(minutes=minutes))

    readings = Event.objects.filter(name="document.opened")
    assert [(event.by, event.actor, event.data["application"]) for event in readings] == [
        (member, "nominating body", nomination.application.code),
        (member, "nominating body", nomination.application.code),
    ]


# -- Places ----------------------------------------------------------------------


def places(call: Call, ministry: Institution) -> list[tuple[str, int, int]]:
    return [(one.name, one.nominated, one.places) for one in list_of(here_of(call, ministry)).places]


def test_places_are_counted_by_level(call, member, ministry):
    for _number in range(2):
        make_nomination(member, call, standing=RANKED)
    make_nomination(member, call, standing=RANKED, level="doctoral")
    make_nomination(member, call, standing=RESERVE)
    make_nomination(member, call)

    assert places(call, ministry) == [("Master’s", 2, 3), ("Doctorate", 1, 1)]


def test_a_level_for_which_a_body_got_no_places_has_none(call):
    assert places(call, Institution.objects.get(code="kz-ministry")) == [("Master’s", 0, 3), ("Doctorate", 0, 0)]


def test_without_any_quota_for_nominations_nothing_limits_a_list(call, ministry):
    Entry.objects.all().delete()
    Quota.objects.filter(call=call).delete()

    assert places(call, ministry) == []


def test_places_of_a_body_bind_all_its_levels_together(call, member, ministry):
    set_places(call, "nomination", "a.body", {("kg-ministry",): 1})
    make_nomination(member, call, standing=RANKED)
    make_nomination(member, call, standing=RANKED, level="doctoral")

    assert places(call, ministry) == [("All levels", 2, 1), ("Master’s", 1, 3), ("Doctorate", 1, 1)]


def test_all_lists_of_a_member_in_numbers(call, member, ministry):
    make_nomination(member, call, standing=RANKED)
    make_nomination(member, call, standing=RESERVE)
    make_nomination(member, call)
    withdrawn = make_nomination(member, call, standing=RANKED).application
    applications.withdraw(withdrawn, by=withdrawn.applicant)

    [card] = summaries([ministry])

    assert (card.to_check, card.ranked, card.reserve, card.sent) == (1, 1, 1, None)
    assert [(one.name, one.nominated, one.places) for one in card.places] == places(call, ministry)


def test_a_body_that_acts_for_two_countries_has_the_places_of_each(call, ministry):
    kazakh = Institution.objects.get(code="kz-ministry")
    here = here_of(call, ministry)
    both = type(here)(here.call, here.body, here.step, here.title, here.order, (ministry.country, kazakh.country), None)

    found = places_of(both, Quota.objects.filter(call=call), {("master", "KG"): 4, ("master", "KZ"): 1})

    assert [(one.name, one.nominated, one.places) for one in found if one.level == "master"] == [
        ("Kyrgyzstan, Master’s", 4, 3),
        ("Kazakhstan, Master’s", 1, 3),
    ]


# -- Sending ---------------------------------------------------------------------


def test_a_sent_list_takes_the_nominated_on_and_leaves_the_reserve(call, member, ministry):
    first, second = (make_nomination(member, call, name=name, standing=RANKED) for name in ("AIZADA", "BEKZAT"))
    waiting = make_nomination(member, call, name="CHYNARA", standing=RESERVE)
    close_call(call)

    sent = actions.send_list(call, ministry, by=member)

    assert (sent.nominated, sent.reserve, sent.by, sent.step) == (2, 1, member, "nomination")
    assert [Application.objects.get(pk=row.application_id).state for row in (first, second, waiting)] == [
        State.NOMINATED,
        State.NOMINATED,
        State.SUBMITTED,
    ]
    assert list(Stage.objects.filter(left_at__isnull=True).order_by("application").values_list("step", flat=True)) == [
        "eligibility",
        "eligibility",
        "nomination",
    ]
    ranks = Event.objects.filter(name="application.nominated").order_by("pk").values_list("subject_key", "data__rank", "data__body")
    assert list(ranks) == [(first.application.code, 1, "kg-ministry"), (second.application.code, 2, "kg-ministry")]
    quota = Quota.objects.get(call=call, purpose="nomination", cell="KG,master")
    assert (quota.held, quota.used) == (0, 2)


def test_ranks_are_sent_without_the_gaps_of_those_who_withdrew(call, member, ministry):
    first, second = (make_nomination(member, call, name=name, standing=RANKED) for name in ("AIZADA", "BEKZAT"))
    applications.withdraw(first.application, by=first.application.applicant)
    close_call(call)

    actions.send_list(call, ministry, by=member)

    assert again(second).rank == 1
    assert [event.data["rank"] for event in Event.objects.filter(name="application.nominated")] == [1]


def test_a_list_over_its_places_is_refused_and_says_who_is_over(call, member, ministry):
    for name in ("AIZADA", "BEKZAT", "CHYNARA", "DASTAN", "ELMIRA"):
        make_nomination(member, call, name=name, standing=RANKED)
    close_call(call)

    with pytest.raises(ValidationError) as refused:
        actions.send_list(call, ministry, by=member)

    assert codes_of(refused) == ["over_places", "over_places"]
    assert refused.value.messages == [
        "DASTAN ASANOVA, rank 4, is over your 3 places (Master’s). Move one to the reserve list.",
        "ELMIRA ASANOVA, rank 5, is over your 3 places (Master’s). Move one to the reserve list.",
    ]
    assert (SentList.objects.count(), Application.objects.filter(state=State.NOMINATED).count()) == (0, 0)


def test_each_level_has_its_own_places(call, member, ministry):
    make_nomination(member, call, name="AIZADA", standing=RANKED, level="doctoral")
    make_nomination(member, call, name="BEKZAT", standing=RANKED)
    make_nomination(member, call, name="CHYNARA", standing=RANKED, level="doctoral")
    close_call(call)

    with pytest.raises(ValidationError) as refused:
        actions.send_list(call, ministry, by=member)

    assert refused.value.messages == ["CHYNARA ASANOVA, rank 3, is over your 1 place (Doctorate). Move one to the reserve list."]


def test_a_list_as_long_as_the_places_is_sent(call, member, ministry):
    for name in ("AIZADA", "BEKZAT", "CHYNARA"):
        make_nomination(member, call, name=name, standing=RANKED)
    close_call(call)

    assert actions.send_list(call, ministry, by=member).nominated == 3


def test_a_list_is_sent_once(call, member, ministry):
    make_nomination(member, call, standing=RANKED)
    make_nomination(member, call, standing=RESERVE)
    close_call(call)
    actions.send_list(call, ministry, by=member)

    with pytest.raises(ValidationError) as refused:
        actions.send_list(call, ministry, by=member)

    assert (codes_of(refused), SentList.objects.count()) == (["sent_already"], 1)
    assert Event.objects.filter(name=actions.LIST_SENT).count() == 1


def test_while_the_call_is_open_it_is_too_early(call, member, ministry):
    make_nomination(member, call, standing=RANKED)

    with pytest.raises(ValidationError) as refused:
        actions.send_list(call, ministry, by=member, at=call.last_moment())
    assert codes_of(refused) == ["too_early"]
    assert actions.send_list(call, ministry, by=member, at=call.last_moment() + timedelta(seconds=1)).nominated == 1


def test_undecided_files_are_named(call, member, ministry):
    make_nomination(member, call, standing=RANKED)
    open_one = make_nomination(member, call, name="BEKZAT")
    close_call(call)

    with pytest.raises(ValidationError) as refused:
        actions.send_list(call, ministry, by=member)

    assert codes_of(refused) == ["to_check"]
    assert refused.value.messages == [f"BEKZAT ASANOVA, {open_one.application.code}, is not decided yet."]


def test_an_empty_list_is_not_sent(call, member, ministry):
    make_nomination(member, call, standing=RESERVE)
    close_call(call)

    with pytest.raises(ValidationError) as refused:
        actions.send_list(call, ministry, by=member)

    assert codes_of(refused) == ["empty"]


def test_another_list_than_the_one_that_was_read_is_not_sent(call, member, ministry):
    first, _second = (make_nomination(member, call, name=name, standing=RANKED) for name in ("AIZADA", "BEKZAT"))
    close_call(call)
    read = list_of(here_of(call, ministry)).digest
    actions.move(again(first), +1, by=member)

    with pytest.raises(ValidationError) as refused:
        actions.send_list(call, ministry, by=member, seen=read)

    assert (codes_of(refused), SentList.objects.count()) == (["changed_meanwhile"], 0)
    assert actions.send_list(call, ministry, by=member, seen=list_of(here_of(call, ministry)).digest).nominated == 2


def test_places_that_somebody_else_took_a_moment_ago_are_not_taken_twice(call, member, ministry):
    make_nomination(member, call, standing=RANKED)
    close_call(call)
    Quota.objects.filter(call=call, purpose="nomination", cell="KG,master").update(held=3)

    with pytest.raises(ValidationError) as refused:
        actions.send_list(call, ministry, by=member)

    assert codes_of(refused) == ["over_places"]


def test_a_member_of_another_body_sends_nothing(call, member, ministry):
    make_nomination(member, call, standing=RANKED)
    close_call(call)

    with pytest.raises(PermissionDenied):
        actions.send_list(call, ministry, by=make_body_member(Institution.objects.get(code="kz-ministry")))


def test_a_body_that_the_call_does_not_name_sends_nothing(call):
    elsewhere = make_institution("tj-ministry", kind="ministry", country="TJ")

    with pytest.raises(PermissionDenied):
        actions.send_list(close_call(call), elsewhere, by=make_body_member(elsewhere))


def test_after_sending_nothing_can_be_decided_about_those_on_the_list(call, member, ministry):
    nominated = make_nomination(member, call, standing=RANKED)
    waiting = make_nomination(member, call, standing=RESERVE)
    close_call(call)
    actions.send_list(call, ministry, by=member)

    for row, standing in ((nominated, RESERVE), (waiting, RANKED)):
        with pytest.raises(ValidationError) as refused:
            actions.put_on_list(again(row), standing, by=member)
        assert codes_of(refused) == ["wrong_state"]


def test_a_file_that_comes_back_after_sending_is_too_late_for_the_list_but_can_be_answered(call, member, ministry):
    make_nomination(member, call, standing=RANKED)
    late = make_nomination(member, call, name="BEKZAT")
    until = timezone.now() + timedelta(days=5)
    actions.give_file_back(late, by=member, reason="other", sections=["plan"], until=until, note="x")
    close_call(call)
    actions.send_list(call, ministry, by=member)
    application = Application.objects.get(pk=late.application_id)
    applications.submit(application, by=application.applicant)
    actions.take_in(member)
    back = again(Nomination.objects.filter(application=application).latest("pk"))

    with pytest.raises(ValidationError) as refused:
        actions.put_on_list(back, RANKED, by=member)
    assert codes_of(refused) == ["sent_already"]
    actions.turn_down(back, by=member, note="Too late for our list.")
    assert again(back).standing == Standing.NOT_NOMINATED


def test_a_member_of_two_bodies_has_a_list_for_each(call, member, ministry):
    give_role(member, Role.BODY, scope=Scope.INSTITUTION, key="kz-ministry")
    member = User.objects.get(pk=member.pk)
    make_nomination(member, call)
    make_nomination(member, call, citizenship="KZ")
    bodies = [ministry, Institution.objects.get(code="kz-ministry")]

    assert [(card.here.body.code, card.to_check) for card in summaries(bodies)] == [("kg-ministry", 1), ("kz-ministry", 1)]


@pytest.mark.django_db(transaction=True)
def test_lists_sent_at_once_by_many_leave_once():
    call = make_call()
    ministry = Institution.objects.get(code="kg-ministry")
    member = make_body_member(ministry)
    for name in ("AIZADA", "BEKZAT"):
        make_nomination(member, call, name=name, standing=RANKED)
    close_call(call)

    outcomes = at_once(8, lambda: actions.send_list(call, ministry, by=User.objects.get(pk=member.pk)))

    assert sorted(outcomes) == ["done"] + ["sent_already"] * 7
    quota = Quota.objects.get(call=call, purpose="nomination", cell="KG,master")
    assert (SentList.objects.count(), quota.held, quota.used) == (1, 0, 2)


@pytest.mark.django_db(transaction=True)
def test_files_put_on_the_list_at_once_get_a_rank_each():
    call = make_call()
    ministry = Institution.objects.get(code="kg-ministry")
    member = make_body_member(ministry)
    rows = iter([make_nomination(member, call, name=name) for name in ("AIZADA", "BEKZAT", "CHYNARA", "DASTAN")])

    outcomes = at_once(4, lambda: actions.put_on_list(next(rows), RANKED, by=member))

    assert outcomes == ["done"] * 4
    assert sorted(Nomination.objects.values_list("rank", flat=True)) == [1, 2, 3, 4]


def at_once(number: int, act: Callable[[], object]) -> list[str]:
    """What NUMBER threads get that do ACT at the same moment: "done" or the code of the refusal."""
    gate = Barrier(number)

    def one(_number: int) -> str:
        gate.wait()
        try:
            act()
        except ValidationError as refused:
            return str(refused.error_list[0].code)
        finally:
            connection.close()
        return "done"

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(one, range(number)))
