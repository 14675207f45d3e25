"""Terminal: alerts for people in front of a screen, in French or in English.

Shape   one panel an alert revision; or a table of all incidents, for a live view
"""

from collections.abc import Mapping

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from connectors.sinks.digest_wording import text_from
from connectors.sinks.timing import declared, timed
from connectors.sinks.wording import (
    WORDS,
    Language,
    clock,
    counted,
    explained,
    facts,
    foot,
    joined,
    not_known,
    quoted,
    shown,
)
from records import Alert, Evidence
from records.digest import Digest

MAX_EVIDENCE = 5
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

    async def send_digest(self, digest: Digest) -> None:
        """Print a digest."""
        self._console.print(Text(text_from(digest, self._language)))

    async def send(self, alert: Alert) -> None:
        """Print an alert."""
        self._console.print(panel(alert, self._language))

    async def retract(self, alert: Alert) -> None:
        """Do nothing: what was printed was printed, and nothing waits here."""


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
    if why := explained(alert, language):
        lines.append(Text(why))
    lines += [Text(line, "dim") for line in (timed(alert, language), declared(alert, language)) if line]
    lines += [quotation(item) for item in alert.evidence[:MAX_EVIDENCE]]
    if kin := joined(alert, words):
        lines.append(Text(kin, "bold"))
    if unknown := not_known(alert, words):
        lines.append(Text(unknown, "dim"))
    return Panel(
        Group(*lines),
        title=title,
        subtitle=Text(foot(alert, words), "dim"),
        border_style=COLOURS[alert.level],
        title_align="left",
    )


def quotation(item: Evidence) -> Text:
    """Return one post behind an alert."""
    quote = Text(quoted(item))
    if item.copies:
        quote.append(f"  (+{item.copies})", "dim")
    if item.url:
        quote.append(f"  {shown(item.url)}", "dim underline")
    return quote
