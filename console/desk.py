"""Desk: what every page works with: the archive, the live changes, the clock, and how the console is set up."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import time, timedelta

from jinja2 import Environment
from sqlalchemy.ext.asyncio import AsyncEngine

from console.archive.keeping import INCIDENTS_KEPT
from console.catalogue import Language
from console.live.feed import Feed
from console.live.filling import Filling
from console.live.hub import Hub
from console.live.viewers import Viewers
from console.messages.message_map import MessageMap
from console.trust.watching import Watching
from console.tuning.tuner import Tuner
from records import Claim, Clock, Place


@dataclass(frozen=True, kw_only=True)
class Setup:
    """How the console is set up."""

    cell: str = ""  # the name of the crisis cell, as in "Ville du Havre"
    language: Language = "fr"
    zone: str = "Europe/Paris"
    home: tuple[float, float] = (46.6, 2.4)  # where the map begins, degrees
    zoom: int = 6
    insee: str = ""  # the home commune
    is_exercise: bool = False  # everything seen is an exercise
    online_tiles: str = ""  # an address with {z}, {x} and {y}; "": the map that comes with Vigie, and nothing outside
    online_attribution: str = ""
    boundaries: bytes = b""  # GeoJSON of the user's own
    duty: tuple[tuple[str, str], ...] = ()  # whom to call, under which number
    shifts: tuple[time, ...] = ()  # when people change, on the zone's clock
    profile: str = ""  # the profile that incidents are raised by, as TOML; "": not known here
    incidents_kept: timedelta = INCIDENTS_KEPT
    recording_kept: timedelta | None = None  # None: nothing is recorded here
    pseudonym_key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)  # of who files reports


@dataclass(frozen=True, kw_only=True)
class Desk:
    """What every page works with."""

    engine: AsyncEngine
    hub: Hub
    clock: Clock
    setup: Setup
    messages: MessageMap
    templates: dict[Language, Environment]
    feed: Feed = field(default_factory=Feed)
    viewers: Viewers = field(default_factory=Viewers)
    filling: Filling = field(default_factory=Filling)
    said: Callable[[], None] = field(default=lambda: None)  # called when `outgoing` has something new
    find_place: Callable[[str], Sequence[Place]] = field(default=lambda text: ())  # best first; slow: ask in a thread
    tuner: Tuner | None = None  # None: profiles are shown, and not tried
    bench_asked: asyncio.Event = field(default_factory=asyncio.Event)  # something is to be tried, or to be stopped
    watching: Watching | None = None  # None: neither what drifts is known, nor what the budget controller proposes
    read_claims: Callable[[], Awaitable[list[Claim]]] | None = None  # None: nobody is to be told of needs and offers
