"""Outbox store: the file in which every notification stands until it is done with, and for a while after.

Shape   one row per incident, revision and receiver; every call is one transaction, in which it is also noted which rows
        have become something else. What is taken in is on disk when the call returns; what became of it is in the
        system's hands, so that a power cut may repeat a notification
Units   moments in seconds since 1970
Errors  BrokenInvariant when a row is gone that we were just told of
"""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

from connectors.sinks.needless import NEWER
from connectors.sinks.outbox_changes import Changed, Changes
from records import BrokenInvariant

SCHEMA = """
DROP TABLE IF EXISTS outbox;
CREATE TABLE IF NOT EXISTS notifications (
    id INTEGER PRIMARY KEY,
    incident_id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    receiver TEXT NOT NULL,
    route TEXT NOT NULL,
    team TEXT NOT NULL,
    level TEXT NOT NULL,
    is_urgent INTEGER NOT NULL,
    alert BLOB NOT NULL,
    state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'sent', 'failed', 'superseded')),
    held TEXT NOT NULL DEFAULT '',
    attempts INTEGER NOT NULL DEFAULT 0,
    enqueued_at REAL NOT NULL,
    tried_at REAL,
    next_try_at REAL NOT NULL,
    done_at REAL,
    detail TEXT NOT NULL DEFAULT '',
    UNIQUE (receiver, incident_id, revision)
);
CREATE INDEX IF NOT EXISTS notifications_pending ON notifications (receiver, id) WHERE state = 'pending';
CREATE INDEX IF NOT EXISTS notifications_of_incident ON notifications (incident_id, receiver);
CREATE INDEX IF NOT EXISTS notifications_done ON notifications (receiver, done_at) WHERE state = 'sent';
CREATE TABLE IF NOT EXISTS incidents (
    incident_id TEXT PRIMARY KEY,
    revision INTEGER NOT NULL,
    labels BLOB NOT NULL,
    alert BLOB NOT NULL,
    is_open INTEGER NOT NULL,
    seen_at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS histories (
    incident_id TEXT PRIMARY KEY,
    whole_to INTEGER NOT NULL,
    seen_at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS digests (
    digest_id TEXT PRIMARY KEY,
    made BLOB NOT NULL,
    made_at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS escalations (
    incident_id TEXT NOT NULL,
    route TEXT NOT NULL,
    due_at REAL NOT NULL,
    begun_at REAL NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'acknowledged', 'escalated')),
    PRIMARY KEY (incident_id, route)
);
"""
COLUMNS = (
    "id, incident_id, revision, receiver, route, team, level, is_urgent, held, attempts, tried_at, next_try_at,"
    " enqueued_at"
)
EARLIER = (
    "(SELECT 1 FROM notifications AS before"
    " WHERE before.receiver = notifications.receiver AND before.incident_id = notifications.incident_id"
    " AND before.state = 'pending' AND before.revision < notifications.revision"
)
FREE = f"state = 'pending' AND held = '' AND NOT EXISTS {EARLIER} AND before.held != '')"
"""What waits and nothing keeps back, itself or an earlier one of its incident."""
FIRST = f"NOT EXISTS {EARLIER})"
"""What is next of its incident: the others wait for it."""
INSERT = (
    "INSERT INTO notifications (incident_id, revision, receiver, route, team, level, is_urgent, alert, next_try_at,"
    " held, enqueued_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (receiver, incident_id, revision)"
)
Done = Literal["sent", "failed"]


class NewRow(NamedTuple):
    """A notification to be taken in."""

    incident_id: str
    revision: int
    receiver: str
    route: str
    team: str  # the group it belongs to, "" where it stands for itself
    level: str
    is_urgent: bool  # it makes the incident an alert: nobody waits for others, or counts how many there were
    alert: bytes
    next_try_at: float
    held: str = ""


class Row(NamedTuple):
    """A notification that its receiver has not got yet."""

    id: int
    incident_id: str
    revision: int
    receiver: str
    route: str
    team: str
    level: str
    is_urgent: int
    held: str  # why it was kept back when it was last looked at, "" where it was not
    attempts: int
    tried_at: float | None  # the first time
    next_try_at: float
    enqueued_at: float


class Told(NamedTuple):
    """What a receiver was told of an incident, or is about to be."""

    route: str
    has_risen: bool  # that it is an alert, as the last word
    is_waiting: bool = False  # something of it is still to be told
    has_missed: bool = False  # the last word did not reach it


class Known(NamedTuple):
    """The newest revision of an incident that went through here."""

    incident_id: str
    revision: int
    labels: bytes
    alert: bytes
    is_open: int
    seen_at: float


class Unsaid(NamedTuple):
    """What a row is to say from now on, since words were taken back."""

    alert: bytes
    id: int


class Waiting(NamedTuple):
    """What waits of an incident, whoever is to be told."""

    id: int
    revision: int
    alert: bytes


class Escalation(NamedTuple):
    """An incident that nobody has acknowledged so far."""

    incident_id: str
    route: str
    due_at: float
    begun_at: float


@dataclass
class Intake:
    """All that alerts bring at once."""

    known: list[Known] = field(default_factory=list)
    rows: list[NewRow] = field(default_factory=list)
    escalations: list[Escalation] = field(default_factory=list)
    seen: list[tuple[str, int]] = field(default_factory=list)  # incidents with a revision that went through here
    unsaid: list[Unsaid] = field(default_factory=list)
    digests: list[tuple[str, bytes]] = field(default_factory=list)  # what is to be known of digests, by their ids


class Store:
    """The file."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA secure_delete = ON")  # else what was removed stays in the file's free pages
        self._db.executescript(SCHEMA)
        with self._transaction():
            self._changes = Changes(self._db)

    @property
    def outbox_id(self) -> str:
        """By which this file is told from those of other workers."""
        return self._changes.outbox_id

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:  # SQLite may have let go of it itself, such as on a full disk
                    self._db.execute("ROLLBACK")
                raise

    def take(self, intake: Intake, at: float) -> int:
        """Take notifications in with what they are about, all or nothing; return how many rows were new."""
        with self._lock:
            self._db.execute("PRAGMA synchronous = FULL")
            with self._transaction():
                self._remember(intake, at)
                added = self._insert(intake.rows, at, "DO NOTHING")
                self._changes.note(added, at)
            self._db.execute("PRAGMA synchronous = NORMAL")
            if intake.unsaid:
                self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # the log has the words, until then
            return len(added)

    def _remember(self, intake: Intake, at: float) -> None:
        """Write what alerts bring beside the rows for receivers."""
        self._db.executemany(
            "INSERT INTO incidents VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (incident_id) DO UPDATE SET"
            " revision = excluded.revision, labels = excluded.labels, alert = excluded.alert,"
            " is_open = excluded.is_open, seen_at = excluded.seen_at"
            " WHERE excluded.revision >= incidents.revision",
            intake.known,
        )
        self._db.executemany(
            "INSERT INTO histories VALUES (:incident_id, :revision = 1, :at)"
            " ON CONFLICT (incident_id) DO UPDATE"
            " SET whole_to = whole_to + (whole_to + 1 = :revision), seen_at = :at",
            [{"incident_id": name, "revision": revision, "at": at} for name, revision in intake.seen],
        )
        self._db.executemany("UPDATE notifications SET alert = ? WHERE id = ? AND state = 'pending'", intake.unsaid)
        self._db.executemany(
            "INSERT INTO digests VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            [(*digest, at) for digest in intake.digests],
        )
        self._db.executemany(
            "INSERT INTO escalations (incident_id, route, due_at, begun_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            intake.escalations,
        )

    def _insert(self, rows: Sequence[NewRow], at: float, otherwise: str) -> list[int]:
        """Write rows; where one stands already, do otherwise. Return the ids of those that are new or were changed."""
        written = [row for row in rows if self._db.execute(f"{INSERT} {otherwise}", (*row, at)).rowcount]
        found = "SELECT id FROM notifications WHERE receiver = ? AND incident_id = ? AND revision = ?"
        return [self._db.execute(found, (row.receiver, row.incident_id, row.revision)).fetchone()[0] for row in written]

    def escalate(self, rows: Sequence[NewRow], at: float) -> None:
        """Take rows in for who is called because nobody else looked; what only took words back there becomes one."""
        with self._transaction():
            called = self._insert(
                rows,
                at,
                "DO UPDATE SET state = 'pending', route = excluded.route, team = excluded.team,"
                " level = excluded.level, is_urgent = excluded.is_urgent, alert = excluded.alert,"
                " next_try_at = excluded.next_try_at, held = '', detail = '', done_at = NULL"
                " WHERE notifications.level = 'words'",
            )
            self._changes.note(called, at)

    def pending(self, receiver: str) -> list[Row]:
        """Return what a receiver has not got yet, oldest first."""
        with self._lock:
            found = self._db.execute(
                f"SELECT {COLUMNS} FROM notifications WHERE receiver = ? AND state = 'pending' ORDER BY id",  # noqa: S608
                (receiver,),
            ).fetchall()
        return [Row(*row) for row in found]

    def alert(self, row_id: int) -> bytes:
        """Return the alert of a row."""
        with self._lock:
            found = self._db.execute("SELECT alert FROM notifications WHERE id = ?", (row_id,)).fetchone()
        if found is None:
            raise BrokenInvariant(f"outbox: row {row_id} is gone")
        return bytes(found[0])

    def done(self, row_ids: Sequence[int], state: Done, at: float, detail: str = "") -> None:
        """Note that rows are done with: the words of their alerts are not kept."""
        with self._transaction():
            self._db.executemany(
                "UPDATE notifications SET state = ?, done_at = ?, detail = ?, attempts = attempts + 1, alert = x''"
                " WHERE id = ?",
                [(state, at, detail[:500], row_id) for row_id in row_ids],
            )
            self._changes.note(row_ids, at)

    def put_off(self, row_id: int, at: float, until: float, detail: str) -> None:
        """Note that a row was tried, and is to be tried again."""
        with self._transaction():
            self._db.execute(
                "UPDATE notifications SET next_try_at = ?, detail = ?, held = '', attempts = attempts + 1,"
                " tried_at = coalesce(tried_at, ?) WHERE id = ?",
                (until, detail[:500], at, row_id),
            )
            self._changes.note([row_id], at)

    def hasten(self, at: float) -> None:
        """Have all that waits for a later moment be tried at this one."""
        with self._transaction():
            self._db.execute(
                "UPDATE notifications SET next_try_at = ? WHERE state = 'pending' AND next_try_at > ?", (at, at)
            )

    def latest(self) -> float:
        """Return when the newest of what waits was taken in, 0 where nothing waits."""
        with self._lock:
            found = self._db.execute("SELECT max(enqueued_at) FROM notifications WHERE state = 'pending'").fetchone()
        return found[0] or 0.0

    def supersede(self, old: int, new: int, at: float) -> None:
        """Note that a newer row stands for an older one; what made that one urgent makes this one so."""
        with self._transaction():
            self._db.execute(
                "UPDATE notifications SET is_urgent = 1, next_try_at = min(next_try_at, ?) WHERE id = ?"
                " AND (SELECT is_urgent FROM notifications WHERE id = ?)",
                (at, new, old),
            )
            self._db.execute(
                "UPDATE notifications SET state = 'superseded', done_at = ?, alert = x'', detail = ? WHERE id = ?",
                (at, NEWER, old),
            )
            self._changes.note([old], at)

    def needless(self, row_id: int, why: str, at: float) -> None:
        """Note that a row need not be told."""
        with self._transaction():
            self._db.execute(
                "UPDATE notifications SET state = 'superseded', done_at = ?, held = '', alert = x'', detail = ?"
                " WHERE id = ?",
                (at, why[:500], row_id),
            )
            self._changes.note([row_id], at)

    def give_up_others(self, receivers: Sequence[str], at: float) -> int:
        """Note that receivers that there are no more will not be told; return of how much."""
        marks = ", ".join("?" * len(receivers))
        with self._transaction():
            found = self._db.execute(
                f"SELECT id FROM notifications WHERE state = 'pending' AND receiver NOT IN ({marks})",  # noqa: S608
                tuple(receivers),
            )
            given_up = [row_id for (row_id,) in found.fetchall()]
            self._db.executemany(
                "UPDATE notifications SET state = 'failed', done_at = ?, alert = x'',"
                " detail = 'there is no such receiver any more' WHERE id = ?",
                [(at, row_id) for row_id in given_up],
            )
            self._changes.note(given_up, at)
        return len(given_up)

    def hold(self, row_id: int, at: float, until: float, why: str) -> None:
        """Note that a row is kept back, and why."""
        with self._transaction():
            is_news = self._db.execute(
                "SELECT 1 FROM notifications WHERE id = ? AND held != ?", (row_id, why[:500])
            ).fetchone()
            self._db.execute(
                "UPDATE notifications SET next_try_at = ?, held = ? WHERE id = ?", (until, why[:500], row_id)
            )
            if is_news:
                self._changes.note([row_id], at)

    def changes(self, after: int, most: int) -> list[Changed]:
        """Return the oldest notifications whose outcome has changed, after a number, in the order of their changes."""
        with self._lock:
            return self._changes.after(after, most)

    def forget_changes(self, up_to: int) -> None:
        """Note that changes up to a number were told of."""
        with self._transaction():
            self._changes.forget(up_to)

    def open_incidents(self, since: float) -> list[bytes]:
        """Return the labels of the incidents that are open, as far as we have heard of them since a moment."""
        with self._lock:
            found = self._db.execute("SELECT labels FROM incidents WHERE is_open AND seen_at >= ?", (since,))
            return [bytes(row[0]) for row in found]

    def incident(self, incident_id: str) -> Known | None:
        """Return the newest revision of an incident."""
        with self._lock:
            found = self._db.execute("SELECT * FROM incidents WHERE incident_id = ?", (incident_id,)).fetchone()
        return Known(*found) if found else None

    def told_of(self, incident_id: str) -> dict[str, Told]:
        """Return who was told of an incident, or is about to be; the newest word counts."""
        with self._lock:
            rows = self._db.execute(
                "SELECT receiver, route, level IN ('alert', 'confirmed'), state FROM notifications"
                " WHERE incident_id = ? AND state IN ('pending', 'sent', 'failed') AND level != 'words'"
                " ORDER BY revision",
                (incident_id,),
            ).fetchall()
        found: dict[str, Told] = {}
        for receiver, route, has_risen, state in rows:
            earlier = found.get(receiver)
            if state != "failed":
                is_waiting = state == "pending" or (earlier is not None and earlier.is_waiting)
                found[receiver] = Told(route, bool(has_risen), is_waiting)
            elif earlier is not None:
                found[receiver] = earlier._replace(has_missed=True)
        return found

    def waiting_of(self, incident_id: str) -> list[Waiting]:
        """Return what still waits to be told of an incident."""
        with self._lock:
            found = self._db.execute(
                "SELECT id, revision, alert FROM notifications WHERE incident_id = ? AND state = 'pending'",
                (incident_id,),
            ).fetchall()
        return [Waiting(row_id, revision, bytes(alert)) for row_id, revision, alert in found]

    def digests_made(self) -> list[bytes]:
        """Return what was noted of digests, oldest first."""
        with self._lock:
            return [bytes(row[0]) for row in self._db.execute("SELECT made FROM digests ORDER BY made_at, digest_id")]

    def told_incidents(self) -> list[bytes]:
        """Return the newest revision of each incident that somebody was told of while it was on, or is to be."""
        with self._lock:
            found = self._db.execute(
                "SELECT alert FROM incidents WHERE EXISTS (SELECT 1 FROM notifications AS told"
                " WHERE told.incident_id = incidents.incident_id"
                " AND told.level IN ('watch', 'alert', 'confirmed', 'monitoring'))"
            )
            return [bytes(row[0]) for row in found]

    def has_told(self, receiver: str, incident_id: str) -> bool:
        """Tell whether a receiver has got any word of an incident while it was on."""
        with self._lock:
            found = self._db.execute(
                "SELECT 1 FROM notifications WHERE incident_id = ? AND receiver = ? AND state = 'sent'"
                " AND level IN ('watch', 'alert', 'confirmed', 'monitoring') LIMIT 1",
                (incident_id, receiver),
            ).fetchone()
        return found is not None

    def is_whole(self, incident_id: str, revision: int) -> bool:
        """Tell whether all revisions of an incident up to one went through here: else another worker may have told."""
        with self._lock:
            found = self._db.execute(
                "SELECT 1 FROM histories WHERE incident_id = ? AND whole_to >= ?", (incident_id, revision)
            ).fetchone()
        return found is not None

    def sent_since(self, receiver: str, at: float) -> list[float]:
        """Return when a receiver was told something since a moment, oldest first; a group counts once."""
        with self._lock:
            found = self._db.execute(
                "SELECT DISTINCT done_at FROM notifications WHERE receiver = ? AND state = 'sent' AND done_at > ?"
                " ORDER BY done_at",
                (receiver, at),
            )
            return [row[0] for row in found]

    def team_told_at(self, receiver: str, team: str) -> float:
        """Return when a receiver was last told of a group, 0 where it was not."""
        with self._lock:
            found = self._db.execute(
                "SELECT max(done_at) FROM notifications WHERE receiver = ? AND team = ? AND state = 'sent'",
                (receiver, team),
            ).fetchone()
        return found[0] or 0.0

    def due_escalations(self, at: float) -> list[Escalation]:
        """Return what nobody has acknowledged in time."""
        with self._lock:
            found = self._db.execute(
                "SELECT incident_id, route, due_at, begun_at FROM escalations WHERE state = 'waiting' AND due_at <= ?",
                (at,),
            ).fetchall()
        return [Escalation(*row) for row in found]

    def end_escalation(
        self, incident_id: str, state: Literal["acknowledged", "escalated"], *, begun_before: float | None = None
    ) -> None:
        """Note that an incident was acknowledged, or escalated: what began before a moment, where one is given."""
        with self._lock:
            self._db.execute(
                "UPDATE escalations SET state = ? WHERE incident_id = ? AND state = 'waiting' AND begun_at <= ?",
                (state, incident_id, float("inf") if begun_before is None else begun_before),
            )

    def counts(self) -> dict[tuple[str, str], int]:
        """Return how many rows each receiver has in each state."""
        with self._lock:
            found = self._db.execute("SELECT receiver, state, count(*) FROM notifications GROUP BY 1, 2").fetchall()
        return {(receiver, state): rows for receiver, state, rows in found}

    def waits(self) -> dict[str, tuple[int, float]]:
        """Return how many rows wait for each receiver that nothing keeps back, and since when the oldest does.

        The next one of each incident counts, from its first try on: before it something may have kept it back.
        """
        with self._lock:
            found = self._db.execute(
                f"SELECT receiver, count(*), min(CASE WHEN {FIRST} THEN coalesce(tried_at, enqueued_at) END)"  # noqa: S608  ours
                f" FROM notifications WHERE {FREE} GROUP BY 1"
            ).fetchall()
        return {receiver: (rows, since) for receiver, rows, since in found}

    def oldest_pending(self) -> float | None:
        """Return since when the oldest row waits that nothing keeps back, or None when none does."""
        with self._lock:
            found = self._db.execute(f"SELECT min(enqueued_at) FROM notifications WHERE {FREE}").fetchone()  # noqa: S608  ours
        return found[0] if found else None

    def held(self) -> dict[str, int]:
        """Return how many rows are kept back, by the reason."""
        with self._lock:
            found = self._db.execute(
                "SELECT held, count(*) FROM notifications WHERE state = 'pending' AND held != '' GROUP BY 1"
            ).fetchall()
        return dict(found)

    def forget_before(self, at: float) -> int:
        """Remove rows that were done with before a moment, and what they were about; return how many rows."""
        with self._lock:
            with self._transaction():
                removed = self._db.execute(
                    "DELETE FROM notifications WHERE state != 'pending' AND done_at < ?", (at,)
                ).rowcount
                self._changes.forget_gone()
                self._db.execute("DELETE FROM escalations WHERE due_at < ?", (at,))
                self._db.execute("DELETE FROM incidents WHERE seen_at < ?", (at,))
                self._db.execute("DELETE FROM histories WHERE seen_at < ?", (at,))
                self._db.execute("DELETE FROM digests WHERE made_at < ?", (at,))
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # the log has the words of what was told, until then
        return removed

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._db.close()
