"""The settings of whom to call about a site, a commune or an area. The cell types the numbers; none are shipped."""

from pydantic import Field, model_validator

from detectors.duty import Duty
from vigie.source_settings import Part


class DutySettings(Part):
    """A number that somebody answers, shown where people perceive what nobody has declared."""

    name: str = Field(min_length=1, max_length=80, description="who answers, a service and not a person")
    number: str = Field(pattern=r"^\+?\d[\d .\-]{1,23}$", description="a public telephone number, digits and spaces")
    site: str = Field(default="", max_length=80, description="the name of a site or its operator, as posts name it")
    insee: str = Field(default="", pattern=r"^((\d{2}|2[AB])\d{3})?$", description="the INSEE code of a commune")
    area: str = Field(default="", pattern=r"^(\d{2,3}|2[AB])?$", description='a département\'s code, as in "76"')

    @model_validator(mode="after")
    def _is_for_something(self) -> "DutySettings":
        if not (self.site or self.insee or self.area):
            raise ValueError("say what it is for: give site, insee or area")
        return self

    def duty(self) -> Duty:
        """Return it as the detectors want it."""
        return Duty(name=self.name, number=self.number, site=self.site, insee=self.insee, area=self.area)
