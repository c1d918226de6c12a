"""Acts on many applications: whom an act fits, whom it does not and why, before anything is done."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.db.models import Count, Q
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _

from exchange.manage.listing import asked_by, found
from scholarships.applications.door import read_stages
from scholarships.applications.lifecycle import open_to
from scholarships.applications.models import Application, ApplicationQuerySet
from scholarships.applications.readiness import verdicts_of
from scholarships.applications.rules import current_stage
from scholarships.calls.models import Call, StepKind
from scholarships.people.models import User
from scholarships.references.standing import waiting_for_letters
from scholarships.reviews.actions import Plan, at_review, plan_evenly
from scholarships.reviews.models import Assignment, Progress
from scholarships.reviews.rules import reviewers_of

MOST = 1000  # applications in one act
BATCH = 200  # applications in one transaction


@dataclass(frozen=True)
class Chosen:
    """What was chosen in a list; ``is_cut``: more match than one act takes."""

    applications: list[Application]
    is_cut: bool = False


def named(user: Any, params: QueryDict, *, call: Call | None = None) -> ApplicationQuerySet:
    """What PARAMS name: ticked one by one (``pick``, ``codes``), or all that match (``all``), of CALL if given."""
    if params.get("all"):
        wanted = asked_by(user, params)
        rows = found(user, wanted).in_order(wanted.order)
    else:
        codes = [code for code in (*params.getlist("pick"), *str(params.get("codes", "")).split()) if code.isalnum()]
        rows = Application.objects.run_by(user).filter(code__in=codes[:MOST]).in_order("name")
    return rows if call is None else rows.filter(call=call)


def chosen(user: Any, params: QueryDict, *, call: Call | None = None) -> Chosen:
    """The applications that PARAMS name, as many as one act takes."""
    rows = named(user, params, call=call)
    pks = list(rows.values_list("pk", flat=True)[: MOST + 1])
    whole = Application.objects.select_related("call__version", "version", "country").in_bulk(pks[:MOST])
    return Chosen([whole[pk] for pk in pks[:MOST] if pk in whole], len(pks) > MOST)


@dataclass(frozen=True)
class DryRun:
    """Whom an act fits, and whom it does not, each with the reason."""

    fits: list[Application]
    left_out: list[tuple[Application, str]]


def try_eligible(user: Any, applications: Sequence[Application]) -> DryRun:
    """Who can be marked eligible together: at that step, with every criterion met."""
    read_stages(applications)
    verdicts = verdicts_of(applications)
    fits, left_out = [], []
    for application in applications:
        verdict = verdicts[application.pk]
        if "find_eligible" not in open_to(user, application):
            left_out.append((application, where_it_is(application)))
        elif verdict.is_eligible is False:
            left_out.append((application, _("A criterion is not met. Decide this one on its own page.")))
        elif verdict.is_eligible is None:
            left_out.append((application, _("A criterion cannot be told from the answers. Decide this one on its own page.")))
        else:
            fits.append(application)
    return DryRun(fits, left_out)


def where_it_is(application: Application) -> str:
    """Why an act of another step does not fit: the state, and the step where the file is."""
    stage = current_stage(application)
    words = {"state": application.get_state_display(), "step": StepKind(stage.kind).label if stage else ""}
    return _("It is “%(state)s”, at the step “%(step)s”.") % words if stage else _("It is “%(state)s”.") % words


def batches(applications: Iterable[Application], size: int = BATCH) -> Iterator[list[Application]]:
    rest = iter(applications)
    while batch := list(islice(rest, size)):
        yield batch


# -- Reviewers, evenly -----------------------------------------------------------


@dataclass(frozen=True)
class Load:
    """A reviewer: files that are there, files that come, and of all of them those handed in."""

    name: str
    now: int
    more: int
    done: int

    @property
    def then(self) -> int:
        return self.now + self.more


@dataclass(frozen=True)
class Proposal:
    """A plan for the APPLICATIONS chosen (none: the whole call), what it does not fit, and the load of each reviewer.

    ``mark`` names exactly this plan.
    """

    applications: list[Application]
    plan: Plan
    loads: list[Load]
    left_out: list[tuple[Application, str]]
    is_cut: bool
    mark: str

    @property
    def files(self) -> int:
        return len({application.pk for application, _reviewer in self.plan.pairs})

    @property
    def most(self) -> int:
        return max((load.then for load in self.loads), default=0)


def propose(user: Any, call: Call, params: QueryDict) -> Proposal:
    """Who would review what: of the whole call, or of what PARAMS choose."""
    is_whole = not any(params.get(key) for key in ("pick", "codes", "all"))
    if is_whole:
        rows = list(_lacking(call).select_related("country").order_by("pk")[: MOST + 1])
        selection = Chosen(rows[:MOST], len(rows) > MOST)
        ready = selection.applications
    else:
        selection = chosen(user, params, call=call)
        read_stages(selection.applications)
        ready = [one for one in selection.applications if _is_at_review(one)]
    is_ready = {application.pk for application in ready}
    left_out = [(one, where_it_is(one)) for one in selection.applications if one.pk not in is_ready]
    held = waiting_for_letters(ready, at=timezone.now())
    left_out += [(one, _("It waits for letters of referees.")) for one in held]
    ready = [one for one in ready if one not in held]
    reviewers = reviewers_of(call)
    plan = plan_evenly(call, ready, reviewers)
    touched = {application.pk for application, _reviewer in plan.pairs} | {application.pk for application, _missing in plan.short}
    if not is_whole:
        left_out += [(one, _("It has all the reviewers it needs.")) for one in ready if one.pk not in touched]
    return Proposal(
        [] if is_whole else selection.applications, plan, _loads(call, reviewers, plan), left_out, selection.is_cut, _mark(plan)
    )


def _lacking(call: Call) -> Any:
    """The applications at review that have fewer reviewers than the call wants."""
    counted = Count("assignments", filter=~Q(assignments__progress=Progress.RECUSED))
    return at_review(call).annotate(counted=counted).filter(counted__lt=call.reviews_wanted)


def _is_at_review(application: Application) -> bool:
    stage = current_stage(application)
    return stage is not None and stage.kind == StepKind.REVIEW


def _loads(call: Call, reviewers: Sequence[User], plan: Plan) -> list[Load]:
    now: Counter[int] = Counter()
    done: Counter[int] = Counter()
    for who, progress in Assignment.objects.filter(call=call).exclude(progress=Progress.RECUSED).values_list("reviewer_id", "progress"):
        now[who] += 1
        done[who] += progress == Progress.DONE
    more = Counter(reviewer.pk for _application, reviewer in plan.pairs)
    return [Load(one.name or one.email, now[one.pk], more[one.pk], done[one.pk]) for one in reviewers]


def _mark(plan: Plan) -> str:
    """A short name of exactly this plan, so that no other one is confirmed."""
    said = " ".join(f"{application.code}:{reviewer.code}" for application, reviewer in plan.pairs)
    return hashlib.sha256(said.encode()).hexdigest()[:20]


def plan_batches(plan: Plan) -> Iterator[list[tuple[Application, User]]]:
    """The pairs of PLAN, some hundred applications at a time."""
    pairs: dict[int, list[tuple[Application, User]]] = {}
    for application, reviewer in plan.pairs:
        pairs.setdefault(application.pk, []).append((application, reviewer))
    rest = iter(pairs.values())
    while batch := list(islice(rest, BATCH)):
        yield [pair for together in batch for pair in together]
