"""The outbox: which letters wait, went out or failed, and putting failed ones back."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Count, Min
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from exchange.notifications.health import health
from exchange.notifications.models import UNSENT, Delivery, Message, MessageQuerySet, Relay
from exchange.notifications.outbox import retry as put_back
from exchange.notifications.reading import title_of, what_happened
from exchange.ui.guards import open_to
from exchange.ui.paging import page_number, page_of
from exchange.ui.templatetags.ui import reader_zone
from scholarships.people.rules import is_officer

PAGE = 50
MOST = 1000  # letters put back in one act
SAMPLES = 20


@open_to(is_officer)
@require_GET
def outbox(request: HttpRequest) -> HttpResponse:
    """Messages by state and words, the newest first."""
    mine = Message.objects.visible_to(request.user)
    state, words = request.GET.get("state", ""), request.GET.get("q", "").strip()[:100]
    ids = mine.filter(delivery=state) if state in Delivery.values else mine
    page = page_of((ids.saying(words) if words else ids).order_by("-pk"), _rows(), page_number(request.GET.get("page")), PAGE)
    counts = dict(mine.filter(delivery__in=UNSENT).order_by().values_list("delivery").annotate(Count("pk")))
    context = {
        "rows": [(message, _title(message)) for message in page.rows],
        "page": page,
        "state": state,
        "words": words,
        "states": [(value, label, counts.get(value, 0)) for value, label in Delivery.choices],
        "held": counts.get(Delivery.HELD, 0),
        "waiting": counts.get(Delivery.QUEUED, 0) + counts.get(Delivery.SENDING, 0),
        "failed": counts.get(Delivery.FAILED, 0),
        "oldest": mine.waiting().aggregate(at=Min("created_at"))["at"],
        "paused": Relay.objects.filter(paused_until__gt=timezone.now()).first(),
        "health": health(),
        "zone": reader_zone(request.user) or "UTC",
    }
    return render(request, "manage/outbox.html", context)


def _rows() -> Any:
    return Message.objects.select_related("event").defer("text", "html")


@open_to(is_officer)
@require_POST
def retry(request: HttpRequest) -> HttpResponse:
    """Put failed letters back into the queue: those ticked or all, shown once more first."""
    failed = _failed(request)
    if "confirmed" not in request.POST:
        context = {
            "count": failed.count(),
            "samples": failed.order_by("-pk").defer("text", "html")[:SAMPLES],
            "picks": request.POST.getlist("pick")[:MOST],
            "is_all": "all" in request.POST,
            "most": MOST,
        }
        return render(request, "manage/outbox_retry.html", context)
    count = put_back(failed.order_by("pk").only("pk")[:MOST])
    messages.success(request, ngettext("%(n)d letter is queued again.", "%(n)d letters are queued again.", count) % {"n": count})
    return redirect(f"{reverse('manage:outbox')}?state=queued")


def _failed(request: HttpRequest) -> MessageQuerySet:
    rows = Message.objects.visible_to(request.user).filter(delivery=Delivery.FAILED)
    return rows if "all" in request.POST else rows.filter(code__in=request.POST.getlist("pick")[:MOST])


@open_to(is_officer)
@require_GET
def message(request: HttpRequest, message: str) -> HttpResponse:
    """One letter: whom it goes to, about what, its words, and what went wrong."""
    found = get_object_or_404(Message.objects.visible_to(request.user).select_related("event", "user"), code=message)
    context = {
        "message": found,
        "zone": reader_zone(request.user) or "UTC",
        "about": _page_about(found),
        "title": _title(found),
        "event": what_happened(found.event),
        "text": found.text.strip(),
    }
    return render(request, "manage/message.html", context)


def _title(message: Message) -> str:
    """What a letter is called here: nobody but its reader sees the words of a private one."""
    if message.is_private:
        return _("A letter about an account; its words are private")
    return title_of(message)


def _page_about(found: Message) -> str:
    """The officer's page of what the letter is about, "" where there is none."""
    page = {"application": "manage:record", "call": "manage:call"}.get(found.event.subject_kind)
    return reverse(page, args=[found.event.subject_key]) if page else ""
