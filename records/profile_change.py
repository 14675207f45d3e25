"""Profile change: by which profile incidents are raised from now on, who proposed it, and who approved."""

from typing import Annotated, Final

import msgspec

from records.post import NonEmpty
from records.time import Instant

MOST_TOML: Final = 32_768
"""Characters of a profile: those that come with Vigie have some two thousand."""
PROFILE_KEY: Final = "profile"


class ProfileChange(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, tag="profile"
):
    """One change of the profile in force; the newest one holds. An empty text goes back to the settings' file.

    Errors  ValueError where nobody but the one who proposed a profile has approved it
    """

    change_id: NonEmpty
    name: str  # of the profile; "" where it goes back to the settings' file
    version: str
    toml: Annotated[str, msgspec.Meta(max_length=MOST_TOML)]  # the whole text
    proposed_by: NonEmpty  # a role or an account of the crisis cell
    approved_by: str  # somebody else; going back needs nobody
    decided_at: Instant
    reason: str = ""
    replaces: str = ""  # the change before, "" where the settings' file was in force

    def __post_init__(self) -> None:
        """Refuse what one person alone has decided."""
        if self.is_back:
            return
        if not (self.name and self.version):
            raise ValueError("`name` and `version` are empty; give those of the profile")
        approver = self.approved_by.strip().casefold()
        if not approver:
            raise ValueError("`approved_by` is empty; a second person approves a profile")
        if approver == self.proposed_by.strip().casefold():
            raise ValueError(f"`approved_by` is {self.approved_by!r}, who proposed it; a second person approves")

    @property
    def is_back(self) -> bool:
        """Tell whether it goes back to the profile of the settings' file."""
        return not self.toml

    @property
    def key(self) -> str:
        """One key for all, so that compaction keeps the newest."""
        return PROFILE_KEY
