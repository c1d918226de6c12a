"""Papers are added once, replaced, removed and read; whoever else reads one leaves a trace."""

from __future__ import annotations

import io
import threading
from datetime import date
from pathlib import Path

import pytest
from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from PIL import Image

from scholarships.applications import actions as applications
from scholarships.documents import actions
from scholarships.documents.actions import page_image, plain_name
from scholarships.documents.checking import Limits
from scholarships.documents.models import Document, DocumentVersion
from scholarships.events.models import Event
from tests.factories import make_application, make_call, make_document, make_draft, make_officer, make_user, paper_without_check, picture
from tests.scholarships.documents import samples

pytestmark = pytest.mark.django_db


def add(owner, data: bytes = b"", name: str = "page.jpg", **more) -> DocumentVersion:
    return actions.add(owner, "passport", io.BytesIO(data or picture()), name, **more)


def stored_files() -> set[Path]:
    return {path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()}


def happened(name: str) -> list[tuple]:
    return list(Event.objects.filter(name=name).order_by("pk").values_list("subject_key", "by", "actor", "data"))


# -- Adding ----------------------------------------------------------------------


def test_a_paper_is_kept_as_it_came_and_as_it_was_rebuilt():
    owner = make_user()

    version = add(owner, name="My passport.jpg", issued_on=date(2026, 5, 1))

    document = version.document
    assert (document.owner, document.kind, document.current, version.number, version.name) == (
        owner,
        "passport",
        version,
        1,
        "My passport.jpg",
    )
    assert (version.format, version.size, version.pages, version.issued_on) == ("jpeg", len(picture()), 1, date(2026, 5, 1))
    assert Path(version.original.path).read_bytes() == picture()
    assert Path(version.rebuilt.path).read_bytes() != picture()


def test_files_lie_under_random_names_and_are_for_us_alone():
    version = add(make_user(), name="Nuray Asanova passport.jpg")

    for file in (version.original, version.rebuilt):
        assert len(Path(file.name).name) == 40
        assert "Nuray" not in file.path
        assert oct(Path(file.path).stat().st_mode & 0o777) == "0o600"


def test_adding_is_an_event_without_the_name_of_the_file():
    owner = make_user()

    version = add(owner, name="Nuray.jpg")

    assert happened("document.added") == [(version.document.code, owner.pk, "", {"kind": "passport", "version": 1})]


def test_of_a_file_that_is_refused_nothing_is_kept():
    before = stored_files()

    with pytest.raises(ValidationError):
        add(make_user(), b"not a picture")

    assert (stored_files(), Document.objects.count(), happened("document.added")) == (before, 0, [])


def test_the_limits_are_those_of_the_requirement():
    with pytest.raises(ValidationError) as refused:
        add(make_user(), limits=Limits(size=100))

    assert refused.value.code == "file_size"


def test_no_file_is_left_behind_where_the_row_cannot_be_written():
    before = stored_files()

    with pytest.raises(ValueError, match="must be a"):
        actions.add("nobody", "passport", io.BytesIO(picture()), "page.jpg")

    assert stored_files() == before


# -- Replacing -------------------------------------------------------------------


def test_a_paper_is_replaced_by_its_next_version_and_the_first_stays():
    owner = make_user()
    first = add(owner)

    second = actions.replace(first.document, io.BytesIO(samples.pdf(pages=2)), "page.pdf", by=owner)

    document = Document.objects.get(pk=first.document.pk)
    assert (document.current, second.number, second.pages, second.format) == (second, 2, 2, "pdf")
    assert Path(first.original.path).exists()
    assert happened("document.replaced") == [(document.code, owner.pk, "", {"kind": "passport", "version": 2})]


def test_nobody_else_replaces_a_paper():
    document = add(make_user()).document

    with pytest.raises(PermissionDenied):
        actions.replace(document, io.BytesIO(picture()), "page.jpg", by=make_user())

    assert document.versions.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_replacements_at_once_are_two_versions():
    owner = make_user()
    document = add(owner).document
    failed = []

    def replace() -> None:
        try:
            actions.replace(Document.objects.get(pk=document.pk), io.BytesIO(picture()), "page.jpg", by=owner)
        except Exception as error:
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=replace) for _number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failed == []
    assert list(document.versions.order_by("number").values_list("number", flat=True)) == [1, 2, 3, 4, 5]


# -- Names -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("passport.pdf", "passport.pdf"),
        ("护照 скан.pdf", "护照 скан.pdf"),
        ("../../etc/passwd.pdf", "passwd.pdf"),
        ("C:\\Users\\Nuray\\scan.pdf", "scan.pdf"),
        ("a\x00b\r\nSet-Cookie: x\t.pdf", "abSet-Cookie: x.pdf"),
        ("fdp.\u202egpj.pdf", "fdp.gpj.pdf"),
        ("\u200b\u2066x\u2069.pdf", "x.pdf"),
        ("\ud800.pdf", ".pdf"),
        ("", "file"),
        ("folder/", "file"),
        ("\n", "file"),
        ("x" * 300 + ".pdf", "x" * 116 + ".pdf"),
        ("x" * 300, "x" * 120),
        ("x." + "y" * 300, "." + "y" * 119),
    ],
)
def test_the_name_of_a_file_is_kept_without_paths_and_control_letters(sent, kept):
    assert plain_name(sent) == kept


# -- Removing --------------------------------------------------------------------


def test_an_unused_paper_is_removed_from_the_library():
    owner = make_user()
    document = paper_without_check(owner, "passport").document

    actions.remove(document, by=owner)

    assert not Document.objects.visible_to(owner).exists()
    assert happened("document.removed") == [(document.code, owner.pk, "", {"kind": "passport"})]


def test_a_paper_in_an_application_that_is_being_written_is_not_removed():
    draft = make_draft()
    document = Document.objects.get(owner=draft.applicant, kind="passport")

    with pytest.raises(ValidationError) as refused:
        actions.remove(document, by=draft.applicant)

    assert refused.value.code == "in_use"
    assert Document.objects.visible_to(draft.applicant).count() == 2


def test_a_paper_that_has_been_handed_in_leaves_the_library_and_stays_in_the_application():
    application = make_application()
    document = Document.objects.get(owner=application.applicant, kind="passport")

    actions.remove(document, by=application.applicant)

    assert application.revision.attachments.filter(file__document=document).exists()
    assert list(Document.objects.visible_to(application.applicant).values_list("kind", flat=True)) == ["transcript"]


def test_a_paper_taken_out_of_the_application_can_be_removed():
    draft = make_draft()
    document = Document.objects.get(owner=draft.applicant, kind="passport")
    attachment = draft.revisions.get().attachments.get(file__document=document)
    applications.detach(draft, attachment, by=draft.applicant)

    actions.remove(document, by=draft.applicant)

    assert not Document.objects.visible_to(draft.applicant).filter(kind="passport").exists()


def test_nobody_else_removes_a_paper():
    document = paper_without_check(make_user(), "passport").document

    with pytest.raises(PermissionDenied):
        actions.remove(document, by=make_officer())

    assert Document.objects.kept().count() == 1


# -- Seeing ----------------------------------------------------------------------


def test_a_library_shows_a_person_their_own_papers_only():
    one, other = make_user(), make_user()
    mine = paper_without_check(one, "passport").document
    paper_without_check(other, "passport")

    assert list(Document.objects.visible_to(one)) == [mine]
    assert list(Document.objects.visible_to(make_officer())) == []


def test_whoever_else_opens_a_paper_leaves_a_trace_with_the_role():
    application = make_application()
    version = application.revision.attachments.get(requirement="passport").file
    officer = make_officer()

    actions.opened(version, by=officer, actor="officer", application=application.code)

    assert happened("document.opened") == [
        (version.document.code, officer.pk, "officer", {"kind": "passport", "version": 1, "application": application.code})
    ]


def test_the_owner_leaves_no_trace():
    version = paper_without_check(make_user(), "passport")

    actions.opened(version, by=version.document.owner, actor="applicant", application="X")

    assert happened("document.opened") == []


# -- Pages as pictures -----------------------------------------------------------


def test_each_page_is_drawn_once_and_kept():
    version = actions.add(make_user(), "diploma", io.BytesIO(samples.pdf(pages=2)), "a.pdf")

    drawn = page_image(version, 2)
    before = drawn.stat().st_mtime_ns

    with Image.open(drawn) as picture_of_page:
        assert (picture_of_page.format, picture_of_page.width) == ("JPEG", 1100)
    assert page_image(version, 2) == drawn
    assert drawn.stat().st_mtime_ns == before
    assert oct(drawn.stat().st_mode & 0o777) == "0o600"


def test_a_picture_is_its_own_single_page():
    version = make_document(make_user())

    with Image.open(page_image(version, 1)) as drawn:
        assert drawn.size == (320, 220)


def test_a_png_is_shown_too():
    version = add(make_user(), samples.image("PNG"), "page.png")

    with Image.open(page_image(version, 1)) as drawn:
        assert drawn.format == "JPEG"


@pytest.mark.parametrize("number", [-1, 0, 2, 999])
def test_a_page_that_does_not_exist(number):
    version = make_document(make_user())

    with pytest.raises(LookupError):
        page_image(version, number)


def test_a_page_that_cannot_be_drawn_leaves_nothing_behind():
    version = make_document(make_user())
    Path(version.rebuilt.path).write_bytes(b"\xff\xd8\xff damaged since")
    before = stored_files()

    with pytest.raises(LookupError):
        page_image(version, 1)

    assert stored_files() == before


def test_a_paper_is_used_in_several_applications_without_being_sent_again():
    owner, version = make_user(), None
    for number in (1, 2):
        call = make_call(f"call-{number}")
        application = applications.start(call, by=owner)
        version = version or make_document(owner)
        applications.attach(application, "passport", version, by=owner)

    assert DocumentVersion.objects.count() == 1
    assert version.attachments.count() == 2
