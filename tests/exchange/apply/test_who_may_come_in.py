"""An applicant's pages are the applicant's: a visitor is asked to sign in, for everybody else they are not there."""

from __future__ import annotations

import pytest

from exchange.apply.urls import urlpatterns
from scholarships.applications.models import Application, Revision
from scholarships.documents.models import Document
from scholarships.events.models import Event
from scholarships.partners.models import Institution
from tests.exchange.pages import browser
from tests.factories import (  # fmt: skip
    make_application,
    make_assignment,
    make_at_review,
    make_body_member,
    make_call,
    make_document,
    make_draft,
    make_officer,
    make_reviewer,
    make_user,
)

pytestmark = pytest.mark.django_db


def of_an_application(code: str) -> dict[str, str]:
    """Each page of one application: the name of its route -> its address."""
    here = f"/apply/{code}/"
    return {
        "tasks": here,
        "section": f"{here}sections/person/",
        "entry_add": f"{here}sections/education/schools/add/",
        "entry": f"{here}sections/education/schools/0/",
        "choices": f"{here}choices/",
        "documents": f"{here}documents/",
        "check": f"{here}check/",
        "receipt": f"{here}receipt/",
        "status": f"{here}status/",
        "change": f"{here}change/",
        "withdraw": f"{here}withdraw/",
        "reopen": f"{here}reopen/",
        "result": f"{here}result/",
    }


def of_a_paper(code: str) -> dict[str, str]:
    here = f"/apply/library/{code}/"
    return {"file": f"{here}file/", "page": f"{here}pages/1/", "remove": f"{here}remove/"}


ALONE = {"mine": "/apply/", "library": "/apply/library/", "opened": "/apply/library/opened/", "start": "/apply/start/small-2027/"}
POSTED_ONLY = {"change", "reopen", "remove"}
READ_ONLY = {"tasks", "receipt", "status"}
OF_REFEREES = {"letters", "letter"}  # only where the call asks for letters: see test_letters.py


def test_these_are_all_the_pages():
    assert {route.name for route in urlpatterns} == {*of_an_application("X"), *of_a_paper("X"), *ALONE, *OF_REFEREES}


def test_a_visitor_is_asked_to_sign_in_and_comes_back_to_the_page():
    application, paper = make_draft(), make_document(make_user())
    visitor = browser()

    for path in {**of_an_application(application.code), **of_a_paper(paper.document.code), **ALONE}.values():
        for answer in (visitor.get(path), visitor.post(path)):
            assert (answer.status_code, answer["Location"]) == (302, f"/accounts/login/?next={path}")


def test_the_address_with_its_question_is_kept_for_after_signing_in():
    make_call()

    answer = browser().get("/apply/start/small-2027/?add=small-b")

    assert answer["Location"] == "/accounts/login/?next=/apply/start/small-2027/%3Fadd%3Dsmall-b"


@pytest.mark.parametrize("state", ["draft", "handed in"])
def test_an_application_of_somebody_else_is_not_there(state):
    call = make_call()
    theirs = make_draft(call) if state == "draft" else make_application(call)
    before = Application.objects.values().get(), Revision.objects.count(), Event.objects.count()
    others = [make_user(), make_officer(), make_reviewer(call), make_body_member(Institution.objects.get(code="kg-ministry"))]
    events = Event.objects.count()

    for user in others:
        client = browser(user)
        for name, path in of_an_application(theirs.code).items():
            missing = path.replace(theirs.code, "AAAAAAAA")
            for ask in [client.get] * (name not in POSTED_ONLY) + [client.post] * (name not in READ_ONLY):
                found, none = ask(path), ask(missing)
                assert (name, found.status_code, found.content) == (name, 404, none.content)
    assert (Application.objects.values().get(), Revision.objects.count()) == before[:2]
    assert Event.objects.count() == events


def test_a_reviewer_of_the_application_does_not_come_in_by_the_door_of_the_applicant():
    application = make_at_review()
    assignment = make_assignment(application)

    client = browser(assignment.reviewer)

    assert {client.get(path).status_code for name, path in of_an_application(application.code).items() if name not in POSTED_ONLY} == {404}


def test_a_paper_of_somebody_else_is_not_there():
    theirs = make_document(make_user()).document
    client = browser(make_user())

    for name, path in of_a_paper(theirs.code).items():
        missing = path.replace(theirs.code, "AAAAAAAA")
        ask = client.post if name in POSTED_ONLY else client.get
        assert (name, ask(path).status_code, ask(path).content) == (name, 404, ask(missing).content)
    assert Document.objects.visible_to(theirs.owner).count() == 1


def test_a_paper_taken_out_of_the_library_is_not_there_any_more():
    theirs = make_document(make_user()).document
    client = browser(theirs.owner)
    assert client.post(f"/apply/library/{theirs.code}/remove/").status_code == 302

    assert [client.get(of_a_paper(theirs.code)[name]).status_code for name in ("file", "page")] == [404, 404]
    assert client.post(of_a_paper(theirs.code)["remove"]).status_code == 404


def test_the_applicant_comes_in():
    call = make_call()
    draft = make_draft(call)
    client = browser(draft.applicant)
    pages = of_an_application(draft.code)

    found = {name: client.get(path).status_code for name, path in pages.items() if name not in POSTED_ONLY}

    assert found == {
        "tasks": 200, "section": 200, "entry_add": 200, "entry": 200, "choices": 200, "documents": 200, "check": 200,
        "receipt": 302, "status": 302, "withdraw": 302, "result": 302,
    }  # fmt: skip


def test_who_has_handed_in_reads_receipt_and_status():
    application = make_application()
    client = browser(application.applicant)
    pages = of_an_application(application.code)

    assert {name: client.get(path).status_code for name, path in pages.items() if name not in POSTED_ONLY} == {
        "tasks": 302, "section": 302, "entry_add": 302, "entry": 302, "choices": 302, "documents": 302, "check": 302,
        "receipt": 200, "status": 200, "withdraw": 200, "result": 302,
    }  # fmt: skip


def test_everybody_who_is_signed_in_may_apply_also_staff():
    make_call()

    for user in (make_user(), make_officer(), make_reviewer()):
        assert {path: browser(user).get(path).status_code for path in ALONE.values()} == dict.fromkeys(ALONE.values(), 200)


@pytest.mark.parametrize("code", ["x" * 5000, "%00", "'", "..%2f..", "𠮷", "-1"])
def test_any_code_that_is_none_is_a_missing_page(code):
    client = browser(make_user())

    assert {client.get(path).status_code for name, path in of_an_application(code).items() if name not in POSTED_ONLY} == {404}
    assert {client.get(path).status_code for name, path in of_a_paper(code).items() if name not in POSTED_ONLY} == {404}


@pytest.mark.parametrize("number", ["99", "9" * 30, "9" * 5000, "-1", "x", "0x1"])
def test_an_entry_or_a_page_that_is_not_there_is_a_missing_page(number):
    draft, paper = make_draft(), make_document(make_user())

    assert browser(draft.applicant).get(f"/apply/{draft.code}/sections/education/schools/{number}/").status_code == 404
    assert browser(paper.document.owner).get(f"/apply/library/{paper.document.code}/pages/{number}/").status_code == 404


@pytest.mark.parametrize("path", ["sections/nonsense/", "sections/choices/", "sections/education/gpa/add/", "sections/education/nonsense/add/", "sections/nonsense/schools/add/", "nonsense/"])  # fmt: skip
def test_a_section_or_an_entry_that_the_call_does_not_have_is_a_missing_page(path):
    draft = make_draft()

    assert browser(draft.applicant).get(f"/apply/{draft.code}/{path}").status_code == 404
