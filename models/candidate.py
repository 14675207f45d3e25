"""Candidate: a folder with weights that may take the place of those in force, and what was measured of them.

Shape   the weights with their checksum, as `hazard.write_arrays` leaves them, and `report.json`
"""

from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from models.hazard import ARRAYS_FILE, HazardModel, digest_of, version_of
from records import SettingsError

REPORT_FILE = "report.json"

Judged = Literal["better", "worse", "same"]
Replayed = Literal["better", "worse", "same", "exchange", "unknown"]


class Measured(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One measure of the shipped model and of the candidate, on posts that neither has learned from.

    Units   `low` and `high`: where the difference lies, 19 times in 20. Better and worse: it is not zero
    """

    name: str
    posts: int
    shipped: float
    candidate: float
    low: float
    high: float
    is_: Judged


class OnScenario(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One scenario, decided by what each model reads.

    Units   minutes of delay, a mean over what happens in it; None where nothing does
    """

    scenario: str
    missed_shipped: int
    missed_candidate: int
    false_shipped: int  # watches
    false_candidate: int
    delay_shipped: float | None
    delay_candidate: float | None
    is_: Replayed


class CandidateReport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a candidate learned from, and how it does beside the shipped model."""

    version: str
    weights_sha256: str  # what was measured, was measured of these
    shipped: str  # the version beside which it stands
    lessons: dict[str, int]  # by where they come from
    lessons_known_by: str  # a hash of all that was learned from people: the same lessons, the same hash
    weight: float  # of all lessons from people together
    held_in_place_by: int  # other texts
    measured: tuple[Measured, ...]
    replayed: tuple[OnScenario, ...]

    @property
    def worse(self) -> tuple[str, ...]:
        """In what it is worse, in words and figures."""
        told = [
            f"{one.name}: {one.shipped:g} shipped, {one.candidate:g} candidate, on {one.posts} posts "
            f"(difference {one.low:+.4f} to {one.high:+.4f})"
            for one in self.measured
            if one.is_ == "worse"
        ]
        told += [
            f"scenario {one.scenario}: {_on(one.missed_shipped, one.false_shipped, one.delay_shipped)} shipped, "
            f"{_on(one.missed_candidate, one.false_candidate, one.delay_candidate)} candidate"
            for one in self.replayed
            if one.is_ == "worse"
        ]
        return tuple(told)


def _on(missed: int, false: int, delay: float | None) -> str:
    after = f", {delay:.1f} minutes" if delay is not None else ""
    return f"{missed} missed, {false} false watches{after}"


class Candidate(NamedTuple):
    """A folder whose weights are whole, and whose report is about them."""

    folder: Path
    digest: str
    version: str
    report: CandidateReport


def write_report(folder: Path, report: CandidateReport) -> None:
    """Write what was measured beside the weights that it was measured of."""
    (folder / REPORT_FILE).write_bytes(msgspec.json.format(msgspec.json.encode(report)) + b"\n")


def read_candidate(folder: Path) -> Candidate:
    """Return what a folder holds, after loading it as a worker would.

    Errors  BrokenInvariant where the weights are missing, changed or of another shape; SettingsError where nothing
            was measured, or of other weights
    """
    if not (folder / ARRAYS_FILE).is_file():
        raise SettingsError(f"{folder}: has no {ARRAYS_FILE}; name the folder that `vigie train --out` wrote")
    HazardModel.load(folder)
    digest, path = digest_of(folder), folder / REPORT_FILE
    try:
        report = msgspec.json.decode(path.read_bytes(), type=CandidateReport)
    except OSError as error:
        raise SettingsError(
            f"{path}: cannot be read ({error.strerror}): nobody measured these weights; "
            "run `vigie train --with-verdicts --out` again"
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SettingsError(f"{path}: is no report of a training ({error}); train again") from error
    if report.weights_sha256 != digest:
        raise SettingsError(
            f"{path}: is about other weights ({report.weights_sha256[:12]}, not {digest[:12]}); train again"
        )
    return Candidate(folder, digest, version_of(folder), report)
