"""The expression language: what it reads, what it refuses, and three-valued truth."""

from __future__ import annotations

import contextlib
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scholarships.engine.conditions import MAX_DEPTH, MAX_LENGTH, ConditionError, check, cycles, parse


def truth(text: str, **facts: Any) -> bool | None:
    return parse(text).holds(facts)


# -- Reading ---------------------------------------------------------------------


def test_the_empty_text_always_holds():
    assert [truth(""), truth("  \n ")] == [True, True]


def test_and_binds_tighter_than_or():
    facts = {"yes": True, "no": False}

    assert parse("yes or no and no").holds(facts) is True
    assert parse("(yes or no) and no").holds(facts) is False


def test_not_binds_tighter_than_and_and_looser_than_a_comparison():
    assert truth("not a and b", a=False, b=False) is False
    assert truth("not (a and b)", a=False, b=False) is True
    assert truth("not level == 3", level=4) is True


def test_not_in_is_the_opposite_of_in():
    assert truth('level not in ["master", "doctoral"]', level="bachelor") is True
    assert truth('level not in ["master", "doctoral"]', level="master") is False


def test_a_comparison_may_stand_in_parentheses_and_be_compared():
    assert truth("(a == 1) == (b == 1)", a=2, b=2) is True


def test_a_condition_names_its_facts():
    assert parse('study.months > 6 or x in [y, "z"] and not done').facts == {"study.months", "x", "y", "done"}


def test_words_of_the_language_within_a_text_are_text():
    assert truth('a == "or" or b == "not in"', a="x", b="not in") is True


def test_both_quotes_write_a_text():
    assert truth("""a == 'it "is"'""", a='it "is"') is True


# -- Three-valued logic ----------------------------------------------------------

T, F, U = True, False, None
AND = {(T, T): T, (T, F): F, (T, U): U, (F, T): F, (F, F): F, (F, U): F, (U, T): U, (U, F): F, (U, U): U}
OR = {(T, T): T, (T, F): T, (T, U): T, (F, T): T, (F, F): F, (F, U): U, (U, T): T, (U, F): U, (U, U): U}
NOT = {T: F, F: T, U: U}


@pytest.mark.parametrize(("left", "right"), AND)
def test_and_or_follow_kleene(left, right):
    facts = {"left": left, "right": right}

    assert parse("left and right").holds(facts) is AND[left, right]
    assert parse("left or right").holds(facts) is OR[left, right]


@pytest.mark.parametrize("value", NOT)
def test_not_follows_kleene(value):
    assert truth("not a", a=value) is NOT[value]


@pytest.mark.parametrize("operator", ["==", "!=", "<", "<=", ">", ">=", "in", "not in"])
def test_every_comparison_with_a_missing_fact_is_unknown(operator):
    assert truth(f"missing {operator} 5") is None
    assert truth(f"5 {operator} missing") is None
    assert truth(f"not (missing {operator} 5)") is None


@pytest.mark.parametrize("blank", [None, "", "  ", [], (), float("nan"), Decimal("NaN"), Decimal("Infinity")])
def test_a_blank_answer_is_a_missing_fact(blank):
    facts = {"a": blank}

    assert [parse(text).holds(facts) for text in ("a", 'a == "x"', 'a in ["x"]', "not (a in [1])", "a > 1")] == [None] * 5


# -- Values ----------------------------------------------------------------------


def test_numbers_are_exact():
    assert truth("a == 0.3", a=0.3) is True
    assert truth("a == 4.50", a="4.5") is True
    assert truth("a > -2.5", a=-2) is True


def test_the_text_of_an_answer_is_read_as_a_number_where_a_number_is_asked():
    assert truth("score >= 6.5", score="6.50") is True
    assert truth("score >= 6.5", score="6") is False


@pytest.mark.parametrize("typed", ["many", "NaN", "sNaN", "Infinity", "-inf", "1e999999999999999999999", "6,5"])
def test_an_answer_that_is_no_number_leaves_an_order_open_and_equals_no_number(typed):
    assert truth("gpa > 5", gpa=typed) is None
    assert truth("gpa == 5", gpa=typed) is False


def test_dates_are_compared_as_days():
    assert truth("ends >= 2028-03-01", ends="2028-03-01") is True
    assert truth("ends >= 2028-03-01", ends=date(2028, 2, 29)) is False
    assert truth("ends < 2028-03-01", ends=datetime(2028, 2, 29, 23, 59, tzinfo=UTC)) is True
    assert truth("ends >= 2028-03-01", ends="soon") is None


def test_things_of_different_kinds_are_never_equal_and_have_no_order():
    assert truth('a == "true"', a=True) is False
    assert truth("a == 1", a=True) is False
    assert truth("a < 2028-03-01", a=5) is None
    assert truth("a < true", a=False) is None


def test_texts_are_ordered_by_letters():
    assert truth('a < "b"', a="a") is True


def test_in_asks_whether_a_value_is_in_the_list():
    assert truth('level in ["master", "doctoral"]', level="master") is True
    assert truth('level in ["master", "doctoral"]', level="bachelor") is False
    assert truth("gpa in [4, 5]", gpa="5.0") is True


def test_in_asks_of_a_fact_with_several_values_whether_any_of_them_is_in_the_list():
    assert truth('languages in ["en", "ru"]', languages=["zh", "ru"]) is True
    assert truth('languages in ["en", "ru"]', languages=["zh"]) is False


def test_in_asks_whether_a_fact_with_several_values_holds_one():
    assert truth('"zh" in taught_in', taught_in=["en", "zh"]) is True
    assert truth('"zh" in taught_in', taught_in=["en"]) is False


def test_in_a_single_value_is_equality():
    assert truth('"zh" in taught_in', taught_in="zh") is True
    assert truth('"z" in taught_in', taught_in="zh") is False


def test_a_gap_in_a_list_leaves_open_what_it_could_decide():
    assert truth('"x" in [a, "x"]') is True
    assert truth('"x" in [a, "y"]') is None
    assert truth('fields == ["0231", a]', fields=["0231", "0613"]) is None


def test_lists_are_equal_when_all_their_values_are():
    assert truth('fields != ["0231"]', fields=["0231"]) is False
    assert truth('fields != ["0231"]', fields=["0231", "0613"]) is True
    assert truth('fields != ["0231"]') is None


def test_a_fact_alone_is_asked_for_its_truth():
    assert [truth("a", a=value) for value in (True, False, 1, 0, "yes", ["x"])] == [True, False, True, False, True, True]


# -- Refusing --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message", "position"),
    [
        ("level ==", "Expected a fact or a value but found the end.", 8),
        ("== 3", "Expected a fact or a value but found “==”.", 0),
        ("level = 3", "Cannot read “= 3”.", 6),
        ("a and", "Expected a fact or a value but found the end.", 5),
        ("a b", "Cannot go on after “b”.", 2),
        ("a == 1 == 2", "Cannot go on after “==”.", 7),
        ("(a or b", "Expected “)” but found the end.", 7),
        ("a)", "Cannot go on after “)”.", 1),
        ("a in [1, 2", "Expected “]” but found the end.", 10),
        ("a in [1,]", "Expected a fact or a value but found “]”.", 8),
        ("a in []", "Expected a fact or a value but found “]”.", 6),
        ("a in [b == 1]", "Expected “]” but found “==”.", 8),
        ("a in [[1]]", "Expected a fact or a value but found “[”.", 6),
        ("a in [(1)]", "Expected a fact or a value but found “(”.", 6),
        ("a not b", "Cannot go on after “not”.", 2),
        ("a == 2027-02-30", "2027-02-30 is not a day of the calendar.", 5),
        ('a == "open', 'Cannot read “"open”.', 5),
        ('a == "back\\slash"', 'Cannot read “"back\\slash"”.', 5),
        ("a.", "Cannot read “.”.", 1),
        ("  ; drop", "Cannot read “; drop”.", 2),
        ("__import__('os')", "Cannot go on after “(”.", 10),
    ],
)
def test_what_is_not_a_condition_is_refused_with_its_place(text, message, position):
    with pytest.raises(ConditionError) as refused:
        parse(text)

    assert (str(refused.value), refused.value.position) == (message, position)


def test_a_condition_has_a_longest_length():
    assert parse("a" * MAX_LENGTH).facts == {"a" * MAX_LENGTH}
    with pytest.raises(ConditionError):
        parse("a" * (MAX_LENGTH + 1))


@pytest.mark.parametrize(("opening", "closing"), [("(", ")"), ("not ", ""), ("not (", ")")])
def test_a_condition_has_a_greatest_depth(opening, closing):
    deepest = (MAX_DEPTH - 1) // (2 if opening == "not (" else 1)
    parse(opening * deepest + "a" + closing * deepest)

    with pytest.raises(ConditionError) as refused:
        parse(opening * (deepest + 1) + "a" + closing * (deepest + 1))

    assert str(refused.value) == "The condition is nested too deeply."


def test_the_longest_chain_is_evaluated():
    assert parse(" or ".join(["a"] * 200)).holds({"a": False}) is False


# -- Facts that exist ------------------------------------------------------------


def test_an_unknown_fact_is_named_with_its_place():
    (error,) = check('levels == "level" and level == 3', {"levels"})

    assert (str(error), error.position) == ("There is no answer or fact called “level”.", 22)


def test_each_unknown_fact_is_named_once_in_reading_order():
    assert [error.position for error in check("b or a or b", set())] == [0, 5]


def test_a_wrong_condition_is_one_error():
    assert [str(error) for error in check("a ==", {"a"})] == ["Expected a fact or a value but found the end."]


def test_a_good_condition_has_no_errors():
    assert check("a == 1 or b", {"a", "b"}) == []


# -- Circles ---------------------------------------------------------------------


def test_questions_that_wait_for_each_other_are_a_circle():
    assert cycles({"c": "a == 1", "a": "b == 1", "b": "c == 1"}) == [("a", "b", "c")]


def test_a_question_that_waits_for_itself_is_a_circle():
    assert cycles({"a": "not a"}) == [("a",)]


def test_separate_circles_are_all_found():
    assert cycles({"a": "b", "b": "a", "x": "y", "y": "x or a"}) == [("a", "b"), ("x", "y")]


def test_questions_that_only_follow_each_other_are_no_circle():
    assert cycles({"a": "", "b": "a", "c": "a and b", "d": "c or elsewhere"}) == []


# -- Round trip: random trees, written out, read back, against an evaluation of their own ------

NAMES = ["a", "b.c", "d_1"]
WORDS = st.text("xy or'and", max_size=5)
VALUES = st.one_of(
    st.booleans(),
    st.integers(-3, 3),
    st.decimals(-2, 2, places=1),
    st.dates(date(2027, 1, 1), date(2027, 1, 4)),
    WORDS,
)
LEAVES = st.one_of(st.tuples(st.just("fact"), st.sampled_from(NAMES)), st.tuples(st.just("value"), VALUES))
OPERANDS = st.one_of(LEAVES, st.tuples(st.just("list"), st.lists(LEAVES, min_size=1, max_size=3)))
COMPARISONS = st.tuples(st.sampled_from(["==", "!=", "<", "<=", ">", ">=", "in", "not in"]), OPERANDS, OPERANDS)
TREES = st.recursive(
    st.one_of(COMPARISONS, LEAVES),
    lambda inner: st.one_of(
        st.tuples(st.just("not"), inner), st.tuples(st.just("and"), inner, inner), st.tuples(st.just("or"), inner, inner)
    ),
    max_leaves=6,
)
FACTS = st.dictionaries(st.sampled_from(NAMES), st.one_of(VALUES, st.none(), st.lists(VALUES, max_size=2)))
STRENGTH = {"or": 0, "and": 1, "not": 2}


def written(tree: Any, around: int = 0) -> str:
    """TREE as text, with the fewest parentheses."""
    match tree:
        case ("fact", name):
            return name
        case ("value", bool(value)):
            return str(value).lower()
        case ("value", str(value)):
            return f'"{value}"'
        case ("value", value):
            return str(value)
        case ("list", items):
            return f"[{', '.join(written(item) for item in items)}]"
        case ("not", inner):
            text = f"not {written(inner, 2)}"
        case ("and" | "or" as word, left, right):
            strength = STRENGTH[word]
            text = f"{written(left, strength)} {word} {written(right, strength + 1)}"
        case (operator, left, right):
            text = f"{written(left, 3)} {operator} {written(right, 3)}"
            return f"({text})" if around >= 3 or (operator == "not in" and around == 3) else text
    return f"({text})" if STRENGTH[tree[0]] < around else text


def plain(value: Any) -> Any:
    if isinstance(value, list):
        return [plain(one) for one in value] or None
    if isinstance(value, bool | date):
        return value
    if isinstance(value, int | Decimal):
        return Decimal(value)
    return value if value is not None and value.strip() else None


def value_of(tree: Any, facts: dict[str, Any]) -> Any:
    match tree:
        case ("fact", name):
            return plain(facts.get(name))
        case ("value", value):
            return Decimal(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else value
        case ("list", items):
            return [value_of(item, facts) for item in items]
    raise AssertionError(tree)


def equal(left: Any, right: Any) -> bool:
    for text, other in ((left, right), (right, left)):
        if isinstance(text, str) and isinstance(other, Decimal | date):
            return False  # the texts above are never numbers or days
    return type(left) is type(right) and left == right


def direct(tree: Any, facts: dict[str, Any]) -> bool | None:
    """The truth of TREE by the words of the language's description."""
    match tree:
        case ("not", inner):
            return NOT[direct(inner, facts)]
        case ("and", left, right):
            return AND[direct(left, facts), direct(right, facts)]
        case ("or", left, right):
            return OR[direct(left, facts), direct(right, facts)]
        case ("not in", left, right):
            return NOT[direct(("in", left, right), facts)]
        case ("in", left, right):
            a, b = value_of(left, facts), value_of(right, facts)
            if a is None or b is None:
                return None
            a, b = (one if isinstance(one, list) else [one] for one in (a, b))
            if any(equal(one, other) for one in a for other in b if one is not None and other is not None):
                return True
            return None if None in a or None in b else False
        case ("==" | "!=" | "<" | "<=" | ">" | ">=" as operator, left, right):
            a, b = value_of(left, facts), value_of(right, facts)
            if any(one is None or (isinstance(one, list) and None in one) for one in (a, b)):
                return None
            if operator in ("==", "!="):
                return equal(a, b) is (operator == "==")
            if type(a) is not type(b) or isinstance(a, bool | list):
                return None
            return {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[operator]
    value = value_of(tree, facts)
    return None if value is None else bool(value)


@settings(max_examples=400, deadline=None)
@given(TREES, FACTS)
def test_a_tree_written_out_and_read_back_has_the_truth_of_the_tree(tree, facts):
    assert parse(written(tree)).holds(facts) is direct(tree, facts)


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.text(max_size=60),
        st.lists(
            st.sampled_from(
                [
                    "a",
                    "(",
                    ")",
                    "[",
                    "]",
                    ",",
                    "and",
                    "or",
                    "not",
                    "in",
                    "==",
                    "<",
                    "1",
                    "-",
                    ".",
                    '"x"',
                    "'",
                    "2027-02-30",
                    " ",
                    "\n",
                    "true",
                ]
            ),
            max_size=40,
        ).map("".join),
        st.sampled_from("([-'\"").map(lambda letter: letter * 999),
        st.sampled_from(["not ", "(a or ", "[a,", "a in [", "a==", "a and not "]).map(lambda part: (part * 1000)[:1000]),
    )
)
def test_any_text_is_a_condition_or_a_condition_error(text):
    with contextlib.suppress(ConditionError):
        condition = parse(text)
        assert condition.holds({}) in (True, False, None)
        assert check(text, condition.facts) == []
    assert all(0 <= error.position <= len(text) for error in check(text, []))
