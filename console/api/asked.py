"""Asked: what a program may send, in the query or in the body; anything else is refused, with its name."""

from typing import Annotated

import msgspec

from records.alert import Level
from records.signal import Hazard
from records.time import Instant

Short = Annotated[str, msgspec.Meta(max_length=200)]
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
