"""A body checks its candidates, ranks them and sends its list, within its places."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F, Max
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from scholarships.applications.actions import give_back
from scholarships.applications.door import advance, advance_all
from scholarships.applications.lifecycle import NOT_NOMINATED
from scholarships.applications.models import Stage
from scholarships.calls.form import Step, form_of
from scholarships.calls.models import BodyBy, Call, StepKind
from scholarships.events.actions import record
from scholarships.events.names import declare
from scholarships.nominations.models import Nomination, SentList, Standing
from scholarships.nominations.rules import may_decide
from scholarships.partners.models import Institution
from scholarships.people.rules import institutions_of
from scholarships.programmes.models import Level
from scholarships.quotas import actions as quotas
from scholarships.quotas.models import Purpose, Quota

LIST_SENT = declare("nomination.list_sent", "The list of a body was sent", "call", "body", "nominated", "reserve")
CHECKED = declare("nomination.checked", "A file was checked by a body", "body", "standing")


def take_in(user: Any, *, at: datetime | None = None) -> int:
    """Make a row for each file that has come to a body of USER since. Runs at every look, and does nothing mostly."""
    fresh = Stage.objects.filter(
        kind=StepKind.NOMINATION, left_at__isnull=True, nomination__isnull=True, body__code__in=institutions_of(user)
    )
    rows = [
        Nomination(
            call_id=stage.application.call_id,
            application=stage.application,
            stage=stage,
            body=stage.body,
            updated_at=at or timezone.now(),
        )
        for stage in fresh.select_related("application", "body").only("body__code", "application__call_id")
        if stage.body is not None
    ]
    if rows:
        Nomination.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)
    return len(rows)


# -- One file --------------------------------------------------------------------


def _open(nomination: Nomination, by: Any) -> None:
    if not may_decide(by, nomination):
        raise PermissionDenied
    if nomination.stage.left_at is not None or nomination.sent_at is not None:
        raise ValidationError(_("This file is no longer with you."), code="wrong_state")


@transaction.atomic
def save_checks(nomination: Nomination, checks: Mapping[str, str], comment: str, *, by: Any) -> None:
    """Keep what was ticked, without deciding."""
    _open(nomination, by)
    Nomination.objects.filter(pk=nomination.pk).update(checks=dict(checks), comment=comment, decided_by=by, updated_at=timezone.now())


@transaction.atomic
def put_on_list(nomination: Nomination, standing: str, *, by: Any) -> Nomination:
    """Put the file at the end of the nominated or of the reserve list."""
    _open(nomination, by)
    if nomination.standing == standing:
        return nomination
    last = _list(nomination, standing).aggregate(last=Max("rank"))["last"] or 0
    old, old_rank = nomination.standing, nomination.rank
    changed = Nomination.objects.filter(pk=nomination.pk, standing=old)
    if not changed.update(standing=standing, rank=last + 1, decided_by=by, updated_at=timezone.now()):
        raise ValidationError(_("Someone else has just changed this list. Reload the page."), code="changed_meanwhile")
    nomination.standing, nomination.rank = standing, last + 1
    _close_gap(nomination, old, old_rank)
    record(CHECKED, nomination.application, by=by, body=nomination.body.code, standing=standing)
    return nomination


def _list(nomination: Nomination, standing: str) -> Any:
    return Nomination.objects.filter(call=nomination.call_id, body=nomination.body_id, standing=standing)


def _close_gap(nomination: Nomination, standing: str, rank: int | None) -> None:
    if rank is not None:
        _list(nomination, standing).filter(rank__gt=rank).update(rank=F("rank") - 1)


@transaction.atomic
def move(nomination: Nomination, step: int, *, by: Any) -> None:
    """Move the file one rank up (STEP -1) or down (STEP +1) in its list."""
    _open(nomination, by)
    if nomination.rank is None:
        return
    at_hand = list(_list(nomination, nomination.standing).at_hand().order_by("rank", "pk"))
    order = [row.pk for row in at_hand]
    here = order.index(nomination.pk)
    there = here + step
    if 0 <= there < len(order):
        order[here], order[there] = order[there], order[here]
    for rank, pk in enumerate(order, start=1):
        Nomination.objects.filter(pk=pk).exclude(rank=rank).update(rank=rank)


def give_file_back(
    nomination: Nomination, *, by: Any, reason: str, sections: list[str], until: datetime, note: str, key: str | None = None
) -> None:
    """Return the file to the applicant; it comes back as a new row."""
    _open(nomination, by)
    with transaction.atomic():
        old, old_rank = nomination.standing, nomination.rank
        Nomination.objects.filter(pk=nomination.pk).update(standing=Standing.TO_CHECK, rank=None)
        _close_gap(nomination, old, old_rank)
        give_back(nomination.application, by=by, reason=reason, sections=sections, until=until, note=note, key=key)


def turn_down(nomination: Nomination, *, by: Any, note: str, key: str | None = None) -> None:
    """Do not nominate; the applicant reads NOTE at once.

    Raises:
        ValidationError: ``no_reason``.
    """
    _open(nomination, by)
    if not note.strip():
        raise ValidationError(_("Give the reason in words: the applicant reads it."), code="no_reason")
    with transaction.atomic():
        old, old_rank = nomination.standing, nomination.rank
        Nomination.objects.filter(pk=nomination.pk).update(
            standing=Standing.NOT_NOMINATED, rank=None, decided_by=by, updated_at=timezone.now()
        )
        _close_gap(nomination, old, old_rank)
        advance(
            nomination.application, "not_nominate", by=by, key=f"{nomination.application.code}:{key}" if key else None,
            data={"body": nomination.body.code}, reason=NOT_NOMINATED, note=note.strip(),
        )  # fmt: skip


# -- The list --------------------------------------------------------------------


@dataclass(frozen=True)
class Places:
    """What a body may nominate: ``level`` ("" for all), places, how many are nominated, and the quota."""

    level: str
    places: int
    nominated: int
    quota: Quota

    @property
    def is_over(self) -> bool:
        return self.nominated > self.places


def places_of(call: Call, body: Institution, levels: Counter[str]) -> list[Places]:
    """The places of BODY in CALL beside its nominations (LEVELS: level -> how many are nominated)."""
    step = _step_of(call, body)
    countries = (
        {country for country, pks in step.bodies.items() if body.pk in pks} if step and step.body_by == BodyBy.CITIZENSHIP else set()
    )
    found = []
    for quota in Quota.objects.filter(call=call, purpose=Purpose.NOMINATION).order_by("pk"):
        values = dict(zip(quota.by.split(","), quota.cell.split(","), strict=True))
        if values.get("a.body", body.code) == body.code and ("a.country" not in values or values["a.country"] in countries):
            level = values.get("o.level", "")
            found.append(Places(level, quota.places, levels[level] if level else sum(levels.values()), quota))
    order = list(Level.values)
    return sorted(found, key=lambda places: order.index(places.level) if places.level in order else -1)


def _step_of(call: Call, body: Institution) -> Step | None:
    assert call.version is not None, "bodies act in published calls only"
    return next(
        (
            step
            for step in form_of(call.version).steps
            if step.kind == StepKind.NOMINATION and any(body.pk in pks for pks in step.bodies.values())
        ),
        None,
    )


def over_places(call: Call, body: Institution, ranked: list[Nomination]) -> list[tuple[Nomination, Places]]:
    """The nominees that are over the places, the last ranked first named: each with the places it exceeds."""
    levels = Counter(row.application.level for row in ranked)
    over = []
    for places in places_of(call, body, levels):
        concerned = [row for row in ranked if not places.level or row.application.level == places.level]
        over += [(row, places) for row in concerned[places.places :]]
    return over


def send_list(call: Call, body: Institution, *, by: Any, at: datetime | None = None) -> SentList:
    """Send the list of BODY: the nominated go on to the next step, the reserve waits. It is sent once.

    Raises:
        PermissionDenied: BY does not act for the body.
        ValidationError: ``too_early`` while the call is open, ``to_check`` while files are undecided,
            ``empty``, ``over_places`` naming who is over, ``sent_already``.
    """
    now = at or timezone.now()
    if body.code not in institutions_of(by):
        raise PermissionDenied
    if now <= call.last_moment():
        raise ValidationError(
            _("The call is still open: applicants may change or withdraw. The list can be sent when it has closed."), code="too_early"
        )
    rows = list(
        Nomination.objects.at_hand()
        .filter(call=call, body=body)
        .select_related("application__call", "application__version", "stage", "body")
        .order_by("standing", "rank", "pk")
    )
    undecided = [row for row in rows if row.standing == Standing.TO_CHECK]
    if undecided:
        raise ValidationError(
            [
                ValidationError(
                    _("%(name)s, %(code)s, is not decided yet."),
                    code="to_check",
                    params={"name": row.application.name, "code": row.application.code},
                )
                for row in undecided[:10]
            ]
        )
    ranked = [row for row in rows if row.standing == Standing.RANKED]
    reserve = [row for row in rows if row.standing == Standing.RESERVE]
    if not ranked:
        raise ValidationError(_("The list is empty: nominate at least one, or leave it unsent."), code="empty")
    over = over_places(call, body, ranked)
    if over:
        raise ValidationError([_over(row, places) for row, places in over])
    with transaction.atomic():
        sent = _sent_list(call, body, ranked, reserve, by, now)
        for places in places_of(call, body, Counter(row.application.level for row in ranked)):
            _use_places(places, ranked, by)
        Nomination.objects.filter(pk__in=[row.pk for row in rows]).update(sent_at=now)
        advance_all(
            [row.application for row in ranked],
            "nominate",
            by=by,
            at=now,
            data={row.application.code: {"body": body.code, "rank": row.rank} for row in ranked},
        )
        record(LIST_SENT, sent, by=by, at=now, call=call.code, body=body.code, nominated=len(ranked), reserve=len(reserve))
    return sent


def _over(row: Nomination, places: Places) -> ValidationError:
    level = Level(places.level).label if places.level else _("all levels")
    return ValidationError(
        _("%(name)s, rank %(rank)d, is over your %(places)d places (%(level)s). Move one to the reserve list."),
        code="over_places",
        params={"name": row.application.name or row.application.code, "rank": row.rank, "places": places.places, "level": level},
    )


def _sent_list(call: Call, body: Institution, ranked: list[Nomination], reserve: list[Nomination], by: Any, now: datetime) -> SentList:
    try:
        with transaction.atomic():
            return SentList.objects.create(
                call=call, step=ranked[0].stage.step, body=body, nominated=len(ranked), reserve=len(reserve), sent_at=now, by=by
            )
    except IntegrityError:
        raise ValidationError(_("This list has been sent already."), code="sent_already") from None


def _use_places(places: Places, ranked: list[Nomination], by: Any) -> None:
    for row in ranked:
        if not places.level or row.application.level == places.level:
            quotas.hold([places.quota], subject=row.application.code, by=by)
            quotas.use([places.quota], subject=row.application.code, by=by)
