"""A table in memory: for tests, benchmarks and the in-process ceiling."""

from collections.abc import Mapping


class DictState:
    """A table that keeps what it is given for as long as it lives."""

    def __init__(self, values: Mapping[str, bytes] | None = None) -> None:
        self.values = dict(values or {})

    def get(self, key: str) -> bytes | None:
        """Return the value of a key, or None."""
        return self.values.get(key)

    def keep(self, changes: Mapping[str, bytes | None]) -> None:
        """Keep a batch of changes; None removes a key."""
        for key, value in changes.items():
            if value is None:
                self.values.pop(key, None)
            else:
                self.values[key] = value
