"""The bodies of a call as officers see them, and acting for one that is absent."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from scholarships.events.models import Event
from scholarships.nominations import actions
from scholarships.nominations.overview import bodies_of, stand_in
from scholarships.people.models import Membership, User
from scholarships.people.rules import deciding_institutions_of
from tests.factories import close_call, make_body_member, make_call, make_institution, make_nomination, make_officer, make_user

pytestmark = pytest.mark.django_db


def test_each_body_is_shown_with_its_files_its_lists_and_whether_it_is_late():
    call = make_call()
    member = make_body_member(make_institution("kg-ministry"))
    for standing in ("ranked", "ranked", "reserve", ""):
        make_nomination(member, call, standing=standing)

    first, *others = bodies_of(call)

    due = call.milestones.get(key="nomination").ends_at
    assert (first.here.body.code, first.files, first.ranked, first.reserve, first.deciders, first.sent) == ("kg-ministry", 4, 2, 1, 1, None)
    assert (first.is_late(due), first.is_late(due + timedelta(minutes=1))) == (False, True)
    assert [(one.here.body.code, one.files, one.deciders, one.is_late(due + timedelta(days=9))) for one in others] == [
        ("kz-ministry", 0, 0, False),
        ("uz-ministry", 0, 0, False),
    ]


def test_a_list_that_was_sent_is_not_late():
    call = make_call()
    ministry = make_institution("kg-ministry")
    member = make_body_member(ministry)
    make_nomination(member, call, standing="ranked")
    make_nomination(member, call, standing="reserve")
    close_call(call)
    actions.send_list(call, ministry, by=member)

    state = next(one for one in bodies_of(call) if one.here.body == ministry)

    assert (state.ranked, state.reserve, state.is_late(timezone.now() + timedelta(days=900))) == (1, 1, False)
    assert state.sent is not None and state.sent.by == member


def test_no_query_is_added_by_a_file():
    call = make_call()
    member = make_body_member(make_institution("kg-ministry"))
    counts = []
    for count in (1, 12):
        for _file in range(count):
            make_nomination(member, call, standing="ranked")
        with CaptureQueriesContext(connection) as queries:
            bodies_of(call)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 7


def test_an_officer_acts_for_a_body_some_days_and_the_log_says_why():
    call, officer = make_call(), make_officer()
    ministry = make_institution("kg-ministry")
    nomination = make_nomination(make_body_member(ministry), call)

    membership = stand_in(call, ministry, reason="late", by=officer)

    officer = User.objects.get(pk=officer.pk)
    assert membership.ends_on == (timezone.now() + timedelta(days=7)).date()
    assert deciding_institutions_of(officer) == {"kg-ministry"}
    event = Event.objects.get(name="nomination.stood_in")
    assert (event.by, event.subject_key, event.data["body"], event.data["reason"]) == (officer, call.code, "kg-ministry", "late")
    actions.put_on_list(nomination, "ranked", by=officer)
    with pytest.raises(ValidationError) as again:
        stand_in(call, ministry, reason="late", by=officer)
    assert again.value.code == "already"


def test_only_officers_of_the_site_with_a_reason_and_for_bodies_of_the_call():
    call = make_call()
    ministry = make_institution("kg-ministry")

    for somebody in (make_user(), make_officer(scope="call", key=call.code)):
        with pytest.raises(PermissionDenied):
            stand_in(call, ministry, reason="late", by=somebody)
    for body, reason, code in ((ministry, "", "no_reason"), (make_institution("elsewhere"), "late", "not_here")):
        with pytest.raises(ValidationError) as refused:
            stand_in(call, body, reason=reason, by=make_officer())
        assert refused.value.code == code
    assert not Membership.objects.filter(role="body").exists()
