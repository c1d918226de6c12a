"""What people do with an application: started once, written without losing a word, handed in whole, changed, withdrawn, given back."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from scholarships.applications import actions, rules
from scholarships.applications.content import canonical, content_of, digest
from scholarships.applications.models import Answer, Application, Attachment, Choice, Revision, Stage, State
from scholarships.calls.form import Section, form_of
from scholarships.calls.loading import load
from scholarships.calls.models import Call
from scholarships.documents.models import DocumentVersion
from scholarships.events.models import Event
from scholarships.programmes.models import Programme
from tests.factories import (
    make_application,
    make_draft,
    make_institution,
    make_nominated,
    make_programme,
    make_user,
    paper_without_check,
    small_call_file,
)

pytestmark = pytest.mark.django_db

WEEK = timedelta(days=7)


@pytest.fixture
def call(world) -> Call:
    return Call.objects.select_related("version").get(pk=world.call.pk)


@pytest.fixture
def draft(call) -> Application:
    return again(make_draft(call, make_user("Aida Draft")))


def again(application: Application) -> Application:
    return Application.objects.select_related("call", "version", "applicant", "revision").get(pk=application.pk)


def section(application: Application, key: str) -> Section:
    found = form_of(application.version).section(key)
    assert found is not None
    return found


def say(application: Application, key: str, values: dict[str, Any], *, version: int | None = None, by: Any = None, **more: Any) -> Answer:
    """Save VALUES in a section as a page does; VERSION as the page knew it, else the newest."""
    if version is None:
        row = Answer.objects.filter(revision__application=application, revision__handed_in_at__isnull=True, section=key).first()
        version = row.version if row else 0
    return actions.save_answers(
        application, section(application, key), values, is_done=True, known_version=version, by=by or application.applicant, **more
    )


def refusal(act: Any, *args: Any, **kwargs: Any) -> list[str]:
    """The codes with which ACT refuses."""
    with pytest.raises(ValidationError) as refused:
        act(*args, **kwargs)
    return [str(error.code) for error in refused.value.error_list]


def events_of(application: Application) -> list[str]:
    return [name.removeprefix("application.") for name in Event.objects.about(application).values_list("name", flat=True)]


def answer(application: Application, key: str) -> dict[str, Any]:
    row = Answer.objects.filter(revision__application=application, section=key).order_by("-revision__number").first()
    assert row is not None
    return {**row.values, **row.identity}


# -- Starting --------------------------------------------------------------------


def test_a_start_makes_a_draft_with_an_empty_revision(call):
    person = make_user()

    application = actions.start(call, by=person)

    assert (application.state, application.applicant, application.version) == (State.DRAFT, person, call.version)
    assert list(application.revisions.values_list("number", "handed_in_at")) == [(1, None)]
    assert events_of(application) == ["started"]


def test_a_second_start_gives_the_first(call):
    person = make_user()

    assert actions.start(call, by=person) == actions.start(call, by=person)
    assert Event.objects.filter(name="application.started", by=person).count() == 1


def test_a_start_carries_along_what_was_answered_before(call):
    application = actions.start(
        call, by=make_user(), answers={"citizenship": "KZ", "level": "doctoral", "family_name": "ABAI", "x": "y", "gpa": ""}
    )

    assert (answer(application, "study"), answer(application, "person")) == (
        {"citizenship": "KZ", "level": "doctoral"},
        {"family_name": "ABAI"},
    )
    assert (again(application).country_id, again(application).level, again(application).name) == ("KZ", "doctoral", "ABAI")
    assert not Answer.objects.filter(revision__application=application, section="education").exists()


@pytest.mark.parametrize(("when", "is_open"), [(-1, False), (0, True), (1, True)])
def test_a_call_takes_a_start_from_its_opening_on(call, when, is_open):
    moment = call.opens_at + timedelta(seconds=when)

    if is_open:
        assert actions.start(call, by=make_user(), at=moment).started_at == moment
    else:
        assert refusal(actions.start, call, by=make_user(), at=moment) == ["closed"]


def test_a_call_takes_no_start_after_its_deadline_and_grace(call):
    last = call.closes_at + timedelta(minutes=15)

    assert actions.start(call, by=make_user(), at=last)
    assert refusal(actions.start, call, by=make_user(), at=last + timedelta(seconds=1)) == ["closed"]


def test_a_call_that_is_not_published_takes_no_start(call):
    call.version = None

    assert refusal(actions.start, call, by=make_user()) == ["closed"]


# -- Writing ---------------------------------------------------------------------


def test_answers_are_kept_and_who_it_is_apart(draft):
    say(draft, "person", {"family_name": "ABAI", "given_names": "AIDA", "unknown": "x"})

    row = Answer.objects.get(revision__application=draft, section="person")
    assert (row.values, row.identity, row.version) == ({}, {"family_name": "ABAI", "given_names": "AIDA"}, 2)


def test_the_application_repeats_what_lists_and_quotas_need(draft):
    say(draft, "person", {"family_name": "ABAI", "given_names": "AIDA"})
    say(draft, "study", {"citizenship": "UZ", "level": "doctoral"})

    kept = again(draft)
    assert (kept.name, kept.sort_key, kept.country_id, kept.level) == ("AIDA ABAI", "abai aida", "UZ", "doctoral")
    assert draft.code.casefold() in kept.search


def test_a_level_or_country_that_does_not_exist_is_not_repeated(draft):
    say(draft, "study", {"citizenship": "Kyrgyzstan", "level": "professor of everything"})

    assert (again(draft).country_id, again(draft).level) == (None, "")


def test_a_save_that_knows_an_older_version_is_refused_and_overwrites_nothing(draft):
    say(draft, "plan", {"plan": "The newer text."}, version=1)

    assert refusal(say, draft, "plan", {"plan": "The older tab."}, version=1) == ["changed_meanwhile"]
    assert refusal(say, draft, "plan", {"plan": "A tab from before."}, version=0) == ["changed_meanwhile"]
    assert answer(draft, "plan") == {"plan": "The newer text."}


def test_each_save_knows_the_next_version(draft):
    assert [say(draft, "plan", {"plan": "x"}).version for _time in range(3)] == [2, 3, 4]


def test_nobody_else_writes(draft, world):
    for who in ("other applicant", "officer of the site", "member of the body in charge", "reviewer of the call", "technician"):
        with pytest.raises(PermissionDenied):
            say(draft, "plan", {"plan": "x"}, by=world[who])
        with pytest.raises(PermissionDenied):
            actions.set_choices(draft, [], by=world[who])
        with pytest.raises(PermissionDenied):
            actions.submit(draft, by=world[who])
        with pytest.raises(PermissionDenied):
            actions.open_change(draft, by=world[who])
        with pytest.raises(PermissionDenied):
            actions.drop_change(draft, by=world[who])

    assert answer(draft, "plan")["plan"].startswith("I want to study")


def test_after_the_deadline_a_draft_can_neither_be_written_nor_handed_in(draft):
    late = draft.call.closes_at + timedelta(minutes=15, seconds=1)

    assert refusal(say, draft, "plan", {"plan": "x"}, at=late) == ["closed"]
    assert refusal(actions.set_choices, draft, [], by=draft.applicant, at=late) == ["closed"]
    assert refusal(actions.submit, draft, by=draft.applicant, at=late) == ["closed"]
    assert (again(draft).state, events_of(draft)) == (State.DRAFT, ["started"])


def test_within_the_grace_a_draft_is_taken(draft):
    last = draft.call.closes_at + timedelta(minutes=15)

    assert actions.submit(draft, by=draft.applicant, at=last).submitted_at == last


# -- Choices ---------------------------------------------------------------------


def test_choices_are_kept_in_their_order(draft):
    one, two = draft.call.programmes.order_by("code")

    actions.set_choices(draft, [two, one], by=draft.applicant)

    assert list(Choice.objects.filter(revision__application=draft).order_by("rank").values_list("rank", "programme__code")) == [
        (1, "small-b"),
        (2, "small-a"),
    ]


def test_choices_that_cannot_be_are_refused_and_the_old_stay(draft):
    one, two = draft.call.programmes.order_by("code")
    elsewhere = make_programme("elsewhere")

    assert refusal(actions.set_choices, draft, [one, one], by=draft.applicant) == ["twice"]
    assert refusal(actions.set_choices, draft, [one, elsewhere], by=draft.applicant) == ["not_in_call"]
    draft.call.choices_max = 1
    assert refusal(actions.set_choices, draft, [one, two], by=draft.applicant) == ["too_many"]
    assert Choice.objects.filter(revision__application=draft).count() == 2


# -- Papers ----------------------------------------------------------------------


def attached(application: Application) -> list[tuple[str, int, int]]:
    rows = Attachment.objects.filter(revision__application=application).order_by("requirement", "order")
    return list(rows.values_list("requirement", "order", "file__number"))


def test_a_paper_that_the_call_does_not_ask_for_or_of_somebody_else_is_refused(draft):
    mine = paper_without_check(draft.applicant, "works")

    assert refusal(actions.attach, draft, "works", mine, by=draft.applicant) == ["not_asked"]
    assert refusal(actions.attach, draft, "passport", paper_without_check(make_user(), "passport"), by=draft.applicant) == ["not_asked"]


def test_more_files_than_fit_are_refused(draft):
    assert refusal(actions.attach, draft, "passport", paper_without_check(draft.applicant, "passport"), by=draft.applicant) == ["too_many"]


def test_a_newer_version_of_the_same_paper_takes_its_place(draft):
    old = Attachment.objects.get(revision__application=draft, requirement="passport").file
    new = DocumentVersion.objects.create(
        document=old.document, number=2, format="pdf", name="new.pdf", size=1, pages=1, sha256="1" * 64, original="none", rebuilt="none"
    )

    actions.attach(draft, "passport", new, by=draft.applicant)

    assert attached(draft) == [("passport", 1, 2), ("transcript", 1, 1)]


def test_a_paper_is_taken_out_of_the_own_application_only(draft, call):
    other = make_draft(call, make_user())
    theirs = Attachment.objects.get(revision__application=other, requirement="passport")

    actions.detach(draft, theirs, by=draft.applicant)

    assert len(attached(other)) == 2


# -- Handing in ------------------------------------------------------------------


def test_handing_in_freezes_hashes_and_enters_the_first_step(draft):
    now = timezone.now()

    actions.submit(draft, by=draft.applicant, at=now)

    kept = again(draft)
    assert (kept.state, kept.submitted_at, kept.first_choice.code) == (State.SUBMITTED, now, "small-a")
    assert (kept.revision.number, kept.revision.handed_in_at) == (1, now)
    assert kept.revision.sha256 == digest(content_of(kept, kept.revision))
    assert list(Stage.objects.filter(application=kept).values_list("kind", "body__code", "left_at")) == [
        ("nomination", "kg-ministry", None)
    ]
    event = Event.objects.about(kept).last()
    assert (event.name, event.by, event.data) == ("application.submitted", kept.applicant, {"revision": 1, "sha256": kept.revision.sha256})


def test_an_incomplete_draft_is_refused_with_all_that_is_missing(draft):
    say(draft, "plan", {"plan": ""})
    actions.set_choices(draft, [], by=draft.applicant)

    with pytest.raises(ValidationError) as refused:
        actions.submit(draft, by=draft.applicant)

    assert refused.value.messages == ["Choose at least one programme.", "Enter an answer: Study plan"]
    assert {error.code for error in refused.value.error_list} == {"incomplete"}
    assert (again(draft).state, events_of(draft)) == (State.DRAFT, ["started"])


def test_the_same_page_sent_twice_hands_in_once(draft):
    actions.submit(draft, by=draft.applicant, key="k")
    second = actions.submit(again(draft), by=draft.applicant, key="k")

    assert (second.state, events_of(draft)) == (State.SUBMITTED, ["started", "submitted"])


def test_an_object_read_before_hears_that_it_is_done(draft):
    stale = again(draft)
    actions.submit(draft, by=draft.applicant, key="k")

    assert actions.submit(stale, by=draft.applicant, key="k").state == State.SUBMITTED
    assert rules.current_stage(stale) == Stage.objects.get(application=draft)


def test_what_is_handed_in_is_not_handed_in_again(draft):
    actions.submit(draft, by=draft.applicant, key="one")

    assert refusal(actions.submit, again(draft), by=draft.applicant, key="two") == ["not_open"]
    assert events_of(draft) == ["started", "submitted"]


def test_one_key_belongs_to_one_application(draft, call):
    other = make_draft(call, make_user())
    actions.submit(draft, by=draft.applicant, key="k")

    actions.submit(other, by=other.applicant, key="k")

    assert again(other).state == State.SUBMITTED


def test_what_is_handed_in_cannot_be_written(draft):
    actions.submit(draft, by=draft.applicant)

    assert refusal(say, draft, "plan", {"plan": "x"}, version=1) == ["not_open"]


# -- The hash --------------------------------------------------------------------


def test_the_same_content_has_the_same_digest(draft):
    first = digest(content_of(again(draft)))
    values = answer(draft, "person")
    say(draft, "person", dict(reversed(list(values.items()))))  # the order in which answers came is not what was said

    assert digest(content_of(again(draft))) == first


def test_the_digest_knows_nothing_of_when_and_how_it_was_written(draft):
    first = canonical(content_of(again(draft)))
    Answer.objects.filter(revision__application=draft).update(is_done=False, version=99, saved_at=timezone.now() + WEEK)
    Revision.objects.filter(application=draft).update(opened_at=timezone.now() + WEEK)
    Application.objects.filter(pk=draft.pk).update(name="Other", note="x", moved_at=timezone.now() + WEEK)

    assert canonical(content_of(again(draft))) == first


def changed_answer(draft: Application) -> None:
    say(draft, "plan", {"plan": "Another plan, of which every word is new and there are ten of them."})


def changed_identity(draft: Application) -> None:
    say(draft, "person", {**answer(draft, "person"), "passport": "AN7654321"})


def changed_entry(draft: Application) -> None:
    say(draft, "education", {**answer(draft, "education"), "schools": [{"name": "Karakol State University", "year": "2025"}]})


def changed_order_of_choices(draft: Application) -> None:
    actions.set_choices(draft, list(draft.call.programmes.order_by("-code")), by=draft.applicant)


def fewer_choices(draft: Application) -> None:
    actions.set_choices(draft, list(draft.call.programmes.order_by("code")[:1]), by=draft.applicant)


def another_file(draft: Application) -> None:
    DocumentVersion.objects.filter(attachments__revision__application=draft, document__kind="passport").update(sha256="1" * 64)


def another_day_of_issue(draft: Application) -> None:
    DocumentVersion.objects.filter(attachments__revision__application=draft, document__kind="passport").update(issued_on=date(2026, 1, 1))


def a_paper_less(draft: Application) -> None:
    Attachment.objects.filter(revision__application=draft, requirement="transcript").delete()


def papers_exchanged(draft: Application) -> None:
    Attachment.objects.filter(revision__application=draft, requirement="transcript").update(requirement="passport", order=2)


@pytest.mark.parametrize(
    "change",
    [
        changed_answer,
        changed_identity,
        changed_entry,
        changed_order_of_choices,
        fewer_choices,
        another_file,
        another_day_of_issue,
        a_paper_less,
        papers_exchanged,
    ],
)
def test_whatever_is_changed_changes_the_digest(draft, change):
    before = digest(content_of(again(draft)))

    change(draft)

    assert digest(content_of(again(draft))) != before


def test_two_people_who_say_the_same_have_different_digests(draft, call):
    other = make_draft(call, make_user())

    assert digest(content_of(other)) != digest(content_of(draft))


# -- Changing --------------------------------------------------------------------


def test_a_change_keeps_what_was_handed_in_valid_until_it_is_handed_in_too(application):
    before = canonical(content_of(application, application.revision))
    old = application.revision

    actions.open_change(application, by=application.applicant)
    say(application, "plan", {"plan": "Another plan, of which every word is new and there are ten of them."})
    say(application, "study", {"citizenship": "KZ", "level": "doctoral"})
    say(application, "person", {**answer(application, "person"), "family_name": "OTHER"})

    kept = again(application)
    assert (kept.state, kept.revision, canonical(content_of(kept, kept.revision))) == (State.SUBMITTED, old, before)
    assert (kept.level, kept.country_id, kept.name) == ("master", "KG", "NURAY ASANOVA")


def test_a_change_is_handed_in_as_the_next_revision(application):
    actions.open_change(application, by=application.applicant)
    say(application, "person", {**answer(application, "person"), "family_name": "OTHER"})

    actions.submit(application, by=application.applicant, key="k")

    kept = again(application)
    assert (kept.state, kept.revision.number, kept.name) == (State.SUBMITTED, 2, "NURAY OTHER")
    assert events_of(kept) == ["started", "submitted", "changed"]
    assert Stage.objects.filter(application=kept).count() == 1


def test_a_change_of_the_citizenship_goes_to_the_body_that_is_in_charge_now(application, world):
    actions.open_change(application, by=application.applicant)
    say(application, "study", {"citizenship": "KZ", "level": "master"})

    actions.submit(application, by=application.applicant)

    kept = again(application)
    assert kept.country_id == "KZ"
    assert list(Stage.objects.filter(application=kept).order_by("pk").values_list("body__code", "outcome")) == [
        ("kg-ministry", "returned"),
        ("kz-ministry", ""),
    ]
    assert rules.may_act_as_body(world["member of another body"], kept)
    assert not rules.may_act_as_body(world["member of the body in charge"], kept)


def test_a_change_that_is_given_up_leaves_everything_as_it_was(application):
    actions.open_change(application, by=application.applicant)
    say(application, "study", {"citizenship": "KZ", "level": "doctoral"})

    actions.drop_change(application, by=application.applicant)

    kept = again(application)
    assert (list(kept.revisions.values_list("number", flat=True)), kept.level, kept.country_id) == ([1], "master", "KG")


def test_a_change_that_is_opened_twice_is_one(application):
    first = actions.open_change(application, by=application.applicant)

    assert actions.open_change(again(application), by=application.applicant) == first


def test_after_the_deadline_what_was_handed_in_counts(application):
    late = application.call.closes_at + timedelta(hours=1)
    actions.open_change(application, by=application.applicant)

    assert refusal(actions.open_change, again(application), by=application.applicant, at=late) == ["closed"]
    assert refusal(actions.submit, again(application), by=application.applicant, at=late) == ["closed"]
    assert again(application).revision.number == 1


def test_a_file_that_has_gone_on_can_no_longer_be_changed(call):
    nominated = make_nominated(call, make_user())

    assert refusal(actions.open_change, nominated, by=nominated.applicant) == ["not_open"]


def test_two_revisions_never_share_their_answers(application):
    actions.open_change(application, by=application.applicant)
    say(application, "plan", {"plan": "Another plan."})

    texts = (
        Answer.objects.filter(revision__application=application, section="plan")
        .order_by("revision__number")
        .values_list("values", flat=True)
    )
    assert [text["plan"][:7] for text in texts] == ["I want ", "Another"]


# -- The home institution --------------------------------------------------------


@pytest.fixture
def call_of_partners(call) -> Call:
    """A call whose first step belongs to the applicant's own university: Karakol or Osh."""
    for code in ("karakol", "osh", "naryn"):
        make_institution(code)
    asked = small_call_file(
        "partners-2027",
        **{
            "      - {key: citizenship, kind: country, label: Citizenship}\n": "      - {key: citizenship, kind: country, label: Citizenship}\n"
            "      - {key: home_institution, kind: institution, label: Your university}\n",
            "body: citizenship": "body: home",
            "bodies: {KG: kg-ministry, KZ: kz-ministry, UZ: uz-ministry}": "bodies: [karakol, osh]",
        },
    )
    return load(asked, opens_on=timezone.localdate() - WEEK)


def test_a_file_goes_to_the_home_institution_of_its_applicant(call_of_partners):
    application = make_application(call_of_partners, make_user(), home_institution="osh")

    assert (again(application).home.code, Stage.objects.get(application=application).body.code) == ("osh", "osh")


@pytest.mark.parametrize("home", ["naryn", "no-such-place"])
def test_students_of_other_institutions_are_told_that_the_call_is_not_for_them(call_of_partners, home):
    draft = make_draft(call_of_partners, make_user(), home_institution=home)

    assert refusal(actions.submit, draft, by=draft.applicant) == ["no_body"]
    assert (again(draft).state, draft.revisions.get().handed_in_at) == (State.DRAFT, None)


# -- Withdrawing and opening again -----------------------------------------------


def test_a_withdrawn_application_ends_its_step_and_can_be_opened_again(application):
    actions.withdraw(application, by=application.applicant, reason="plans")
    assert (again(application).state, again(application).reason) == (State.WITHDRAWN, "plans")
    assert not Stage.objects.filter(application=application, left_at__isnull=True).exists()

    actions.reopen(application, by=application.applicant)

    kept = again(application)
    assert (kept.state, kept.reason) == (State.DRAFT, "")
    assert [(one.number, one.handed_in_at is None) for one in kept.revisions.order_by("number")] == [(1, False), (2, True)]
    assert answer(kept, "plan")["plan"].startswith("I want to study")


def test_what_is_opened_again_counts_when_it_is_handed_in_again(application):
    actions.withdraw(application, by=application.applicant)
    actions.reopen(application, by=application.applicant)
    say(application, "study", {"citizenship": "UZ", "level": "master"})

    actions.submit(application, by=application.applicant)

    assert again(application).revision.number == 2
    assert Stage.objects.get(application=application, left_at__isnull=True).body.code == "uz-ministry"


def test_a_change_that_was_being_written_is_what_is_opened_again(application):
    actions.open_change(application, by=application.applicant)
    say(application, "study", {"citizenship": "UZ", "level": "doctoral"})
    actions.withdraw(application, by=application.applicant)

    actions.reopen(application, by=application.applicant)

    assert (again(application).country_id, again(application).level) == ("UZ", "doctoral")


def test_the_same_withdrawal_sent_twice_is_one(application):
    stale = again(application)
    actions.withdraw(application, by=application.applicant, key="k")

    assert actions.withdraw(stale, by=application.applicant, key="k").state == State.WITHDRAWN
    assert events_of(application) == ["started", "submitted", "withdrawn"]


def test_a_withdrawal_names_one_of_the_reasons_or_none(application):
    assert refusal(actions.withdraw, application, by=application.applicant, reason="I am ill") == ["no_reason"]
    assert again(application).state == State.SUBMITTED


def test_what_is_withdrawn_is_not_written(application):
    actions.open_change(application, by=application.applicant)
    actions.withdraw(application, by=application.applicant)

    assert refusal(say, application, "plan", {"plan": "x"}) == ["not_open"]
    assert refusal(actions.submit, again(application), by=application.applicant) == ["not_open"]


def test_a_draft_is_not_withdrawn(draft):
    assert refusal(actions.withdraw, draft, by=draft.applicant) == ["wrong_state"]


def test_after_the_deadline_a_withdrawn_application_stays_withdrawn(application):
    actions.withdraw(application, by=application.applicant)

    assert refusal(actions.reopen, application, by=application.applicant, at=application.call.closes_at + timedelta(hours=1)) == ["closed"]
    assert again(application).state == State.WITHDRAWN


def test_a_decision_that_is_told_cannot_be_withdrawn_from(application):
    Application.objects.filter(pk=application.pk).update(state=State.NOT_SELECTED)
    Stage.objects.filter(application=application).delete()
    results = application.call.results_at

    assert refusal(actions.withdraw, again(application), by=application.applicant, at=results) == ["wrong_state"]
    assert actions.withdraw(again(application), by=application.applicant, at=results - timedelta(seconds=1)).state == State.WITHDRAWN


# -- Giving back -----------------------------------------------------------------


def give_back(application: Application, by: Any, *sections: str, **more: Any) -> Application:
    until: datetime = more.pop("until", timezone.now() + WEEK)
    return actions.give_back(
        application, by=by, reason=more.pop("reason", "unreadable"), sections=sections, until=until, note="Page 2 is cut off.", **more
    )


def test_a_file_is_given_back_with_what_is_to_be_corrected(application, world):
    until = timezone.now() + WEEK

    give_back(application, world["officer of the call"], "plan", "documents", until=until)

    kept = again(application)
    assert (kept.state, kept.reason, kept.note, kept.reopened, kept.correct_by) == (
        State.RETURNED,
        "unreadable",
        "Page 2 is cut off.",
        ["plan", "documents"],
        until,
    )
    event = Event.objects.about(kept).last()
    assert (event.name, event.data) == (
        "application.returned",
        {"reason": "unreadable", "sections": ["plan", "documents"], "until": until.isoformat()},
    )


def test_only_the_sections_named_are_open_for_correction(application, world):
    give_back(application, world["member of the body in charge"], "plan")
    mine = again(application)

    say(mine, "plan", {"plan": "A better plan, of which every word is new and there are ten of them."})
    assert refusal(say, mine, "study", {"citizenship": "KZ"}, version=1) == ["not_open"]
    assert refusal(actions.set_choices, mine, [], by=mine.applicant) == ["not_open"]
    assert refusal(actions.attach, mine, "passport", paper_without_check(mine.applicant, "passport"), by=mine.applicant) == ["not_open"]
    assert refusal(actions.detach, mine, mine.revision.attachments.first(), by=mine.applicant) == ["not_open"]


def test_a_correction_is_taken_after_the_deadline_of_the_call_until_its_own(application, world):
    late = application.call.closes_at + timedelta(days=3)
    give_back(application, world["officer of the call"], "plan", until=late, at=late - WEEK)
    mine = again(application)

    assert refusal(say, mine, "plan", {"plan": "x"}, at=late + timedelta(seconds=1)) == ["closed"]
    assert refusal(actions.submit, mine, by=mine.applicant, at=late + timedelta(seconds=1)) == ["closed"]
    assert actions.submit(mine, by=mine.applicant, at=late).state == State.SUBMITTED
    assert (again(mine).reopened, again(mine).correct_by, again(mine).note, again(mine).reason) == ([], None, "", "")


def test_of_a_change_that_was_being_written_only_the_sections_named_go_on(application, world):
    actions.open_change(application, by=application.applicant)
    say(application, "plan", {"plan": "A better plan, of which every word is new and there are ten of them."})
    say(application, "study", {"citizenship": "KZ", "level": "doctoral"})
    actions.set_choices(application, list(Programme.objects.filter(code="small-b")), by=application.applicant)
    actions.detach(application, content_of(application).attached("passport")[0], by=application.applicant)

    give_back(application, world["officer of the call"], "plan")
    mine = again(application)

    content = content_of(mine)
    assert content.values("plan")["plan"].startswith("A better plan")
    assert content.values("study") == {"citizenship": "KG", "level": "master"}
    assert [choice.programme.code for choice in content.choices] == ["small-a", "small-b"]
    assert len(content.attached("passport")) == 1
    assert actions.submit(mine, by=mine.applicant).country_id == "KG"


def test_choices_and_papers_that_are_named_go_on_as_they_were_being_written(application, world):
    actions.open_change(application, by=application.applicant)
    actions.set_choices(application, list(Programme.objects.filter(code="small-b")), by=application.applicant)
    actions.detach(application, content_of(application).attached("passport")[0], by=application.applicant)
    say(application, "plan", {"plan": "Unfinished"})

    give_back(application, world["officer of the call"], "choices", "documents")

    content = content_of(again(application))
    assert [choice.programme.code for choice in content.choices] == ["small-b"]
    assert content.attached("passport") == []
    assert content.values("plan")["plan"].startswith("I want to study")


def test_what_cannot_be_corrected_is_refused(application, world):
    officer = world["officer of the call"]

    assert refusal(give_back, application, officer) == ["no_sections"]
    assert refusal(give_back, application, officer, "plan", "nothing") == ["no_sections"]
    assert refusal(give_back, application, officer, "plan", until=timezone.now()) == ["too_early"]
    assert refusal(give_back, application, officer, "plan", reason="ugly") == ["no_reason"]
    assert again(application).state == State.SUBMITTED


def test_only_the_office_and_the_body_in_charge_give_back(application, world):
    for who in set(world.people) - {"officer of the call", "officer of the site", "member of the body in charge"}:
        with pytest.raises(PermissionDenied):
            give_back(application, world[who], "plan")

    assert again(application).state == State.SUBMITTED


def test_a_correction_that_says_another_citizenship_goes_to_the_other_body_first(call, world):
    nominated = make_nominated(call, make_user())
    give_back(nominated, world["officer of the call"], "study")
    mine = again(nominated)
    say(mine, "study", {"citizenship": "KZ", "level": "master"})

    actions.submit(mine, by=mine.applicant)

    assert list(Stage.objects.filter(application=mine).order_by("pk").values_list("step", "body__code", "outcome")) == [
        ("nomination", "kg-ministry", "passed"),
        ("eligibility", None, "returned"),
        ("nomination", "kz-ministry", ""),
    ]


def test_an_application_that_was_given_back_and_withdrawn_opens_whole(application, world):
    give_back(application, world["officer of the call"], "plan")
    mine = again(application)
    actions.withdraw(mine, by=mine.applicant)

    actions.reopen(mine, by=mine.applicant)

    assert (again(mine).reopened, again(mine).note, again(mine).correct_by) == ([], "", None)
    assert say(again(mine), "study", {"citizenship": "UZ", "level": "master"}).values == {"citizenship": "UZ", "level": "master"}
