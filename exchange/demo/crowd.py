"""Invented applicants: names, lives and answers that fit a call's form. The same seed makes the same crowd."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from scholarships.applications.answers import is_asked
from scholarships.calls.form import Form, Question
from scholarships.calls.models import QuestionKind

# Country -> (given names, family names): common ones, combined at random; nobody real is meant.
NAMES: dict[str, tuple[str, str]] = {
    "KG": (
        "Nurbek Aizada Kanat Gulnara Bakyt Aida Ruslan Meerim Azamat Zhyldyz",
        "Asanov Bekova Sydykov Orozova Isaev Toktosunova Mamytov Abdieva",
    ),
    "KZ": (
        "Aruzhan Daniyar Madina Erlan Kamila Timur Aigerim Sanzhar Dana Yerbol",
        "Serikov Akhmetova Nurlanov Omarova Bekov Sadykova Zhumabaev Kenzhebek",
    ),
    "UZ": (
        "Dilnoza Oybek Malika Bekzod Sitora Alisher Nigora Jasur Shahlo Rustam",
        "Karimov Yusupova Rahimov Polatova Ismoilov Normatova Tursunov Qodirova",
    ),
    "TJ": (
        "Farrukh Zarina Jamshed Samira Daler Shahnoza Umed Madina Firuz Nilufar",
        "Mirzoev Saidova Rahmonov Nazarova Sharipov Davlatova Kurbonov Safarova",
    ),
    "TM": ("Ogulgerek Maksat Leyla Serdar Aynur Batyr Jeren Kerim", "Durdyeva Orazov Amanova Berdiyev Ataeva Hojaev"),
    "RU": ("Anna Ivan Daria Pavel Elena Nikita Olga Maxim", "Smirnova Kuznetsov Volkova Orlov Lebedeva Morozov Egorova Pavlov"),
    "BY": ("Alesia Anton Hanna Kiryl Volha Dzmitry Palina Yauhen", "Kavalenka Novik Shauchuk Zhuk Marozava Lukashou"),
    "IR": ("Sara Reza Leila Amir Maryam Hossein Zahra Mehdi", "Ahmadi Karimi Hosseini Moradi Rezaei Jafari"),
    "PK": ("Ayesha Bilal Fatima Hamza Zainab Usman Maria Ali", "Khan Malik Ahmed Qureshi Iqbal Butt"),
    "IN": ("Ananya Rohan Priya Arjun Kavya Vikram Meera Rahul", "Sharma Patel Iyer Singh Nair Gupta"),
}
SCHOOLS = {
    "KG": "Specimen State University, Karakol",
    "KZ": "Specimen National University, Almaty",
    "UZ": "Specimen State University, Samarkand",
    "TJ": "Specimen National University, Dushanbe",
}
FIELDS = ("Hydrology", "Economics", "Civil engineering", "Public health", "Computer science", "Linguistics", "Agronomy", "Geography")
PLAN = (
    "The village where I grew up takes its water from a stream that starts at a glacier. When I was in school the canal ran until the end of September. "
    "In the last four years it has been dry by the middle of August. For my thesis I measured the discharge at three points of the canal for two seasons and compared it "
    "with the table by which the water is shared out. The table assumes a flow that no longer exists. I found that a third of the loss is seepage, which can be repaired, "
    "and not melt, which cannot. At the university I want to learn how the two are told apart with isotopes, and to try the method in a small catchment where nobody has gauged before. "
    "I have read the work of the group on the upper Tarim. I would like to test whether its approach holds with the sparse data that we have. "
    "After the degree the district water office has a place for me in its planning unit, and its records are open to me. I do not promise to save a glacier. "
    "I would like the table on the wall to be true. "
)


@dataclass(frozen=True)
class Somebody:
    """One invented applicant. ``merit`` (0 to 1) is how good the file is; reviewers find out roughly."""

    given: str
    family: str
    country: str
    level: str
    birth: date
    gpa: int
    hsk: int
    ielts: float
    merit: float
    home: str = ""  # code of the home institution, for joint programmes

    @property
    def name(self) -> str:
        return f"{self.given} {self.family}"


def somebody(dice: random.Random, country: str, level: str) -> Somebody:
    given, family = (dice.choice(names.split()) for names in NAMES.get(country, NAMES["KG"]))
    merit = min(0.98, max(0.05, dice.gauss(0.6, 0.17)))
    youngest = {"bachelor": 18, "master": 22, "doctoral": 25}.get(level, 24)
    return Somebody(
        given, family, country, level,
        birth=date(2027 - youngest - dice.randint(0, 5), dice.randint(1, 12), dice.randint(1, 28)),
        gpa=round(62 + 36 * merit), hsk=dice.choice((0, 3, 4, 4, 5)), ielts=dice.choice((5.5, 6.0, 6.5, 7.0)), merit=merit,
    )  # fmt: skip


def answers_of(form: Form, person: Somebody, facts: Mapping[str, Any], dice: random.Random) -> dict[str, dict[str, Any]]:
    """A complete answer to each section of FORM that concerns PERSON: section key -> question key -> value."""
    known = {**facts, "level": person.level, "citizenship": person.country}
    found: dict[str, dict[str, Any]] = {}
    for section in form.sections:
        if section.condition.holds(known) is not True:
            continue
        found[section.key] = {}
        for question in section.questions:
            if is_asked(question, known):
                value = answer_to(question, person, dice)
                found[section.key][question.key] = known[question.key] = value
    return found


def _fixed(person: Somebody) -> dict[str, Any]:
    """Answers that follow from the person, by question key."""
    education = {"bachelor": "secondary", "master": "bachelor", "doctoral": "master", "general": "bachelor", "senior": "master"}[
        person.level
    ]
    return {
        "level": person.level,
        "citizenship": person.country,
        "family_name": person.family.upper(),
        "given_names": person.given.upper(),
        "name_own_script": "",
        "birth_date": person.birth.isoformat(),
        "birth_country": person.country,
        "passport_held": True,
        "passport_number": f"{person.country}{person.birth:%m%d%y}7",
        "passport_issued": "2022-06-14",
        "passport_expires": "2032-06-14",
        "passport": f"{person.country}{person.birth:%m%d%y}7",
        "education.highest": education,
        "education_finished": True,
        "gpa": str(person.gpa),
        "gpa_scale": "100",
        "hsk.level": str(person.hsk),
        "hsk.score": str(180 + 20 * max(0, person.hsk - 3)),
        "hsk.date": "2026-05-20",
        "ielts.score": str(person.ielts),
        "phone": "+996 555 010203",
        "emergency_phone": "+996 555 040506",
        "permanent_same": True,
        "chinese_citizen": False,
        "other_scholarship": False,
        "china_before": False,
        "has_worked": False,
        "language_year": person.hsk < 4,
        "hsk_booked": True,
        "study_year": "3",
        "home_institution": person.home,
        "email_other": "",
    }


def answer_to(question: Question, person: Somebody, dice: random.Random) -> Any:
    """A plausible answer to QUESTION within its limits."""
    fixed = _fixed(person)
    if question.key in fixed and fits(question, fixed[question.key]):
        return fixed[question.key]
    match QuestionKind(question.kind):
        case QuestionKind.GROUP:
            rows = 2 if question.key == "referees" else 1
            return (
                [{column.key: answer_to(column, person, dice) for column in question.columns} for _row in range(rows)]
                if question.is_required or question.key == "schools"
                else []
            )
        case QuestionKind.CHOICE:
            return question.options[0].value
        case QuestionKind.CHOICES:
            return [question.options[0].value]
        case QuestionKind.COUNTRY:
            return person.country
        case QuestionKind.YES_NO:
            return False
        case QuestionKind.STATEMENT:
            return True
        case QuestionKind.DATE:
            return str(question.limits.get("minimum") or "2026-06-15")
        case QuestionKind.NUMBER:
            return (
                str(person.gpa)
                if not question.limits.get("maximum") or float(question.limits["maximum"]) >= 100
                else str(question.limits.get("maximum"))
            )
        case QuestionKind.EMAIL:
            return f"{person.given}.{person.family}@sapar.example".lower()
        case QuestionKind.PHONE:
            return "+996 555 070809"
        case QuestionKind.LONG:
            return _long(question)
        case _:
            return _short(question, person, dice)


def fits(question: Question, value: Any) -> bool:
    """Whether VALUE is among the options of QUESTION, where it has some."""
    return not question.options or value in {option.value for option in question.options}


def _long(question: Question) -> str:
    least = int(question.limits.get("words_min", 0))
    if not least:
        return "12 Specimen Street, Karakol"
    text = PLAN
    while len(text.split()) < least + 5:
        text += PLAN
    return text.strip()


def _short(question: Question, person: Somebody, dice: random.Random) -> str:
    if question.limits.get("pattern") == "year":
        return str(dice.choice((2021, 2022, 2024, 2025, 2026)))
    words = {
        "name": SCHOOLS.get(person.country, "Specimen University"),
        "school": SCHOOLS.get(person.country, "Specimen University"),
        "institution": SCHOOLS.get(person.country, "Specimen University"),
        "field": dice.choice(FIELDS),
        "emergency_name": f"Specimen {person.family}",
        "emergency_relation": "Parent",
        "position": "Professor",
    }
    return words.get(question.key, "Specimen")
