"""Place: somewhere a post speaks of, with its precision and the reasons for choosing it."""

from typing import Annotated, Literal

import msgspec

from records.post import Latitude, Longitude, NonEmpty, Whole

PlaceLevel = Literal["point", "site", "quartier", "commune", "epci", "dep", "region", "country"]
PlaceSource = Literal["geotag", "text", "hashtag", "group", "profile", "home", "person"]  # who decides on incidents

TOO_WIDE: frozenset[PlaceLevel] = frozenset({"dep", "region", "country"})
"""Levels whose centre is no place where anything happens."""
NOT_NAMED: frozenset[PlaceSource] = frozenset({"home", "profile"})
"""Where a place comes from when no post names one."""


class Place(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A place chosen for a post. Never without level, radius and reasons."""

    place_id: NonEmpty  # "fr:76351", "fr:dep:76", "geonames:3003796", "local:…"; stable between builds
    name: NonEmpty
    lat: Latitude
    lon: Longitude
    radius_km: Annotated[float, msgspec.Meta(gt=0)]
    level: PlaceLevel
    confidence: Annotated[float, msgspec.Meta(ge=0, le=1)]
    source: PlaceSource
    reasons: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    country: str = ""  # ISO 3166 alpha-2
    insee: str | None = None  # commune code, where there is one
    dep: str | None = None  # département code, or "US-TX" style first division abroad
    epci: str | None = None
    region: str | None = None  # INSEE code of the French région
    h3: str | None = None  # the hexagon that its radius deserves
    population: Whole = 0

    @property
    def area(self) -> str:
        """The area that owns the place's detection state: the département, abroad the first division or the country."""
        if self.dep:
            return self.dep
        return self.country or "world"

    @property
    def is_point(self) -> bool:
        """Whether it may stand on a map as a point: neither as the middle of a large area nor as a guess."""
        return self.level not in TOO_WIDE and self.source not in NOT_NAMED

    @property
    def areas(self) -> tuple[str, ...]:
        """The areas that hold the place, from its commune to its country: where a mention of it counts too."""
        chain = (
            ("fr:", self.insee),
            ("fr:epci:", self.epci),
            ("fr:dep:" if self.country == "FR" else "admin1:", self.dep),
            ("fr:reg:", self.region),
            ("country:", self.country),
        )
        return tuple(prefix + code for prefix, code in chain if code)
