"""What finds an incident without looking at all of them finds the one that looking at all of them finds."""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from detectors.branches import Branches
from detectors.falls import Fall, Falls, Moments
from detectors.state import APART, Incident, Part

NODES = ("commune 1", "commune 2", "commune 3", f"commune 1{APART}1", "body")
WIDER = {"commune 1": ("body", "dep"), "commune 2": ("body", "dep"), "commune 3": ("dep",), "body": ("dep",)}
moments = st.integers(0, 40)


def part(node: str) -> Part:
    return Part((node, *WIDER.get(node, ())), 0.0, 0, 0.0, 0.0)


def incident(nodes: list[str], at: int) -> Incident:
    return Incident(
        incident_id=f"{nodes[0]} {at}",
        parts=tuple(part(node) for node in nodes),
        usual=0.0,
        onset_at=0,
        opened_at=0,
        level="watch",
        top="watch",
        raised_at=at,
        counted_at=at,
        values=[],
        pace=0.0,
        peak=0.0,
        background=0.0,
    )


@dataclass
class Asked:
    """Bounds that lie somewhat before the exact moments, and how often those were asked for."""

    early: int
    exact: int = 0
    seen: list[Incident] = field(default_factory=list)

    @property
    def moments(self) -> Moments:
        return Moments(self._bound, self._exact)

    def _bound(self, one: Incident) -> Fall:
        is_exact = one.raised_at % 3 == 0
        return Fall(one.raised_at - (0 if is_exact else self.early), is_exact)

    def _exact(self, one: Incident) -> int:
        self.exact += 1
        self.seen.append(one)
        return one.raised_at


changes = st.lists(st.tuples(st.sampled_from(NODES), st.one_of(st.none(), moments), moments), max_size=60)


@given(changes, st.integers(0, 9))
def test_the_first_to_move_on_is_found_whatever_has_changed(
    changes: list[tuple[str, int | None, int]], early: int
) -> None:
    incidents: dict[str, Incident] = {}
    falls, asked = Falls(incidents), Asked(early)
    for node, at, until in changes:
        if at is None:
            incidents.pop(node, None)
        else:
            incidents[node] = incident([node], at)
        falls.changed(node)
        exact = sorted((one.raised_at, name) for name, one in incidents.items())
        due = [one for one in exact if one[0] <= until]
        assert falls.first(asked.moments, until) == (due[0] if due else None)
        assert falls.all_until(until, asked.moments) == due
        assert falls.first(asked.moments) == (exact[0] if exact else None)
        bound = falls.bound(asked.moments)
        assert bound == (exact[0][0] if exact else None), "the first one's is exact by now"
    assert len(falls) == len(incidents)


@given(st.lists(st.tuples(st.sampled_from(NODES), moments), min_size=1, max_size=30))
def test_a_bound_is_never_too_late(changes: list[tuple[str, int]]) -> None:
    incidents: dict[str, Incident] = {}
    falls, asked = Falls(incidents), Asked(early=5)
    for node, at in changes:
        incidents[node] = incident([node], at)
        falls.changed(node)
        bound = falls.bound(asked.moments)
        assert bound is not None
        assert bound <= min(one.raised_at for one in incidents.values())
    assert not asked.exact, "nobody needed to know exactly"


def test_an_exact_moment_is_worked_out_once_an_incident_however_often_it_is_asked_for() -> None:
    incidents = {f"commune {number}": incident([f"commune {number}"], 100) for number in range(50)}
    falls, asked = Falls(incidents), Asked(early=99)
    for until in range(2, 90):
        assert falls.first(asked.moments, until) is None
    assert asked.exact == 50


def test_what_is_to_be_worked_out_otherwise_is_worked_out_anew() -> None:
    incidents = {"commune 1": incident(["commune 1"], 10)}
    falls, asked = Falls(incidents), Asked(early=0)
    assert falls.first(asked.moments) == (10, "commune 1")
    falls.clear()
    later = Moments(lambda _: Fall(20, is_exact=True), lambda _: 20)
    assert falls.first(later) == (20, "commune 1")


def test_the_heap_does_not_grow_with_the_changes_of_one_incident() -> None:
    incidents: dict[str, Incident] = {}
    falls, asked = Falls(incidents), Asked(early=0)
    for at in range(10_000):
        incidents["commune 1"] = incident(["commune 1"], at)
        falls.changed("commune 1")
        assert falls.first(asked.moments) == (at, "commune 1")
    assert len(falls._heap) < 100


parts = st.lists(st.sampled_from(NODES), min_size=1, max_size=3, unique=True)


@given(st.lists(st.tuples(st.booleans(), parts), max_size=40))
def test_incidents_are_found_by_the_nodes_at_and_above_them(changes: list[tuple[bool, list[str]]]) -> None:
    incidents: dict[str, Incident] = {}
    branches = Branches()
    for is_there, nodes in changes:
        name = nodes[0]
        old, new = incidents.pop(name, None), incident(nodes, 0) if is_there else None
        if new is not None:
            incidents[name] = new
        branches.changed(name, old, new)
        for node in (*NODES, "dep", "elsewhere"):
            assert set(branches.at(node)) == {name for name, one in incidents.items() if one.holds(node)}
            assert set(branches.below(node)) == {name for name, one in incidents.items() if one.lies_below(node)}
        assert branches.apart == {name for name in incidents if APART in name}
