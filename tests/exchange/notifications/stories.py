"""What happens so that a letter of each kind is written, with words that try to break out of text and markup."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.utils import timezone

from exchange.notifications import bounces, digests, mailings, outbox, relay, reminders, wishes
from exchange.notifications.letters import Letter
from exchange.notifications.models import Way
from scholarships.allocations import actions as allocations
from scholarships.allocations.models import Run
from scholarships.applications import actions
from scholarships.applications.models import Application
from scholarships.calls.actions import close_now, open_for, publish_now
from scholarships.calls.models import Call, Step, StepKind
from scholarships.correspondence import actions as correspondence
from scholarships.events.actions import record
from scholarships.nominations import actions as nominations
from scholarships.nominations import taking_back
from scholarships.offers import actions as offers
from scholarships.offers.models import Offer
from scholarships.partners.models import Institution
from scholarships.people.actions import JOINED, give_role
from scholarships.people.models import Role, User
from scholarships.programmes.models import Programme
from scholarships.references import actions as asking
from scholarships.references import answering
from scholarships.references.dates import due_of
from scholarships.references.models import Reference
from scholarships.reviews import actions as reviews
from tests.factories import (
    close_call,
    make_application,
    make_assignment,
    make_at_review,
    make_body_member,
    make_call,
    make_call_with_letters,
    make_candidate,
    make_crowd,
    make_draft,
    make_institution,
    make_nominated,
    make_nomination,
    make_officer,
    make_reference,
    make_reviewer,
    make_user,
    send_letter,
)

TITLE = {"en": 'Rivers & "Roads" <2027>', "ru": "Реки & «дороги»", "zh-hans": "河流与道路"}
MINISTRY = {"en": "Ministry of Science & 'Education'"}
NOTE = 'Page 2 & "3" can\'t be read.\nSend <both> again.'

# What is done so that the letter is written: the letter's kind -> the story.
Tell = Callable[[], object]
STORIES: dict[str, Tell] = {}


def story(*kinds: str) -> Callable[[Tell], Tell]:
    def keep(tell: Tell) -> Tell:
        STORIES.update(dict.fromkeys(kinds, tell))
        return tell

    return keep


def the_call() -> Call:
    make_call()
    Call.objects.update(title=TITLE)
    Institution.objects.filter(code="kg-ministry").update(name=MINISTRY)
    Institution.objects.filter(code="small-host").update(name={"en": "Small & Host"})
    Programme.objects.update(title={"en": "Water & <Ice>"})
    return Call.objects.get()


def the_call_with_letters() -> Call:
    call = make_call_with_letters()
    Call.objects.filter(pk=call.pk).update(title=TITLE)
    return Call.objects.get(pk=call.pk)


def member_of_the_ministry() -> User:
    return make_body_member(make_institution("kg-ministry"))


NAME = {"given_names": "NURAY O'NEIL", "family_name": "ASANOVA"}


@story("application.submitted:applicant")
def _submitted() -> None:
    make_application(the_call(), **NAME)


@story("application.changed:applicant")
def _changed() -> None:
    application = make_application(the_call(), **NAME)
    actions.open_change(application, by=application.applicant)
    actions.submit(application, by=application.applicant)


@story("application.withdrawn:applicant")
def _withdrawn() -> None:
    application = make_application(the_call(), **NAME)
    actions.withdraw(application, by=application.applicant, reason="mistake")


@story("application.returned:applicant")
def _returned() -> None:
    application, until = make_application(the_call(), **NAME), timezone.now() + timedelta(days=5)
    actions.give_back(application, by=make_officer(), reason="unreadable", sections=["documents"], until=until, note=NOTE)


@story("application.nominated:applicant", "nomination.list_sent:body", "nomination.list_sent:officer")
def _sent() -> None:
    call, member = the_call(), member_of_the_ministry()
    make_officer()
    make_nomination(member, call, name="NURAY O'NEIL", standing="ranked")
    close_call(call)
    nominations.send_list(call, Institution.objects.get(code="kg-ministry"), by=member)


@story("application.taken_back:applicant", "nomination.list_taken_back:officer")
def _taken_back() -> None:
    _sent()
    body = Institution.objects.get(code="kg-ministry")
    member = User.objects.filter(memberships__role=Role.BODY).get()
    taking_back.take_list_back(Call.objects.get(), body, by=member)


@story("application.not_nominated:applicant")
def _not_nominated() -> None:
    call, member = the_call(), member_of_the_ministry()
    nominations.turn_down(make_nomination(member, call), by=member, note=NOTE)


@story("application.ineligible:applicant")
def _ineligible() -> None:
    application = make_nominated(the_call(), **NAME)
    actions.decide_eligibility(application, is_eligible=False, criteria=["degree"], note=NOTE, by=make_officer())


def published() -> tuple[User, list[Application]]:
    """Two are offered a place, the third is on the reserve list; all have been told."""
    call, officer = the_call(), make_officer()
    people = [make_candidate(call, score, **NAME) for score in ("9.00", "8.00", "7.00")]
    run = allocations.confirm(allocations.allocate(call, by=officer), by=officer)
    publish_now(Call.objects.get(pk=call.pk), by=officer)
    offers.make_from(Run.objects.select_related("call").get(pk=run.pk))
    return officer, people


def offer_to(person: Application) -> Offer:
    return Offer.objects.select_related("application__call", "run__call").get(application=person)


@story("application.offered:applicant", "application.told:applicant", "call.allocation_confirmed:officer", "call.results_published:officer")
def _published() -> None:
    published()


@story("application.accepted:applicant")
def _accepted() -> None:
    _officer, people = published()
    offers.accept(offer_to(people[0]), by=people[0].applicant)


@story("application.declined:applicant", "officer.place_freed:officer")
def _declined() -> None:
    _officer, people = published()
    offers.decline(offer_to(people[0]), by=people[0].applicant)


@story("application.lapsed:applicant")
def _lapsed() -> None:
    published()
    offers.lapse_due(at=timezone.now() + timedelta(days=400))


@story("call.closed:body")
def _closed() -> None:
    call = the_call()
    member_of_the_ministry()
    make_application(call)
    close_now(call, by=make_officer())


@story("review.assigned:reviewer")
def _assigned() -> None:
    make_assignment(make_at_review(the_call()))


@story("review.recused:officer")
def _recused() -> None:
    assignment = make_assignment(make_at_review(the_call()))
    reviews.recuse(assignment, "other", by=assignment.reviewer)


def reminded(deadline: datetime) -> None:
    """The clock plans two weeks before DEADLINE and tells on the day before."""
    reminders.plan(at=deadline - timedelta(days=14))
    reminders.tell_due(at=deadline - timedelta(hours=23))


@story("call.dates_moved:applicant")
def _extended() -> None:
    call = the_call()
    make_draft(call)
    open_for(call, 30, by=make_officer())


@story("reminder.draft:applicant")
def _unfinished() -> None:
    call = the_call()
    make_draft(call)
    reminded(call.closes_at)


@story("reminder.review:reviewer")
def _unreviewed() -> None:
    assignment = make_assignment(make_at_review(the_call()))
    reminded(end_of_review(assignment.call))


def end_of_review(call: Call) -> datetime:
    """When the reviews of CALL are due, from now on as long as its nominations."""
    Step.objects.filter(version=call.version, kind=StepKind.REVIEW).update(milestone="nomination")
    ends_at = call.milestones.get(key="nomination").ends_at
    assert ends_at is not None
    return ends_at


@story("reminder.list:body")
def _missing_list() -> None:
    call = the_call()
    member_of_the_ministry()
    make_application(call)
    ends_at = call.milestones.get(key="nomination").ends_at
    assert ends_at is not None
    reminders.plan(at=ends_at - timedelta(days=14))
    reminders.tell_due(at=ends_at - timedelta(days=2))


@story("reminder.offer:applicant")
def _unanswered() -> None:
    _officer, people = published()
    reminded(offer_to(people[0]).answer_by)


@story("correspondence.from_applicant:officer", "correspondence.from_office:applicant")
def _written() -> None:
    application, officer = make_application(the_call(), **NAME), make_officer()
    correspondence.write(application, text="May I send <another> page & more?", by=application.applicant)
    correspondence.write(application, text=NOTE, by=officer)


def asked(**said: str) -> Reference:
    """A referee of an invented name is asked, with a note, in the call of these stories."""
    call = the_call_with_letters()
    return make_reference(make_draft(call, **NAME), name="Prof. O'Neil & <Sons>", note=NOTE, **said)


@story("reference.asked:referee")
def _asked() -> None:
    asked()
    make_reference(Application.objects.get(), scan=True, name="Prof. B")


@story("reference.reminded:referee")
def _reminded_by_hand() -> None:
    reference = asked()
    asking.remind(reference, by=reference.application.applicant, at=reference.asked_at + timedelta(days=2))


@story("reminder.letter:referee")
def _letter_is_due() -> None:
    reminded(due_of(asked().application))


@story("reference.prepared:referee")
def _prepared() -> None:
    reference = asked()
    answering.save(reference, text="Ready.", known_version=0)
    answering.prepare(reference)


@story("reference.received:applicant", "reference.thanks:referee")
def _received() -> None:
    send_letter(asked())


@story("reference.cancelled:referee")
def _cancelled() -> None:
    reference = asked()
    asking.cancel(reference, by=reference.application.applicant)


@story("reference.declined:applicant")
def _declined_to_write() -> None:
    answering.decline(asked(), reason="no_time", words=NOTE, colleague="Prof. <C> & D")


@story("reference.bounced:applicant")
def _bounced() -> None:
    reference = asked()
    asking.come_back(reference.code, reference.address)


@story("reference.listed:referee")
def _listed() -> None:
    answering.send_list(asked().address)


@story("mailing.held:applicant", "mailing.held:officer")
def _held() -> None:
    call, writer = the_call(), make_officer()
    make_officer()
    make_application(call, **NAME)
    make_crowd(call, 50)
    people = mailings.addressees(Application.objects.order_by("pk"))
    words = {"subject": {"en": "For {name} & <others>"}, "text": {"en": f"Dear {{name}},\n\n{NOTE}"}}
    mailing = mailings.hold(call, people, by=writer, **words)
    mailings.release(
        mailing, by=User.objects.filter(memberships__role=Role.OFFICER).exclude(pk=writer.pk).get(), at=timezone.now() - timedelta(hours=1)
    )
    mailings.go_on()


@story("digest:person")
def _the_day_after() -> None:
    """Two messages have waited until the next morning."""
    call, officer = the_call(), make_officer()
    waits_for_the_daily_letter(officer)
    for _copy in range(2):
        application = make_application(call, **NAME)
        correspondence.write(application, text="Hello.", by=application.applicant)
    relay.deliver_due()
    digests.send_due(at=timezone.now() + timedelta(days=1))


def waits_for_the_daily_letter(user: User) -> None:
    """USER wants everything once a day of which that may be chosen."""
    for notice in wishes.kinds_for(user):
        if notice.may_bundle:
            wishes.set_wish(user, notice.kind, Way.DAILY)


@story("address.stopped:person")
def _came_back() -> None:
    user = make_user()
    for number in range(bounces.MOST_HARD):
        event = record(JOINED, user)
        message = outbox.post(event, f"test-{number}", user.email, Letter("A letter", "Words."), user=user)
        bounces.take(bounces.Bounce(message.message_id, bounces.HARD, "550 5.1.1 no such mailbox"))


@story("person.role_given:person")
def _role_given() -> None:
    call = the_call()
    give_role(make_user(), Role.OFFICER)
    make_reviewer(call)
    member_of_the_ministry()
