"""Papers: what the call asks for, and the person's own library."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from exchange.apply.forms import DoneForm, LibraryForm, UploadForm
from exchange.apply.pages import known_version, next_page, own, refuse
from exchange.ui.errors import conflict, status_of
from exchange.ui.files import original_file, page_response
from exchange.ui.guards import open_to
from exchange.ui.templatetags.ui import target_of
from exchange.ui.uploads import oversize_of
from scholarships.applications import actions
from scholarships.applications.answers import sections_for
from scholarships.applications.content import Content, content_of, requirements_for
from scholarships.applications.models import Application, Attachment
from scholarships.applications.readiness import problems_of_section
from scholarships.calls.form import Requirement
from scholarships.documents import actions as papers
from scholarships.documents.checking import Limits, limits_sentence, refusal
from scholarships.documents.models import Document
from scholarships.events.models import Event


@open_to()
@require_http_methods(["GET", "POST"])
def documents(request: HttpRequest, code: str) -> HttpResponse:
    """Each paper that the call asks for, with its rules, its files and a place to add one."""
    application = own(request, code)
    content = content_of(application)
    if content.form.section("documents") is None:
        raise Http404
    try:
        actions.require_writable(application, "documents", by=request.user, now=timezone.now())
    except ValidationError as refused:
        return refuse(request, application, refused)
    if request.method == "GET":
        return _page(request, content)
    where = request.POST.get("requirement", "")
    requirement = next((asked for asked in requirements_for(content.form, content.facts) if asked.key == where), None)
    if where and requirement is None:
        raise Http404
    form = _upload_form(requirement, request) if requirement else None
    try:
        if requirement is None:
            return _done(request, application, content)
        _take(request, application, content, requirement, form)
    except ValidationError as refused:
        return _page(request, content_of(application), refused, where, form)
    return redirect(f"{reverse('apply:documents', args=[code])}#{where}")


def _upload_form(requirement: Requirement, request: HttpRequest | None = None) -> UploadForm:
    """The form of one paper; with REQUEST as it was sent."""
    sent = (request.POST, request.FILES) if request else ()
    return UploadForm(*sent, asks_date=bool(requirement.validity.get("months_before_close")), prefix=requirement.key)


def _take(request: HttpRequest, application: Application, content: Content, requirement: Requirement, form: UploadForm) -> None:
    """Take a file for the paper that is asked for: from the library, or as it is sent.

    Raises:
        ValidationError: it is not taken; what is wrong with another field than the file stands in FORM.
    """
    where = requirement.key
    if "remove" in request.POST:
        attachment = get_object_or_404(Attachment, revision=content.revision, requirement=where, file__code=request.POST["remove"])
        actions.detach(application, attachment, by=request.user)
        return
    if "use" in request.POST:
        chosen = get_object_or_404(
            Document.objects.visible_to(request.user).select_related("current__document"), code=request.POST["use"], current__isnull=False
        )
        actions.attach(application, where, chosen.current, by=request.user)
        return
    if not form.is_valid():
        raise ValidationError([])
    limits = limits_of(requirement)
    file = _sent_file(request, form.cleaned_data.get("file"), limits)
    if len(content.attached(where)) >= requirement.most:
        raise actions.too_many_files(requirement.most)
    version = papers.add(request.user, requirement.kind, file, file.name or "", limits=limits, issued_on=form.cleaned_data.get("issued_on"))
    actions.attach(application, where, version, by=request.user)


def _sent_file(request: HttpRequest, file: UploadedFile | None, limits: Limits) -> UploadedFile:
    if oversize := oversize_of(request, limits):
        raise oversize
    if file is None:
        raise ValidationError(_("Choose a file first."), code="required")
    if not file.size:
        raise refusal("empty", limits)
    return file


def limits_of(requirement: Requirement) -> Limits:
    return Limits(size=requirement.max_bytes, pages=requirement.max_pages)


def _done(request: HttpRequest, application: Application, content: Content) -> HttpResponse:
    section = content.form.section("documents")
    assert section is not None, "a call that asks for papers has this section"
    done = request.POST.get("done") == "y"
    problems = problems_of_section(section, content, content.facts) if done else []
    actions.save_answers(application, section, {}, is_done=done and not problems, known_version=known_version(request), by=request.user)
    if problems:
        raise ValidationError([ValidationError(problem.message, code=problem.code) for problem in problems])
    if "exit" in request.POST:
        return redirect("apply:tasks", code=application.code)
    return redirect(next_page(content, section, content.facts))


def _page(
    request: HttpRequest,
    content: Content,
    refused: ValidationError | None = None,
    where: str = "",
    form: UploadForm | None = None,
) -> HttpResponse:
    """The page; REFUSED says what was not taken for the paper WHERE, whose FORM keeps what was typed."""
    application, facts = content.application, content.facts
    asked = requirements_for(content.form, facts)
    library: dict[str, list[Document]] = {}
    for document in Document.objects.visible_to(request.user).filter(current__isnull=False).select_related("current").order_by("-pk"):
        library.setdefault(document.kind, []).append(document)
    rows = []
    entries = [("", message) for message in refused.messages] if refused and not where else []
    for requirement in asked:
        files = content.attached(requirement.key)
        used = {attachment.file.document_id for attachment in files}
        is_here = refused is not None and where == requirement.key
        has_room = len(files) < requirement.most
        if is_here:
            said = [("file", message) for message in refused.messages]
            said += [(name, message) for name, messages in form.errors.items() for message in messages]
            entries += [(target_of(form, name) if has_room else where, message) for name, message in said]
        rows.append(
            {
                "requirement": requirement,
                "files": files,
                "offered": [document for document in library.get(requirement.kind, []) if document.pk not in used][:3],
                "has_room": has_room,
                "limits": limits_sentence(limits_of(requirement)),
                "form": form if is_here else _upload_form(requirement),
                "errors": refused.messages if is_here else [],
                "is_wrong": is_here,
            }
        )
    row = content.answers.get("documents")
    sections = [section.key for section in sections_for(content.form, facts)]
    in_place = sum(len(line["files"]) >= line["requirement"].least for line in rows if line["requirement"].is_required)  # type: ignore[attr-defined, arg-type]
    context: dict[str, Any] = {
        "application": application,
        "call": application.call,
        "section": content.form.section("documents"),
        "rows": rows,
        "entries": entries,
        "done": DoneForm(initial={"done": "y" if row and row.is_done else ""}),
        "version": row.version if row else 0,
        "in_place": in_place,
        "needed": sum(requirement.is_required for requirement in asked),
        "number": sections.index("documents") + 1 if "documents" in sections else None,
        "count": len(sections),
    }
    return render(request, "apply/documents.html", context, status=status_of(refused))


@open_to()
@require_http_methods(["GET", "POST"])
def library(request: HttpRequest) -> HttpResponse:
    """My documents: upload once, use in every application, see who has opened them."""
    form = LibraryForm(request.POST, request.FILES) if request.method == "POST" else LibraryForm()
    if form.is_bound and _add_to_library(request, form):
        messages.success(request, _("The document is in your library."))
        return redirect("apply:library")
    documents = Document.objects.visible_to(request.user).select_related("current").order_by("-pk")
    uses = documents.annotate(
        uses=Count("versions__attachments__revision__application", distinct=True),
        in_draft=Count("versions__attachments", filter=Q(versions__attachments__revision__handed_in_at__isnull=True)),
    )
    context = {"form": form, "documents": uses, "limits": limits_sentence(Limits())}
    return render(request, "apply/library.html", context, status=422 if form.errors else 200)


def _add_to_library(request: HttpRequest, form: LibraryForm) -> bool:
    """Whether the file is taken; where it is not, FORM says why."""
    is_good = form.is_valid()
    if getattr(request, "oversized", 0):
        form.errors.pop("file", None)  # it was sent, and not kept
    elif not is_good:
        return False
    try:
        file = _sent_file(request, form.cleaned_data.get("file"), Limits())
        papers.add(request.user, form.cleaned_data["kind"], file, file.name or "")
    except ValidationError as refused:
        form.add_error("file", refused)
        return False
    return True


@open_to()
@require_POST
def remove(request: HttpRequest, paper: str) -> HttpResponse:
    document = get_object_or_404(Document.objects.visible_to(request.user), code=paper)
    try:
        papers.remove(document, by=request.user)
    except ValidationError as refused:
        return conflict(request, refused, back=reverse("apply:library"))
    messages.success(request, _("The document is removed from your library."))
    return redirect("apply:library")


@open_to()
@require_GET
def download(request: HttpRequest, paper: str) -> HttpResponse:
    """My own file, as I sent it."""
    document = get_object_or_404(Document.objects.visible_to(request.user).select_related("current__document"), code=paper)
    if document.current is None:
        raise Http404
    return original_file(document.current)


@open_to()
@require_GET
def page(request: HttpRequest, paper: str, number: int) -> HttpResponse:
    """A page of my own file as an image, as readers of the application see it."""
    document = get_object_or_404(Document.objects.visible_to(request.user).select_related("current"), code=paper)
    if document.current is None:
        raise Http404
    return page_response(document.current, number)


@open_to()
@require_GET
def opened(request: HttpRequest) -> HttpResponse:
    """Who has opened my documents."""
    mine = Document.objects.filter(owner=request.user)
    kinds = {document.code: document.get_kind_display() for document in mine}
    events = (
        Event.objects.filter(name=papers.OPENED, subject_kind="document", subject_key__in=list(kinds))
        .select_related("by")
        .order_by("-pk")[:200]
    )
    rows = [
        {"at": event.at, "kind": kinds[event.subject_key], "actor": event.actor, "application": event.data.get("application", "")}
        for event in events
    ]
    return render(request, "apply/opened.html", {"rows": rows})
