"""Asked: what a program may send, in the query or in the body; anything else is refused, with its name."""

from typing import Annotated, Literal

import msgspec

from console.reports.intake import Accuracy, SeenBy, What
from records.alert import Level
from records.post import Latitude, Longitude
from records.report import Credibility
from records.signal import Hazard
from records.time import Instant
from records.verdict import Decision

Short = Annotated[str, msgspec.Meta(max_length=200)]
Key = Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]
MOST, MOST_AHEAD = 200, 2000


class IncidentsAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which incidents: the one that changed last first."""

    level: Annotated[tuple[Level, ...], msgspec.Meta(description="Those that are not over, where none is given.")] = ()
    hazard: Hazard | None = None
    area: Annotated[Short, msgspec.Meta(description="Code of the département; abroad the first division.")] = ""
    text: Annotated[Short, msgspec.Meta(description="In the name of the place, or in what posts say.")] = ""
    since: Annotated[Instant | None, msgspec.Meta(description="Told of since then; with a zone.")] = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=MOST)] = 50
    offset: Annotated[int, msgspec.Meta(ge=0, le=MOST_AHEAD)] = 0


class PlaceAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where an incident is, as a person says: at a position, or at a place that has a name."""

    name: Short = ""
    lat: Latitude | None = None
    lon: Longitude | None = None
    radius_km: Annotated[float, msgspec.Meta(ge=0.001, le=500.0)] | None = None
    insee: Annotated[str, msgspec.Meta(pattern=r"^((\d\d|2[AB])\d{3})?$")] = ""


class DecisionAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody decides of an incident; which of the other fields it needs hangs on the decision."""

    decision: Decision
    reason: Annotated[str, msgspec.Meta(max_length=2000)] = ""
    confirmed_by: Literal["authority", "operator", "staff"] | None = None  # confirm
    rejected_as: Literal["hoax", "elsewhere", "exercise", "old", "figurative", "other"] | None = None  # reject
    place: PlaceAsked | None = None  # relocate
    read_as: Hazard | None = None  # change_hazard
    other: Short = ""  # merge, split
    post_keys: Annotated[tuple[Key, ...], msgspec.Meta(max_length=200)] = ()  # split
    withdraws: Short = ""  # withdraw
    nonce: Annotated[Short, msgspec.Meta(description="Sent twice under the same one, it is one decision.")] = ""


class ReportAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody was told, or saw: a name of a place, or a position, or both."""

    what: What
    seen_by: SeenBy
    words: Annotated[str, msgspec.Meta(max_length=1000)] = ""
    place: Annotated[str, msgspec.Meta(max_length=120)] = ""
    lat: Latitude | None = None
    lon: Longitude | None = None
    accuracy: Accuracy = "point"
    seen_at: Annotated[Instant | None, msgspec.Meta(description="With a zone; now, where none is given.")] = None
    credibility: Credibility | None = None
    url: Annotated[str, msgspec.Meta(max_length=2048)] = ""
    photo_note: Annotated[str, msgspec.Meta(max_length=300)] = ""
    report_id: Annotated[
        str,
        msgspec.Meta(
            pattern="^([0-9a-f]{16})?$",
            description="The same, sent twice under the same one, is one report. The answer has what it is known by.",
        ),
    ] = ""
