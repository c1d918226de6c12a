"""Every country by its ISO code, with its names in the site's languages and the zone its people read deadlines in."""

from __future__ import annotations

from importlib.resources import files

from django.db import migrations
from django.utils import translation
from django_countries import countries

# SCO members on 4 July 2024. Source: docs/domain facts, section 5.1.
SCO = {"CN", "RU", "KZ", "KG", "TJ", "UZ", "IN", "PK", "IR", "BY"}
# The capital's zone, where the first zone of the list is another.
ZONES = {"CN": "Asia/Shanghai", "RU": "Europe/Moscow", "KZ": "Asia/Almaty", "UZ": "Asia/Tashkent", "MN": "Asia/Ulaanbaatar", "US": "America/New_York", "DE": "Europe/Berlin"}
LANGUAGES = {"en": "en", "zh-hans": "zh-hans", "ru": "ru"}


def first_zones() -> dict[str, str]:
    """Country code -> its first zone in the tz database's zone.tab."""
    found: dict[str, str] = {}
    for line in files("tzdata").joinpath("zoneinfo/zone.tab").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            code, _place, zone = line.split("\t")[:3]
            found.setdefault(code, zone)
    return found


def load(apps, schema_editor):
    """Runs twice without harm: a country that is there stays as it is."""
    country = apps.get_model("partners", "Country")
    zones = first_zones() | ZONES
    names: dict[str, dict[str, str]] = {}
    for ours, theirs in LANGUAGES.items():
        with translation.override(theirs):
            for code, name in countries:
                names.setdefault(code, {})[ours] = str(name)
    known = set(country.objects.values_list("pk", flat=True))
    country.objects.bulk_create(
        country(code=code, name=name, zone=zones.get(code, "UTC"), is_sco_member=code in SCO) for code, name in sorted(names.items()) if code not in known
    )


class Migration(migrations.Migration):
    dependencies = [("partners", "0001_initial")]

    # Going back leaves the rows: other rooms may point at them, and loading again changes nothing.
    operations = [migrations.RunPython(load, migrations.RunPython.noop, elidable=False)]
