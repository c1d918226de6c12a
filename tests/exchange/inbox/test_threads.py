"""The pages of a thread: the applicant and the office write to each other, and nobody else comes in."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from exchange.notifications.models import Message
from exchange.notifications.relay import deliver_due
from scholarships.correspondence.actions import write
from scholarships.correspondence.models import Enclosure, Post
from scholarships.documents.actions import OPENED
from scholarships.events.models import Event
from scholarships.people.models import Scope
from tests.exchange.pages import all_in, browser, hidden, main_of, problem_targets, problems, queries_of, typed
from tests.factories import make_application, make_call, make_draft, make_officer, make_user, picture

pytestmark = pytest.mark.django_db


@pytest.fixture
def application():
    return make_application()


@pytest.fixture
def officer(application):
    return make_officer(scope=Scope.CALL, key=application.call.code)


def url(application) -> str:
    return f"/inbox/threads/{application.code}/"


def paper(name: str = "page.jpg", data: bytes | None = None) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, picture() if data is None else data)


# -- Who comes in ----------------------------------------------------------------


def test_for_everybody_but_the_two_sides_the_thread_is_not_there(application):
    other_call = make_call("other-2027")
    strangers = [make_user("Aida Bekova"), make_application(other_call).applicant, make_officer(scope=Scope.CALL, key=other_call.code)]
    post = write(application, by=application.applicant, text="Here.", files=[(paper(), "page.jpg")])
    file = f"{url(application)}papers/{post.enclosures.get().file.code}/"

    for stranger in strangers:
        client = browser(stranger)
        assert [client.get(url(application)).status_code, client.post(url(application), {"text": "x"}).status_code] == [404, 404]
        assert client.get(file).status_code == 404
    assert Post.objects.count() == 1


def test_a_draft_has_no_thread():
    draft = make_draft()

    assert [browser(person).get(url(draft)).status_code for person in (draft.applicant, make_officer())] == [404, 404]


# -- Writing ---------------------------------------------------------------------


def test_a_question_and_its_answer_stand_in_the_thread_of_both(application, officer):
    applicant, office = browser(application.applicant), browser(officer)

    said = applicant.post(url(application), {"text": "May I add a paper?", "key": "k1"}, follow=True)
    assert said.redirect_chain == [(url(application), 302)]
    assert "Your message is sent." in main_of(said)
    office.post(url(application), {"text": "Yes, until Friday.", "key": "k2"})

    assert all_in(applicant.get(url(application)), "h2")[:2] == ["You", "The office"]
    assert all_in(office.get(url(application)), "h2")[:2] == ["NURAY ASANOVA", "Chen Li, the office"]
    assert "May I add a paper?" in main_of(office.get(url(application)))


def test_the_same_page_sent_twice_writes_once(application):
    client = browser(application.applicant)
    sent = {"text": "Once.", "key": hidden(client.get(url(application)), "key")}

    answers = [client.post(url(application), sent).status_code for _click in range(2)]

    assert (answers, Post.objects.count()) == ([302, 302], 1)


def test_an_empty_message_is_refused_at_its_field(application):
    answer = browser(application.applicant).post(url(application), {"text": "  "})

    assert (answer.status_code, problems(answer), problem_targets(answer)) == (422, ["Write a message."], ["id_text"])


def test_nul_characters_are_taken_out(application):
    browser(application.applicant).post(url(application), {"text": "a\0b", "key": "\0k"})

    assert Post.objects.get().text == "ab"


def test_markup_is_shown_as_it_is_written(application, officer):
    write(application, by=application.applicant, text="<img src=x onerror=alert(1)>\nnext line")

    assert "&lt;img src=x onerror=alert(1)&gt;<br>next line" in browser(officer).get(url(application)).content.decode()


# -- Papers ----------------------------------------------------------------------


@pytest.mark.parametrize("megabytes", [20, 30])
def test_a_file_that_is_too_large_is_refused_at_its_field_and_the_words_stay(application, megabytes):
    large = paper("scan.pdf", b"%PDF-1.4\n" + b"0" * (megabytes * 1024 * 1024))

    answer = browser(application.applicant).post(url(application), {"text": "Here is my scan.", "file": large})

    assert (answer.status_code, problem_targets(answer)) == (422, ["id_file"])
    assert "smaller than 5 MB" in problems(answer)[0]
    assert typed(answer, "text") == "Here is my scan."
    assert not Post.objects.exists()


def test_several_files_go_with_one_message_and_more_than_three_do_not(application):
    client = browser(application.applicant)

    client.post(url(application), {"text": "Two pages.", "file": [paper("one.jpg"), paper("two.jpg")]})
    answer = client.post(url(application), {"text": "Four pages.", "file": [paper() for _each in range(4)]})

    assert Enclosure.objects.count() == 2
    assert problems(answer) == ["Send at most 3 files with one message."]


def test_the_office_reads_the_rebuilt_copy_under_a_neutral_name_and_the_owner_sees_that(application, officer):
    browser(application.applicant).post(url(application), {"text": "Here.", "file": paper("mother's diagnosis.jpg")})
    file = Enclosure.objects.select_related("file").get().file

    answer = browser(officer).get(f"{url(application)}papers/{file.code}/")

    assert answer["Content-Disposition"] == f'attachment; filename="{application.code}-{file.code}.jpg"'
    assert (answer["Content-Security-Policy"], answer["Cache-Control"]) == ("default-src 'none'; sandbox", "no-store")
    with open(file.rebuilt.path, "rb") as kept:
        assert b"".join(answer.streaming_content) == kept.read()
    assert Event.objects.filter(name=OPENED, by=officer, data__application=application.code).count() == 1


def test_a_paper_of_the_office_is_read_by_the_applicant(application, officer):
    browser(officer).post(url(application), {"text": "Fill this in.", "file": paper("form.jpg")})

    answer = browser(application.applicant).get(f"{url(application)}papers/{Enclosure.objects.get().file.code}/")

    assert answer.status_code == 200
    assert not Event.objects.filter(name=OPENED).exists()


# -- Who hears -------------------------------------------------------------------


def test_the_officers_of_the_call_hear_of_a_question_without_its_words(application, officer):
    outside = make_officer(scope=Scope.CALL, key=make_call("other-2027").code)
    Message.objects.all().delete()

    browser(application.applicant).post(url(application), {"text": "My mother is ill."})
    deliver_due()

    letter = Message.objects.get()
    assert (letter.user, letter.link) == (officer, url(application))
    assert letter.user != outside and "mother" not in letter.text + letter.html + letter.subject


def test_the_applicant_hears_of_an_answer_with_its_words_escaped(application, officer):
    Message.objects.all().delete()

    browser(officer).post(url(application), {"text": "Bring <both> papers."})
    deliver_due()

    letter = Message.objects.get()
    assert (letter.user, letter.link) == (application.applicant, url(application))
    assert "Bring <both> papers." in letter.text and "Bring &lt;both&gt; papers." in letter.html


def test_opening_the_thread_reads_the_messages_about_it(application, officer):
    write(application, by=officer, text="Please write back.")

    browser(application.applicant).get(url(application))

    unread = Message.objects.filter(user=application.applicant, read_at__isnull=True)
    assert list(unread.values_list("event__name", flat=True)) == ["application.submitted"]


# -- From where ------------------------------------------------------------------


def test_the_status_of_the_applicant_and_the_record_of_the_officer_lead_there(application, officer):
    write(application, by=application.applicant, text="When do I hear?")

    status = browser(application.applicant).get(f"/apply/{application.code}/status/").content.decode()
    record = browser(officer).get(f"/manage/applications/{application.code}/")

    assert f'href="{url(application)}"' in status
    assert f'href="{url(application)}"' in record.content.decode()
    assert "The applicant waits for an answer" in main_of(record) and "When do I hear?" in main_of(record)

    write(application, by=officer, text="In May.")
    assert "waits for an answer" not in main_of(browser(officer).get(f"/manage/applications/{application.code}/"))


# -- Many ------------------------------------------------------------------------


@pytest.mark.parametrize("number", [1, 100])
def test_a_thread_takes_the_same_queries_for_one_post_and_for_a_hundred(application, officer, number):
    for _copy in range(number):
        write(application, by=officer, text="Hello.")
    Message.objects.update(read_at="2026-11-01T00:00Z")

    assert queries_of(browser(application.applicant), url(application)) == 6


def test_a_long_thread_shows_its_newest_and_leads_to_the_older(application, officer):
    for number in range(60):
        write(application, by=officer, text=f"Message number {number}.")
    client = browser(application.applicant)

    newest = client.get(url(application))
    older = client.get(f"{url(application)}?before={list(Post.objects.of(application))[49].code}")

    assert "number 59." in main_of(newest) and "number 9." not in main_of(newest)
    assert "number 9." in main_of(older) and "number 10." not in main_of(older)
