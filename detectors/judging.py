"""Judging: which incidents that were raised are true, which are false, and what became of each true one.

A revision is *about* what its posts speak of: where a truth names its posts, by them; where it names a place, by
hazard, place and time; where it names some of its posts, by either, for another profile may rest on others. What people
are first told of must rest on something true; the word "alert" must be about it, by a quarter of its weight at least,
for a stray true post does not make a false alert true. Nor does a stray post of what is known to be false make anything
false: that takes a quarter, too.

Shape   what was told, in any order; a truth; the values, whose retractions take their words from what is shown
Units   minutes since an incident was first spoken of, or since it began where nobody noted that
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import chain

from msgspec.structs import replace

from detectors.backtest import Told, Value
from detectors.lifecycle import RANKS
from detectors.profile import kilometres_between
from records import Alert, Evidence, Level, Place, Retraction, Signal, words_of
from records.alert import OVER
from records.backtest import Found, Judgement, Outcome, Raised, Seen, SourceShare
from records.share import share_of
from records.signal import Hazard
from records.truth import TrueIncident, Truth

NOTIFIED = frozenset({"watch", "alert", "confirmed"})
ALERTED = frozenset({"alert", "confirmed"})
ABOUT_SHARE = 0.25
"""Of a revision's weight, that makes it about something."""
LEAST_KM = 5.0
"""Two places are one where they lie within their radii and this: nobody draws the edge of a fire."""
EARLY = timedelta(minutes=30)
"""So long before it began a truth may be spoken of: who noted the beginning did so afterwards."""
USUAL_LENGTH = timedelta(hours=24)
"""Of an incident whose end nobody noted."""
SHOWN = 5
_KIN: Mapping[Hazard, frozenset[Hazard]] = {
    "fire": frozenset({"fire", "industrial", "other"}),
    "industrial": frozenset({"fire", "industrial", "other"}),
    "flood": frozenset({"flood", "other"}),
    "other": frozenset({"fire", "flood", "industrial", "other"}),
}
"""As which hazards posts may speak of one: a plant that burns is a fire to one and smoke to the next."""


def outcome_of(
    told: Sequence[Told],
    values: Sequence[Value],
    truth: Truth,
    *,
    profile: str,
    version: str,
    days: float,
    failed: int = 0,
) -> Outcome:
    """Return what a profile made of a recording, judged by a truth."""
    signals = [value for value in values if isinstance(value, Signal)]
    sources = {signal.post_key: signal.source for signal in signals}
    taken_back = _taken_back(values)
    raised = _told_of(_raised(revisions, truth, sources, taken_back) for revisions in _by_incident(told))
    found = tuple(
        _found(incident, truth, raised, told, signals=signals, taken_back=taken_back) for incident in truth.incidents
    )
    watches, alerts = raised, [one for one in raised if one.alert_at]
    false_watches = sum(one.watch_is == "false" for one in watches)
    false_alerts = sum(one.alert_is == "false" for one in alerts)
    judged_watches = sum(one.watch_is != "unjudged" for one in watches)
    judged_alerts = sum(one.alert_is != "unjudged" for one in alerts)
    return Outcome(
        profile=profile,
        version=version,
        watches=len(watches),
        alerts=len(alerts),
        false_watches=false_watches,
        false_alerts=false_alerts,
        watches_a_day=len(watches) / days,
        alerts_a_day=len(alerts) / days,
        false_watches_a_day=false_watches / days,
        false_alerts_a_day=false_alerts / days,
        unjudged_watches_a_day=(len(watches) - judged_watches) / days,
        unjudged_alerts_a_day=(len(alerts) - judged_alerts) / days,
        watch_precision=share_of(judged_watches - false_watches, judged_watches),
        alert_precision=share_of(judged_alerts - false_alerts, judged_alerts),
        watch_recall=share_of(sum(one.watch_at is not None for one in found), len(found)),
        alert_recall=share_of(sum(one.alert_at is not None for one in found), len(found)),
        watch_delay=_mean(_waited(one, one.watch_minutes) for one in found),
        alert_delay=_mean(_waited(one, one.alert_minutes) for one in found),
        notifications=sum(one.notifications for one in raised),
        failed=failed,
        raised=tuple(raised),
        found=found,
        by_source=_by_source(signals, raised, found),
    )


def _told_of(raised: Iterable[Raised]) -> list[Raised]:
    """Return the incidents that people would have been told of, in order of time."""
    timed = [(one.watch_at, one.incident_id, one) for one in raised if one.watch_at is not None]
    return [one for _, _, one in sorted(timed, key=lambda item: item[:2])]


def _by_incident(told: Sequence[Told]) -> list[list[Told]]:
    incidents: dict[str, list[Told]] = {}
    for one in told:
        incidents.setdefault(one.alert.incident_id, []).append(one)
    return [sorted(revisions, key=lambda one: one.alert.revision) for revisions in incidents.values()]


def _taken_back(values: Iterable[Value]) -> dict[str, str]:
    """Return whose words were taken back, posts and authors, and by what is known again what a post says since."""
    return {value.name: value.unless for value in values if isinstance(value, Retraction) and value.name}


def _is_taken_back(said: Evidence | Signal, taken_back: Mapping[str, str]) -> bool:
    names = [name for name in (said.post_key, said.author_id) if name in taken_back]
    return bool(names) and any(taken_back[name] != words_of(said.text) for name in names)


def _shown(item: Evidence, taken_back: Mapping[str, str]) -> Evidence:
    if not _is_taken_back(item, taken_back):
        return item
    return replace(item, text="", url=None, author_id="", is_removed=True)


def _raised(
    revisions: Sequence[Told], truth: Truth, sources: Mapping[str, str], taken_back: Mapping[str, str]
) -> Raised:
    """Return one incident, judged."""
    notified = [one for one in revisions if one.alert.level in NOTIFIED]
    alerted = [one for one in revisions if one.alert.level in ALERTED]
    first = (notified or revisions)[0].alert
    last = revisions[-1]
    about = sorted(set(chain.from_iterable(_about(one.alert, truth) for one in notified)))
    return Raised(
        incident_id=first.incident_id,
        hazard=last.alert.hazard,
        place=last.alert.place,
        onset=last.alert.onset,
        level=max((one.alert.level for one in revisions), key=_rank),
        watch_at=notified[0].at if notified else None,
        alert_at=alerted[0].at if alerted else None,
        ended_at=last.alert.raised_at if last.alert.level in OVER else None,
        watch_is=_judged(notified[:1], truth, least=0.0),
        alert_is=_judged(alerted, truth, least=ABOUT_SHARE),
        speaks_of=tuple(about),
        notifications=_notifications(revisions),
        score=max(one.alert.score for one in revisions),
        probability=max(one.alert.probability for one in revisions),
        posts=last.alert.posts,
        authors=last.alert.authors,
        evidence=tuple(_shown(item, taken_back) for item in first.evidence[:SHOWN]),
        weight_by_source=_weights(last.alert.evidence, sources),
        first_source=_first_source(first.evidence, sources),
    )


def _rank(level: Level) -> int:
    return RANKS.index(level) if level in RANKS else 0


def _judged(revisions: Sequence[Told], truth: Truth, *, least: float) -> Judgement:
    """Judge revisions: true where one of them rests on something true, by a share of its weight."""
    if any(_about(one.alert, truth, least) for one in revisions):
        return "true"
    is_known_false = any(_is_about(one.alert, known) for one in revisions for known in truth.false_ones)
    return "false" if revisions and (truth.is_complete or is_known_false) else "unjudged"


def _notifications(revisions: Sequence[Told]) -> int:
    """Return how many revisions tell people something new: that it is, that its level or its place is another."""
    said = [(one.alert.level, one.alert.place.place_id) for one in revisions if one.alert.level in NOTIFIED | OVER]
    return sum(one != before for before, one in zip([None, *said], said, strict=False))


def _about(alert: Alert, truth: Truth, least: float = ABOUT_SHARE) -> list[str]:
    """Return what really happened that a revision is about."""
    return [one.incident_id for one in truth.incidents if _is_about(alert, one, least, other=truth.false_ones)]


def _is_about(
    alert: Alert, incident: TrueIncident, least: float = ABOUT_SHARE, *, other: Iterable[TrueIncident] = ()
) -> bool:
    """Tell whether a revision is about something; by place alone it is not, where it rests on posts of another."""
    if _rests_on(alert, incident, least):
        return True
    if incident.post_ids and (not incident.has_other_posts or any(_rests_on(alert, one) for one in other)):
        return False
    return _speaks_of(incident, alert.hazard, alert.place, alert.onset, alert.raised_at)


def _rests_on(alert: Alert, incident: TrueIncident, least: float = ABOUT_SHARE) -> bool:
    weight = _weight_in(alert.evidence, incident.post_ids)
    return weight > 0.0 and weight >= least * _weight(alert.evidence)


def _weight_in(evidence: Iterable[Evidence], post_ids: frozenset[str]) -> float:
    return _weight(item for item in evidence if native_id(item.post_key) in post_ids)


def _weight(evidence: Iterable[Evidence]) -> float:
    return sum(item.contribution for item in evidence)


def _speaks_of(incident: TrueIncident, hazard: Hazard, place: Place, began: datetime, until: datetime) -> bool:
    """Tell by hazard, time and place."""
    there = incident.place
    is_then = until >= incident.began_at - EARLY and began <= end_of(incident)
    if there is None or not is_then or hazard not in _KIN[incident.hazard]:
        return False
    apart = kilometres_between(place.lat, place.lon, there.lat, there.lon)
    return apart <= place.radius_km + there.radius_km + LEAST_KM


def end_of(incident: TrueIncident) -> datetime:
    """Return when an incident was over; where nobody noted it, a day after it began."""
    return incident.ended_at or incident.began_at + USUAL_LENGTH


def _found(
    incident: TrueIncident,
    truth: Truth,
    raised: Sequence[Raised],
    told: Sequence[Told],
    *,
    signals: Sequence[Signal],
    taken_back: Mapping[str, str],
) -> Found:
    """Return what became of a true incident."""
    mine = {one.incident_id for one in raised if incident.incident_id in one.speaks_of}

    def is_about(one: Told, least: float) -> bool:
        return one.alert.incident_id in mine and _is_about(one.alert, incident, least, other=truth.false_ones)

    watch = min((one.at for one in told if one.alert.level in NOTIFIED and is_about(one, 0.0)), default=None)
    alert = min((one.at for one in told if one.alert.level in ALERTED and is_about(one, ABOUT_SHARE)), default=None)
    of_it = [signal for signal in signals if _is_of(signal, incident)]
    since = incident.first_post_at or incident.began_at
    return Found(
        incident_id=incident.incident_id,
        hazard=incident.hazard,
        label=incident.label,
        since=since,
        length_minutes=_minutes(since, max(since, end_of(incident))),
        watch_at=watch,
        alert_at=alert,
        watch_minutes=_minutes(since, watch) if watch else None,
        alert_minutes=_minutes(since, alert) if alert else None,
        lead_minutes=_minutes(watch, incident.official_at) if watch and incident.official_at else None,
        raised=tuple(one.incident_id for one in raised if one.incident_id in mine),
        seen=tuple(_seen(signal, taken_back) for signal in _strongest(of_it)) if not (watch and alert) else (),
        signals=len(of_it),
    )


def _is_of(signal: Signal, incident: TrueIncident) -> bool:
    if native_id(signal.post_key) in incident.post_ids:
        return True
    if incident.post_ids and not incident.has_other_posts:
        return False
    return _speaks_of(incident, signal.hazard, signal.place, signal.event_time, signal.event_time)


def _strongest(signals: Iterable[Signal]) -> list[Signal]:
    return sorted(signals, key=lambda one: (-one.likelihood_ratio, one.event_time, one.post_key))[:SHOWN]


def _seen(signal: Signal, taken_back: Mapping[str, str]) -> Seen:
    return Seen(
        post_key=signal.post_key,
        at=signal.event_time,
        likelihood_ratio=signal.likelihood_ratio,
        text="" if _is_taken_back(signal, taken_back) else signal.text,
    )


def _waited(found: Found, minutes: float | None) -> float:
    """Return the delay that counts: no longer than the whole, or missing would be quicker than being late."""
    return found.length_minutes if minutes is None else min(minutes, found.length_minutes)


def _by_source(signals: Sequence[Signal], raised: Sequence[Raised], found: Sequence[Found]) -> tuple[SourceShare, ...]:
    """Return what each source gave, the one with the most weight in what was true first."""
    by_id = {one.incident_id: one for one in raised}
    counts: dict[str, int] = {}
    for signal in signals:
        counts[signal.source] = counts.get(signal.source, 0) + 1
    true, false = _summed(raised, "true"), _summed(raised, "false")
    firsts = [by_id[one.raised[0]].first_source for one in found if one.raised]
    grounds = [set(chain.from_iterable(by_id[name].weight_by_source for name in one.raised)) for one in found]
    shares = (
        SourceShare(
            source=source,
            signals=count,
            true_weight=true.get(source, 0.0),
            false_weight=false.get(source, 0.0),
            first=firsts.count(source),
            alone=grounds.count({source}),
        )
        for source, count in counts.items()
    )
    return tuple(sorted(shares, key=lambda one: (-one.true_weight, one.source)))


def _summed(raised: Iterable[Raised], judgement: Judgement) -> dict[str, float]:
    total: dict[str, float] = {}
    for one in raised:
        if one.watch_is == judgement:
            for source, weight in one.weight_by_source.items():
                total[source] = total.get(source, 0.0) + weight
    return total


def _first_source(evidence: Iterable[Evidence], sources: Mapping[str, str]) -> str:
    first = min(evidence, key=lambda item: item.event_time, default=None)
    return sources.get(first.post_key, "") if first else ""


def _weights(evidence: Iterable[Evidence], sources: Mapping[str, str]) -> dict[str, float]:
    weights: dict[str, float] = {}
    for item in evidence:
        source = sources.get(item.post_key, "")
        weights[source] = weights.get(source, 0.0) + item.contribution
    return weights


def native_id(post_key: str) -> str:
    """Return a post's id as its platform has it."""
    return post_key.partition(":")[2] or post_key


def _minutes(since: datetime, until: datetime) -> float:
    return (until - since).total_seconds() / 60


def _mean(values: Iterable[float]) -> float | None:
    numbers = list(values)
    return sum(numbers) / len(numbers) if numbers else None
