"""What everybody may see, before any account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
from scholarships.applications.models import Application, State
from scholarships.calls.form import form_of
from scholarships.calls.models import Call, is_open
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
    places = dict(
        Quota.objects.filter(call__in=shown, purpose=Purpose.AWARD, by__startswith="a.country")
        .values_list("call")
        .annotate(total=Sum("places"))
    )
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
        "stipends": found.scheme.stipends.filter(level__in=found.levels),
        "milestones": found.milestones.all(),
        "places": _matrix(found, quotas),
        "places_total": sum(quota.places for quota in quotas)
        or Quota.objects.filter(call=found, purpose=Purpose.AWARD, by="o.programme").aggregate(total=Sum("places"))["total"],
        "programme_count": found.programmes.count(),
        "phases": _phases(found),
        "country": country,
        "zone": country.zone if country else "",
    }
    return render(request, "browse/call.html", context)


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
    form = EligibilityForm(found.levels, request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
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
    if form.is_bound and form.is_valid():
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
        "page": page,
        "places": dict(quotas.values_list("cell", "places")),
        "is_open": found is not None and is_open(found, timezone.now()),
        "draft": Application.objects.filter(call=found, applicant=request.user, state=State.DRAFT).first()
        if found and request.user.is_authenticated
        else None,
    }
    return render(request, "browse/programmes.html", context)


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
