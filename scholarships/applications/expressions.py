"""What a list of applications is sorted and filtered by, so that each database walks the index meant for it."""

from __future__ import annotations

from typing import Any

from django.db import models


class Merit(models.Func):
    """A score as a key to sort by: whoever has none comes last, on every database and by an index."""

    template = "COALESCE(%(expressions)s, -1)"
    arity = 1
    output_field = models.FloatField()  # a decimal would be cast, and then differ from the index


class Read(models.Func):
    """A column that is read while an index is walked, and never a reason to take another index.

    SQLite keeps no statistics: for "of this call" it takes the index on calls, fetches ten thousand
    rows and sorts them, where the index of the order gives the first fifty at once. A "+" before
    the column forbids that. PostgreSQL knows better by itself.

    Source: https://sqlite.org/optoverview.html, "Disqualifying WHERE clause terms using unary +".
    """

    template = "%(expressions)s"
    arity = 1

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self.as_sql(compiler, connection, template="+%(expressions)s", **extra)
