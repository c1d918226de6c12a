"""The same request or letter sent many times at the same moment, over real connections: it counts once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from exchange.notifications.models import Message
from scholarships.references import answering
from scholarships.references.links import key_of, link_to
from scholarships.references.models import STANDING, Letter, Reference
from tests.exchange.pages import browser
from tests.factories import make_call_with_letters, make_draft, make_reference

pytestmark = pytest.mark.django_db(transaction=True)
TIMES = 10


def at_once(browsers: list[Client], act: Callable[[Client, int], Any]) -> list[int]:
    """The status of each answer to what BROWSERS sent, all begun together."""
    start, found = threading.Barrier(len(browsers)), [0] * len(browsers)

    def run(number: int) -> None:
        try:
            start.wait(30)
            found[number] = act(browsers[number], number).status_code
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(browsers))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_a_letter_sent_at_once_from_many_windows_arrives_once():
    reference = make_reference()
    answering.save(reference, text="She measured.", known_version=0)
    path = f"/refer/{key_of(link_to(reference))}/letter/"
    said = {"version": "1", "text": "She measured.", "sender": "referee", "send": "1"}

    found = at_once([browser(raise_request_exception=False) for _number in range(TIMES)], lambda client, number: client.post(path, said))

    assert set(found) <= {302, 409} and 302 in found
    assert Letter.objects.filter(sent_at__isnull=False).count() == 1
    assert Message.objects.filter(kind="reference.received:applicant").count() == 1


@pytest.mark.parametrize("is_same_page", [True, False])
def test_of_requests_sent_at_once_no_more_count_than_the_call_allows(is_same_page):
    application = make_draft(make_call_with_letters(most=2))
    browsers = [browser(application.applicant, raise_request_exception=False) for _number in range(TIMES)]

    def ask(client: Client, number: int) -> Any:
        address = "karimova@ksu.example" if is_same_page else f"karimova{number}@ksu.example"
        said = {
            "way": "link",
            "name": "Aigul Karimova",
            "position": "Professor",
            "institution": "KSU",
            "address": address,
            "language": "en",
        }
        return client.post(
            f"/apply/{application.code}/letters/", {**said, "ask": "1", "key": "one page" if is_same_page else f"page {number}"}
        )

    found = at_once(browsers, ask)

    wanted = 1 if is_same_page else 2
    assert set(found) <= {302, 422}
    assert (Reference.objects.filter(state__in=STANDING).count(), Message.objects.filter(kind="reference.asked:referee").count()) == (
        wanted,
        wanted,
    )
