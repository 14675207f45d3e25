"""State: what is known of nodes and incidents. Values never change; a step returns the next one.

That is what makes going back in time cheap: to undo a step is to put the old value in its place. Nothing in them refers
back to what holds it, so the garbage collector need not look (`gc=False`): there are hundreds of thousands.
"""

from operator import attrgetter

import msgspec

from detectors.baseline import Baseline
from detectors.corroboration import Voice
from detectors.crisis_clock import Times
from records import Alert, Doubt, Place, Verdict

OPEN = ("watch", "alert", "confirmed", "monitoring")
APART = "#apart:"
"""Between a node and what a person split from its incident. No post names such a node: nothing comes in by itself."""
RULINGS = ("confirm", "reject", "close")
"""Decisions on the level of an incident; of these one holds, the latest."""
order_of = attrgetter("order")


class Stat(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """The statistic of one node."""

    at: int  # the last counted post
    values: list[float]  # R, one for each rate
    sums: list[float]
    onsets: list[int]
    pace: float  # counted posts a minute, exponential window


class Node(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A node of the tree, for one hazard."""

    baseline: Baseline
    population: int
    lat: float
    lon: float
    stat: Stat | None = None  # None where nothing ever counted, and after an incident
    strong_at: int = 0
    strong: float = 0.0  # strong posts at or below this node, exponential window of an hour
    own: float = 0.0  # those of them that name nothing finer


class Slot(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One post that is shown."""

    post: int
    event_at: int
    odds: float
    likelihood_ratio: float
    post_key: str
    author_id: str
    is_first_hand: bool
    platform: str
    tier: int
    has_image: bool
    url: str | None
    text: str
    copies: int = 0
    is_removed: bool = False  # taken back by its author
    doubts: tuple[Doubt, ...] = ()


class Vote(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A place that posts of an incident name, and how many do."""

    place: Place
    posts: int


class Part(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A node that takes part in an incident, with those above it, and how many posts a minute are usual there."""

    path: tuple[str, ...]
    level: float
    onset_at: int
    lat: float
    lon: float

    @property
    def node(self) -> str:
        """Return the node itself."""
        return self.path[0]


class Happening(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """By what an incident is known again, though a late signal changed its beginning."""

    incident_id: str
    path: tuple[str, ...]  # the node that leads, and those above it
    onset_at: int
    lat: float
    lon: float


class Belief(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What was believed of an incident when the first of the rulings that stand was made."""

    level: str
    top: str
    counted_at: int
    values: list[float]
    voices: tuple[Voice, ...]
    grounds: str


class Parted(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Posts that a person took out of an incident, as they are put back if the decision is taken back."""

    decision: str  # its identity
    node: str  # of the incident that they make
    slots: tuple[Slot, ...]
    places: tuple[Place, ...]  # that they name
    shown: str  # the place that was shown of it before


class Incident(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One incident: its statistic over all the nodes that take part, its life, and what is shown of it."""

    incident_id: str
    parts: tuple[Part, ...]  # the nodes that take part, the leading one first
    usual: float  # posts a minute, at all of them
    onset_at: int
    opened_at: int
    level: str
    top: str  # the highest level it reached since it opened or reopened
    raised_at: int  # when the present level was reached
    counted_at: int  # when the last post counted
    values: list[float]
    pace: float
    peak: float  # highest pace
    background: float  # evidence posts a minute to expect without an incident
    fresh: list[float] = []  # the statistic of what was said since it fell quiet
    voices: tuple[Voice, ...] = ()
    slots: tuple[Slot, ...] = ()  # in order of counting; the first one stays
    votes: tuple[Vote, ...] = ()
    shown: int = 0  # which of them is the place to show
    returns: int = 0  # how often it came back from monitoring or resolved
    posts: int = 0
    authors: int = 0
    strong: int = 0  # posts that say a lot, undoubted
    witnesses: int = 0  # undoubted
    images: int = 0
    copies: int = 0
    platforms: tuple[str, ...] = ()
    grounds: str = ""  # why the word alert may be used
    decided_by: str = ""  # who confirmed, rejected or closed it
    decided_at: int = 0
    reason: str = ""
    versions: dict[str, str] = {}
    times: Times = Times()
    doubted: int = 0  # posts that carry a doubt
    decisions: tuple[Verdict, ...] = ()  # of people, in force, in their order
    heard: tuple[str, ...] = ()  # identities of all that were heard or taken back: none is heard again
    belief: Belief | None = None  # None where no ruling stands
    parted: tuple[Parted, ...] = ()
    taken_back: Verdict | None = None  # what took a decision back, as long as nothing was decided since

    @property
    def node(self) -> str:
        """Return the node that leads."""
        return self.parts[0].path[0]

    @property
    def ground(self) -> str:
        """Return the node of the tree whose budget it spends: the one that leads, or that it was split from."""
        return self.node.partition(APART)[0]

    @property
    def all_slots(self) -> tuple[Slot, ...]:
        """Return the posts that are shown, and those that were taken out and may come back."""
        return (*self.slots, *(slot for parted in self.parted for slot in parted.slots))

    @property
    def happening(self) -> Happening:
        """Return by what it is known again."""
        lead = self.parts[0]
        return Happening(self.incident_id, lead.path, self.onset_at, lead.lat, lead.lon)

    def holds(self, node: str) -> bool:
        """Tell whether a node takes part."""
        return any(part.path[0] == node for part in self.parts)

    def lies_below(self, node: str) -> bool:
        """Tell whether some of it lies strictly below a node."""
        return any(node in part.path[1:] for part in self.parts)

    @property
    def order(self) -> tuple[int, str]:
        """Return what incidents of an area are sorted by: the oldest first."""
        return self.opened_at, self.node

    @property
    def is_open(self) -> bool:
        """Tell whether it is going on."""
        return self.level in OPEN

    @property
    def is_over(self) -> bool:
        """Tell whether posts no longer belong to it, or do not yet."""
        return self.level in ("resolved", "signal")


class InForce(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """By which change of the profile a ledger is worked out."""

    change_id: str


class Told(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What was last told of an incident. What was told stands, whatever comes late."""

    happening: Happening  # the incident that it tells of
    at: int  # event time of the last revision
    top: str  # the highest level that was told
    authors: int
    nodes: int  # that took part
    strongest: float
    alert: Alert
    verdicts: tuple[Verdict, ...] = ()  # what people decided of it and did not take back, in their order
    withdrawn: tuple[Verdict, ...] = ()  # what took others back
    decided: tuple[str, ...] = ()  # identities of the decisions that the last revision bears

    @property
    def is_ruled(self) -> bool:
        """Tell whether people decided on its level, or it was last told so, though they took it back."""
        return self.top in ("confirmed", "rejected") or any(one.decision in RULINGS for one in self.verdicts)
