"""A call file is refused with every fault, its line and its reason; the shipped ones have none."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scholarships.calls import file
from scholarships.calls.file import Fault, WrongFile, read
from tests.factories import SMALL_CALL

LIBRARY = Path(file.__file__).parent / "library"
SHIPPED = sorted(LIBRARY.glob("*.yaml"))
TEXT = (LIBRARY / "turkmenistan.yaml").read_text(encoding="utf-8")
SMALL = SMALL_CALL.format(code="small-2027", programmes="small-a, small-b")


def faults(text: str) -> list[Fault]:
    with pytest.raises(WrongFile) as refused:
        read(text)
    return refused.value.faults


def planted(text: str, old: str, new: str, at: str = "") -> tuple[str, int]:
    """TEXT with NEW for the only OLD in it, and the line of AT, else of NEW."""
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times"
    changed = text.replace(old, new)
    mark = at or new.strip().splitlines()[0]
    assert changed.count(mark) >= 1
    start = changed.index(mark, text.index(old) if not at else 0)
    return changed, changed[:start].count("\n") + 1


# -- What is shipped -------------------------------------------------------------


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_call_has_no_faults(path):
    assert read(path.read_text(encoding="utf-8")).data["call"]


def test_three_calls_are_shipped():
    assert [path.stem for path in SHIPPED] == ["sco", "tcm-3-2", "turkmenistan"]


def test_the_call_of_the_tests_has_no_faults():
    assert read(SMALL).data["levels"] == ["master", "doctoral"]


# -- One fault in a shipped call -------------------------------------------------

PLANTED = {
    "a part is missing": (
        "answer_days: 14\nstarts: 2027-09-01\n",
        "answer_days: 14\n",
        "",
        "call: xinjiang-tm-2027",
        "“starts” is missing.",
    ),
    "an unknown part": ("choices: 2\n", "choises: 2\n", "", "call: xinjiang-tm-2027", "“choises” is not known here. Known: answer_days, call, choices, closes, countries"),
    "a key twice": ("grace: 30\n", "grace: 30\ngrace: 60\n", "grace", "grace: 60", "This key stands here twice."),
    "a code with a blank": ("call: xinjiang-tm-2027", "call: Xinjiang TM", "call", "", "“Xinjiang TM” is not written as it must be (small letters, digits and hyphens)."),
    "an unknown zone": ("zone: Asia/Ashgabat", "zone: Asia/Ashgabad", "zone", "", "“Asia/Ashgabad” is no zone."),
    "a zone that is a folder": ("zone: Asia/Ashgabat", "zone: ../../etc", "zone", "", "“../../etc” is no zone."),
    "an unknown language": ("main_language: ru", "main_language: tk", "main_language", "", "“tk” is not one of en, zh-hans, ru."),
    "a day that does not exist": ("starts: 2027-09-01", "starts: 2027-09-31", "", "", "“2027-09-31” cannot be read as what it looks like. Write words in quotes."),
    "a day in quotes that does not exist": ("starts: 2027-09-01", 'starts: "2027-09-31"', "starts", "", "“2027-09-31” is no day."),
    "a day in another order": ("starts: 2027-09-01", "starts: 01.09.2027", "starts", "", "“01.09.2027” is not written as it must be (like 2027-09-01)."),
    "an hour that does not exist": ("opens: 2026-11-09T09:00", "opens: 2026-11-09T25:00", "opens", "", "“2026-11-09T25:00” is no moment."),
    "a moment with a zone of its own": (
        "opens: 2026-11-09T09:00",
        "opens: 2026-11-09T09:00:00+05:00",
        "opens",
        "",
        "“2026-11-09T09:00:00+05:00” is not written as it must be (like 2027-01-31T18:00, in the call's zone).",
    ),
    "closed before it opens": (
        "closes: 2027-02-12T18:00",
        "closes: 2026-02-12T18:00",
        "closes",
        "",
        "A call opens, then closes, then has its results: these dates are in another order.",
    ),
    "results before it closes": (
        "results: 2027-06-15T12:00",
        "results: 2027-01-15T12:00",
        "closes",
        "closes: 2027-02-12",
        "A call opens, then closes, then has its results: these dates are in another order.",
    ),
    "a milestone that ends before it begins": (
        "    until: 2027-03-19T18:00",
        "    until: 2027-01-19T18:00",
        "milestones nomination / until",
        "",
        "This ends before it begins.",
    ),
    "a level that does not exist": ("levels: [bachelor, master]", "levels: [bachelor, magister]", "levels 2", "", "“magister” is not one of bachelor, master, doctoral, general, senior."),
    "a country as a word": ("countries: [TM]\nlevels", "countries: [Turkmenistan]\nlevels", "countries 1", "", "“Turkmenistan” is not written as it must be (an ISO code of two letters)."),
    "too many choices": ("choices: 2", "choices: 11", "choices", "", "11 is greater than the maximum of 10."),
    "a number as a word": ("reviews: 2", "reviews: two", "reviews", "", "This must be a whole number, and is “two”."),
    "a kind of question that does not exist": ("      - key: citizenship\n        kind: country\n", "      - key: citizenship\n        kind: nation\n", "sections study / questions citizenship / kind", "kind: nation", "“nation” is not one of text, long, number, date, choice"),
    "a question twice": ("      - key: plan_graduate\n", "      - key: plan_bachelor\n", "sections plan / questions plan_bachelor", "      - key: plan_bachelor\n        kind: long\n        when: level == \"master\"", "There is another question called “plan_bachelor”."),
    "a question named like a fact": ("      - key: other_scholarship\n", "      - key: months\n", "sections study / questions months", "      - key: months", "“months” follows from the choices and cannot be the name of a question."),
    "words from more to less": ("words_min: 200, words_max: 800", "words_min: 900, words_max: 800", "sections plan / questions plan_bachelor / limits", "words_min: 900", "The least number of words is greater than the most."),
    "a choice without options": (
        '        label: {en: "Sex, as in the passport"',
        '        kind_of: x\n        label: {en: "Sex, as in the passport"',
        "sections personal / questions sex",
        "      - key: sex",
        "“kind_of” is not known here.",
    ),
    "a condition that cannot be read": (
        'when: level == "bachelor"\n        label: {en: "Your study plan"',
        'when: level = "bachelor"\n        label: {en: "Your study plan"',
        "sections plan / questions plan_bachelor / when",
        "when: level = ",
        "Cannot read “= \"bachelor\"”.",
    ),
    "a condition that asks what nobody answers": (
        "    kind: guardian\n    when: age_at_start < 18",
        "    kind: guardian\n    when: age_at_end < 18",
        "requirements guardian / when",
        "    when: age_at_end < 18",
        "There is no answer or fact called “age_at_end”.",
    ),
    "a section without questions": (
        "  - key: choices\n    kind: choices\n",
        "  - key: more\n    title: More\n  - key: choices\n    kind: choices\n",
        "sections more",
        "  - key: more",
        "A section of questions needs at least one; other sections have none.",
    ),
    "no choices": (
        "  - key: choices\n    kind: choices\n",
        "  - key: choices\n    questions: [{key: choice, kind: text, label: Choice}]\n",
        "sections",
        "sections:",
        "There is no section of kind “choices”.",
    ),
    "a paper of a kind that does not exist": ("    kind: guardian\n", "    kind: parents\n", "requirements guardian / kind", "    kind: parents", "“parents” is not one of passport, photo, diploma"),
    "fewer files taken than asked for": (
        "    least: 2\n    most: 2\n",
        "    least: 3\n    most: 2\n",
        "requirements letters",
        "  - key: letters",
        "At least 3 files are asked for and at most 2 taken.",
    ),
    "a criterion of a kind that does not exist": ("    kind: valid_until\n", "    kind: valid\n", "criteria passport_valid / kind", "    kind: valid\n", "“valid” is not one of citizenship, age, education"),
    "a criterion without what it needs": ("    params: {at_least: bachelor}", "    params: {}", "criteria education_master", "  - key: education_master", "The criterion “education_master” needs at_least."),
    "a criterion with a word misspelt": ("    params: {at_least: bachelor}", "    params: {at_least: batchelor}", "criteria education_master", "  - key: education_master", "The criterion “education_master”: “batchelor” is no at_least."),
    "a criterion about a question that is not there": (
        "params: {fact: passport_expires, day",
        "params: {fact: passport_ends, day",
        "criteria passport_valid / params",
        "    params: {fact: passport_ends",
        "There is no question called “passport_ends”.",
    ),
    "a criterion whose condition asks what nobody answers": (
        '    params: {holds: "other_scholarship == false"}',
        '    params: {holds: "another_scholarship == false"}',
        "criteria one_scholarship / params",
        "",
        "There is no answer or fact called “another_scholarship”.",
    ),
    "a rubric that adds up to another sum": ("    weight: 25\n", "    weight: 30\n", "rubric", "rubric:", "The weights of the rubric add up to 105, not to 100."),
    "a line of the rubric with four anchors": (
        '      - {en: "No use at home is named", zh-hans: "未提及回国后的用途", ru: "Применение дома не названо"}\n',
        "",
        "rubric fit / anchors",
        '    anchors:\n      - {en: "A use is named but hardly believable"',
        "is too short.",
    ),
    "a review without a rubric": ("rubric:  # own\n", "unused:\n", "", "call: xinjiang-tm-2027", "“unused” is not known here."),
    "a country whose applications reach nobody": (
        "countries: [TM]\n",
        "countries: [TM, KG]\n",
        "steps nomination / bodies",
        "    bodies: {TM: tm-moe}",
        "No body is named for KG: applications from there would reach nobody.",
    ),
    "a nomination by nobody": (
        "    body: citizenship\n    bodies: {TM: tm-moe}\n",
        "",
        "steps nomination",
        "  - key: nomination\n    kind: nomination\n",
        "A nomination step says which body acts (“body”); other steps do not.",
    ),
    "institutions that nobody named": (
        "    body: citizenship\n",
        "    body: home\n",
        "steps nomination",
        "  - key: nomination\n    kind: nomination\n",
        "Name the institutions that send their own (“bodies”, a list): others could not apply.",
    ),
    "bodies in a list where each country has its own": (
        "    bodies: {TM: tm-moe}\n",
        "    bodies: [tm-moe]\n",
        "steps nomination / bodies",
        "",
        "Name the body of each country, like “KG: kg-ministry”.",
    ),
    "a step without an end": (
        "  - key: offer\n    kind: offer\n",
        "  - key: offer\n    kind: review\n",
        "steps",
        "steps:",
        "The last two steps must be “allocation” and “offer”: without them no application ever ends.",
    ),
    "a step in a month that is not there": (
        "    milestone: offers\n",
        "    milestone: answers\n",
        "steps offer / milestone",
        "",
        "There is no milestone “answers”.",
    ),
    "places that are no number": ("[TM, bachelor, 60]", "[TM, bachelor, many]", "quotas 1 / cells 1", "", "Places must be a whole number of 0 or more, not “many”."),
    "places for a level of another call": ("[TM, master, 40]", "[TM, doctoral, 40]", "quotas 1 / cells 2", "", "“doctoral” is not a level of this call."),
    "places twice": ("[TM, master, 40]", "[TM, bachelor, 40]", "quotas 1 / cells 2", "[TM, bachelor, 40]", "There are two cells for TM, bachelor."),
    "a cell with a value too few": ("[TM, master, 40]", "[TM, 40]", "quotas 1 / cells 2", "", "A cell of this quota has 2 values and the places, like [a.country, o.level, 3]."),
    "a cell in a cell": ("[TM, master, 40]", "[[TM], master, 40]", "quotas 1 / cells 2 1", "", "This must be a text or a whole number, and is “['TM']”."),
    "a list that is not closed": ("countries: [TM]\n", "countries: [TM\n", "", "levels: [bachelor", "This is not YAML:"),
    "a thing of another program": ("grace: 30", "grace: !!python/object/apply:os.system ['true']", "grace", "", "This must be a whole number"),
    "a word that only looks like a number": ("grace: 30", "grace: !!int abc", "", "", "“abc” cannot be read as what it looks like. Write words in quotes."),
}  # fmt: skip


@pytest.mark.parametrize("name", PLANTED)
def test_a_fault_is_named_with_its_line_its_place_and_its_reason(name):
    old, new, where, at, message = PLANTED[name]
    text, line = planted(TEXT, old, new, at)

    found = faults(text)

    assert [(fault.line, fault.where) for fault in found if message in fault.message][:1] == [(line, where)], "\n".join(map(str, found))


# -- Faults that need a small file -----------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "{key: family_name, kind: text,",
            '{key: family_name, kind: text, when: given_names == "x",',
            "",
        ),
        (
            "{key: citizenship, kind: country, label: Citizenship}",
            '{key: citizenship, kind: country, label: Citizenship, when: level == "master"}\n      - {key: extra, kind: text, label: Extra, when: extra == "x"}',
            "These questions wait for each other: extra → extra.",
        ),
        (
            "  - key: plan\n    group",
            '  - key: plan\n    when: plan == "x"\n    group',
            "These questions wait for each other: plan → plan.",
        ),
        (
            "{key: name, kind: text, label: School, identity: true}",
            '{key: name, kind: text, label: School, identity: true, when: year == "2020"}\n          - {key: year2, kind: text, label: Y, when: year2 == "1"}',
            "These questions wait for each other: year2 → year2.",
        ),
        ("{key: name, kind: text, label: School, identity: true}", "{key: year, kind: text, label: School}", "There are two columns called “year”."),
        (
            "{key: name, kind: text, label: School, identity: true}",
            "{key: name, kind: group, label: School, columns: [{key: a, kind: text, label: A}]}",
            "An entry cannot hold entries of its own.",
        ),
        (
            "{key: citizenship, kind: country, label: Citizenship}",
            "{key: citizenship, kind: country, label: Citizenship, columns: [{key: a, kind: text, label: A}]}",
            "Only a question of kind “group” has columns.",
        ),
        ("{value: doctoral, label: Doctorate}", "{value: master, label: Doctorate}", "There are two options with the value “master”."),
        ("limits: {minimum: 0, maximum: 100}", "limits: {minimum: 100, maximum: 0}", "The minimum is greater than the maximum."),
        ("limits: {minimum: 0, maximum: 100}", "limits: {minimum: none}", "“none” is no number."),
        (
            "{key: birth_date, kind: date, label: Date of birth, identity: true}",
            "{key: birth_date, kind: date, label: Date of birth, limits: {maximum: 2009}}",
            "“2009” is no day.",
        ),
        ("  - {key: eligibility, kind: eligibility, title: Eligibility}", "  - {key: offer, kind: offer, title: Offer}", "The last two steps must be"),
        (
            "  - {key: eligibility, kind: eligibility, title: Eligibility}",
            "  - {key: eligibility, kind: eligibility, title: Eligibility, bodies: {KG: kg-ministry}}",
            "Only a nomination step has bodies.",
        ),
        ("    kind: documents\n", "    kind: documents\n    questions: [{key: x, kind: text, label: X}]\n", "other sections have none."),
        ("  - key: documents\n    kind: documents\n", "  - key: papers\n    kind: documents\n", "The section of documents must be called “documents”."),
        ("    by: [a.country, o.level]\n    cells: [[KG, master, 3]", "    by: []\n    cells: [[3]", "[] should be non-empty."),
    ],
)  # fmt: skip
def test_parts_that_contradict_each_other_are_named(old, new, message):
    text, _line = planted(SMALL, old, new)

    if message:
        assert [fault.message for fault in faults(text) if message in fault.message] != []
    else:
        assert read(text)  # the control: a question may wait for another


LETTERS = "letters: {due: letters}\n"
DUE = "milestones:\n  - {key: letters, title: Due, from: 2026-12-20T18:00, until: 2026-12-30T18:00}\n"
SECTION = "  - {key: letters, kind: letters, title: Letters}\nrequirements:\n"


@pytest.mark.parametrize(("letters", "milestones", "requirements", "said"), [
    (LETTERS, DUE, SECTION, []),
    ("letters: {due: letters, wanted: 2, least: 0, most: 2}\n", DUE, SECTION, []),
    ("", DUE, SECTION, ["The call has a section of letters but does not say how they come (“letters”)."]),
    (LETTERS, DUE, "requirements:\n", ["The call asks for letters but has no section of kind “letters”."]),
    (LETTERS, "milestones:\n", SECTION, ["There is no milestone “letters”."]),
    (LETTERS, DUE.replace(", until: 2026-12-30T18:00", ""), SECTION, ["The milestone “letters” has no end (“until”), so that letters would never be due."]),
    ("letters: {due: letters, wanted: 2, least: 3}\n", DUE, SECTION, ["At least 3 letters are asked for, and 2 are enough."]),
    ("letters: {due: letters, wanted: 3, most: 2}\n", DUE, SECTION, ["Only 2 referees can be asked for 3 letters."]),
    ("letters: {due: letters, ways: pigeon}\n", DUE, SECTION, ["“pigeon” is not one of link, scan, either."]),
])  # fmt: skip
def test_letters_of_referees_fit_the_rest_of_the_call(letters, milestones, requirements, said):
    text = (
        SMALL.replace("milestones:\n", milestones).replace("requirements:\n", requirements).replace("criteria:\n", f"{letters}criteria:\n")
    )

    if not said:
        assert read(text).data["letters"]["due"] == "letters"
    else:
        assert [fault.message for fault in faults(text)] == said


def test_a_review_needs_a_rubric():
    text = SMALL[: SMALL.index("rubric:")] + SMALL[SMALL.index("steps:") :]

    assert [fault.message for fault in faults(text)] == ["There is a step of review but no rubric to score by."]


def test_all_faults_are_named_at_once_from_the_first_line_to_the_last():
    text = (
        TEXT.replace("zone: Asia/Ashgabat", "zone: Nowhere")
        .replace("choices: 2\n", "choices: 0\n")
        .replace("    weight: 25\n", "    weight: 0\n")
    )

    found = faults(text)

    assert [fault.where for fault in found] == ["zone", "choices", "rubric plan / weight"]
    assert [fault.line for fault in found] == sorted(fault.line for fault in found)
    assert str(found[0]) == f"line {found[0].line}: zone: “Nowhere” is no zone."


# -- Files that mean harm, or are no call at all ---------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n# nothing\n",
        "42",
        "- a\n- b",
        "call: [",
        "\t- x",
        "\x00",
        "{}",
        "a: &a [*a]",
        "a: *nothing",
        "[" * 5000,
        "{a: " * 5000,
        "- " * 3000,
        "? [a]\n: b",
        "--- a\n--- b",
        "a: &a [x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b, *b, *b]\n"
        "d: &d [*c, *c, *c, *c, *c, *c, *c, *c]\ne: &e [*d, *d, *d, *d, *d, *d, *d, *d]\nf: [*e, *e, *e, *e, *e, *e, *e, *e]\n",
    ],
    ids=range(16),
)
def test_what_is_no_call_is_refused_and_nothing_breaks(text):
    assert all(fault.line >= 1 and fault.message for fault in faults(text))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_file_with_anything_anywhere_is_read_or_refused(data):
    lines = SMALL.splitlines()
    number = data.draw(st.integers(0, len(lines) - 1))
    junk = data.draw(
        st.sampled_from(
            ["", "x", "- x", "  a: b", "[", "{", "!!set {a}", "&a *a", "'", "2027-13-01", "~", "key: [1, {a: b}]", "? x", "...", "%"]
        )
    )
    where = data.draw(st.integers(0, len(lines[number])))
    lines[number] = lines[number][:where] + junk + (lines[number][where:] if data.draw(st.booleans()) else "")

    try:
        read("\n".join(lines))
    except WrongFile as refused:
        found = refused.faults
    else:
        found = [Fault(1, "", "")]

    assert found != []


# -- How a file is read ----------------------------------------------------------


def test_words_that_look_like_yes_and_no_are_words():
    assert (
        read(
            SMALL.replace("countries: [KG, KZ, UZ]", "countries: [KG, KZ, UZ, NO]").replace(
                "UZ: uz-ministry}", "UZ: uz-ministry, NO: no-body}"
            )
        ).data["countries"][3]
        == "NO"
    )


def test_days_are_read_as_they_are_written():
    data = read(SMALL).data

    assert (data["opens"], data["starts"]) == ("2026-11-01T09:00", "2027-09-01")


def test_a_fault_of_the_database_has_its_line_too():
    call = read(TEXT)

    (fault,) = call.fault(("programmes", 1), "There is no such programme.").faults

    assert fault == Fault(TEXT[: TEXT.index("  - cn-xjmu-tcm-bachelor")].count("\n") + 1, "programmes 2", "There is no such programme.")
