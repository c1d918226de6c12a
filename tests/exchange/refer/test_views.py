"""A referee without an account: opening does nothing, sending is two minutes, the key leaks nowhere."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from exchange.logs import WithoutKeys, without_keys
from exchange.notifications.keys import key_for
from exchange.notifications.models import Message
from exchange.notifications.pages import KEY
from exchange.notifications.relay import deliver_due
from scholarships.calls.models import Milestone
from scholarships.events.models import Event
from scholarships.references import actions as asking
from scholarships.references import answering
from scholarships.references.links import key_of, link_to
from scholarships.references.models import Letter, LinkPurpose, Reference, State
from tests.exchange.pages import browser, hidden, main_of, problems, text_of, typed
from tests.factories import make_call_with_letters, make_draft, make_reference, make_user, picture, send_letter

pytestmark = pytest.mark.django_db


def door(reference: Reference, *rest: str, purpose: str = LinkPurpose.LETTER) -> str:
    room = "release/" if purpose == LinkPurpose.RELEASE else ""
    return "/".join((f"/refer/{room}{key_of(link_to(reference, purpose))}", *rest, ""))


def photo(name: str = "letter.jpg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, picture(), "image/jpeg")


def state() -> str:
    return Reference.objects.latest("pk").state


# -- The least path ----------------------------------------------------------------


def test_a_mail_scanner_that_fetches_everything_does_nothing():
    reference = make_reference()

    for path in ("", "letter", "decline"):
        assert browser().get(door(reference, *filter(None, [path]))).status_code == 200

    assert (state(), Letter.objects.count(), list(Event.objects.about(reference).values_list("name", flat=True))) == (
        "asked", 0, ["reference.asked"],
    )  # fmt: skip


def test_the_page_says_who_asks_for_what_until_when_who_reads_and_how_to_check_it():
    reference = make_reference(note="The canal, two seasons.", language="en")
    application = reference.application

    said = main_of(browser().get(door(reference)))

    for words in (
        f"{reference.asker} asks you for a letter", "Small call", "The officers of this call , never the applicant", "The canal, two seasons.",
        f"{reference.check_code[:4]}-{reference.check_code[4:]}", "Due",
    ):  # fmt: skip
        assert words in said, words
    assert application.applicant.email not in said and application.code not in said


def test_open_paste_send():
    reference, client = make_reference(), browser(enforce_csrf_checks=True)

    client.get(door(reference))
    assert client.post(door(reference), {"open": "1"})["Location"] == door(reference, "letter")
    page = client.get(door(reference, "letter"))
    answer = client.post(
        door(reference, "letter"), {"version": hidden(page, "version"), "text": "She measured.", "sender": "referee", "send": "1"}
    )

    assert answer["Location"] == door(reference)
    assert (state(), Letter.objects.get().text) == (State.RECEIVED, "She measured.")
    assert "Thank you: your letter has arrived." in text_of(client.get(door(reference)))


def test_a_file_is_attached_seen_removed_and_sent():
    reference, client = make_reference(), browser()
    path = door(reference, "letter")

    client.post(path, {"version": "0", "text": "", "file": photo(), "save": "1"})
    assert client.get(door(reference, "file"))["Content-Disposition"].startswith("attachment")
    client.post(path, {"version": "1", "text": "", "drop": "1"})
    assert Letter.objects.get().file is None
    client.post(path, {"version": "2", "text": "", "file": photo(), "sender": "referee", "send": "1"})

    assert state() == State.RECEIVED


def test_an_empty_letter_is_refused_beside_its_field_and_a_wrong_file_too():
    reference, client = make_reference(), browser()
    path = door(reference, "letter")

    empty = client.post(path, {"version": "0", "text": "", "sender": "referee", "send": "1"})
    wrong = client.post(
        path, {"version": hidden(empty, "version"), "text": "Kept", "file": SimpleUploadedFile("a.pdf", b"no"), "send": "1"}
    )

    assert (empty.status_code, problems(empty)) == (422, ["Attach the letter, or paste it here."])
    assert (wrong.status_code, typed(wrong, "text")) == (422, "Kept")
    assert "the content is something else" in problems(wrong)[0]


def test_what_another_window_has_saved_is_not_overwritten_and_what_was_typed_stays():
    reference, client = make_reference(), browser()
    path = door(reference, "letter")
    client.post(path, {"version": "0", "text": "One", "save": "1"})

    answer = client.post(path, {"version": "0", "text": "Two", "save": "1"})

    assert (answer.status_code, typed(answer, "text"), Letter.objects.get().text) == (409, "Two", "One")


def test_a_script_saves_while_one_writes():
    reference, client = make_reference(), browser()

    first = client.post(door(reference, "letter"), {"version": "0", "text": "Half", "autosave": "1"})
    late = client.post(door(reference, "letter"), {"version": "0", "text": "Older", "autosave": "1"})

    assert (first.json(), late.status_code, late.json()["is_saved"]) == ({"version": 1, "is_saved": True}, 409, False)
    assert Letter.objects.get().text == "Half"


def test_the_grid_is_asked_only_where_the_call_asks():
    ratings = [{"key": "rigour", "title": "Rigour of work", "anchors": ["poor", "fair", "good", "very good", "the best"]}]
    with_grid = make_reference(make_draft(make_call_with_letters("grid-2027", ratings=ratings)))
    client, path = browser(), door(with_grid, "letter")

    assert "Rigour of work" not in text_of(client.get(door(make_reference(), "letter")))
    refused = client.post(path, {"version": "0", "text": "Good.", "sender": "referee", "send": "1"})
    assert problems(refused) == ["Choose a level for “Rigour of work”, or say that you cannot tell."]
    client.post(path, {"version": hidden(refused, "version"), "text": "Good.", "rating-rigour": "4", "sender": "referee", "send": "1"})

    assert Letter.objects.get(sent_at__isnull=False).ratings == {"rigour": 4}


# -- Other ways ----------------------------------------------------------------------


def test_an_assistant_prepares_and_only_the_mail_to_the_referee_releases():
    reference, client = make_reference(), browser()
    client.post(door(reference, "letter"), {"version": "0", "text": "Prepared.", "sender": "assistant", "send": "1"})
    message = Message.objects.get(kind="reference.prepared:referee")
    assert (state(), message.address) == (State.OPENED, reference.address)
    assert browser().post(f"/refer/release/{key_of(link_to(reference))}/", {"version": "1"}).status_code == 404

    page = browser().get(f"/refer/release/{key_for(message)}/")
    browser().post(f"/refer/release/{key_for(message)}/", {"version": hidden(page, "version")})

    assert ("Prepared." in text_of(page), state()) == (True, State.RECEIVED)


def test_a_scan_is_confirmed_by_one_click():
    reference, client = make_reference(scan=True), browser()
    assert client.get(door(reference, "file")).status_code == 200

    client.post(door(reference), {"confirm": "1"})

    assert state() == State.RECEIVED


def test_a_scan_that_is_not_the_referees_is_said_to_be_so():
    reference, client = make_reference(scan=True), browser()

    assert client.post(door(reference, "decline"), {"reason": "not_mine"})["Location"] == "/refer/declined/"

    assert (state(), Reference.objects.get().reason) == (State.DECLINED, "not_mine")


def test_who_declines_says_why_to_the_officers_and_the_applicant_is_told_at_once():
    reference, client = make_reference(), browser()
    path = door(reference, "decline")
    assert client.post(path, {}).status_code == 422

    client.post(path, {"reason": "conflict", "words": "We fell out.", "colleague": "Prof. B"})

    letter = Message.objects.get(kind="reference.declined:applicant")
    deliver_due()
    letter.refresh_from_db()
    assert (letter.user, "Prof. B" in letter.text, "fell out" in letter.text) == (reference.application.applicant, True, False)
    assert client.get(path).status_code == 404


def test_after_enough_letters_the_other_links_say_so():
    application = make_draft(make_call_with_letters(wanted=1, most=2))
    first, second = make_reference(application), make_reference(application)
    send_letter(first)

    page = browser().get(door(second))
    refused = browser().post(door(second, "letter"), {"version": "0", "text": "Late", "sender": "referee", "send": "1"})

    assert "yours is no longer needed" in text_of(page)
    assert "Attach or paste the letter" not in text_of(page)
    assert (refused.status_code, state()) == (422, State.ASKED) or refused.status_code == 409


def test_after_the_day_the_link_says_that_the_time_is_over():
    reference = make_reference()
    path = door(reference)
    Milestone.objects.filter(key="letters").update(starts_at=timezone.now() - timedelta(days=2), ends_at=timezone.now() - timedelta(days=1))

    assert "The time for this letter is over." in text_of(browser().get(path))
    assert browser().post(path, {"open": "1"}).status_code == 409


def test_one_letter_serves_again_for_the_same_applicant():
    student = make_user()
    first = make_reference(make_draft(make_call_with_letters("one-2027"), student), address="karimova@ksu.example")
    second = make_reference(make_draft(make_call_with_letters("two-2027"), student), address="karimova@ksu.example")
    send_letter(first, "Written once.")
    client = browser()
    assert "Use this letter" in text_of(client.get(door(second, "letter")))

    client.post(door(second, "letter"), {"version": "0", "reuse": first.code})

    assert typed(client.get(door(second, "letter")), "text") == "Written once."


# -- All letters of an address ----------------------------------------------------------


def test_my_letters_go_to_the_address_and_the_page_says_the_same_to_everybody():
    known = make_reference(address="karimova@ksu.example")
    other = make_reference(make_draft(make_call_with_letters("two-2027"), make_user()), address="karimova@ksu.example")
    pages = {
        address: main_of(browser().post("/refer/", {"address": address})) for address in ("karimova@ksu.example", "nobody@ksu.example")
    }
    assert len({said.replace(address, "") for address, said in pages.items()}) == 1

    (message,) = Message.objects.filter(kind="reference.listed:referee")
    said = browser().get(f"/refer/list/{key_for(message)}/")

    assert message.address == "karimova@ksu.example"
    assert all(f"For {one.asker}" in text_of(said) for one in (known, other))
    assert {browser().get(path).status_code for path in re.findall(r'href="(/refer/[\w-]{43}/)"', said.content.decode())} == {200}


# -- The key ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    ["/refer/{key}/", "/refer/{key}/letter/", "/refer/{key}/file/", "/refer/{key}/decline/", "/refer/release/{key}/", "/refer/list/{key}/"],
)
def test_a_key_that_opens_nothing_gets_the_same_page_whatever_the_reason(path):
    reference = make_reference()
    cancelled = key_of(link_to(reference))
    asking.cancel(reference, by=reference.application.applicant)

    answers = [browser().get(path.format(key=key)) for key in (cancelled, "a" * 43, "x", KEY)]

    assert {
        (answer.status_code, re.sub(r'name="csrf\w+" value="\w+"', "", answer.content.decode()).count("opens nothing"))
        for answer in answers
    } == {(404, 2)}
    assert {answer["Referrer-Policy"] for answer in answers} == {"no-referrer"}


def test_pages_with_a_key_send_no_referrer_are_kept_by_nobody_and_hold_no_form_of_other_rooms():
    reference = make_reference()
    for path in (door(reference), door(reference, "letter"), door(reference, "decline")):
        answer = browser().get(path)
        assert (answer["Referrer-Policy"], answer["Cache-Control"], answer["X-Robots-Tag"]) == ("no-referrer", "no-store", "noindex")
        assert re.findall(r'<form[^>]*action="', answer.content.decode()) == []


def test_no_stored_letter_holds_a_key_and_the_one_that_leaves_does(settings, mailoutbox):
    settings.MAIL_STAYS_HERE = False
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    reference = make_reference()
    key = key_of(link_to(reference))
    deliver_due()

    message = Message.objects.get(kind="reference.asked:referee")
    (mail,) = [mail for mail in mailoutbox if mail.to == [reference.address]]
    assert not any(key in part for part in (message.subject, message.text, message.html, message.link))
    assert f"/refer/{KEY}/" in message.text
    assert f"http://127.0.0.1:8000/refer/{key}/" in mail.body and key in mail.alternatives[0].content


def test_a_letter_about_a_request_that_is_closed_by_now_does_not_leave(settings, mailoutbox):
    settings.MAIL_STAYS_HERE = False
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    reference = make_reference()
    asking.cancel(reference, by=reference.application.applicant)
    deliver_due()

    assert Message.objects.get(kind="reference.asked:referee").delivery == "failed"
    assert [mail.subject for mail in mailoutbox] == [f"No letter for {reference.asker} is needed any more"]


@pytest.mark.parametrize(
    "line", ['GET /refer/{key}/letter/ HTTP/1.1" 200', "Not Found: /refer/release/{key}/", "/refer/list/{key}/?language=ru"]
)
def test_no_key_stands_in_a_log(line, caplog):
    key = "aB3_-" * 8 + "xyz"

    assert key not in without_keys(line.format(key=key))
    with caplog.at_level("INFO"):
        caplog.handler.addFilter(WithoutKeys())
        browser().get(f"/refer/{key}/")
    assert key not in caplog.text


def test_the_page_is_in_the_language_of_the_mail_until_another_is_chosen():
    reference, client = make_reference(language="ru"), browser()

    assert client.get(door(reference))["Content-Language"] == "ru"
    assert client.get(f"{door(reference)}?language=en")["Content-Language"] == "en"
    assert client.get(door(reference))["Content-Language"] == "en"


# -- Is it real? ---------------------------------------------------------------------------


def test_the_public_site_confirms_a_request_with_nothing_of_the_referee():
    reference = make_reference()

    yes = browser().get("/refer/check/", {"code": f" {reference.check_code[:4].lower()}-{reference.check_code[4:]} "})

    said = main_of(yes)
    assert ("Yes: this request comes from us." in said, reference.asker in said, "Small call" in said) == (True, True, True)
    assert not any(words in said for words in (reference.name, reference.address, reference.application.code))


@pytest.mark.parametrize("code", ["XXXXXXXX", "", "<script>", "1" * 300])
def test_a_code_that_is_not_ours_is_not_confirmed(code):
    make_reference()

    answer = browser().get("/refer/check/", {"code": code})

    assert (answer.status_code, "comes from us" in text_of(answer), len(problems(answer))) == (404, False, 1)


def test_a_request_that_was_taken_back_is_no_longer_confirmed():
    reference = make_reference()
    answering.decline(reference, reason="no_time")

    assert browser().get("/refer/check/", {"code": reference.check_code}).status_code == 404
