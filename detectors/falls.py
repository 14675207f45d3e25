"""Falls: which incident moves on by itself next, found without looking at all of them.

Each has a bound, quick to work out, before which it surely stays as it is; its exact moment is worked out once the
bound has passed, and is then known until the incident changes. Bounds stand in a heap.

Units   moments in microseconds since 1970
"""

from collections.abc import Callable, Mapping
from heapq import heapify, heappop, heappush
from typing import NamedTuple

from detectors.state import Incident

SPARE = 64
"""The heap may hold so many more than twice as many entries as there are incidents, before it is made anew."""


class Fall(NamedTuple):
    """When an incident moves on by itself: then, or not before then."""

    at: int
    is_exact: bool


class Moments(NamedTuple):
    """How to work out when an incident moves on by itself."""

    bound: Callable[[Incident], Fall]
    exact: Callable[[Incident], int]


class Falls:
    """When the incidents of a ledger move on by themselves."""

    def __init__(self, incidents: Mapping[str, Incident]) -> None:
        """Take the incidents as they are now, by their nodes; `changed` is to be called for each that changes."""
        self._incidents = incidents
        self._known: dict[str, tuple[Incident, Fall]] = {}
        self._unsure = set(incidents)
        self._heap: list[tuple[int, str]] = []

    def __len__(self) -> int:
        """Return how many incidents it has something of."""
        return len(self._known | dict.fromkeys(self._unsure))

    def changed(self, node: str) -> None:
        """Ask anew for the incident of a node: it has come, gone or changed."""
        self._unsure.add(node)

    def clear(self) -> None:
        """Ask anew for all: what is to be worked out has changed."""
        self._known, self._heap = {}, []
        self._unsure = set(self._incidents)

    def bound(self, moments: Moments) -> int | None:
        """Return before when surely none moves on by itself; None where there is none."""
        first = self._first(moments)
        return first[0] if first is not None else None

    def first(self, moments: Moments, until: int | None = None) -> tuple[int, str] | None:
        """Return when the first moves on by itself, and which; None where that is after `until`, or there is none."""
        while (first := self._first(moments)) is not None and (until is None or first[0] <= until):
            incident, fall = self._known[first[1]]
            if fall.is_exact:
                return first
            self._note(first[1], incident, Fall(moments.exact(incident), is_exact=True))
        return None

    def all_until(self, until: int, moments: Moments) -> list[tuple[int, str]]:
        """Return when each moves on that does so up to a moment, and which, in order."""
        found: dict[tuple[int, str], None] = {}  # an incident that was as it is before stands twice in the heap
        while self.first(moments, until) is not None:
            found[heappop(self._heap)] = None
        for one in found:
            heappush(self._heap, one)
        return list(found)

    def _first(self, moments: Moments) -> tuple[int, str] | None:
        """Return the lowest entry of the heap that holds."""
        while self._unsure:
            node = next(iter(self._unsure))
            incident, known = self._incidents.get(node), self._known.get(node)
            if incident is None:
                self._known.pop(node, None)
            elif known is None or known[0] is not incident:
                self._note(node, incident, moments.bound(incident))
            self._unsure.discard(node)
        while self._heap:
            at, node = self._heap[0]
            known = self._known.get(node)
            if known is not None and known[1].at == at:
                return at, node
            heappop(self._heap)
        return None

    def _note(self, node: str, incident: Incident, fall: Fall) -> None:
        self._known[node] = incident, fall
        heappush(self._heap, (fall.at, node))
        if len(self._heap) > 2 * len(self._known) + SPARE:
            self._heap = [(fall.at, node) for node, (_, fall) in self._known.items()]
            heapify(self._heap)
