"""Frames: what changed, in the words of one language, as server-sent events. Made once for everybody who reads it."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import msgspec
from jinja2 import Environment

from console.live.feed import Line
from console.live.listening import Listening
from console.live.rows import Row, feature_of

MOST_LINES = 60  # of the feed, on the page


def frame(event: str, said: Any, number: int | None = None) -> bytes:
    """Return one server-sent event; JSON has no line ends of its own, so what it says is one line."""
    mark = "" if number is None else f"id: {number}\n"
    return f"{mark}event: {event}\ndata: ".encode() + msgspec.json.encode(said) + b"\n\n"


def incident_frame(templates: Environment, row: Row, number: int, now: datetime) -> bytes:
    """Return the event of one incident by the number of its change: row and feature, or that it is over."""
    said = {
        "id": row.alert.incident_id,
        "revision": row.alert.revision,
        "level": row.alert.level,
        "height": row.height,
        "html": "" if row.is_over else templates.get_template("situation_row.html").render(row=row, now=now),
        "over": templates.get_template("situation_over.html").render(row=row) if row.is_over else "",
        "feature": None if row.is_over else feature_of(row),
    }
    return frame("incident", said, number)


def feed_frame(
    templates: Environment, lines: Sequence[Line], *, gone: Collection[str] = (), is_whole: bool = False
) -> bytes:
    """Return the event of the feed: lines that changed and such as are gone; or the whole of it."""
    template = templates.get_template("situation_line.html")
    shown = [{"id": line.line_id, "html": template.render(line=line)} for line in lines]
    return frame("feed", {"whole": is_whole, "lines": shown, "gone": sorted(gone)})


def listening_frame(templates: Environment, heard: Listening) -> bytes:
    """Return the event of what we are blind to."""
    html = templates.get_template("situation_listening.html").render(heard=heard)
    return frame("listening", {"blind": heard.is_blind, "filling": heard.is_filling, "html": html})
