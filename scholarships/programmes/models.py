"""Programme, its partners and its phases."""

from __future__ import annotations

from typing import Any

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from scholarships.partners.models import Institution
from scholarships.texts.fields import MultilingualField


class Level(models.TextChoices):
    BACHELOR = "bachelor", _("Bachelor’s")
    MASTER = "master", _("Master’s")
    DOCTORAL = "doctoral", _("Doctorate")
    GENERAL_SCHOLAR = "general", _("General scholar")
    SENIOR_SCHOLAR = "senior", _("Senior scholar")


class TaughtIn(models.TextChoices):
    CHINESE = "zh", _("Chinese")
    ENGLISH = "en", _("English")
    RUSSIAN = "ru", _("Russian")


class ProgrammeKind(models.TextChoices):
    DEGREE = "degree", _("Degree")
    JOINT = "joint", _("Joint programme")
    DOUBLE = "double", _("Double degree")
    EXCHANGE = "exchange", _("Exchange")
    LANGUAGE = "language", _("Language training")
    TEACHER = "teacher", _("Visiting teachers")
    LUBAN = "luban", _("Luban Workshop")


class Programme(models.Model):
    """Something one studies at a host institution; ``field`` is an ISCED-F 2013 code of four digits."""

    code = models.SlugField(_("code"), max_length=60, unique=True)
    kind = models.CharField(_("kind"), max_length=10, choices=ProgrammeKind, default=ProgrammeKind.DEGREE)
    title = MultilingualField(_("title"))
    host = models.ForeignKey(Institution, models.PROTECT, related_name="programmes", verbose_name=_("host institution"))
    level = models.CharField(_("level"), max_length=10, choices=Level)
    taught_in = models.CharField(_("taught in"), max_length=2, choices=TaughtIn)
    field = models.CharField(_("field"), max_length=4, validators=[RegexValidator(r"\A[0-9]{4}\Z", _("An ISCED-F field has four digits."))])
    months = models.PositiveSmallIntegerField(_("length in months"))
    search = models.CharField(max_length=1000, editable=False, blank=True)

    NOT_PERSONAL = ("code", "title", "field", "search")

    class Meta:
        ordering = ["code"]

    def __str__(self) -> str:
        return str(self.title)

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keep the casefolded words of title and host: SQLite folds ASCII only."""
        self.search = " ".join([*self.title.values(), *self.host.name.values()]).casefold()[:1000]
        super().save(*args, **kwargs)


class Part(models.TextChoices):
    HOME = "home", _("Home institution")
    HOST = "host", _("Host institution")
    PARTNER = "partner", _("Partner")


class Partner(models.Model):
    """An institution that carries a joint programme, in its part."""

    programme = models.ForeignKey(Programme, models.CASCADE, related_name="partners")
    institution = models.ForeignKey(Institution, models.PROTECT, related_name="+")
    part = models.CharField(_("part"), max_length=8, choices=Part)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["programme", "institution", "part"], name="programme_partner_once")]

    def __str__(self) -> str:
        return f"{self.programme_id} {self.institution_id} {self.part}"


class Phase(models.Model):
    """A stretch of a programme at one place. A label such as "3+2" does not say where each year is
    spent, the rows do. Without ``institution`` the phase is at each student's own home institution.

    ``entry`` is the condition to go on (engine language), ``entry_text`` says it in words.
    """

    programme = models.ForeignKey(Programme, models.CASCADE, related_name="phases")
    order = models.PositiveSmallIntegerField()
    title = MultilingualField(_("title"))
    institution = models.ForeignKey(Institution, models.PROTECT, null=True, blank=True, related_name="+")
    months = models.PositiveSmallIntegerField(_("length in months"))
    taught_in = models.CharField(_("taught in"), max_length=2, choices=TaughtIn, blank=True)
    entry = models.CharField(_("entry condition"), max_length=300, blank=True)
    entry_text = MultilingualField(_("entry condition in words"), blank=True)

    NOT_PERSONAL = ("title", "entry", "entry_text")

    class Meta:
        ordering = ["programme", "order"]
        constraints = [models.UniqueConstraint(fields=["programme", "order"], name="phase_order_once")]

    def __str__(self) -> str:
        return f"{self.programme_id}.{self.order}"
