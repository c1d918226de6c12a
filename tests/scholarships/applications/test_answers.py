"""What a good answer is, for each kind of question, and what is said about one that is not."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given, settings
from hypothesis import strategies as st

from scholarships.applications.answers import Problem, check, is_asked, is_blank, join, problems_of, sections_for, split, words_in
from scholarships.calls.form import Form, Option, Question, Section
from scholarships.calls.models import QuestionKind
from scholarships.engine.conditions import parse
from scholarships.texts.fields import text

K = QuestionKind


def question(kind: str, key: str = "q", *, required: bool = True, identity: bool = False, when: str = "", **more: Any) -> Question:
    return Question(
        key=key,
        kind=kind,
        label=text("The question"),
        help=text(""),
        is_required=required,
        is_identity=identity,
        condition=parse(when),
        options=tuple(Option(value, text(value)) for value in more.get("options", ())),
        limits=more.get("limits", {}),
        columns=tuple(more.get("columns", ())),
    )


def section(*questions: Question, key: str = "s", when: str = "") -> Section:
    return Section(key, "questions", text(""), text("A section"), text(""), parse(when), questions)


def code_of(asked: Question, value: Any) -> str:
    """ "ok", or the code of the refusal."""
    try:
        check(asked, value)
    except ValidationError as refused:
        return str(refused.code)
    return "ok"


def problems(asked: Question, value: Any) -> list[tuple[str, str]]:
    return [(problem.field, problem.code) for problem in problems_of(section(asked), {asked.key: value}, {})]


# -- Each kind -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "limits", "value", "code"),
    [
        (K.TEXT, {}, "Asanova", "ok"),
        (K.TEXT, {}, "努莱", "ok"),
        (K.TEXT, {}, "x" * 200, "ok"),
        (K.TEXT, {}, "x" * 201, "too_long"),
        (K.TEXT, {"length_max": 5}, "123456", "too_long"),
        (K.TEXT, {}, 5, "not_offered"),
        (K.TEXT, {"pattern": "latin"}, "O’Neill-Ström d'Arc", "ok"),
        (K.TEXT, {"pattern": "latin"}, "АСАНОВА", "pattern"),
        (K.TEXT, {"pattern": "latin"}, "ASANOVA2", "pattern"),
        (K.TEXT, {"pattern": "passport"}, "AN1234567", "ok"),
        (K.TEXT, {"pattern": "passport"}, "an1234567", "pattern"),
        (K.TEXT, {"pattern": "passport"}, "AN12", "pattern"),
        (K.TEXT, {"pattern": "passport"}, "AN 1234567", "pattern"),
        (K.TEXT, {"pattern": "year"}, "2024", "ok"),
        (K.TEXT, {"pattern": "year"}, "1899", "pattern"),
        (K.TEXT, {"pattern": "year"}, "24", "pattern"),
        (K.LONG, {}, "x" * 20_000, "ok"),
        (K.LONG, {}, "x" * 20_001, "too_long"),
        (K.LONG, {"words_min": 3}, "one two three", "ok"),
        (K.LONG, {"words_min": 3}, "one two", "too_few_words"),
        (K.LONG, {"words_max": 3}, "one two three", "ok"),
        (K.LONG, {"words_max": 3}, "one two three four", "too_many_words"),
        (K.LONG, {"words_min": 6}, "我想研究冰川", "ok"),
        (K.LONG, {"words_min": 7}, "我想研究冰川", "too_few_words"),
        (K.NUMBER, {}, "86", "ok"),
        (K.NUMBER, {}, "-4.5", "ok"),
        (K.NUMBER, {}, 4, "ok"),
        (K.NUMBER, {}, "eighty", "not_a_number"),
        (K.NUMBER, {}, "4,5", "not_a_number"),
        (K.NUMBER, {}, "NaN", "not_a_number"),
        (K.NUMBER, {}, "sNaN", "not_a_number"),
        (K.NUMBER, {}, float("nan"), "not_a_number"),
        (K.NUMBER, {}, "Infinity", "not_a_number"),
        (K.NUMBER, {}, True, "not_a_number"),
        (K.NUMBER, {}, ["4"], "not_a_number"),
        (K.NUMBER, {"minimum": 0, "maximum": 100}, "0", "ok"),
        (K.NUMBER, {"minimum": 0, "maximum": 100}, "100.00", "ok"),
        (K.NUMBER, {"minimum": 0, "maximum": 100}, "100.01", "out_of_range"),
        (K.NUMBER, {"minimum": 0}, "-0.01", "out_of_range"),
        (K.NUMBER, {"maximum": 100}, "1e3", "out_of_range"),
        (K.DATE, {}, "2004-02-29", "ok"),
        (K.DATE, {}, "2003-02-29", "not_a_date"),
        (K.DATE, {}, "29.02.2004", "not_a_date"),
        (K.DATE, {}, 20040229, "not_a_date"),
        (K.DATE, {"minimum": "2000-01-01", "maximum": "2009-12-31"}, "2000-01-01", "ok"),
        (K.DATE, {"minimum": "2000-01-01", "maximum": "2009-12-31"}, "2010-01-01", "out_of_range"),
        (K.DATE, {"minimum": "2000-01-01"}, "1999-12-31", "out_of_range"),
        (K.COUNTRY, {}, "KG", "ok"),
        (K.COUNTRY, {}, ["KG"], "not_offered"),
        (K.COUNTRY, {}, "K" * 41, "not_offered"),
        (K.INSTITUTION, {}, "karakol-state", "ok"),
        (K.INSTITUTION, {}, {"code": "x"}, "not_offered"),
        (K.YES_NO, {}, True, "ok"),
        (K.YES_NO, {}, False, "ok"),
        (K.YES_NO, {}, "yes", "not_offered"),
        (K.YES_NO, {}, 1, "not_offered"),
        (K.EMAIL, {}, "nuray@sapar.example", "ok"),
        (K.EMAIL, {}, "nuray@", "not_an_address"),
        (K.EMAIL, {}, "nuray", "not_an_address"),
        (K.EMAIL, {}, "a@b.example\nBcc: c@d.example", "not_an_address"),
        (K.EMAIL, {}, ["nuray@sapar.example"], "not_offered"),
        (K.PHONE, {}, "+996 (555) 123-456", "ok"),
        (K.PHONE, {}, "123", "not_a_number"),
        (K.PHONE, {}, "call me", "not_a_number"),
        (K.PHONE, {}, 996555123456, "not_a_number"),
    ],
)
def test_a_value_is_an_answer_or_is_refused_with_its_reason(kind, limits, value, code):
    assert code_of(question(kind, limits=limits), value) == code


@pytest.mark.parametrize(
    ("kind", "value", "code"),
    [
        (K.CHOICE, "master", "ok"),
        (K.CHOICE, "bachelor", "not_offered"),
        (K.CHOICE, ["master"], "not_offered"),
        (K.CHOICE, {"master": 1}, "not_offered"),
        (K.CHOICES, ["master"], "ok"),
        (K.CHOICES, ["master", "doctoral"], "ok"),
        (K.CHOICES, ["master", "bachelor"], "not_offered"),
        (K.CHOICES, "master", "not_offered"),
        (K.CHOICES, [["master"]], "not_offered"),
    ],
)
def test_a_choice_is_one_of_those_offered(kind, value, code):
    assert code_of(question(kind, options=["master", "doctoral"]), value) == code


def test_a_date_that_cannot_be_right_is_refused_in_the_words_of_the_call():
    asked = question(K.DATE, limits={"minimum": "2028-03-01", "message": {"en": "The passport must be valid until March 2028."}})

    with pytest.raises(ValidationError) as refused:
        check(asked, "2027-01-01")

    assert refused.value.messages == ["The passport must be valid until March 2028."]


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"minimum": 2, "maximum": 4}, "Enter a number from 2 to 4."),
        ({"minimum": 2}, "Enter 2 or more."),
        ({"maximum": -1}, "Enter -1 or less."),
    ],
)
def test_a_number_out_of_range_says_the_range(limits, message):
    with pytest.raises(ValidationError) as refused:
        check(question(K.NUMBER, limits=limits), "1")

    assert refused.value.messages == [message]


# -- Words -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("", 0),
        ("   \n ", 0),
        ("one", 1),
        ("one  two\nthree", 3),
        ("don't stop-gap", 2),
        ("我想研究冰川", 6),
        ("我想研究 glaciers 和水", 7),
        ("研究AI的应用", 6),
        ("Мен мөңгүлөрдү изилдегим келет", 4),
        ("一。二，三", 5),
    ],
)
def test_words_are_counted_in_every_script(said, words):
    assert words_in(said) == words


# -- Required, blank, asked ------------------------------------------------------


@pytest.mark.parametrize("blank", [None, "", "  ", [], {}])
def test_a_blank_answer_is_missing_where_one_is_required_only(blank):
    assert is_blank(blank)
    assert problems(question(K.TEXT), blank) == [("q", "required")]
    assert problems(question(K.TEXT, required=False), blank) == []


def test_no_is_an_answer():
    assert problems(question(K.YES_NO), False) == []


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (K.TEXT, "Enter an answer: The question"),
        (K.CHOICE, "Choose an answer: The question"),
        (K.COUNTRY, "Choose an answer: The question"),
        (K.DATE, "Enter a date: The question"),
        (K.GROUP, "Add at least one entry: The question"),
        (K.STATEMENT, "Agree to go on: “The question”"),
    ],
)
def test_what_is_missing_is_said_in_the_words_of_its_kind(kind, message):
    assert [problem.message for problem in problems_of(section(question(kind)), {}, {})] == [message]


@pytest.mark.parametrize(
    ("value", "found"), [(True, []), (False, [("q", "required")]), ("true", [("q", "required")]), (None, [("q", "required")])]
)
def test_a_statement_must_be_ticked(value, found):
    assert problems(question(K.STATEMENT), value) == found


def test_a_statement_that_need_not_be_ticked():
    assert problems(question(K.STATEMENT, required=False), False) == []


def test_only_what_is_asked_can_be_missing():
    asked = question(K.TEXT, when='level == "master"')

    assert [is_asked(asked, facts) for facts in ({"level": "master"}, {"level": "bachelor"}, {})] == [True, False, False]
    assert problems_of(section(asked), {}, {"level": "bachelor"}) == []
    assert problems_of(section(asked), {}, {"level": "master"}) == [Problem("q", "Enter an answer: The question", "required")]


def test_a_section_concerns_whom_its_condition_says():
    form = Form((section(key="all"), section(key="masters", when='level == "master"')), (), (), (), ())

    assert [one.key for one in sections_for(form, {"level": "master"})] == ["all", "masters"]
    assert [one.key for one in sections_for(form, {})] == ["all"]


# -- Repeating entries -----------------------------------------------------------

SCHOOLS = question(
    K.GROUP,
    limits={"most": 2},
    columns=[
        question(K.TEXT, "name"),
        question(K.TEXT, "year", limits={"pattern": "year"}),
        question(K.TEXT, "why", when='year == "2020"'),
    ],
)


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([{"name": "Karakol", "year": "2024"}], []),
        ([{"name": "Karakol", "year": "24"}], [("q.0.year", "pattern")]),
        ([{"name": "Karakol", "year": "2024"}, {}], [("q.1.name", "required"), ("q.1.year", "required")]),
        ([{"name": "Karakol", "year": "2020"}], [("q.0.why", "required")]),
        ([{"name": "a", "year": "2024"}] * 3, [("q", "too_many")]),
        ([], [("q", "required")]),
        ("Karakol", [("q", "too_many")]),
        (["Karakol"], [("q", "not_offered")]),
        ([None], [("q", "not_offered")]),
    ],
)
def test_each_column_of_each_entry_is_looked_at(rows, found):
    assert problems(SCHOOLS, rows) == found


# -- Whatever is sent ------------------------------------------------------------

JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=5,
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(list(K)), JSON)
def test_whatever_is_sent_has_an_answer_and_never_an_accident(kind, value):
    asked = question(kind, options=["a", "b"], columns=[question(K.TEXT, "name"), question(K.NUMBER, "n", when="name == 1")])

    assert all(problem.message for problem in problems_of(section(asked), {"q": value}, {}))


# -- As it is stored -------------------------------------------------------------


def test_who_it_is_is_stored_apart_from_what_reviewers_may_see():
    asked = section(question(K.TEXT, "family_name", identity=True), question(K.TEXT, "plan"))

    assert split(asked, {"family_name": "ASANOVA", "plan": "Glaciers", "role": "officer"}) == (
        {"plan": "Glaciers"},
        {"family_name": "ASANOVA"},
    )


def test_a_blank_answer_is_stored_too_and_what_was_not_sent_is_not():
    assert split(section(question(K.TEXT, "plan"), question(K.TEXT, "more")), {"plan": ""}) == ({"plan": ""}, {})


ENTRIES = section(question(K.GROUP, "schools", columns=[question(K.TEXT, "name", identity=True), question(K.TEXT, "year")]))


def test_an_entry_is_taken_apart_row_by_row():
    rows = [{"name": "Karakol", "year": "2024"}, {"year": "2026"}]

    shown, identity = split(ENTRIES, {"schools": rows})

    assert (shown, identity) == ({"schools": [{"year": "2024"}, {"year": "2026"}]}, {"schools": [{"name": "Karakol"}, {}]})
    assert join(shown, identity) == {"schools": rows}


@pytest.mark.parametrize("value", ["Karakol", ["Karakol"], [{"name": "Karakol"}, "Osh"], None])
def test_an_entry_that_cannot_be_taken_apart_is_not_shown(value):
    assert split(ENTRIES, {"schools": value}) == ({}, {"schools": value})


@settings(max_examples=100, deadline=None)
@given(JSON)
def test_whatever_is_stored_is_read_back_as_it_was(value):
    assert join(*split(ENTRIES, {"schools": value})) == {"schools": value}
