"""Post and the papers enclosed with it. The thread of an application is its posts in their order."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from scholarships.applications.models import Application
from scholarships.documents.models import DocumentVersion
from scholarships.events.codes import new_code
from scholarships.privacy.declarations import Period, Personal, Purpose


class PostQuerySet(models.QuerySet["Post"]):
    def visible_to(self, user: Any) -> PostQuerySet:
        """The posts that USER may read; agrees with ``rules.may_read``: there are none about a draft."""
        return self.filter(application__in=Application.objects.visible_to(user))

    def of(self, application: Application) -> PostQuerySet:
        """The thread of APPLICATION, the newest first."""
        return self.filter(application=application).select_related("author").order_by("-pk")


class Post(models.Model):
    """What AUTHOR wrote into the thread of APPLICATION; ``by_office``: as an officer of its call, not as the applicant."""

    code = models.CharField(max_length=12, unique=True, default=new_code, editable=False)
    application = models.ForeignKey(Application, models.PROTECT, related_name="posts")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="posts")
    by_office = models.BooleanField(_("by the office"))
    text = models.TextField(_("message"))
    at = models.DateTimeField(default=timezone.now)

    PERSONAL = {"text": Personal(Purpose.CONTACT, Period.CALL)}
    NOT_PERSONAL = ("code",)

    objects = PostQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["application", "-id"], name="post_of_application")]

    def __str__(self) -> str:
        return self.code


class Enclosure(models.Model):
    """A paper sent with POST. Whoever is not its owner gets the rebuilt copy."""

    post = models.ForeignKey(Post, models.PROTECT, related_name="enclosures")
    file = models.ForeignKey(DocumentVersion, models.PROTECT, related_name="enclosures")
    order = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["order"]
        constraints = [
            models.UniqueConstraint(fields=["post", "order"], name="enclosure_in_order"),
            models.CheckConstraint(name="enclosure_order_from_1", condition=Q(order__gte=1)),
        ]

    def __str__(self) -> str:
        return f"{self.post_id}.{self.order}"
