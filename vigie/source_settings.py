"""The settings of sources: one table of `vigie.toml` each, told apart by its `kind`."""

import os
from pathlib import Path
from typing import Annotated, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

from records.source_status import Way

NAME = r"^[a-z][a-z0-9_-]{0,31}$"
SHORT = "a short name, a-z 0-9 _ -"
HTTP = r"^https?://\S+$"
AREAS = 'codes of départements, as in ["76"]'
LONGEST_PART = 255  # bytes, of a file's or folder's name
DAY_SECS = 86_400
Metres = Annotated[float, Field(ge=-10, le=100)]


class Part(BaseModel):
    """A table of the file; a key that it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @field_validator("*")
    @classmethod
    def _can_be_asked_for(cls, value: object) -> object:
        """Refuse what no file or server can be asked for: here its line is known."""
        if isinstance(value, str | Path) and "\0" in str(value):
            raise ValueError("holds a NUL")
        if isinstance(value, Path) and any(len(os.fsencode(part)) > LONGEST_PART for part in value.parts):
            raise ValueError("is longer than a file's name can be")
        if isinstance(value, str) and "://" in value:
            urlsplit(value)  # raises ValueError on what is no address
        return value


WAYS = 'how witnesses reach us there: "network", "page", "press", "people" or "authorities"'


class Site(Part):
    """Where a site stands, and from how far it is noticed."""

    lat: float = Field(ge=-90, le=90, description="its latitude in degrees")
    lon: float = Field(ge=-180, le=180, description="its longitude in degrees")
    radius_km: float = Field(default=2.0, gt=0, le=100, description="kilometres from which it is seen or heard")
    insee: str = Field(default="", description="the INSEE code of its commune")


class BlueskySource(Part):
    """Bluesky, live, from a Jetstream server; no account needed."""

    kind: Literal["bluesky"]
    name: str = Field(default="bluesky", pattern=NAME, description=SHORT)
    url: str = Field(
        default="wss://jetstream.us-east.bsky.network",
        pattern=r"^wss?://[^\s/]+(/\S*)?$",
        description="a Jetstream server, as wss://host",
    )
    languages: tuple[str, ...] = Field(default=(), description='languages to keep, as in ["fr", "en"]; empty: all')
    place: str = Field(default="", description="INSEE code for posts that name no place; leave empty for Bluesky")
    way: ClassVar[Way] = "network"


class RecordedSource(Part):
    """A file of posts, read once."""

    kind: Literal["recorded"]
    name: str = Field(pattern=NAME, description=SHORT)
    path: Path = Field(description="a .jsonl or .csv file, plain or .gz")
    speed: float = Field(
        default=0, ge=0, description="1 for real time, 60 for an hour a minute, 0 for as fast as it goes"
    )
    place: str = Field(default="", description="INSEE code for posts that name no place; empty: they are left out")
    way: Way = Field(default="network", description=WAYS)


class WebhookSource(Part):
    """Posts that other programs send us, signed."""

    kind: Literal["webhook"]
    name: str = Field(default="webhook", pattern=NAME, description=SHORT)
    host: str = Field(default="127.0.0.1", description="the address to listen on")
    port: int = Field(default=8080, ge=1, le=65535, description="the TCP port to listen on")
    scheme: Literal["standard", "hub", "bearer"] = Field(
        default="standard", description='"standard" (Standard Webhooks), "hub" (X-Hub-Signature-256) or "bearer"'
    )
    secret_file: Path = Field(description="a file that holds the shared secret")
    is_trusted: bool = Field(default=False, description="true when only staff sends here: skips the gate")
    place: str = Field(default="", description="INSEE code for posts that name no place; empty: they are left out")
    way: Way = Field(default="people", description=WAYS)
    mapping: str = Field(
        default="",
        description="how to read what is sent: a ready mapping's name or a TOML file; empty: plain",
    )
    area: str = Field(default="", description='the département of notices that name none, as "76"')
    zone: str = Field(default="Europe/Paris", description="the time zone of dates that name none")
    sites: dict[str, Site] = Field(default={}, description="sites that notices name, as tables [sources.sites.NAME]")


class TopicSource(Part):
    """Posts that lie on a topic of this Kafka, read once."""

    kind: Literal["topic"]
    name: str = Field(pattern=NAME, description=SHORT)
    topic: str = Field(pattern=r"^[A-Za-z0-9._-]{1,249}$", description="a topic that holds posts, as posts.v1 does")
    speed: float = Field(
        default=0, ge=0, description="1 for real time, 60 for an hour a minute, 0 for as fast as it goes"
    )
    place: str = Field(default="", description="INSEE code for posts that name no place; empty: they are left out")
    way: Way = Field(default="network", description=WAYS)


class MastodonSource(Part):
    """Streams of one Mastodon instance, live; a user token of it is needed."""

    kind: Literal["mastodon"]
    name: str = Field(default="mastodon", pattern=NAME, description=SHORT)
    base_url: str = Field(pattern=HTTP, description="the instance, as https://mastodon.example")
    token_file: Path = Field(description="a file that holds a user token with read:statuses")
    streams: tuple[str, ...] = Field(
        min_length=1, description='streams, as in ["hashtag:lehavre", "public:local"]; also public, list:ID, user'
    )
    languages: tuple[str, ...] = Field(default=(), description='languages to keep, as in ["fr", "en"]; empty: all')
    respects_indexable: bool = Field(default=True, description="true: who does not want to be indexed is not read")
    streaming_url: str = Field(default="", description="only where the instance does not tell where it streams")
    place: str = Field(default="", description="INSEE code for posts that name no place; empty: they are left out")
    way: ClassVar[Way] = "network"


class PressFeed(Part):
    """One feed of a publisher."""

    url: str = Field(pattern=HTTP, description="the feed's address, as https://host/feed.xml")
    name: str = Field(default="", description="the publisher's name")
    lang: str = Field(default="", description='its language, as "fr"; empty: what the feed says')
    author_kind: Literal["press", "official", "operator"] = Field(
        default="press", description="whose word it is: press, official (a prefecture, a town hall) or operator"
    )


class PressSource(Part):
    """Feeds of newspapers, RSS or Atom, asked every few minutes."""

    kind: Literal["press"]
    name: str = Field(default="press", pattern=NAME, description=SHORT)
    feeds: tuple[PressFeed, ...] = Field(min_length=1, max_length=50, description="1 to 50 feeds, each with its url")
    every_secs: float = Field(default=120, ge=1, le=3600, description="seconds between two looks, 60 to 300")
    contact: str = Field(default="", description="an address that publishers are shown")
    is_trusted: bool = Field(default=False, description="true for a prefecture, not for a newspaper: skips the gate")
    place: str = Field(default="", description="INSEE code for articles that name no place; empty: they are left out")
    way: ClassVar[Way] = "press"


class FacebookSource(Part):
    """The town's own Facebook Page: its webhook, and a look at the Page for what that missed."""

    kind: Literal["facebook"]
    name: str = Field(default="facebook", pattern=NAME, description=SHORT)
    page_id: str = Field(pattern=r"^[0-9]{1,32}$", description="the Page's number, not its name")
    token_file: Path = Field(description="a file that holds the Page's token")
    app_secret_file: Path = Field(description="a file that holds the app's secret, which signs the webhook")
    verify_token_file: Path = Field(description="a file that holds the word agreed upon at Facebook")
    host: str = Field(default="127.0.0.1", description="the address to listen on")
    port: int = Field(default=8081, ge=1, le=65535, description="the TCP port to listen on")
    url_path: str = Field(default="/facebook", pattern=r"^/\S+$", description="where the webhook is, as /facebook")
    base_url: str = Field(
        default="https://graph.facebook.com/v27.0", pattern=HTTP, description="the Graph API with its version"
    )
    every_secs: float = Field(
        default=300, ge=1, le=DAY_SECS, description="seconds between two looks at the Page, a day at most"
    )
    place: str = Field(default="", description="INSEE code for posts that name no place: the town's own")
    way: ClassVar[Way] = "page"


class XSource(Part):
    """X's filtered stream, which costs money and needs a plan for authorities: off unless both are said."""

    kind: Literal["x"]
    name: str = Field(default="x", pattern=NAME, description=SHORT)
    bearer_token_file: Path = Field(description="a file that holds the bearer token")
    rules: dict[str, str] = Field(
        min_length=1, max_length=1000, description="rules by their tags, as a table [sources.rules]"
    )
    government_plan_acknowledged: bool = Field(
        default=False, description="true once an Enterprise plan was declared to X in writing"
    )
    monthly_ceiling_usd: float = Field(default=0, ge=0, description="US dollars a month at which it stops")
    usd_per_post: float = Field(default=0.005, ge=0, description="US dollars a post")
    usd_per_media: float = Field(default=0.005, ge=0, description="US dollars a picture or film")
    backfill: bool = Field(default=False, description="true: search for what was missed, at full price")
    place: str = Field(default="", description="INSEE code for posts that name no place; empty: they are left out")
    way: ClassVar[Way] = "network"


class VigicruesSource(Part):
    """The colours of river reaches, from Vigicrues."""

    kind: Literal["vigicrues"]
    name: str = Field(default="vigicrues", pattern=NAME, description=SHORT)
    reaches: dict[str, tuple[str, ...]] = Field(
        min_length=1, description="départements by the code of a reach, as a table [sources.reaches]"
    )
    areas: tuple[str, ...] = Field(default=(), description=f"{AREAS}; empty: all that the reaches name")
    base_url: str = Field(default="https://www.vigicrues.gouv.fr", pattern=HTTP, description="the service's address")
    every_secs: float = Field(default=600, ge=1, le=DAY_SECS, description="seconds between two looks, a day at most")
    place: ClassVar[str] = ""  # bulletins have their own
    way: ClassVar[Way] = "authorities"


class GaugeStation(Part):
    """A gauge, and the heights at which it becomes yellow, orange, red."""

    code: str = Field(pattern=r"^[A-Z0-9]{4,16}$", description="the station's code, ten characters")
    areas: tuple[str, ...] = Field(min_length=1, description=AREAS)
    name: str = Field(default="", description="the station's name")
    yellow_m: Metres | None = Field(default=None, description="metres at which it is yellow")
    orange_m: Metres | None = Field(default=None, description="metres at which it is orange")
    red_m: Metres | None = Field(default=None, description="metres at which it is red")
    rise_m_per_hour: float | None = Field(
        default=None, gt=0, description="a rise at which it is yellow, metres an hour"
    )


class HubeauSource(Part):
    """Heights of rivers, from Hub'Eau."""

    kind: Literal["hubeau"]
    name: str = Field(default="hubeau", pattern=NAME, description=SHORT)
    stations: tuple[GaugeStation, ...] = Field(min_length=1, description="stations, as tables [[sources.stations]]")
    base_url: str = Field(default="https://hubeau.eaufrance.fr", pattern=HTTP, description="the service's address")
    every_secs: float = Field(default=300, ge=1, le=DAY_SECS, description="seconds between two looks, a day at most")
    place: ClassVar[str] = ""  # bulletins have their own
    way: ClassVar[Way] = "authorities"


class MeteoFranceSource(Part):
    """The vigilance of Météo-France; a free key of its portal is needed."""

    kind: Literal["meteofrance"]
    name: str = Field(default="meteofrance", pattern=NAME, description=SHORT)
    areas: tuple[str, ...] = Field(min_length=1, description=AREAS)
    api_key_file: Path = Field(description="a file that holds the portal's key")
    with_texts: bool = Field(default=True, description="true: the bulletins' words too")
    base_url: str = Field(
        default="https://public-api.meteofrance.fr", pattern=HTTP, description="the service's address"
    )
    every_secs: float = Field(default=600, ge=1, le=DAY_SECS, description="seconds between two looks, a day at most")
    place: ClassVar[str] = ""  # bulletins have their own
    way: ClassVar[Way] = "authorities"


class NoticesSource(Part):
    """A table of what operators announce: flares, maintenance, exercises, siren tests."""

    kind: Literal["notices"]
    name: str = Field(default="notices", pattern=NAME, description=SHORT)
    path: Path = Field(description="a CSV file; it is read again when it changes")
    every_secs: float = Field(
        default=30, ge=0.1, le=DAY_SECS, description="seconds between two looks at the file, a day at most"
    )
    area: str = Field(default="", description='the département of notices that name none, as "76"')
    zone: str = Field(default="Europe/Paris", description="the time zone of dates that name none")
    sites: dict[str, Site] = Field(default={}, description="sites that notices name, as tables [sources.sites.NAME]")
    place: ClassVar[str] = ""  # bulletins have their own
    way: ClassVar[Way] = "authorities"


class CapSource(Part):
    """Warnings in the Common Alerting Protocol, from a feed such as MeteoAlarm's."""

    kind: Literal["cap"]
    name: str = Field(default="cap", pattern=NAME, description=SHORT)
    base_url: str = Field(default="https://feeds.meteoalarm.org", pattern=HTTP, description="the server's address")
    paths: tuple[str, ...] = Field(
        default=("/feeds/meteoalarm-legacy-atom-france",), min_length=1, description="feeds or alerts on that server"
    )
    link_hosts: tuple[str, ...] = Field(default=(), description="further hosts that alerts may stand on")
    every_secs: float = Field(default=300, ge=1, le=DAY_SECS, description="seconds between two looks, a day at most")
    areas: tuple[str, ...] = Field(default=(), description=f"{AREAS}, to keep; empty: all")
    area: str = Field(default="", description='the département of alerts that give no code, as "76"')
    languages: tuple[str, ...] = Field(default=("fr", "en"), description='languages, the best first, as ["fr", "en"]')
    geocodes: dict[str, str] = Field(default={}, description="départements by code, as { CODE = DÉPARTEMENT }")
    hazards: dict[str, Literal["fire", "flood", "industrial", "other"]] = Field(
        default={}, description='hazards by event code, as { "1; Wind" = "other" }'
    )
    place: ClassVar[str] = ""  # bulletins have their own
    way: ClassVar[Way] = "authorities"


SourceSettings = Annotated[
    BlueskySource
    | RecordedSource
    | TopicSource
    | WebhookSource
    | MastodonSource
    | PressSource
    | FacebookSource
    | XSource
    | VigicruesSource
    | HubeauSource
    | MeteoFranceSource
    | NoticesSource
    | CapSource,
    Field(discriminator="kind"),
]
