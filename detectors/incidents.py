"""Incidents: opening, lifting, updating and closing them; every change of one that is told is an alert.

Source  docs/detection.md 2.8 and 3
"""

from detectors import agenda
from detectors.case import Case, Told
from detectors.corroboration import Voice, grounds_for
from detectors.evidence import STRONG_RATIO
from detectors.exhibit import place_to_show, show_since
from detectors.lifecycle import due_at, is_worth_telling, level_after
from detectors.revision import Scene, alert_from, incident_id_from
from detectors.state import Exhibit, Folds, Incident, Stat
from detectors.statistic import best, mixture, without
from records import Alert

MOST_PLATFORMS = 8
NEWS_FACTOR = 1.5


def advance(case: Case, stat: Stat, exhibit: Exhibit, told: Told, *, usual: float) -> list[Alert]:
    """Open, lift or update the node's incident after a post that counted."""
    incident = case.incident()
    if incident is not None and incident.level != "resolved":
        return _follow(case, incident, stat, exhibit, told)
    reached, grounds = level_reached(case, stat, authors=0)
    if reached is None:
        return []
    incident = _opened(case, incident, stat, exhibit, told, usual=usual)
    incident.level = incident.top = reached
    incident.grounds = grounds
    alerts = [_revise(case, incident, stat, exhibit, at=told.at)]
    agenda.enter(case)
    return alerts


def tally(incident: Incident, voices: list[Voice], *, authors: int) -> None:
    """Add counted posts to an incident."""
    incident.posts += len(voices)
    incident.authors += authors
    for voice in voices:
        incident.witnesses += voice.is_first_hand
        incident.images += voice.has_image
        if voice.platform not in incident.platforms and len(incident.platforms) < MOST_PLATFORMS:
            incident.platforms.append(voice.platform)


def settle(case: Case, until: int) -> list[Alert]:
    """Let the node's incident fall as far as silence has made it fall by then."""
    alerts: list[Alert] = []
    watched = case.watched
    while True:
        incident, stat = case.incident(), case.stat()
        if incident is None or stat is None:
            return alerts
        due = due_at(incident, stat, watched.settings, watched.rates, watched.thresholds(stat.weight))
        if due > until:
            return alerts
        if incident.level == "resolved":
            case.drop(Incident)
            if not case.exhibit().slots:
                case.drop(Exhibit)
            return alerts
        incident.level = "resolved" if incident.level == "monitoring" else "monitoring"
        incident.raised_at = due
        exhibit = case.exhibit()
        alerts.append(_revise(case, incident, stat, exhibit, at=due))
        if incident.level == "resolved":
            _close(case, stat, exhibit, due)


def level_reached(case: Case, stat: Stat, *, authors: int) -> tuple[str | None, str]:
    """Return the level that the statistic and the gate allow now, and the grounds of the corroboration if any."""
    thresholds = case.watched.thresholds(stat.weight)
    statistic = mixture(stat.values)
    voices = _voices_since_onset(stat)
    # Posts that say a little each, such as two metaphors within an hour, are no first witness: somebody must say a lot.
    if statistic < thresholds.watch or not any(voice.likelihood_ratio >= STRONG_RATIO for voice in voices):
        return None, ""
    grounds = grounds_for(voices, case.watched.profile.gate, authors=authors) or ""
    if not grounds or statistic < thresholds.alert:
        return "watch", grounds
    strongest = max(voice.odds for voice in voices)
    holds = without(stat.values, strongest, case.watched.rates) >= thresholds.watch
    return ("alert" if holds else "watch"), grounds


def _voices_since_onset(stat: Stat) -> list[Voice]:
    onset = stat.onsets[best(stat.values)]
    return [voice for voice in stat.voices if voice.at >= onset]


def _follow(case: Case, incident: Incident, stat: Stat, exhibit: Exhibit, told: Told) -> list[Alert]:
    reached = None
    if incident.top != "alert":  # once it was, no post can lift it higher
        reached, incident.grounds = level_reached(case, stat, authors=incident.authors)
    is_back = incident.level == "monitoring"
    level = level_after(incident, reached, stat.pace)
    place = place_to_show(exhibit, incident)
    has_moved = place != incident.shown_place
    incident.shown_place = place
    if level is not None:
        incident.level, incident.raised_at = level, told.at
        incident.top = "alert" if level == "alert" else incident.top
        incident.returns += is_back
    is_news = has_moved or _is_far_the_strongest(exhibit, told) or is_worth_telling(incident, told.at)
    if level is None and not is_news:
        case.stage(incident)
        return []
    return [_revise(case, incident, stat, exhibit, at=told.at)]


def _is_far_the_strongest(exhibit: Exhibit, told: Told) -> bool:
    """Tell whether a post outweighs by half all that the incident rested on: a witness after faint or false posts."""
    others = [slot.likelihood_ratio for slot in exhibit.slots if slot.post_key != told.signal.post_key]
    return told.ratio >= STRONG_RATIO and told.ratio > NEWS_FACTOR * max(others, default=told.ratio)


def _opened(
    case: Case,
    earlier: Incident | None,
    stat: Stat,
    exhibit: Exhibit,
    told: Told,
    *,
    usual: float,
) -> Incident:
    """Return a new incident, or the earlier one come back; its posts are those since the onset."""
    onset = stat.onsets[best(stat.values)]
    voices = _voices_since_onset(stat)
    folds = case.folds()
    show_since(exhibit, folds, onset)
    case.stage(exhibit)
    case.stage(folds)
    case.node.is_open = True
    case.node.baseline.freeze(told.at, posts=len(voices))
    incident = earlier or _new(case, exhibit, told, onset=onset)
    incident.returns += earlier is not None
    incident.raised_at = incident.counted_at = told.at
    incident.peak, incident.background = stat.pace, usual
    tally(incident, voices, authors=len(voices))
    return incident


def _new(case: Case, exhibit: Exhibit, told: Told, *, onset: int) -> Incident:
    ids = [place.place_id for place in exhibit.places]
    shown = ids.index(told.signal.place.place_id) if told.signal.place.place_id in ids else 0
    votes = [0] * len(ids)
    votes[shown] = 1
    return Incident(
        incident_id=incident_id_from(case.watched.name, case.node_id, onset),
        onset_at=onset,
        votes=votes,
        shown_place=shown,
    )


def _close(case: Case, stat: Stat, exhibit: Exhibit, at: int) -> None:
    """Start afresh after an incident: the statistic, what is shown, and learning."""
    stat.at, stat.values, stat.pace, stat.voices = at, case.watched.rates.idle, 0.0, []
    stat.sums, stat.onsets = [0.0] * len(stat.sums), [at] * len(stat.onsets)
    case.stage(stat)
    case.node.at = max(case.node.at, at)
    case.node.is_open = False
    case.node.baseline.thaw(at)
    exhibit.slots = []
    case.stage(exhibit)
    case.drop(Folds)


def _revise(case: Case, incident: Incident, stat: Stat, exhibit: Exhibit, *, at: int) -> Alert:
    incident.revision += 1
    incident.revised_at, incident.told_authors = at, incident.authors
    case.stage(incident)
    scene = Scene(
        profile=case.watched.profile,
        hazard=case.watched.name,
        area=case.area,
        rates=case.watched.rates,
        thresholds=case.watched.thresholds(stat.weight),
        incident=incident,
        stat=stat,
        exhibit=exhibit,
        folds=case.folds(),
    )
    return alert_from(scene, at=at)
