"""The officer's forms about applications."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from exchange.manage.findings import Findings
from exchange.ui.forms import LocalMoment, PlainForm
from exchange.ui.templatetags.ui import moment
from scholarships.applications.reasons import RETURN_REASONS
from scholarships.calls.form import Section
from scholarships.calls.models import Call

DAYS_TO_CORRECT = 7


class EligibilityForm(PlainForm):
    """Eligible or not; which criteria and what the applicant reads are asked by the action."""

    decision = forms.ChoiceField(
        label=_("Your decision"),
        choices=[("eligible", _("Eligible")), ("not_eligible", _("Not eligible"))],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose whether the application is eligible.")},
    )
    criteria = forms.MultipleChoiceField(
        label=_("Which criteria are not met?"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": _("Choose criteria of this call.")},
    )
    note = forms.CharField(
        label=_("What the applicant reads"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("Sent at once, with the criteria named. Say what is missing and, where there is one, another way."),
    )

    def __init__(self, findings: Findings, *args: Any, **kwargs: Any) -> None:
        proposed = {True: "eligible", False: "not_eligible", None: ""}[findings.proposal]
        reasons = "\n".join(line.message for line in findings.failed if line.message)
        initial = {"decision": proposed, "criteria": [line.key for line in findings.failed], "note": reasons}
        super().__init__(*args, initial=initial, **kwargs)
        self.fields["criteria"].choices = [(line.key, line.title) for line in findings.lines]  # type: ignore[attr-defined]
        for name in ("criteria", "note"):
            self.fields[name].is_optional = False  # type: ignore[attr-defined]


class ReturnForm(PlainForm):
    """Why it goes back, what is open for correction, and until when."""

    reason = forms.ChoiceField(
        label=_("Reason"),
        choices=[("", _("Choose a reason")), *RETURN_REASONS.items()],
        error_messages={"required": _("Choose a reason.")},
        widget=forms.Select(attrs={"class": "w-30"}),
    )
    sections = forms.MultipleChoiceField(
        label=_("Open for correction"),
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Everything else stays as it was handed in."),
        error_messages={"required": _("Say which sections are to be corrected."), "invalid_choice": _("Choose sections of this call.")},
    )
    until = forms.DateTimeField(
        label=_("Until"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S"],
        widget=LocalMoment(attrs={"class": "w-20"}),
        error_messages={"required": _("Set a date for the correction."), "invalid": _("Enter a day and a time, like 2027-01-12 18:00.")},
    )
    note = forms.CharField(
        label=_("What the applicant reads"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("Say what is wrong and what would be right."),
        error_messages={"required": _("Say in words what is to be corrected: the applicant reads it.")},
    )

    def __init__(self, call: Call, sections: Iterable[Section], *args: Any, **kwargs: Any) -> None:
        self.zone = ZoneInfo(call.zone)
        in_a_week = (timezone.now() + timedelta(days=DAYS_TO_CORRECT)).astimezone(self.zone)
        initial = {"until": in_a_week.replace(hour=18, minute=0, second=0, microsecond=0, tzinfo=None)}
        super().__init__(*args, initial=initial, **kwargs)
        self.fields["sections"].choices = [(section.key, str(section.title)) for section in sections]  # type: ignore[attr-defined]
        self.fields["until"].help_text = _("In the time of the call. Now it is %(now)s.") % {"now": moment(timezone.now(), call.zone)}

    def clean_until(self) -> datetime:
        """What was typed is the call's local time."""
        until: datetime = self.cleaned_data["until"]
        return until.replace(tzinfo=self.zone)


class ReviewersForm(PlainForm):
    """Whom to give the file to; who may not have it is no option."""

    reviewers = forms.MultipleChoiceField(
        label=_("Reviewers"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": _("Choose at least one reviewer."),
            "invalid_choice": _("Choose from the reviewers who may have this file."),
        },
    )

    def __init__(self, codes: Iterable[str], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reviewers"].choices = [(code, code) for code in codes]  # type: ignore[attr-defined]
