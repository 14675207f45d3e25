"""Duty: whom to call about a site, a commune or an area, so that silence can be asked about.

Only numbers that the crisis cell itself has written into its settings; none come with Vigie.

Shape   the nearest one counts: of a site that posts name, else of the commune, else of the whole area
"""

from collections.abc import Sequence

import msgspec

from detectors.perceived import bare
from records import Place


class Duty(msgspec.Struct, frozen=True, kw_only=True):
    """A public number that somebody answers, and for what."""

    name: str
    number: str
    site: str = ""  # a name, or a part of one, such as that of the operator
    insee: str = ""
    area: str = ""


def duty_for(duties: Sequence[Duty], places: Sequence[Place], area: str) -> Duty | None:
    """Return whom to call about an incident at these places, None where nobody is named."""
    names = [f" {bare(place.name)} " for place in places]
    communes = {place.insee for place in places if place.insee}
    by_site = (one for one in duties if one.site and any(f" {bare(one.site)} " in name for name in names))
    by_commune = (one for one in duties if not one.site and one.insee in communes)
    by_area = (one for one in duties if not one.site and not one.insee and one.area == area)
    return next((one for found in (by_site, by_commune, by_area) for one in found), None)
