"""Budget controller: by how much a hazard's eta should change, so that false watches come to what the budget allows.

What comes out is a proposal. Nothing runs by it until somebody takes it over as a candidate, tries and approves it.

Shape   counts of a month in, a figure for each hazard out; `proposed` writes them into the text of a profile
Units   false watches in a stretch of days, over everything watched
Source  docs/detection.md 2.4: eta divided by r = (false + 2) / (budgeted + 2), r within [1/3, 3]
"""

import re
import tomllib
from collections.abc import Iterable, Iterator
from typing import Any, Final

from detectors.profile import Profile, profile_from
from records import SettingsError
from records.signal import Hazard
from records.trust import EtaFigure, EtaProposal, Labelled, Standstill

LEAST_DAYS: Final = 25.0
"""Of the four weeks that are looked at: a source is not read at times, and a proposal a month is enough."""
DAYS_A_WEEK: Final = 7.0
BELIEVED: Final = 2.0
"""False ones, and budgeted ones, that are added to both: a month with few of either moves little."""
MOST: Final = 3.0
"""By how much eta is divided, or multiplied, at most at once."""
LEAST_ETA, MOST_ETA = 0.01, 1000.0
"""As a profile may have it."""
DIGITS: Final = 3

_HEADER = re.compile(r"\s*\[\s*([^\[\]]+?)\s*\]\s*(#.*)?")
_ETA = re.compile(r"(\s*eta\s*=\s*)[^\s#]+(.*)")
_VERSION = re.compile(r"""(\s*version\s*=\s*)("[^"]*"|'[^']*')(.*)""")
_NUMBER = re.compile(r"(.*?)(\d+)")


def proposal_of(toml: str, labelled: Iterable[Labelled], days: float) -> EtaProposal:
    """Return what a profile's etas should be after a stretch of days that was watched by it.

    Errors  SettingsError when the text is no profile, or cannot be changed without writing it anew
    """
    profile = profile_from(toml, file="profile")
    counted = {one.hazard: one for one in labelled}
    figures = tuple(
        figure_of(profile, counted.get(hazard) or _nothing(hazard), days)
        for hazard in dict.fromkeys((*profile.hazards, *counted))
    )
    changes = any(not one.why for one in figures)
    return EtaProposal(
        profile=f"{profile.name}/{profile.version}",
        days=days,
        figures=figures,
        toml=proposed(toml, figures) if changes else "",
    )


def _nothing(hazard: Hazard) -> Labelled:
    return Labelled(hazard=hazard, false_ones=0, true_ones=0, unjudged=0)


def budgeted(profile: Profile, days: float) -> float:
    """Return the false watches that one hazard may cost in a stretch of days: hazards share the budget alike."""
    return profile.budget.watch * days / DAYS_A_WEEK / len(profile.hazards)


def figure_of(profile: Profile, found: Labelled, days: float) -> EtaFigure:
    """Return what is to be changed of one hazard, or why nothing is."""
    is_watched = found.hazard in profile.hazards and found.hazard in profile.hazard
    eta = profile.hazard[found.hazard].eta if found.hazard in profile.hazard else 1.0
    allowed = budgeted(profile, days) if is_watched else 0.0
    ratio, why = _ratio(found, allowed, days) if is_watched else _standing("not_watched")
    wanted = min(max(_rounded(eta / ratio), LEAST_ETA), MOST_ETA)
    if not why and wanted == eta:
        ratio, why = _standing("at_bound" if wanted in {LEAST_ETA, MOST_ETA} else "as_budgeted")
    return EtaFigure(
        hazard=found.hazard,
        false_ones=found.false_ones,
        unjudged=found.unjudged,
        budgeted=allowed,
        eta=eta,
        ratio=ratio,
        proposed=eta if why else wanted,
        why=why,
    )


def _ratio(found: Labelled, allowed: float, days: float) -> tuple[float, Standstill]:
    """Return what eta is divided by; 1, and why, where too little is known.

    What nobody ruled on may have been true or false. Where that decides whether eta should rise or fall, it stays; else
    the lesser change of the two is taken.
    """
    if days < LEAST_DAYS:
        return _standing("too_short")
    if max(allowed, found.false_ones + found.unjudged) < BELIEVED:
        return _standing("too_few")
    if found.unjudged and not found.false_ones + found.true_ones:
        return _standing("nobody_ruled")
    least = (found.false_ones + BELIEVED) / (allowed + BELIEVED)
    most = (found.false_ones + found.unjudged + BELIEVED) / (allowed + BELIEVED)
    if found.unjudged and least < 1.0 < most:
        return _standing("unjudged")
    ratio = least if least >= 1.0 else most
    return min(max(ratio, 1.0 / MOST), MOST), ""


def _standing(why: Standstill) -> tuple[float, Standstill]:
    return 1.0, why


def _rounded(eta: float) -> float:
    return float(f"{eta:.{DIGITS}g}")


def proposed(toml: str, figures: Iterable[EtaFigure]) -> str:
    """Return the text of a profile with other etas and the next version; all else stands as it was written.

    Errors  SettingsError when the text is not written so that this can be done
    """
    wanted = {one.hazard: one.proposed for one in figures if not one.why}
    before = profile_from(toml, file="profile")
    version = next_version(before.version)
    changed = "".join(_lines(toml, wanted, version))
    if _changed(tomllib.loads(toml), wanted, version) != _loaded(changed):
        raise SettingsError(
            "profile: its etas cannot be changed where they stand; write each hazard as a table of its own, "
            "as in [hazard.fire], with eta on a line of its own"
        )
    return changed


def next_version(version: str) -> str:
    """Return the version after one: its last number is raised, else it gets one."""
    found = _NUMBER.fullmatch(version)
    return f"{found[1]}{int(found[2]) + 1}" if found else f"{version}.1"


def _lines(toml: str, wanted: dict[Hazard, float], version: str) -> Iterator[str]:
    tables = {f"hazard.{hazard}": eta for hazard, eta in wanted.items()}
    written = {table.replace(" ", "") for table in _tables_with_eta(toml)}
    table = ""
    for line in toml.splitlines(keepends=True):
        header = _HEADER.fullmatch(line.rstrip("\r\n"))
        if header:
            table = header[1].replace(" ", "").replace('"', "")
        yield _line(line, table, tables, version)
        if header and table in tables and table not in written:
            end = "" if line.endswith("\n") else "\n"
            yield f"{end}eta = {tables[table]}\n"


def _line(line: str, table: str, tables: dict[str, float], version: str) -> str:
    if not table and _VERSION.match(line):
        return _VERSION.sub(lambda found: f'{found[1]}"{version}"{found[3]}', line, count=1)
    if table in tables:
        return _ETA.sub(lambda found: f"{found[1]}{tables[table]}{found[2]}", line, count=1)
    return line


def _tables_with_eta(toml: str) -> Iterator[str]:
    hazards = tomllib.loads(toml).get("hazard", {})
    return (f"hazard.{name}" for name, values in hazards.items() if "eta" in values)


def _changed(found: dict[str, Any], wanted: dict[Hazard, float], version: str) -> dict[str, Any]:
    hazards = {**found["hazard"], **{name: {**found["hazard"][name], "eta": eta} for name, eta in wanted.items()}}
    return {**found, "version": version, "hazard": hazards}


def _loaded(toml: str) -> dict[str, Any]:
    try:
        return tomllib.loads(toml)
    except (ValueError, RecursionError):
        return {}
