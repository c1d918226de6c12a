"""Writing into a thread: who may, once for each page, with papers that pass the rules of all papers, and what is recorded."""

from __future__ import annotations

import io
import os

import pytest
from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError

from scholarships.correspondence.actions import LONGEST, MOST_FILES, MOST_UNANSWERED, WRITTEN, write
from scholarships.correspondence.models import Enclosure, Post
from scholarships.correspondence.rules import may_read
from scholarships.documents.models import Document
from scholarships.events.models import Event
from scholarships.people.models import Role, Scope
from scholarships.privacy.declarations import erase
from tests.factories import make_application, make_body_member, make_call, make_draft, make_officer, make_reviewer, make_user, picture

pytestmark = pytest.mark.django_db


@pytest.fixture
def application():
    return make_application()


def page(color: str = "white") -> io.BytesIO:
    return io.BytesIO(picture(color))


def codes(refused) -> dict[str, list[str]]:
    return {field: [error.code for error in errors] for field, errors in refused.value.error_dict.items()}


# -- Who may ---------------------------------------------------------------------


def test_the_applicant_and_the_officers_of_the_call_write_each_as_who_they_are(application):
    officer = make_officer(scope=Scope.CALL, key=application.call.code)

    asked = write(application, by=application.applicant, text="  May I add a paper?\n")
    answered = write(application, by=officer, text="Yes.")

    assert (asked.by_office, asked.text, asked.author) == (False, "May I add a paper?", application.applicant)
    assert (answered.by_office, answered.author) == (True, officer)
    assert list(Post.objects.of(application)) == [answered, asked]


def test_nobody_else_reads_or_writes(application):
    other_call = make_call("other-2027")
    strangers = [
        make_user("Aida Bekova"),
        make_application(other_call).applicant,
        make_officer(scope=Scope.CALL, key=other_call.code),
        make_reviewer(application.call),
        make_body_member(application.stages.get().body),
    ]
    post = write(application, by=application.applicant, text="For the office.")

    for stranger in strangers:
        with pytest.raises(PermissionDenied):
            write(application, by=stranger, text="Let me in.")
        assert not may_read(stranger, application)
        assert not Post.objects.visible_to(stranger).exists()
    assert list(Post.objects.all()) == [post]


def test_what_a_person_sees_is_what_the_rule_says(application):
    post = write(application, by=application.applicant, text="For the office.")

    for reader in (application.applicant, make_officer(), make_officer(scope=Scope.CALL, key=application.call.code)):
        assert may_read(reader, application)
        assert list(Post.objects.visible_to(reader)) == [post]


def test_about_a_draft_nothing_is_written():
    draft = make_draft()

    for person in (draft.applicant, make_officer()):
        with pytest.raises(PermissionDenied):
            write(draft, by=person, text="Not yet.")


# -- Once ------------------------------------------------------------------------


def test_the_same_page_sent_twice_writes_one_post_and_keeps_its_paper_once(application):
    first = write(application, by=application.applicant, text="Once.", files=[(page(), "page.jpg")], key="k1")
    papers = Document.objects.count()

    second = write(application, by=application.applicant, text="Once.", files=[(page(), "page.jpg")], key="k1")

    assert (second, Post.objects.count(), Document.objects.count()) == (first, 1, papers)


def test_the_same_words_on_another_page_are_another_post(application):
    write(application, by=application.applicant, text="Hello.", key="k1")
    write(application, by=application.applicant, text="Hello.", key="k2")

    assert Post.objects.count() == 2


# -- What is recorded ------------------------------------------------------------


def test_the_event_names_the_post_and_the_side_and_holds_no_word_of_it(application):
    officer = make_officer()
    post = write(application, by=officer, text="Dear Nuray, bring your passport.", key="k1")

    event = Event.objects.get(name=WRITTEN)

    assert (event.subject_key, event.by, event.actor) == (application.code, officer, Role.OFFICER)
    assert event.data == {"post": post.code, "by_office": True}


def test_the_words_are_erased_and_the_post_stays(application):
    post = write(application, by=application.applicant, text="My mother is ill.")

    erase(post)

    assert Post.objects.get().text == ""


# -- What is refused -------------------------------------------------------------


@pytest.mark.parametrize(("text", "code"), [("", "required"), (" \n\t ", "required"), ("x" * (LONGEST + 1), "too_long")])
def test_an_empty_or_endless_text_is_refused_at_the_text(application, text, code):
    with pytest.raises(ValidationError) as refused:
        write(application, by=application.applicant, text=text)

    assert codes(refused) == {"text": [code]}


def test_after_twenty_messages_without_an_answer_the_applicant_waits(application):
    for number in range(MOST_UNANSWERED):
        write(application, by=application.applicant, text=f"Question {number}")

    with pytest.raises(ValidationError) as refused:
        write(application, by=application.applicant, text="One more.")
    assert refused.value.code == "too_many"

    write(application, by=make_officer(), text="All answered.")
    write(application, by=application.applicant, text="Thank you.")
    assert Post.objects.count() == MOST_UNANSWERED + 2


# -- Papers ----------------------------------------------------------------------


def test_papers_are_kept_in_their_order_with_a_rebuilt_copy(application):
    post = write(application, by=application.applicant, text="Two pages.", files=[(page(), "one.jpg"), (page("grey"), "two.jpg")])

    files = [one.file for one in Enclosure.objects.filter(post=post).select_related("file__document")]

    assert [(file.name, file.document.owner, bool(file.rebuilt)) for file in files] == [
        ("one.jpg", application.applicant, True),
        ("two.jpg", application.applicant, True),
    ]


@pytest.mark.parametrize(
    ("data", "name", "code"),
    [
        (b"", "empty.pdf", "file_empty"),
        (b"MZ\x90\x00", "virus.exe", "file_type"),
        (b"not a picture", "page.jpg", "file_mismatch"),
        (b"%PDF-1.4\n" + b"0" * (20 * 1024 * 1024), "large.pdf", "file_size"),
    ],
)
def test_a_bad_paper_is_refused_at_the_files_and_nothing_is_kept(application, data, name, code):
    papers, kept = Document.objects.count(), _stored()

    with pytest.raises(ValidationError) as refused:
        write(application, by=application.applicant, text="Here.", files=[(page(), "good.jpg"), (io.BytesIO(data), name)])

    assert codes(refused) == {"file": [code]}
    assert (Post.objects.count(), Document.objects.count(), _stored()) == (0, papers, kept)


def _stored() -> int:
    return sum(len(files) for _folder, _folders, files in os.walk(settings.MEDIA_ROOT))


def test_more_papers_than_three_are_refused_before_any_is_looked_at(application):
    with pytest.raises(ValidationError) as refused:
        write(application, by=application.applicant, text="Here.", files=[(page(), "page.jpg")] * (MOST_FILES + 1))

    assert codes(refused) == {"file": ["too_many_files"]}
