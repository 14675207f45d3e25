"""Standing: what was told of incidents and is not forgotten, for whoever shows it outside.

It follows from the state alone, so it is the same after a restart, and known before anything new is heard.

Shape   `look` at every key when the state is found, and at each key that has told something since
Errors  BrokenInvariant when the table below the shelf holds what we never wrote
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from detectors.lifecycle import RANKS
from detectors.shelf import Shelf
from detectors.state import OPEN, Told
from records import Alert, Level
from records.signal import Hazard


class Raised(NamedTuple):
    """An incident that has reached a level for the first time, by what was said of it."""

    hazard: Hazard
    level: Level


class Standing:
    """The last word on each incident, by the state key that it is kept under."""

    def __init__(self) -> None:
        self._told: dict[str, Mapping[str, Told]] = {}

    def look(self, key: str, shelf: Shelf) -> list[Raised]:
        """Take note of what was told under a key so far; return what has risen since that was last done."""
        before, after = self._told.get(key, {}), shelf.told(key)
        if after:
            self._told[key] = after
        else:
            self._told.pop(key, None)
        news = [(before.get(name), told) for name, told in after.items() if before.get(name) is not told]
        return [raised for one, told in news for raised in _raised(one, told)]

    def forget(self) -> None:
        """Forget all: others may have it now."""
        self._told.clear()

    def open(self) -> list[Alert]:
        """Return what is going on, as it was last told: the highest levels first, of these the newest.

        Another thread may ask while notes are taken.
        """
        alerts = [one.alert for told in tuple(self._told.values()) for one in told.values() if one.alert.level in OPEN]
        return sorted(alerts, key=lambda one: (_rank(one.level), one.raised_at, one.incident_id), reverse=True)


def _rank(level: str) -> int:
    return RANKS.index(level) if level in RANKS else 0  # what falls quiet stands behind what goes on


def _raised(before: Told | None, after: Told) -> Iterator[Raised]:
    """Yield which levels an incident has reached; what a person confirmed was raised before, or by him."""
    top = "" if before is None else before.top
    if RANKS.index(top) < RANKS.index("watch") <= RANKS.index(after.top):
        yield Raised(after.alert.hazard, "watch")
    if after.top == "alert" and RANKS.index(top) < RANKS.index("alert"):
        yield Raised(after.alert.hazard, "alert")
