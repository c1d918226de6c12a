"""The demo's calls: the three that are shipped, open from today, and four invented ones in later stages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from scholarships.calls.file import CallFile, read

PATTERN = Path(__file__).with_name("pattern.yaml")
OPEN_DAYS = 44  # between opening and closing in the pattern


@dataclass(frozen=True)
class Invented:
    """One call made from the pattern: closed so many days ago, with so many applicants."""

    code: str
    kind: str
    scheme: str
    scheme_name: tuple[str, str, str]
    title: tuple[str, str, str]
    summary: tuple[str, str, str]
    programmes: tuple[str, ...]
    closed_days_ago: int
    applicants: int


SILK_ROAD = Invented(
    "silk-road-2027", "university", "silk-road", ("Silk Road Scholarship", "丝绸之路奖学金", "Стипендия «Шёлковый путь»"),
    ("Silk Road Scholarship 2027", "2027 年丝绸之路奖学金", "Стипендия «Шёлковый путь» 2027"),
    ("A master’s or a doctorate at partner universities in Xi’an, Lanzhou and Nanjing.", "在西安、兰州、南京的合作院校攻读硕士或博士学位。", "Магистратура или докторантура в вузах-партнёрах Сианя, Ланьчжоу и Нанкина."),
    ("cn-hhu-hydrology-master", "cn-hhu-environment-master", "cn-lzu-atmospheric-master", "cn-lzu-public-health-master", "cn-xjtu-energy-master", "cn-snnu-tourism-master",
     "cn-chd-transport-master", "cn-hhu-hydrology-doctoral", "cn-lzu-geography-doctoral", "cn-xjtu-electrical-doctoral"),
    4, 48,
)  # fmt: skip
WATER = Invented(
    "amu-darya-2027", "bilateral", "amu-darya", ("Amu Darya Fellowship", "阿姆河奖学金", "Стипендия «Амударья»"),
    ("Amu Darya Water and Climate Fellowship 2027", "2027 年阿姆河水与气候奖学金", "Стипендия «Амударья: вода и климат» 2027"),
    ("For those who want to study water, soil and climate of Central Asia.", "面向研究中亚水、土壤与气候的申请人。", "Для тех, кто хочет изучать воду, почвы и климат Центральной Азии."),
    ("cn-hhu-hydrology-master", "cn-hhu-hydropower-master", "cn-hhu-environment-master", "cn-shzu-irrigation-master", "cn-xju-arid-ecology-master", "cn-lzu-atmospheric-master",
     "cn-hhu-hydrology-doctoral", "cn-xju-arid-ecology-doctoral", "cn-lzu-geography-doctoral"),
    24, 44,
)  # fmt: skip
ENGINEERS = Invented(
    "engineers-2027", "bilateral", "engineers", ("Engineers for Central Asia", "中亚工程师项目", "Инженеры для Центральной Азии"),
    ("Engineers for Central Asia 2027", "2027 年中亚工程师项目", "Инженеры для Центральной Азии 2027"),
    ("Roads, bridges, grids and clean energy: engineering degrees in China.", "道路、桥梁、电网与清洁能源：赴华攻读工程类学位。", "Дороги, мосты, сети и чистая энергия: инженерное образование в Китае."),
    ("cn-chd-civil-master", "cn-chd-transport-master", "cn-chd-vehicles-master", "cn-xjtu-energy-master", "cn-ncepu-electrical-master", "cn-ncepu-energy-master", "cn-hit-computing-master",
     "cn-chd-civil-doctoral", "cn-ncepu-electrical-doctoral", "cn-hit-civil-doctoral"),
    45, 53,
)  # fmt: skip
SCO_SPRING = Invented(
    "sco-supplement-2027", "sco", "sco-supplement", ("SCO Scholarship, supplementary places", "上海合作组织奖学金补充名额", "Стипендия ШОС, дополнительные места"),
    ("SCO Scholarship, supplementary places 2027", "2027 年上海合作组织奖学金补充名额", "Стипендия ШОС, дополнительные места 2027"),
    ("Further places for a master’s or a doctorate from the next autumn.", "秋季入学的硕士、博士补充名额。", "Дополнительные места в магистратуре и докторантуре с осени."),
    ("cn-blcu-tcsol-master", "cn-blcu-linguistics-master", "cn-snnu-education-master", "cn-xjnu-tcsol-master", "cn-hlju-economics-master", "cn-nwafu-agronomy-master", "cn-nwafu-food-master",
     "cn-blcu-linguistics-doctoral", "cn-snnu-chinese-literature-doctoral", "cn-nwafu-veterinary-doctoral"),
    70, 52,
)  # fmt: skip

LATER = (SILK_ROAD, WATER, ENGINEERS, SCO_SPRING)


def file_of(call: Invented) -> CallFile:
    """The call file of CALL, from the pattern."""
    text = PATTERN.read_text(encoding="utf-8")
    words = {
        "CODE": call.code,
        "KIND": call.kind,
        "SCHEME": call.scheme,
        "PROGRAMMES": ", ".join(call.programmes),
        "PROGRAMME_PLACES": ", ".join(f"[{code}, {2 + index % 3}]" for index, code in enumerate(call.programmes)),
    }
    for name, texts in (("SCHEME", call.scheme_name), ("TITLE", call.title), ("SUMMARY", call.summary)):
        words |= {f"{name}_{language}": said for language, said in zip(("EN", "ZH", "RU"), texts, strict=True)}
    for word, value in words.items():
        text = text.replace(f"@{word}@", value)
    return read(text)


def opened_on(call: Invented, today: date) -> date:
    return today - timedelta(days=call.closed_days_ago + OPEN_DAYS)
