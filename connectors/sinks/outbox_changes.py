"""Outbox changes: which notifications have become something that nobody beyond the outbox has been told of.

Shape   one row per notification that has changed, noted in the transaction that changes it; a newer change takes the
        place of an older one under a number of its own, so that what was read can be forgotten, and nothing else
Units   moments in seconds since 1970
"""

import sqlite3
from collections.abc import Iterable
from typing import NamedTuple

SCHEMA = (
    "CREATE TABLE IF NOT EXISTS identity (outbox_id TEXT NOT NULL)",
    "INSERT INTO identity SELECT lower(hex(randomblob(8))) WHERE NOT EXISTS (SELECT 1 FROM identity)",
    "CREATE TABLE IF NOT EXISTS changes"
    " (number INTEGER PRIMARY KEY AUTOINCREMENT, row_id INTEGER NOT NULL UNIQUE, at REAL NOT NULL)",
)
COLUMNS = "number, incident_id, revision, receiver, route, level, state, held, attempts, detail, at"


class Changed(NamedTuple):
    """A notification as it stands, and since when."""

    number: int
    incident_id: str
    revision: int
    receiver: str
    route: str
    level: str
    state: str
    held: str
    attempts: int
    detail: str
    at: float


class Changes:
    """The table; whoever calls has the file to himself, and notes within the transaction of what he changes."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        is_new = not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'changes'").fetchone()
        for statement in SCHEMA:
            db.execute(statement)
        if is_new:  # in a file from before there was this table nobody was told of any row
            db.execute(
                "INSERT INTO changes (row_id, at)"
                " SELECT id, coalesce(done_at, tried_at, enqueued_at) FROM notifications ORDER BY id"
            )
        self.outbox_id: str = db.execute("SELECT outbox_id FROM identity").fetchone()[0]

    def note(self, row_ids: Iterable[int], at: float) -> None:
        """Note that rows have changed."""
        self._db.executemany(
            "INSERT OR REPLACE INTO changes (row_id, at) VALUES (?, ?)", [(row_id, at) for row_id in row_ids]
        )

    def after(self, number: int, most: int) -> list[Changed]:
        """Return the oldest changes after a number, in their order."""
        found = self._db.execute(
            f"SELECT {COLUMNS} FROM changes JOIN notifications ON id = row_id"  # noqa: S608  names from above
            " WHERE number > ? ORDER BY number LIMIT ?",
            (number, most),
        )
        return [Changed(*row) for row in found]

    def forget(self, number: int) -> None:
        """Remove the changes up to a number; what has changed again since then has a higher one."""
        self._db.execute("DELETE FROM changes WHERE number <= ?", (number,))

    def forget_gone(self) -> None:
        """Remove the changes of rows that are gone."""
        self._db.execute("DELETE FROM changes WHERE row_id NOT IN (SELECT id FROM notifications)")
