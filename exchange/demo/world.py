"""The demo world: calls in every stage, and the people in them.

The persons one can be act through the same actions as everybody. The crowd around them is
written in bulk up to the point where it has handed in; from there on it too goes through the doors.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta

from allauth.account.models import EmailAddress
from django.utils import timezone

from exchange.demo.bulk import write_applications
from exchange.demo.calls import ENGINEERS, LATER, SCO_SPRING, SILK_ROAD, WATER, Invented, file_of, opened_on
from exchange.demo.crowd import Somebody, somebody
from exchange.demo.filling import fill_in, papers_of, shared_papers
from exchange.demo.people import (
    HOME_UNIVERSITY,
    JOINT_STUDENT,
    MINISTRY,
    OFFICER,
    OTHER_BODIES,
    OTHER_OFFICER,
    OTHER_REVIEWERS,
    REVIEWER,
    STUDENT,
    Persona,
)
from exchange.demo.proceedings import Proceedings
from exchange.demo.referees import ask_two
from exchange.demo.words import choose_words, talk
from exchange.management.commands.load_call import load_library, shipped
from exchange.notifications import mailings
from exchange.notifications.models import Message
from scholarships.applications import actions
from scholarships.applications.models import Application, State
from scholarships.calls.file import read
from scholarships.calls.loading import load
from scholarships.calls.models import Call
from scholarships.documents.models import DocumentVersion
from scholarships.partners.models import Institution
from scholarships.people.actions import give_role, settle
from scholarships.people.models import Profile, Role, Scope, User

NURAY = Somebody("Nuray", "Asanova", "KG", "master", birth=date(2003, 3, 14), gpa=92, hsk=4, ielts=6.5, merit=0.9)
MALIKA = Somebody("Malika", "Yusupova", "UZ", "bachelor", birth=date(2005, 5, 20), gpa=88, hsk=4, ielts=6.0, merit=0.85, home="uz-usmi")
SHARES = {"KZ": 9, "UZ": 9, "KG": 6, "TJ": 6, "PK": 4, "RU": 3, "IR": 2, "TM": 2, "BY": 2}


def build(say: Callable[[str], object]) -> None:
    """Build the whole world into an empty database; about fifteen seconds."""
    load_library()
    dice = random.Random(2027)
    today = timezone.localdate()
    open_calls = [
        load(read(shipped(name).read_text(encoding="utf-8")), opens_on=today - timedelta(days=9))
        for name in ("sco", "tcm-3-2", "turkmenistan")
    ]
    later = {call.code: load(file_of(call), opens_on=opened_on(call, today)) for call in LATER}
    say("  people and papers")
    people = _people()
    nuray, malika = people[STUDENT.email], people[JOINT_STUDENT.email]
    library = {**papers_of(nuray, NURAY, "Kyrgyzstan"), **papers_of(malika, MALIKA, "Uzbekistan")}
    say("  drafts and applications")
    _drafts(open_calls, nuray, malika, library, dice)
    shared = shared_papers()
    for call in LATER:
        _fill(later[call.code], call, nuray, library, shared, dice)
    say("  nominations, reviews, places and offers")
    proceedings = Proceedings(
        officer=people[OFFICER.email], reviewers=[people[persona.email] for persona in (REVIEWER, *OTHER_REVIEWERS)], dice=dice
    )
    proceedings.at_the_ministry(later[SILK_ROAD.code])
    proceedings.in_review(later[WATER.code], first=nuray)
    proceedings.at_allocation(later[ENGINEERS.code])
    proceedings.offers_out(later[SCO_SPRING.code], first=nuray)
    choose_words(open_calls[0], people[OFFICER.email])
    talk(later[SILK_ROAD.code], nuray, people[OFFICER.email])
    crowd = User.objects.exclude(email__in=list(people))
    Message.objects.filter(user__in=crowd).delete()  # the mailbox tells of the people one can be
    _mailing(later[SCO_SPRING.code], by=people[OTHER_OFFICER.email])
    say("  done")


# -- People ----------------------------------------------------------------------


def _people() -> dict[str, User]:
    """The persons one can be, with their roles: address -> account."""
    found = {}
    institutions = {row.code: row for row in Institution.objects.all()}
    for persona in (STUDENT, JOINT_STUDENT, MINISTRY, HOME_UNIVERSITY, REVIEWER, OFFICER, OTHER_OFFICER, *OTHER_BODIES, *OTHER_REVIEWERS):
        user = found[persona.email] = _person(persona)
        if persona.role == "officer":
            give_role(user, Role.OFFICER)
        elif persona.role == "reviewer":
            give_role(user, Role.REVIEWER)
            Profile.objects.filter(user=user).update(institution=institutions[persona.of])
        elif persona.role == "ministry":
            give_role(user, Role.BODY, scope=Scope.INSTITUTION, key=persona.of)
    return found


def _person(persona: Persona) -> User:
    user = User.objects.create_user(
        persona.email,
        persona.password if persona.role in {"student", "officer"} or persona in (MINISTRY, HOME_UNIVERSITY, REVIEWER) else None,
    )
    EmailAddress.objects.create(user=user, email=persona.email, primary=True, verified=True)
    settle(user, name=persona.name, citizenship=persona.country, language="en")
    return user


# -- Applications of the persons one can be ---------------------------------------


def _drafts(
    calls: Sequence[Call], nuray: User, malika: User, library: Mapping[tuple[int, str], list[DocumentVersion]], dice: random.Random
) -> None:
    """Two drafts that lack little, so that the story can begin at once."""
    yesterday = timezone.now() - timedelta(days=1)
    sco, joint, _turkmenistan = calls
    own = fill_in(
        sco,
        nuray,
        NURAY,
        ["cn-hhu-hydrology-master", "cn-lzu-atmospheric-master", "cn-hhu-environment-master"],
        library,
        dice,
        at=yesterday,
        leave_open=frozenset({"declaration"}),
    )
    ask_two(own, at=yesterday)
    fill_in(
        joint,
        malika,
        MALIKA,
        [joint.programmes.values_list("code", flat=True)[0]],
        library,
        dice,
        at=yesterday,
        leave_open=frozenset({"declaration"}),
    )


def _mailing(call: Call, *, by: User) -> None:
    """A letter to all applicants of CALL, more than one officer may write to alone: it waits for the release of another."""
    subject = {"en": "When classes begin: {code}", "ru": "Начало занятий: {code}", "zh-hans": "开学时间：{code}"}
    text = {
        "en": "Dear {name},\n\nclasses begin on the first Monday of September. Whoever accepts a place gets the letter for the visa in June.",
        "ru": "{name}, занятия начинаются в первый понедельник сентября. Кто примет место, получит письмо для визы в июне.",
        "zh-hans": "{name}：九月第一个星期一开学。接受名额者将于六月收到签证用函。",
    }
    mailings.hold(
        call,
        mailings.addressees(Application.objects.filter(call=call).exclude(state=State.DRAFT).order_by("pk")),
        subject=subject,
        text=text,
        by=by,
    )


# -- The crowd -------------------------------------------------------------------


def _fill(
    call: Call,
    invented: Invented,
    nuray: User,
    library: Mapping[tuple[int, str], list[DocumentVersion]],
    shared: Mapping[str, tuple[str, int]],
    dice: random.Random,
) -> None:
    """Nuray's application, and those of the crowd, all handed in some days before the deadline."""
    own = fill_in(call, nuray, NURAY, list(invented.programmes[:3]), library, dice, at=call.closes_at - timedelta(days=6))
    actions.submit(own, by=nuray, at=call.closes_at - timedelta(days=5, hours=3))
    countries = [code for code, share in SHARES.items() for _copy in range(share)]
    people = [
        somebody(dice, dice.choice(countries), "doctoral" if dice.random() < 0.25 else "master") for _copy in range(invented.applicants)
    ]
    write_applications(call, people, shared, dice)
