"""The settings of whom to call about a site, a commune or an area. The cell types the numbers; none are shipped."""

from collections.abc import Sequence

from pydantic import Field

from detectors.duty import Duty
from records import SettingsError
from vigie.source_settings import Part


class DutySettings(Part):
    """A number that somebody answers, shown where people perceive what nobody has declared."""

    name: str = Field(min_length=1, max_length=80, description="who answers, a service and not a person")
    number: str = Field(pattern=r"^\+?\d[\d .\-]{1,23}$", description="a public telephone number, digits and spaces")
    site: str = Field(default="", max_length=80, description="the name of a site or its operator, as posts name it")
    insee: str = Field(default="", pattern=r"^((\d{2}|2[AB])\d{3})?$", description="the INSEE code of a commune")
    area: str = Field(default="", pattern=r"^(\d{2,3}|2[AB])?$", description='a département\'s code, as in "76"')


def duties_from(settings: Sequence[DutySettings]) -> list[Duty]:
    """Return them as the detectors want them.

    Errors  SettingsError when one is for nothing
    """
    for number, one in enumerate(settings):
        if not (one.site or one.insee or one.area):
            raise SettingsError(f"duty.{number}: {one.name!r} is for nothing; give site, insee or area")
    return [Duty(name=one.name, number=one.number, site=one.site, insee=one.insee, area=one.area) for one in settings]
