"""A cache that is gone when Redis is gone, and never takes a page with it."""

from __future__ import annotations

import logging
from typing import Any

from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

log = logging.getLogger(__name__)


class ForgivingRedisCache(RedisCache):
    """Reads as empty and forgets what is written while the server does not answer."""

    def get(self, *args: Any, default: Any = None, **kwargs: Any) -> Any:
        try:
            return super().get(*args, default=default, **kwargs)
        except (RedisError, OSError) as error:
            return _missed(error, default)

    def set(self, *args: Any, **kwargs: Any) -> None:
        try:
            super().set(*args, **kwargs)
        except (RedisError, OSError) as error:
            _missed(error, None)

    def add(self, *args: Any, **kwargs: Any) -> bool:
        try:
            return bool(super().add(*args, **kwargs))
        except (RedisError, OSError) as error:
            return bool(_missed(error, False))

    def delete(self, *args: Any, **kwargs: Any) -> bool:
        try:
            return bool(super().delete(*args, **kwargs))
        except (RedisError, OSError) as error:
            return bool(_missed(error, False))


def _missed(error: Exception, answer: Any) -> Any:
    log.info("The cache did not answer: %s", type(error).__name__)
    return answer
