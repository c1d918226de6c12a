"""Tags of every template: deadlines in two zones, error summary, bars, states, query strings."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from django import template
from django.forms import BaseForm
from django.template.context import RequestContext
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from exchange.ui.forms import country_name
from scholarships.applications.lifecycle import face
from scholarships.applications.models import Application, State
from scholarships.partners.zones import city_of
from scholarships.programmes.fields import field_name
from scholarships.programmes.models import Level

register = template.Library()

STATE_LOOKS = {
    State.DRAFT: "todo", State.SUBMITTED: "todo", State.RETURNED: "wait", State.NOMINATED: "doing", State.ELIGIBLE: "ok", State.IN_REVIEW: "doing",
    State.SELECTED: "ok", State.RESERVE: "wait", State.OFFERED: "wait", State.ACCEPTED: "ok",
}  # fmt: skip


# -- Time ------------------------------------------------------------------------


def moment(at: datetime, zone: str) -> str:
    """AT as people of ZONE say it: "5 December 2026, 18:00 Beijing"."""
    local = at.astimezone(zoneinfo.ZoneInfo(zone))
    return f"{date_format(local, 'DATE_FORMAT')}, {local:%H:%M} {city_of(zone)}"


def reader_zone(user: Any) -> str:
    """The zone of the reader: the profile's, else the country's of the citizenship, else unknown ("")."""
    if user is None or not user.is_authenticated:
        return ""
    if user.zone:
        return str(user.zone)
    profile = getattr(user, "profile", None)
    return str(profile.citizenship.zone) if profile and profile.citizenship else ""


def both_times(at: datetime, zone: str, other: str) -> str:
    """AT in ZONE, and in OTHER behind it where the clocks differ: "18:00 Beijing (16:00 in Bishkek)"."""
    said = moment(at, zone)
    if not other:
        return said
    here, there = at.astimezone(zoneinfo.ZoneInfo(zone)), at.astimezone(zoneinfo.ZoneInfo(other))
    if here.utcoffset() == there.utcoffset():
        return said
    clock = f"{there:%H:%M}" if here.date() == there.date() else f"{date_format(there, 'MONTH_DAY_FORMAT')}, {there:%H:%M}"
    return _("%(here)s (%(clock)s in %(city)s)") % {"here": said, "clock": clock, "city": city_of(other)}


@register.simple_tag(takes_context=True)
def deadline(context: RequestContext, at: datetime | None, zone: str, other: str = "") -> str | SafeString:
    """A moment in the call's zone and the reader's; a script adds the browser's where neither is it."""
    if at is None:
        return ""
    user = context.get("user")
    return format_html(
        '<time datetime="{}">{}</time>',
        at.isoformat(timespec="seconds"),
        both_times(at, zone, other or context.get("zone") or reader_zone(user)),
    )


@register.simple_tag
def clock(at: datetime | None, zone: str, seconds: bool = False) -> str | SafeString:
    """A moment in one zone, to the second where it is evidence."""
    if at is None:
        return ""
    return format_html(
        '<time datetime="{}">{}</time>', at.isoformat(timespec="seconds"), second_in(at, zone) if seconds else moment(at, zone)
    )


@register.simple_tag(takes_context=True)
def saved(context: RequestContext, at: datetime, zone: str) -> SafeString:
    """When something was saved, by the reader's clock where it is known."""
    local = at.astimezone(zoneinfo.ZoneInfo(reader_zone(context.get("user")) or zone))
    today = timezone.now().astimezone(local.tzinfo).date()
    words = _("Saved today at %(clock)s") if local.date() == today else _("Saved on %(day)s at %(clock)s")
    return format_html('<span class="saved">{}</span>', words % {"day": date_format(local, "MONTH_DAY_FORMAT"), "clock": f"{local:%H:%M}"})


@register.filter
def moment_in(at: datetime | None, zone: str) -> str:
    """A moment in plain words, for letters."""
    return moment(at, zone) if at else ""


@register.filter
def second_in(at: datetime | None, zone: str) -> str:
    """A moment to the second in plain words, where it is evidence."""
    if at is None:
        return ""
    local = at.astimezone(zoneinfo.ZoneInfo(zone))
    return f"{date_format(local, 'DATE_FORMAT')}, {local:%H:%M:%S} {city_of(zone)}"


@register.filter
def form_name(key: str) -> str:
    """The form name of a question."""
    return key.replace(".", "-")


@register.filter
def day(value: datetime | date | None, zone: str = "UTC") -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        value = value.astimezone(zoneinfo.ZoneInfo(zone)).date()
    return date_format(value, "DATE_FORMAT")


@register.filter
def iso_day(value: Any) -> str:
    """A day of an answer ("2027-03-14") in words; anything else as it is."""
    try:
        return date_format(date.fromisoformat(str(value)), "DATE_FORMAT")
    except ValueError:
        return str(value)


def _left(at: datetime) -> tuple[int, str]:
    """What is left until AT: the number and its unit, rounded down."""
    seconds = (at - timezone.now()).total_seconds()
    if seconds >= 86400:
        days = int(seconds // 86400)
        return days, ngettext("day left", "days left", days)
    if seconds >= 3600:
        hours = int(seconds // 3600)
        return hours, ngettext("hour left", "hours left", hours)
    minutes = max(int(seconds // 60), 0)
    return minutes, ngettext("minute left", "minutes left", minutes)


@register.filter
def left_number(at: datetime) -> int:
    return _left(at)[0]


@register.filter
def left_unit(at: datetime) -> str:
    return _left(at)[1]


@register.filter
def time_left(at: datetime) -> str:
    """ "12 days left", "5 hours left", "40 minutes left"."""
    number, unit = _left(at)
    return f"{number} {unit}"


@register.filter
def days_left(at: datetime) -> int:
    return max((at - timezone.now()).days, 0)


# -- Words -----------------------------------------------------------------------


@register.filter
def said(value: Any) -> str:
    """A text of several languages in the reader's language."""
    return str(value)


@register.filter
def country(code: str) -> str:
    return country_name(code or "")


@register.filter
def isced(code: str) -> str:
    return field_name(code)


@register.filter
def get(mapping: Mapping[str, Any] | None, key: Any) -> Any:
    return (mapping or {}).get(key, "")


@register.filter
def megabytes(size: int) -> str:
    """Bytes as people say them: "64 kB", "1.1 MB"."""
    return f"{size / 1024:.0f} kB" if size < 1024 * 1024 else f"{size / 1024 / 1024:.1f} MB"


# -- Parts of a page -------------------------------------------------------------


@register.inclusion_tag("components/error_summary.html")
def error_summary(form: BaseForm | None = None, errors: Any = None, note: str = "") -> dict[str, Any]:
    """What is wrong on this page, each with a link to its field."""
    entries: list[tuple[str, str]] = []
    if form is not None and form.is_bound:
        for name, found in form.errors.items():
            target = target_of(form, name)
            entries += [(target, str(message)) for message in found]
    if errors is not None:
        messages = errors.messages if hasattr(errors, "messages") else errors
        entries += [(message if isinstance(message, tuple) else ("", str(message))) for message in messages]
    return {"entries": entries, "note": note}


def target_of(form: BaseForm, name: str) -> str:
    """The id of the control of NAME, where a link to it leads; "" where the form has none."""
    if name not in form.fields:
        return ""
    bound = form[name]
    if bound.use_fieldset and not bound.id_for_label:
        return f"{bound.auto_id}_0"
    return bound.id_for_label


@register.inclusion_tag("components/bar.html")
def bar(part: float, whole: float, label: str = "", kind: str = "") -> dict[str, Any]:
    """A bar whose length says PART of WHOLE; without a label it only repeats what stands beside it."""
    share = 0 if not whole else min(100, 100 * part / whole)
    return {"width": f"{share:.1f}%", "label": label, "kind": kind}


@register.inclusion_tag("components/state.html")
def state_tag(application: Application) -> dict[str, Any]:
    """The state by its staff name."""
    return {"look": STATE_LOOKS.get(State(application.state), "off"), "label": application.get_state_display()}


@register.inclusion_tag("components/state.html")
def face_tag(application: Application) -> dict[str, Any]:
    """The state as the applicant sees it."""
    shown = face(application, at=timezone.now())
    return {"look": shown.tag, "label": shown.name}


@register.simple_tag(takes_context=True)
def query(context: RequestContext, **changes: Any) -> str:
    """The query string of this page with CHANGES; an empty value drops the key."""
    params = context["request"].GET.copy()
    for key, value in changes.items():
        params.pop(key, None)
        if value not in ("", None):
            params[key] = str(value)
    encoded = params.urlencode()
    return f"?{encoded}" if encoded else "?"


@register.filter
def zip_with(first: Iterable[Any], second: Iterable[Any]) -> list[tuple[Any, Any]]:
    return list(zip(first, second, strict=False))


@register.filter
def level_name(level: str) -> str:
    return str(Level(level).label) if level in Level.values else level


@register.filter
def money(amount: Any) -> str:
    """An amount with its thousands apart and without empty cents: "3 000" or "3,000", as the language writes it."""
    return number_format(amount, decimal_pos=0, use_l10n=True, force_grouping=True)


@register.filter
def lowest(rates: Iterable[Any]) -> str:
    return money(min(rate.cny_a_month for rate in rates))


@register.filter
def highest(rates: Iterable[Any]) -> str:
    return money(max(rate.cny_a_month for rate in rates))
