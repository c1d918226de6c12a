"""Reviewers are assigned, score, hand in, or leave a file for a conflict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from scholarships.applications.door import advance, advance_all
from scholarships.applications.models import Application, State
from scholarships.calls.form import RubricItem, form_of
from scholarships.calls.models import Call, StepKind
from scholarships.calls.rules import may_run
from scholarships.documents.actions import OPENED
from scholarships.documents.models import DocumentVersion
from scholarships.events.actions import record
from scholarships.events.models import Event
from scholarships.events.names import declare
from scholarships.people.models import Role, User
from scholarships.references.standing import waiting_for_letters
from scholarships.reviews.conflicts import conflict_between, sides_of
from scholarships.reviews.models import OPEN, Assignment, Conflict, Progress, Review
from scholarships.reviews.rules import is_its_reviewer, may_score, reviewers_of

ASSIGNED = declare("review.assigned", "Files were given to a reviewer", "call", "files")
UNASSIGNED = declare("review.taken_back", "A file was taken back from a reviewer", "application")
SUBMITTED = declare("review.submitted", "Review handed in", "application")
RECUSED = declare("review.recused", "A reviewer left a file for a conflict of interest", "application", "conflict")

TWO_PLACES = Decimal("0.01")
LOWEST, HIGHEST = 0, 10


# -- Assigning -------------------------------------------------------------------


@dataclass(frozen=True)
class Plan:
    """Who would review what, and which files would have fewer reviewers than wanted, each with the number missing."""

    pairs: tuple[tuple[Application, User], ...]
    short: tuple[tuple[Application, int], ...]


def at_review(call: Call) -> Any:
    """The applications of CALL that are at a review step."""
    return Application.objects.filter(call=call, stages__left_at__isnull=True, stages__kind=StepKind.REVIEW)


def plan_evenly(call: Call, applications: Sequence[Application], reviewers: Sequence[User]) -> Plan:
    """Give each application as many reviewers as the call wants: the least loaded first, never against a conflict.

    What is assigned stays; who left a file for a conflict does not get it back. The applications with the fewest
    possible reviewers choose first, so that the others make up for them. Ties go to the reviewer named first, then by
    key, so that the plan is repeatable. ``pairs`` and ``short`` stand in the order of APPLICATIONS.
    """
    present: dict[int, set[int]] = {}
    load: Counter[int] = Counter()
    counted: Counter[int] = Counter()
    for row, who, progress in Assignment.objects.filter(call=call).values_list("application_id", "reviewer_id", "progress"):
        present.setdefault(row, set()).add(who)
        if progress != Progress.RECUSED:
            load[who] += 1
            counted[row] += 1
    sides = sides_of(list(applications))
    free = {
        application.pk: [
            reviewer
            for reviewer in reviewers
            if reviewer.pk not in present.get(application.pk, ()) and conflict_between(reviewer, sides[application.pk]) is None
        ]
        for application in applications
    }
    chosen: dict[int, list[User]] = {}
    for application in sorted(applications, key=lambda application: len(free[application.pk])):
        wanted = max(call.reviews_wanted - counted[application.pk], 0)
        by_load = sorted(free[application.pk], key=lambda reviewer: (load[reviewer.pk], reviewer.name, reviewer.pk))
        chosen[application.pk] = by_load[:wanted]
        load.update(reviewer.pk for reviewer in by_load[:wanted])
    missing = {application.pk: call.reviews_wanted - counted[application.pk] - len(chosen[application.pk]) for application in applications}
    return Plan(
        tuple((application, reviewer) for application in applications for reviewer in chosen[application.pk]),
        tuple((application, missing[application.pk]) for application in applications if missing[application.pk] > 0),
    )


def assign(call: Call, pairs: Sequence[tuple[Application, User]], *, by: Any, at: datetime | None = None) -> int:
    """Give each reviewer the application beside it; a pair that exists stays as it is. Gives how many are new.

    Raises:
        PermissionDenied: BY is not an officer of the call.
        ValidationError: ``conflict`` naming the pair, ``not_a_reviewer``, ``not_at_review``, ``letters`` where the call lets the
            review wait for them. Nothing is assigned then.
    """
    if not may_run(by, call):
        raise PermissionDenied
    now = at or timezone.now()
    known = set(Assignment.objects.filter(call=call).values_list("application_id", "reviewer_id"))
    new = list({(application.pk, reviewer.pk): (application, reviewer) for application, reviewer in pairs}.items())
    fresh = [pair for keys, pair in new if keys not in known]
    _check_pairs(call, fresh)
    _check_letters([application for application, _reviewer in fresh if application.state != State.IN_REVIEW], now)
    waiting = {application.pk: application for application, _reviewer in fresh if application.state != State.IN_REVIEW}
    for application in waiting.values():
        application.call = call
    with transaction.atomic():
        Assignment.objects.bulk_create(
            [Assignment(call=call, application=application, reviewer=reviewer, assigned_at=now) for application, reviewer in fresh],
            batch_size=500,
            ignore_conflicts=True,
        )
        if waiting:
            advance_all(list(waiting.values()), "review", by=by, at=now)
        for reviewer, files in Counter(reviewer for _application, reviewer in fresh).items():
            record(ASSIGNED, reviewer, by=by, at=now, call=call.code, files=files)
    return len(fresh)


def _check_letters(applications: Sequence[Application], now: datetime) -> None:
    for application in waiting_for_letters(applications, at=now):
        said = _("%(code)s waits for letters of referees until they are due; this call lets the review wait for them.")
        raise ValidationError(said, code="letters", params={"code": application.code})


def _check_pairs(call: Call, pairs: Sequence[tuple[Application, User]]) -> None:
    applications = {application.pk: application for application, _reviewer in pairs}
    allowed = {reviewer.pk: reviewer for reviewer in reviewers_of(call)}
    ready = set(at_review(call).filter(pk__in=list(applications)).values_list("pk", flat=True))
    sides = sides_of(list(applications.values()))
    for application, reviewer in pairs:
        if reviewer.pk not in allowed:
            raise ValidationError(_("%(name)s is not a reviewer of this call."), code="not_a_reviewer", params={"name": reviewer.name})
        if application.pk not in ready:
            raise ValidationError(_("%(code)s is not at the step of review."), code="not_at_review", params={"code": application.code})
        if conflict_between(allowed[reviewer.pk], sides[application.pk]):
            raise ValidationError(
                _("%(name)s has a conflict of interest with %(code)s."),
                code="conflict",
                params={"name": reviewer.name, "code": application.code},
            )


def take_back(assignment: Assignment, *, by: Any) -> None:
    """Take a file back from a reviewer who has not handed in; a draft of the review goes with it.

    Raises:
        ValidationError: ``handed_in``; ``recused``: the reviewer has left it for a conflict.
    """
    if not may_run(by, assignment.call):
        raise PermissionDenied
    with transaction.atomic():
        row = Assignment.objects.select_for_update().filter(pk=assignment.pk).first()
        if row is None:
            return
        if row.progress == Progress.DONE:
            raise ValidationError(_("This review is handed in and stays."), code="handed_in")
        if row.progress == Progress.RECUSED:
            raise ValidationError(_("The reviewer has left this file for a conflict of interest. That stays written down."), code="recused")
        row.delete()
        record(UNASSIGNED, assignment.reviewer, by=by, application=assignment.application.code)
        if _lock(assignment):
            _count(assignment, timezone.now())


# -- Scoring ---------------------------------------------------------------------


def total_of(rubric: Sequence[RubricItem], scores: Mapping[str, int | None]) -> Decimal | None:
    """The weighted mean of the scores given, 0 to 10 with two decimals; "not applicable" counts nowhere."""
    given = [(item.weight, scores[item.key]) for item in rubric if scores.get(item.key) is not None]
    weights = sum(weight for weight, _score in given)
    if not weights:
        return None
    return (Decimal(sum(weight * score for weight, score in given if score is not None)) / weights).quantize(TWO_PLACES, ROUND_HALF_UP)


def save_review(
    assignment: Assignment, scores: Mapping[str, int | None], comment: str, *, known_version: int, by: Any, at: datetime | None = None
) -> Review:
    """Keep a draft of the review.

    Args:
        scores: rubric key -> 0..10, or None for "not applicable"; a line that is left out is not scored yet.
        known_version: the version that the page showed, 0 for none.

    Raises:
        PermissionDenied: BY does not review this file.
        ValidationError: ``handed_in``, ``off_scale``, ``wrong_state``, ``changed_meanwhile``.
    """
    _require_open(assignment, by)
    rubric = form_of(assignment.application.version).rubric
    kept = _checked(rubric, scores)
    with transaction.atomic():
        _move(assignment, Progress.DRAFT)
        return _write(assignment, known_version, scores=kept, comment=comment, total=total_of(rubric, kept), saved_at=at or timezone.now())


def submit_review(
    assignment: Assignment, scores: Mapping[str, int | None], comment: str, *, known_version: int, by: Any, at: datetime | None = None
) -> Review:
    """Hand the review in: it then counts and can no longer be changed. The last one wanted closes the review.

    Raises:
        ValidationError: ``incomplete`` naming each line without a score (what there is, is kept as a draft);
            else as ``save_review``.
    """
    now = at or timezone.now()
    _require_open(assignment, by)
    rubric = form_of(assignment.application.version).rubric
    kept = _checked(rubric, scores)
    total = total_of(rubric, kept)
    lacking = _lacking(rubric, kept, total)
    if lacking:
        save_review(assignment, scores, comment, known_version=known_version, by=by, at=now)
        raise ValidationError(lacking)
    with transaction.atomic():
        _move(assignment, Progress.DONE, scored=total)
        review = _write(assignment, known_version, scores=kept, comment=comment, total=total, saved_at=now, submitted_at=now)
        record(SUBMITTED, assignment, by=by, at=now, application=assignment.application.code)
        _count(assignment, now)
    assignment.progress, assignment.scored = Progress.DONE, total
    return review


def _require_open(assignment: Assignment, by: Any) -> None:
    if not is_its_reviewer(by, assignment) or assignment.progress == Progress.RECUSED:
        raise PermissionDenied
    if assignment.progress == Progress.DONE:
        raise _handed_in()


def _handed_in() -> ValidationError:
    return ValidationError(_("This review is handed in."), code="handed_in")


def _checked(rubric: Sequence[RubricItem], scores: Mapping[str, int | None]) -> dict[str, int | None]:
    kept = {}
    for item in rubric:
        if item.key not in scores:
            continue
        score = scores[item.key]
        if (score is None and not item.may_skip) or (score is not None and not (isinstance(score, int) and LOWEST <= score <= HIGHEST)):
            raise ValidationError(_("%(line)s: give a number from 0 to 10."), code="off_scale", params={"line": item.title})
        kept[item.key] = score
    return kept


def _lacking(rubric: Sequence[RubricItem], scores: Mapping[str, int | None], total: Decimal | None) -> list[ValidationError]:
    """A sentence for each line without a score, or one for all where none has a number."""
    lines = [item for item in rubric if item.key not in scores]
    if not lines and total is None:
        return [ValidationError(_("At least one line needs a number."), code="incomplete", params={"key": rubric[0].key if rubric else ""})]
    return [ValidationError(_("Score “%(line)s”."), code="incomplete", params={"line": item.title, "key": item.key}) for item in lines]


def _move(assignment: Assignment, progress: Progress, **fields: Any) -> None:
    """Change the row only while the file is open; it then stays locked, and the application after it, until the end."""
    if not Assignment.objects.filter(pk=assignment.pk, progress__in=OPEN).update(progress=progress, **fields):
        now_at = Assignment.objects.filter(pk=assignment.pk).values_list("progress", flat=True).first()
        raise _handed_in() if now_at == Progress.DONE else PermissionDenied()
    if not _lock(assignment):
        raise ValidationError(_("This application is no longer under review."), code="wrong_state")


def _lock(assignment: Assignment) -> bool:
    """Keep the application as it is until the end of the transaction; whether it is under review.

    Two reviewers who hand in at once pass one after the other, so that the second sees the first one's score.
    """
    row = at_review(assignment.call).filter(pk=assignment.application_id, state=State.IN_REVIEW)
    return bool(row.select_for_update(of=("self",)).only("pk"))


def _write(assignment: Assignment, known_version: int, **fields: Any) -> Review:
    """Write the review of an ASSIGNMENT that is locked, unless another page has saved it since."""
    read = {"revision_id": assignment.application.revision_id, "version": known_version + 1}  # the revision that was read
    review = Review(assignment=assignment, **read, **fields)
    if known_version:
        if Review.objects.filter(assignment=assignment.pk, version=known_version).update(**read, **fields):
            return review
        raise _saved_elsewhere()
    try:
        review.save(force_insert=True)
    except IntegrityError:
        raise _saved_elsewhere() from None
    return review


def _saved_elsewhere() -> ValidationError:
    return ValidationError(_("This review was saved in another window or on another device since you opened it."), code="changed_meanwhile")


def _count(assignment: Assignment, now: datetime) -> None:
    """Write the mean of the reviews on the application, which is locked; when all wanted are there, the review closes.

    The mean is taken here and not in the database: SQLite would take it of floats, and a tie would round at random.
    """
    rows = Assignment.objects.filter(application=assignment.application_id).exclude(progress=Progress.RECUSED)
    found = list(rows.values_list("progress", "scored"))
    scores = [scored for progress, scored in found if progress == Progress.DONE and scored is not None]
    if not scores:
        return
    score = (sum(scores, Decimal()) / len(scores)).quantize(TWO_PLACES, ROUND_HALF_UP)
    application = assignment.application
    application.state = State.IN_REVIEW  # as it is in the database, whatever it was when the page was opened
    if len(scores) >= assignment.call.reviews_wanted and len(scores) == len(found):
        advance(application, "close_review", by=None, at=now, data={"score": score, "reviews": len(scores)}, score=score)
    else:
        Application.objects.filter(pk=application.pk).update(score=score)
        application.score = score


def recuse(assignment: Assignment, conflict: str, *, by: Any) -> None:
    """Leave the file for a conflict of interest: it closes at once, everywhere, and a draft of the review is deleted.

    Raises:
        PermissionDenied: BY does not review this file.
        ValidationError: ``handed_in``; ``no_reason``.
    """
    if conflict not in Conflict.values:
        raise ValidationError(_("Say which kind of conflict it is."), code="no_reason")
    if assignment.progress == Progress.DONE and is_its_reviewer(by, assignment):
        raise _left_too_late()
    if not may_score(by, assignment):
        raise PermissionDenied
    now = timezone.now()
    with transaction.atomic():
        if not Assignment.objects.filter(pk=assignment.pk, progress__in=OPEN).update(progress=Progress.RECUSED, conflict=conflict):
            raise _left_too_late()
        Review.objects.filter(assignment=assignment.pk).delete()
        record(RECUSED, assignment, by=by, at=now, application=assignment.application.code, conflict=conflict)
        if _lock(assignment):
            _count(assignment, now)
    assignment.progress, assignment.conflict = Progress.RECUSED, conflict


def _left_too_late() -> ValidationError:
    return ValidationError(_("This review is handed in. Write to the office about the conflict."), code="handed_in")


def note_reading(assignment: Assignment, file: DocumentVersion, *, by: Any, at: datetime | None = None) -> None:
    """Write down that the reviewer opened a paper, for its owner to see; all its pages within an hour are one reading.

    FILE has its document at hand.
    """
    now = at or timezone.now()
    key = f"opened:{assignment.code}:{file.code}:{now:%Y%m%d%H}"
    if Event.objects.filter(key=key).exists():
        return
    with suppress(ValidationError):  # another page of it, at the same moment
        record(
            OPENED, file.document, by=by, actor=Role.REVIEWER, key=key, at=now,
            kind=file.document.kind, version=file.number, application=assignment.application.code,
        )  # fmt: skip


def close_review(application: Application, *, by: Any) -> None:
    """An officer closes a review with fewer reviews than wanted.

    Raises:
        ValidationError: ``no_review``: there is none yet.
    """
    if application.score is None:
        raise ValidationError(_("There is no review yet, so that there is nothing to rank."), code="no_review")
    count = Assignment.objects.filter(application=application, progress=Progress.DONE).count()
    advance(application, "close_review", by=by, data={"score": application.score, "reviews": count})
