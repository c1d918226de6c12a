"""The invented people of the demo, by role. Addresses end in @sapar.example, which reaches nobody."""

from __future__ import annotations

from dataclasses import dataclass

PASSWORD = "open-steppe-road"


@dataclass(frozen=True)
class Persona:
    """Somebody one can be in the demo."""

    role: str
    email: str
    name: str
    password: str = PASSWORD


STUDENT = Persona("student", "nuray@sapar.example", "Nuray Asanova")
JOINT_STUDENT = Persona("student", "malika@sapar.example", "Malika Yusupova")
MINISTRY = Persona("ministry", "ministry.kg@sapar.example", "Aizada Toktogulova")
HOME_UNIVERSITY = Persona("home", "home.tma@sapar.example", "Sherzod Karimov")
REVIEWER = Persona("reviewer", "omarov@sapar.example", "Rustam Omarov")
OFFICER = Persona("officer", "chen@sapar.example", "Chen Li")

SIGN_INS = (STUDENT, JOINT_STUDENT, MINISTRY, HOME_UNIVERSITY, REVIEWER, OFFICER)
