"""The applicant's page of referees: ask, follow, remind, replace, cancel; never what a confidential letter says."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from exchange.notifications.models import Message
from scholarships.applications.models import Answer, Application
from scholarships.references import actions as asking
from scholarships.references import answering
from scholarships.references.models import Reference, State
from tests.exchange.pages import all_in, browser, hidden, main_of, problems, text_of, typed
from tests.factories import make_application, make_call, make_call_with_letters, make_draft, make_reference, make_user, picture, send_letter

pytestmark = pytest.mark.django_db

KARIMOVA = {
    "way": "link", "name": "Aigul Karimova", "position": "Professor", "institution": "Karakol State University",
    "address": "karimova@ksu.example", "language": "ru", "note": "The canal.", "ask": "1",
}  # fmt: skip


def opened(application: Application | None = None) -> tuple[Client, Application, str]:
    application = application or make_draft(make_call_with_letters())
    return browser(application.applicant), application, f"/apply/{application.code}/letters/"


def later(reference: Reference) -> None:
    """The request was made two days ago."""
    Reference.objects.filter(pk=reference.pk).update(asked_at=reference.asked_at - timedelta(days=2))


def test_a_referee_is_asked_and_gets_a_mail_in_the_language_that_was_chosen():
    client, application, path = opened()

    answer = client.post(path, {**KARIMOVA, "key": "k1"})
    client.post(path, {**KARIMOVA, "key": "k1"})

    assert answer["Location"] == path
    (message,) = Message.objects.filter(kind="reference.asked:referee")
    assert (message.address, message.language, message.user, message.call) == ("karimova@ksu.example", "ru", None, application.call.code)
    assert "Aigul Karimova Asked" in main_of(client.get(path))


def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_stays():
    client, application, path = opened()

    empty = client.post(path, {"ask": "1", "way": "link"})
    own = client.post(path, {**KARIMOVA, "address": application.applicant.email})

    assert (empty.status_code, own.status_code, typed(own, "name")) == (422, 422, "Aigul Karimova")
    assert problems(own) == ["This is your own address. Give the referee’s."]


def test_a_free_mail_address_is_asked_about_once_and_then_taken():
    client, _application, path = opened()
    assert "The address is right" not in text_of(client.get(path))

    warned = client.post(path, {**KARIMOVA, "address": "karimova@mail.ru"})
    assert (warned.status_code, 'name="sure"' in warned.content.decode()) == (422, True)
    client.post(path, {**KARIMOVA, "address": "karimova@mail.ru", "sure": "on"})

    assert Reference.objects.get().is_free_mail


def test_a_signed_scan_is_uploaded_and_waits_for_the_referee():
    client, _application, path = opened()
    assert problems(client.post(path, {**KARIMOVA, "way": "scan"})) == ["Choose the file of the signed letter."]

    client.post(path, {**KARIMOVA, "way": "scan", "file": SimpleUploadedFile("letter.jpg", picture(), "image/jpeg")})

    assert (Reference.objects.get().way, Reference.objects.get().state) == ("scan", State.ASKED)
    assert "Signed scan, to be confirmed by the referee" in text_of(client.get(path))


def test_the_page_says_of_each_how_it_stands():
    application = make_draft(make_call_with_letters(wanted=3, most=9))
    for act in (
        lambda row: None, answering.note_opened, lambda row: answering.decline(row, reason="no_time", words="Secret reason", colleague="Prof. B"),
        send_letter, lambda row: asking.come_back(row.code, row.address), lambda row: asking.cancel(row, by=application.applicant),
    ):  # fmt: skip
        act(make_reference(application))
    client, _application, path = opened(application)

    page = client.get(path)

    states = [said for said in all_in(page, "span", "tag") if "unread" not in said]
    assert states == ["Asked", "Opened", "Declined", "Received", "The mail came back"]
    assert ("You could ask: Prof. B" in text_of(page), "Secret reason" in text_of(page)) == (True, False)


def test_remind_cancel_and_their_limits():
    client, application, path = opened()
    reference = make_reference(application)
    assert "Remind" not in all_in(client.get(path), "button")[:1]
    assert client.post(path, {"remind": reference.code}).status_code == 409

    later(reference)
    client.post(path, {"remind": reference.code})
    assert (Reference.objects.get().reminders, Message.objects.filter(kind="reference.reminded:referee").count()) == (1, 1)
    client.post(path, {"cancel": reference.code})

    assert Reference.objects.get().state == State.CANCELLED
    assert reference.address not in main_of(client.get(path))


def test_a_referee_whose_mail_came_back_is_asked_at_another_address():
    client, application, path = opened()
    reference = make_reference(application)
    asking.come_back(reference.code, reference.address)

    page = client.get(f"{path}?instead={reference.code}")
    assert typed(page, "name") == reference.name
    client.post(f"{path}?instead={reference.code}", {**KARIMOVA, "key": hidden(page, "key")})

    assert list(Reference.objects.values_list("state", flat=True)) == [State.BOUNCED, State.ASKED]
    assert Message.objects.filter(kind="reference.bounced:applicant", user=application.applicant).count() == 1


def test_after_handing_in_the_page_stays_open_until_letters_are_due():
    client, application, path = opened(make_application(make_call_with_letters()))

    assert "0 of 2 have arrived." in text_of(client.get(f"/apply/{application.code}/status/"))
    client.post(path, KARIMOVA)

    assert Reference.objects.count() == 1


def test_the_section_is_marked_with_or_without_letters_and_leads_on():
    client, application, path = opened()
    page = client.get(path)

    answer = client.post(path, {"version": hidden(page, "version"), "done": "y", "save": "1"})

    assert (answer.status_code, Answer.objects.get(revision__application=application, section="letters").is_done) == (302, True)
    assert "Letters Completed" in main_of(client.get(f"/apply/{application.code}/"))


@pytest.mark.parametrize("method", ["get", "post"])
def test_somebody_elses_page_and_a_call_without_letters_are_not_there(method):
    _client, application, path = opened()
    plain = make_draft(make_call())

    assert getattr(browser(make_user()), method)(path).status_code == 404
    assert getattr(browser(plain.applicant), method)(f"/apply/{plain.code}/letters/").status_code == 404
    other = make_reference(make_draft(application.call))
    assert browser(application.applicant).post(path, {"cancel": other.code}).status_code == 404


# -- What it says ------------------------------------------------------------------------


def everywhere(application: Application) -> list[str]:
    code = application.code
    return [
        f"/apply/{code}/letters/", f"/apply/{code}/status/", f"/apply/{code}/receipt/", "/apply/", "/apply/library/", "/apply/library/opened/",
        "/inbox/", f"/inbox/threads/{code}/", *(f"/apply/{code}/letters/{row.code}/" for row in Reference.objects.all()),
        *(f"/inbox/messages/{message.code}/" for message in Message.objects.filter(user=application.applicant)),
    ]  # fmt: skip


def test_the_applicant_sees_that_a_confidential_letter_has_arrived_and_nowhere_what_it_says():
    application = make_application(make_call_with_letters())
    letter = send_letter(
        make_reference(application), "Zqxjv is the word of this letter.", upload=(SimpleUploadedFile("a.jpg", picture()), "zqxjv.jpg")
    )
    client = browser(application.applicant)

    pages = {path: client.get(path) for path in everywhere(application)}

    assert [path for path, page in pages.items() if "zqxjv" in page.content.decode().lower()] == []
    assert pages[f"/apply/{application.code}/letters/{letter.reference.code}/"].status_code == 404
    assert "Received" in text_of(pages[f"/apply/{application.code}/letters/"])
    for path in (f"/apply/library/{letter.file.document.code}/file/", f"/apply/library/{letter.file.document.code}/pages/1/"):
        assert client.get(path).status_code == 404


def test_an_open_letter_is_read():
    application = make_application(make_call_with_letters(openness="open"))
    reference = make_reference(application)
    send_letter(reference, "Open words.", upload=(SimpleUploadedFile("a.jpg", picture()), "a.jpg"))
    client = browser(application.applicant)

    path = f"/apply/{application.code}/letters/{reference.code}/"

    assert ("Open words." in text_of(client.get(path)), client.get(f"{path}?as=file").status_code) == (True, 200)
