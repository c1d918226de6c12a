"""Switch persons with one click, and read every letter that the demo has written."""

from __future__ import annotations

from django.contrib.auth import login
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from exchange.demo.switching import page_for, person_for
from exchange.notifications.keys import key_for, with_key
from exchange.notifications.models import Message
from exchange.ui.guards import open_to_everybody
from exchange.ui.paging import page_number, page_of


@open_to_everybody
@require_POST
def switch(request: HttpRequest) -> HttpResponse:
    """See the same file as somebody else. Only invented people can be chosen."""
    role, file = request.POST.get("as", ""), request.POST.get("file", "")
    person = person_for(role, file)
    if person is None:
        raise Http404
    login(request, person, backend="django.contrib.auth.backends.ModelBackend")
    return redirect(page_for(role, person, file))


@open_to_everybody
@require_GET
def mailbox(request: HttpRequest) -> HttpResponse:
    """What each person got, newest first."""
    address = request.GET.get("to", "")
    rows = Message.objects.released().filter(address=address) if address else Message.objects.released()
    page = page_of(rows.order_by("-pk"), Message.objects.select_related("event"), page_number(request.GET.get("page")), 20)
    addresses = Message.objects.values("address").annotate(count=Count("pk")).order_by("-count", "address")[:20]
    return render(request, "demo/mailbox.html", {"page": page, "addresses": addresses, "address": address})


@open_to_everybody
@require_GET
def letter(request: HttpRequest, message: str) -> HttpResponse:
    found = get_object_or_404(Message.objects.select_related("event"), code=message)
    try:
        key = key_for(found)
    except LookupError:  # closed by now
        key = ""
    context = {"message": found, "text": with_key(found.text, key), "link": with_key(found.link, key)}
    return render(request, "demo/letter.html", context)
