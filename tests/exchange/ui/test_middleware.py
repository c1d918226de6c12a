"""What stands before every page: NUL characters, which PostgreSQL refuses, never come further than here."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from exchange.ui.middleware import NoNulCharacters
from scholarships.applications.models import Attachment
from scholarships.documents.models import DocumentVersion
from scholarships.people.models import Profile, User
from tests.exchange.pages import all_in, browser, typed
from tests.factories import make_call, make_draft, make_officer, make_user, picture


def passed_on(request: HttpRequest) -> HttpRequest:
    """REQUEST as it reaches the next in line."""
    seen = []

    def next_in_line(given: HttpRequest) -> HttpResponse:
        seen.append(given)
        return HttpResponse()

    NoNulCharacters(next_in_line)(request)
    return seen[0]


def test_they_are_taken_out_of_what_is_asked_and_of_what_is_sent():
    request = passed_on(RequestFactory().post("/?q=wa%00ter&q=%00&level=master", {"name": "Nu\0ray", "tick": ["a", "\0b\0"]}))

    assert dict(request.GET.lists()) == {"q": ["water", ""], "level": ["master"]}
    assert dict(request.POST.lists()) == {"name": ["Nuray"], "tick": ["a", "b"]}


def test_they_are_taken_out_of_names_too():
    request = passed_on(RequestFactory().post("/?le%00vel=master", {"na\0me": "Nuray"}))

    assert (dict(request.GET.lists()), dict(request.POST.lists())) == ({"level": ["master"]}, {"name": ["Nuray"]})


def test_what_holds_none_is_passed_on_as_it_came():
    request = RequestFactory().post("/?q=water", {"name": "Nuray\r\n\t Асанова 王 \u200b"})
    asked, sent = request.GET, request.POST

    assert passed_on(request) is request
    assert (request.GET is asked, request.POST is sent) == (True, True)


@pytest.mark.django_db
def test_a_name_pasted_with_them_is_kept_without():
    person = User.objects.create_user("new@sapar.example")

    answer = browser(person).post("/accounts/welcome/", {"name": "Nuray\0 Asanova\0", "citizenship": "KG", "language": "en"})

    assert answer.status_code == 302
    person.refresh_from_db()
    assert (person.name, Profile.objects.get(user=person).citizenship_id) == ("Nuray Asanova", "KG")


@pytest.mark.django_db
def test_a_form_that_is_refused_shows_what_was_typed_without_them():
    answer = browser(make_user()).post("/accounts/profile/", {"name": "Nu\0ray", "citizenship": "Z\0Z", "language": "en"})

    assert (answer.status_code, typed(answer, "name")) == (422, "Nuray")


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/programmes/?q=%00&level=%00", "/?citizenship=K%00G", "/calls/small-2027/can-i-apply/?%00=1"])
def test_a_question_with_them_is_answered(path):
    make_call()

    assert browser().get(path).status_code == 200


@pytest.mark.django_db
def test_a_search_with_them_is_answered():
    make_call()

    answer = browser(make_officer()).get("/manage/applications/?q=is:%00draft+wa%00ter&page=%00&sort=%00")

    assert answer.status_code == 200


@pytest.mark.django_db
def test_a_file_whose_name_has_one_is_taken():
    draft = make_draft()
    Attachment.objects.all().delete()
    sent = {"requirement": "passport", "passport-file": SimpleUploadedFile("pass\0port.jpg", picture())}

    answer = browser(draft.applicant).post(f"/apply/{draft.code}/documents/", sent)

    assert answer.status_code == 302
    assert DocumentVersion.objects.latest("pk").name == "passport.jpg"


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/%00", "/calls/small%00-2027/", "/apply/%00/", "/apply/library/%00/file/", "/accounts/%00", "/nothing/%00/", "/static/%00.css"])  # fmt: skip
@pytest.mark.parametrize("method", ["get", "post", "head"])
def test_an_address_with_one_is_a_missing_page(path, method):
    make_call()

    answer = getattr(browser(make_user()), method)(path)

    assert answer.status_code == 404
    if method != "head":
        assert all_in(answer, "h2")[0] == "There is no page here"
