"""Stories: a day of posts of our own writing, with the truth about it, to be played through the pipeline."""

from dataclasses import dataclass
from datetime import date, datetime, time
from importlib.resources import files
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from records import SettingsError


@dataclass(frozen=True)
class Story:
    """What was posted, and what really happened."""

    name: str
    home: str  # INSEE code
    began_at: datetime  # when the incident really began
    first_post_at: datetime  # first trace of it
    first_image_at: datetime
    posts: tuple[dict[str, Any], ...]  # in the plain shape of recordings, in order of time
    incident_ids: frozenset[str]  # the posts that speak of the incident


PARIS = ZoneInfo("Europe/Paris")
LE_HAVRE_DAY = date(2012, 1, 30)
BACKGROUND_COLUMNS = ("time", "source", "author", "text")
INCIDENT_COLUMNS = ("time", "source", "author", "media", "repost_of", "text")


def le_havre_2012() -> Story:
    """Return the morning of the power station fire: one Facebook status after 17 minutes, a picture after 89."""
    background = _posts("le_havre_2012_background", BACKGROUND_COLUMNS, "b")
    incident = _posts("le_havre_2012_incident", INCIDENT_COLUMNS, "e")
    posts = sorted(background + incident, key=lambda post: (post["ts"], post["id"]))
    with_image = [post for post in incident if post.get("media")]
    return Story(
        name="Le Havre, 30 janvier 2012",
        home="76351",
        began_at=datetime.combine(LE_HAVRE_DAY, time(8, 20), PARIS),
        first_post_at=datetime.fromisoformat(incident[0]["ts"]),
        first_image_at=datetime.fromisoformat(with_image[0]["ts"]),
        posts=tuple(posts),
        incident_ids=frozenset(post["id"] for post in incident),
    )


def write_recording(posts: tuple[dict[str, Any], ...], path: Path) -> None:
    """Write posts as JSON lines, as `vigie replay` reads them."""
    path.write_bytes(b"".join(msgspec.json.encode(post) + b"\n" for post in posts))


def _posts(name: str, columns: tuple[str, ...], letter: str) -> list[dict[str, Any]]:
    return [_post(row, f"{letter}{number:04}") for number, row in enumerate(_rows(name, columns), 1)]


def _rows(name: str, columns: tuple[str, ...]) -> list[dict[str, str]]:
    lines = (files("vigie") / "stories" / f"{name}.tsv").read_text(encoding="utf-8").splitlines()
    if tuple(lines[0].split("\t")) != columns:
        raise SettingsError(f"{name}.tsv: line 1: found {lines[0]!r}; the columns are {' '.join(columns)}")
    return [dict(zip(columns, line.split("\t"), strict=True)) for line in lines[1:]]


def _post(row: dict[str, str], post_id: str) -> dict[str, Any]:
    said_at = datetime.combine(LE_HAVRE_DAY, time.fromisoformat(row["time"]), PARIS)
    post: dict[str, Any] = {
        "id": post_id,
        "source": row["source"],
        "author": row["author"],
        "ts": said_at.isoformat(),
        "text": row["text"],
    }
    if row.get("media"):
        post["media"] = [{"type": row["media"]}]
    if row.get("repost_of"):
        post["repost_of"] = row["repost_of"]
    return post
