"""One topic a page: questions, entries that repeat, ranked choices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from exchange.apply.forms import DoneForm
from exchange.apply.pages import known_version, next_page, own, page_of_section, refuse
from exchange.ui.errors import status_of
from exchange.ui.guards import open_to
from exchange.ui.questions import QuestionsForm, name_of
from exchange.ui.said import said
from exchange.ui.templatetags.ui import target_of
from scholarships.applications import actions
from scholarships.applications.answers import Problem, is_asked, is_blank, most_entries, problems_of, sections_for, too_many_entries
from scholarships.applications.content import Content, content_of, facts_of
from scholarships.applications.models import Application
from scholarships.applications.readiness import problems_of_section
from scholarships.calls.form import Question, Section
from scholarships.calls.models import QuestionKind, SectionKind
from scholarships.partners.models import Institution
from scholarships.programmes.models import Programme


def _found(request: HttpRequest, code: str, key: str, kind: str = SectionKind.QUESTIONS) -> tuple[Application, Content, Section]:
    """The reader's application and its section of this key and kind; whether it may be written now is another question."""
    application = own(request, code)
    content = content_of(application)
    section = content.form.section(key)
    if section is None or section.kind != kind:
        raise Http404
    return application, content, section


def _require_writable(request: HttpRequest, content: Content, here: Section) -> None:
    actions.require_writable(content.application, here.key, by=request.user, now=timezone.now())


def _partners(content: Content, questions: list[Question]) -> list[tuple[str, str]]:
    """The institutions offered by a question for one: those that the steps of the call name, else all."""
    if not any(question.kind == QuestionKind.INSTITUTION for question in questions):
        return []
    named = [pk for step in content.form.steps for pk in step.bodies.get("", ())]
    rows = (
        Institution.objects.filter(pk__in=named) if named else Institution.objects.filter(kind__in=["university", "college", "institute"])
    )
    return sorted(((row.code, str(row)) for row in rows), key=lambda pair: pair[1])


@open_to()
@require_http_methods(["GET", "POST"])
def section(request: HttpRequest, code: str, key: str) -> HttpResponse:
    """The questions of one section. What is typed is kept, complete or not."""
    application, content, here = _found(request, code, key)
    if request.method == "POST":
        return _save(request, content, here)
    try:
        _require_writable(request, content, here)
    except ValidationError as refused:
        return refuse(request, application, refused)
    facts = content.facts
    values = content.values(key)
    asked = [question for question in here.questions if is_asked(question, facts)]
    row = content.answers.get(key)
    form = QuestionsForm(asked, values, institutions=_partners(content, asked))
    done = DoneForm(initial={"done": "y" if row and row.is_done else ""})
    problems = problems_of(here, values, facts) if row and row.is_done else []  # complete once, and no longer
    return _page(request, content, here, form, done, version=row.version if row else 0, beside=problems)


def _save(request: HttpRequest, content: Content, here: Section) -> HttpResponse:
    """Keep what was typed in HERE, and show it again with what is wrong, or go on."""
    application, values, facts = content.application, content.values(here.key), content.facts
    asked = [question for question in here.questions if is_asked(question, facts)]
    form = QuestionsForm(asked, values, request.POST, institutions=_partners(content, asked))
    done = DoneForm(request.POST)
    form.is_valid()
    done.is_valid()
    kept = {**values, **form.stored_values()}
    facts = facts_of(application, {**content.all_values, **kept}, [choice.programme for choice in content.choices])
    kept = {question.key: kept[question.key] for question in here.questions if question.key in kept and is_asked(question, facts)}
    problems = problems_of(here, kept, facts)
    wants_done = done.cleaned_data.get("done") == "y"
    is_done = wants_done and not problems and not form.errors
    try:
        saved = actions.save_answers(application, here, kept, is_done=is_done, known_version=known_version(request), by=request.user)
    except ValidationError as refused:
        return _conflict(request, content, here, kept, refused)
    return _after_saving(request, content, here, form, done, problems if wants_done else [], asked, facts, saved.version)


def _after_saving(
    request: HttpRequest,
    content: Content,
    here: Section,
    form: QuestionsForm,
    done: DoneForm,
    problems: list[Problem],
    asked: list[Question],
    facts: Mapping[str, Any],
    version: int,
) -> HttpResponse:
    more = [question for question in here.questions if is_asked(question, facts) and question not in asked]
    if form.errors or (problems and not more):
        form.accept_problems(problems)
        keys = {question.key for question in form.questions}
        return _page(
            request,
            content,
            here,
            form,
            done,
            version=version,
            beside=[problem for problem in problems if problem.field not in keys],
            status=422,
        )
    if more:
        messages.info(request, _("Saved. More questions follow from your answers."))
        return redirect(page_of_section(content.application, here))
    if "exit" in request.POST:
        messages.success(request, _("Saved. You can come back at any time."))
        return redirect("apply:tasks", code=content.application.code)
    return redirect(next_page(content, here, facts))


def _page(
    request: HttpRequest,
    content: Content,
    here: Section,
    form: QuestionsForm,
    done: DoneForm,
    *,
    version: int,
    beside: list[Problem],
    status: int = 200,
) -> HttpResponse:
    facts = content.facts
    sections = sections_for(content.form, facts)
    values = content.values(here.key)
    groups = [
        (said(question, rows), len(rows) < most_entries(question))
        for question, rows in ((question, values.get(question.key) or []) for question in here.questions)
        if question.kind == QuestionKind.GROUP and is_asked(question, facts)
    ]
    keys = [section.key for section in sections]
    context = {
        "application": content.application,
        "call": content.application.call,
        "section": here,
        "number": keys.index(here.key) + 1 if here.key in keys else None,
        "count": len(sections),
        "form": form,
        "done": done,
        "groups": groups,
        "version": version,
        "beside": [(_target(here, form, problem.field), problem.message) for problem in beside],
        "saved_at": content.answers[here.key].saved_at if here.key in content.answers else None,
        "long_limits": {question.key: question.limits for question in here.questions if "words_min" in question.limits},
    }
    return render(request, "apply/section.html", context, status=status)


def _target(here: Section, form: QuestionsForm, field: str) -> str:
    """Where the link of a problem leads: to its control, or to the heading of the entries it is about."""
    groups = (question.key for question in here.questions if question.kind == QuestionKind.GROUP)
    about = next((key for key in groups if field == key or field.startswith(f"{key}.")), "")
    return f"g-{about}" if about else target_of(form, name_of(field))


def _conflict(request: HttpRequest, content: Content, here: Section, typed: Mapping[str, Any], refused: ValidationError) -> HttpResponse:
    """409: both texts beside each other; nothing was overwritten, and what was typed is not lost."""
    stored = content_of(content.application).values(here.key)
    differing = [
        (said(question, stored.get(question.key)), said(question, typed.get(question.key)))
        for question in here.questions
        if stored.get(question.key) != typed.get(question.key)
        and not (is_blank(stored.get(question.key)) and is_blank(typed.get(question.key)))
    ]
    context = {
        "application": content.application,
        "call": content.application.call,
        "section": here,
        "differing": differing,
        "refused": "" if refused.code == "changed_meanwhile" else refused.messages[0],
        "url": page_of_section(content.application, here),
    }
    return render(request, "apply/conflict.html", context, status=409)


@open_to()
@require_http_methods(["GET", "POST"])
def entry(request: HttpRequest, code: str, key: str, group: str, number: int | None = None) -> HttpResponse:
    """Add, change or remove one entry of a repeating question."""
    application, content, here = _found(request, code, key)
    question = next((question for question in here.questions if question.key == group and question.kind == QuestionKind.GROUP), None)
    rows = list(content.values(key).get(group) or [])
    row = content.answers.get(key)
    version = row.version if row else 0
    if question is None or (number is not None and number >= len(rows) and (request.method == "GET" or known_version(request) == version)):
        raise Http404
    asked = list(question.columns)
    current = rows[number] if number is not None and number < len(rows) else {}
    form = QuestionsForm(asked, current, request.POST if request.method == "POST" else None, institutions=_partners(content, asked))
    if request.method == "POST":
        changed = _with_entry(question, rows, form, number, is_removed="remove" in request.POST)
        if form.is_valid() or "remove" in request.POST:
            kept = {**content.values(key), group: changed}
            try:
                actions.save_answers(application, here, kept, is_done=False, known_version=known_version(request), by=request.user)
            except ValidationError as refused:
                return _conflict(request, content, here, kept, refused)
            return redirect(page_of_section(application, here))
        version = known_version(request)  # what was typed stands on what this page had shown
    else:
        try:
            _require_writable(request, content, here)
        except ValidationError as refused:
            return refuse(request, application, refused)
    context = {
        "application": application,
        "call": application.call,
        "section": here,
        "question": question,
        "form": form,
        "number": number,
        "version": version,
    }
    return render(request, "apply/entry.html", context, status=422 if form.errors else 200)


def _with_entry(
    question: Question, rows: list[dict[str, Any]], form: QuestionsForm, number: int | None, *, is_removed: bool
) -> list[dict[str, Any]]:
    """ROWS with the entry typed in FORM, or without it; what is wrong with the entry is put at its fields."""
    form.is_valid()
    entered = {name: value for name, value in form.stored_values().items() if not is_blank(value)}
    at = len(rows) if number is None else number
    if is_removed:
        return rows[:at] + rows[at + 1 :]
    form.accept_problems(_entry_problems(question, entered))
    if number is None and len(rows) >= most_entries(question):
        form.add_error(None, too_many_entries(question))
    return [*rows[:at], entered, *rows[at + 1 :]]


def _entry_problems(question: Question, entered: Mapping[str, Any]) -> list[Problem]:
    """What is wrong with the entry just typed; fields named by their column."""
    lone = Section("", "questions", question.label, question.label, question.label, question.condition, tuple(question.columns))
    return problems_of(lone, entered, entered)


@open_to()
@require_http_methods(["GET", "POST"])
def choices(request: HttpRequest, code: str) -> HttpResponse:
    """Ranked choices with Up and Down; add from the list of programmes."""
    application, content, here = _found(request, code, "choices", SectionKind.CHOICES)
    try:
        _require_writable(request, content, here)
    except ValidationError as refused:
        return refuse(request, application, refused)
    ranked = [choice.programme for choice in content.choices]
    row = content.answers.get("choices")
    errors = None
    if request.method == "POST":
        try:
            changed = _rearranged(application, ranked, request.POST)
            if changed is not None:
                actions.set_choices(application, changed, by=request.user)
                return redirect("apply:choices", code=code)
            done = request.POST.get("done") == "y"
            problems = problems_of_section(here, content, content.facts) if done else []
            actions.save_answers(
                application, here, {}, is_done=done and not problems, known_version=known_version(request), by=request.user
            )
            if not problems:
                return redirect(reverse("apply:tasks", args=[code]) if "exit" in request.POST else next_page(content, here, content.facts))
            errors = ValidationError([problem.message for problem in problems])
        except ValidationError as refused:
            errors = refused
    context = {
        "application": application,
        "call": application.call,
        "section": here,
        "ranked": ranked,
        "done": DoneForm(initial={"done": "y" if row and row.is_done else ""}),
        "version": row.version if row else 0,
        "errors": errors,
        "level": content.facts.get("level"),
        "number": [section.key for section in sections_for(content.form, content.facts)].index("choices") + 1,
        "count": len(sections_for(content.form, content.facts)),
    }
    return render(request, "apply/choices.html", context, status=status_of(errors))


def _rearranged(application: Application, ranked: list[Programme], data: Mapping[str, Any]) -> list[Programme] | None:
    """The choices after Up, Down, Remove or Add; None where none of these was pressed."""
    rows = list(ranked)
    codes = [programme.code for programme in rows]
    if (code := data.get("up")) in codes[1:]:
        at = codes.index(code)
        rows[at - 1], rows[at] = rows[at], rows[at - 1]
    elif (code := data.get("down")) in codes[:-1]:
        at = codes.index(code)
        rows[at + 1], rows[at] = rows[at], rows[at + 1]
    elif (code := data.get("remove")) in codes:
        rows.pop(codes.index(code))
    elif code := data.get("add"):
        programme = application.call.programmes.filter(code=code).first()
        if programme is None:
            raise ValidationError(_("This programme is not part of the call."), code="not_in_call")
        rows.append(programme)
    elif not any(name in data for name in ("up", "down", "remove")):
        return None
    return rows
