"""JSON lines: one alert revision a line, appended to a file.

Killed between the writing and its note in the outbox, the sink gets the same alert again: it reads the end of its file
at the start and writes nothing twice. Half a line, left by a power cut, is taken away.

Shape   the line of `line_from`, in UTF-8
Errors  TryLater when the disk will not have it
"""

import asyncio
import os
from pathlib import Path

import msgspec

from connectors.sinks.contract import TryLater, line_from
from records import Alert

TAIL_BYTES = 4 << 20
"""How far back a repeat is recognised at the start; an outbox keeps far fewer lines in doubt."""


class Key(msgspec.Struct, frozen=True):
    """What tells one line from another."""

    incident_id: str
    revision: int


class JsonLines:
    """Appends alerts to a file; one process at a time."""

    def __init__(self, path: Path, *, name: str = "jsonl", is_durable: bool = True) -> None:
        self.name = name
        self._is_durable = is_durable
        path.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        self._written = self._read_tail()

    async def send(self, alert: Alert) -> None:
        """Append an alert, unless it is there."""
        key = Key(alert.incident_id, alert.revision)
        if key in self._written:
            return
        line = msgspec.json.encode(line_from(alert)) + b"\n"
        try:
            await asyncio.to_thread(self._append, line)
        except OSError as error:
            raise TryLater(f"{self.name}: cannot write: {error.strerror}") from error
        self._written.add(key)

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._descriptor)

    def _append(self, line: bytes) -> None:
        """Write a whole line or nothing."""
        end = os.lseek(self._descriptor, 0, os.SEEK_END)
        try:
            written = os.write(self._descriptor, line)
            while written < len(line):
                written += os.write(self._descriptor, line[written:])
            if self._is_durable:
                os.fsync(self._descriptor)
        except OSError:
            os.ftruncate(self._descriptor, end)
            raise

    def _read_tail(self) -> set[Key]:
        size = os.fstat(self._descriptor).st_size
        start = max(0, size - TAIL_BYTES)
        tail = os.pread(self._descriptor, size - start, start)
        whole = tail[: tail.rfind(b"\n") + 1]
        os.ftruncate(self._descriptor, start + len(whole))
        lines = whole.splitlines()[1 if start else 0 :]
        return {key for line in lines if (key := key_in(line))}


def key_in(line: bytes) -> Key | None:
    """Return which alert a line holds, or None when it is not one of ours."""
    try:
        return msgspec.json.decode(line, type=Key)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
