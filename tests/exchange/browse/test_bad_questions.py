"""Whatever stands in the address, a visitor gets a page: never an error of ours, nothing executed, nothing echoed raw."""

from __future__ import annotations

import pytest

from tests.exchange.pages import browser
from tests.factories import make_call

pytestmark = pytest.mark.django_db

PAGES = ["/", "/programmes/", "/calls/small-2027/", "/calls/small-2027/programmes/", "/calls/small-2027/can-i-apply/"]
NAMES = ["citizenship", "level", "taught_in", "field", "host", "q", "page", "add", "next", "unknown"]
VALUES = {
    "nonsense": "x",
    "a word for a number": "abc",
    "a negative number": "-1",
    "nought": "0",
    "a fraction": "1.5",
    "a huge number": "9" * 30,
    "more digits than Python reads": "9" * 5000,
    "digits that are none": "²",
    "Arabic digits": "٣",
    "an unknown country": "ZZ",
    "5,000 letters": "x" * 5000,
    "5,000 letters of four bytes": "𠮷" * 5000,
    "a quotation mark": "'\" OR 1=1 --",
    "signs of LIKE": "%_\\",
    "a tag": "<script>alert(1)</script>",
    "a template": "{{ request }}{% url %}",
    "half a surrogate": b"\xed\xa0\x80",
    "broken UTF-8": b"\xff\xfe",
    "turned around": "\u202etxt.exe",
    "a line break": "a\r\nSet-Cookie: a=b",
    "nothing": "",
    "white space": " \t ",
    "a path": "../../etc/passwd",
    "a NUL character": "a\0b",
}


@pytest.fixture(autouse=True)
def _call():
    make_call()


@pytest.mark.parametrize("kind", VALUES)
def test_any_value_of_any_name_gets_a_page(kind):
    client = browser()

    found = {(path, name): client.get(path, {name: VALUES[kind]}).status_code for path in PAGES for name in NAMES}

    assert found == dict.fromkeys(found, 200)


@pytest.mark.parametrize("path", PAGES)
def test_nothing_of_the_address_stands_raw_on_the_page(path):
    client = browser()

    for name in NAMES:
        page = client.get(path, {name: "<script>alert(1)</script>\"'><b>"}).content.decode()
        assert "<script>alert(1)</script>" not in page
        assert "\"'><b>" not in page


@pytest.mark.parametrize("path", PAGES)
def test_the_same_name_many_times_gets_a_page(path):
    assert browser().get(path + "?" + "&".join(f"level=master&page={number}" for number in range(500))).status_code == 200


@pytest.mark.parametrize("code", ["x" * 5000, "..", "%2e%2e", "%00", "a b", "small-2027'", "%F0%9F%92%A9", "-1"])
def test_any_code_of_a_call_that_is_not_there_is_a_missing_page(code):
    client = browser()

    assert [client.get(f"/calls/{code}/{page}").status_code for page in ("", "programmes/", "can-i-apply/", "can-i-apply/result/")] == [
        404
    ] * 4


@pytest.mark.parametrize("path", PAGES)
def test_other_ways_of_asking_are_refused(path):
    client = browser()

    allowed = 422 if "can-i-apply" in path else 405
    assert (client.post(path).status_code, client.put(path).status_code, client.delete(path).status_code) == (allowed, 405, 405)
