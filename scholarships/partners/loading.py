"""Institutions from a YAML file: universities, ministries, embassies, councils."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from django.db import transaction

from scholarships.partners.models import Institution
from scholarships.texts.fields import text

LIBRARY = Path(__file__).parent / "library"


@transaction.atomic
def load_institutions(path: Path) -> int:
    """Write the institutions of the file; one that exists is brought up to date. Gives how many.

    The file is a list of ``{code, kind, name, country, city, number}``.
    """
    rows: list[dict[str, Any]] = yaml.safe_load(path.read_text(encoding="utf-8"))
    for row in rows:
        Institution.objects.update_or_create(
            code=row["code"],
            defaults={
                "kind": row["kind"],
                "name": text(row["name"]),
                "country_id": row["country"],
                "city": text(row.get("city")),
                "number": str(row.get("number", "")),
            },
        )
    return len(rows)
