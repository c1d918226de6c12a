"""Programmes from a YAML file, with their partners and phases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from django.db import transaction

from scholarships.partners.models import Institution
from scholarships.programmes.models import Partner, Phase, Programme
from scholarships.texts.fields import text

LIBRARY = Path(__file__).parent / "library"


@transaction.atomic
def load_programmes(path: Path) -> int:
    """Write the programmes of the file; one that exists is brought up to date. Gives how many.

    The file is a list of ``{code, kind, title, host, level, taught_in, field, months}``, with
    ``partners`` (``{institution, part}``) and ``phases`` (in order) where it is a joint one.
    """
    rows: list[dict[str, Any]] = yaml.safe_load(path.read_text(encoding="utf-8"))
    institutions = {institution.code: institution for institution in Institution.objects.all()}
    for row in rows:
        programme, _created = Programme.objects.update_or_create(
            code=row["code"],
            defaults={
                "kind": row.get("kind", "degree"),
                "title": text(row["title"]),
                "host": institutions[row["host"]],
                "level": row["level"],
                "taught_in": row["taught_in"],
                "field": str(row["field"]),
                "months": row["months"],
            },
        )
        programme.partners.all().delete()
        programme.phases.all().delete()
        Partner.objects.bulk_create(
            Partner(programme=programme, institution=institutions[partner["institution"]], part=partner["part"])
            for partner in row.get("partners", [])
        )
        Phase.objects.bulk_create(
            Phase(
                programme=programme,
                order=order,
                title=text(phase["title"]),
                institution=institutions[phase["institution"]] if "institution" in phase else None,
                months=phase["months"],
                taught_in=phase.get("taught_in", ""),
                entry=phase.get("entry", ""),
                entry_text=text(phase.get("entry_text")),
            )
            for order, phase in enumerate(row.get("phases", []), start=1)
        )
    return len(rows)
