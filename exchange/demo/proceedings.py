"""How the demo's later calls have gone on: nominated, found eligible, reviewed, given places, offered."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone

from scholarships.allocations import actions as allocations
from scholarships.applications.door import advance_all
from scholarships.applications.models import Answer, Application
from scholarships.calls.form import form_of
from scholarships.calls.models import Call
from scholarships.nominations import actions as nominations
from scholarships.nominations.models import Nomination, SentList, Standing
from scholarships.offers import actions as offers
from scholarships.offers.models import Offer
from scholarships.people.models import Membership, Role, User
from scholarships.quotas.models import Purpose, Quota, cell_of
from scholarships.reviews import actions as reviews
from scholarships.reviews.models import Assignment, Progress, Review

COMMENTS = (
    "Own field data over two seasons is rare at this level.",
    "Clear question; the method for ungauged catchments is under-specified.",
    "Marks are uneven, and the plan does not say why.",
    "Names the group and what it would add to its work.",
    "Solid, but the plan repeats what the textbook says.",
)


@dataclass
class Proceedings:
    officer: User
    reviewers: Sequence[User]
    dice: random.Random

    # -- Stages of the story -----------------------------------------------------

    def at_the_ministry(self, call: Call) -> None:
        """Some files are checked, most wait."""
        for member, body in self._members(call):
            nominations.take_in(member)
            rows = list(
                Nomination.objects.filter(call=call, body=body)
                .exclude(application__applicant__email="nuray@sapar.example")
                .order_by("application__name", "pk")
            )
            checked = rows[: len(rows) // 2]
            nominations.put_all_on_list(checked[:-1], Standing.RANKED, by=member)
            nominations.put_all_on_list(checked[-1:], Standing.RESERVE, by=member)

    def in_review(self, call: Call, *, first: User) -> None:
        """Nominated and eligible; half of the reviews are in. The first reviewer has Nuray's file still to do."""
        self._nominate(call)
        self._find_eligible(call)
        self._assign(call, first)
        self._score(call, share=0.5, spare=first)

    def at_allocation(self, call: Call) -> None:
        """All reviews are in: the officer can allocate."""
        self._nominate(call)
        self._find_eligible(call)
        self._assign(call, None)
        self._score(call, share=1.0)

    def offers_out(self, call: Call, *, first: User) -> None:
        """Results are published, offers wait; some are answered."""
        self.at_allocation(call)
        self._lift(call, first)
        run = allocations.allocate(call, by=self.officer)
        allocations.confirm(run, by=self.officer)
        offers.make_from(run, by=self.officer, at=call.results_at + timedelta(minutes=1))
        waiting = (
            Offer.objects.filter(run=run)
            .exclude(application__applicant=first)
            .select_related("application__call", "application__version", "application__applicant", "run__call")
        )
        for number, offer in enumerate(waiting.order_by("pk")[:8]):
            answer = offers.decline if number in {2, 6} else offers.accept
            answer(offer, by=offer.application.applicant, at=timezone.now() - timedelta(days=1))

    # -- Steps -------------------------------------------------------------------

    def _members(self, call: Call) -> list[tuple[User, Any]]:
        """The member of each body of CALL's first step, with the body."""
        bodies = {stage.body for row in Application.objects.filter(call=call) for stage in row.stages.select_related("body") if stage.body}
        found = []
        for body in sorted(bodies, key=lambda body: body.code):
            membership = Membership.objects.filter(role=Role.BODY, scope_key=body.code).select_related("user").first()
            if membership:
                found.append((membership.user, body))
        return found

    def _nominate(self, call: Call) -> None:
        """Each body ranks by its own lights and sends within its places."""
        sent_at = call.closes_at + timedelta(days=5)
        room = Counter(dict(Quota.objects.filter(call=call, purpose=Purpose.NOMINATION).values_list("cell", "places")))
        for member, body in self._members(call):
            nominations.take_in(member)
            rows = list(Nomination.objects.filter(call=call, body=body).select_related("application", "body", "stage"))
            rows.sort(key=lambda row: (row.application.applicant.email != "nuray@sapar.example", self.dice.random()))
            lists: dict[str, list[Nomination]] = {Standing.RANKED: [], Standing.RESERVE: []}
            for row in rows:
                cell = cell_of(row.application.country_id, row.application.level)
                lists[Standing.RANKED if room[cell] > 0 else Standing.RESERVE].append(row)
                room[cell] -= 1
            for standing, members in lists.items():
                nominations.put_all_on_list(members, standing, by=member)
            nominations.send_list(call, body, by=member, at=sent_at)
        SentList.objects.filter(call=call).update(sent_at=sent_at)

    def _find_eligible(self, call: Call) -> None:
        rows = list(
            Application.objects.filter(call=call, stages__kind="eligibility", stages__left_at__isnull=True).select_related(
                "call", "version"
            )
        )
        if rows:
            advance_all(rows, "find_eligible", by=self.officer, at=call.closes_at + timedelta(days=7))

    def _assign(self, call: Call, first: User | None) -> None:
        rows = list(reviews.at_review(call).select_related("call", "version", "revision"))
        reviewers = [User.objects.select_related("profile").get(pk=user.pk) for user in self.reviewers]
        if first is not None:
            own = [row for row in rows if row.applicant_id == first.pk]
            reviews.assign(call, [(row, reviewers[0]) for row in own], by=self.officer)
        plan = reviews.plan_evenly(call, rows, reviewers)
        reviews.assign(call, plan.pairs, by=self.officer)

    def _score(self, call: Call, *, share: float, spare: User | None = None) -> None:
        """Write the reviews of a SHARE of the assignments in bulk, and close what is complete; SPARE's file stays open."""
        assert call.version is not None, "the call is published"
        rubric = form_of(call.version).rubric
        todo = list(Assignment.objects.filter(call=call, progress=Progress.TODO).select_related("application__revision").order_by("pk"))
        todo = [row for row in todo if spare is None or row.application.applicant_id != spare.pk]
        done = todo[: round(len(todo) * share)]
        merits = self._merits([row.application for row in done])
        written, now = [], timezone.now()
        for row in done:
            level = merits[row.application_id] * 10
            scores: dict[str, int | None] = {item.key: max(0, min(10, round(self.dice.gauss(level, 1.1)))) for item in rubric}
            row.scored, row.progress = reviews.total_of(rubric, scores), Progress.DONE
            written.append(
                Review(
                    assignment=row,
                    revision=row.application.revision,
                    scores=scores,
                    comment=self.dice.choice(COMMENTS),
                    total=row.scored,
                    saved_at=now,
                    submitted_at=now,
                )
            )
        Review.objects.bulk_create(written)
        Assignment.objects.bulk_update(done, ["scored", "progress"], batch_size=200)
        self._close(call)

    def _merits(self, applications: Sequence[Application]) -> dict[int, float]:
        """How good each file is, 0 to 1, read from its average mark."""
        revisions = {row.revision_id: row.pk for row in applications}
        answers = Answer.objects.filter(revision__in=list(revisions), section="education").values_list("revision_id", "values")
        return {revisions[revision]: (float(values.get("gpa") or 75) - 62) / 36 for revision, values in answers}

    def _close(self, call: Call) -> None:
        rows = list(reviews.at_review(call).select_related("call", "version"))
        closed = []
        for row in rows:
            totals = [one.scored for one in row.assignments.filter(progress=Progress.DONE) if one.scored is not None]
            if totals:
                row.score = (sum(totals, Decimal(0)) / len(totals)).quantize(reviews.TWO_PLACES)
                Application.objects.filter(pk=row.pk).update(score=row.score)
            if len(totals) >= call.reviews_wanted:
                closed.append(row)
        if closed:
            advance_all(
                closed,
                "close_review",
                by=self.officer,
                data={row.code: {"score": row.score, "reviews": call.reviews_wanted} for row in closed},
            )

    def _lift(self, call: Call, first: User) -> None:
        """The person of the story is good enough for an offer."""
        Application.objects.filter(call=call, applicant=first).update(score=Decimal("9.10"))
