"""The checks of a file with the decision on it, and the confirmation before a list is sent."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import TextChoices
from django.forms.boundfield import BoundField
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from exchange.ui.forms import LocalMoment, PlainForm, dress
from exchange.ui.questions import name_of
from scholarships.applications.reasons import RETURN_REASONS
from scholarships.calls.form import Requirement, Section
from scholarships.nominations.models import Check
from scholarships.partners.zones import city_of

LONGEST_TEXT = 2000  # characters
USUAL_DAYS, MOST_DAYS = 10, 365  # to correct a file
_NEEDED_FOR_SOME = ("reason", "until", "sections", "note")  # not optional, only not always asked


class Decision(TextChoices):
    """What becomes of a file when its checks are saved."""

    STAY = "stay", gettext_lazy("Decide later")
    NOMINATE = "nominate", gettext_lazy("Nominate")
    RESERVE = "reserve", gettext_lazy("Reserve")
    RETURN = "return", gettext_lazy("Return to the applicant")
    TURN_DOWN = "turn_down", gettext_lazy("Not nominated")


_HINTS: dict[str, str | Promise] = {
    Decision.STAY: gettext_lazy("Keeps what you ticked and wrote; the file stays where it is"),
    Decision.NOMINATE: gettext_lazy("Goes to the end of your ranked list"),
    Decision.RESERVE: gettext_lazy("Goes to the end of your reserve list"),
    Decision.RETURN: gettext_lazy("Opens only the parts you name, until a date you set. The applicant gets an e-mail at once"),
    Decision.TURN_DOWN: gettext_lazy("This is final. The applicant reads your reason at once, by e-mail"),
}


def _long(label: Any, **kwargs: Any) -> forms.CharField:
    return forms.CharField(label=label, max_length=LONGEST_TEXT, required=False, widget=forms.Textarea(attrs={"rows": 3}), **kwargs)


class CheckForm(PlainForm):
    """Yes, no or cannot tell for each paper; a comment; the decision on the whole file with what it needs."""

    comment = _long(
        gettext_lazy("Comment for those who decide next"),
        help_text=gettext_lazy("Goes along with the file. The applicant does not read it."),
    )
    decision = forms.ChoiceField(
        label=gettext_lazy("Your decision on the whole file"),
        choices=Decision.choices,
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose what becomes of the file; “Decide later” is one answer.")},
    )
    reason = forms.ChoiceField(
        label=gettext_lazy("Reason"), choices=[("", gettext_lazy("Choose a reason")), *RETURN_REASONS.items()], required=False
    )
    until = forms.DateTimeField(
        label=gettext_lazy("Until"),
        widget=LocalMoment,
        required=False,
        error_messages={"invalid": gettext_lazy("Enter a real date and time.")},
    )
    sections = forms.MultipleChoiceField(
        label=gettext_lazy("Opens for correction"), widget=forms.CheckboxSelectMultiple, choices=[], required=False
    )
    note = _long(gettext_lazy("What the applicant reads"), help_text=gettext_lazy("What is wrong and what to do, in plain words."))

    def __init__(
        self,
        *args: Any,
        asked: Iterable[Requirement],
        sections: Iterable[Section],
        checks: Mapping[str, str],
        zone: str,
        decides: bool,
        **kwargs: Any,
    ) -> None:
        self.zone = zoneinfo.ZoneInfo(zone)
        self.asked = {f"check-{name_of(requirement.key)}": requirement for requirement in asked}
        initial = {name: checks.get(requirement.key, "") for name, requirement in self.asked.items()}
        kwargs["initial"] = {"decision": Decision.STAY, "until": self._usual_end(), **initial, **kwargs.get("initial", {})}
        super().__init__(*args, **kwargs)
        self.fields["sections"].choices = [(section.key, str(section.title)) for section in sections]  # type: ignore[attr-defined]
        self.fields["until"].help_text = _("Day and time in %(city)s.") % {"city": city_of(zone)}
        if not decides:
            self.fields["decision"].choices = [(Decision.STAY.value, _("Save for those who decide"))]  # type: ignore[attr-defined]
        for name in _NEEDED_FOR_SOME:
            self.fields[name].is_optional = False  # type: ignore[attr-defined]
        for name, requirement in self.asked.items():
            field = forms.ChoiceField(label=str(requirement.title), choices=Check.choices, widget=forms.RadioSelect, required=False)
            dress(field)
            self.fields[name] = field

    def _usual_end(self) -> datetime:
        """Without its zone, as the box shows it."""
        day = timezone.now().astimezone(self.zone) + timedelta(days=USUAL_DAYS)
        return day.replace(hour=18, minute=0, second=0, microsecond=0, tzinfo=None)

    def check_of(self, requirement: Requirement) -> BoundField:
        return self[f"check-{name_of(requirement.key)}"]

    def decisions(self) -> Iterator[tuple[Any, str | Promise]]:
        """Each option of the decision with what follows from it."""
        for option in self["decision"]:
            yield option, _HINTS[str(option.data["value"])]

    @property
    def checks(self) -> dict[str, str]:
        """Requirement key -> what was ticked; what was not ticked is left out."""
        return {requirement.key: self.cleaned_data[name] for name, requirement in self.asked.items() if self.cleaned_data.get(name)}

    def clean_until(self) -> datetime | None:
        """The moment in the zone of the call: what was typed has none."""
        typed = self.cleaned_data["until"]
        if typed and typed > timezone.now() + timedelta(days=MOST_DAYS):
            raise ValidationError(_("Set a date within a year."), code="too_late")
        return typed.replace(tzinfo=self.zone) if typed else None

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        needs: dict[str, str] = {}
        match data.get("decision"):
            case Decision.RETURN:
                needs = {
                    "reason": _("Choose the reason for the return."),
                    "until": _("Set the date until which it can be corrected."),
                    "sections": _("Tick at least one part that opens for correction."),
                    "note": _("Write what is to be corrected: the applicant reads it."),
                }
            case Decision.TURN_DOWN:
                needs = {"note": _("Give the reason in words: the applicant reads it.")}
            case Decision.STAY if data.get("note"):
                self.add_error(
                    "decision",
                    _("You have written to the applicant: choose “Return” or “Not nominated”, or empty the text to decide later."),
                )
        for name, sentence in needs.items():
            if not data.get(name) and name not in self.errors:
                self.add_error(name, ValidationError(sentence, code="required"))
        return data

    def accept_errors(self, refused: ValidationError) -> None:
        """An action's refusal at the field it is about."""
        places = {"too_early": "until", "no_sections": "sections", "no_reason": "note"}
        for error in refused.error_list:
            self.add_error(places.get(str(error.code)), error)


class MemberForm(PlainForm):
    """Who acts for the body, what they may, and until when."""

    email = forms.EmailField(
        label=gettext_lazy("E-mail address"),
        max_length=254,
        error_messages={
            "required": gettext_lazy("Write the address of the member."),
            "invalid": gettext_lazy("Write an address like name@example.org."),
        },
    )
    power = forms.ChoiceField(
        label=gettext_lazy("What they may"),
        choices=[
            ("prepare", gettext_lazy("Prepare: check files and note what is found")),
            ("decide", gettext_lazy("Decide: also rank, return, turn down and send")),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose what the member may.")},
    )
    ends_on = forms.DateField(
        label=gettext_lazy("Until"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date", "class": "w-20"}),
        help_text=gettext_lazy("For a deputy: the last day on which it counts. Empty: without an end."),
        error_messages={"invalid": gettext_lazy("Enter a real day.")},
    )


class SendForm(PlainForm):
    confirmed = forms.BooleanField(
        label=gettext_lazy("I have read the list. It is to be sent as it stands here."),
        error_messages={"required": gettext_lazy("Tick that you have read the list and want to send it.")},
    )
