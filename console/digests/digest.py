"""Digest: what whoever comes on duty should know, worked out from what stands on the topics.

Shape   newest revisions, statuses and pulses in, one record out; no clock, no text of any post
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from console.digests.solidarity_list import listed, told
from records import Alert, Claim, Pulse, SourceStatus
from records.alert import OVER
from records.digest import Digest, DigestMade, End, Unseen
from records.source_status import STALE, Way

MINUTE = timedelta(minutes=1)
ON = ("confirmed", "alert", "watch", "monitoring")
"""Levels of what is still on, in the order in which one wants to read of them."""
FURTHEST = timedelta(days=7)
"""How far a digest reaches back over shifts that have had none."""


def digest_from(
    alerts: Iterable[Alert],
    statuses: Iterable[SourceStatus],
    pulses: Iterable[Pulse],
    unheard_ways: Iterable[Way],
    claims: Iterable[Claim] = (),
    *,
    since: datetime,
    until: datetime,
    made: Collection[DigestMade] = (),
) -> Digest:
    """Return the digest of a span; `alerts` may hold several revisions of an incident, the newest counts.

    With the digests `made` before, it begins where the last of them ended, and tells of every end that none has told.
    """
    last = max((one.until for one in made), default=since)
    missed = last if last < since else None
    since = beginning(since, until, made)
    revisions = list(alerts)
    shown = [replace(alert, evidence=()) for alert in _newest(revisions) if alert.onset <= until]
    on = sorted((one for one in shown if one.level in ON), key=_rank)
    faint = _faint(revisions)
    ended = [one for one in _untold_ends(shown, made, since, until) if one.incident_id not in faint]
    heard = list(pulses)
    figures = Counter({"signals": sum(since < one.onset and one.level == "signal" for one in shown)})
    for pulse in heard:
        if since <= pulse.minute < until:
            figures.update(pulse.outcomes)
            figures["read"] += sum(pulse.outcomes.values())
    return Digest(
        digest_id=f"digest/{until.astimezone(UTC):%Y-%m-%dT%H:%MZ}",
        since=since,
        until=until,
        new=tuple(one for one in on if one.onset > since),
        ongoing=tuple(one for one in on if one.onset <= since),
        refuted=tuple(one for one in ended if one.level == "rejected"),
        over=tuple(one for one in ended if one.level == "resolved"),
        unseen=_unseen(heard, {one.source: one for one in statuses}, since, until),
        unheard_ways=tuple(unheard_ways),
        figures=dict(sorted(figures.items())),
        rumours=tuple(_rumours(on, shown, since)),
        claims=tuple(told(one) for one in listed((*on, *_recently_over(shown)), claims, until)),
        last_until=missed,
    )


def _rumours(on: Iterable[Alert], shown: Iterable[Alert], since: datetime) -> Iterator[Alert]:
    """Yield what may be a rumour: of what is on, and of what was no more than a signal in this span."""
    yield from (one for one in on if one.rumour is not None)
    faint = (one for one in shown if one.level == "signal" and one.rumour is not None and one.raised_at > since)
    yield from sorted(faint, key=lambda one: (one.raised_at, one.incident_id))


def _recently_over(alerts: Iterable[Alert]) -> list[Alert]:
    return sorted((one for one in alerts if one.level == "resolved"), key=lambda one: one.raised_at, reverse=True)


def beginning(since: datetime, until: datetime, made: Collection[DigestMade]) -> datetime:
    """Return where a digest begins: where the last one ended, as far as that is not too long ago."""
    return max(*(one.until for one in made), until - FURTHEST) if made else since


def made_from(digest: Digest) -> DigestMade:
    """Return what the next digest has to know of this one."""
    ends = tuple(_end_of(one) for one in (*digest.refuted, *digest.over))
    return DigestMade(digest_id=digest.digest_id, since=digest.since, until=digest.until, ends=ends)


def _untold_ends(shown: Iterable[Alert], made: Collection[DigestMade], since: datetime, until: datetime) -> list[Alert]:
    """Return the ends by a moment that no digest has told; what ended before the first digest began is for none.

    By when they were told of, not by when they were: an end may reach the topic long after its time.
    """
    told = {end for one in made for end in one.ends}
    first = min((one.since for one in made), default=since)
    ended = [one for one in shown if one.level in OVER and first < one.raised_at <= until and _end_of(one) not in told]
    return sorted(ended, key=lambda one: one.raised_at)


def _end_of(alert: Alert) -> End:
    return End(incident_id=alert.incident_id, level=alert.level, at=alert.raised_at)


def _faint(alerts: Iterable[Alert]) -> set[str]:
    """Return the incidents that were never more than a signal: nobody was told of them, so their ends are no news.

    Where revisions are missing, as compaction leaves it, that is not known.
    """
    levels: dict[str, dict[int, str]] = {}
    for alert in alerts:
        levels.setdefault(alert.incident_id, {})[alert.revision] = alert.level
    return {
        name for name, found in levels.items() if len(found) == max(found) and {"signal"} == set(found.values()) - OVER
    }


def _newest(alerts: Iterable[Alert]) -> list[Alert]:
    found: dict[str, Alert] = {}
    for alert in alerts:
        known = found.get(alert.incident_id)
        if known is None or alert.revision >= known.revision:
            found[alert.incident_id] = alert
    return list(found.values())


def _rank(alert: Alert) -> tuple[int, float, str]:
    return ON.index(alert.level), -alert.onset.timestamp(), alert.incident_id


def _unseen(
    pulses: Iterable[Pulse], statuses: Mapping[str, SourceStatus], since: datetime, until: datetime
) -> tuple[Unseen, ...]:
    """Return the sources without a pulse in some whole minutes: a quiet minute has one, a blind one none."""
    first: dict[str, datetime] = {}
    minutes: dict[str, set[datetime]] = {}
    for pulse in pulses:
        first[pulse.source] = min(first.get(pulse.source, pulse.minute), pulse.minute)
        if since <= pulse.minute < until:
            minutes.setdefault(pulse.source, set()).add(pulse.minute)
    found = []
    for source in sorted(first.keys() | statuses.keys()):
        status = statuses.get(source)
        is_off = status is not None and status.state == "off"
        is_stale = status is not None and until - status.at > STALE  # the process that read it is gone
        begins = first.get(source, max(status.at, since) if is_stale and status else until)
        missing = _missing(minutes.get(source, set()), max(begins, since), until)
        is_blind = status is not None and (status.state == "blind" or is_stale)
        if not is_off and (missing or is_blind):
            found.append(
                Unseen(
                    source=source,
                    minutes=missing,
                    way=status.way if status else None,
                    state="blind" if is_blind else status.state if status else None,
                    why=status.why if status else "",
                )
            )
    return tuple(found)


def _missing(heard: set[datetime], since: datetime, until: datetime) -> int:
    """Return how many minutes are not among those heard; the last one may not be over."""
    begins = since.replace(second=0, microsecond=0)
    begins = begins if begins == since else begins + MINUTE
    whole = max(int((until - MINUTE - begins) / MINUTE), 0)
    return sum(begins + number * MINUTE not in heard for number in range(whole))
