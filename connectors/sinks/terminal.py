"""Terminal: alerts for people in front of a screen, in French or in English.

Shape   one panel an alert revision; or a table of all incidents, for a live view
"""

import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from records import Alert, Evidence

Language = Literal["fr", "en"]
MAX_EVIDENCE = 5
MAX_TEXT = 240

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
        "raised": "levé à",
        "posts": "message/messages",
        "authors": "auteur/auteurs",
        "witnesses": "témoin/témoins",
        "copies": "reprise/reprises",
        "probability": "probabilité",
        "unknowns": "Ce qu'on ne sait pas",
        "joins": "Même événement, semble-t-il, que",
        "none": "aucun incident",
        "level": "Niveau",
        "hazard": "Danger",
        "place": "Lieu",
        "evidence": "Indices",
        "around": "à {km} km près",
        "to_verify": "signal à vérifier",
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
        "none": "no incident",
        "level": "Level",
        "hazard": "Hazard",
        "place": "Place",
        "evidence": "Evidence",
        "around": "within {km} km",
        "to_verify": "signal to verify",
        "no_official_word": "no official word",
        "place_uncertain": "place uncertain",
        "no_image": "no picture",
        "single_witness": "a single witness",
        "single_platform": "a single platform",
    },
}
SEVERAL = 2
ZONE = ZoneInfo("Europe/Paris")
COLOURS: Mapping[str, str] = {
    "signal": "cyan",
    "watch": "yellow",
    "alert": "bold red",
    "confirmed": "bold magenta",
    "monitoring": "blue",
    "resolved": "green",
    "rejected": "dim",
}


class Terminal:
    """Prints each alert revision."""

    def __init__(self, console: Console, *, language: Language = "fr", name: str = "terminal") -> None:
        self.name = name
        self._console = console
        self._language = language

    async def send(self, alert: Alert) -> None:
        """Print an alert."""
        self._console.print(panel(alert, self._language))


class IncidentTable:
    """All incidents, newest word on each; a thing that `rich.live.Live` can show."""

    def __init__(self, *, language: Language = "fr", name: str = "table", rows: int = 12) -> None:
        self.name = name
        self._language = language
        self._rows = rows
        self._alerts: dict[str, Alert] = {}

    async def send(self, alert: Alert) -> None:
        """Take an alert into the table; a lower revision than the one there changes nothing."""
        known = self._alerts.get(alert.incident_id)
        if known is None or alert.revision >= known.revision:
            self._alerts[alert.incident_id] = alert

    def __rich__(self) -> RenderableType:
        words = WORDS[self._language]
        table = Table(expand=True)
        for column in ("level", "hazard", "place", "since", "evidence"):
            table.add_column(words[column].capitalize())
        newest = sorted(self._alerts.values(), key=lambda alert: alert.raised_at, reverse=True)
        for alert in newest[: self._rows]:
            table.add_row(
                Text(words[alert.level], COLOURS[alert.level]),
                words[alert.hazard],
                Text(shown(alert.place.name)),
                clock(alert.onset),
                f"{counted(alert.posts, words['posts'])}, {counted(alert.witnesses, words['witnesses'])}",
            )
        if not newest:
            table.add_row(Text(words["none"], "dim"))
        return table


def panel(alert: Alert, language: Language) -> Panel:
    """Return an alert as people read it: what, where, since when, why, and what is not known."""
    words = WORDS[language]
    title = Text.assemble(
        (f" {words[alert.level]} ", COLOURS[alert.level]),
        f"{words[alert.hazard]} · {shown(alert.place.name)} ",
    )
    lines: list[RenderableType] = [Text(facts(alert, words), "bold")]
    why = alert.explanation.get(language)
    if why:
        lines.append(Text(shown(why, limit=1000)))
    lines += [quotation(item) for item in alert.evidence[:MAX_EVIDENCE]]
    if alert.joins:
        lines.append(Text(f"{words['joins']} {shown(alert.joins)}", "bold"))
    if alert.unknowns:
        lines.append(
            Text(f"{words['unknowns']} : {', '.join(words.get(code, shown(code)) for code in alert.unknowns)}", "dim")
        )
    foot = f"{shown(alert.incident_id)} · n° {alert.revision} · {words['to_verify']}"
    return Panel(
        Group(*lines), title=title, subtitle=Text(foot, "dim"), border_style=COLOURS[alert.level], title_align="left"
    )


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


def clock(moment: datetime) -> str:
    """Return a time of day as those read it who sit at the terminal."""
    return f"{moment.astimezone(ZONE):%H:%M}"


def counted(number: int, things: str) -> str:
    """Return a number with its things, given as "one/several"."""
    one, _, several = things.partition("/")
    return f"{number} {one if number < SEVERAL else several}"


def quotation(item: Evidence) -> Text:
    """Return one post behind an alert."""
    mark = "◉" if item.is_witness else "○"
    quoted = Text(f"{mark} {clock(item.event_time)}  « {shown(item.text)} »")
    if item.copies:
        quoted.append(f"  (+{item.copies})", "dim")
    if item.url:
        quoted.append(f"  {shown(item.url)}", "dim underline")
    return quoted


def shown(text: str, limit: int = MAX_TEXT) -> str:
    """Return a text from outside as a terminal may show it: no control characters, no change of direction."""
    visible = (char for char in text if unicodedata.category(char) != "Cf")
    plain = " ".join("".join(" " if unicodedata.category(char) == "Cc" else char for char in visible).split())
    return plain if len(plain) <= limit else f"{plain[: limit - 1]}…"
