"""Model change: by which hazard model posts are read from now on, who proposed it, and who approved."""

from typing import Annotated, Final

import msgspec

from records.post import NonEmpty
from records.time import Instant

SHIPPED: Final = ""
"""In place of a digest: the model that comes with Vigie."""
MODEL_KEY: Final = "model"


class ModelChange(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, tag="model"
):
    """One change of the model in force; the newest one holds. An empty digest goes back to the one that ships.

    Errors  ValueError where nobody but the one who proposed a model has approved it
    """

    change_id: NonEmpty
    digest: Annotated[str, msgspec.Meta(pattern=r"^([0-9a-f]{64})?$")]  # of the weights; their folder bears its name
    version: NonEmpty  # as signals name it
    proposed_by: NonEmpty  # a role or an account of the crisis cell
    approved_by: str  # somebody else; going back needs nobody
    decided_at: Instant
    reason: str = ""
    although_worse: str = ""  # why it is taken although its report says that it is worse
    replaces: str = ""  # the change before, "" where the shipped model was in force

    def __post_init__(self) -> None:
        """Refuse what one person alone has decided."""
        if self.is_back:
            return
        approver = self.approved_by.strip().casefold()
        if not approver:
            raise ValueError("`approved_by` is empty; a second person approves a model")
        if approver == self.proposed_by.strip().casefold():
            raise ValueError(f"`approved_by` is {self.approved_by!r}, who proposed it; a second person approves")

    @property
    def is_back(self) -> bool:
        """Tell whether it goes back to the model that ships."""
        return self.digest == SHIPPED

    @property
    def key(self) -> str:
        """One key for all, so that compaction keeps the newest."""
        return MODEL_KEY
