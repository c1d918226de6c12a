"""The access log of gunicorn, without keys."""

from __future__ import annotations

from typing import Any

from gunicorn.glogging import Logger

from exchange.logs import without_keys


class AccessLog(Logger):
    def atoms(self, resp: Any, req: Any, environ: dict[str, Any], request_time: Any) -> dict[str, Any]:
        found: dict[str, Any] = super().atoms(resp, req, environ, request_time)
        return {name: without_keys(value) if isinstance(value, str) else value for name, value in found.items()}
