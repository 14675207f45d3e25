"""Trial: a candidate profile beside the one in force, on a stretch of the recording and on scenarios.

Shape   asked of a process of its own, which answers with one `Trial`; `whole` is all cases together, without what was
        raised, which stands in the cases
"""

from typing import Literal

import msgspec

from records.alert import Level
from records.backtest import Backtest
from records.signal import Hazard
from records.time import Instant
from records.truth import Truth

CaseKind = Literal["recorded", "scenario"]


class TrialAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a candidate is to be tried on; two profiles as their texts."""

    in_force: str
    candidate: str
    since: Instant | None = None  # of the recording; None: none of it
    until: Instant | None = None
    truth: Truth = Truth()  # of that stretch
    scenarios: tuple[str, ...] = ()
    has_frontiers: bool = True  # with other budgets as well: seven runs a profile, not one


class Spoken(msgspec.Struct, frozen=True, array_like=True):
    """How much was said in ten minutes, of one hazard in one area."""

    at: Instant
    posts: int
    strong: int  # of them, such as say a lot


class Step(msgspec.Struct, frozen=True, array_like=True):
    """Where an incident stood when it was told of.

    Units   minutes of the statistic, as the thresholds are
    """

    at: Instant
    statistic: float
    watch: float  # the thresholds there
    alert: float
    level: Level


class Course(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one incident went: what was said, and what each profile made of it."""

    case: str
    incident_id: str  # of the truth
    label: dict[str, str]
    hazard: Hazard
    spoken: tuple[Spoken, ...]
    in_force: tuple[Step, ...]
    candidate: tuple[Step, ...]


class TrialCase(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One stretch of time that both profiles were tried on."""

    name: str
    kind: CaseKind
    label: dict[str, str] = {}
    backtest: Backtest


class Trial(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What came of it."""

    cases: tuple[TrialCase, ...]
    whole: Backtest
    courses: tuple[Course, ...] = ()


class TrialProgress(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="progress"):
    """How far it is: what is being worked on, and how much of all is done, 0 to 1."""

    part: str
    done: float


class TrialDone(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="done"):
    """The end of it."""

    trial: Trial


class TrialFailed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="failed"):
    """Why there is no end of it."""

    why: str
