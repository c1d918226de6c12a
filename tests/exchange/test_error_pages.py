"""When something is refused, missing or broken, it is said on a page of ours, in the look of the site."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import path

import exchange.urls
from tests.exchange.pages import all_in, browser, main_of
from tests.factories import close_call, make_application, make_draft, make_user
from tests.services import ROOT


def assert_is_ours(answer: Any) -> None:
    """The page has masthead, style and a way on; it tells nothing of how the site is built, and carries the headers."""
    text = answer.content.decode()
    assert answer["Content-Type"].startswith("text/html")
    assert re.search(r'<link rel="stylesheet" href="/static/app[^"]*\.css">', text)
    assert ('<header class="mast">' in text, '<main id="main"' in text, "<title></title>" in text) == (True, True, False)
    assert re.search(r'<main.*<a [^>]*href="/', text, re.DOTALL)
    assert re.search(r"Traceback|Exception|Django|DEBUG|\.py\b|/work|site-packages|SELECT ", text) is None
    assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
    assert (answer["X-Frame-Options"], answer["X-Content-Type-Options"], answer["Referrer-Policy"]) == ("DENY", "nosniff", "same-origin")


def assert_is_in_three_languages(answer: Any, *headings: str) -> None:
    assert tuple(all_in(answer, "h2")) == headings
    assert all_in(answer, "h1") == [answer.content.decode().split('visually-hidden">')[1].split("</h1>")[0]]
    assert re.findall(r'<section class="panel" lang="([^"]+)"', answer.content.decode()) == ["zh-Hans", "ru"]


@pytest.mark.django_db
def test_400_for_a_name_that_is_not_ours():
    answer = Client(HTTP_HOST="evil.example").get("/")

    assert answer.status_code == 400
    assert_is_ours(answer)
    assert_is_in_three_languages(answer, "The request could not be read", "请求无法识别", "Запрос не распознан")
    assert "evil.example" not in answer.content.decode()


@pytest.mark.django_db
def test_403_for_a_page_of_another_role():
    answer = browser(make_user()).get("/manage/calls/")

    assert answer.status_code == 403
    assert_is_ours(answer)
    assert_is_in_three_languages(answer, "This page is for others", "您无权打开此页面", "Эта страница для других")


@pytest.mark.django_db
def test_403_for_a_form_that_was_open_too_long():
    answer = browser(make_user(), enforce_csrf_checks=True).post("/accounts/profile/", {"name": "Nuray"})

    assert answer.status_code == 403
    assert_is_ours(answer)
    assert_is_in_three_languages(answer, "The page was open too long", "页面已过期", "Страница устарела")


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/nothing/", "/calls/nothing/", "/apply/NOTHING/", "/nothing/<script>alert(1)</script>/"])
def test_404_for_what_is_not_there(address):
    answer = browser(make_user()).get(address)

    assert answer.status_code == 404
    assert_is_ours(answer)
    assert_is_in_three_languages(answer, "There is no page here", "没有这个页面", "Такой страницы нет")
    assert "alert(1)" not in answer.content.decode()


@pytest.mark.django_db
def test_404_is_the_same_page_for_what_belongs_to_somebody_else():
    theirs, client = make_draft(), browser(make_user("Second Comer"))

    pages = [client.get(f"/apply/{code}/").content.decode() for code in (theirs.code, "NOTHING")]

    assert pages[0] == pages[1]


@pytest.mark.django_db
def test_409_for_what_is_too_late():
    application = make_application()
    close_call(application.call)

    answer = browser(application.applicant).post(f"/apply/{application.code}/change/")

    assert answer.status_code == 409
    assert_is_ours(answer)
    assert all_in(answer, "h1") == ["This is not possible now"]
    assert "Nothing of yours was changed." in main_of(answer)


@pytest.mark.django_db
def test_422_for_a_form_with_a_wrong_answer():
    answer = browser(make_user()).post("/accounts/profile/", {"name": ""})

    assert answer.status_code == 422
    assert_is_ours(answer)
    assert 'class="errors"' in answer.content.decode()


@pytest.mark.django_db
def test_429_for_trying_too_often():
    cache.clear()

    answers = [browser().post("/accounts/login/code/", {"email": "nuray@sapar.example"}) for _time in range(4)]

    assert answers[-1].status_code == 429
    assert_is_ours(answers[-1])
    assert_is_in_three_languages(answers[-1], "Too many tries", "尝试次数过多", "Слишком много попыток")


# -- Our own fault ----------------------------------------------------------------


def broken(request: Any) -> None:
    raise RuntimeError("a secret of the machine room")


urlpatterns = [path("broken/", broken), *exchange.urls.urlpatterns]
handler400, handler403 = exchange.urls.handler400, exchange.urls.handler403
handler404, handler500 = exchange.urls.handler404, exchange.urls.handler500


@pytest.mark.django_db
def test_500_for_a_fault_of_ours(settings):
    settings.ROOT_URLCONF = __name__
    client = browser(make_user())
    client.raise_request_exception = False

    answer = client.get("/broken/")

    assert answer.status_code == 500
    assert_is_ours(answer)
    assert_is_in_three_languages(answer, "Something broke on our side", "系统出现故障", "Ошибка на нашей стороне")
    assert "secret" not in answer.content.decode()


ASK_WITHOUT_DATABASE = """
import django
django.setup()
import logging
from django.test import Client
logging.disable(logging.CRITICAL)
client = Client(HTTP_HOST="127.0.0.1", raise_request_exception=False)
client.cookies["sapar"] = "a" * 32
for path in ("/", "/apply/", "/manage/", "/accounts/login/"):
    answer = client.get(path)
    text = answer.content.decode()
    print(path, answer.status_code, answer["X-Frame-Options"], "mast" in text, "Something broke on our side" in text, "Traceback" in text)
"""


def test_500_without_a_database(tmp_path):
    said = subprocess.run(
        [sys.executable, "-c", ASK_WITHOUT_DATABASE],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "DATABASE_URL": f"sqlite:///{tmp_path}/no-such-folder/site.sqlite3", "DJANGO_SETTINGS_MODULE": "exchange.settings"},
    ).stdout  # fmt: skip

    assert said.splitlines() == [f"{path} 500 DENY True True False" for path in ("/", "/apply/", "/manage/", "/accounts/login/")]
