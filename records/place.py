"""Place: somewhere a post speaks of, with its precision and the reasons for choosing it."""

from typing import Annotated, Literal

import msgspec

from records.post import Latitude, Longitude, NonEmpty

PlaceLevel = Literal["point", "site", "quartier", "commune", "epci", "dep", "region", "country"]
PlaceSource = Literal["geotag", "text", "hashtag", "group", "profile", "home"]


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
    reasons: tuple[str, ...]
    country: str = ""  # ISO 3166 alpha-2
    insee: str | None = None  # commune code, where there is one
    dep: str | None = None  # département code, or "US-TX" style first division abroad
    epci: str | None = None
    population: int = 0

    @property
    def area(self) -> str:
        """The area that owns the place's detection state: the département, or the country abroad."""
        if self.dep:
            return self.dep
        return self.country or "world"
