"""Nothing that a reviewer is sent tells who the applicant is: pages, headers, images, and the queries behind them.

The applicant's every word of identity holds the same strange letters. They are planted wherever
identity can lie, and must come back nowhere.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import timedelta

import pikepdf
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from scholarships.applications import actions as applications
from scholarships.applications.content import content_of
from scholarships.applications.models import Answer, Attachment
from scholarships.calls.loading import load
from scholarships.calls.models import Call, SectionKind
from scholarships.documents import actions as papers
from scholarships.documents.models import DocumentVersion
from scholarships.events.models import Event
from scholarships.people.models import Profile, User
from scholarships.reviews.models import Assignment
from tests.factories import ANSWERS, make_assignment, make_call, make_reviewer, make_user, pass_on_to_review, small_call_file

pytestmark = pytest.mark.django_db

MARK = "zqxjv"
OWN_SCRIPT = "Зқхова"
BORN = ("1999-09-19", "19 September 1999")
PHONE = "5557654321"
TELLING = (MARK, OWN_SCRIPT.casefold(), *(day.casefold() for day in BORN), PHONE)

IDENTITY = {
    "family_name": "ZQXJVFAMILY",
    "given_names": "ZQXJVGIVEN",
    "birth_date": BORN[0],
    "passport": "ZQXJV1234567",
    "name_own_script": OWN_SCRIPT,
    "birth_city": "Zqxjvtown",
    "address": "Zqxjvstreet 1, Zqxjvtown",
    "email_other": "zqxjv.other@sapar.example",
    "phone": f"+996 {PHONE}",
    "parents": [{"name": "Zqxjvmother", "work": "Zqxjvfactory"}],
    "schools": [{"name": "Zqxjvschool", "year": "2026"}],  # the column "name" is identity, the column "year" is not
}
MORE_QUESTIONS = """      - {key: passport, kind: text, label: Passport number, identity: true, limits: {pattern: passport}}
      - {key: name_own_script, kind: text, label: Own script, identity: true}
      - {key: birth_city, kind: text, label: Place of birth, identity: true}
      - {key: address, kind: long, label: Address, identity: true}
      - {key: email_other, kind: email, label: Other e-mail, identity: true}
      - {key: phone, kind: phone, label: Telephone, identity: true}
      - key: parents
        kind: group
        identity: true
        label: Parents
        columns:
          - {key: name, kind: text, label: Name}
          - {key: work, kind: text, label: Work}
"""
LETTERS = """  - {key: transcript, kind: transcript, title: Transcript, reviewers_see: true}
  - {key: letters, kind: letter, title: Letters, most: 2, reviewers_see: true}
"""


def scan() -> io.BytesIO:
    """A JPEG with a name in its EXIF, its comment and its XMP."""
    picture, out = Image.new("RGB", (320, 220), "white"), io.BytesIO()
    exif = Image.Exif()
    exif[0x010E], exif[0x013B], exif[0x8298] = "Scan of Zqxjvgiven", "Zqxjvartist", "Zqxjvowner"
    picture.save(out, "JPEG", exif=exif, comment=b"zqxjvcomment", xmp=b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>zqxjvxmp</x:xmpmeta>")
    assert out.getvalue().lower().count(b"zqxjv") == 5
    return io.BytesIO(out.getvalue())


def pdf(pages: int) -> io.BytesIO:
    """A PDF with a name in Info, XMP, an attachment, an outline and a comment."""
    out = io.BytesIO()
    with pikepdf.new() as file:
        for _number in range(pages):
            file.add_blank_page(page_size=(300, 400))
        file.docinfo["/Author"] = "Zqxjvauthor"
        file.docinfo["/Title"] = "Transcript of Zqxjvgiven"
        with file.open_metadata(set_pikepdf_as_editor=False) as meta:
            meta["dc:creator"] = ["Zqxjvcreator"]
        file.attachments["zqxjvattachment.txt"] = b"zqxjv inside"
        with file.open_outline() as outline:
            outline.root.append(pikepdf.OutlineItem("Zqxjvoutline", 0))
        note = pikepdf.Dictionary(
            Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Text, Rect=[0, 0, 9, 9], Contents="Zqxjvnote", T="Zqxjvgiven", F=0
        )
        file.pages[0].Annots = file.make_indirect([file.make_indirect(note)])
        file.save(out, object_stream_mode=pikepdf.ObjectStreamMode.disable, compress_streams=False)
    return io.BytesIO(out.getvalue())


def call_that_asks_a_lot() -> Call:
    make_call("plain-2027")  # its bodies and programmes
    file = small_call_file(
        "curious-2027",
        ["small-a", "small-b"],
        **{
            "      - {key: passport, kind: text, label: Passport number, identity: true, limits: {pattern: passport}}\n": MORE_QUESTIONS,
            "  - {key: transcript, kind: transcript, title: Transcript, reviewers_see: true}\n": LETTERS,
        },
    )
    return load(file, opens_on=timezone.localdate() - timedelta(days=10))


@pytest.fixture
def planted() -> Assignment:
    """A file on a reviewer's desk, of an applicant whose identity is full of the mark."""
    call = call_that_asks_a_lot()
    applicant = make_user("Zqxjvgiven Zqxjvfamily", email="zqxjvmail@sapar.example")
    Profile.objects.filter(user=applicant).update(name_own_script=OWN_SCRIPT)
    application = applications.start(call, by=applicant)
    for section in content_of(application).form.sections:
        if section.kind == SectionKind.QUESTIONS:
            said = {
                question.key: IDENTITY.get(question.key, ANSWERS.get(section.key, {}).get(question.key)) for question in section.questions
            }
            applications.save_answers(application, section, said, is_done=True, known_version=0, by=applicant)
    applications.set_choices(application, list(call.programmes.all()), by=applicant)
    for requirement, content, name in (
        ("passport", scan(), "zqxjv passport.jpg"),
        ("transcript", pdf(2), "Transcript Zqxjvfamily.pdf"),
        ("letters", scan(), "letter for zqxjvgiven.jpeg"),
        ("letters", pdf(1), "zqxjvletter.pdf"),
    ):
        kind = content_of(application).form.requirement(requirement).kind
        applications.attach(application, requirement, papers.add(applicant, kind, content, name), by=applicant)
    applications.submit(application, by=applicant)
    return make_assignment(pass_on_to_review(application), make_reviewer(call, name="Rustam Omarov"))


def client_of(user: User) -> Client:
    client = Client(HTTP_HOST="127.0.0.1")
    client.force_login(user)
    return client


def everything_sent(assignment: Assignment, versions: list[DocumentVersion]) -> Iterator[tuple[str, object]]:
    """Each answer that this reviewer can get about the file, from the first look to what stays after handing in."""
    client = client_of(assignment.reviewer)
    mine, file = reverse("review:mine"), reverse("review:file", args=[assignment.code])
    conflict = reverse("review:conflict", args=[assignment.code])
    full = {"score-record": "8", "score-plan": "6", "score-other": "na", "comment": "Clear."}

    def get(url: str) -> tuple[str, object]:
        return f"GET {url}", client.get(url)

    def post(url: str, **said: str) -> tuple[str, object]:
        return f"POST {url} {said}", client.post(url, said)

    yield get(mine)
    yield get(f"{mine}?q=is:todo+country:KG+level:master+software")
    yield get(f"{mine}?q=nothing+like+it")
    yield get(reverse("review:next"))
    yield get(file)
    for version in versions:
        for number in range(1, version.pages + 2):
            yield get(reverse("review:page", args=[assignment.code, version.code, number]))
    yield get(conflict)
    yield post(conflict)
    yield post(file, version="0", draft="1", **full)
    yield post(file, version="0", draft="1", **{**full, "score-record": "1"})  # saved elsewhere
    yield post(file, version="1", submit="1", comment="Half.")  # incomplete
    yield post(file, version="soon")
    yield get(file)
    yield post(file, version="2", submit="1", **full)
    yield get(file)
    yield get(mine)
    yield get(reverse("review:file", args=["NOTHERE22"]))


def body_of(response) -> bytes:
    return b"".join(response.streaming_content) if response.streaming else response.content


def test_the_mark_is_planted_everywhere(planted):
    application = planted.application
    identity = str(list(Answer.objects.values_list("identity", flat=True))).casefold()

    assert application.name == "ZQXJVGIVEN ZQXJVFAMILY"
    assert identity.count(MARK) == 10
    assert all(said in identity for said in (OWN_SCRIPT.casefold(), BORN[0], PHONE))
    assert all(MARK in version.name.casefold() for version in DocumentVersion.objects.all())
    for version in DocumentVersion.objects.all():
        assert MARK.encode() in version.original.read().lower()
        assert MARK.encode() not in version.rebuilt.read().lower()


def test_nothing_that_is_sent_tells_who_it_is(planted):
    statuses = set()
    images = 0
    for what, response in everything_sent(planted, list(DocumentVersion.objects.all())):
        body = body_of(response)
        headers = str(response.headers) + str(response.cookies)
        said = body.decode("utf-8", "replace").casefold()
        assert [word for word in TELLING if word in said or word in headers.casefold()] == [], what
        statuses.add(response.status_code)
        if response.headers["Content-Type"] == "image/jpeg":
            images += 1
            with Image.open(io.BytesIO(body)) as picture:
                assert (dict(picture.getexif()), sorted(picture.info)) == ({}, ["jfif", "jfif_density", "jfif_unit", "jfif_version"])
            assert re.fullmatch(r'inline; filename="[0-9A-Z]{9}-(transcript|letters)-\d-\d\.jpg"', response.headers["Content-Disposition"])
    assert statuses == {200, 302, 404, 409, 422}
    assert images == 4  # two pages of the transcript and two letters; no page of the passport


def test_no_query_behind_it_fetches_who_it_is(planted):
    reviewer = planted.reviewer
    seen = 0
    for what, statements in statements_of(planted):
        for sql in statements:
            seen += 1
            for table, column in (
                ("applications_application", "name"),
                ("applications_application", "search"),
                ("applications_application", "sort_key"),
                ("applications_application", "applicant_id"),
                ("applications_application", "note"),
                ("applications_answer", "identity"),
                ("documents_documentversion", "name"),
                ("documents_documentversion", "original"),
                ("people_profile", "name_own_script"),
            ):
                if table == "people_profile" and f'"people_user"."id" = {reviewer.pk}' in sql:
                    continue
                assert f'"{table}"."{column}"' not in sql, what
            if "people_user" in sql and not sql.startswith("UPDATE"):
                assert f'"people_user"."id" = {reviewer.pk}' in sql, what
    assert seen > 150


def statements_of(assignment: Assignment) -> Iterator[tuple[str, list[str]]]:
    """The SQL behind each answer."""
    answers = everything_sent(assignment, list(DocumentVersion.objects.all()))
    while True:
        with CaptureQueriesContext(connection) as context:
            try:
                what, _response = next(answers)
            except StopIteration:
                return
        yield what, [query["sql"] for query in context]


def test_leaving_the_file_tells_the_office_and_fetches_nobody_else(planted):
    client = client_of(planted.reviewer)

    with CaptureQueriesContext(connection) as context:
        answer = client.post(reverse("review:conflict", args=[planted.code]), {"conflict": "teacher"})

    assert answer.status_code == 302
    for query in context:
        for column in ("name", "search", "sort_key", "applicant_id"):
            assert f'"applications_application"."{column}"' not in query["sql"]


def test_a_page_of_a_paper_that_reviewers_do_not_see_is_a_missing_page(planted):
    client = client_of(planted.reviewer)
    passport = Attachment.objects.get(requirement="passport").file
    transcript = Attachment.objects.get(requirement="transcript").file
    stranger = client_of(make_reviewer(planted.call))

    assert client.get(reverse("review:page", args=[planted.code, transcript.code, 1])).status_code == 200
    assert client.get(reverse("review:page", args=[planted.code, transcript.code, 3])).status_code == 404
    assert client.get(reverse("review:page", args=[planted.code, transcript.code, 0])).status_code == 404
    assert client.get(reverse("review:page", args=[planted.code, passport.code, 1])).status_code == 404
    assert stranger.get(reverse("review:page", args=[planted.code, transcript.code, 1])).status_code == 404


def test_reading_a_paper_is_written_down_once_for_its_owner(planted):
    client = client_of(planted.reviewer)
    transcript = Attachment.objects.select_related("file__document").get(requirement="transcript").file
    passport = Attachment.objects.get(requirement="passport").file
    for version, number in ((transcript, 1), (transcript, 2), (transcript, 1), (transcript, 9), (passport, 1)):
        client.get(reverse("review:page", args=[planted.code, version.code, number]))

    events = Event.objects.filter(name=papers.OPENED).values_list("subject_key", "by", "actor", "data")
    assert list(events) == [
        (
            transcript.document.code,
            planted.reviewer_id,
            "reviewer",
            {"kind": "transcript", "version": 1, "application": planted.application.code},
        )
    ]
