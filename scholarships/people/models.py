"""User, Membership and Profile."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from scholarships.events.codes import new_code
from scholarships.partners.models import Country, Institution, validate_zone
from scholarships.privacy.declarations import Period, Personal, Purpose, placeholder


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=(username or "").lower())


class Theme(models.TextChoices):
    SYSTEM = "", _("As the device")
    LIGHT = "light", _("Light")
    DARK = "dark", _("Dark")


class User(AbstractBaseUser, PermissionsMixin):
    """Somebody who signs in, by e-mail address.

    ``is_staff`` opens Django's own admin and nothing else: what a person may do on the site
    follows from Memberships, and everybody may apply.
    """

    code = models.CharField(max_length=12, unique=True, default=new_code, editable=False)
    email = models.EmailField(_("e-mail address"), unique=True)
    name = models.CharField(_("name"), max_length=150, blank=True)
    language = models.CharField(_("language"), max_length=10, blank=True, choices=settings.LANGUAGES)
    zone = models.CharField(_("time zone"), max_length=40, blank=True, validators=[validate_zone])
    theme = models.CharField(_("look"), max_length=5, blank=True, choices=Theme)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(_("may open the technician's admin"), default=False)
    joined_at = models.DateTimeField(default=timezone.now, editable=False)

    PERSONAL = {
        "email": Personal(Purpose.ACCOUNT, Period.ACCOUNT, placeholder),
        "name": Personal(Purpose.ACCOUNT, Period.ACCOUNT),
        "password": Personal(Purpose.ACCOUNT, Period.ACCOUNT),
    }
    NOT_PERSONAL = ("code", "zone")

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"

    class Meta:
        constraints = [
            models.UniqueConstraint(
                Lower("email"), name="user_email_once", violation_error_message=_("There is an account with this address already.")
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.email

    def get_short_name(self) -> str:
        return self.name.split(" ")[0] if self.name else self.email.split("@")[0]


class Role(models.TextChoices):
    OFFICER = "officer", _("Officer")
    REVIEWER = "reviewer", _("Reviewer")
    BODY = "body", _("Member of a nominating body")


class Scope(models.TextChoices):
    SITE = "site", _("The whole site")
    CALL = "call", _("One call")
    INSTITUTION = "institution", _("One institution")


class MembershipQuerySet(models.QuerySet["Membership"]):
    def active(self, *, on: Any = None) -> MembershipQuerySet:
        today = on or timezone.now().date()
        return self.filter(Q(ends_on__isnull=True) | Q(ends_on__gte=today))

    def of(self, user: Any, *roles: str) -> MembershipQuerySet:
        """The active memberships of USER in any of ROLES."""
        if not user.is_authenticated:
            return self.none()
        return self.active().filter(user=user, role__in=roles)

    def of_bodies(self, codes: Iterable[str]) -> MembershipQuerySet:
        """The members of the nominating bodies with these CODES."""
        return self.filter(role=Role.BODY, scope_kind=Scope.INSTITUTION, scope_key__in=list(codes))


class Membership(models.Model):
    """USER has a ROLE within a scope: the site, one call (its code) or one institution (its code).

    ``decides``: of a member of a body, whether they decide for it, or prepare what others decide. With
    ``ends_on`` it is a deputy's: it counts up to and including that day.
    """

    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    role = models.CharField(_("role"), max_length=10, choices=Role)
    scope_kind = models.CharField(_("scope"), max_length=12, choices=Scope)
    scope_key = models.CharField(_("of"), max_length=60, blank=True)
    decides = models.BooleanField(_("decides"), default=True)
    ends_on = models.DateField(_("ends on"), null=True, blank=True)
    given_at = models.DateTimeField(default=timezone.now, editable=False)

    NOT_PERSONAL = ("scope_key", "ends_on")

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "role", "scope_kind", "scope_key"], name="membership_once"),
            models.CheckConstraint(
                name="membership_scope_has_its_key",
                condition=Q(scope_kind=Scope.SITE, scope_key="") | (~Q(scope_kind=Scope.SITE) & ~Q(scope_key="")),
                violation_error_message=_("Say which call or institution the role is for."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.role} {self.scope_kind}:{self.scope_key}"


class Profile(models.Model):
    """What a person tells once about themselves, beyond the account.

    ``institution`` and ``citizenship`` are also what conflicts of interest are derived from.
    """

    user = models.OneToOneField(User, models.CASCADE, primary_key=True, related_name="profile")
    name_own_script = models.CharField(_("name in your own script"), max_length=150, blank=True)
    citizenship = models.ForeignKey(Country, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("citizenship"))
    institution = models.ForeignKey(Institution, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("institution"))
    fields = models.JSONField(_("fields (ISCED-F)"), default=list, blank=True)

    PERSONAL = {"name_own_script": Personal(Purpose.IDENTITY, Period.ACCOUNT), "fields": Personal(Purpose.ACCOUNT, Period.ACCOUNT)}

    def __str__(self) -> str:
        return f"profile of {self.user_id}"
