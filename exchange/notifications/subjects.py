"""What a letter needs to know about what it is about: read fresh when it is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.db.models import Count

from exchange.notifications.bundles import DIGEST, listed_in
from exchange.notifications.models import Mailing, Message
from exchange.notifications.wordings import filled, unlinked
from scholarships.applications.models import Application, Stage
from scholarships.applications.reasons import RETURN_REASONS
from scholarships.calls.models import Call, StepKind, is_open
from scholarships.correspondence.models import Post
from scholarships.nominations.models import SentList
from scholarships.offers.models import Offer
from scholarships.partners.models import Institution
from scholarships.people.models import Role, Scope, User
from scholarships.people.rules import institutions_of
from scholarships.references.dates import due_of
from scholarships.references.models import Link, Reference
from scholarships.reviews.models import Assignment

Files = Mapping[str, dict[str, Any]]  # code of an application -> its part of the context


def context_of(message: Message, files: Files | None = None) -> dict[str, Any]:
    """The context of the templates of MESSAGE: ``recipient``, ``event`` and the subject under its name.

    Args:
        files: what ``files_of`` has fetched for a whole batch.

    Raises:
        LookupError: what it is about is gone.
    """
    try:
        about = _ABOUT[message.event.subject_kind]
    except KeyError:
        raise LookupError(f"no letter tells of a “{message.event.subject_kind}”") from None
    known = files.get(message.application) if files else None
    told = about(message, known) if about in _OF_A_FILE else about(message)
    return {"message": message, "event": message.event, "recipient": message.user, **told}


def files_of(messages: Iterable[Message]) -> Files:
    """The files of all applications of which MESSAGES tell, in two queries."""
    codes = {message.application for message in messages if message.application}
    return _files(codes) if codes else {}


def _found(row: Any) -> Any:
    if row is None:
        raise LookupError("what the letter is about is gone")
    return row


def _application(message: Message, known: dict[str, Any] | None = None) -> dict[str, Any]:
    said = message.event.data.get("reason", "")
    context = known or _file(message.event.subject_key)
    post = Post.objects.filter(code=message.event.data["post"]).first() if "post" in message.event.data else None
    return {**context, "reason": RETURN_REASONS.get(said, ""), "is_open": is_open(context["call"], message.event.at), "post": post}


def _mailing(message: Message, known: dict[str, Any] | None = None) -> dict[str, Any]:
    """The words of the mailing, or those of this letter alone, filled for its reader. Officers hear of a mailing too, without words."""
    if message.mailing is None:
        mailing = _found(Mailing.objects.select_related("call", "by").filter(code=message.event.subject_key).first())
        return {"mailing": mailing, "call": mailing.call}
    context = known or _file(message.application)
    own = getattr(message, "rewording", None) or message.mailing
    return {**context, **filled(own, context)}


def _file(code: str) -> dict[str, Any]:
    return _found(_files({code}).get(code))


def _files(codes: set[str]) -> dict[str, dict[str, Any]]:
    """Code -> the application, its call and its newest offer."""
    rows = Application.objects.select_related("call", "applicant", "revision", "first_choice__host", "country").filter(code__in=codes)
    offers = Offer.objects.filter(application__code__in=codes).select_related("programme__host").order_by("pk")
    newest = {offer.application_id: offer for offer in offers}
    return {row.code: {"application": row, "call": row.call, "offer": newest.get(row.pk)} for row in rows}


def _call(message: Message) -> dict[str, Any]:
    """The call, and what of it is the reader's: ``own`` application, ``files`` of the ``body``, open ``reviews``."""
    call = _found(Call.objects.filter(code=message.event.subject_key).first())
    own = Application.objects.filter(call=call, applicant=message.user).first() if message.user else None
    reviews = Assignment.objects.open().filter(call=call, reviewer=message.user).count() if message.user else 0
    waiting = Stage.objects.filter(left_at__isnull=True, kind=StepKind.NOMINATION, application__call=call)
    mine = institutions_of(message.user) if message.user else ()
    files = dict(waiting.filter(body__code__in=mine).values_list("body__code").annotate(Count("pk")))
    body = next(iter(files)) if len(files) == 1 else ""
    return {"call": call, "own": own, "files": sum(files.values()), "body": body, "reviews": reviews}


def _person(message: Message) -> dict[str, Any]:
    data = message.event.data
    role = Role(data["role"]).label if data.get("role") in Role.values else ""
    listed = listed_in(message) if message.event.name == DIGEST else {}
    return {
        **listed,
        "person": _found(User.objects.filter(code=message.event.subject_key).first()),
        "role": role,
        "place": _place(data.get("scope", ""), data.get("of", "")),
        "call": Call.objects.filter(code=data.get("call", "")).first(),
    }


def _place(scope: str, code: str) -> str:
    """The call or the institution within which a role counts, "" for the whole site."""
    if scope == Scope.CALL:
        title = Call.objects.filter(code=code).values_list("title", flat=True).first()
        return f"“{title}”" if title else code
    if scope == Scope.INSTITUTION:
        institution = Institution.objects.filter(code=code).first()
        return str(institution.name) if institution else code
    return ""


def _sent_list(message: Message) -> dict[str, Any]:
    sent = _found(SentList.objects.select_related("call", "body").filter(code=message.event.subject_key).first())
    return {"sent": sent, "call": sent.call, "body": sent.body.code}


def _assignment(message: Message) -> dict[str, Any]:
    assignment = _found(Assignment.objects.select_related("application").filter(code=message.event.subject_key).first())
    return _file(assignment.application.code)


def _reference(message: Message) -> dict[str, Any]:
    """The request to a referee, who asks (``asker``), and when the letter is due."""
    reference = _found(
        Reference.objects.select_related("application__call", "application__version", "application__applicant")
        .filter(code=message.event.subject_key)
        .first()
    )
    file = _file(reference.application.code)
    said = {"asker": reference.asker, "referee": reference.name, "note": reference.note, "colleague": reference.colleague}
    words = {name: unlinked(value) for name, value in said.items()}  # of people who write to people unknown to us
    return {**file, **words, "reference": reference, "due": due_of(reference.application)}


def _link(message: Message) -> dict[str, Any]:
    """The link to all requests to one address."""
    return {"expires": _found(Link.objects.filter(code=message.event.subject_key).first()).expires_at}


def _offer(message: Message) -> dict[str, Any]:
    offer = _found(Offer.objects.select_related("application").filter(code=message.event.subject_key).first())
    return _file(offer.application.code)


_OF_A_FILE = (_application, _mailing)  # these take what is known of the application

_ABOUT: dict[str, Callable[..., dict[str, Any]]] = {
    "application": _application,
    "assignment": _assignment,
    "call": _call,
    "link": _link,
    "mailing": _mailing,
    "offer": _offer,
    "reference": _reference,
    "sentlist": _sent_list,
    "user": _person,
}
