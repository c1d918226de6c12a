"""Letters that come back mark their row once, and after three hard ones the address is left in peace."""

from __future__ import annotations

import json
import re

import pytest
from allauth.account.models import EmailAddress
from django.utils import timezone

from exchange.notifications.models import Address, Message
from exchange.notifications.relay import deliver_due
from scholarships.people.actions import give_role
from scholarships.people.models import Role, User
from scholarships.references import answering
from tests.exchange.notifications.mailing import again, letter_to, letters, states
from tests.exchange.pages import browser, main_of
from tests.factories import make_application, make_call, make_officer, make_reference, make_user

pytestmark = pytest.mark.django_db
TOKEN = "a-long-token"
STOPPED = "address.stopped:person"
BAR = "Letters to your address came back."


@pytest.fixture(autouse=True)
def _token(settings) -> None:
    settings.BOUNCE_TOKEN = TOKEN


def tell(body: object, *, token: str = TOKEN, kind: str = "application/json"):
    data = body if isinstance(body, bytes) else json.dumps(body)
    return browser(enforce_csrf_checks=True).post("/mail/bounces/", data, content_type=kind, HTTP_AUTHORIZATION=f"Bearer {token}")


def bounced(message: Message, kind: str = "hard", said: str = "550 5.1.1 no such mailbox") -> dict:
    return {"message_id": message.message_id, "kind": kind, "said": said}


def report(message_id: str, *, action: str = "failed", status: str = "5.1.1", part: str = "text/rfc822-headers") -> bytes:
    return f"""From: mailer-daemon@elsewhere.example
Subject: Undelivered
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

It could not be delivered.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.elsewhere.example

Final-Recipient: rfc822; nuray@sapar.example
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 5.1.1 no such mailbox

--b
Content-Type: {part}

Message-ID: {message_id}
Subject: A letter

--b--
""".encode()


def test_a_bounce_marks_the_row_and_counts_the_address_once_however_often_it_is_told():
    message = letter_to(make_user(email="Nuray@sapar.example"))

    answers = [tell(bounced(message)) for _time in range(2)]

    row, address = again(message), Address.objects.get()
    assert [(answer.status_code, answer.json()) for answer in answers] == [(200, {"message": message.code})] * 2
    assert (row.delivery, row.error, row.bounced_at is None) == ("bounced", "550 5.1.1 no such mailbox", False)
    assert (address.address, address.hard_bounces, address.said, address.stopped_at) == (row.address.lower(), 1, row.error, None)


def test_after_three_hard_bounces_nothing_more_goes_to_the_address(server, clock):
    user = make_user()
    for _letter in range(3):
        tell(bounced(letter_to(user)))
    message = letter_to(user)

    deliver_due(now=clock)

    assert Address.objects.get().stopped_at is not None
    assert Message.objects.get(kind=STOPPED).delivery == "kept"
    assert (again(message).delivery, server.letters) == ("kept", [])


def test_soft_bounces_mark_the_row_and_count_nothing():
    message = letter_to(make_user())

    tell(bounced(message, "soft", "452 mailbox full"))

    assert (again(message).delivery, Address.objects.exists()) == ("bounced", False)


@pytest.mark.parametrize("part", ["text/rfc822-headers", "message/rfc822"])
@pytest.mark.parametrize("kind", ["message/rfc822", "multipart/report"])
def test_the_report_of_a_mail_server_is_read(part, kind):
    message = letter_to(make_user())

    answer = tell(report(message.message_id, part=part), kind=kind)

    assert (answer.status_code, again(message).delivery, again(message).error) == (200, "bounced", "smtp; 550 5.1.1 no such mailbox")
    assert Address.objects.get().hard_bounces == 1


def test_a_report_of_a_delay_and_one_of_a_full_mailbox_are_told_apart():
    late, full = letters(2)

    tell(report(late.message_id, action="delayed", status="4.4.1"), kind="message/rfc822")
    tell(report(full.message_id, status="4.2.2"), kind="message/rfc822")

    assert (states([late, full]), Address.objects.exists()) == (["queued", "bounced"], False)


@pytest.mark.parametrize("body", [b"\xff\x00", b"Subject: hello\n\nNo report.", report("no-id"), report("<other@sapar.example>")])
def test_a_report_that_names_no_letter_of_ours_changes_nothing(body):
    letter_to(make_user())

    assert (tell(body, kind="message/rfc822").json(), Message.objects.get().delivery) == ({"message": None}, "queued")


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[1]", b"\xff", {"message_id": 1, "kind": "hard"}, {"message_id": "<a@b>"}, {"message_id": "<a@b>", "kind": ["hard"]}],
)
def test_what_is_no_bounce_is_refused_with_a_sentence(body):
    answer = tell(body)

    assert (answer.status_code, len(answer.json()["said"]) > 10) == (400, True)


def test_without_the_token_there_is_nothing_here(settings):
    message = letter_to(make_user())
    wrong = tell(bounced(message), token="another").status_code
    settings.BOUNCE_TOKEN = ""
    unset = tell(bounced(message), token="").status_code

    assert (wrong, unset, again(message).delivery) == (404, 404, "queued")


# -- What the person sees ------------------------------------------------------------


def stop(user, *, count: int = 3) -> None:
    """COUNT letters to USER come back for good."""
    for _letter in range(count):
        tell(bounced(letter_to(user)))


def test_a_person_hears_once_in_the_inbox_that_nothing_is_mailed_any_more(clock, server):
    user = make_user(email="Gone@sapar.example")
    stop(user, count=2)
    before = Message.objects.filter(kind=STOPPED).count()
    stop(user, count=3)

    deliver_due(now=clock)

    notice = Message.objects.get(kind=STOPPED)
    page = main_of(browser(user).get(f"/inbox/messages/{notice.code}/"))
    assert (before, notice.user, notice.delivery, server.letters) == (0, user, "kept", [])
    assert "Several letters to gone@sapar.example came back." in page
    assert browser(user).get(notice.link or "/accounts/profile/").status_code == 200


def test_of_an_address_that_belongs_to_nobody_here_nothing_is_told():
    for _letter in range(3):
        tell(bounced(letter_to(None, address="somebody@elsewhere.example")))

    assert (Address.objects.get().stopped_at is None, Message.objects.filter(kind=STOPPED).count()) == (False, 0)


def test_the_inbox_says_so_as_long_as_the_address_is_stopped():
    user, other = make_user(), make_user()
    bars = [BAR in main_of(browser(user).get("/inbox/"))]
    stop(user)
    bars += [BAR in main_of(browser(one).get("/inbox/")) for one in (user, other)]
    Address.objects.update(stopped_at=None)
    bars.append(BAR in main_of(browser(user).get("/inbox/")))

    assert bars == [False, True, False, False]


def test_while_mail_flows_a_second_address_only_signs_in_too():
    user = make_user(email="fine@sapar.example")
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)
    client = browser(user)

    client.post("/accounts/email/", {"action_add": "", "email": "second@sapar.example"})
    code = re.match(r"\d{6}", Message.objects.get(kind="account.code").subject).group()
    client.post("/accounts/confirm-email/", {"code": code})

    assert User.objects.get(pk=user.pk).email == "fine@sapar.example"


def test_a_new_address_that_is_confirmed_makes_mail_flow_again(server, clock):
    user = make_user(email="gone@sapar.example")
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)
    stop(user)
    deliver_due(now=clock)
    client = browser(user)

    client.post("/accounts/email/", {"action_add": "", "email": "found@sapar.example"})
    code = re.match(r"\d{6}", Message.objects.get(kind="account.code").subject).group()
    still = User.objects.get(pk=user.pk).email
    client.post("/accounts/confirm-email/", {"code": code})
    give_role(User.objects.get(pk=user.pk), Role.OFFICER)
    deliver_due(now=clock.later(60))

    assert (still, User.objects.get(pk=user.pk).email) == ("gone@sapar.example", "found@sapar.example")
    assert server.addresses() == ["found@sapar.example", "found@sapar.example"]  # the code, and what came after it
    assert BAR not in main_of(client.get("/inbox/"))


# -- What officers see ---------------------------------------------------------------


def test_officers_see_in_the_list_and_on_the_record_whose_mail_is_stopped():
    call = make_call()
    application = make_application(call)
    stop(application.applicant)
    client = browser(make_officer())

    page = client.get("/manage/applications/").content.decode()

    assert (page.count("Mail is stopped"), page.count("Mail came back")) == (1, 0)
    assert "nothing is mailed to it any more" in main_of(client.get(f"/manage/applications/{application.code}/"))


def test_officers_see_in_the_list_and_on_the_record_to_whom_mail_came_back():
    call = make_call()
    gone, fine = make_application(call), make_application(call)
    tell(bounced(letter_to(gone.applicant)))
    client = browser(make_officer())

    page = client.get("/manage/applications/").content.decode()
    records = [client.get(f"/manage/applications/{application.code}/").content.decode() for application in (gone, fine)]

    assert page.count("Mail came back") == 1
    assert ["have come back" in record for record in records] == [True, False]


def test_every_page_of_a_rehearsal_says_so(settings):
    plain = browser().get("/").content.decode()
    settings.MAIL_ALL_TO = "rehearsal@sapar.example"
    page = browser().get("/").content.decode()

    assert "This is a rehearsal." in page and "rehearsal@sapar.example" in page and "rehearsal" not in plain


# -- Of a referee, who has no inbox ------------------------------------------------


def test_a_letter_to_a_referee_that_comes_back_opens_the_request_again_and_tells_the_applicant_once():
    reference = make_reference()
    message = Message.objects.get(kind="reference.asked:referee")
    for _time in range(2):
        tell(bounced(message))

    reference.refresh_from_db()
    told = Message.objects.filter(kind="reference.bounced:applicant").values_list("user", flat=True)
    assert (reference.state, list(told)) == ("bounced", [reference.application.applicant_id])


def test_a_letter_to_a_referee_whose_address_takes_no_mail_any_more_counts_as_come_back():
    reference = make_reference()
    Address.objects.create(address=reference.address, hard_bounces=3, stopped_at=timezone.now())
    deliver_due()

    reference.refresh_from_db()
    assert reference.state == "bounced"


def test_a_letter_to_somebody_with_an_account_opens_nothing_again():
    reference = make_reference()
    answering.decline(reference, reason="no_time")
    tell(bounced(Message.objects.get(kind="reference.declined:applicant")))

    reference.refresh_from_db()
    assert reference.state == "declined"
