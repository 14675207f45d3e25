"""Terminal: alerts for people in front of a screen, in French or in English.

Shape   one panel an alert revision; or a table of all incidents, for a live view
"""

import unicodedata
from collections.abc import Mapping
from typing import Literal

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
        "posts": "messages",
        "authors": "auteurs",
        "witnesses": "témoins",
        "copies": "reprises",
        "probability": "probabilité",
        "unknowns": "Ce qu'on ne sait pas",
        "none": "aucun incident",
        "level": "Niveau",
        "hazard": "Danger",
        "place": "Lieu",
        "evidence": "Indices",
        "around": "à {km} km près",
        "to_verify": "signal à vérifier",
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
        "posts": "posts",
        "authors": "authors",
        "witnesses": "witnesses",
        "copies": "copies",
        "probability": "probability",
        "unknowns": "What is not known",
        "none": "no incident",
        "level": "Level",
        "hazard": "Hazard",
        "place": "Place",
        "evidence": "Evidence",
        "around": "within {km} km",
        "to_verify": "signal to verify",
    },
}
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
                f"{alert.onset:%H:%M}Z",
                f"{alert.posts} {words['posts']}, {alert.witnesses} {words['witnesses']}",
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
    if alert.unknowns:
        lines.append(Text(f"{words['unknowns']} : {', '.join(map(shown, alert.unknowns))}", "dim"))
    foot = f"{shown(alert.incident_id)} · n° {alert.revision} · {words['to_verify']}"
    return Panel(
        Group(*lines), title=title, subtitle=Text(foot, "dim"), border_style=COLOURS[alert.level], title_align="left"
    )


def facts(alert: Alert, words: Mapping[str, str]) -> str:
    """Return the figures of an alert in one line."""
    place = alert.place
    parts = [
        words["around"].format(km=f"{place.radius_km:.3g}"),
        f"{words['since']} {alert.onset:%d/%m %H:%M}Z",
        f"{words['raised']} {alert.raised_at:%H:%M}Z",
        f"{alert.posts} {words['posts']}",
        f"{alert.authors} {words['authors']}",
        f"{alert.witnesses} {words['witnesses']}",
        f"{words['probability']} {alert.probability:.0%}",
    ]
    if alert.copies:
        parts.append(f"{alert.copies} {words['copies']}")
    return " · ".join(parts)


def quotation(item: Evidence) -> Text:
    """Return one post behind an alert."""
    mark = "◉" if item.is_witness else "○"
    quoted = Text(f"{mark} {item.event_time:%H:%M}Z  « {shown(item.text)} »")
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
