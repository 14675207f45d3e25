"""Detector: signals in, alerts out. Everything it knows between two calls stands in the store.

Shape   `observe` for every signal, roughly in event time; `pass_time` for every tick; `next_due` says when the next
        tick is needed. Same store and same calls: same alerts, byte for byte
Units   event time only; there is no clock here
Errors  BrokenInvariant when the store holds what we never wrote; nothing that a signal says raises
Source  docs/detection.md 2 and 3
"""

from datetime import datetime

from detectors import agenda
from detectors.baseline import Baseline, shape_at
from detectors.case import Case, Told, Watched
from detectors.corroboration import Voice
from detectors.evidence import is_first_hand, likelihood_ratio_of, tier_of
from detectors.exhibit import original_of, platform_of, show, show_since, slot_from, vote
from detectors.incidents import advance, settle, tally
from detectors.independence import (
    are_near,
    author_name,
    content_names,
    forget_page,
    is_near_copy,
    is_past_telling_apart,
    note_fingerprint,
    post_hash,
    recall,
    remember,
    tell,
    was_told,
)
from detectors.lifecycle import pace_after
from detectors.moment import EARLIEST, LATEST, MINUTE, instant_from, moment_from
from detectors.node import node_of
from detectors.profile import Profile
from detectors.state import MOST_VOICES, Desk, Exhibit, Incident, Node, Seen, Stat, Store
from detectors.statistic import decayed, onsets_after, raised
from records import Alert, BrokenInvariant, Signal, Tick

__all__ = ["Detector", "Store"]

PAGES_A_TICK = 32


class Detector:
    """Watches every hazard and place of a profile, one signal at a time."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self._watched: dict[str, Watched] = {hazard: Watched(profile, hazard) for hazard in profile.hazards}

    def observe(self, signal: Signal, store: Store) -> list[Alert]:
        """Take in one signal; return all revisions that it causes, in order."""
        watched = self._watched.get(signal.hazard)
        event_at = moment_from(min(signal.event_time, signal.received_at))
        if watched is None or not EARLIEST <= event_at < LATEST:
            return []
        desk, node_id = Desk(store, signal.key), node_of(signal.place)
        node = desk.read(Node, f"node/{node_id}")
        if node is None:
            node = Node(at=event_at, baseline=Baseline(day_at=event_at))
        if event_at < node.horizon:
            return []
        alerts = self._take_in(Case(desk, signal.place.area, watched, node_id, node), signal, event_at)
        desk.write()
        return alerts

    def pass_time(self, tick: Tick, store: Store) -> list[Alert]:
        """Let time pass for one hazard and area; return the revisions that are due, stamped when they were due."""
        watched = self._watched.get(tick.hazard)
        if watched is None:
            return []
        desk, at = Desk(store, tick.key), moment_from(tick.at)
        alerts: list[Alert] = []
        for node_id in agenda.due_nodes(desk, at):
            node = desk.read(Node, f"node/{node_id}")
            if node is None:
                raise BrokenInvariant(f"state {tick.key}/agenda names {node_id}, which has no state of its own")
            case = Case(desk, tick.area, watched, node_id, node)
            alerts += settle(case, at)
            for _ in range(PAGES_A_TICK):
                if not forget_page(case, at):
                    break
            agenda.correct(case)
            case.stage(node)
        desk.write()
        return alerts

    def next_due(self, key: str, store: Store) -> datetime | None:
        """Return when `<hazard>/<area>` needs its next tick at the earliest; None while nothing waits there."""
        return agenda.next_due(key, store)

    def _take_in(self, case: Case, signal: Signal, event_at: int) -> list[Alert]:
        node, desk, memory = case.node, case.desk, case.watched.memory
        author, post = author_name(case.node_id, signal), post_hash(signal)
        known = recall(desk, author)
        if known is not None and was_told(known, post, event_at):
            return []
        if known is not None and is_past_telling_apart(known, since=max(node.at, event_at) - memory):
            known.lost_at = max(known.lost_at, event_at)
            desk.stage(f"seen/{author}", known)
            return []
        node.at = max(node.at, event_at)
        node.horizon = max(node.horizon, node.at - memory)
        ratio = likelihood_ratio_of(signal)
        names = [author, *content_names(case.node_id, signal)] if ratio >= 1.0 else [author]
        told = Told(signal=signal, at=node.at, event_at=event_at, ratio=ratio, names=names)
        alerts = settle(case, told.at) if ratio >= 1.0 or node.is_open else []
        node.population = max(node.population, self.profile.population_of(signal.place))
        node.baseline.roll(told.at, patience=case.watched.patience)
        seen = known or Seen()
        tell(seen, post, told.at, since=told.at - memory)
        alerts += self._weigh(case, told, seen)
        if known is not None:
            desk.stage(f"seen/{author}", seen)
        else:
            remember(desk, case.node_id, node, author, seen, memory=memory)
        forget_page(case, told.at)
        if node.forget_at and not node.is_on_agenda:
            agenda.enter(case)
        case.stage(node)
        return alerts

    def _weigh(self, case: Case, told: Told, seen: Seen) -> list[Alert]:
        """Take a signal for what it is: a relay or a copy, a weak post, or evidence."""
        since = told.at - case.watched.memory
        if told.ratio < 1.0:
            if not told.signal.is_relay and max(seen.weak_at, seen.strong_at) < since:
                seen.weak_at = told.at
                case.node.baseline.count()
                case.node.baseline.count_weak(told.at)
            return []
        if told.signal.is_relay or _is_copy(case, told, seen):
            _fold(case, told)
            return []
        onset = case.onset()
        is_new_author = onset is None or seen.strong_at < onset
        seen.strong_at = told.at
        for name in told.names[1:]:
            _note_content(case, name, told.at)
        return self._count(case, told, is_new_author=is_new_author)

    def _count(self, case: Case, told: Told, *, is_new_author: bool) -> list[Alert]:
        """Let one post count as evidence."""
        prior_rate = self.profile.usual_rate(case.watched.name, case.node.population)
        weak_share, baseline = self.profile.weak_share, case.node.baseline
        shape = shape_at(
            instant_from(told.at),
            zone=self.profile.zone,
            degrees_east=told.signal.place.lon - self.profile.reference_lon,
        )
        odds = told.ratio / baseline.expected_rate(told.at, prior_rate=prior_rate, shape=shape, weak_share=weak_share)
        baseline.count()
        weight = self.profile.weight_of(case.node_id, told.signal.place)
        stat, voice = _raised(case, told, odds, weight=weight), _voice_from(told, odds)
        stat.voices = [*stat.voices[1 - MOST_VOICES :], voice]
        case.stage(stat)
        incident = case.incident()
        exhibit = _exhibited(case, incident, told, odds)
        if incident is not None and incident.level != "resolved":
            tally(incident, [voice], authors=int(is_new_author))
            incident.counted_at = told.at
            incident.peak = max(incident.peak, stat.pace)
        usual = baseline.level(prior_rate) * (1.0 - weak_share)
        return advance(case, stat, exhibit, told, usual=usual)


def _raised(case: Case, told: Told, odds: float, *, weight: float) -> Stat:
    """Return the node's statistic with one post more."""
    rates = case.watched.rates
    stat = case.stat()
    if stat is None:
        silent = [0.0] * len(rates.per_minute)
        stat = Stat(at=told.at, values=rates.idle, sums=silent, onsets=[told.at] * len(silent))
    stat.weight = weight
    silence = (told.at - stat.at) / MINUTE
    ceiling = case.watched.thresholds(weight).ceiling
    stat.values = raised(decayed(stat.values, silence, rates), odds, rates, ceiling=ceiling)
    stat.sums, stat.onsets = onsets_after(stat.sums, stat.onsets, silence, odds, at=told.at, rates=rates)
    stat.pace = pace_after(stat, told.at, case.watched.settings.pace_minutes)
    stat.at = told.at
    note_fingerprint(stat, told.signal.fingerprint, told.at)
    return stat


def _voice_from(told: Told, odds: float) -> Voice:
    return Voice(
        at=told.at,
        odds=odds,
        likelihood_ratio=told.ratio,
        tier=tier_of(told.signal),
        platform=platform_of(told.signal),
        is_first_hand=is_first_hand(told.signal),
        has_image=told.signal.has_image,
        is_named=bool(told.signal.author_id),
    )


def _exhibited(case: Case, incident: Incident | None, told: Told, odds: float) -> Exhibit:
    """Return what is shown, this post and its place considered."""
    exhibit = case.exhibit()
    if incident is None or incident.level == "resolved":
        folds = case.folds()
        if folds.total:
            case.stage(folds)
        show_since(exhibit, folds, told.at - case.watched.memory)
        if incident is None and not exhibit.slots:
            exhibit.places = []
    slot = slot_from(told.signal, at=told.at, event_at=told.event_at, odds=odds, ratio=told.ratio, names=told.names)
    is_changed = show(exhibit, slot)
    is_changed |= vote(exhibit, incident.votes if incident is not None else [], told.signal.place)
    if any(exhibit.versions.get(name) != version for name, version in told.signal.versions.items()):
        exhibit.versions = {**exhibit.versions, **told.signal.versions}
        is_changed = True
    if is_changed:
        case.stage(exhibit)
    return exhibit


def _is_copy(case: Case, told: Told, seen: Seen) -> bool:
    since = told.at - case.watched.memory
    if seen.strong_at >= since:
        return True
    for name in told.names[1:]:
        content = recall(case.desk, name)
        if content is not None and content.strong_at >= since:
            return True
    stat = case.stat()
    return stat is not None and is_near_copy(stat, told.signal.fingerprint, since=since)


def _note_content(case: Case, name: str, at: int) -> None:
    known = recall(case.desk, name)
    if known is not None:
        known.strong_at = at
        case.desk.stage(f"seen/{name}", known)
        return
    memory = case.watched.memory
    remember(case.desk, case.node_id, case.node, name, Seen(strong_at=at), memory=memory)


def _fold(case: Case, told: Told) -> None:
    """Count a copy, and put it to the post that it copies where that one is shown."""
    exhibit, fingerprint = case.exhibit(), told.signal.fingerprint
    if not exhibit.slots:
        return
    near = [index for index, slot in enumerate(exhibit.slots) if are_near(slot.fingerprint, fingerprint)]
    folds = case.folds()
    folds.total += 1
    original = original_of(exhibit, told.names, near)
    if original is not None:
        folds.by_post[original.post_key] = folds.by_post.get(original.post_key, 0) + 1
    case.stage(folds)
