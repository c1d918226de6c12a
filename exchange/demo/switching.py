"""Who is to be shown a file in a role, and on which page."""

from __future__ import annotations

from django.urls import reverse

from exchange.demo.people import MINISTRY, OFFICER, REVIEWER, STUDENT
from scholarships.applications.models import Application, State
from scholarships.nominations.actions import take_in
from scholarships.nominations.models import Nomination
from scholarships.people.models import Membership, Role, User
from scholarships.reviews.models import Assignment

INVENTED = "@sapar.example"


def file_of(code: str) -> Application | None:
    """The application that CODE names, as its own reference or as a reviewer's."""
    found = Application.objects.select_related("applicant").filter(code=code).first()
    if found is None:
        assignment = Assignment.objects.select_related("application__applicant").filter(code=code).first()
        found = assignment.application if assignment else None
    return found


def person_for(role: str, code: str) -> User | None:
    """The invented person who has to do with the file in this role, else the one the demo tells of."""
    application = file_of(code)
    found: User | None = None
    if application:
        if role == "student":
            found = application.applicant
        elif role == "ministry":
            bodies = application.stages.filter(body__isnull=False).values("body__code")
            membership = Membership.objects.filter(role=Role.BODY, scope_key__in=bodies).select_related("user").first()
            found = membership.user if membership else None
        elif role == "reviewer":
            assignment = application.assignments.select_related("reviewer").order_by("pk").first()
            found = assignment.reviewer if assignment else None
    if found is None or not found.email.endswith(INVENTED):
        persona = {"student": STUDENT, "ministry": MINISTRY, "reviewer": REVIEWER, "officer": OFFICER}.get(role)
        found = User.objects.filter(email=persona.email).first() if persona else None
    return found


def page_for(role: str, person: User, code: str) -> str:
    """The page of the file in this role, else where the role begins."""
    application = file_of(code)
    if application:
        if role == "student" and application.applicant_id == person.pk:
            return reverse("apply:tasks" if application.state == State.DRAFT else "apply:status", args=[application.code])
        if role == "ministry":
            take_in(person)  # else a file that came a minute ago is not there yet
            if Nomination.objects.visible_to(person).filter(application=application).exists():
                return reverse("nominate:file", args=[application.code])
        if role == "reviewer":
            assignment = Assignment.objects.visible_to(person).filter(application=application).first()
            if assignment:
                return reverse("review:file", args=[assignment.code])
        if role == "officer" and Application.objects.visible_to(person).filter(pk=application.pk).exists():
            return reverse("manage:record", args=[application.code])
    return reverse("accounts:home")
