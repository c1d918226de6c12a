"""What everybody may see, before any account."""

from __future__ import annotations

import zoneinfo
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from exchange.browse.fit import Fit, fit_of, other_doors
from exchange.browse.forms import EligibilityForm, FinderForm, ProgrammeFilterForm
from exchange.ui.guards import open_to_everybody
from exchange.ui.paging import page_number, page_of
from exchange.ui.visitor import known_answers, remember_answers
from scholarships.applications.actions import require_writable
from scholarships.applications.models import Application
from scholarships.calls.form import Criterion, form_of
from scholarships.calls.models import Call, Milestone, is_open
from scholarships.engine.conditions import parse
from scholarships.partners.models import Country, Institution
from scholarships.programmes.fields import field_name
from scholarships.programmes.models import Programme
from scholarships.quotas.models import Purpose, Quota


@open_to_everybody
@require_GET
def calls(request: HttpRequest) -> HttpResponse:
    """Open calls by citizenship and level; the address holds the choice."""
    finder = FinderForm(request.GET or None)
    is_bad = finder.is_bound and not finder.is_valid()
    wanted = {name: value for name, value in (finder.cleaned_data if finder.is_bound else {}).items() if value}
    now = timezone.now()
    open_calls = list(
        Call.objects.open_now(at=now)
        .select_related("scheme", "version")
        .prefetch_related("countries", "scheme__stipends")
        .order_by("closes_at", "code")
    )
    shown = [call for call in open_calls if _matches(call, wanted)]
    places = places_of(shown)
    facts = known_answers(request) | wanted
    country = Country.objects.filter(pk=wanted.get("citizenship", "")).first()
    context = {
        "finder": finder,
        "is_bad": is_bad,
        "cards": [
            {"call": call, "places": places.get(call.pk), "fit": fit_of(call, facts) if facts.get("citizenship") else None}
            for call in shown
        ],
        "count_all": len(open_calls),
        "wanted": wanted,
        "country": country,
        "zone": country.zone if country else "",
        "coming": Call.objects.published().filter(opens_at__gt=now).order_by("opens_at")[:3] if not shown else [],
    }
    return render(request, "browse/calls.html", context)


def places_of(calls: list[Call]) -> dict[int, int]:
    """Scholarship places in all: by country and level where they are set so, else by programme. Call pk -> places."""
    found: dict[int, int] = {}
    for by in ("o.programme", "a.country,o.level"):
        found |= dict(Quota.objects.filter(call__in=calls, purpose=Purpose.AWARD, by=by).values_list("call").annotate(total=Sum("places")))
    return found


def _matches(call: Call, wanted: Mapping[str, str]) -> bool:
    if "citizenship" in wanted and wanted["citizenship"] not in {country.pk for country in call.countries.all()}:
        return False
    return "level" not in wanted or wanted["level"] in call.levels


@open_to_everybody
@require_GET
def call(request: HttpRequest, code: str) -> HttpResponse:
    """One call: fit, what it pays, dates, documents, scoring, places."""
    found = get_object_or_404(
        Call.objects.visible_to(request.user).select_related("scheme__funder", "version").prefetch_related("countries"), code=code
    )
    if found.version is None:
        return redirect("manage:call", code=code)
    facts = known_answers(request)
    quotas = list(Quota.objects.filter(call=found, purpose=Purpose.AWARD, by="a.country,o.level"))
    country = Country.objects.filter(pk=facts.get("citizenship", "")).first()
    context = {
        "call": found,
        "form": form_of(found.version),
        "fit": fit_of(found, facts) if facts.get("citizenship") else None,
        "is_open": is_open(found, timezone.now()),
        "is_over": timezone.now() > found.last_moment(),
        "coverage": found.scheme.coverage.all(),
        "stipends": sorted(found.scheme.stipends.filter(level__in=found.levels), key=lambda rate: found.levels.index(rate.level)),
        "dates": _dates(found),
        "rules": _rules_by_level(found),
        "places": _matrix(found, quotas),
        "places_total": places_of([found]).get(found.pk),
        "programme_count": found.programmes.count(),
        "phases": _phases(found),
        "country": country,
        "zone": country.zone if country else "",
    }
    return render(request, "browse/call.html", context)


def _dates(call: Call) -> list[tuple[str, datetime | date, Milestone | None]]:
    """The calendar in its order: (kind, moment, milestone)."""
    zone = zoneinfo.ZoneInfo(call.zone)
    entries: list[tuple[str, datetime | date, Milestone | None]] = [
        ("opens", call.opens_at, None),
        ("closes", call.closes_at, None),
        ("results", call.results_at, None),
        ("starts", call.starts_on, None),
        *(("milestone", milestone.starts_at, milestone) for milestone in call.milestones.all()),
    ]
    order = {"opens": 0, "closes": 1, "milestone": 3, "results": 2, "starts": 4}

    def place(entry: tuple[str, datetime | date, Milestone | None]) -> tuple[date, int]:
        at = entry[1]
        return (at.astimezone(zone).date() if isinstance(at, datetime) else at, order[entry[0]])

    return sorted(entries, key=place)


def _rules_by_level(call: Call) -> list[tuple[str, list[Criterion]]]:
    """The criteria in words: first those for everyone (level ""), then those of each level."""
    assert call.version is not None, "a published call has a version"
    criteria = form_of(call.version).criteria
    concerned = {
        level: [criterion for criterion in criteria if parse(criterion.rule.when).holds({"level": level}) is not False]
        for level in call.levels
    }
    for_all = [criterion for criterion in criteria if all(criterion in rows for rows in concerned.values())]
    own = [(level, [criterion for criterion in rows if criterion not in for_all]) for level, rows in concerned.items()]
    return [("", for_all), *((level, rows) for level, rows in own if rows)]


def _matrix(call: Call, quotas: list[Quota]) -> list[dict[str, Any]]:
    """Places by country and level, a row a country."""
    cells = {quota.cell: quota.places for quota in quotas}
    rows = []
    for country in sorted(call.countries.all(), key=str):
        numbers = [cells.get(f"{country.pk},{level}") for level in call.levels]
        if any(number is not None for number in numbers):
            rows.append(
                {"country": country, "numbers": [number or 0 for number in numbers], "total": sum(number or 0 for number in numbers)}
            )
    return rows


def _phases(call: Call) -> list[Any]:
    """The phases of the joint programme, where the call is for one."""
    programmes = list(call.programmes.filter(phases__isnull=False).distinct()[:2])
    return list(programmes[0].phases.select_related("institution")) if len(programmes) == 1 else []


@open_to_everybody
@require_http_methods(["GET", "POST"])
def can_apply(request: HttpRequest, code: str) -> HttpResponse:
    """A few questions and a reason for each rule; nobody is asked for an account, and no answer is a bare no."""
    found = get_object_or_404(Call.objects.published().select_related("version", "scheme").prefetch_related("countries"), code=code)
    known = known_answers(request)
    initial = {
        "citizenship": request.GET.get("citizenship") or known.get("citizenship"),
        "level": request.GET.get("level") or known.get("level"),
        "birth_date": known.get("birth_date"),
        "education": known.get("education.highest"),
        "hsk": known.get("hsk.level"),
        "ielts": known.get("ielts.score"),
    }
    form = EligibilityForm(found.levels, request.POST if request.method == "POST" else None, initial=initial)
    if form.is_valid():
        remember_answers(request, form.facts())
        return redirect("browse:verdict", code=code)
    return render(request, "browse/can_apply.html", {"call": found, "form": form}, status=422 if form.errors else 200)


@open_to_everybody
@require_GET
def verdict(request: HttpRequest, code: str) -> HttpResponse:
    found = get_object_or_404(Call.objects.published().select_related("version", "scheme").prefetch_related("countries"), code=code)
    facts = known_answers(request)
    if not facts:
        return redirect("browse:can_apply", code=code)
    fit: Fit = fit_of(found, facts)
    others = other_doors(found, facts, at=timezone.now()) if fit.is_eligible is False else []
    country = Country.objects.filter(pk=facts.get("citizenship", "")).first()
    return render(
        request,
        "browse/verdict.html",
        {"call": found, "fit": fit, "others": others, "is_open": is_open(found, timezone.now()), "country": country},
    )


@open_to_everybody
@require_GET
def programmes(request: HttpRequest, code: str = "") -> HttpResponse:
    """Programmes by level, language, field, host and words; with a call in hand each can be added as a choice."""
    found = get_object_or_404(Call.objects.published(), code=code) if code else None
    rows = found.programmes.all() if found else Programme.objects.all()
    fields = sorted(
        ((field, field_name(field)) for field in rows.order_by().values_list("field", flat=True).distinct()), key=lambda pair: pair[1]
    )
    hosts = sorted(
        ((host.code, str(host)) for host in Institution.objects.filter(programmes__in=rows).distinct()), key=lambda pair: pair[1]
    )
    form = ProgrammeFilterForm(fields, hosts, request.GET or None)
    is_bad = form.is_bound and not form.is_valid()
    if form.is_bound:
        rows = _filtered(rows, form.cleaned_data)
    page = page_of(rows.order_by("host__code", "code"), Programme.objects.select_related("host"), page_number(request.GET.get("page")), 30)
    quotas = (
        Quota.objects.filter(call=found, purpose=Purpose.AWARD, by="o.programme", cell__in=[row.code for row in page.rows])
        if found
        else Quota.objects.none()
    )
    context = {
        "call": found,
        "form": form,
        "is_bad": is_bad,
        "page": page,
        "places": dict(quotas.values_list("cell", "places")),
        **(_ways_to_choose(found, request.user) if found else {}),
    }
    return render(request, "browse/programmes.html", context)


def _ways_to_choose(call: Call, user: Any) -> dict[str, Any]:
    """``draft``: the reader's application that takes a choice now; ``may_start``: whether to begin one with it."""
    now = timezone.now()
    own = Application.objects.of(user).filter(call=call).select_related("call").first() if user.is_authenticated else None
    if own is None:
        return {"draft": None, "may_start": is_open(call, now)}
    try:
        require_writable(own, "choices", by=user, now=now)
    except ValidationError:
        own = None
    return {"draft": own, "may_start": False}


def _filtered(rows: Any, wanted: Mapping[str, str]) -> Any:
    for name, lookup in (("level", "level"), ("taught_in", "taught_in"), ("field", "field"), ("host", "host__code")):
        if wanted.get(name):
            rows = rows.filter(**{lookup: wanted[name]})
    for word in wanted.get("q", "").casefold().split():
        rows = rows.filter(search__contains=word)
    return rows


@open_to_everybody
@require_GET
def page(request: HttpRequest, name: str) -> HttpResponse:
    """Help, privacy, accessibility: words only."""
    return render(request, f"browse/{name}.html")
