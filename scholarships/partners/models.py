"""Country and Institution."""

from __future__ import annotations

import zoneinfo

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from scholarships.texts.fields import MultilingualField


def validate_zone(value: str) -> None:
    try:
        zoneinfo.ZoneInfo(value)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):  # OSError: "Asia" is a folder of zones
        raise ValidationError(_("“%(zone)s” is not a time zone."), code="unknown_zone", params={"zone": value}) from None


class Country(models.Model):
    """A country that takes part, by its ISO 3166-1 alpha-2 code.

    ``zone`` is the zone in which its people read a deadline.
    """

    code = models.CharField(_("ISO code"), max_length=2, primary_key=True)
    name = MultilingualField(_("name"))
    zone = models.CharField(_("time zone"), max_length=40, validators=[validate_zone])
    is_sco_member = models.BooleanField(_("member of the SCO"), default=False)

    NOT_PERSONAL = ("code", "name", "zone")

    class Meta:
        ordering = ["code"]
        verbose_name_plural = "countries"

    def __str__(self) -> str:
        return str(self.name)


class InstitutionKind(models.TextChoices):
    UNIVERSITY = "university", _("University")
    COLLEGE = "college", _("College")
    INSTITUTE = "institute", _("Institute")
    LABORATORY = "laboratory", _("Laboratory")
    ENTERPRISE = "enterprise", _("Enterprise")
    MINISTRY = "ministry", _("Ministry")
    EMBASSY = "embassy", _("Embassy")
    COUNCIL = "council", _("Council")
    ALLIANCE = "alliance", _("Alliance")


class Institution(models.Model):
    """A body that sends, hosts, nominates or decides.

    ``number`` is its public number where it has one (China's five-digit institution code, the
    number of a dispatching authority): shown and searchable, never typed by an applicant.
    """

    code = models.SlugField(_("code"), max_length=40, unique=True)
    kind = models.CharField(_("kind"), max_length=12, choices=InstitutionKind)
    name = MultilingualField(_("name"))
    country = models.ForeignKey(Country, models.PROTECT, related_name="institutions")
    city = MultilingualField(_("city"), blank=True)
    number = models.CharField(_("number"), max_length=20, blank=True)

    NOT_PERSONAL = ("code", "name", "city", "number")

    class Meta:
        ordering = ["code"]

    def __str__(self) -> str:
        return str(self.name)
