"""The officer's list: what the address asks for, the words it may use, and one page of rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q
from django.http import QueryDict
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from exchange.notifications.bounces import came_back
from exchange.ui.forms import countries as all_countries
from exchange.ui.forms import country_name
from exchange.ui.paging import Page, page_number, page_of
from exchange.ui.templatetags.ui import STATE_LOOKS, day
from scholarships.applications.models import ORDERS, Application, ApplicationQuerySet, Stage, State
from scholarships.applications.searching import APPLICANT, OFFICE, REVIEWERS, Query, Term, Vocabulary, holder_of, parse, read, written
from scholarships.applications.words import folded
from scholarships.calls.form import form_of
from scholarships.calls.models import Call
from scholarships.partners.models import Country, Institution
from scholarships.programmes.models import Level
from scholarships.reviews.models import Assignment, Progress

SIZES = (10, 50, 200)
USUAL_SIZE = 50
SELECTS = ("call", "country", "level", "state", "host", "with")
ORDER_NAMES = {"newest": gettext_lazy("Newest act first"), "name": gettext_lazy("Name"), "score": gettext_lazy("Highest score")}

# Saved views: a name and its query.
VIEWS = (
    (gettext_lazy("All handed in"), ""),
    (gettext_lazy("Eligibility to decide"), "step:eligibility"),
    (gettext_lazy("To give to reviewers"), "step:review -state:in_review"),
    (gettext_lazy("With reviewers"), "with:reviewers"),
    (gettext_lazy("At a nominating body"), "step:nomination"),
    (gettext_lazy("With the applicant"), "with:applicant"),
    (gettext_lazy("Places to give"), "step:allocation"),
)


@dataclass(frozen=True)
class World:
    """What an officer's list can be about: their calls by key, and by code the names of countries, hosts and bodies of these."""

    calls: Mapping[int, Call]
    countries: Mapping[str, str]
    hosts: Mapping[str, str]
    bodies: Mapping[str, str]
    vocabulary: Vocabulary


def world_of(user: Any) -> World:
    """The world of USER in three queries."""
    calls = {call.pk: call for call in Call.objects.run_by(user).select_related("version").order_by("-closes_at", "code")}
    countries = list(Country.objects.filter(calls__in=list(calls)).order_by().distinct().values_list("pk", "pk", "name"))
    senders = {
        pk for call in calls.values() if call.version for step in form_of(call.version).steps for pks in step.bodies.values() for pk in pks
    }
    hosting = Q(programmes__calls__in=list(calls))
    institutions = list(Institution.objects.filter(Q(pk__in=senders) | hosting).order_by().distinct().values_list("pk", "code", "name"))
    bodies = [row for row in institutions if row[0] in senders]
    every_country = {code.casefold(): code for code, _name in all_countries() if code}  # a home institution may send citizens of any
    return World(
        calls,
        _by_name(countries),
        _by_name(row for row in institutions if row[0] not in senders),
        _by_name(bodies),
        Vocabulary(
            calls={folded(call.code): pk for pk, call in calls.items()},
            countries=every_country | _words(countries),
            hosts=_words(institutions),
            bodies=_words(bodies),
        ),
    )


_Rows = Iterable[tuple[Any, str, Mapping[str, str]]]  # key, code, names


def _by_name(rows: _Rows) -> dict[str, str]:
    return dict(sorted(((code, str(names)) for _key, code, names in rows), key=lambda pair: folded(pair[1])))


def _words(rows: _Rows) -> dict[str, Any]:
    """Folded code or name in any language -> key; a code wins over a name."""
    found = list(rows)
    named = {folded(name): key for key, _code, names in found for name in names.values()}
    return named | {folded(code): key for key, code, _names in found}


# -- What the address asks -------------------------------------------------------


@dataclass(frozen=True)
class Asked:
    """``text`` is what was typed and chosen; ``query`` what of it was understood."""

    text: str
    query: Query
    order: str

    @property
    def trail(self) -> str:
        """The query string that takes the list along, from page to page: "" or "?..."."""
        kept = {"q": str(self.query), "order": "" if self.order == "newest" else self.order}
        encoded = urlencode({key: value for key, value in kept.items() if value})
        return f"?{encoded}" if encoded else ""


def asked(params: QueryDict, vocabulary: Vocabulary) -> Asked:
    """The query of an address: what its box says, and what its selects add."""
    chosen = [Term(key, (str(params[key]),)) for key in SELECTS if params.get(key)]
    text = written([*parse(str(params.get("q", ""))), *chosen])
    order = str(params.get("order", ""))
    return Asked(text, read(text, vocabulary), order if order in ORDERS else "newest")


def asked_by(user: Any, params: QueryDict) -> Asked:
    """The same for a page that only takes the list along."""
    return asked(params, world_of(user).vocabulary if any(params.get(key) for key in ("q", *SELECTS)) else Vocabulary())


def found(user: Any, wanted: Asked) -> ApplicationQuerySet:
    """The applications of the list."""
    return Application.objects.run_by(user).filter(wanted.query.where)


# -- One page --------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """One line of the list, in words, so that a page of 200 is drawn without asking again."""

    code: str
    name: str
    programme: str
    host: str
    country: str
    level: str
    state: str
    look: str
    holder: str
    since: str
    score: str
    reviews: str
    mail_came_back: bool = False
    mail_is_stopped: bool = False


def page_for(user: Any, wanted: Asked, world: World, params: QueryDict) -> tuple[Page, list[Row]]:
    """The page of the address and its rows, in six queries."""
    size = next((size for size in SIZES if str(size) == params.get("n")), USUAL_SIZE)
    applications = Application.objects.select_related("first_choice__host").only(
        "code", "name", "state", "level", "score", "moved_at", "call_id", "country_id", "first_choice__title", "first_choice__host__name"
    )  # fmt: skip
    page = page_of(found(user, wanted).in_order(wanted.order), applications, page_number(params.get("page")), size)
    return page, rows_of(page.rows, world)


def rows_of(applications: list[Application], world: World) -> list[Row]:
    """APPLICATIONS as lines, in three queries."""
    pks = [application.pk for application in applications]
    unreachable = came_back(pks)
    stages = {
        stage.application_id: stage for stage in Stage.objects.filter(application__in=pks, left_at__isnull=True).select_related("body")
    }
    reviews = dict(
        Assignment.objects.filter(application__in=pks, progress=Progress.DONE).order_by().values_list("application").annotate(Count("pk"))
    )
    states, levels = ({key: str(label) for key, label in choices.choices} for choices in (State, Level))
    holders = {APPLICANT: _("Applicant"), REVIEWERS: _("Reviewers"), OFFICE: _("Office"), "": _("Closed")}
    rows = []
    for application in applications:
        call, stage, programme = world.calls[application.call_id], stages.get(application.pk), application.first_choice
        holder = holder_of(application, stage)
        since = stage.entered_at if stage and holder not in {APPLICANT, REVIEWERS} else application.moved_at
        is_scored = application.score is not None
        rows.append(
            Row(
                code=application.code,
                name=application.name or application.code,
                programme=str(programme or ""),
                host=str(programme.host) if programme else "",
                country=world.countries.get(application.country_id or "") or country_name(application.country_id or ""),
                level=levels.get(application.level, ""),
                state=states[application.state],
                look=STATE_LOOKS.get(State(application.state), "off"),
                holder=holders[holder] if holder in holders else str(stage.body if stage else holder),
                since=day(since, call.zone),
                score=str(application.score) if is_scored else "",
                reviews=_("%(n)d of %(of)d reviews") % {"n": reviews.get(application.pk, 0), "of": call.reviews_wanted}
                if is_scored
                else "",
                mail_came_back=application.pk in unreachable,
                mail_is_stopped=unreachable.get(application.pk, False),
            )
        )
    return rows


def selects(wanted: Asked, world: World) -> list[dict[str, Any]]:
    """The filters as selects: key, label, the empty line, options and what is chosen."""
    options: dict[str, tuple[str, str, list[tuple[str, str]]]] = {
        "call": (_("Call"), _("All my calls"), [(call.code, str(call)) for call in world.calls.values()]),
        "country": (_("Country"), _("Any country"), list(world.countries.items())),
        "level": (_("Level"), _("Any level"), [(key, str(label)) for key, label in Level.choices]),
        "state": (_("State"), _("Any but draft"), [(key, str(label)) for key, label in State.choices if key != State.DRAFT]),
        "host": (_("Host"), _("Any host"), list(world.hosts.items())),
        "with": (
            _("With"),
            _("Anybody"),
            [(OFFICE, _("Office")), (REVIEWERS, _("Reviewers")), (APPLICANT, _("Applicant")), *world.bodies.items()],
        ),
    }
    return [
        {"key": key, "label": label, "empty": empty, "options": choices, "chosen": wanted.query.only(key)}
        for key, (label, empty, choices) in options.items()
        if key != "call" or len(choices) > 1
    ]


def rest_of(query: Query) -> str:
    """What of QUERY no select can say."""
    return written(term for term in query.terms if term.key not in SELECTS or not query.only(term.key))
