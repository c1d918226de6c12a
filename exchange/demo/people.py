"""The invented people of the demo, by role. Addresses end in @sapar.example, which reaches nobody."""

from __future__ import annotations

from dataclasses import dataclass

PASSWORD = "open-steppe-road"


@dataclass(frozen=True)
class Persona:
    """Somebody one can be in the demo. ``of``: the institution for which a member of a body acts."""

    role: str
    email: str
    name: str
    country: str = ""
    of: str = ""
    password: str = PASSWORD


STUDENT = Persona("student", "nuray@sapar.example", "Nuray Asanova", "KG")
JOINT_STUDENT = Persona("student", "malika@sapar.example", "Malika Yusupova", "UZ")
MINISTRY = Persona("ministry", "ministry.kg@sapar.example", "Aizada Toktogulova", "KG", of="kg-moe")
HOME_UNIVERSITY = Persona("ministry", "home.uz@sapar.example", "Sherzod Karimov", "UZ", of="uz-usmi")
REVIEWER = Persona("reviewer", "omarov@sapar.example", "Rustam Omarov", "KZ", of="kz-kaznu")
OFFICER = Persona("officer", "chen@sapar.example", "Chen Li", "CN")

SIGN_INS = (STUDENT, JOINT_STUDENT, MINISTRY, HOME_UNIVERSITY, REVIEWER, OFFICER)

OTHER_OFFICER = Persona("officer", "wu@sapar.example", "Wu Jie", "CN")
OTHER_BODIES = (
    Persona("ministry", "ministry.kz@sapar.example", "Dana Sadykova", "KZ", of="kz-moe"),
    Persona("ministry", "ministry.uz@sapar.example", "Nigora Rahimova", "UZ", of="uz-moe"),
    Persona("ministry", "ministry.tj@sapar.example", "Daler Rahmonov", "TJ", of="tj-moe"),
    Persona("ministry", "ministry.tm@sapar.example", "Aynur Ataeva", "TM", of="tm-moe"),
    Persona("ministry", "ministry.ru@sapar.example", "Olga Lebedeva", "RU", of="ru-moe"),
    Persona("ministry", "ministry.by@sapar.example", "Anton Novik", "BY", of="by-moe"),
    Persona("ministry", "ministry.pk@sapar.example", "Maria Iqbal", "PK", of="pk-hec"),
    Persona("ministry", "ministry.ir@sapar.example", "Reza Moradi", "IR", of="ir-moe"),
    Persona("ministry", "ministry.in@sapar.example", "Kavya Nair", "IN", of="in-moe"),
    Persona("ministry", "home.sammu@sapar.example", "Jasur Qodirov", "UZ", of="uz-sammu"),
)
OTHER_REVIEWERS = (
    Persona("reviewer", "lina@sapar.example", "Li Na", "CN", of="cn-lzu"),
    Persona("reviewer", "bekova@sapar.example", "Nazira Bekova", "KG", of="kg-knu"),
    Persona("reviewer", "wang@sapar.example", "Wang Min", "CN", of="cn-snnu"),
    Persona("reviewer", "saidov@sapar.example", "Firuz Saidov", "TJ", of="tj-tnu"),
    Persona("reviewer", "petrova@sapar.example", "Irina Petrova", "RU", of="ru-mpei"),
    Persona("reviewer", "zhao@sapar.example", "Zhao Yun", "CN", of="cn-xju"),
)
