"""Incidents: opening, joining, moving, lifting and closing them.

One happening is one incident: what crosses its threshold on the branch of an open incident, or next door soon after,
takes part in that one; an incident of a wide area moves to the place that holds most of its posts.

Source  docs/detection.md 2.8, 2.9 and 3
"""

from dataclasses import dataclass
from functools import partial
from math import exp

from msgspec.structs import replace

from detectors.baseline import frozen, thawed
from detectors.case import Case
from detectors.context import prior, with_authorities
from detectors.corroboration import NONE_YET, Tally, Voice, grounds_for, is_credible, without_strongest
from detectors.crisis_clock import Times, counted, denied, spoken
from detectors.entry import Entry
from detectors.exhibit import copied_once_more, place_to_show, shown_with, slot_from, voted
from detectors.falls import Fall, Moments
from detectors.identity import id_for, id_for_point
from detectors.ledger import REMEMBERED
from detectors.lifecycle import RANKS, due_at, held_until, level_after, pace_after
from detectors.moment import HOUR, MINUTE
from detectors.profile import kilometres_between
from detectors.state import APART, RULINGS, Incident, Node, Part, Stat, Vote, order_of
from detectors.statistic import best, decayed, mixture, raised
from detectors.telling import tell
from detectors.thresholds import Thresholds

MOST_PLATFORMS = 8
GONE_SILENTLY = ("resolved", "rejected", "signal")
CREDIBLE_RATIO = 10.0
"""What one post has to say, first-hand, to be shown on the map although it raises no watch."""
MOST_VOICES = 12
MOVING_SHARE = 0.75
"""An incident of a wide area moves to a node that holds this share of its located strong posts of the last hour, ..."""
MOVING_POSTS = 2.5
"""... and no fewer than so many."""


@dataclass(frozen=True)
class Heard:
    """An entry, as one node of its path heard it."""

    entry: Entry
    number: int  # of the node on the path
    level: float  # posts a minute that are usual there, on average
    expected: float  # posts a minute to expect at this moment

    @property
    def path(self) -> tuple[str, ...]:
        """Return the node and those above it."""
        return self.entry.path[self.number :]

    @property
    def odds(self) -> float:
        """Return the likelihood ratio over the background."""
        return self.entry.ratio / self.expected


@dataclass(frozen=True)
class Crossing:
    """A node whose statistic has crossed its threshold."""

    part: Part
    stat: Stat
    entries: list[Entry]  # its evidence since the onset
    reached: str
    grounds: str

    @property
    def at(self) -> int:
        """Return when it crossed."""
        return self.entries[-1].at


def incident_for(case: Case, path: tuple[str, ...]) -> tuple[Incident | None, int]:
    """Return the open incident that a post belongs to and which node of its path meets it, or None and past the end.

    A post that names a wide area belongs to what goes on within it.
    """
    ledger = case.ledger
    if not ledger.incidents:
        return None, len(path)
    for number, node in enumerate(path):
        holding = [one for one in case.named(ledger.branches.at(node)) if not one.is_over]
        if holding:
            return min(holding, key=order_of), number
    below = [one for one in case.named(ledger.branches.below(path[0])) if one.is_open]
    if below:
        return max(below, key=lambda one: (one.counted_at, one.node)), 0
    return None, len(path)


def crossed(case: Case, heard: Heard, stat: Stat) -> bool:
    """Open an incident where a node's statistic has crossed its threshold, or have it take part in one; tell if so."""
    name = heard.path[0]
    node = case.ledger.nodes[name]
    thresholds = case.thresholds(name, node).lowered(prior(case, heard.entry.at))
    if mixture(stat.values) < thresholds.watch:
        return False
    entries = _entries_since_onset(case, name, stat, heard.entry)
    voices = tuple(_voice_from(entry, name) for entry in entries)
    reached, grounds = level_reached(case, stat.values, voices, thresholds)
    if reached is None:
        return False
    part = Part(heard.path, heard.level, stat.onsets[best(stat.values)], node.lat, node.lon)
    _take_part(case, Crossing(part, stat, entries, reached, grounds))
    return True


def point_out(case: Case, heard: Heard) -> None:
    """Show one credible post that raises no watch: a signal, for the map alone."""
    said = heard.entry.said
    if said is not None and said.is_first_hand and heard.entry.ratio >= CREDIBLE_RATIO:
        _point_out(case, heard, heard.entry.at)


def point_out_spread(case: Case, heard: Heard, at: int) -> None:
    """Show one post that raises no watch and that many pass on: a signal, too, and maybe a rumour."""
    if heard.entry.said is not None:
        _point_out(case, heard, at)


def _point_out(case: Case, heard: Heard, at: int) -> None:
    entry, name = heard.entry, heard.path[0]
    node = case.ledger.nodes[name]
    is_vague = len(heard.path) == 1  # a whole area is no point on a map
    if is_vague or node.stat is None or name in case.ledger.incidents:
        return
    part = Part(heard.path, heard.level, entry.at, node.lat, node.lon)
    incident = _with(case, _fresh(id_for_point(case, part, entry.at), part, node.stat, at), entry, name)
    incident = replace(incident, level="signal", top="signal", authors=1, background=heard.level)
    case.put_incident(incident)
    tell(case, incident, at)


def _take_part(case: Case, crossing: Crossing) -> None:
    part = crossing.part
    leading = [one for one in map(case.ledger.incidents.get, part.path[1:]) if one is not None and one.is_open]
    above = min(leading, key=order_of, default=None)
    if above is not None and _moves(case, above, part, crossing.at):
        _move(case, above, crossing)
    elif above is not None:
        _join(case, above, crossing, crossing.entries[-1:])  # the incident heard the others
    elif (near := _related(case, part, crossing.at)) is not None:
        _join(case, near, crossing, crossing.entries)
    else:
        _open(case, _earlier(case, part), crossing)
    for name in part.path[1:]:
        node = case.ledger.nodes.get(name)
        if node is not None and node.stat is not None:
            case.put_node(name, replace(node, stat=None))


def _earlier(case: Case, part: Part) -> Incident | None:
    """Return the resolved incident of this branch that may come back."""
    resolved = [one for one in case.ledger.incidents.values() if one.level == "resolved"]
    related = [one for one in resolved if one.holds(part.node) or one.lies_below(part.node) or one.node in part.path]
    return max(related, key=lambda one: (one.raised_at, one.node), default=None)


def _related(case: Case, part: Part, at: int) -> Incident | None:
    """Return the open incident that a node belongs to: one within it, or one next door that began not long before."""
    settings = case.watched.settings
    below = [one for one in case.named(case.ledger.branches.below(part.node)) if one.is_open]
    if below:
        return min(below, key=order_of)
    soon = int(settings.neighbour_minutes * MINUTE)
    for incident in case.open_incidents():
        if APART in incident.node:
            continue
        for other in incident.parts:
            since = max(incident.counted_at, other.onset_at) if settings.spreads else other.onset_at
            apart = kilometres_between(part.lat, part.lon, other.lat, other.lon)
            if min(part.onset_at, at) - since <= soon and apart <= settings.neighbour_km:
                return incident
    return None


def _moves(case: Case, incident: Incident, part: Part, at: int) -> bool:
    """Tell whether a finer node holds so much of a wide area's posts that the incident is there."""
    here, there = case.ledger.nodes[part.node], case.ledger.nodes[incident.node]
    located = (there.strong - there.own) * exp(-(at - there.strong_at) / HOUR)
    found = here.strong * exp(-(at - here.strong_at) / HOUR)
    return found >= MOVING_SHARE * located and found >= MOVING_POSTS


def _open(case: Case, earlier: Incident | None, crossing: Crossing) -> None:
    """Open an incident, or let one come back; its posts are those since the onset."""
    part, stat, entries, at = crossing.part, crossing.stat, crossing.entries, crossing.at
    if earlier is None:
        incident = _decided_before(case, _fresh(id_for(case, part, at), part, stat, at))
    else:
        incident = _come_back(case, earlier, part, stat, at)
    for entry in entries:
        incident = _with(case, incident, entry, part.node)
    incident = replace(
        incident,
        level=crossing.reached,
        top=crossing.reached,
        grounds=crossing.grounds,
        authors=incident.authors + len(entries),
        background=part.level * (1.0 - case.watched.profile.weak_share),
    )
    incident = with_authorities(case, _with_words(case, _with_area(case, incident), part, at))
    freeze(case, part.path, at, posts=len(entries))
    case.put_node(part.node, replace(case.ledger.nodes[part.node], stat=None))
    case.put_incident(incident)
    tell(case, incident, at)


def _fresh(incident_id: str, part: Part, stat: Stat, at: int) -> Incident:
    return Incident(
        incident_id=incident_id,
        parts=(part,),
        usual=part.level,
        onset_at=part.onset_at,
        opened_at=at,
        level="",
        top="",
        raised_at=at,
        counted_at=at,
        values=stat.values,
        pace=stat.pace,
        peak=stat.pace,
        background=0.0,
    )


def _decided_before(case: Case, incident: Incident) -> Incident:
    """Return an incident with what people decided of it while it was a post on the map."""
    known = case.ledger.incidents.get(incident.node)
    if known is None or known.incident_id != incident.incident_id:
        return incident
    return replace(incident, decisions=known.decisions, heard=known.heard)


def _come_back(case: Case, earlier: Incident, part: Part, stat: Stat, at: int) -> Incident:
    case.drop_incident(earlier.node)
    return replace(
        earlier,
        parts=(part,),
        usual=part.level,
        opened_at=at,
        raised_at=at,
        counted_at=at,
        values=stat.values,
        pace=stat.pace,
        peak=stat.pace,
        returns=earlier.returns + 1,
        voices=(),
        slots=(),
        copies=0,
        doubted=0,
        times=replace(earlier.times, denied=0, denier=""),  # what was denied then is not what is told now
        votes=earlier.votes if earlier.node == part.node else (),
        shown=earlier.shown if earlier.node == part.node else 0,
        decided_by="",  # on its level: that is of what was over
        reason="",
        decisions=tuple(one for one in earlier.decisions if one.decision not in RULINGS),
        belief=None,
        taken_back=None,
    )


def _join(case: Case, incident: Incident, crossing: Crossing, entries: list[Entry]) -> None:
    """Have a node take part in an incident, with those of its posts that the incident did not hear."""
    part, stat, at = crossing.part, crossing.stat, crossing.at
    silence = (at - incident.counted_at) / MINUTE
    minutes = case.watched.settings.pace_minutes
    pace = pace_after(incident.pace, silence, minutes) + stat.pace - 1.0 / minutes
    incident = replace(incident, values=decayed(incident.values, silence, case.watched.rates))
    ceiling = case.thresholds_of(incident).ceiling
    for entry in entries:
        values = raised(incident.values, _odds_at(entry, part.node), case.watched.rates, ceiling=ceiling)
        incident = replace(incident, values=values)
        incident = _with(case, incident, entry, part.node)
    incident = replace(
        _with_words(case, incident, part, at),
        parts=(*incident.parts, part),
        usual=incident.usual + part.level,
        counted_at=at,
        authors=incident.authors + len(entries),
        background=incident.background + part.level * (1.0 - case.watched.profile.weak_share),
        pace=pace,
        peak=max(incident.peak, pace),
    )
    freeze(case, part.path, at, posts=len(entries))
    case.put_node(part.node, replace(case.ledger.nodes[part.node], stat=None))
    _settle_level(case, incident, at)


def _move(case: Case, incident: Incident, crossing: Crossing) -> None:
    """Let the incident of a wide area be where most of its posts are; it keeps its id."""
    part, stat, entries, at = crossing.part, crossing.stat, crossing.entries, crossing.at
    case.drop_incident(incident.node)
    votes: tuple[Vote, ...] = ()
    for entry in entries:
        if entry.said is not None:
            votes = voted(votes, entry.said.place)
    parts = (part, *(other for other in incident.parts[1:] if part.node not in other.path))
    for other in incident.parts[1:]:
        if other not in parts:
            thaw(case, other.path, at)
    moved = replace(
        incident,
        parts=parts,
        usual=sum(other.level for other in parts),
        values=[max(one, other) for one, other in zip(incident.values, stat.values, strict=True)],
        counted_at=at,
        pace=max(incident.pace, stat.pace),
        background=part.level * (1.0 - case.watched.profile.weak_share),
        votes=votes,
        shown=place_to_show(votes, 0),
    )
    moved = _with(case, moved, entries[-1], part.node)  # the incident heard the others
    thaw(case, incident.parts[0].path, at)
    freeze(case, part.path, at, posts=len(entries))
    case.put_node(part.node, replace(case.ledger.nodes[part.node], stat=None))
    _settle_level(case, moved, at)


def follow(case: Case, incident: Incident, heard: Heard) -> None:
    """Let a post grow the incident that it belongs to."""
    entry, watched = heard.entry, case.watched
    node = heard.path[0]
    # the post stands against what is usual at all nodes that take part
    elsewhere = incident.usual - next((part.level for part in incident.parts if part.path[0] == node), 0.0)
    odds = entry.ratio / (heard.expected + elsewhere)
    silence = (entry.at - incident.counted_at) / MINUTE
    ceiling = case.thresholds_of(incident).ceiling
    since = max(incident.onset_at, entry.at - int(REMEMBERED * watched.memory))
    earlier = case.ledger.memory.of_author(entry.author, since=since)
    is_new = not any(not one.is_weak and _is_of(incident, one) for one in earlier)
    pace = pace_after(incident.pace, silence, watched.settings.pace_minutes)
    fresh = incident.fresh
    if incident.level == "monitoring":
        start = max(incident.counted_at, incident.raised_at)
        fresh = decayed(fresh or watched.rates.idle, (entry.at - start) / MINUTE, watched.rates)
        fresh = raised(fresh, odds, watched.rates, ceiling=ceiling)
    grown = replace(
        _with(case, incident, entry, node),
        fresh=fresh,
        values=raised(decayed(incident.values, silence, watched.rates), odds, watched.rates, ceiling=ceiling),
        pace=pace,
        peak=max(incident.peak, pace),
        counted_at=entry.at,
        authors=incident.authors + is_new,
    )
    _settle_level(case, grown, entry.at)


def _is_of(incident: Incident, entry: Entry) -> bool:
    return any(
        odds > 0.0 and (incident.holds(node) or incident.lies_below(node))
        for node, odds in zip(entry.path, entry.odds, strict=True)
    )


def _settle_level(case: Case, incident: Incident, at: int) -> None:
    """Lift an incident as far as its evidence allows, and tell what is new."""
    reached, grounds = None, incident.grounds
    if RANKS.index(incident.top) < RANKS.index("alert"):  # once it was, no post can lift it higher
        thresholds = case.thresholds_of(incident).lowered(prior(case, at))
        voices = tuple(voice for voice in incident.voices if voice.at >= incident.onset_at)
        so_far = Tally(incident.strong, incident.witnesses, incident.copies)
        reached, grounds = level_reached(case, incident.values, voices, thresholds, so_far)
    level = level_after(incident, reached, incident.pace)
    if level is None and incident.level == "monitoring" and _is_one_more(case, incident):
        level = incident.top
    if level is not None and incident.level == "rejected":
        for part in incident.parts:
            freeze(case, part.path, at, posts=0)
    if level is not None:
        incident = replace(
            incident,
            level=level,
            raised_at=at,
            top=level,
            returns=incident.returns + (incident.level == "monitoring"),
        )
    shown = 0 if incident.node in case.watched.places else place_to_show(incident.votes, incident.shown)
    incident = replace(incident, grounds=grounds, shown=shown)
    case.put_incident(incident)
    tell(case, incident, at)


def _is_one_more(case: Case, incident: Incident) -> bool:
    """Tell whether what was said since the incident fell quiet is an alert by itself, however loud it had been."""
    voices = tuple(voice for voice in incident.voices if voice.at >= incident.raised_at)
    if not voices or not incident.fresh:
        return False
    thresholds = case.thresholds_of(incident)
    return level_reached(case, incident.fresh, voices, thresholds)[0] == "alert"


def heard_again(case: Case, incident: Incident, entry: Entry) -> None:
    """Note when a word of the press, an operator or an authority was said of an incident, though it weighs nothing."""
    times = _with_word(incident.times, entry)
    if times is not incident.times:
        incident = replace(incident, times=times)
        case.put_incident(incident)
        tell(case, incident, entry.at)


def copied(case: Case, incident: Incident | None, original: int) -> None:
    """Count a copy or a relay of a post for the incident that it is part of, or that a person made of it."""
    made = sorted((one for one in case.named(case.ledger.branches.apart) if one.is_open), key=order_of)
    incident = next((one for one in made if any(slot.post == original for slot in one.slots)), incident)
    if original and incident is not None:
        slots = copied_once_more(incident.slots, original)
        case.put_incident(replace(incident, copies=incident.copies + 1, slots=slots))


def level_reached(
    case: Case, values: list[float], voices: tuple[Voice, ...], thresholds: Thresholds, so_far: Tally = NONE_YET
) -> tuple[str | None, str]:
    """Return the level that the statistic and the gate allow now, and the grounds of the corroboration if any."""
    statistic = mixture(values)
    if statistic < thresholds.watch or not is_credible(voices, case.watched.profile.gate):
        return None, ""
    grounds = grounds_for(voices, case.watched.profile.gate, so_far) or ""
    if not grounds or statistic < thresholds.alert:
        return "watch", grounds
    holds = without_strongest(values, voices, case.watched.rates) >= thresholds.watch
    return ("alert" if holds else "watch"), grounds


def _entries_since_onset(case: Case, node: str, stat: Stat, last: Entry) -> list[Entry]:
    since = max(stat.onsets[best(stat.values)], last.at - int(REMEMBERED * case.watched.memory))
    parted = _parted(case)
    earlier = [one for one in case.ledger.memory.evidence_at(node, since=since) if one.post not in parted]
    return [*reversed(earlier), last]


def _parted(case: Case) -> set[int]:
    """Return the posts that people took out of incidents: they belong to what was made of them."""
    incidents = case.ledger.incidents.values()
    return {slot.post for incident in incidents for parted in incident.parted for slot in parted.slots}


def _voice_from(entry: Entry, node: str) -> Voice:
    said = entry.said
    return Voice(
        at=entry.at,
        odds=_odds_at(entry, node),
        likelihood_ratio=entry.ratio,
        tier=said.tier if said else 0,
        platform=said.platform if said else "",
        is_first_hand=bool(said and said.is_first_hand),
        has_image=bool(said and said.has_image),
        is_named=bool(said and said.author_id),
        is_doubtful=bool(said and said.doubts),
    )


def _odds_at(entry: Entry, node: str) -> float:
    return entry.odds[entry.path.index(node)]


def _with(case: Case, incident: Incident, entry: Entry, node: str) -> Incident:
    """Return an incident with one counted post more: its counters, its voices and what is shown."""
    voice = _voice_from(entry, node)
    is_vague = node == entry.path[-1] and incident.lies_below(node)  # of a whole area: it may mean another one
    copies = case.ledger.memory.copies.get(entry.post, 0)
    slot = slot_from(entry, voice.odds, copies)
    is_new_platform = voice.platform not in incident.platforms and len(incident.platforms) < MOST_PLATFORMS
    return replace(
        incident,
        voices=incident.voices if is_vague else (*incident.voices[1 - MOST_VOICES :], voice),
        slots=shown_with(incident.slots, slot) if slot else incident.slots,
        votes=voted(incident.votes, entry.said.place) if entry.said else incident.votes,
        posts=incident.posts + 1,
        strong=incident.strong + (voice.is_strong and not voice.is_doubtful),
        witnesses=incident.witnesses + (voice.is_first_hand and not voice.is_doubtful),
        doubted=incident.doubted + voice.is_doubtful,
        images=incident.images + voice.has_image,
        copies=incident.copies + copies,
        platforms=(*incident.platforms, voice.platform) if is_new_platform else incident.platforms,
        versions={**incident.versions, **entry.said.versions} if entry.said else incident.versions,
        times=_counted(incident.times, entry, voice),
    )


def _counted(times: Times, entry: Entry, voice: Voice) -> Times:
    """Return the times with a post that counted; one that is doubtful shows nobody who was there."""
    is_first_hand = voice.is_first_hand and not voice.is_doubtful
    return counted(times, entry.at, is_first_hand=is_first_hand, has_image=voice.has_image, word=entry.word)


def _with_word(times: Times, entry: Entry) -> Times:
    """Return the times with what the press, an operator or an authority says."""
    heard = spoken(times, entry.word, entry.at)
    return denied(heard, entry.denier, entry.at) if entry.denier else heard


def _with_words(case: Case, incident: Incident, part: Part, at: int) -> Incident:
    """Return an incident with what press, operators and authorities said at a node since its onset, counted or not."""
    since = max(part.onset_at, at - int(REMEMBERED * case.watched.memory))
    times = incident.times
    for entry in case.ledger.memory.words_at(part.node, since=since):
        times = _with_word(times, entry)
    return incident if times is incident.times else replace(incident, times=times)


def _with_area(case: Case, incident: Incident) -> Incident:
    """Return an incident with the place to show: that of its node, where the node is an area and we know it."""
    place = case.watched.places.get(incident.node)
    if place is None:
        return replace(incident, shown=place_to_show(incident.votes, incident.shown))
    others = tuple(vote for vote in incident.votes if vote.place.place_id != place.place_id)
    return replace(incident, votes=(Vote(place, incident.posts), *others), shown=0)


def freeze(case: Case, path: tuple[str, ...], at: int, *, posts: int) -> None:
    """Let the nodes of a path learn nothing while an incident is on, nor from its first posts."""
    for name in path:
        node = case.ledger.nodes.get(name)
        if node is not None:
            case.put_node(name, replace(node, baseline=frozen(node.baseline, at, posts=posts)))


def thaw(case: Case, path: tuple[str, ...], at: int) -> None:
    """Let the nodes of a path learn again, as far as this incident is concerned."""
    for name in path:
        node = case.ledger.nodes.get(name)
        if node is not None:
            case.put_node(name, replace(node, baseline=thawed(node.baseline, at)))


def settle(case: Case, until: int) -> None:
    """Let incidents fall as far as silence has made them fall by then, in the order of their moments."""
    while case.ledger.incidents and (due := _next_fall(case, until)) is not None:
        moment, node = due
        with case.ledger.step_of_time(moment):
            _fall(case, case.ledger.incidents[node], moment)


def _next_fall(case: Case, until: int) -> tuple[int, str] | None:
    """Return when an incident falls by itself next, and which, None where that is later than a moment.

    What should have fallen before what has happened already falls then, in the order of the nodes.
    """
    ledger, moments = case.ledger, moments_of(case)
    if ledger.next_at > until:
        return None
    overdue = ledger.falls.all_until(ledger.next_at, moments)
    if overdue:
        return ledger.next_at, min(node for _, node in overdue)
    return ledger.falls.first(moments, until)


def moments_of(case: Case) -> Moments:
    """Return how to work out when an incident moves on by itself, if nobody says anything more."""
    return Moments(partial(_bound, case), partial(_falls_at, case))


def _bound(case: Case, incident: Incident) -> Fall:
    """Return when an incident moves on at the earliest: until when a quiet one is held takes less to work out."""
    if incident.level == "monitoring":
        return Fall(held_until(incident, case.watched.settings), is_exact=False)
    return Fall(_falls_at(case, incident), is_exact=True)


def _falls_at(case: Case, incident: Incident) -> int:
    return due_at(incident, case.watched.settings, case.watched.rates, case.thresholds_of(incident))


def _fall(case: Case, incident: Incident, at: int) -> None:
    if incident.level in GONE_SILENTLY:
        case.drop_incident(incident.node)
        return
    level = "resolved" if incident.level == "monitoring" else "monitoring"
    fallen = replace(incident, level=level, raised_at=at, fresh=case.watched.rates.idle)
    case.put_incident(fallen)
    tell(case, fallen, at)
    if level == "resolved":
        close(case, fallen, at)


def close(case: Case, incident: Incident, at: int) -> None:
    """Start afresh after an incident: the statistic, what is shown, and learning."""
    for part in incident.parts:
        thaw(case, part.path, at)
        node: Node | None = case.ledger.nodes.get(part.node)
        if node is not None:
            case.put_node(part.node, replace(node, stat=None))
