"""The reviewer's pages. Each file is fetched as its reviewer sees it: names are not in the query."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from exchange.review.desk import counts_of, desk_of, place_of
from exchange.review.forms import ConflictForm, ReviewForm
from exchange.review.pages import address, asked, chips_of, own
from exchange.review.queries import matching, parse
from exchange.review.reading import reading_of
from exchange.ui import errors
from exchange.ui.files import page_response
from exchange.ui.guards import open_to
from exchange.ui.paging import page_number, page_of
from scholarships.calls.form import form_of
from scholarships.people.rules import is_reviewer
from scholarships.reviews import actions
from scholarships.reviews.blind import blind_file, letter_of, other_reviews, paper_of
from scholarships.reviews.models import Assignment, Progress

ROWS = 25


@open_to(is_reviewer)
@require_GET
def mine(request: HttpRequest) -> HttpResponse:
    """My files of all calls: what is left, what is drafted, what is done."""
    query = parse(asked(request))
    everything = Assignment.objects.visible_to(request.user)
    desk = desk_of(everything)
    rest = query.replacing("is")
    counts = counts_of(matching(everything, rest)) if str(rest) else desk.counts
    found = matching(everything, query).in_order()
    shown = sum(counts[progress] for progress in query.values("is") or counts)
    context = {
        "desk": desk,
        "q": asked(request),
        "query": query,
        "page": page_of(found, Assignment.objects.blind(), page_number(request.GET.get("page")), ROWS, count=shown),
        "chips": chips_of(query, desk, counts),
        "next_url": address("next", q=asked(request)),
    }
    return render(request, "review/mine.html", context)


@open_to(is_reviewer)
@require_GET
def following(request: HttpRequest) -> HttpResponse:
    """To the next file that waits for a review, after the one just left where there was one."""
    mine = Assignment.objects.visible_to(request.user)
    return _to_next(request, mine.only("code", "progress").filter(code=request.GET.get("after", "")).first())


def _to_next(request: HttpRequest, left: Assignment | None) -> HttpResponse:
    q = asked(request)
    place = place_of(left, Assignment.objects.visible_to(request.user), parse(q))
    if place.to_do:
        return redirect(address("file", place.to_do, q=q))
    messages.info(request, _("Nothing else in this list waits for your review."))
    return redirect(address("mine", q=q))


@open_to(is_reviewer)
@require_http_methods(["GET", "POST"])
def file(request: HttpRequest, code: str) -> HttpResponse:
    """The file beside the rubric. A draft is kept as it is; a review that is handed in is only shown."""
    assignment = own(request, code)
    review = getattr(assignment, "review", None)
    form = ReviewForm(form_of(assignment.application.version).rubric, review, request.POST if request.method == "POST" else None)
    if request.method == "GET":
        return _page(request, assignment, form, version=review.version if review else 0)
    if not form.is_valid():
        return _page(request, assignment, form, version=form.cleaned_data.get("version", 0), status=422)
    is_final = "submit" in request.POST
    act = actions.submit_review if is_final else actions.save_review
    try:
        act(assignment, form.scores(), form.cleaned_data["comment"], known_version=form.cleaned_data["version"], by=request.user)
    except ValidationError as refused:
        return _refused(request, assignment, form, refused)
    if not is_final:
        return redirect(address("file", code, q=asked(request)) + "#score")
    messages.success(request, _("Your review of %(code)s is handed in.") % {"code": assignment.application.code})
    return _to_next(request, assignment)


def _page(
    request: HttpRequest, assignment: Assignment, form: ReviewForm, *, version: int, note: str = "", status: int = 200
) -> HttpResponse:
    seen = blind_file(assignment)
    q = asked(request)
    place = place_of(assignment, Assignment.objects.visible_to(request.user), parse(q))
    context = {
        "assignment": assignment,
        "review": getattr(assignment, "review", None),
        "is_done": assignment.progress == Progress.DONE,
        "file": seen,
        "reading": reading_of(seen),
        "form": form,
        "version": version,
        "note": note,
        "others": other_reviews(assignment, by=request.user),
        "place": place,
        "q": q,
        "list_url": address("mine", q=q),
        "previous_url": address("file", place.previous, q=q) if place.previous else "",
        "following_url": address("file", place.next, q=q) if place.next else "",
        "skip_url": address("next", q=q, after=assignment.code) if place.to_do else "",
        "conflict_url": address("conflict", assignment.code, q=q),
    }
    return render(request, "review/file.html", context, status=status)


def _refused(request: HttpRequest, assignment: Assignment, form: ReviewForm, refused: ValidationError) -> HttpResponse:
    """What is missing, beside what was typed and is now the draft; or both texts, where the review was saved elsewhere."""
    q, code = asked(request), refused.error_list[0].code
    if code == "wrong_state":
        return errors.conflict(request, refused, back=address("mine", q=q))
    fresh = own(request, assignment.code)
    saved = getattr(fresh, "review", None)
    version = saved.version if saved else 0
    if code == "incomplete":
        form.accept_errors(refused)
        return _page(request, fresh, form, version=version, note=_("What you have typed is saved as a draft."), status=422)
    is_done = fresh.progress == Progress.DONE
    differing = form.differences(saved)
    if is_done and not differing:
        return _to_next(request, fresh)  # the same page was sent twice
    context = {
        "assignment": fresh,
        "is_done": is_done,
        "differing": differing,
        "form": form,
        "version": version,
        "q": q,
        "url": address("file", fresh.code, q=q),
    }
    return render(request, "review/changed.html", context, status=409)


@open_to(is_reviewer)
@require_http_methods(["GET", "POST"])
def conflict(request: HttpRequest, code: str) -> HttpResponse:
    """Leave a file for a conflict of interest; it closes at once, and the office gives it to somebody else."""
    assignment, q = own(request, code), asked(request)
    form = ConflictForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.recuse(assignment, form.cleaned_data["conflict"], by=request.user)
        except ValidationError as refused:
            form.accept_errors(refused)
        else:
            messages.success(request, _("You have left %(code)s. It is closed for you now.") % {"code": assignment.application.code})
            return redirect(address("mine", q=q))
    context = {
        "assignment": assignment,
        "is_done": assignment.progress == Progress.DONE,
        "form": form,
        "q": q,
        "url": address("file", code, q=q),
    }
    return render(request, "review/conflict.html", context, status=422 if form.errors else 200)


@open_to(is_reviewer)
@require_GET
def page(request: HttpRequest, code: str, paper: str, number: int) -> HttpResponse:
    """One page of a paper that reviewers see, as an image under a name that says nothing."""
    assignment = own(request, code)
    attachment = paper_of(assignment, paper)
    file = attachment.file if attachment is not None else letter_of(assignment, paper)
    if file is None:
        raise Http404
    response = page_response(file, number)
    actions.note_reading(assignment, file, by=request.user)
    part = f"{attachment.requirement}-{attachment.order}" if attachment is not None else "letter"
    name = f"{assignment.application.code}-{part}-{number}.jpg"
    response["Content-Disposition"] = content_disposition_header(as_attachment=False, filename=name) or "inline"
    return response
