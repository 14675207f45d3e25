"""Kept: a few values of one sink on disk, by key: what it still owes, what it has to say again.

Shape   every change is one transaction, on disk when it returns; values are bytes of the sink's own making
Errors  none but the disk's: sqlite3.Error
"""

import sqlite3
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path

SCHEMA = "CREATE TABLE IF NOT EXISTS kept (key TEXT PRIMARY KEY, value BLOB NOT NULL)"


class Kept:
    """The file."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode = TRUNCATE")  # small and seldom written; what was removed is gone at once
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute("PRAGMA secure_delete = ON")
        self._db.execute(SCHEMA)

    def all(self) -> dict[str, bytes]:
        """Return everything, by key."""
        with self._lock:
            return dict(self._db.execute("SELECT key, value FROM kept ORDER BY key").fetchall())

    def change(self, put: Mapping[str, bytes], remove: Iterable[str] = ()) -> None:
        """Remove some keys, then put values in, all or nothing."""
        with self._lock, self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany("DELETE FROM kept WHERE key = ?", [(key,) for key in remove])
            self._db.executemany(
                "INSERT INTO kept (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                list(put.items()),
            )

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._db.close()
