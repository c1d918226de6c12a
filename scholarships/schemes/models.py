"""Scheme, what it covers and its stipends."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from scholarships.partners.models import Institution
from scholarships.programmes.models import Level
from scholarships.texts.fields import MultilingualField


class SchemeKind(models.TextChoices):
    SCO = "sco", _("SCO scholarship")
    BILATERAL = "bilateral", _("Bilateral scholarship")
    UNIVERSITY = "university", _("University scholarship")
    JOINT = "joint", _("Joint programme")
    EXCHANGE = "exchange", _("Exchange")


class Scheme(models.Model):
    code = models.SlugField(_("code"), max_length=40, unique=True)
    kind = models.CharField(_("kind"), max_length=10, choices=SchemeKind)
    name = MultilingualField(_("name"))
    funder = models.ForeignKey(Institution, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("funder"))

    NOT_PERSONAL = ("code", "name")

    def __str__(self) -> str:
        return str(self.name)


class Coverage(models.Model):
    """One thing that the scheme pays, or (``is_paid`` false) does not pay."""

    scheme = models.ForeignKey(Scheme, models.CASCADE, related_name="coverage")
    order = models.PositiveSmallIntegerField()
    item = MultilingualField(_("what"))
    says = MultilingualField(_("how much"), blank=True)
    is_paid = models.BooleanField(_("is paid"), default=True)

    NOT_PERSONAL = ("item", "says")

    class Meta:
        ordering = ["scheme", "order"]
        constraints = [models.UniqueConstraint(fields=["scheme", "order"], name="coverage_order_once")]

    def __str__(self) -> str:
        return str(self.item)


class StipendRate(models.Model):
    scheme = models.ForeignKey(Scheme, models.CASCADE, related_name="stipends")
    level = models.CharField(_("level"), max_length=10, choices=Level)
    cny_a_month = models.DecimalField(_("CNY a month"), max_digits=8, decimal_places=2)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["scheme", "level"], name="stipend_level_once"),
            models.CheckConstraint(name="stipend_not_negative", condition=models.Q(cny_a_month__gte=0)),
        ]

    def __str__(self) -> str:
        return f"{self.level} {self.cny_a_month}"
