"""Each kind of criterion: met, not met, unknown; whom it concerns; what decides."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from scholarships.engine.eligibility import Criterion, Outcome, age_on, assess

MET, NOT_MET, UNKNOWN = Outcome.MET, Outcome.NOT_MET, Outcome.UNKNOWN


def outcome(kind: str, params: dict[str, Any], when: str = "", /, **facts: Any) -> Outcome | None:
    """What comes of one criterion, None where it does not concern the person. "a__b" names the fact "a.b"."""
    named = {name.replace("__", "."): value for name, value in facts.items()}
    findings = assess([Criterion("it", kind, params, when)], named).findings
    return findings[0].outcome if findings else None


# -- Citizenship -----------------------------------------------------------------


def test_citizenship_is_one_of_the_countries_named():
    params = {"countries": ["KG", "KZ"]}

    assert [outcome("citizenship", params, citizenship=code) for code in ("KG", "UZ", "", None)] == [MET, NOT_MET, UNKNOWN, UNKNOWN]


def test_citizenship_is_none_of_those_excluded():
    assert [outcome("citizenship", {"excluded": ["CN"]}, citizenship=code) for code in ("KG", "CN")] == [MET, NOT_MET]


def test_an_excluded_country_stays_excluded_where_it_is_named_too():
    assert outcome("citizenship", {"countries": ["CN", "KG"], "excluded": ["CN"]}, citizenship="CN") is NOT_MET


# -- Age -------------------------------------------------------------------------


def aged(born: str | date | None, **params: Any) -> Outcome | None:
    return outcome("age", {"on": "2027-09-01", **params}, birth_date=born)


def test_a_maximum_excludes_who_has_just_reached_it():
    assert aged("1992-09-02", maximum=35) is MET  # 34, turns 35 the next day
    assert aged("1992-09-01", maximum=35) is NOT_MET  # turns 35 on the very day


def test_an_inclusive_maximum_takes_the_whole_year():
    assert aged("1992-09-01", maximum=35, inclusive=True) is MET
    assert aged("1991-09-02", maximum=35, inclusive=True) is MET  # still 35
    assert aged("1991-09-01", maximum=35, inclusive=True) is NOT_MET  # 36


def test_a_minimum_takes_who_has_just_reached_it():
    assert aged("2009-09-01", minimum=18) is MET
    assert aged("2009-09-02", minimum=18) is NOT_MET


def test_an_age_is_unknown_without_a_date_of_birth_that_can_be_read():
    assert [aged(born, maximum=35) for born in (None, "", "spring 2001", "2001-02-30")] == [UNKNOWN] * 4


def test_an_age_counts_from_a_day_or_its_text():
    assert aged(date(2001, 1, 1), maximum=35) is aged("2001-01-01", maximum=35) is MET


@pytest.mark.parametrize(
    ("day", "age"), [(date(2027, 2, 28), 22), (date(2027, 3, 1), 23), (date(2028, 2, 28), 23), (date(2028, 2, 29), 24)]
)
def test_who_is_born_on_29_february_turns_older_on_1_march_of_other_years(day, age):
    assert age_on(date(2004, 2, 29), day) == age


def test_an_age_that_counts_on_29_february():
    assert outcome("age", {"on": "2028-02-29", "minimum": 18}, birth_date="2010-02-28") is MET
    assert outcome("age", {"on": "2028-02-29", "minimum": 18}, birth_date="2010-03-01") is NOT_MET


def test_the_finding_says_the_figures_behind_it():
    (finding,) = assess([Criterion("age", "age", {"on": "2027-09-01", "maximum": 35})], {"birth_date": "2000-01-01"}).findings

    assert finding.values == {"on": date(2027, 9, 1), "minimum": None, "maximum": 35, "age": 27}


# -- Education -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("highest", "expected"),
    [
        ("none", NOT_MET),
        ("secondary", NOT_MET),
        ("bachelor", MET),
        ("master", MET),
        ("doctoral", MET),
        (None, UNKNOWN),
        ("academy", UNKNOWN),
        (["bachelor"], UNKNOWN),
    ],
)
def test_education_is_at_least_what_is_asked(highest, expected):
    assert outcome("education", {"at_least": "bachelor"}, education__highest=highest) is expected


# -- Language --------------------------------------------------------------------

HSK_4 = {"tests": [{"test": "hsk", "level": 4, "score": 180}]}
EITHER = {"tests": [{"test": "ielts", "score": 6.5}, {"test": "toefl", "score": 80}]}


def test_a_test_is_passed_by_level_and_score():
    assert outcome("language", HSK_4, hsk__level="4", hsk__score="180") is MET
    assert outcome("language", HSK_4, hsk__level="5", hsk__score="179") is NOT_MET
    assert outcome("language", HSK_4, hsk__level="3", hsk__score="300") is NOT_MET


def test_a_test_is_unknown_while_a_part_is_not_answered():
    assert outcome("language", HSK_4, hsk__level="4") is UNKNOWN
    assert outcome("language", HSK_4) is UNKNOWN


@pytest.mark.parametrize("typed", ["six", "NaN", "sNaN", "Infinity", "6,5", [], True])
def test_a_score_that_is_no_number_is_no_answer(typed):
    assert outcome("language", {"tests": [{"test": "ielts", "score": 6}]}, ielts__score=typed) is UNKNOWN


def test_any_of_the_tests_suffices():
    assert outcome("language", EITHER, ielts__score="5", toefl__score="80") is MET
    assert outcome("language", EITHER, ielts__score=Decimal("6.5")) is MET
    assert outcome("language", EITHER, ielts__score="5", toefl__score="79") is NOT_MET


def test_a_test_without_an_answer_keeps_it_unknown_where_another_is_definitely_not_met():
    assert outcome("language", EITHER, ielts__score="5") is UNKNOWN


def test_the_statement_that_there_is_no_such_certificate_answers_a_test():
    assert outcome("language", EITHER, ielts__score="5", toefl__none=True) is NOT_MET
    assert outcome("language", EITHER, ielts__none=True, toefl__none=True) is NOT_MET
    assert outcome("language", EITHER, ielts__none=True, toefl__score="80") is MET
    assert outcome("language", EITHER, ielts__none=True) is UNKNOWN


@pytest.mark.parametrize("said", [False, None, "", "no", "false"])
def test_only_true_states_that_there_is_no_such_certificate(said):
    assert outcome("language", EITHER, ielts__none=said, ielts__score="7") is MET


# -- A paper's last day ----------------------------------------------------------

PASSPORT = {"fact": "passport.ends", "day": "2028-03-01"}


def test_a_paper_is_valid_until_a_day():
    assert outcome("valid_until", PASSPORT, passport__ends="2028-03-01") is MET
    assert outcome("valid_until", PASSPORT, passport__ends=datetime(2028, 2, 29, 12, tzinfo=UTC)) is NOT_MET
    assert outcome("valid_until", PASSPORT, passport__ends="never") is UNKNOWN


# -- Any condition ---------------------------------------------------------------


def test_a_condition_must_hold():
    assert outcome("condition", {"holds": "outside_china == true"}, outside_china=True) is MET
    assert outcome("condition", {"holds": "outside_china == true"}, outside_china=False) is NOT_MET
    assert outcome("condition", {"holds": "outside_china == true"}) is UNKNOWN


# -- Whom it concerns ------------------------------------------------------------


def test_a_criterion_is_passed_over_for_whom_it_does_not_concern():
    assert outcome("education", {"at_least": "bachelor"}, 'level == "master"', level="bachelor", education__highest="none") is None


def test_a_criterion_of_which_it_is_open_whom_it_concerns_is_unknown():
    assert outcome("education", {"at_least": "bachelor"}, 'level == "master"', education__highest="none") is UNKNOWN


# -- What decides ----------------------------------------------------------------


def verdict(*criteria: Criterion, **facts: Any):
    return assess(criteria, facts)


def holds(name: str, *, hard: bool = True) -> Criterion:
    return Criterion(name, "condition", {"holds": name}, hard=hard)


def test_all_hard_criteria_met_is_eligible():
    assert verdict(holds("a"), holds("b"), a=True, b=True).is_eligible is True


def test_one_hard_criterion_not_met_decides_whatever_is_unknown():
    assert verdict(holds("a"), holds("b"), a=False).is_eligible is False


def test_an_unknown_hard_criterion_leaves_it_open():
    assert verdict(holds("a"), holds("b"), a=True).is_eligible is None


def test_soft_criteria_decide_nothing():
    assert verdict(holds("a"), holds("b", hard=False), holds("c", hard=False), a=True, b=False).is_eligible is True


def test_a_call_without_criteria_is_open_to_all():
    assert verdict().is_eligible is True


def test_a_verdict_gives_its_findings_by_outcome_in_order():
    found = verdict(holds("a"), holds("b", hard=False), holds("c"), a=False, b=False)

    assert [finding.key for finding in found.of(NOT_MET)] == ["a", "b"]
    assert [finding.key for finding in found.of(UNKNOWN)] == ["c"]


# -- Criteria that cannot be -----------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "params", "message"),
    [
        ("height", {}, "There is no kind of criterion called “height”."),
        ("citizenship", {}, "The criterion “it” needs one of countries, excluded."),
        ("citizenship", {"countries": "KG"}, "The criterion “it”: “KG” is no countries."),
        ("age", {"maximum": 35}, "The criterion “it” needs on."),
        ("age", {"on": "2027-09-01"}, "The criterion “it” needs one of minimum, maximum, inclusive."),
        ("age", {"on": "2027-09-31", "maximum": 35}, "The criterion “it”: “2027-09-31” is no on."),
        ("age", {"on": "2027-09-01", "maximun": 35, "minimum": 18}, "The criterion “it” does not know maximun."),
        ("age", {"on": "2027-09-01", "maximum": "35"}, "The criterion “it”: “35” is no maximum."),
        ("education", {}, "The criterion “it” needs at_least."),
        ("education", {"at_least": "batchelor"}, "The criterion “it”: “batchelor” is no at_least."),
        ("language", {"tests": []}, "The criterion “it”: “[]” is no tests."),
        ("language", {"tests": [{"test": "hsk"}]}, "The criterion “it”: “[{'test': 'hsk'}]” is no tests."),
        (
            "language",
            {"tests": [{"test": "hsk", "level": "four"}]},
            "The criterion “it”: “[{'test': 'hsk', 'level': 'four'}]” is no tests.",
        ),
        ("valid_until", {"fact": "x"}, "The criterion “it” needs day."),
        ("condition", {"holds": "a =="}, "The condition of “it”: Expected a fact or a value but found the end."),
    ],
)
def test_a_criterion_that_cannot_be_judged_is_refused(kind, params, message):
    with pytest.raises(ValueError) as refused:  # noqa: PT011
        Criterion("it", kind, params)

    assert str(refused.value) == message


def test_a_condition_of_whom_it_concerns_that_cannot_be_read_is_refused():
    with pytest.raises(ValueError, match="The condition of “it”"):
        Criterion("it", "condition", {"holds": "a"}, "a or")
