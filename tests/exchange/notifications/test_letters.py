"""Every kind of letter: whole for each who hears, with the exact page, in the reader's language, and plain text that is plain."""

from __future__ import annotations

import re
from datetime import timedelta
from html.parser import HTMLParser

import pytest
from django.template import engines
from django.utils import translation

from exchange.accounts.adapter import AccountAdapter
from exchange.notifications.catalogue import NOTICES
from exchange.notifications.keys import key_for, with_key
from exchange.notifications.letters import Letter, compose
from exchange.notifications.models import Message
from exchange.notifications.relay import deliver_due
from exchange.ui.templatetags.ui import moment
from scholarships.applications import actions
from scholarships.applications.models import Application
from scholarships.calls.models import Call
from scholarships.events.actions import record
from scholarships.partners.models import Institution
from scholarships.people.models import User
from tests.exchange.notifications.mailing import again, letter_to
from tests.exchange.notifications.stories import MINISTRY, NOTE, STORIES, TITLE, the_call
from tests.exchange.pages import browser, text_of
from tests.factories import close_call, make_application, make_body_member, make_officer, make_user
from tests.services import smtp_server

pytestmark = pytest.mark.django_db

MISSING = "⟨missing %s⟩"
KINDS = sorted({notice.kind for notices in NOTICES.values() for notice in notices})


class Reader(HTMLParser):
    """What stands in an HTML part: its words, its links, its tags."""

    def __init__(self, html: str):
        super().__init__()
        self.words, self.links, self.tags, self.language = "", [], [], ""
        self.feed(html)

    def handle_starttag(self, tag, attrs) -> None:
        found = dict(attrs)
        self.tags.append(tag)
        self.language = found.get("lang", self.language)
        if tag == "a":
            self.links.append(found["href"])

    def handle_data(self, data) -> None:
        self.words += data


@pytest.fixture
def strict(monkeypatch) -> None:
    """A variable that is not there shows."""
    monkeypatch.setattr(engines["django"].engine, "string_if_invalid", MISSING)


def written(kind: str) -> list[tuple[Message, Letter]]:
    """The letters of KIND, after its story."""
    STORIES[kind]()
    return [(message, compose(message)) for message in Message.objects.filter(kind=kind).select_related("event", "user").order_by("pk")]


def faults(letter: Letter) -> list[str]:
    """What is wrong with LETTER."""
    html = Reader(letter.html)
    url = f"http://127.0.0.1:8000{letter.link}"
    found = {
        "no subject": not letter.subject,
        "subject of more than a line": "\n" in letter.subject,
        "something missing": any("⟨missing" in part for part in (letter.subject, letter.text, letter.html)),
        "None said": any(re.search(r"\bNone\b", part) for part in (letter.subject, letter.text, html.words)),
        "entities in the subject": re.search(r"&(#?\w+);", letter.subject),
        "entities in the text": re.search(r"&(#?\w+);", letter.text),
        "markup in the text": re.search(r"</?(p|b|br|a|time|div|table)\b", letter.text),
        "gaps in the text": "\n\n\n" in letter.text or "  " in letter.text,
        "entities of entities in the HTML": re.search(r"&(#?\w+);", html.words),
        "words that became tags": {"both", "ice", "2027"} & set(html.tags),
        "no exact link in the text": url not in letter.text.split(),
        "no exact link in the HTML": html.links.count(url) != 1,
        "something loaded from elsewhere": {"img", "script", "link", "iframe"} & set(html.tags),
        "not the office's address": "office@sapar.example" not in letter.text or "mailto:office@sapar.example" not in html.links,
    }
    return [fault for fault, is_so in found.items() if is_so]


def test_there_is_a_story_for_each_kind():
    assert sorted(STORIES) == KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_each_letter_is_whole_and_leads_its_reader_to_a_page_that_opens(kind, strict):
    letters = written(kind)

    assert letters != []
    assert [(message.address, fault) for message, letter in letters for fault in faults(letter)] == []
    assert {opened(message, letter) for message, letter in letters} == {200}


def opened(message: Message, letter: Letter) -> int:
    """How the page of LETTER answers its reader, signed in where it is somebody with an account."""
    answer = browser(message.user).get(with_key(letter.link, key_for(message)), follow=True)
    return answer.status_code if message.user is None or answer.context["user"] == message.user else 0


def test_the_letter_with_a_code_is_whole_and_has_no_button(strict):
    make_user(email="nuray@sapar.example")
    browser().post("/accounts/login/code/", {"email": "nuray@sapar.example"})

    message = Message.objects.get(kind="account.code")

    code = re.fullmatch(r"(\d{6}) is your code for Sapar", message.subject).group(1)
    assert f"Your code for Sapar: {code}\n" in message.text
    assert Reader(message.html).links == ["mailto:office@sapar.example"]
    assert faults(Letter(message.subject, message.text, message.html, message.link)) == ["no exact link in the HTML"]


def test_the_letter_about_a_changed_account_is_whole(strict):
    user = make_user()
    AccountAdapter().send_mail("account/email/password_changed", user.email, {"user": user})

    message = Message.objects.get(kind="account.changed")

    assert (message.address, message.link) == (user.email, "/accounts/login/")
    assert faults(Letter(message.subject, message.text, message.html, message.link)) == []


# -- What it says ----------------------------------------------------------------


def test_a_returned_file_comes_with_its_reason_the_words_of_the_office_and_the_date():
    ((_message, letter),) = written("application.returned:applicant")
    application = Application.objects.get()

    assert letter.subject == f"Please correct your application {application.code}"
    assert (
        letter.text
        == f"""\
Dear NURAY O'NEIL ASANOVA,

something has to be corrected in your application to “{TITLE["en"]}”.

A page cannot be read
{NOTE}
Correct it by: {moment(application.correct_by, "Asia/Shanghai")}

http://127.0.0.1:8000/apply/{application.code}/

--{" "}
Sapar · http://127.0.0.1:8000
A question? Answer this mail or write to office@sapar.example. We never ask for a password or money by mail.
"""
    )


def test_who_withdraws_after_the_deadline_is_not_told_that_it_can_be_opened_again():
    said = "Until the deadline you can open it again."
    ((_message, before),) = written("application.withdrawn:applicant")
    late = make_application(Call.objects.get(), make_user())
    actions.withdraw(late, by=late.applicant, reason="mistake", at=close_call(late.call).closes_at + timedelta(days=1))
    after = compose(Message.objects.get(kind="application.withdrawn:applicant", user=late.applicant))

    assert [(said in letter.text, said in letter.html) for letter in (before, after)] == [(True, True), (False, False)]


def test_a_role_is_named_with_the_place_for_which_it_counts():
    said = [letter.text.splitlines()[0] for _message, letter in written("person.role_given:person")]

    assert said == [
        "You have a new role: Officer.",
        f"You have a new role: Reviewer, for “{TITLE['en']}”.",
        f"You have a new role: Member of a nominating body, for {MINISTRY['en']}.",
    ]


@pytest.mark.parametrize(("files", "says"), [(1, "1 file waits"), (2, "2 files wait")])
def test_a_body_hears_how_many_files_wait(files, says):
    call, member = the_call(), make_body_member(Institution.objects.get(code="kg-ministry"))
    for _file in range(files):
        make_application(call)
    record("call.closed", call)

    assert compose(Message.objects.get(kind="call.closed:body", user=member)).subject == f"{TITLE['en']} has closed: {says} for you"


def test_a_line_break_in_a_title_stays_out_of_the_headers(server, clock):
    make_application(the_call())
    Call.objects.update(title={"en": "Rivers\r\nBcc: everybody@sapar.example\r\n\r\nand roads"})
    make_officer()
    record("call.results_published", Call.objects.get(), run="run-1")

    deliver_due(now=clock)

    letter = next(letter for letter in server.letters if "results" in letter["Subject"])
    assert letter["Subject"] == "The results of Rivers Bcc: everybody@sapar.example and roads are published"
    assert (letter["Bcc"], len(server.letters)) == (None, Message.objects.count())


# -- In which language -----------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "ru", "zh-hans"])
def test_a_letter_is_written_in_the_language_of_its_reader(language):
    user = make_user()
    User.objects.filter(pk=user.pk).update(language=language)
    make_application(the_call(), User.objects.get(pk=user.pk))

    message = Message.objects.get(kind="application.submitted:applicant")
    with translation.override("en"):
        letter = compose(message)

    assert (message.language, Reader(letter.html).language) == (language, language)
    assert (TITLE[language] in letter.text, TITLE[language] in Reader(letter.html).words) == (True, True)


def test_a_reader_who_has_chosen_no_language_is_written_to_in_that_of_the_site():
    user = make_user()
    User.objects.filter(pk=user.pk).update(language="")
    make_application(the_call(), User.objects.get(pk=user.pk))

    assert Message.objects.get(kind="application.submitted:applicant").language == "en"


# -- When it is written ----------------------------------------------------------


def test_a_letter_is_written_at_the_first_try_and_kept_for_the_others(server, clock):
    make_application(the_call())
    message = Message.objects.get(kind="application.submitted:applicant")
    server.answer = lambda address: "451 later"
    deliver_due(now=clock)
    first = again(message).text
    Call.objects.update(title={"en": "Quite another title"})
    server.answer = lambda address: None
    deliver_due(now=clock.later(10))

    (letter,) = [letter for letter in server.letters if letter["Message-ID"] == message.message_id]
    assert TITLE["en"] in first
    assert (again(message).text, letter.get_body(("plain",)).get_content().replace("\r\n", "\n")) == (first, first)


def test_a_letter_to_a_member_without_an_account_is_whole(strict):
    event = record("call.closed", the_call())
    message = letter_to(None, address="somebody@elsewhere.example")
    message.kind, message.event, message.subject = "call.closed:body", event, ""

    assert faults(compose(message)) == []


def test_a_letter_about_what_is_gone_is_refused():
    make_application(the_call())
    message = Message.objects.get(kind="application.submitted:applicant")
    message.event.subject_key = "GONE"

    with pytest.raises(LookupError, match="what the letter is about is gone"):
        compose(message)


# -- In the demo -----------------------------------------------------------------


def test_in_the_demo_no_mail_leaves_and_the_mailbox_page_shows_the_letter(settings):
    with smtp_server() as nobody:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", nobody.port
        application = make_application(the_call())
        message = Message.objects.get(kind="application.submitted:applicant")
        deliver_due()
        pages = [
            browser().get(page) for page in ("/demo/mailbox/", f"/demo/mailbox/?to={message.address}", f"/demo/mailbox/{message.code}/")
        ]

    assert (settings.MAIL_STAYS_HERE, again(message).delivery, nobody.letters) == (True, "sent", [])
    assert [(page.status_code, f"Your receipt {application.code}" in text_of(page)) for page in pages] == [(200, True)] * 3
    assert f'href="/apply/{application.code}/status/"' in pages[2].content.decode()


def test_before_a_worker_comes_the_mailbox_page_shows_that_the_letter_waits():
    make_application(the_call())

    assert "Submitted" in text_of(page := browser().get("/demo/mailbox/"))
    assert "Queued" in text_of(page)
