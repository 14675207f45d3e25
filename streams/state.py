"""The detectors' memory between the table and the step: reads fall through, writes wait until they may stand."""

from collections.abc import Iterator, Mapping
from typing import Protocol


class Reads(Protocol):
    """Anything that answers for a key."""

    def get(self, key: str) -> bytes | None:
        """Return the value of a key, or None."""


class Overlay:
    """Writes over something readable, kept apart until they are taken over or thrown away.

    A step that fails half-way leaves nothing behind; a batch reaches the table only after the broker has its alerts.
    """

    def __init__(self, below: Reads) -> None:
        self.below = below
        self.changes: dict[str, bytes | None] = {}

    def get(self, key: str) -> bytes | None:
        """Return the value of a key, or None."""
        if key in self.changes:
            return self.changes[key]
        return self.below.get(key)

    def put(self, key: str, value: bytes) -> None:
        """Set the value of a key."""
        self.changes[key] = value

    def remove(self, key: str) -> None:
        """Forget a key."""
        self.changes[key] = None

    def take_over(self, other: "Overlay") -> None:
        """Make the changes of an overlay above ours."""
        self.changes.update(other.changes)

    def __iter__(self) -> Iterator[tuple[str, bytes | None]]:
        return iter(self.changes.items())


class DictState:
    """A store in memory: for tests, benchmarks and the in-process ceiling."""

    def __init__(self, values: Mapping[str, bytes] | None = None) -> None:
        self.values = dict(values or {})

    def get(self, key: str) -> bytes | None:
        """Return the value of a key, or None."""
        return self.values.get(key)

    def put(self, key: str, value: bytes) -> None:
        """Set the value of a key."""
        self.values[key] = value

    def remove(self, key: str) -> None:
        """Forget a key."""
        self.values.pop(key, None)
