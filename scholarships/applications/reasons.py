"""The reasons that people choose from when an application is returned or withdrawn: code -> words."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

RETURN_REASONS = {
    "unreadable": _("A page cannot be read"),
    "expired": _("A paper has expired"),
    "wrong_paper": _("This is not the paper asked for"),
    "names_differ": _("Names differ between papers"),
    "incomplete": _("Something is missing"),
    "other": _("Something else"),
}

WITHDRAWAL_REASONS = {
    "other_offer": _("I have another offer"),
    "plans": _("My plans have changed"),
    "money": _("I cannot pay what is not covered"),
    "mistake": _("I applied by mistake"),
    "no_reason": _("I would rather not say"),
}
