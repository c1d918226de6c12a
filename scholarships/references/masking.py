"""A letter as reviewers read it: without the names of the applicant and of whoever wrote it. Made once, when it is sent."""

from __future__ import annotations

import re
from collections.abc import Iterable

GAP = "…"
_TITLES = frozenset(
    ["prof", "professor", "dr", "doctor", "mr", "mrs", "ms", "assoc", "associate", "candidate", "проф", "профессор", "доцент", "доктор"]
)
_CJK = re.compile(r"[\u3400-\u9fff]")


def masked(text: str, names: Iterable[str]) -> str:
    """TEXT with a gap for each word of NAMES, also where an ending of Russian or English is added to it, and for addresses."""
    text = re.sub(r"\S+@\S+", GAP, text)
    words, signs = set(), set()
    for name in names:
        if _CJK.search(name):  # no spaces between words: the name as it stands, and the given name alone
            signs |= {part for part in re.split(r"[\s·]+", name) if _CJK.search(part)}
            continue
        words |= {word for word in re.findall(r"[^\W\d_]{2,}", name) if word.casefold() not in _TITLES}
    for sign in sorted(signs, key=len, reverse=True):
        text = text.replace(sign, GAP)
        if len(sign) > 2:
            text = text.replace(sign[1:], GAP)
    for word in sorted(words, key=len, reverse=True):
        stem = word[:-1] if len(word) > 4 and word[-1].lower() in "аяеоуыийь" else word
        text = re.sub(rf"\b{re.escape(stem)}[^\W\d_]{{0,3}}\b", GAP, text, flags=re.IGNORECASE)
    return text
