"""Statement: what a person decided, or an authority says, on its way to the state of one hazard in one area."""

from datetime import datetime

import msgspec

from records.bulletin import Bulletin
from records.post import NonEmpty
from records.signal import Hazard
from records.verdict import Verdict


class Statement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="statement"):
    """One verdict or bulletin, for one hazard and area; it stands on `signals.v1`, in order among the evidence."""

    hazard: Hazard
    area: NonEmpty
    said: Verdict | Bulletin

    @property
    def key(self) -> str:
        """The state that it may change."""
        return f"{self.hazard}/{self.area}"

    @property
    def identity(self) -> str:
        """What it is known by: said twice, it counts once."""
        if isinstance(self.said, Verdict):
            return f"verdict\n{self.said.incident_id}\n{self.said.identity}"
        return f"bulletin\n{self.said.bulletin_id}\n{self.said.issued_at.isoformat()}"

    @property
    def at(self) -> datetime:
        """When it was said."""
        said = self.said
        return said.decided_at if isinstance(said, Verdict) else min(said.issued_at, said.received_at)
