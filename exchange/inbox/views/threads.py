"""The thread of an application: the applicant and the officers of its call write to each other."""

from __future__ import annotations

import secrets
from typing import Any

from django.contrib import messages as notes
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from exchange.inbox.forms import PostForm
from exchange.inbox.pages import part_of, plain
from exchange.notifications.models import Message
from exchange.notifications.reading import mark_read
from exchange.ui.files import rebuilt_file
from exchange.ui.guards import open_to
from exchange.ui.templatetags.ui import reader_zone
from exchange.ui.uploads import oversize_of
from scholarships.applications.models import Application, State
from scholarships.correspondence.actions import LIMITS, WRITTEN, write
from scholarships.correspondence.models import Enclosure, Post
from scholarships.documents.actions import opened
from scholarships.documents.checking import limits_sentence
from scholarships.people.models import Role

PAGE = 50


@open_to()
@require_http_methods(["GET", "POST"])
def thread(request: HttpRequest, code: str) -> HttpResponse:
    """What was written, the oldest first, and a form for more."""
    application = _application(request, code)
    form = PostForm(request.POST, request.FILES) if request.method == "POST" else PostForm()
    if form.is_bound and _write(request, application, form):
        notes.success(request, _("Your message is sent."))
        return redirect("inbox:thread", code=application.code)
    if not form.is_bound:
        mark_read(Message.objects.about(application).filter(event__name=WRITTEN), by=request.user)
    return _page(request, application, form)


def _application(request: HttpRequest, code: str) -> Application:
    """The application whose thread the reader may see; any other is not there, and a draft has none."""
    rows = Application.objects.visible_to(request.user).exclude(state=State.DRAFT).select_related("call")
    return get_object_or_404(rows, code=plain(code))


def _write(request: HttpRequest, application: Application, form: PostForm) -> bool:
    """Whether the message is written; where it is not, FORM says why and keeps what was typed."""
    is_good = form.is_valid()
    if oversize := oversize_of(request, LIMITS):
        form.errors.pop("file", None)  # one was sent, and not kept
        form.add_error("file", oversize)
        return False
    if not is_good:
        return False
    files = [(file, file.name or "") for file in form.cleaned_data["file"]]
    try:
        write(application, by=request.user, text=form.cleaned_data["text"], files=files, key=request.POST.get("key", "")[:80] or None)
    except ValidationError as refused:
        form.accept_errors(refused)
        return False
    return True


def _page(request: HttpRequest, application: Application, form: PostForm) -> HttpResponse:
    before = request.GET.get("before", "")
    is_own = application.applicant_id == request.user.pk
    part = part_of(Post.objects.of(application).prefetch_related("enclosures__file"), before, PAGE)
    context: dict[str, Any] = {
        "application": application,
        "call": application.call,
        "posts": part.rows[::-1],
        "older": part.older,
        "before": before,
        "form": form,
        "is_own": is_own,
        "key": secrets.token_urlsafe(16),
        "limits": limits_sentence(LIMITS),
        "zone": reader_zone(request.user) or application.call.zone,
    }
    return render(request, "inbox/thread.html", context, status=422 if form.errors else 200)


@open_to()
@require_GET
def paper(request: HttpRequest, code: str, paper: str) -> HttpResponse:
    """A paper that was sent with a message: the rebuilt copy. That the office opens one of the applicant's is written down."""
    application = _application(request, code)
    enclosures = Enclosure.objects.filter(post__application=application).select_related("post", "file__document")
    found = get_object_or_404(enclosures, file__code=plain(paper))
    if application.applicant_id != request.user.pk and not found.post.by_office:
        opened(found.file, by=request.user, actor=Role.OFFICER, application=application.code)
    return rebuilt_file(found.file, f"{application.code}-{found.file.code}")
