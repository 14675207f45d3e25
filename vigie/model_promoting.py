"""Promoting a model: `vigie model`: by which hazard model running workers read, and how another one takes its place.

What cannot be used, was never measured, or is worse is refused here, before anything is sent. The weights do not
travel: they are copied to `<data dir>/models/<digest>/`; to other machines with workers somebody copies that folder.
"""

import asyncio
import shutil
from pathlib import Path

from models.candidate import Candidate, CandidateReport, Measured, OnScenario, read_candidate
from models.hazard import VERSION, HazardModel
from records import BrokenInvariant, ModelChange, SettingsError, decode
from records.model_change import MODEL_KEY, SHIPPED
from streams.reader import newest
from streams.reader_in_force import kept_change, models_folder
from streams.topics import DECISIONS
from vigie.deciding import Asked, after, told, worker_says
from vigie.settings import Settings


def in_force(settings: Settings) -> ModelChange | None:
    """Return the newest change that the broker has or this machine reads by; None where the shipped model reads.

    Errors  SourceUnavailable when the broker does not answer; MalformedRecord, BrokenInvariant when what is there is
            no change
    """
    value = asyncio.run(newest(settings.streams(), DECISIONS)).get(MODEL_KEY.encode())
    told = decode(value, ModelChange) if value is not None else None
    known = [one for one in (told, kept_change(settings.data.dir)) if one is not None]
    return max(known, key=lambda one: (one.decided_at, one.change_id), default=None)


def promotion_of(candidate: Candidate, settings: Settings, asked: Asked, *, although_worse: str) -> ModelChange:
    """Return the change that puts a candidate in force.

    Errors  SettingsError when it is worse and nobody says why it is taken all the same, when it is in force already,
            when nobody else approves, or when it corrects another model than the one that ships; SourceUnavailable
            when the broker does not answer
    """
    refuse_worse(candidate.report, although_worse)
    if candidate.report.shipped != VERSION:
        raise SettingsError(
            f"{candidate.folder}: corrects {candidate.report.shipped}, and {VERSION} ships now; train again"
        )
    change = _change(candidate.digest, candidate.version, asked, although_worse.strip())
    before = in_force(settings)
    if before is not None and before.digest == candidate.digest:
        raise SettingsError(f"{candidate.folder}: {candidate.version} is in force already")
    return after(change, before)


def refuse_worse(report: CandidateReport, although_worse: str) -> None:
    """Refuse what its own report says is worse, unless somebody says why it is taken all the same.

    Errors  SettingsError with the figures
    """
    if report.worse and not although_worse.strip():
        told = "\n  ".join(report.worse)
        raise SettingsError(
            f"{report.version} is worse than {report.shipped}:\n  {told}\nto take it all the same, "
            "say why with --although-worse"
        )


def way_back(settings: Settings, asked: Asked) -> ModelChange:
    """Return the change that has the shipped model read again.

    Errors  SettingsError when nobody wants it; SourceUnavailable when the broker does not answer
    """
    return after(_change(SHIPPED, VERSION, asked), in_force(settings))


def _change(digest: str, version: str, asked: Asked, although_worse: str = "") -> ModelChange:
    try:
        return ModelChange(digest=digest, version=version, although_worse=although_worse, **asked.fields())
    except ValueError as error:
        raise SettingsError(f"model: {error}") from error


def stored(candidate: Candidate, data_dir: Path) -> Path:
    """Copy a candidate to where workers of this machine look for it, whole or not at all; return the folder.

    Errors  SettingsError when it cannot be written
    """
    folder = models_folder(data_dir) / candidate.digest
    if folder.exists():
        read_candidate(folder)
        return folder
    unfinished = folder.with_suffix(".part")
    try:
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.copytree(candidate.folder, unfinished)
        unfinished.rename(folder)
    except OSError as error:
        raise SettingsError(f"data.dir: {folder}: cannot be written ({error.strerror})") from error
    return folder


def sentence_on(change: ModelChange | None, settings: Settings) -> str:
    """Return which model is in force, since when and by whom, and what the worker of this machine says."""
    which = f"{VERSION}, which ships"
    if change is not None:
        which = told(which if change.is_back else change.version, change)
        which += f"\ntaken although it is worse: {change.although_worse}" if change.although_worse else ""
    return f"{which}\n{read_by(settings)}"


def read_by(settings: Settings) -> str:
    """Return by which model the worker of this machine reads, in words."""
    health = worker_says(settings)
    if health.get("lacking"):
        return str(health["lacking"])
    known = health.get("model")
    return f"the worker of this machine reads by {known}" if known else "no worker of this machine says how it reads"


def refuse_lacking(settings: Settings) -> None:
    """Load the model that this machine should read by, as a worker would.

    Errors  BrokenInvariant where it is not here, or damaged
    """
    change = kept_change(settings.data.dir)
    if change is None or change.is_back:
        return
    folder = models_folder(settings.data.dir) / change.digest
    try:
        HazardModel.load(folder)
    except BrokenInvariant as error:
        raise BrokenInvariant(
            f"{folder}: {change.version} is in force and cannot be loaded ({error}); copy it from the machine where it "
            "was promoted, or go back with `vigie model back`"
        ) from error


def words_on(report: CandidateReport) -> str:
    """Return a report as people read it: better, worse or the same, with the figures."""
    learned = ", ".join(f"{count} {origin}" for origin, count in report.lessons.items())
    lines = [f"{report.version}, beside {report.shipped}", f"learned from posts of decided incidents: {learned}", ""]
    lines += [_measure_in_words(one) for one in report.measured]
    lines += [_scenario_in_words(one) for one in report.replayed]
    verdict = f"worse in {len(report.worse)}" if report.worse else "worse in nothing that was measured"
    return "\n".join([*lines, "", f"{report.version} is {verdict}"])


def _measure_in_words(one: Measured) -> str:
    figures = f"{one.shipped:g} shipped, {one.candidate:g} candidate (difference {one.low:+.4f} to {one.high:+.4f})"
    return f"{_IN_WORDS[one.is_]}: {one.name}, {one.posts} posts: {figures}"


def _scenario_in_words(one: OnScenario) -> str:
    missed = f"missed {one.missed_shipped} -> {one.missed_candidate}"
    false = f"false watches {one.false_shipped} -> {one.false_candidate}"
    minutes = f"minutes {_minutes(one.delay_shipped)} -> {_minutes(one.delay_candidate)}"
    return f"{_IN_WORDS[one.is_]}: scenario {one.scenario}: {missed}, {false}, {minutes}"


_IN_WORDS = {
    "better": "better",
    "worse": "WORSE",
    "same": "no difference that can be told",
    "exchange": "better in one respect for worse in another",
    "unknown": "nobody knows",
}


def _minutes(minutes: float | None) -> str:
    return "-" if minutes is None else f"{minutes:g}"
