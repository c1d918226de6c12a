"""Words within names, in any script: how they are folded, and the index in which they are found.

SQLite's LIKE folds ASCII only and reads every row, so that names are kept folded, and a trigram
index beside the table (FTS5) finds parts of three letters or more. PostgreSQL has pg_trgm. Where
neither can be had the same questions are answered by reading.
"""

from __future__ import annotations

import logging
import re
import sqlite3
import unicodedata
from contextlib import closing
from typing import Any

from django.db import DatabaseError, connections, transaction
from django.db.models.lookups import Contains

log = logging.getLogger(__name__)

TRIGRAM = 3
_TABLE = "applications_application"
_WORDS = "applications_words"
_MARKS = re.compile("[\u0300-\u036f]+")  # accents; the vowel signs of Indian scripts are no marks of this kind
_APOSTROPHES = str.maketrans("", "", "'’‘ʻʼ`´ʹ")


def folded(text: str) -> str:
    """TEXT without case, accents and apostrophes: "Oʻgʻiloy" and "O'giloy" are both "ogiloy"."""
    plain = unicodedata.normalize("NFKD", text).translate(_APOSTROPHES)
    return unicodedata.normalize("NFC", _MARKS.sub("", plain)).casefold()


class HasWord(Contains):
    """``search__has``: the folded text contains this folded part."""

    lookup_name = "has"

    def get_rhs_op(self, connection: Any, rhs: str) -> str:
        return str(connection.operators["contains"] % rhs)

    def as_sqlite(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        word = str(self.rhs)
        if len(word) < TRIGRAM or not has_trigrams():
            return self.as_sql(compiler, connection)
        quote = compiler.quote_name_unless_alias
        phrase = '"' + word.replace('"', '""') + '"'
        column = f"{quote(self.lhs.alias)}.{quote(self.lhs.target.model._meta.pk.column)}"
        return f"{column} IN (SELECT rowid FROM {_WORDS} WHERE {_WORDS} MATCH %s)", [phrase]


# -- The index -------------------------------------------------------------------

_SQLITE = {
    _WORDS: f"CREATE VIRTUAL TABLE {_WORDS} USING fts5(search, content='{_TABLE}', content_rowid='id', tokenize='trigram case_sensitive 1')",
    f"{_WORDS}_added": f"""CREATE TRIGGER {_WORDS}_added AFTER INSERT ON {_TABLE} BEGIN
        INSERT INTO {_WORDS}(rowid, search) VALUES (new.id, new.search);
    END""",
    f"{_WORDS}_removed": f"""CREATE TRIGGER {_WORDS}_removed AFTER DELETE ON {_TABLE} BEGIN
        INSERT INTO {_WORDS}({_WORDS}, rowid, search) VALUES ('delete', old.id, old.search);
    END""",
    f"{_WORDS}_changed": f"""CREATE TRIGGER {_WORDS}_changed AFTER UPDATE OF search ON {_TABLE} WHEN old.search <> new.search BEGIN
        INSERT INTO {_WORDS}({_WORDS}, rowid, search) VALUES ('delete', old.id, old.search);
        INSERT INTO {_WORDS}(rowid, search) VALUES (new.id, new.search);
    END""",
}


def _probe() -> bool:
    try:
        with closing(sqlite3.connect(":memory:")) as memory:
            memory.execute("CREATE VIRTUAL TABLE probe USING fts5(text, tokenize='trigram case_sensitive 1')")
    except sqlite3.Error:
        return False
    return True


_HAS_TRIGRAMS = _probe()


def has_trigrams() -> bool:
    """Whether this SQLite can keep the index: FTS5 with trigrams, version 3.34 or newer."""
    return _HAS_TRIGRAMS


def keep_index(using: str = "default", **kwargs: Any) -> None:
    """Make the index where it is missing. Runs after each ``migrate``, and mostly does nothing.

    Not a migration: when Django remakes a table of SQLite for a change of schema, its triggers are
    gone without a word, and the index would go stale.
    """
    connection = connections[using]
    if connection.vendor == "sqlite":
        if has_trigrams():
            _keep_sqlite(connection)
    elif connection.vendor == "postgresql":
        _keep_postgresql(connection)


def _keep_sqlite(connection: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM sqlite_master WHERE name = %s OR name LIKE %s", [_TABLE, f"{_WORDS}%"])
        present = {name for (name,) in cursor.fetchall()}
        missing = [name for name in _SQLITE if name not in present]
        if _TABLE not in present or not missing:
            return
        with transaction.atomic(using=connection.alias):
            for name in missing:
                cursor.execute(_SQLITE[name])
            cursor.execute(f"INSERT INTO {_WORDS}({_WORDS}) VALUES ('rebuild')")


def _keep_postgresql(connection: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL, to_regclass(%s) IS NOT NULL", [_TABLE, _WORDS])
        is_migrated, is_present = cursor.fetchone()
        if is_present or not is_migrated:
            return
        try:
            with transaction.atomic(using=connection.alias):
                cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
                cursor.execute(f"CREATE INDEX {_WORDS} ON {_TABLE} USING gin (search gin_trgm_ops)")
        except DatabaseError as refused:  # no such extension on this server, or this role may not create it
            log.warning("Names are searched without an index (%s). Let a superuser run: CREATE EXTENSION pg_trgm", type(refused).__name__)
