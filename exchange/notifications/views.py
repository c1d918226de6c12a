"""Doors for machines: whether letters leave, and what came back."""

from __future__ import annotations

import json
import secrets

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import DatabaseError, connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from exchange.notifications.bounces import HARD, SOFT, Bounce, read_report, take
from exchange.notifications.health import health, metrics
from exchange.ui.guards import open_to_everybody


def _let_in(request: HttpRequest, token: str) -> None:
    """Let in who brings TOKEN.

    Raises:
        Http404: it is not set, or the request does not carry it: then there is nothing here.
    """
    said = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
    if not token or not secrets.compare_digest(said.encode(), token.encode()):
        raise Http404


# -- Health ----------------------------------------------------------------------


@open_to_everybody
@require_GET
def alive(request: HttpRequest) -> HttpResponse:
    """For a load balancer: the site answers, and so does its database."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return HttpResponse("The database does not answer.\n", status=503, content_type="text/plain")
    return HttpResponse("ok\n", content_type="text/plain")


@open_to_everybody
@require_GET
def ready(request: HttpRequest) -> HttpResponse:
    """For an alarm: 200 when letters leave, 503 when the oldest due one or a heartbeat is older than five minutes."""
    try:
        found = health()
    except DatabaseError:
        return JsonResponse({"state": "red", "database": "does not answer"}, status=503)
    said = {
        "state": "red" if found.is_red else "green",
        "oldest_due_seconds": found.oldest_due,
        "dead_letters": found.dead_letters,
        "worker_seconds": found.worker,
        "beat_seconds": found.clock,
    }
    return JsonResponse(said, status=503 if found.is_red else 200)


@open_to_everybody
@require_GET
def figures(request: HttpRequest) -> HttpResponse:
    """For Prometheus, with METRICS_TOKEN as bearer token."""
    _let_in(request, settings.METRICS_TOKEN)
    return HttpResponse(metrics(health()), content_type="text/plain; version=0.0.4; charset=utf-8")


# -- Bounces ---------------------------------------------------------------------


@csrf_exempt
@open_to_everybody
@require_POST
def bounces(request: HttpRequest) -> HttpResponse:
    """A letter came back, as JSON or as the report of a mail server; with BOUNCE_TOKEN as bearer token."""
    _let_in(request, settings.BOUNCE_TOKEN)
    try:
        bounce = _bounce(request)
    except RequestDataTooBig:
        return JsonResponse({"said": "The report is too large."}, status=413)
    except ValueError as error:
        return JsonResponse({"said": str(error)}, status=400)
    message = take(bounce) if bounce else None
    return JsonResponse({"message": message.code if message else None})


def _bounce(request: HttpRequest) -> Bounce | None:
    if request.content_type in {"message/rfc822", "multipart/report"}:
        return read_report(request.body)
    try:
        said = json.loads(request.body)
    except ValueError:
        raise ValueError("This is neither JSON nor a message/rfc822.") from None
    if not isinstance(said, dict) or not isinstance(said.get("message_id"), str) or said.get("kind") not in (HARD, SOFT):
        raise ValueError('It must hold "message_id" and "kind", which is "hard" or "soft".')
    return Bounce(said["message_id"].replace("\0", ""), said["kind"], str(said.get("said", "")))
