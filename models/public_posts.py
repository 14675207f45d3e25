"""Public sets of labelled posts: read where they are present, mapped to Vigie's hazards.

Only sets whose terms allow a trained model to be shipped: CrisisLex T6 and T26, IDRISI, UMSAB.
"""

import gzip
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from models.near_duplicate import fingerprint

HELD_BACK = (
    "boston_bombings_2013",
    "oklahoma_tornado_2013",
    "costa_rica_earthquake_2012",
    "guatemala_earthquake_2012",
    "spain_train_crash_2013",
)
"""Streams that are replayed through the whole pipeline later: never learned from."""

_HAZARDS = {
    "fire": ("fire",),
    "flood": ("flood",),
    "industrial": ("industrial",),
    "smoke": ("fire",),
    "earthquake": ("other",),
    "storm": ("other",),
    "transport": ("other",),
    "building_collapse": ("other",),
    "attack": ("other",),
    "other": ("other",),
    "none": (),
}
_SEVERAL = {"venezuela_refinery_2012": ("industrial", "fire")}
"""Incidents that are two hazards at once, whatever word a post uses."""


class PublicPost(msgspec.Struct, frozen=True, kw_only=True):
    """One post of a public set."""

    text: str
    language: str | None
    incident: str  # the incident it was collected for; "" for background
    hazards: tuple[str, ...]  # of the incident, empty for a post about something else
    is_informative: bool | None  # None where nobody labelled it
    set_name: str
    theme: str = ""  # what its labellers say it is about: "Sympathy and support", "caution_and_advice"
    is_witness: bool | None = None  # None where nobody labelled it


def read_set(folder: Path, pattern: str, *, is_held_back_too: bool = False) -> Iterator[PublicPost]:
    """Read the files of the public data that match a pattern; the held-back streams only where asked for."""
    for path in sorted(folder.glob(pattern)):
        if is_held_back_too or not path.name.startswith(HELD_BACK):
            with gzip.open(path, "rt", encoding="utf-8") as lines:
                yield from (_post_from(json.loads(line)) for line in lines)


def without_copies(posts: Iterable[PublicPost]) -> Iterator[PublicPost]:
    """Leave out posts whose wording was seen before: retweets would count a sentence many times."""
    seen: set[int | str] = set()
    for post in posts:
        mark = fingerprint(post.text) or post.text.casefold()
        if mark not in seen:
            seen.add(mark)
            yield post


def _post_from(row: dict[str, object]) -> PublicPost:
    incident = str(row["event"] or "")
    hazard = str(row["hazard"])
    informative = row["informative"]
    labels = row.get("labels")
    labels = labels if isinstance(labels, dict) else {}
    author = labels.get("source", "Not labeled")
    return PublicPost(
        text=str(row["text"]),
        language=str(row["lang"]) if row["lang"] else None,
        incident="" if str(row["source_dataset"]).startswith("UMSAB") else incident,
        hazards=() if hazard == "none" else _SEVERAL.get(incident, _HAZARDS[hazard]),
        is_informative=None if informative is None else bool(informative),
        set_name=str(row["source_dataset"]),
        theme=str(labels.get("type") or labels.get("humaid_class") or ""),
        is_witness=None if author == "Not labeled" else author == "Eyewitness",
    )
