"""Reviewers are assigned, score, hand in, or leave a file for a conflict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Avg, Count, F
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from scholarships.applications.door import advance, advance_all
from scholarships.applications.models import Application, State
from scholarships.calls.form import RubricItem, form_of
from scholarships.calls.models import Call, StepKind
from scholarships.calls.rules import may_run
from scholarships.events.actions import record
from scholarships.events.names import declare
from scholarships.people.models import User
from scholarships.reviews.conflicts import conflict_between, sides_of
from scholarships.reviews.models import Assignment, Conflict, Progress, Review
from scholarships.reviews.rules import may_score, reviewers_of

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

    What is assigned stays. Ties go to the reviewer named first, then by key, so that the plan is repeatable.
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
    pairs, short = [], []
    for application in applications:
        wanted = call.reviews_wanted - counted[application.pk]
        free = [
            reviewer
            for reviewer in reviewers
            if reviewer.pk not in present.get(application.pk, ()) and conflict_between(reviewer, sides[application.pk]) is None
        ]
        chosen = sorted(free, key=lambda reviewer: (load[reviewer.pk], reviewer.name, reviewer.pk))[: max(wanted, 0)]
        for reviewer in chosen:
            load[reviewer.pk] += 1
            pairs.append((application, reviewer))
        if len(chosen) < wanted:
            short.append((application, wanted - len(chosen)))
    return Plan(tuple(pairs), tuple(short))


def assign(call: Call, pairs: Sequence[tuple[Application, User]], *, by: Any, at: datetime | None = None) -> int:
    """Give each reviewer the application beside it; a pair that exists stays. Gives how many are new.

    Raises:
        PermissionDenied: BY is not an officer of the call.
        ValidationError: ``conflict`` naming the pair, ``not_a_reviewer``, ``not_at_review``. Nothing is assigned then.
    """
    if not may_run(by, call):
        raise PermissionDenied
    now = at or timezone.now()
    _check_pairs(call, pairs)
    known = set(Assignment.objects.filter(call=call).values_list("application_id", "reviewer_id"))
    new = [(application, reviewer) for application, reviewer in pairs if (application.pk, reviewer.pk) not in known]
    waiting = {application.pk: application for application, _reviewer in new if application.state != State.IN_REVIEW}
    with transaction.atomic():
        Assignment.objects.bulk_create(
            [Assignment(call=call, application=application, reviewer=reviewer, assigned_at=now) for application, reviewer in new],
            batch_size=500,
            ignore_conflicts=True,
        )
        if waiting:
            advance_all(list(waiting.values()), "review", by=by, at=now)
        for reviewer, files in Counter(reviewer for _application, reviewer in new).items():
            record(ASSIGNED, reviewer, by=by, at=now, call=call.code, files=files)
    return len(new)


def _check_pairs(call: Call, pairs: Sequence[tuple[Application, User]]) -> None:
    applications = {application.pk: application for application, _reviewer in pairs}
    allowed = {reviewer.pk for reviewer in reviewers_of(call)}
    ready = set(at_review(call).filter(pk__in=list(applications)).values_list("pk", flat=True))
    sides = sides_of(list(applications.values()))
    for application, reviewer in pairs:
        if reviewer.pk not in allowed:
            raise ValidationError(_("%(name)s is not a reviewer of this call."), code="not_a_reviewer", params={"name": reviewer.name})
        if application.pk not in ready:
            raise ValidationError(_("%(code)s is not at the step of review."), code="not_at_review", params={"code": application.code})
        if conflict_between(reviewer, sides[application.pk]):
            raise ValidationError(
                _("%(name)s has a conflict of interest with %(code)s."),
                code="conflict",
                params={"name": reviewer.name, "code": application.code},
            )


def take_back(assignment: Assignment, *, by: Any) -> None:
    """Take a file back from a reviewer who has not handed in.

    Raises:
        ValidationError: ``handed_in``.
    """
    if not may_run(by, assignment.call):
        raise PermissionDenied
    with transaction.atomic():
        deleted, _kinds = Assignment.objects.filter(pk=assignment.pk, progress__in=[Progress.TODO, Progress.DRAFT]).delete()
        if not deleted:
            raise ValidationError(_("This review is handed in and stays."), code="handed_in")
        record(UNASSIGNED, assignment.reviewer, by=by, application=assignment.application.code)


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
        ValidationError: ``handed_in``, ``off_scale``, ``changed_meanwhile``.
    """
    now = at or timezone.now()
    _writable(assignment, by)
    revision = assignment.application.revision
    assert revision is not None, "what is under review has been handed in"
    rubric = form_of(assignment.application.version).rubric
    kept = _checked(rubric, scores)
    with transaction.atomic():
        review = Review.objects.filter(assignment=assignment).first()
        if review is None:
            review = Review.objects.create(
                assignment=assignment,
                revision=revision,
                scores=kept,
                comment=comment,
                total=total_of(rubric, kept),
                saved_at=now,
            )
        else:
            row = Review.objects.filter(pk=review.pk, version=known_version, submitted_at__isnull=True)
            if not row.update(
                scores=kept,
                comment=comment,
                total=total_of(rubric, kept),
                version=F("version") + 1,
                saved_at=now,
                revision=revision,
            ):
                raise ValidationError(
                    _("This review was saved in another window or on another device since you opened it."), code="changed_meanwhile"
                )
            review.refresh_from_db()
        Assignment.objects.filter(pk=assignment.pk, progress=Progress.TODO).update(progress=Progress.DRAFT)
    return review


def _writable(assignment: Assignment, by: Any) -> None:
    if assignment.progress == Progress.DONE and assignment.reviewer_id == by.pk:
        raise ValidationError(_("This review is handed in."), code="handed_in")
    if not may_score(by, assignment):
        raise PermissionDenied
    if assignment.application.state != State.IN_REVIEW:
        raise ValidationError(_("This application is no longer under review."), code="wrong_state")


def _checked(rubric: Sequence[RubricItem], scores: Mapping[str, int | None]) -> dict[str, int | None]:
    kept = {}
    for item in rubric:
        if item.key not in scores:
            continue
        score = scores[item.key]
        if (score is None and not item.may_skip) or (score is not None and not LOWEST <= score <= HIGHEST):
            raise ValidationError(_("%(line)s: give a number from 0 to 10."), code="off_scale", params={"line": item.title})
        kept[item.key] = score
    return kept


def submit_review(
    assignment: Assignment, scores: Mapping[str, int | None], comment: str, *, known_version: int, by: Any, at: datetime | None = None
) -> Review:
    """Hand the review in: it then counts and can no longer be changed. The last one wanted closes the review.

    Raises:
        ValidationError: ``incomplete`` naming each line without a score; else as ``save_review``.
    """
    now = at or timezone.now()
    rubric = form_of(assignment.application.version).rubric
    missing = [item for item in rubric if item.key not in scores]
    if missing:
        review = save_review(assignment, scores, comment, known_version=known_version, by=by, at=now)
        raise ValidationError(
            [ValidationError(_("Score “%(line)s”."), code="incomplete", params={"line": item.title, "key": item.key}) for item in missing]
        )
    with transaction.atomic():
        review = save_review(assignment, scores, comment, known_version=known_version, by=by, at=now)
        if review.total is None:
            raise ValidationError(_("At least one line needs a number."), code="incomplete")
        if not Assignment.objects.filter(pk=assignment.pk, progress__in=[Progress.TODO, Progress.DRAFT]).update(
            progress=Progress.DONE, scored=review.total
        ):
            raise ValidationError(_("This review is handed in."), code="handed_in")
        Review.objects.filter(pk=review.pk).update(submitted_at=now)
        record(SUBMITTED, assignment, by=by, at=now, application=assignment.application.code)
        _count(assignment, now)
    review.submitted_at = now
    return review


def _count(assignment: Assignment, now: datetime) -> None:
    """Write the mean of the reviews on the application; with the last one wanted the review closes."""
    done = Assignment.objects.filter(application=assignment.application_id, progress=Progress.DONE).aggregate(
        mean=Avg("scored"), count=Count("pk")
    )
    score = Decimal(done["mean"]).quantize(TWO_PLACES, ROUND_HALF_UP)
    application = assignment.application
    Application.objects.filter(pk=application.pk).update(score=score)
    application.score = score
    still_open = Assignment.objects.filter(application=application.pk, progress__in=[Progress.TODO, Progress.DRAFT]).exists()
    if done["count"] >= assignment.call.reviews_wanted and not still_open and application.state == State.IN_REVIEW:
        advance(application, "close_review", by=None, at=now, data={"score": score, "reviews": done["count"]})


def recuse(assignment: Assignment, conflict: str, *, by: Any) -> None:
    """Leave the file for a conflict of interest: it closes at once, everywhere, and a draft of the review is deleted.

    Raises:
        PermissionDenied: BY does not review this file.
        ValidationError: ``handed_in``; ``no_reason``.
    """
    if conflict not in Conflict.values:
        raise ValidationError(_("Say which kind of conflict it is."), code="no_reason")
    if assignment.progress == Progress.DONE and assignment.reviewer_id == by.pk:
        raise ValidationError(_("This review is handed in. Write to the office about the conflict."), code="handed_in")
    if not may_score(by, assignment):
        raise PermissionDenied
    with transaction.atomic():
        open_one = Assignment.objects.filter(pk=assignment.pk, progress__in=[Progress.TODO, Progress.DRAFT])
        if not open_one.update(progress=Progress.RECUSED, conflict=conflict):
            raise ValidationError(_("This review has just been handed in."), code="changed_meanwhile")
        Review.objects.filter(assignment=assignment).delete()
        record(RECUSED, assignment, by=by, application=assignment.application.code, conflict=conflict)


def close_review(application: Application, *, by: Any) -> None:
    """An officer closes a review with fewer reviews than wanted.

    Raises:
        ValidationError: ``no_review``: there is none yet.
    """
    if application.score is None:
        raise ValidationError(_("There is no review yet, so that there is nothing to rank."), code="no_review")
    count = Assignment.objects.filter(application=application, progress=Progress.DONE).count()
    advance(application, "close_review", by=by, data={"score": application.score, "reviews": count})
