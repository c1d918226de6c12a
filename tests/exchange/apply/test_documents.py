"""Papers: good ones are taken, wrong and hostile ones get their plain sentence, and only the owner reads them."""

from __future__ import annotations

import io
import os
from datetime import date, timedelta
from typing import Any

import pikepdf
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from PIL import Image

from scholarships.applications import actions
from scholarships.applications.models import Application, Attachment
from scholarships.calls.form import form_of
from scholarships.calls.loading import load
from scholarships.calls.models import Call, CallVersion, Requirement
from scholarships.documents import actions as papers
from scholarships.documents.checking import Limits, refusal
from scholarships.documents.models import Document, DocumentVersion
from scholarships.people.models import User
from tests.exchange.pages import all_in, browser, hidden, main_of, problem_targets, problems, queries_of, typed
from tests.factories import (
    make_application,
    make_call,
    make_call_with_letters,
    make_document,
    make_draft,
    make_officer,
    make_user,
    paper_without_check,
    small_call_file,
)
from tests.scholarships.documents import samples

pytestmark = pytest.mark.django_db

LIMITS = Limits()


@pytest.fixture
def call() -> Call:
    return make_call()


@pytest.fixture
def draft(call) -> Application:
    """A draft without papers, that asks for a passport and a transcript."""
    application = make_draft(call)
    Attachment.objects.all().delete()
    Document.objects.update(removed_at=timezone.now())
    return application


def page(application: Application) -> str:
    return f"/apply/{application.code}/documents/"


def upload(application: Application, data: bytes, name: str = "page.jpg", *, where: str = "passport", **more: str) -> Any:
    """What the site answers when the applicant sends DATA as the paper WHERE."""
    sent = {"requirement": where, f"{where}-file": SimpleUploadedFile(name, data), **more}
    return browser(application.applicant).post(page(application), sent)


def attached(application: Application, where: str = "passport") -> list[str]:
    rows = Attachment.objects.filter(revision__application=application, requirement=where).order_by("order")
    return [row.file.name for row in rows.select_related("file")]


def sentence(code: str, limits: Limits = LIMITS, **values: Any) -> str:
    return refusal(code, limits, **values).messages[0]


def stored_files() -> int:
    from django.conf import settings

    return sum(len(files) for _folder, _folders, files in os.walk(settings.MEDIA_ROOT))


# -- Good papers -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "name", "shown"),
    [
        (samples.image(), "passport.jpg", "JPG"),
        (samples.image("PNG"), "passport.png", "PNG"),
        (samples.pdf(pages=2), "passport.pdf", "PDF"),
        (samples.photo_with_place(), "PASSPORT 1.JPEG", "JPG"),
    ],
)
def test_a_good_paper_is_taken_and_stands_on_the_page(draft, data, name, shown):
    answer = upload(draft, data, name)

    assert (answer.status_code, answer["Location"]) == (302, f"{page(draft)}#passport")
    assert attached(draft) == [name]
    opened = browser(draft.applicant).get(page(draft))
    assert all_in(opened, "span", "ext") == [shown]
    assert "1 of 2 in place" in main_of(opened)
    assert all_in(opened, "span", "tag")[:2] == ["In place", "Missing"]


def test_the_owner_sees_the_clean_page_and_gets_the_own_file_back(draft):
    data = samples.photo_with_place()
    upload(draft, data, "passport.jpg")
    code = Document.objects.visible_to(draft.applicant).get().code
    client = browser(draft.applicant)

    seen, file = client.get(f"/apply/library/{code}/pages/1/"), client.get(f"/apply/library/{code}/file/")

    assert (seen.status_code, seen["Content-Type"]) == (200, "image/jpeg")
    assert samples.SECRET not in b"".join(seen.streaming_content)
    assert b"".join(file.streaming_content) == data
    assert file["Content-Disposition"].startswith('attachment; filename="passport-')
    for answer in (seen, file):
        assert (answer["Cache-Control"], answer["X-Content-Type-Options"], answer["Content-Security-Policy"]) == ("no-store", "nosniff", "default-src 'none'; sandbox")  # fmt: skip


def test_an_armed_pdf_is_taken_without_its_arms(draft):
    upload(draft, samples.pdf(samples.armed), "paper.pdf")

    version = DocumentVersion.objects.get(name="paper.pdf")
    assert samples.SECRET not in samples.everything_in(version.rebuilt.read())


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../../etc/passwd.jpg", "passwd.jpg"),
        ("C:\\Users\\Nuray\\Desktop\\passport.jpg", "passport.jpg"),
        ("x" * 500 + ".jpg", "x" * 116 + ".jpg"),
        ("паспорт 护照.jpg", "паспорт 护照.jpg"),
        ("<script>alert(1)<b>.jpg", "<script>alert(1)<b>.jpg"),
        ("a\u202egpj.jpg", "agpj.jpg"),
        (".jpg", ".jpg"),
    ],
)
def test_the_name_of_a_file_is_only_a_name(draft, name, kept):
    answer = upload(draft, samples.image(), name)

    assert answer.status_code == 302
    assert attached(draft) == [kept]
    opened = browser(draft.applicant).get(page(draft))
    assert "<script>alert(1)" not in opened.content.decode()
    version = DocumentVersion.objects.filter(name=kept).latest("pk")
    assert kept not in version.original.name
    assert browser(draft.applicant).get(f"/apply/library/{version.document.code}/file/")["Content-Disposition"] == f'attachment; filename="passport-{version.code}.jpg"'  # fmt: skip


# -- Refused, each with its sentence ---------------------------------------------


HOSTILE = {
    "a text that says it is a photo": (b"<html><script>alert(1)</script>", "page.jpg", ("mismatch", {"says": "jpg"})),
    "a program": (b"MZ" + bytes(200), "page.pdf", ("mismatch", {"says": "pdf"})),
    "a PDF that says it is a photo": (samples.pdf(), "page.jpg", ("mismatch", {"says": "jpg"})),
    "a drawing with a script": (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "page.svg", ("type", {})),
    "a word file": (samples.zipped(), "page.docx", ("type", {})),
    "a file without a kind": (samples.image(), "page", ("type", {})),
    "a photo of an Apple device": (samples.HEIC, "page.heic", ("heic", {})),
    "a photo of an Apple device that says JPG": (samples.HEIC, "page.jpg", ("heic", {})),
    "a bomb of pixels": (samples.png_bomb(), "page.png", ("pixels", {})),
    "a locked PDF": (samples.pdf(encryption=pikepdf.Encryption(owner="o", user="u")), "page.pdf", ("encrypted", {})),
    "half a PDF": (samples.pdf(pages=5)[:1200], "page.pdf", ("damaged", {})),
    "noise": (b"%PDF-1.7\n" + bytes(range(256)) * 8, "page.pdf", ("damaged", {})),
    "half a photo": (samples.image(size=(400, 400))[:400], "page.jpg", ("damaged", {})),
    "31 pages": (samples.pdf(pages=31), "page.pdf", ("pages", {})),
    "a circle of pages": (samples.circle_of_pages(), "page.pdf", ("damaged", {})),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_is_not_taken_has_its_plain_sentence_at_its_place_and_nothing_is_kept(draft, kind):
    data, name, (code, values) = HOSTILE[kind]
    before = Document.objects.count(), stored_files()

    answer = upload(draft, data, name)

    assert (answer.status_code, problems(answer), problem_targets(answer)) == (422, [sentence(code, **values)], ["id_passport-file"])
    assert all_in(answer, "p", "bad") == [sentence(code, **values)]
    assert all_in(answer, "title") == ["Error: Documents – Sapar"]
    assert (attached(draft), (Document.objects.count(), stored_files())) == ([], before)


@pytest.mark.parametrize("make", [samples.circle_of_parents, samples.tower_of_pages, samples.tower_of_brackets, samples.chain_of_forms, samples.circle_of_forms])  # fmt: skip
def test_a_file_built_to_break_the_reader_is_taken_or_refused_and_never_an_error(draft, make):
    answer = upload(draft, make(), "page.pdf")

    assert answer.status_code in {302, 422}
    assert problems(answer) in ([], [sentence("damaged")], [sentence("too_heavy")])


def test_no_file_at_all(draft):
    for answer in (
        upload_nothing(draft, {"requirement": "passport"}),
        upload_nothing(draft, {"requirement": "passport", "passport-file": "a text"}),
    ):
        assert (answer.status_code, problems(answer), problem_targets(answer)) == (422, ["Choose a file first."], ["id_passport-file"])


def upload_nothing(application: Application, sent: dict[str, str]) -> Any:
    return browser(application.applicant).post(page(application), sent)


def test_an_empty_file(draft):
    answer = upload(draft, b"")

    assert (answer.status_code, problems(answer)) == (422, [sentence("empty")])


def test_a_file_over_the_limit_of_the_paper_says_its_size(draft):
    answer = upload(draft, samples.image() + bytes(6 * 1024 * 1024))

    assert (answer.status_code, problems(answer)) == (422, [sentence("size", has="6.0 MB")])


def test_a_file_over_the_limit_of_the_site_is_not_kept_and_says_its_size(draft):
    answer = upload(draft, samples.image() + bytes(26 * 1024 * 1024))

    assert (answer.status_code, problems(answer)) == (422, [sentence("size", has="26.0 MB")])


def test_an_upload_that_breaks_off_is_no_error_of_ours(draft):
    client = browser(draft.applicant)
    body = b'--x\r\nContent-Disposition: form-data; name="passport-file"; filename="a.jpg"\r\n\r\nhalf'

    for content_type in ("multipart/form-data; boundary=x", "multipart/form-data", "multipart/form-data; boundary=" + "y" * 300):
        answer = client.generic("POST", page(draft), body, content_type=content_type)
        assert answer.status_code in {302, 400, 422}
    assert attached(draft) == []


def test_more_files_than_fit_are_refused(draft):
    upload(draft, samples.image(), "one.jpg")

    answer = upload(draft, samples.image(color="red"), "two.jpg")

    assert (answer.status_code, problems(answer), problem_targets(answer)) == (
        422,
        ["Only one file fits here. Remove it first."],
        ["passport"],
    )
    assert attached(draft) == ["one.jpg"]
    assert Document.objects.visible_to(draft.applicant).count() == 1


def test_a_paper_that_the_call_does_not_ask_for_is_not_there(draft):
    assert [upload(draft, samples.image(), where=where).status_code for where in ("nonsense", "x" * 500, "passport'")] == [404] * 3


# -- A paper with a date ---------------------------------------------------------


@pytest.fixture
def dated() -> Application:
    """A draft for a call whose passport page must not be older than six months."""
    make_call("other")  # the institutions and programmes
    file = small_call_file(**{"title: Passport page": "title: Passport page, validity: {months_before_close: 6}"})
    application = make_draft(load(file, opens_on=timezone.localdate() - timedelta(days=5)))
    Attachment.objects.all().delete()
    Document.objects.update(removed_at=timezone.now())
    return application


def issued(day: date) -> dict[str, str]:
    return {"passport-issued_on_d": str(day.day), "passport-issued_on_m": str(day.month), "passport-issued_on_y": str(day.year)}


def test_the_day_of_issue_is_kept_with_the_paper(dated):
    day = timezone.localdate() - timedelta(days=30)

    upload(dated, samples.image(), **issued(day))

    assert list(DocumentVersion.objects.filter(name="page.jpg").values_list("issued_on", flat=True)) == [day]


def test_a_day_that_is_none_is_said_at_its_field_and_stays(dated):
    sent = {"passport-issued_on_d": "31", "passport-issued_on_m": "2", "passport-issued_on_y": "9" * 30}

    answer = upload(dated, samples.image(), **sent)

    assert (answer.status_code, problems(answer), problem_targets(answer)) == (422, ["Enter a real date, like 27 3 2030."], ["id_passport-issued_on_0"])  # fmt: skip
    assert {name: typed(answer, name) for name in sent} == sent
    assert attached(dated) == []


def test_the_day_stays_when_the_file_is_refused(dated):
    sent = issued(date(2026, 6, 10))

    answer = upload(dated, samples.HEIC, "page.heic", **sent)

    assert (answer.status_code, problems(answer)) == (422, [sentence("heic")])
    assert {name: typed(answer, name) for name in sent} == sent


def test_a_paper_that_is_too_old_is_taken_and_the_section_says_so_when_it_is_to_be_complete(dated):
    upload(dated, samples.image(), **issued(date(2020, 1, 31)))
    upload(dated, samples.image(), where="transcript")

    answer = browser(dated.applicant).post(page(dated), {"version": "0", "done": "y"})

    assert answer.status_code == 422
    (problem,) = problems(answer)
    assert problem.startswith("Passport page: it must be issued on ")
    assert problem.endswith(" or later. Give its date, or upload a newer one.")


# -- From the library, and out again ---------------------------------------------


def test_a_paper_of_the_library_is_used_again(draft):
    version = make_document(draft.applicant, "passport")
    client = browser(draft.applicant)
    assert f'name="use" value="{version.document.code}"' in client.get(page(draft)).content.decode()

    answer = client.post(page(draft), {"requirement": "passport", "use": version.document.code})

    assert (answer.status_code, attached(draft)) == (302, ["page.jpg"])


def test_a_paper_of_somebody_else_cannot_be_used(draft):
    theirs = make_document(make_user(), "passport")

    answer = browser(draft.applicant).post(page(draft), {"requirement": "passport", "use": theirs.document.code})

    assert (answer.status_code, attached(draft)) == (404, [])
    assert theirs.document.code not in browser(draft.applicant).get(page(draft)).content.decode()


def test_a_paper_is_taken_out_and_stays_in_the_library(draft):
    upload(draft, samples.image(), "one.jpg")
    version = DocumentVersion.objects.get(name="one.jpg")

    answer = browser(draft.applicant).post(page(draft), {"requirement": "passport", "remove": version.code})

    assert (answer.status_code, attached(draft), Document.objects.visible_to(draft.applicant).count()) == (302, [], 1)


@pytest.mark.parametrize("code", ["1", "abc", "-1", "9" * 30, "9" * 5000, ""])
def test_a_paper_that_is_not_there_cannot_be_taken_out(draft, code):
    upload(draft, samples.image(), "one.jpg")
    pk = str(Attachment.objects.get().pk)

    answers = [browser(draft.applicant).post(page(draft), {"requirement": "passport", "remove": sent}) for sent in (code, pk)]

    assert ([answer.status_code for answer in answers], attached(draft)) == ([404, 404], ["one.jpg"])


def test_a_paper_of_another_application_cannot_be_taken_out(draft):
    theirs = make_draft(draft.call)
    version = theirs.revisions.get().attachments.get(requirement="passport").file

    answer = browser(draft.applicant).post(page(draft), {"requirement": "passport", "remove": version.code})

    assert (answer.status_code, len(attached(theirs))) == (404, 1)


# -- The section -----------------------------------------------------------------


def test_the_section_is_complete_when_every_paper_is_in_place(draft):
    client = browser(draft.applicant)
    missing = client.post(page(draft), {"version": "0", "done": "y"})
    for where in ("passport", "transcript"):
        upload(draft, samples.image(), where=where)

    answer = client.post(page(draft), {"version": hidden(client.get(page(draft)), "version"), "done": "y"})

    assert (missing.status_code, problems(missing)) == (422, ["Upload: Passport page.", "Upload: Transcript."])
    assert (answer.status_code, answer["Location"]) == (302, f"/apply/{draft.code}/")


def test_a_section_that_was_saved_elsewhere_meanwhile_is_409(draft):
    client = browser(draft.applicant)
    client.post(page(draft), {"version": "0", "done": "n"})

    answer = client.post(page(draft), {"version": "0", "done": "n"})

    assert (answer.status_code, problems(answer)) == (
        409,
        ["This page was saved in another window or on another device since you opened it."],
    )


def test_at_the_wrong_moment_an_upload_is_409_and_nothing_is_kept(draft):
    Call.objects.update(closes_at=timezone.now() - timedelta(days=1))
    before = Document.objects.count(), stored_files()

    answer = upload(draft, samples.image())

    assert (answer.status_code, all_in(answer, "h1")) == (409, ["This is not possible now"])
    assert "The call has closed. What you saved is kept, but nothing can be changed any more." in main_of(answer)
    assert f'href="/apply/{draft.code}/status/"' in answer.content.decode()
    assert (Document.objects.count(), stored_files()) == before


def test_the_papers_of_a_returned_application_are_open_only_where_they_are_named(call):
    application = make_application(call)
    actions.give_back(application, by=make_officer(), reason="unreadable", sections=["documents"], until=timezone.now() + timedelta(days=3))

    assert browser(application.applicant).get(page(application)).status_code == 200


def test_of_a_returned_application_one_goes_on_to_no_section_that_is_closed():
    application = make_application(make_call_with_letters())
    actions.give_back(application, by=make_officer(), reason="unreadable", sections=["documents"], until=timezone.now() + timedelta(days=3))
    client = browser(application.applicant)

    answer = client.post(page(application), {"version": hidden(client.get(page(application)), "version"), "done": "y"})

    assert (answer.status_code, answer["Location"]) == (302, f"/apply/{application.code}/")


def test_a_call_without_papers_has_no_page_of_papers(draft):
    CallVersion.objects.get().sections.filter(key="documents").delete()
    form_of.__globals__["_published"].cache_clear()

    client = browser(draft.applicant)

    assert (client.get(page(draft)).status_code, client.post(page(draft), {"done": "y"}).status_code) == (404, 404)


# -- The library -----------------------------------------------------------------


LIBRARY = "/apply/library/"


@pytest.fixture
def person() -> User:
    return make_user()


def test_a_paper_is_added_to_the_library(person):
    answer = browser(person).post(LIBRARY, {"kind": "diploma", "file": SimpleUploadedFile("diploma.pdf", samples.pdf(pages=3))})

    assert (answer.status_code, answer["Location"]) == (302, LIBRARY)
    opened = main_of(browser(person).get(LIBRARY))
    assert "Diploma" in opened
    assert "diploma.pdf" in opened
    assert "3 pages" in opened
    assert "Not used" in opened


@pytest.mark.parametrize(
    ("sent", "says", "target"),
    [
        ({}, ["Say what kind of document it is.", "Choose a file."], ["id_kind", "id_file"]),
        ({"kind": "diploma"}, ["Choose a file."], ["id_file"]),
        ({"kind": "nonsense", "file": ("a.jpg", samples.image())}, ["Choose one of the answers offered."], ["id_kind"]),
        ({"kind": "diploma", "file": ("a.heic", samples.HEIC)}, [sentence("heic")], ["id_file"]),
        ({"kind": "diploma", "file": ("a.jpg", b"")}, [sentence("empty")], ["id_file"]),
        ({"kind": "diploma", "file": ("a.jpg", samples.image() + bytes(26 * 1024 * 1024))}, [sentence("size", has="26.0 MB")], ["id_file"]),
        ({"kind": "diploma", "file": ("a.pdf", samples.pdf(pages=31))}, [sentence("pages")], ["id_file"]),
    ],
)
def test_what_the_library_does_not_take_has_its_sentence(person, sent, says, target):
    files = {name: SimpleUploadedFile(*value) if isinstance(value, tuple) else value for name, value in sent.items()}

    answer = browser(person).post(LIBRARY, files)

    assert (answer.status_code, problems(answer), problem_targets(answer)) == (422, says, target)
    assert typed(answer, "kind") == (sent.get("kind", "") if sent.get("kind") != "nonsense" else "")
    assert Document.objects.count() == 0


def test_a_paper_that_is_not_used_is_deleted_and_one_in_a_draft_is_not(draft):
    free, used = make_document(draft.applicant, "diploma"), make_document(draft.applicant, "passport")
    actions.attach(draft, "passport", used, by=draft.applicant)
    client = browser(draft.applicant)

    answers = [client.post(f"{LIBRARY}{version.document.code}/remove/", follow=True) for version in (free, used)]

    assert "The document is removed from your library." in main_of(answers[0])
    assert (answers[1].status_code, all_in(answers[1], "h1")) == (409, ["This is not possible now"])
    assert "An application you are writing uses this paper. Take it out there first." in main_of(answers[1])
    assert list(Document.objects.visible_to(draft.applicant).values_list("code", flat=True)) == [used.document.code]


def test_the_owner_reads_who_has_opened_a_paper_in_which_role(draft):
    version = make_document(draft.applicant, "passport")
    papers.opened(version, by=make_officer(name="Chen Li"), actor="officer", application=draft.code)

    answer = browser(draft.applicant).get(f"{LIBRARY}opened/")

    assert all_in(answer, "td") == ["Passport", "officer", draft.code]
    assert "Chen Li" not in answer.content.decode()
    assert "Nobody but you has opened any." in main_of(browser(make_user()).get(f"{LIBRARY}opened/"))


def test_a_page_that_cannot_be_drawn_is_a_missing_page(person):
    version = paper_without_check(person, "passport")

    assert browser(person).get(f"{LIBRARY}{version.document.code}/pages/1/").status_code == 404
    assert browser(person).get(f"{LIBRARY}{version.document.code}/file/").status_code == 404


def test_a_picture_of_a_page_is_a_picture(person):
    version = make_document(person)

    answer = browser(person).get(f"{LIBRARY}{version.document.code}/pages/1/")

    with Image.open(io.BytesIO(b"".join(answer.streaming_content))) as picture:
        assert picture.format == "JPEG"


# -- Queries ---------------------------------------------------------------------


def test_the_library_takes_as_many_queries_for_thirty_papers_as_for_one(draft):
    client = browser(draft.applicant)
    paper_without_check(draft.applicant, "diploma")
    one = [queries_of(client, path) for path in (LIBRARY, page(draft), f"{LIBRARY}opened/")]
    for _number in range(29):
        version = paper_without_check(draft.applicant, "diploma")
        papers.opened(version, by=make_officer(), actor="officer", application=draft.code)

    thirty = [queries_of(client, path) for path in (LIBRARY, page(draft), f"{LIBRARY}opened/")]

    assert len(all_in(client.get(LIBRARY), "span", "ext")) == 30
    assert (one, thirty) == ([3, 9, 4], [3, 9, 4])


def test_the_papers_of_an_application_take_as_many_queries_for_ten_files_as_for_one(draft):
    Requirement.objects.filter(key="passport").update(most=10)
    form_of.__globals__["_published"].cache_clear()
    client = browser(draft.applicant)
    actions.attach(draft, "passport", paper_without_check(draft.applicant, "passport"), by=draft.applicant)
    one = queries_of(client, page(draft))
    for _number in range(9):
        actions.attach(draft, "passport", paper_without_check(draft.applicant, "passport"), by=draft.applicant)

    ten = queries_of(client, page(draft))

    assert (len(attached(draft)), one, ten) == (10, 9, 9)
