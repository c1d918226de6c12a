"""One topic a page: what is typed is kept, wrong answers are said at their field, entries repeat, nothing is overwritten."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from scholarships.applications import actions
from scholarships.applications.content import content_of
from scholarships.applications.models import Answer, Application
from scholarships.calls.models import Call
from scholarships.events.models import Event
from tests.exchange.pages import all_in, browser, hidden, main_of, problem_targets, problems, queries_of, typed
from tests.factories import make_application, make_call, make_draft, make_officer, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def call() -> Call:
    return make_call()


@pytest.fixture
def draft(call) -> Application:
    """Complete, and every section marked so."""
    return make_draft(call)


@pytest.fixture
def fresh(call) -> Application:
    """Just started."""
    return actions.start(call, by=make_user(), answers={"citizenship": "KG", "level": "master"})


def at(application: Application, section: str) -> str:
    return f"/apply/{application.code}/sections/{section}/"


def values(application: Application, section: str) -> dict:
    return content_of(Application.objects.get(pk=application.pk)).values(section)


def row(application: Application, section: str) -> Answer:
    return Answer.objects.filter(revision__application=application, section=section).latest("pk")


# -- The task list ---------------------------------------------------------------


def tasks(answer) -> list[tuple[str, str]]:
    rows = re.findall(r"<li>\s*<div>(.*?)</div>\s*<span class=\"tag[^>]*>(.*?)</span>\s*</li>", answer.content.decode(), re.DOTALL)
    return [(re.sub(r"<span class=\"hint\">.*?</span>|<[^>]+>", "", name).strip(), status.strip()) for name, status in rows]


def test_the_task_list_says_of_each_section_how_far_it_is(fresh):
    actions.save_answers(fresh, content_of(fresh).form.section("person"), {"family_name": "ASANOVA"}, is_done=False, known_version=0, by=fresh.applicant)  # fmt: skip

    answer = browser(fresh.applicant).get(f"/apply/{fresh.code}/")

    assert tasks(answer) == [
        ("Your study", "In progress"),
        ("Person", "In progress"),
        ("Education", "Not started"),
        ("Choices", "Not started"),
        ("Study plan", "Not started"),
        ("Documents", "Not started"),
        ("Check your answers and submit", "Not complete yet"),
    ]
    assert "0 of 6 sections complete" in main_of(answer)
    assert "Continue: Your study" in main_of(answer)


def test_a_complete_section_that_is_no_longer_right_is_a_problem(draft):
    row(draft, "plan").delete()
    Answer.objects.create(revision=draft.revisions.get(), section="plan", values={"plan": "Too short"}, is_done=True)

    answer = browser(draft.applicant).get(f"/apply/{draft.code}/")

    assert ("Study plan", "There is a problem") in tasks(answer)
    assert "“Study plan” needs a fix: This has 2 words; the call asks for at least 10." in main_of(answer)


def test_when_all_is_complete_the_button_leads_to_the_check(draft):
    for section in ("choices", "documents"):
        actions.save_answers(draft, content_of(draft).form.section(section), {}, is_done=True, known_version=0, by=draft.applicant)

    answer = browser(draft.applicant).get(f"/apply/{draft.code}/")

    assert [status for _name, status in tasks(answer)] == ["Completed"] * 6 + ["Ready"]
    assert f'<a class="btn btn-primary" href="/apply/{draft.code}/check/">' in answer.content.decode()


# -- Saving ----------------------------------------------------------------------


def test_what_was_typed_is_kept_and_the_next_section_comes(fresh):
    client = browser(fresh.applicant)

    answer = client.post(at(fresh, "person"), {"version": "0", "family_name": "ASANOVA", "given_names": "NURAY", "birth_date_d": "14", "birth_date_m": "3", "birth_date_y": "2003", "passport": "AN1234567", "done": "y"})  # fmt: skip

    assert (answer.status_code, answer["Location"]) == (302, at(fresh, "education"))
    assert values(fresh, "person") == {
        "family_name": "ASANOVA",
        "given_names": "NURAY",
        "birth_date": "2003-03-14",
        "passport": "AN1234567",
    }
    assert row(fresh, "person").is_done is True
    page = client.get(at(fresh, "person"))
    assert [typed(page, name) for name in ("family_name", "birth_date_d", "birth_date_m", "birth_date_y", "done")] == ["ASANOVA", "14", "3", "2003", "y"]  # fmt: skip


@pytest.mark.parametrize("done", ["n", "", "nonsense"])
def test_a_section_may_be_left_half_filled(fresh, done):
    answer = browser(fresh.applicant).post(at(fresh, "person"), {"version": "0", "family_name": "ASANOVA", "done": done})

    assert (answer.status_code, answer["Location"]) == (302, at(fresh, "education"))
    assert (values(fresh, "person")["family_name"], row(fresh, "person").is_done) == ("ASANOVA", False)


def test_save_and_come_back_later_leads_to_the_task_list(fresh):
    answer = browser(fresh.applicant).post(at(fresh, "person"), {"version": "0", "family_name": "ASANOVA", "exit": "1"})

    assert (answer.status_code, answer["Location"]) == (302, f"/apply/{fresh.code}/")


def test_after_the_last_section_comes_the_task_list(fresh):
    keys = [section.key for section in content_of(fresh).form.sections]
    assert keys[-2:] == ["plan", "documents"]

    answer = browser(fresh.applicant).post(f"/apply/{fresh.code}/documents/", {"version": "0", "done": "n"})

    assert (answer.status_code, answer["Location"]) == (302, f"/apply/{fresh.code}/")


def test_wrong_answers_are_said_at_their_fields_with_all_that_was_typed(fresh):
    sent = {"version": "0", "family_name": "АСАНОВА", "given_names": "NURAY", "birth_date_d": "31", "birth_date_m": "2", "birth_date_y": "2003", "passport": "no!", "done": "y"}  # fmt: skip
    client = browser(fresh.applicant)

    answer = client.post(at(fresh, "person"), sent)

    assert answer.status_code == 422
    assert problems(answer) == [
        "Enter a real date, like 27 3 2030.",
        "Use Latin letters, exactly as in the passport.",
        "Enter the passport number with letters and digits only, like AN1234567.",
    ]
    assert problem_targets(answer) == ["id_birth_date_0", "id_family_name", "id_passport"]
    assert [typed(answer, name) for name in ("family_name", "given_names", "birth_date_d", "birth_date_m", "birth_date_y", "passport", "done")] == ["АСАНОВА", "NURAY", "31", "2", "2003", "no!", "y"]  # fmt: skip
    assert all_in(answer, "title") == ["Error: Person – Sapar"]
    assert (values(fresh, "person")["family_name"], row(fresh, "person").is_done) == ("АСАНОВА", False)  # kept, and not complete
    assert client.post(at(fresh, "person"), {**sent, "version": hidden(answer, "version"), "family_name": "ASANOVA"}).status_code == 422


def test_what_is_missing_is_asked_only_from_whom_says_that_it_is_complete(fresh):
    answer = browser(fresh.applicant).post(at(fresh, "person"), {"version": "0", "done": "y"})

    assert answer.status_code == 422
    assert problems(answer) == [
        "Enter an answer: Family name", "Enter an answer: Given names", "Enter a date: Date of birth", "Enter an answer: Passport number",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("section", "sent", "says"),
    [
        ("study", {"citizenship": "ZZ"}, "Choose one of the answers offered."),
        ("study", {"level": "king"}, "Choose one of the answers offered."),
        ("education", {"gpa": "very good"}, "Enter a number, like 86 or 4.5."),
        ("education", {"gpa": "NaN"}, "Enter a number, like 86 or 4.5."),
        ("education", {"gpa": "101"}, "Enter a number from 0 to 100."),
        ("education", {"gpa": "1e999999"}, "Enter a number from 0 to 100."),
        ("person", {"birth_date_d": "1", "birth_date_m": "1", "birth_date_y": "9" * 40}, "Enter a real date, like 27 3 2030."),
        ("person", {"family_name": "X" * 5000}, "This has 5000 characters; at most 200 fit."),
        ("plan", {"plan": "one two three"}, "This has 3 words; the call asks for at least 10."),
        ("plan", {"plan": "word " * 201}, "This has 201 words; the call allows at most 200."),
        ("plan", {"plan": "x" * 30_000}, "This has 30000 characters; at most 20000 fit."),
    ],
)
def test_each_kind_of_wrong_answer_has_its_sentence(draft, section, sent, says):
    kept = {"study": {"citizenship": "KG", "level": "master"}, "person": {"family_name": "A", "given_names": "B", "birth_date_d": "1", "birth_date_m": "1", "birth_date_y": "2003", "passport": "AN1234567"}, "education": {"education-highest": "bachelor", "gpa": "86"}, "plan": {}}[section]  # fmt: skip

    answer = browser(draft.applicant).post(at(draft, section), {"version": "1", "done": "y", **kept, **sent})

    assert (answer.status_code, problems(answer)) == (422, [says])
    if section != "study":  # an answer that is not on the list cannot be shown again
        assert {name: typed(answer, name).strip() for name in sent} == {name: value.strip() for name, value in sent.items()}


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "{{ 7|add:7 }} {% url 'x' %}", "\u202eevil", "𠮷" * 50, "a\r\nb", "\ud800".encode("utf-8", "surrogatepass")])  # fmt: skip
def test_any_text_is_text(fresh, text):
    client = browser(fresh.applicant)

    answer = client.post(at(fresh, "plan"), {"version": "0", "plan": text, "done": "n"})

    assert answer.status_code == 302
    page = client.get(at(fresh, "plan"))
    assert "<script>alert(1)</script>" not in page.content.decode()
    assert values(fresh, "plan")["plan"] == typed(page, "plan").replace("\r\n", "\n")


def test_a_field_that_is_not_asked_changes_nothing(fresh):
    browser(fresh.applicant).post(at(fresh, "study"), {"version": "1", "citizenship": "KG", "level": "master", "state": "accepted", "applicant": "1", "score": "10", "is_done": "1", "number": "7"})  # fmt: skip

    again = Application.objects.get(pk=fresh.pk)
    assert (again.state, again.applicant_id, again.score, values(fresh, "study")) == ("draft", fresh.applicant_id, None, {"citizenship": "KG", "level": "master"})  # fmt: skip


def test_saving_records_no_event(fresh):
    before = Event.objects.count()

    browser(fresh.applicant).post(at(fresh, "person"), {"version": "0", "family_name": "ASANOVA", "done": "n"})

    assert Event.objects.count() == before


# -- Two windows -----------------------------------------------------------------


def test_a_page_that_was_saved_elsewhere_meanwhile_shows_both_texts_and_overwrites_nothing(draft):
    client = browser(draft.applicant)
    client.post(at(draft, "plan"), {"version": "1", "plan": "The plan of the other window, which is long enough for all.", "done": "n"})

    answer = client.post(at(draft, "plan"), {"version": "1", "plan": "My own words here", "done": "n"})

    assert answer.status_code == 409
    assert all_in(answer, "h1") == ["This page was saved elsewhere meanwhile"]
    assert all_in(answer, "td") == ["The plan of the other window, which is long enough for all.", "My own words here"]
    assert values(draft, "plan") == {"plan": "The plan of the other window, which is long enough for all."}


@pytest.mark.parametrize("version", ["", "0", "abc", "-1", "1.5", "9" * 30, "9" * 5000, "²", "٣"])
def test_a_version_that_the_page_did_not_show_is_a_page_of_another_time(draft, version):
    answer = browser(draft.applicant).post(at(draft, "plan"), {"version": version, "plan": "My own words", "done": "n"})

    assert (answer.status_code, row(draft, "plan").version) == (409, 1)


# -- Entries that repeat ---------------------------------------------------------


SCHOOL = {"name": "Osh Technical University", "year": "2024"}


def schools(application: Application) -> list[dict]:
    return values(application, "education").get("schools") or []


def test_an_entry_is_added(draft):
    client = browser(draft.applicant)
    page = client.get(f"{at(draft, 'education')}schools/add/")

    answer = client.post(f"{at(draft, 'education')}schools/add/", {**SCHOOL, "version": hidden(page, "version")})

    assert (answer.status_code, answer["Location"]) == (302, at(draft, "education"))
    assert schools(draft) == [{"name": "Karakol State University", "year": "2026"}, SCHOOL]
    assert "Osh Technical University" in main_of(client.get(at(draft, "education")))


def test_the_first_entry_of_a_section_that_is_not_begun_is_added(fresh):
    client = browser(fresh.applicant)
    page = client.get(f"{at(fresh, 'education')}schools/add/")

    client.post(f"{at(fresh, 'education')}schools/add/", {**SCHOOL, "version": hidden(page, "version")})

    assert schools(fresh) == [SCHOOL]


def test_an_entry_is_changed(draft):
    client = browser(draft.applicant)
    page = client.get(f"{at(draft, 'education')}schools/0/")
    assert (typed(page, "name"), typed(page, "year")) == ("Karakol State University", "2026")

    client.post(f"{at(draft, 'education')}schools/0/", {**SCHOOL, "version": hidden(page, "version")})

    assert schools(draft) == [SCHOOL]


def test_an_entry_is_removed_even_when_what_stands_in_it_is_wrong(draft):
    browser(draft.applicant).post(f"{at(draft, 'education')}schools/0/", {"name": "", "year": "x", "version": "1", "remove": "1"})

    assert schools(draft) == []


def test_entries_are_kept_when_the_rest_of_the_section_is_saved(draft):
    browser(draft.applicant).post(at(draft, "education"), {"version": "1", "education-highest": "master", "gpa": "90", "done": "y"})

    assert values(draft, "education") == {
        "education.highest": "master", "gpa": "90", "schools": [{"name": "Karakol State University", "year": "2026"}],
    }  # fmt: skip


def test_the_rest_of_the_section_is_kept_when_an_entry_is_added(draft):
    browser(draft.applicant).post(f"{at(draft, 'education')}schools/add/", {**SCHOOL, "version": "1"})

    assert {key: values(draft, "education")[key] for key in ("education.highest", "gpa")} == {"education.highest": "bachelor", "gpa": "86"}


def test_a_wrong_entry_is_said_at_its_field_and_stays_on_the_page(draft):
    answer = browser(draft.applicant).post(f"{at(draft, 'education')}schools/add/", {"name": "Osh", "year": "next year", "version": "1"})

    assert (answer.status_code, problems(answer), problem_targets(answer)) == (422, ["Enter a year, like 2024."], ["id_year"])
    assert (typed(answer, "name"), typed(answer, "year"), hidden(answer, "version")) == ("Osh", "next year", "1")
    assert len(schools(draft)) == 1


def test_an_empty_entry_is_refused(draft):
    answer = browser(draft.applicant).post(f"{at(draft, 'education')}schools/add/", {"version": "1"})

    assert (answer.status_code, problems(answer)) == (422, ["Enter an answer: School", "Enter an answer: Year"])


def test_a_section_without_its_entry_leads_to_the_place_where_one_is_added(fresh):
    answer = browser(fresh.applicant).post(at(fresh, "education"), {"version": "0", "education-highest": "bachelor", "gpa": "86", "done": "y"})  # fmt: skip

    assert (answer.status_code, problems(answer), problem_targets(answer)) == (422, ["Add at least one entry: Schools"], ["g-schools"])


def test_no_more_entries_are_taken_than_the_question_allows(draft):
    client = browser(draft.applicant)
    for number in range(1, 5):
        answer = client.post(f"{at(draft, 'education')}schools/add/", {**SCHOOL, "version": str(number)})
        assert answer.status_code == 302
    assert "schools/add/" not in client.get(at(draft, "education")).content.decode()

    answer = client.post(f"{at(draft, 'education')}schools/add/", {**SCHOOL, "version": "5"})

    assert (answer.status_code, problems(answer), len(schools(draft))) == (422, ["Enter at most 5 entries."], 5)


def test_an_entry_of_an_old_page_never_lands_on_another_entry(draft):
    """The other window has removed the first of two entries: what was the second is now the first."""
    client = browser(draft.applicant)
    client.post(f"{at(draft, 'education')}schools/add/", {**SCHOOL, "version": "1"})
    client.post(f"{at(draft, 'education')}schools/0/", {"version": "2", "remove": "1"})

    changed = client.post(f"{at(draft, 'education')}schools/0/", {"name": "Karakol", "year": "2026", "version": "2"})
    gone = client.post(f"{at(draft, 'education')}schools/1/", {"name": "Osh", "year": "2024", "version": "2"})
    removed = client.post(f"{at(draft, 'education')}schools/0/", {"version": "2", "remove": "1"})
    wrong = client.post(f"{at(draft, 'education')}schools/0/", {"name": "Karakol", "year": "x", "version": "2"})

    assert [answer.status_code for answer in (changed, gone, removed, wrong)] == [409, 409, 409, 422]
    assert "Karakol" in main_of(changed)
    assert client.post(f"{at(draft, 'education')}schools/0/", {"name": "Karakol", "year": "2026", "version": hidden(wrong, "version")}).status_code == 409  # fmt: skip
    assert schools(draft) == [SCHOOL]


# -- The wrong moment ------------------------------------------------------------


def test_after_the_deadline_a_page_leads_to_the_status_and_a_sent_one_is_409_with_what_was_typed(draft):
    Call.objects.update(closes_at=timezone.now() - timedelta(days=1))
    client = browser(draft.applicant)
    says = "The call has closed. What you saved is kept, but nothing can be changed any more."

    opened = client.get(at(draft, "plan"), follow=True)
    sent = client.post(at(draft, "plan"), {"version": "1", "plan": "The words of the last minute", "done": "n"})
    entered = client.post(f"{at(draft, 'education')}schools/add/", {**SCHOOL, "version": "1"})

    assert opened.redirect_chain[0] == (f"/apply/{draft.code}/status/", 302)
    assert says in main_of(opened)
    assert [sent.status_code, entered.status_code] == [409, 409]
    assert all_in(sent, "h1") == ["This page was not saved"]
    assert says in main_of(sent)
    assert "The words of the last minute" in main_of(sent)
    assert "Osh Technical University" in main_of(entered)
    assert values(draft, "plan")["plan"].startswith("I want to study how glaciers melt")


def test_what_is_handed_in_is_changed_only_after_it_is_opened_for_a_change(call):
    application = make_application(call)
    client = browser(application.applicant)

    opened = client.get(at(application, "plan"), follow=True)
    sent = client.post(at(application, "plan"), {"version": "1", "plan": "Other words", "done": "n"})

    assert "Open your application for a change first." in main_of(opened)
    assert (sent.status_code, all_in(sent, "h1")) == (409, ["This page was not saved"])
    assert "Open your application for a change first." in main_of(sent)


def test_of_a_returned_application_only_the_named_sections_are_open(call):
    application = make_application(call)
    actions.give_back(application, by=make_officer(), reason="unreadable", sections=["plan"], until=timezone.now() + timedelta(days=3))
    client = browser(application.applicant)

    assert client.get(at(application, "plan")).status_code == 200
    assert "Only the sections named in the message are open for correction." in main_of(client.get(at(application, "person"), follow=True))
    assert client.post(at(application, "person"), {"version": "1", "family_name": "X", "done": "n"}).status_code == 409
    assert tasks(client.get(f"/apply/{application.code}/"))[0] == ("Your study", "Completed")
    assert f'href="{at(application, "person")}"' not in client.get(f"/apply/{application.code}/").content.decode()


# -- Queries ---------------------------------------------------------------------


def test_a_section_takes_as_many_queries_for_five_entries_as_for_one(draft):
    client = browser(draft.applicant)
    one = queries_of(client, at(draft, "education"))
    for number in range(1, 5):
        client.post(f"{at(draft, 'education')}schools/add/", {**SCHOOL, "version": str(number)})

    five = queries_of(client, at(draft, "education"))

    assert (len(schools(draft)), one, five) == (5, 8, 8)
