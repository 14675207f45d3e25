"""Rumour wording: what speaks for a rumour, in one line of French or English."""

from collections.abc import Mapping

from connectors.sinks.wording import WORDS, Language, clock, shown
from records import Alert, Rumour
from records.alert import RumourSign

HEADINGS: Mapping[Language, str] = {"fr": "Peut-être des rumeurs", "en": "Maybe rumours"}
SIGNS: Mapping[Language, Mapping[RumourSign, str]] = {
    "fr": {
        "only_relays": "circule sans que personne dise l’avoir vu",
        "doubtful": "messages douteux",
        "denied": "démenti par {by} à {at}",
    },
    "en": {
        "only_relays": "goes round and nobody says they saw it",
        "doubtful": "doubtful posts",
        "denied": "denied by {by} at {at}",
    },
}
DENIERS: Mapping[Language, Mapping[str, str]] = {
    "fr": {"authority": "une autorité", "operator": "un exploitant"},
    "en": {"authority": "an authority", "operator": "an operator"},
}


def line_of(alert: Alert, language: Language) -> str:
    """Return what goes round, where, and what speaks against it; empty where nothing does."""
    rumour = alert.rumour
    if rumour is None:
        return ""
    words = WORDS[language]
    about = f"{words[alert.level]} · {words[alert.hazard]} · {shown(alert.place.name)}"
    signs = ", ".join(_sign(sign, rumour, language) for sign in rumour.signs)
    return f"{about} · {signs} · {alert.incident_id}"


def _sign(sign: RumourSign, rumour: Rumour, language: Language) -> str:
    by = DENIERS[language].get(rumour.denied_by, shown(rumour.denied_by))
    return SIGNS[language][sign].format(by=by, at=clock(rumour.denied_at) if rumour.denied_at else "?")
