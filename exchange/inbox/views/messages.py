"""My messages: the list, one of them, and marking all as read."""

from __future__ import annotations

from django.contrib import messages as notes
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_POST

from exchange.inbox.pages import part_of, plain, with_own_links
from exchange.notifications.bounces import stopped
from exchange.notifications.models import Delivery, Message
from exchange.notifications.reading import mark_read, messages_of, title_of, written
from exchange.ui.guards import open_to
from exchange.ui.templatetags.ui import reader_zone

PAGE = 30
# What became of the mail, in the reader's words, and how it looks.
STANDINGS = {
    Delivery.QUEUED: (gettext_lazy("On its way by mail"), "wait"),
    Delivery.SENDING: (gettext_lazy("On its way by mail"), "wait"),
    Delivery.SENT: (gettext_lazy("Sent by mail"), "off"),
    Delivery.FAILED: (gettext_lazy("The mail could not be sent"), "bad"),
    Delivery.BOUNCED: (gettext_lazy("The mail came back"), "bad"),
    Delivery.KEPT: (gettext_lazy("Only here"), "off"),
    Delivery.BUNDLED: (gettext_lazy("In your daily letter"), "off"),
}


@open_to()
@require_GET
def inbox(request: HttpRequest) -> HttpResponse:
    """My messages, the newest first."""
    before = request.GET.get("before", "")
    rows = messages_of(request.user).select_related("event").defer("text", "html")
    part = part_of(rows, before, PAGE)
    lines = [(message, title_of(message), *STANDINGS[Delivery(message.delivery)]) for message in part.rows]
    context = {"lines": lines, "older": part.older, "before": before, "zone": reader_zone(request.user) or "UTC"}
    context["is_stopped"] = bool(stopped({request.user.email}))
    return render(request, "inbox/inbox.html", context)


@open_to()
@require_GET
def message(request: HttpRequest, code: str) -> HttpResponse:
    """One message: its words, what became of its mail, and the page that it leads to. Opening it is reading it."""
    found = get_object_or_404(messages_of(request.user).select_related("event", "user"), code=plain(code))
    mark_read(Message.objects.filter(pk=found.pk), by=request.user)
    try:
        written(found)
    except LookupError:  # what it is about is gone; what happened is still said
        found.link = ""
    standing, look = STANDINGS[Delivery(found.delivery)]
    context = {
        "message": found,
        "title": title_of(found),
        "text": with_own_links(found.text.strip()),
        "standing": standing,
        "look": look,
        "zone": reader_zone(request.user) or "UTC",
    }
    return render(request, "inbox/message.html", context)


@open_to()
@require_POST
def read_all(request: HttpRequest) -> HttpResponse:
    count = mark_read(messages_of(request.user), by=request.user)
    said = ngettext("%(n)d message is marked as read.", "%(n)d messages are marked as read.", count) % {"n": count}
    notes.success(request, said if count else _("No message was unread."))
    return redirect("inbox:inbox")
