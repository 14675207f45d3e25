"""Wording: an alert in words of French or English, for whoever reads one: terminal, e-mail, SMS, annotations.

Shape   times of day as those read them who live there; texts from outside only through `shown`
"""

import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Literal
from urllib.parse import quote
from zoneinfo import ZoneInfo

from records import Alert, Evidence

Language = Literal["fr", "en"]
LANGUAGES: tuple[Language, ...] = ("fr", "en")
MAX_TEXT = 240
MAX_EXPLANATION = 1000
SEVERAL = 2
ZONE = ZoneInfo("Europe/Paris")
SETTLED = frozenset({"confirmed", "resolved", "rejected"})
"""Levels at which a person has looked, or nothing is left to look at."""

WORDS: Mapping[Language, Mapping[str, str]] = {
    "fr": {
        "signal": "Signal",
        "watch": "Veille",
        "alert": "ALERTE",
        "confirmed": "CONFIRMÉ",
        "monitoring": "Suivi",
        "resolved": "Terminé",
        "rejected": "Écarté",
        "fire": "incendie",
        "flood": "inondation",
        "industrial": "accident industriel",
        "other": "sinistre",
        "since": "depuis",
        "raised": "signalé à",
        "posts": "message/messages",
        "authors": "auteur/auteurs",
        "witnesses": "témoin/témoins",
        "copies": "reprise/reprises",
        "probability": "probabilité",
        "unknowns": "Ce qu'on ne sait pas",
        "joins": "Même événement, semble-t-il, que",
        "joined": "Même événement, selon {by}, que",
        "none": "aucun incident",
        "level": "Niveau",
        "hazard": "Danger",
        "place": "Lieu",
        "evidence": "Indices",
        "around": "à {km} km près",
        "to_verify": "signal à vérifier",
        "rumour": "rumeur possible",
        "exercise": "EXERCICE",
        "posts_seen": "Messages",
        "details": "Détails",
        "incidents": "incident/incidents",
        "no_official_word": "aucune parole officielle",
        "place_uncertain": "lieu incertain",
        "no_image": "aucune image",
        "single_witness": "un seul témoin",
        "single_platform": "une seule plateforme",
    },
    "en": {
        "signal": "Signal",
        "watch": "Watch",
        "alert": "ALERT",
        "confirmed": "CONFIRMED",
        "monitoring": "Monitoring",
        "resolved": "Resolved",
        "rejected": "Rejected",
        "fire": "fire",
        "flood": "flood",
        "industrial": "industrial accident",
        "other": "disaster",
        "since": "since",
        "raised": "raised at",
        "posts": "post/posts",
        "authors": "author/authors",
        "witnesses": "witness/witnesses",
        "copies": "copy/copies",
        "probability": "probability",
        "unknowns": "What is not known",
        "joins": "The same happening, it seems, as",
        "joined": "The same happening, according to {by}, as",
        "none": "no incident",
        "level": "Level",
        "hazard": "Hazard",
        "place": "Place",
        "evidence": "Evidence",
        "around": "within {km} km",
        "to_verify": "signal to verify",
        "rumour": "possible rumour",
        "exercise": "EXERCISE",
        "posts_seen": "Posts",
        "details": "Details",
        "incidents": "incident/incidents",
        "no_official_word": "no official word",
        "place_uncertain": "place uncertain",
        "no_image": "no picture",
        "single_witness": "a single witness",
        "single_platform": "a single platform",
    },
}


def facts(alert: Alert, words: Mapping[str, str]) -> str:
    """Return the figures of an alert in one line."""
    place = alert.place
    parts = [
        words["around"].format(km=f"{place.radius_km:.3g}"),
        f"{words['since']} {alert.onset.astimezone(ZONE):%d/%m %H:%M}",
        f"{words['raised']} {clock(alert.raised_at)}",
        counted(alert.posts, words["posts"]),
        counted(alert.authors, words["authors"]),
        counted(alert.witnesses, words["witnesses"]),
        f"{words['probability']} {min(alert.probability, 0.99):.0%}",
    ]
    if alert.copies:
        parts.append(counted(alert.copies, words["copies"]))
    return " · ".join(parts)


def subject(alert: Alert, words: Mapping[str, str]) -> str:
    """Return an alert in one line: level, hazard, place, and whether somebody has still to look."""
    line = f"{words[alert.level]} · {words[alert.hazard]} · {shown(alert.place.name)}"
    return line if alert.level in SETTLED else f"{line} ({to_verify(alert, words)})"


def to_verify(alert: Alert, words: Mapping[str, str]) -> str:
    """Return that somebody has still to look, and where it may be a rumour, that too."""
    return f"{words['to_verify']}, {words['rumour']}" if alert.rumour is not None else words["to_verify"]


def explained(alert: Alert, language: Language) -> str:
    """Return the sentences that say why, empty where there are none."""
    return shown(alert.explanation.get(language, ""), limit=MAX_EXPLANATION)


def not_known(alert: Alert, words: Mapping[str, str]) -> str:
    """Return what is not known, empty where nothing is said to be."""
    if not alert.unknowns:
        return ""
    return f"{words['unknowns']} : {', '.join(words.get(code, shown(code)) for code in alert.unknowns)}"


def joined(alert: Alert, words: Mapping[str, str]) -> str:
    """Return which other incident it belongs to, and who says so, empty where it stands alone."""
    if not alert.joins:
        return ""
    by = next((one.by for one in alert.corrections if one.what == "merge"), "")
    return f"{words['joined'].format(by=shown(by)) if by else words['joins']} {shown(alert.joins)}"


def foot(alert: Alert, words: Mapping[str, str]) -> str:
    """Return what a revision is known by."""
    return f"{shown(alert.incident_id)} · n° {alert.revision} · {to_verify(alert, words)}"


def quoted(item: Evidence) -> str:
    """Return the words of one post behind an alert, and when they were said."""
    mark = "◉" if item.is_witness else "○"
    return f"{mark} {clock(item.event_time)}  « {shown(item.text)} »"


def link_to(incident_id: str, page_url: str) -> str:
    """Return the address of an incident's page, empty where no page is served."""
    return f"{page_url.rstrip('/')}/incidents/{quote(incident_id, safe='')}" if page_url else ""


def clock(moment: datetime) -> str:
    """Return a time of day as those read it who sit at the terminal."""
    return f"{moment.astimezone(ZONE):%H:%M}"


def counted(number: int, things: str) -> str:
    """Return a number with its things, given as "one/several"."""
    one, _, several = things.partition("/")
    return f"{number} {one if number < SEVERAL else several}"


def shown(text: str, limit: int = MAX_TEXT) -> str:
    """Return a text from outside as a terminal may show it: no control characters, no change of direction."""
    visible = (char for char in text if unicodedata.category(char) != "Cf")
    plain = " ".join("".join(" " if unicodedata.category(char) == "Cc" else char for char in visible).split())
    return plain if len(plain) <= limit else f"{plain[: limit - 1]}…"
