"""Counting: what one signal does to the nodes of its path, from the commune up to the area's root.

A post of weight raises the statistic of every node on its path, until it meets an incident: that one it belongs to, and
nodes above it hear nothing of it, because it is explained. A node whose statistic crosses its threshold opens one.

Source  docs/detection.md 2.1-2.3, 2.9
"""

from datetime import datetime
from math import exp
from typing import NamedTuple

from msgspec.structs import replace

from detectors import context, verdicts
from detectors.baseline import Baseline, busier, counted, counted_weak, rolled
from detectors.case import Case
from detectors.entry import Entry
from detectors.evidence import STRONG_RATIO
from detectors.incidents import (
    Heard,
    copied,
    crossed,
    follow,
    heard_again,
    incident_for,
    point_out,
    point_out_spread,
    settle,
)
from detectors.ledger import WEEK
from detectors.lifecycle import pace_after
from detectors.moment import HOUR, MINUTE
from detectors.promotion import turn
from detectors.rumour import has_spread
from detectors.state import Incident, Node, Stat
from detectors.statistic import decayed, onsets_after, raised
from detectors.telling import tell
from detectors.tree import population_of_node
from detectors.usual import THIS_WEEK, factor_at, local_at
from detectors.week import Week, noted
from records import Bulletin, Verdict


class Ground(NamedTuple):
    """A node of the path as a post finds it."""

    name: str
    node: Node
    level: float  # posts a minute, on average
    expected: float  # posts a minute, at this moment


def take(case: Case, entry: Entry) -> None:
    """Work out one entry: what it counts, where, and which incidents open or grow."""
    settle(case, entry.at)
    if not entry.is_post:
        _take_decided(case, entry)
        return
    entry.odds, entry.original = (0.0,) * len(entry.path), 0
    if not entry.is_weak:
        _take_evidence(case, entry)
    elif not entry.is_relay:
        _count_weak(case, entry)
    if entry.word or entry.denier:
        _note_word(case, entry)


def _take_decided(case: Case, entry: Entry) -> None:
    """Work out what a person decided, or an authority says."""
    if entry.statement is not None:
        _heed(case, entry, entry.statement)
    else:
        turn(case, entry.change_id)


def _take_evidence(case: Case, entry: Entry) -> None:
    """Work out a post of weight: what it repeats, or which incidents open or grow by it."""
    twins = case.ledger.memory.twins_of(entry, since=entry.at - case.watched.memory)
    is_free = [not any(twin.counted_at(node) for twin in twins) for node in entry.path]
    incident, place = incident_for(case, entry.path)
    if entry.is_relay or not any(is_free[: place + 1]):
        entry.original = twins[0].post if twins else 0
        copied(case, incident, entry.original)
        if twins and incident is None:
            _show_spread(case, entry, twins[0])
        return
    _count(case, entry, is_free, incident, place)


def _show_spread(case: Case, relay: Entry, original: Entry) -> None:
    """Show a post that raised nothing and that many pass on: somebody should know what goes round."""
    copies = case.ledger.memory.copies.get(original.post, 0) + 1  # the one at hand is not noted yet
    is_shown = original.path[0] in case.ledger.incidents
    if has_spread(copies) and not is_shown and original.path == relay.path:
        ground = _grounds(case, relay, _local(case, relay))[0]
        point_out_spread(case, Heard(original, 0, ground.level, ground.expected), relay.at)


def _note_word(case: Case, entry: Entry) -> None:
    """Let the incident that a post belongs to know that the press, an operator or an authority has spoken."""
    incident, _ = incident_for(case, entry.path)
    if incident is not None:
        heard_again(case, incident, entry)


def _heed(case: Case, entry: Entry, said: Verdict | Bulletin) -> None:
    if isinstance(said, Verdict):
        verdicts.heed(case, said, entry)
        return
    context.heed(case, said, entry.at)
    for incident in case.open_incidents():
        informed = context.with_authorities(case, incident)
        if informed is not incident:
            case.put_incident(informed)
        tell(case, informed, entry.at)


def _count_weak(case: Case, entry: Entry) -> None:
    """Let a weak post count as background, once an author."""
    earlier = case.ledger.memory.of_author(entry.author, since=entry.at - case.watched.memory)
    odds = []
    for number, name in enumerate(entry.path):
        is_free = not any(other.counted_at(name) for other in earlier)
        odds.append(float(is_free))
        if is_free:
            node = _node(case, entry, number)
            case.put_node(name, replace(node, baseline=counted_weak(node.baseline, entry.at)))
    entry.odds = tuple(odds)
    if odds[-1]:
        _note_hour(case, entry, _local(case, entry))


def _count(case: Case, entry: Entry, is_free: list[bool], incident: Incident | None, place: int) -> None:
    """Let a post count as evidence, for the nodes that did not hear its author or content yet, up to the incident's."""
    local = _local(case, entry)
    grounds = _grounds(case, entry, local)
    _note_hour(case, entry, local)
    odds = [0.0] * len(entry.path)
    for number, ground in enumerate(grounds):
        node = _counted(ground, entry, is_own=number == 0, is_free=is_free[number])
        case.put_node(ground.name, node)
        if number > place or not is_free[number]:  # explained by the incident below, or heard before
            continue
        odds[number] = entry.ratio / ground.expected
        entry.odds = tuple(odds)
        heard = Heard(entry, number, ground.level, ground.expected)
        if number == place and incident is not None:
            follow(case, incident, heard)
        elif _rises(case, heard, node):
            place = number
        elif number == 0 and incident is None:
            point_out(case, heard)


def _rises(case: Case, heard: Heard, node: Node) -> bool:
    """Raise the statistic of a node; tell whether it crossed its threshold."""
    name = heard.path[0]
    stat = _raised(case, name, node, heard)
    case.put_node(name, replace(node, stat=stat))
    return crossed(case, heard, stat)


def _grounds(case: Case, entry: Entry, local: datetime) -> list[Ground]:
    """Return the nodes of a path with what is usual there. Beforehand, a node believes in its share of its parent's."""
    profile, hazard = case.watched.profile, case.watched.name
    factor = factor_at(case, local)
    grounds: list[Ground] = []
    for number in reversed(range(len(entry.path))):
        node = _node(case, entry, number)
        if grounds:
            above = grounds[-1]
            people = max(node.population, profile.population_floor)
            prior = above.level * min(1.0, people / max(above.node.population, 1))
        else:
            prior = profile.usual_rate(hazard, node.population)
        level = node.baseline.level(prior)
        excess = busier(node.baseline, entry.at, weak_rate=level * profile.weak_share, shape=factor)
        expected = level * factor * max(excess, entry.chatter)
        grounds.append(Ground(entry.path[number], node, level, expected))
    grounds.reverse()
    return grounds


def _node(case: Case, entry: Entry, number: int) -> Node:
    """Return a node of the path, its days rolled on."""
    name = entry.path[number]
    node = case.ledger.nodes.get(name)
    if node is not None:
        baseline = rolled(node.baseline, entry.at, patience=case.watched.patience)
        if baseline is not node.baseline or (number == 0 and entry.population > node.population):
            node = replace(node, baseline=baseline, population=max(node.population, entry.population * (number == 0)))
        return node
    known = case.watched.places.get(name)
    people = entry.population
    if number:
        unknown = case.watched.profile.population_if_unknown
        people = max(people, population_of_node(name, known, unknown=unknown))
    lat, lon = (known.lat, known.lon) if known is not None else (entry.lat, entry.lon)
    return Node(baseline=Baseline(day_at=entry.at), population=people, lat=lat, lon=lon)


def _counted(ground: Ground, entry: Entry, *, is_own: bool, is_free: bool) -> Node:
    """Return a node after a post of weight, but for its statistic."""
    node = ground.node
    baseline = counted(node.baseline) if is_free else node.baseline
    if entry.ratio < STRONG_RATIO:
        return node if baseline is node.baseline else replace(node, baseline=baseline)
    kept = exp(-(entry.at - node.strong_at) / HOUR)
    return Node(
        baseline,
        node.population,
        node.lat,
        node.lon,
        node.stat,
        entry.at,
        node.strong * kept + 1.0,
        node.own * kept + is_own,
    )


def _raised(case: Case, name: str, node: Node, heard: Heard) -> Stat:
    """Return a node's statistic with one post more."""
    entry, odds = heard.entry, heard.odds
    rates, minutes = case.watched.rates, case.watched.settings.pace_minutes
    stat = node.stat
    if stat is None:
        silent = [0.0] * len(rates.per_minute)
        stat = Stat(entry.at, rates.idle, silent, [entry.at] * len(silent), 0.0)
    silence = (entry.at - stat.at) / MINUTE
    ceiling = case.thresholds(name, node).ceiling
    values = raised(decayed(stat.values, silence, rates), odds, rates, ceiling=ceiling)
    sums, onsets = onsets_after(stat.sums, stat.onsets, silence, odds, at=entry.at, rates=rates)
    return Stat(entry.at, values, sums, onsets, pace_after(stat.pace, silence, minutes))


def _local(case: Case, entry: Entry) -> datetime:
    return local_at(case, entry.at, entry.lon)


def _note_hour(case: Case, entry: Entry, local: datetime) -> None:
    """Let the area learn from a post at which hours people write; not while something is going on there."""
    root = case.ledger.nodes.get(entry.path[-1])
    if root is not None and root.baseline.is_frozen:
        return
    week = case.ledger.weeks.get(THIS_WEEK) or Week(day=local.toordinal())
    case.ledger.put(WEEK, THIS_WEEK, noted(week, local, country=case.watched.profile.holidays))
