"""The city whose name stands for a time zone: people read "18:00 Beijing", not "Asia/Shanghai"."""

from __future__ import annotations

from scholarships.texts.fields import Text, text

_CITIES = {
    "Asia/Almaty": {"en": "Astana", "zh-hans": "阿斯塔纳", "ru": "Астана"},
    "Asia/Ashgabat": {"en": "Ashgabat", "zh-hans": "阿什哈巴德", "ru": "Ашхабад"},
    "Asia/Bishkek": {"en": "Bishkek", "zh-hans": "比什凯克", "ru": "Бишкек"},
    "Asia/Dushanbe": {"en": "Dushanbe", "zh-hans": "杜尚别", "ru": "Душанбе"},
    "Asia/Karachi": {"en": "Islamabad", "zh-hans": "伊斯兰堡", "ru": "Исламабад"},
    "Asia/Kolkata": {"en": "New Delhi", "zh-hans": "新德里", "ru": "Нью-Дели"},
    "Asia/Shanghai": {"en": "Beijing", "zh-hans": "北京", "ru": "Пекин"},
    "Asia/Tashkent": {"en": "Tashkent", "zh-hans": "塔什干", "ru": "Ташкент"},
    "Asia/Tehran": {"en": "Tehran", "zh-hans": "德黑兰", "ru": "Тегеран"},
    "Europe/Minsk": {"en": "Minsk", "zh-hans": "明斯克", "ru": "Минск"},
    "Europe/Moscow": {"en": "Moscow", "zh-hans": "莫斯科", "ru": "Москва"},
    "UTC": {"en": "UTC", "zh-hans": "UTC", "ru": "UTC"},
}


def city_of(zone: str) -> Text:
    """The city that people of ZONE (an IANA name) call their time by."""
    return text(_CITIES.get(zone) or zone.rsplit("/", 1)[-1].replace("_", " "))


def known_zones() -> list[str]:
    return sorted(_CITIES)
