"""Forms of signing in and of the profile."""

from __future__ import annotations

from typing import Any

from allauth.account.forms import ConfirmLoginCodeForm, LoginForm, RequestLoginCodeForm
from allauth.account.models import EmailAddress
from django import forms
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from exchange.ui.forms import PlainForm, countries
from scholarships.partners.zones import city_of, known_zones
from scholarships.people.models import User

LONGEST_ADDRESS = User._meta.get_field("email").max_length or 254


class CodeRequestForm(RequestLoginCodeForm):
    """Ask for a six-digit code. An unknown address gets one too: the same code makes the account.

    So the page answers the same for known and unknown addresses.
    """

    def clean_email(self) -> str:
        email = super().clean_email().lower()
        if len(email) > LONGEST_ADDRESS:
            raise ValidationError(_("Enter an address of at most %(most)d characters."), code="too_long", params={"most": LONGEST_ADDRESS})
        if self._user is None and not User.objects.filter(email=email).exists():
            self._user = new_account(email)
        return email


def new_account(email: str) -> User:
    """An account without a password, not verified until its first code comes back."""
    try:
        with transaction.atomic():
            user = User.objects.create_user(email)
            EmailAddress.objects.create(user=user, email=email, primary=True, verified=False)
    except IntegrityError:  # asked twice at once
        return User.objects.get(email=email)
    return user


class CodeForm(ConfirmLoginCodeForm):
    """The code may be pasted with spaces."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].error_messages["required"] = _("Type the six digits from your mail.")
        self.fields["code"].widget.attrs.update(
            {"inputmode": "numeric", "autocomplete": "one-time-code", "class": "form-control code", "maxlength": "9", "placeholder": ""}
        )

    def clean_code(self) -> str:
        self.cleaned_data["code"] = "".join(self.cleaned_data["code"].split())
        return super().clean_code()


class PasswordForm(LoginForm):
    """Address and password, for those who have set one; staff always do."""


class ProfileForm(PlainForm):
    name = forms.CharField(
        label=_("Your name"),
        max_length=150,
        help_text=_("As people should address you, in any script."),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    name_own_script = forms.CharField(
        label=_("Name in your own script"), required=False, max_length=150, help_text=_("For example Асанова Нурай or 王小明.")
    )
    citizenship = forms.ChoiceField(label=_("Citizenship"), required=False, choices=countries)
    language = forms.ChoiceField(label=_("Language of pages and mails"), choices=User._meta.get_field("language").choices or ())
    zone = forms.ChoiceField(label=_("Your time"), required=False, help_text=_("Deadlines are also shown in this time."))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["zone"].choices = [
            ("", _("As in the country of my citizenship")),
            *((zone, str(city_of(zone))) for zone in known_zones()),
        ]


class WelcomeForm(PlainForm):
    """All that is asked at the first sign-in."""

    name = ProfileForm.base_fields["name"]
    citizenship = ProfileForm.base_fields["citizenship"]
    language = ProfileForm.base_fields["language"]
