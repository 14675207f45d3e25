"""Reading share: which part of what was read came from which source."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from records import Pulse

KEPT = "kept"
REFUSED = "refused"


@dataclass(frozen=True)
class Share:
    """What was read of one source, or by one way."""

    name: str
    read: int
    kept: int
    refused: int
    of_all: float  # 0 to 1


def shares(pulses: Iterable[Pulse], names: Mapping[str, str] | None = None) -> list[Share]:
    """Return shares, the largest first; `names` says under which name each source is counted, if not under its own."""
    counts: dict[str, Counter[str]] = {}
    for pulse in pulses:
        name = pulse.source if names is None else names.get(pulse.source, "")
        counts.setdefault(name, Counter()).update(pulse.outcomes)
    read = {name: sum(found.values()) for name, found in counts.items()}
    whole = sum(read.values()) or 1
    found = [Share(name, read[name], counts[name][KEPT], counts[name][REFUSED], read[name] / whole) for name in counts]
    return sorted(found, key=lambda one: (-one.read, one.name))
