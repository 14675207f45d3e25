"""Branches: which incidents lie at a node of the tree, and which below it, found without looking at all of them."""

from collections.abc import Collection

from detectors.state import APART, Incident

NONE: Collection[str] = frozenset()


class Branches:
    """The incidents of a ledger, by the nodes that take part in them; each is named by the node that leads."""

    def __init__(self) -> None:
        self._at: dict[str, set[str]] = {}
        self._below: dict[str, set[str]] = {}
        self.apart: set[str] = set()
        """What people split from others: no post names such a node."""

    def at(self, node: str) -> Collection[str]:
        """Return the incidents that a node takes part in."""
        return self._at.get(node, NONE)

    def below(self, node: str) -> Collection[str]:
        """Return the incidents of which some part lies strictly below a node."""
        return self._below.get(node, NONE)

    def changed(self, name: str, old: Incident | None, new: Incident | None) -> None:
        """Note that an incident has come, gone or changed."""
        if old is not None and new is not None and old.parts is new.parts:
            return
        if old is not None:
            self._remove(name, old)
        if new is not None:
            self._add(name, new)

    def _add(self, name: str, incident: Incident) -> None:
        if APART in name:
            self.apart.add(name)
        for part in incident.parts:
            self._at.setdefault(part.path[0], set()).add(name)
            for wider in part.path[1:]:
                self._below.setdefault(wider, set()).add(name)

    def _remove(self, name: str, incident: Incident) -> None:
        self.apart.discard(name)
        for part in incident.parts:
            _take(self._at, part.path[0], name)
            for wider in part.path[1:]:
                _take(self._below, wider, name)


def _take(sets: dict[str, set[str]], node: str, name: str) -> None:
    found = sets.get(node)
    if found is not None:
        found.discard(name)
        if not found:
            del sets[node]
