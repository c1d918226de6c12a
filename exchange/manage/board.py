"""The board of places: how many there are and who has them, and the ranking with its results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Count
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from exchange.manage.forms.places import COUNTRY, DIMENSIONS, MATRIX, PROGRAMME, PlacesForm, Slot
from exchange.manage.record import dot
from exchange.ui.forms import country_name
from exchange.ui.paging import Page, page_of
from exchange.ui.reasons import names_in, sentences
from exchange.ui.templatetags.ui import STATE_LOOKS
from scholarships.allocations.actions import candidates, given_by
from scholarships.allocations.models import Placement, Result, Run
from scholarships.applications.models import Application, Stage, State
from scholarships.calls.models import Call, StepKind
from scholarships.programmes.models import Level
from scholarships.quotas.models import Quota
from scholarships.reviews.models import Assignment, Progress
from scholarships.texts.fields import text

PAGE = 50
LOOKS = {Result.PLACE: ("win", "ok"), Result.RESERVE: ("res", "wait"), Result.NONE: ("no", "off")}
CHIPS = (("", gettext_lazy("All")), *Result.choices)


# -- Places ----------------------------------------------------------------------


def programme_names(call: Call) -> dict[str, str]:
    """The programmes of CALL by name: code -> title, level and host."""
    rows = call.programmes.order_by().values_list("code", "title", "level", "host__name")
    names = [(code, f"{text(title)}, {Level(level).label}, {text(host)}") for code, title, level, host in rows]
    return dict(sorted(names, key=lambda pair: pair[1].casefold()))


def still_under_way(call: Call) -> int:
    """How many files have not come to the step of places yet."""
    before = [StepKind.NOMINATION, StepKind.ELIGIBILITY, StepKind.REVIEW]
    return Stage.objects.filter(kind__in=before, left_at__isnull=True, application__call=call).count()


@dataclass(frozen=True)
class Box:
    """One number as it is drawn: what stands in it, how much of it is taken, and what is wrong with it.

    ``stored`` is what is set where something else was typed, else "".
    """

    name: str
    label: str
    value: str
    stored: str
    says: str
    width: str
    is_full: bool
    error: str


@dataclass(frozen=True)
class Line:
    """A row: its name, its boxes, the box for all of it (or None), and the plain total."""

    name: str
    boxes: tuple[Box, ...]
    whole: Box | None
    total: int


@dataclass(frozen=True)
class Matrix:
    """``lines`` by country, ``programmes`` one box each. ``has_...``: the call has such quotas."""

    lines: list[Line]
    programmes: list[Box]
    has_matrix: bool
    has_countries: bool
    has_programmes: bool
    is_wrong: Mapping[str, bool]


def matrix_of(call: Call, form: PlacesForm, run: Run | None) -> Matrix:
    """The boxes of FORM. Before publication they show what RUN gives, after it what is held and taken."""
    given = given_by(run, DIMENSIONS) if run and not run.published_at else {}
    boxes = {slot.name: _box(form, slot, given.get(slot.by)) for slot in form.slots}
    of = {by: [slot for slot in form.slots if slot.by == by] for by in DIMENSIONS}
    wrong = {by: any(slot.name in form.errors for slot in slots) for by, slots in of.items()}
    is_wrong = {"matrix": wrong[MATRIX] or wrong[COUNTRY], "programmes": wrong[PROGRAMME]}
    lines = []
    for slot in of[COUNTRY]:
        country = slot.values[0]
        row = [other for other in of[MATRIX] if other.values[0] == country]
        total = sum(other.quota.places for other in row if other.quota)
        whole = boxes[slot.name] if COUNTRY in form.dimensions else None
        lines.append(Line(country_name(country), tuple(boxes[other.name] for other in row), whole, total))
    programmes = [boxes[slot.name] for slot in of[PROGRAMME]]
    has_matrix = MATRIX in form.dimensions or PROGRAMME not in form.dimensions
    return Matrix(lines, programmes, has_matrix, COUNTRY in form.dimensions, PROGRAMME in form.dimensions, is_wrong)


def _box(form: PlacesForm, slot: Slot, given: Counter[str] | None) -> Box:
    quota = slot.quota
    shown = str(quota.places) if quota else ""
    value = form.data.get(slot.name, "") if form.is_bound else shown
    cell = ",".join(slot.values)
    taken = given[cell] if given is not None else quota.held + quota.used if quota else 0
    if given is not None:
        says = (
            _("%(given)d of %(places)d") % {"given": taken, "places": quota.places}
            if quota
            else _("%(given)d, no limit") % {"given": taken}
        )
    elif quota and taken:
        says = _("%(held)d held, %(used)d taken") % {"held": quota.held, "used": quota.used}
    else:
        says = ""
    places = quota.places if quota else 0
    return Box(
        name=slot.name,
        label=slot.label,
        value=value,
        stored="" if value == shown else shown or _("no limit"),
        says=says,
        width=f"{min(100, 100 * taken / places):.0f}%" if places else "0%",
        is_full=bool(quota) and taken >= places,
        error=" ".join(str(message).removeprefix(f"{slot.label}: ") for message in form.errors.get(slot.name, [])),
    )


# -- Ranking ---------------------------------------------------------------------


@dataclass(frozen=True)
class Ranked:
    """One line of the ranking. ``dots`` and ``mean`` are places on the line of 0 to 10, ``reviews`` the same in words.

    ``side`` and ``look`` are the looks of the row and of the tag, ``headline`` says the result in a line, ``choices``
    name each choice and what became of it.
    """

    rank: str
    code: str
    name: str
    country: str
    level: str
    score: str
    reviews: str
    dots: tuple[str, ...]
    mean: str
    side: str = ""
    look: str = ""
    result: str = ""
    headline: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    state: str = ""
    state_look: str = ""


Reviews = dict[int, list[Decimal]]

_SHOWN = ("code", "name", "country_id", "level", "score", "state")


def placements_of(run: Run, result: str, number: int) -> tuple[Page, list[Ranked]]:
    """Page NUMBER of what RUN gives, of one RESULT or of all, in merit order: six queries."""
    ids = Placement.objects.filter(run=run, **({"result": result} if result in Result.values else {})).order_by("rank")
    rows = Placement.objects.select_related("application").only(
        "rank", "score", "result", "reasons", "run_id", *(f"application__{name}" for name in _SHOWN)
    )  # fmt: skip
    page = page_of(ids, rows, number, PAGE)
    names = names_in(reason for placement in page.rows for reason in placement.reasons)
    reviews = _reviews(placement.application_id for placement in page.rows)
    return page, [_placed(placement, names, reviews, is_confirmed=run.confirmed_at is not None) for placement in page.rows]


def _placed(placement: Placement, names: Mapping[str, str], reviews: Reviews, *, is_confirmed: bool) -> Ranked:
    person, result = placement.application, Result(placement.result)
    choices = sentences(placement.reasons, names, for_officer=True)
    won = next((name for (name, _says), reason in zip(choices, placement.reasons, strict=True) if reason["outcome"] == "awarded"), "")
    side, look = LOOKS[result]
    return Ranked(
        **_person(person, str(placement.rank), placement.score, reviews),
        side=side,
        look=look,
        result=str(result.label),
        headline=won or (choices[0][1] if choices else _("No choice is part of this call any more.")),
        choices=choices,
        state=person.get_state_display() if is_confirmed else "",
        state_look=STATE_LOOKS.get(State(person.state), "off"),
    )


def _person(person: Application, rank: str, score: Decimal | None, reviews: Reviews) -> dict[str, Any]:
    scored = reviews.get(person.pk, [])
    return {
        "rank": rank,
        "code": person.code,
        "name": person.name or person.code,
        "country": country_name(person.country_id or ""),
        "level": str(Level(person.level).label) if person.level else "",
        "score": str(score),
        "reviews": ", ".join(map(str, scored)),
        "dots": tuple(map(dot, scored)),
        "mean": dot(score),
    }


def _reviews(applications: Iterable[int]) -> Reviews:
    """The scores of the reviews of each application, lowest first."""
    found: Reviews = {}
    rows = Assignment.objects.filter(application__in=list(applications), progress=Progress.DONE, scored__isnull=False).order_by(
        "scored", "pk"
    )
    for application, scored in rows.values_list("application_id", "scored"):
        found.setdefault(application, []).append(scored)
    return found


def merit_of(call: Call, number: int) -> tuple[Page, list[Ranked]]:
    """Before any allocation: those who take part, by score. Equal scores share a rank: the lottery decides between them."""
    people = candidates(call)
    page = page_of(people.in_order("score"), Application.objects.only(*_SHOWN), number, PAGE)
    reviews = _reviews(person.pk for person in page.rows)
    ranks = _ranks(people, page.rows, page.first)
    return page, [Ranked(**_person(person, rank, person.score, reviews)) for person, rank in zip(page.rows, ranks, strict=True)]


def _ranks(people: Any, rows: Sequence[Application], first: int) -> list[str]:
    """ "12", or "12=" where others have the same score."""
    if not rows:
        return []
    scores = [person.score for person in rows]
    higher = people.filter(score__gt=scores[0]).count()
    ranks = [higher + 1 if score == scores[0] else first + scores.index(score) for score in scores]
    equal = Counter(scores)
    return [f"{rank}=" if equal[score] > 1 or (rank < first) else str(rank) for rank, score in zip(ranks, scores, strict=True)]


# -- Runs ------------------------------------------------------------------------


def runs_of(call: Call) -> list[Run]:
    """The allocations of CALL, the newest first; the confirmed one is always among them."""
    runs = list(Run.objects.whole().filter(call=call).select_related("by").order_by("-pk")[:20])
    if not any(run.confirmed_at for run in runs):
        runs += Run.objects.confirmed().filter(call=call).select_related("by")
    return runs


def chosen_run(runs: Sequence[Run], code: str) -> Run | None:
    """The run with this CODE, else the confirmed one, else the newest."""
    wanted = [run for run in runs if run.code == code] or [run for run in runs if run.confirmed_at] or list(runs)
    return wanted[0] if wanted else None


def results_in(run: Run) -> dict[str, int]:
    """How many RUN gives each result: result -> number."""
    rows = Placement.objects.filter(run=run).order_by().values_list("result").annotate(Count("pk"))
    return dict.fromkeys(Result.values, 0) | dict(rows)


def matrix_given(call: Call, run: Run, quotas: Iterable[Quota]) -> list[tuple[str, list[tuple[int, str]], int]]:
    """What RUN gives by country and level: country, (given, "of 3") for each level, total."""
    given = given_by(run, [MATRIX])[MATRIX]
    caps = {quota.cell: quota.places for quota in quotas if quota.by == MATRIX}
    rows = []
    for country in sorted(call.countries.all(), key=lambda one: country_name(one.pk)):
        cells = [(given[f"{country.pk},{level}"], f"{country.pk},{level}") for level in call.levels]
        said = [(number, _("of %(places)d") % {"places": caps[cell]} if cell in caps else "") for number, cell in cells]
        rows.append((country_name(country.pk), said, sum(number for number, _cell in cells)))
    return rows


def withdrawn_from(run: Run) -> int:
    """How many of those who were given a place have withdrawn since."""
    return Placement.objects.filter(run=run, result=Result.PLACE, application__state=State.WITHDRAWN).count()
