"""Cursors: where each source stands, kept in one small SQLite file.

A crash of the process loses nothing; a power cut may bring back a slightly older cursor, and a few posts are then read
twice, which everything after us expects anyway.
"""

import sqlite3
from pathlib import Path

from connectors.contract import NotSaved

MOST_DIGITS = 18


def number_in(text: str) -> int | None:
    """Return the number that a part of a cursor is; None where it is none that a cursor of ours could hold."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS else None


class SqliteCursors:
    """Cursors in a file; one writer a source."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.execute("CREATE TABLE IF NOT EXISTS cursors (source TEXT PRIMARY KEY, cursor TEXT NOT NULL)")

    def load(self, source: str) -> str | None:
        """Return the last saved cursor of a source."""
        row = self._db.execute("SELECT cursor FROM cursors WHERE source = ?", (source,)).fetchone()
        return str(row[0]) if row else None

    def save(self, source: str, cursor: str) -> None:
        """Save a cursor.

        Errors  NotSaved when the disk will not have it
        """
        try:
            self._db.execute(
                "INSERT INTO cursors VALUES (?, ?) ON CONFLICT (source) DO UPDATE SET cursor = excluded.cursor",
                (source, cursor),
            )
        except sqlite3.Error as error:
            raise NotSaved(f"cursor of {source}: {error}") from error

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()


class ForgetfulCursors:
    """Cursors that last as long as the process: for replays."""

    def __init__(self) -> None:
        self._cursors: dict[str, str] = {}

    def load(self, source: str) -> str | None:
        """Return the last saved cursor of a source."""
        return self._cursors.get(source)

    def save(self, source: str, cursor: str) -> None:
        """Save a cursor."""
        self._cursors[source] = cursor
