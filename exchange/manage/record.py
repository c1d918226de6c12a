"""One application for its officer: how it is found, what comes next, and all that belongs to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from exchange.manage.listing import Asked, found
from exchange.ui.paging import MOST_COUNTED
from exchange.ui.route import Station, stations
from exchange.ui.said import SaidSection, said_section
from exchange.ui.templatetags.ui import day
from scholarships.applications.answers import sections_for
from scholarships.applications.content import Content, requirements_for
from scholarships.applications.lifecycle import open_to
from scholarships.applications.models import Application, Attachment, Stage, State
from scholarships.applications.reasons import RETURN_REASONS
from scholarships.applications.rules import current_stage
from scholarships.calls.form import Form, Requirement
from scholarships.calls.models import SectionKind, StepKind
from scholarships.events.models import Event
from scholarships.references.models import Reference
from scholarships.reviews.models import Assignment, Progress


def record_of(request: HttpRequest, code: str) -> Application:
    """The application with this code, if the reader runs its call; anything else is not there."""
    rows = Application.objects.run_by(request.user).select_related(
        "call__version", "version", "revision__version", "country", "home", "first_choice__host", "applicant"
    )
    return get_object_or_404(rows, code=plain(code))


def plain(code: str) -> str:
    """CODE, if it can be one at all: PostgreSQL cannot even be asked for some signs."""
    if not code.isalnum():
        raise Http404
    return code


# -- Its place in the list -------------------------------------------------------


@dataclass(frozen=True)
class Beside:
    """The codes before and behind, "" at the ends; ``number`` counts from 1, None where it is not in the list."""

    before: str
    behind: str
    number: int | None
    count: int
    is_more: bool


def beside(user: Any, wanted: Asked, application: Application) -> Beside:
    """What stands beside APPLICATION in the list that the address takes along."""
    rows = found(user, wanted)
    before = rows.after(application, wanted.order, backwards=True)
    count = rows.order_by()[: MOST_COUNTED + 1].count()
    ahead = before.order_by()[: MOST_COUNTED + 1].count()
    is_in_it = ahead <= MOST_COUNTED and rows.filter(pk=application.pk).exists()
    return Beside(
        before.values_list("code", flat=True).first() or "",
        rows.after(application, wanted.order).values_list("code", flat=True).first() or "",
        ahead + 1 if is_in_it else None,
        min(count, MOST_COUNTED),
        count > MOST_COUNTED,
    )


# -- The next step ---------------------------------------------------------------


@dataclass(frozen=True)
class Way:
    """A way on: what the button says, where it leads, and whether it is the main one."""

    label: str
    url: str
    is_main: bool


@dataclass(frozen=True)
class NextStep:
    title: str
    says: str
    ways: tuple[Way, ...]


# Transition -> the page on which an officer takes it, and what its button says. The first is the main one.
_PAGES = {
    "find_eligible": ("eligibility", gettext_lazy("Decide on eligibility…")),
    "review": ("reviewers", gettext_lazy("Give to reviewers…")),
    "close_review": ("reviewers", gettext_lazy("Reviewers…")),
    "select": ("places", gettext_lazy("Ranking and places")),
    "offer": ("offers", gettext_lazy("Offers")),
    "lapse": ("offers", gettext_lazy("Offers")),
    "return": ("return", gettext_lazy("Return for correction…")),
}
_OF_THE_CALL = {"places", "offers"}


def next_step(user: Any, application: Application, reviews: Reviews, trail: str) -> NextStep:
    """What is to be done with APPLICATION now, and the ways that are open to USER."""
    possible = open_to(user, application)
    ways: dict[str, Way] = {}
    for name, (page, label) in _PAGES.items():
        if name in possible:
            of_call = page in _OF_THE_CALL
            url = reverse(f"manage:{page}", args=[application.call.code if of_call else application.code])
            ways.setdefault(page, Way(str(label), url if of_call else url + trail, page != "return"))
    title, says = _said(application, current_stage(application), reviews)
    return NextStep(title, says, tuple(ways.values()))


def _said(application: Application, stage: Stage | None, reviews: Reviews) -> tuple[str, str]:
    """The next step in words: a title, and a sentence."""
    zone = application.call.zone
    if application.state == State.RETURNED:
        until = day(application.correct_by, zone)
        return _("The applicant corrects it"), _("Open for correction until %(day)s. Nothing is to be done until then.") % {"day": until}
    if stage is None:
        return _("Nothing more is to be done"), application.note
    since = day(stage.entered_at, zone)
    match stage.kind:
        case StepKind.NOMINATION:
            return _("The nominating body acts"), _("With %(body)s since %(day)s.") % {"body": stage.body, "day": since}
        case StepKind.ELIGIBILITY:
            return _("Decide on eligibility"), _("It came to the office on %(day)s.") % {"day": since}
        case StepKind.REVIEW:
            return _review_said(application, reviews, since)
        case StepKind.ALLOCATION:
            return _("It waits for the allocation"), _("Places are given to all applications of the call together.")
        case _:
            return _offer_said(application)


def _review_said(application: Application, reviews: Reviews, since: str) -> tuple[str, str]:
    wanted = application.call.reviews_wanted
    if application.state != State.IN_REVIEW:
        says = ngettext(
            "The call asks for %(n)d review. It waits since %(day)s.", "The call asks for %(n)d reviews. It waits since %(day)s.", wanted
        )
        return _("Give it to reviewers"), says % {"n": wanted, "day": since}
    said = _("%(done)d of %(wanted)d reviews are handed in.") % {"done": len(reviews.done), "wanted": wanted}
    if reviews.spread is not None and len(reviews.done) > 1:
        said += " " + _("They are %(points)s points apart.") % {"points": reviews.spread}
    return _("The reviewers score it"), said


def _offer_said(application: Application) -> tuple[str, str]:
    match application.state:
        case State.OFFERED:
            return _("The applicant answers the offer"), _("An answer that does not come in time lets the offer lapse.")
        case State.RESERVE:
            return _("It is on the reserve list"), _("When somebody declines, the next who fits gets the place.")
        case _:
            return _("An offer is to be made"), _("Offers go out when the results are published.")


# -- What belongs to it ----------------------------------------------------------


def route_of(application: Application, form: Form, zone: str) -> list[Station]:
    """Its way from handing in to the start of studies, for staff."""
    stages = list(Stage.objects.filter(application=application).select_related("body"))
    milestones = application.call.milestones.all()
    return stations(application, form, stages, milestones, at=timezone.now(), zone=zone, for_applicant=False)


def answers_of(content: Content) -> list[SaidSection]:
    """What was answered, section by section, without what was left blank."""
    facts = content.facts
    return [
        said_section(section, content.values(section.key), facts, blanks=False)
        for section in sections_for(content.form, facts)
        if section.kind == SectionKind.QUESTIONS
    ]


def lacking_in(content: Content) -> list[Requirement]:
    """The papers that the call requires of this person and that are not there."""
    asked = requirements_for(content.form, content.facts)
    return [requirement for requirement in asked if requirement.is_required and not content.attached(requirement.key)]


@dataclass(frozen=True)
class Reviews:
    """All assignments of an application, with reviewer and review at hand."""

    assignments: tuple[Assignment, ...]

    @property
    def done(self) -> list[Assignment]:
        return [one for one in self.assignments if one.progress == Progress.DONE]

    @property
    def spread(self) -> Decimal | None:
        """Points between the highest and the lowest."""
        scores = [one.scored for one in self.done if one.scored is not None]
        return max(scores) - min(scores) if scores else None


def reviews_of(application: Application) -> Reviews:
    return Reviews(tuple(Assignment.objects.filter(application=application).select_related("reviewer", "review").order_by("pk")))


@dataclass(frozen=True)
class ReviewLine:
    """``at`` is where its dot stands on a line of 110 units; ``lines`` the rubric with its scores."""

    name: str
    progress: str
    look: str
    score: Decimal | None
    at: str
    comment: str
    lines: tuple[tuple[str, str], ...]


_REVIEW_LOOKS = {Progress.DONE: "ok", Progress.DRAFT: "doing", Progress.TODO: "todo", Progress.RECUSED: "off"}


def dot(score: Decimal | None) -> str:
    """Where SCORE, 0 to 10, stands on a line from 5 to 115."""
    return "" if score is None else f"{5 + float(score) * 11:.1f}"


def review_lines(reviews: Reviews, form: Form) -> list[ReviewLine]:
    """Each review as the officer reads it: drafts are the reviewer's own, and stay unread."""
    found_lines = []
    for one in reviews.assignments:
        review = getattr(one, "review", None) if one.progress == Progress.DONE else None
        given = review.scores if review else {}
        found_lines.append(
            ReviewLine(
                name=one.reviewer.name or one.reviewer.email,
                progress=_("left for a conflict: %(why)s") % {"why": one.get_conflict_display()}
                if one.conflict
                else one.get_progress_display(),
                look=_REVIEW_LOOKS[Progress(one.progress)],
                score=one.scored,
                at=dot(one.scored),
                comment=review.comment if review else "",
                lines=tuple(
                    (str(item.title), _("not applicable") if given[item.key] is None else str(given[item.key]))
                    for item in form.rubric
                    if item.key in given
                ),
            )
        )
    return found_lines


def papers_of(content: Content) -> list[tuple[Requirement, Attachment]]:
    """Each paper that is handed in, in the order of the call."""
    return [(requirement, one) for requirement in content.form.requirements for one in content.attached(requirement.key)]


@dataclass(frozen=True)
class EventLine:
    """What happened, with its detail, who did it ("" for the clock), and when."""

    says: str
    detail: str
    by: str
    at: datetime


def event_lines(application: Application, form: Form) -> list[EventLine]:
    """What happened to APPLICATION and to its requests for letters, newest first."""
    referees = dict(Reference.objects.filter(application=application).values_list("code", "name")) if form.letters else {}
    of_letters = Event.objects.filter(subject_kind="reference", subject_key__in=list(referees))
    events = [*Event.objects.about(application).select_related("by"), *(of_letters.select_related("by") if referees else ())]
    return [
        EventLine(_(event.says), referees.get(event.subject_key) or _detail(event, form), str(event.by) if event.by else "", event.at)
        for event in sorted(events, key=lambda event: -event.pk)
    ]


def _detail(event: Event, form: Form) -> str:
    """What the event's data say, in words."""
    data = event.data
    titles = {section.key: str(section.title) for section in form.sections}
    criteria = {criterion.rule.key: str(criterion.title) for criterion in form.criteria}
    match event.name:
        case "application.submitted" | "application.changed":
            return _("Version %(n)s") % {"n": data.get("revision", "")}
        case "application.returned":
            reason = RETURN_REASONS.get(data.get("reason", ""), "")
            return f"{reason}: {', '.join(titles.get(key, key) for key in data.get('sections', []))}"
        case "application.nominated":
            return _("Rank %(rank)s") % {"rank": data.get("rank", "")}
        case "application.eligible" if data.get("by_hand"):
            return _("By hand: %(criteria)s") % {"criteria": ", ".join(criteria.get(key, key) for key in data["by_hand"])}
        case "application.ineligible":
            return ", ".join(criteria.get(key, key) for key in data.get("criteria", []))
        case "application.reviewed":
            return _("Score %(score)s of %(n)s reviews") % {"score": data.get("score", ""), "n": data.get("reviews", "")}
    return ""
