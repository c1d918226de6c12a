"""Every page that can be reached by clicking, as each kind of person, in the world of the demo."""

from __future__ import annotations

import gzip
import html
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin

import pytest
from django.contrib.staticfiles import finders
from django.db import transaction
from django.urls import resolve

from exchange.demo.people import HOME_UNIVERSITY, JOINT_STUDENT, MINISTRY, OFFICER, REVIEWER, STUDENT
from exchange.demo.world import build
from exchange.ui.guards import is_ours, routes
from scholarships.applications.models import Application, State
from scholarships.calls.form import form_of
from scholarships.calls.models import SectionKind
from scholarships.people.models import User
from tests.exchange.pages import browser

pytestmark = pytest.mark.django_db

VISITOR = ""
PERSONS = (VISITOR, *(one.email for one in (STUDENT, JOINT_STUDENT, MINISTRY, HOME_UNIVERSITY, REVIEWER, OFFICER)))
BEGINNINGS = (
    "/", "/apply/", "/nominate/", "/review/", "/manage/", "/accounts/home/", "/accounts/welcome/", "/accounts/login/", "/accounts/signup/",
    "/accounts/password/reset/", "/accounts/password/change/", "/accounts/email/", "/accounts/2fa/", "/nothing/",
)  # fmt: skip
OF_A_KIND = 8  # so many pages of one view are looked at as one person, each found on another page
ELSEWHERE = ("/static/", "/admin/", "/accounts/logout/")
KB = 1000

# Routes to which no link leads: they are the target of a form, or open after it, or are for machines.
BEHIND_A_FORM = {
    "accounts:language", "accounts:first_officer", "demo:switch",
    "inbox:read_all", "inbox:unsubscribe", "mail:alive", "mail:bounces", "mail:metrics", "mail:ready",
    "apply:change", "nominate:take_back", "apply:remove", "apply:reopen", "browse:verdict",
    "refer:request", "refer:letter", "refer:file", "refer:decline", "refer:declined", "refer:release", "refer:requests",
    "apply:letter", "manage:reference", "manage:reference_page", "manage:bulk", "manage:confirm", "manage:publish", "manage:retry", "manage:run",
    "manage:write",
}  # fmt: skip

Pages = dict[tuple[str, str], Any]


@pytest.fixture(scope="module")
def pages(django_db_setup, django_db_blocker) -> Iterator[Pages]:
    """(person, address) -> what the site answered."""
    with django_db_blocker.unblock(), transaction.atomic():
        build(lambda said: None)
        yield {(person, address): answer for person in PERSONS for address, answer in walk(person)}
        transaction.set_rollback(True)


def walk(person: str) -> Iterator[tuple[str, Any]]:
    """Follow the links from the beginnings on: of each page the first to each view, and of each view the first."""
    client = browser(User.objects.get(email=person) if person else None)
    ways, seen, kinds = [(address, "") for address in (*BEGINNINGS, *files_of(person))], set(), Counter()
    while ways:
        address, came_from = ways.pop(0)
        kind = kind_of(address)
        if address in seen or (came_from and (kinds[kind] >= OF_A_KIND or kinds[kind, came_from])):
            continue
        seen.add(address)
        kinds[kind] += 1
        kinds[kind, came_from] += 1
        answer = client.get(address)
        yield address, answer
        if answer.status_code in {301, 302}:
            ways.append((answer["Location"].split("#")[0], address))
        elif is_page(answer) and kind[0] != "demo:letter":  # a letter leads to pages of its recipient, and here everybody reads it
            links = re.findall(r'<(?:a|img)\b[^>]*\b(?:href|src)="([^"]+)"', text_of(answer))
            targets = (urljoin(address, html.unescape(link)).split("#")[0] for link in links)
            ways += [(target, address) for target in targets if target.startswith("/") and not target.startswith(ELSEWHERE)]


def files_of(person: str) -> list[str]:
    """What a list shows only further down: of the applicant all sections, of the officer a file in each state."""
    own = Application.objects.filter(applicant__email=person).select_related("version")
    sections = [(one, section) for one in own.filter(state=State.DRAFT) for section in form_of(one.version).sections]
    asked = [f"/apply/{one.code}/sections/{section.key}/" for one, section in sections if section.kind == SectionKind.QUESTIONS]
    if person != OFFICER.email:
        return [*asked, *(f"/apply/{one.code}/status/" for one in own.exclude(state=State.DRAFT))]
    codes = dict(Application.objects.exclude(state=State.DRAFT).values_list("state", "code"))
    return [*(f"/manage/applications/{code}/" for code in codes.values()), f"/manage/applications/{codes[State.IN_REVIEW]}/reviewers/"]


def kind_of(address: str) -> tuple[str, bool]:
    """The view of ADDRESS, and whether a question stands in it."""
    path, _mark, question = address.partition("?")
    return "" if path == "/nothing/" else resolve(path).view_name, bool(question)


def is_page(answer: Any) -> bool:
    return answer.get("Content-Type", "").startswith("text/html") and answer.status_code not in {301, 302}


def text_of(answer: Any) -> str:
    return answer.content.decode()


def faults(pages: Pages, fault: Any) -> dict[tuple[str, str], Any]:
    """Of each page what FAULT finds on it, where it finds anything."""
    return {where: found for where, answer in pages.items() if is_page(answer) and (found := fault(answer))}


def test_no_link_leads_to_a_fault_or_into_the_void(pages):
    wrong = {
        where: answer.status_code for where, answer in pages.items() if answer.status_code not in {200, 302} and where[1] not in BEGINNINGS
    }

    assert wrong == {}


def test_what_somebody_may_not_open_is_refused(pages):
    refused = {where for where, answer in pages.items() if answer.status_code == 403}

    staff = {"/nominate/": {MINISTRY.email, HOME_UNIVERSITY.email}, "/review/": {REVIEWER.email}, "/manage/": {OFFICER.email}}
    assert refused == {(person, room) for room, let_in in staff.items() for person in PERSONS if person and person not in let_in}


def test_every_page_of_ours_is_reached_by_clicking(pages):
    reached = {kind_of(address)[0] for _person, address in pages}
    every = {_name_of(pattern) for pattern, view in routes() if is_ours(view)}

    assert every - reached == BEHIND_A_FORM


def _name_of(pattern: str) -> str:
    return resolve("/" + re.sub(r"<(\w+):\w+>", lambda found: "1" if found.group(1) == "int" else "x", pattern)).view_name


def test_the_demo_shows_a_thread_with_a_paper_words_of_a_call_and_a_wish_about_mail(pages):
    threads = [text_of(answer) for (_person, address), answer in pages.items() if "/threads/" in address and is_page(answer)]
    wishes, words = (
        text_of(browser(User.objects.get(email=OFFICER.email)).get(page))
        for page in ("/inbox/preferences/", "/manage/calls/sco-2027/letters/")
    )

    assert any("letter of the registry.jpg" in thread and "You need not change anything" in thread for thread in threads)
    assert text_of(pages[STUDENT.email, "/inbox/"]).count(">Unread<") == 1
    assert (words.count("own words<"), len(re.findall(r'value="daily"[^>]*checked', wishes))) == (1, 1)


# -- Nothing inline ----------------------------------------------------------------


def test_no_page_has_anything_inline(pages):
    inline = re.compile(r"<style|<[^>]*\sstyle\s*=|<[^>]*\son[a-z]+\s*=|javascript:|<script(?![^>]*\ssrc=)", re.IGNORECASE)

    assert faults(pages, lambda answer: inline.findall(text_of(answer))) == {}


def test_every_address_on_a_page_is_of_this_site(pages):
    loaded = re.compile(r'<(?:link|script|img|iframe|form|source|object|embed)\b[^>]*\b(?:href|src|action)="(https?:[^"]*|//[^"]*)"')

    assert faults(pages, lambda answer: loaded.findall(text_of(answer))) == {}


def test_every_page_says_its_language_its_title_and_where_its_content_begins(pages):
    def lacking(answer: Any) -> list[str]:
        text = text_of(answer)
        marks = (r'<html lang="[a-z-]+"', r"<title>\s*\S[^<]*\S\s*</title>", r'<meta name="viewport"', r'<main id="main"', r"<h1\b")
        return [mark for mark in marks if len(re.findall(mark, text)) != 1]

    assert faults(pages, lacking) == {}


def test_no_page_uses_an_id_twice(pages):
    def twice(answer: Any) -> list[str]:
        return [name for name, times in Counter(re.findall(r'<[^>]*\sid="([^"]+)"', text_of(answer))).items() if times > 1]

    assert faults(pages, twice) == {}


def test_every_form_that_acts_carries_its_token(pages):
    def bare(answer: Any) -> list[str]:
        forms = re.findall(r"<form\b[^>]*>.*?</form>", text_of(answer), re.DOTALL)
        return [form[:80] for form in forms if re.match(r'<form\b[^>]*method="post"', form) and "csrfmiddlewaretoken" not in form]

    assert faults(pages, bare) == {}


# -- Weight ------------------------------------------------------------------------


def packed(data: bytes) -> int:
    """So many bytes go over the line."""
    return len(gzip.compress(data, 6))


def test_a_page_weighs_at_most_30_kb(pages):
    heavy = faults(pages, lambda answer: packed(answer.content) if packed(answer.content) > 30 * KB else 0)

    assert heavy == {}


def test_the_first_page_weighs_at_most_150_kb_with_all_that_it_loads(pages):
    heavy = faults(pages, lambda answer: weight if (weight := _with_all_it_loads(answer)) > 150 * KB else 0)

    assert heavy == {}


def _with_all_it_loads(answer: Any) -> int:
    names = set(re.findall(r'(?:href|src)="/static/([^"]+)"', text_of(answer)))
    assert {"app.css", "vendor/bootstrap.min.css", "dark.css"} <= names
    return packed(answer.content) + sum(_weight_of(name) for name in names)


def _weight_of(name: str) -> int:
    """Of a static file, and of the files that a style sheet asks for."""
    path = finders.find(name)
    assert path, f"{name} is not among the static files"
    with open(path, "rb") as file:
        data = file.read()
    asked_for = re.findall(rb"url\(\"?(?!data:|#|['\"])([^)\"]+)", data) if name.endswith(".css") else []
    return packed(data) + sum(_weight_of(urljoin(name, found.decode())) for found in asked_for)


def test_a_page_goes_packed_over_the_line(pages):
    answer = browser().get("/", headers={"Accept-Encoding": "gzip"})

    assert (answer["Content-Encoding"], b"Open calls" in gzip.decompress(answer.content)) == ("gzip", True)


# -- Headers -----------------------------------------------------------------------

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def test_every_answer_carries_the_security_headers(pages):
    lacking = {
        where: (name, answer.get(name)) for where, answer in pages.items() for name, value in HEADERS.items() if answer.get(name) != value
    }

    assert lacking == {}
    assert {answer["Referrer-Policy"] for answer in pages.values()} == {"same-origin"}


def test_the_policy_lets_nothing_in_from_elsewhere_and_nothing_inline(pages):
    policies = {answer["Content-Security-Policy"] for answer in pages.values() if not is_file(answer)}

    assert [dict(rule.strip().split(" ", 1) for rule in policy.split(";")) for policy in policies] == [{
        "default-src": "'self'",
        "img-src": "'self' data:",
        "object-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }]  # fmt: skip


def is_file(answer: Any) -> bool:
    return answer["Content-Type"].startswith(("image/", "application/pdf"))


def test_a_paper_of_somebody_is_shown_in_a_sandbox(pages):
    policies = Counter(answer["Content-Security-Policy"] for answer in pages.values() if is_file(answer))

    assert policies.keys() == {"default-src 'none'; sandbox"}


def test_what_a_signed_in_person_is_shown_is_stored_nowhere(pages):
    kept = {where: answer.get("Cache-Control") for where, answer in pages.items() if where[0] and answer.get("Cache-Control") != "no-store"}

    assert kept == {}


def test_no_answer_says_by_what_it_was_made(pages):
    assert {name for answer in pages.values() for name in answer.headers if name in {"Server", "X-Powered-By"}} == set()
