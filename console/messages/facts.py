"""Facts: what may be filled in, who states it, and whether it is confirmed.

An alert's own words are confirmed once a person or an authority has confirmed the incident, and its place only where it
is not in doubt. An official statement is confirmed as far as it speaks of itself: an operator's notice says what was
announced, never what people see. What somebody types is theirs, and whoever signs answers for it.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo

from console.messages.message_map import Language, Origin, Placeholder
from records import Alert, Bulletin, Context

Worded = Mapping[Language, str]

HAZARD_WORDS: Mapping[str, Worded] = {
    "fire": {"fr": "incendie", "en": "fire"},
    "flood": {"fr": "inondation", "en": "flood"},
    "industrial": {"fr": "accident industriel", "en": "industrial accident"},
    "other": {"fr": "sinistre", "en": "disaster"},
}
WARNING_SERVICES = {"vigicrues": "Vigicrues", "meteofrance": "Météo-France", "hubeau": "Hub'Eau"}
"""Sources that have a name of their own; what another source is called in the settings is no name for the public."""
WARNINGS = ("vigilance", "river_level")
NOTICES = ("operator_notice", "siren_test", "exercise")


@dataclass(frozen=True)
class Fact:
    """A value for one placeholder."""

    name: str
    value: Worded
    origin: Origin
    is_confirmed: bool
    stated_by: str = ""  # the bulletin's source, or who typed it


def is_confirmed(alert: Alert) -> bool:
    """Tell whether somebody has confirmed the incident, now or before it fell quiet."""
    return alert.level == "confirmed" or (alert.certainty == "Observed" and alert.level != "rejected")


def typed(name: str, value: str, *, by: str = "") -> Fact:
    """Return what a person typed."""
    return Fact(name, _same(value.strip()), "person", is_confirmed=True, stated_by=by)


def facts_from_alert(alert: Alert, placeholders: Mapping[str, Placeholder], zone: ZoneInfo) -> tuple[Fact, ...]:
    """Return what an alert says for the placeholders that draw on it, and what the statements beside it say.

    Shape   an operator's notice that does not fit gives nothing
    """
    return tuple(_said_by(alert, placeholders, zone))


def facts_from_bulletin(
    bulletin: Bulletin, placeholders: Mapping[str, Placeholder], zone: ZoneInfo
) -> tuple[Fact, ...]:
    """Return what an official bulletin says for the placeholders that draw on it."""
    values = {name: read(bulletin, zone) for name, read in BULLETIN_FIELDS.items()}
    return tuple(_stated(values, placeholders, bulletin.source))


def facts_of_the_clock(at: datetime, placeholders: Mapping[str, Placeholder], zone: ZoneInfo) -> tuple[Fact, ...]:
    """Return the hour of a message that is written now."""
    value = clock_words(at, at, zone)
    names = [name for name, one in placeholders.items() if one.origin == "clock"]
    return tuple(Fact(name, value, "clock", is_confirmed=True) for name in names)


def clock_words(at: datetime, now: datetime, zone: ZoneInfo) -> Worded:
    """Return a moment by the clock, with the day where it is another one than that of `now`."""
    local = at.astimezone(zone)
    if local.date() == now.astimezone(zone).date():
        return {"fr": f"{local:%Hh%M}", "en": f"{local:%H:%M}"}
    return {"fr": f"le {local:%d/%m à %Hh%M}", "en": f"{local:%H:%M on %d/%m}"}


def clock_from(text: str) -> Worded | None:
    """Return an hour that somebody typed, as 14:30, 14h30 or 14 h; None where it is none."""
    hours, sign, minutes = text.replace(" ", "").lower().replace(":", "h").partition("h")
    if not sign or not (hours + minutes).isascii() or not hours.isdigit() or not (minutes or "0").isdigit():
        return None
    try:
        found = time(int(hours), int(minutes or 0))
    except ValueError:
        return None
    return {"fr": f"{found:%Hh%M}", "en": f"{found:%H:%M}"}


def _said_by(alert: Alert, placeholders: Mapping[str, Placeholder], zone: ZoneInfo) -> Iterator[Fact]:
    confirmed = is_confirmed(alert)
    for name, one in placeholders.items():
        read = ALERT_FIELDS.get(one.field) if one.origin == "alert" else None
        value = read(alert, zone) if read else None
        if value is not None:
            yield Fact(name, value, "alert", is_confirmed=confirmed)
    for context in alert.context:
        if context.fits is not False:
            yield from _stated({"warning_source": _warning_source(context)}, placeholders, context.source)


def _stated(values: Mapping[str, Worded | None], placeholders: Mapping[str, Placeholder], by: str) -> Iterator[Fact]:
    for name, one in placeholders.items():
        value = values.get(one.field) if one.origin == "bulletin" else None
        if value is not None:
            yield Fact(name, value, "bulletin", is_confirmed=True, stated_by=by)


def _same(value: str) -> Worded:
    return {"fr": value, "en": value}


def _certain_place(alert: Alert, _: ZoneInfo) -> Worded | None:
    return None if "place_uncertain" in alert.unknowns else _same(alert.place.name)


def _commune(alert: Alert, zone: ZoneInfo) -> Worded | None:
    return _certain_place(alert, zone) if alert.place.level == "commune" else None


def _warning_source(said: Bulletin | Context) -> Worded | None:
    name = WARNING_SERVICES.get(said.source)
    return _same(name) if name and said.kind in WARNINGS else None


def _site(bulletin: Bulletin, _: ZoneInfo) -> Worded | None:
    return _same(bulletin.place.name) if bulletin.place is not None and bulletin.kind in NOTICES else None


def _moment(at: datetime | None, bulletin: Bulletin, zone: ZoneInfo) -> Worded | None:
    if at is None or bulletin.kind not in NOTICES:
        return None
    return clock_words(at, bulletin.starts_at or bulletin.issued_at, zone)


ALERT_FIELDS: Mapping[str, Callable[[Alert, ZoneInfo], Worded | None]] = {
    "place": _certain_place,
    "commune": _commune,
    "hazard": lambda alert, _: HAZARD_WORDS[alert.hazard],
    "onset": lambda alert, zone: clock_words(alert.onset, alert.raised_at, zone),
    "place_spoken_of": lambda alert, _: _same(alert.place.name),
    "authors": lambda alert, _: _same(str(alert.authors)),
    "witnesses": lambda alert, _: _same(str(alert.witnesses)),
    "incident_id": lambda alert, _: _same(alert.incident_id),
}
"""What of an alert may be filled in."""

ALWAYS_FACTS = ("place", "commune", "hazard")
"""Fields of an alert that state what happens: a placeholder on them is a fact, by whatever name."""

BULLETIN_FIELDS: Mapping[str, Callable[[Bulletin, ZoneInfo], Worded | None]] = {
    "warning_source": lambda bulletin, _: _warning_source(bulletin),
    "site": _site,
    "starts_at": lambda bulletin, zone: _moment(bulletin.starts_at, bulletin, zone),
    "ends_at": lambda bulletin, zone: _moment(bulletin.ends_at, bulletin, zone),
}
"""What of a bulletin may be filled in."""
