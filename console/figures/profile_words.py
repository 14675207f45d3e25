"""Profile words: what each setting of a profile means, and in which unit; unknown keys are shown as they are.

Shape   TOML text in, tables of settings out; nothing is computed from them, the detectors alone do that
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

WORDS: Mapping[str, tuple[str, str]] = {
    "name": ("the profile's name", ""),
    "version": ("its version; every alert names it", ""),
    "time_zone": ("the zone in which hours are told", ""),
    "hazards": ("what is watched for", ""),
    "incidents_per_week": ("real incidents to expect, over everything watched", "a week"),
    "population_floor": ("smaller places count as having so many inhabitants", "inhabitants"),
    "population_if_unknown": ("inhabitants where nobody knows how many", "inhabitants"),
    "weak_share": ("share of usual posts that are no evidence", "of 1"),
    "holidays": ("country whose public holidays are like Sundays", ""),
    "budget.watch": ("false watches accepted, over everything watched", "a week"),
    "budget.alert": ("false alerts accepted, over everything watched", "a week"),
    "spread.home_share": ("part of the budget for the home municipality", "of 1"),
    "spread.surroundings_share": ("part of the budget for what is around it", "of 1"),
    "spread.surroundings_radius_km": ("how far around reaches", "km"),
    "spread.surroundings_keys": ("hazards times places to expect there", ""),
    "spread.rest_share": ("part of the budget for everywhere else", "of 1"),
    "spread.rest_keys": ("hazards times places to expect elsewhere", ""),
    "hazard.posts_per_week": ("usual posts, strong and weak, per 100,000 inhabitants", "a week"),
    "hazard.least_rate": ("the fewest posts that an incident brings", "a minute"),
    "hazard.most_rate": ("the most posts that an incident brings", "a minute"),
    "hazard.rates": ("rates tried between the two", ""),
    "hazard.evidence_share": ("share of an incident's posts that are evidence", "of 1"),
    "hazard.eta": ("by how much false ones are rarer than the budget promises", "times"),
    "hazard.memory_hours": ("an author, or a text, counts once in", "hours"),
    "hazard.pace_minutes": ("over how long an incident's pace is measured", "minutes"),
    "hazard.hold_minutes": ("how long it must be quiet to end", "minutes"),
    "hazard.reopen_hours": ("how long it may come back as the same incident", "hours"),
    "hazard.neighbour_km": ("so near a place takes part in an incident", "km"),
    "hazard.neighbour_minutes": ("if it speaks of it within", "minutes"),
    "hazard.spreads": ("whether it drifts or rises: counted from the last place that took part", ""),
    "gate.hearsay": ("posts at second hand that are worth a watch", "posts"),
    "gate.witnesses_alone": ('unknown witnesses for the word "alert", where nothing supports them', "witnesses"),
    "gate.witnesses_with_support": ("with a second platform or a picture", "witnesses"),
    "gate.witnesses_with_strong_support": ("with both", "witnesses"),
    "gate.spread_minutes": ("between the first and the last of them", "minutes"),
    "gate.authors_alone": ("independent authors of any kind who are enough by themselves", "authors"),
    "weights.image": ("how much likelier an incident's post has a picture", "times"),
    "weights.geotag": ("how much likelier it has a position", "times"),
    "weights.account": ("the same of unknown, established and trusted authors", "times"),
}
TABLES: Mapping[str, str] = {
    "": "The profile",
    "budget": "The budget: the only knob",
    "spread": "How the budget is parted",
    "hazard": "What is believed of each hazard",
    "gate": 'How many voices the word "alert" needs',
    "weights": "What adds weight to a post",
}
UNKNOWN = ("not explained here", "")
MOST_BUDGET = 1e6
"""A week; what is more is no budget, and may be no number that can be drawn."""


@dataclass(frozen=True)
class Setting:
    """One value, and what it means."""

    key: str
    value: str
    words: str
    unit: str


@dataclass(frozen=True)
class Table:
    """A table of the profile."""

    key: str  # as in the file; "": the head of it
    words: str
    settings: tuple[Setting, ...]


@dataclass(frozen=True)
class Profile:
    """A profile, as far as a page shows it."""

    tables: tuple[Table, ...]
    budget: Mapping[str, float]  # false ones a week, of those that are given


def profile_from(text: str) -> Profile | None:
    """Return what a profile says, None where the text is no TOML."""
    try:
        found = tomllib.loads(text)
    except (ValueError, RecursionError):
        return None
    budget = found.get("budget", {})
    given = budget.items() if isinstance(budget, dict) else ()
    return Profile(
        tables=tuple(_tables(found)),
        budget={name: float(value) for name, value in given if isinstance(value, int | float) and value < MOST_BUDGET},
    )


def _tables(found: Mapping[str, Any]) -> Iterator[Table]:
    head = {key: value for key, value in found.items() if not isinstance(value, dict)}
    yield Table("", TABLES[""], _settings("", head))
    for key, value in found.items():
        if isinstance(value, dict) and key == "hazard":
            for hazard, inner in value.items():
                yield Table(f"hazard.{hazard}", TABLES["hazard"], _settings("hazard.", inner))
        elif isinstance(value, dict):
            yield Table(key, TABLES.get(key, UNKNOWN[0]), _settings(f"{key}.", value))


def _settings(prefix: str, values: object) -> tuple[Setting, ...]:
    found = values if isinstance(values, dict) else {"": values}
    return tuple(Setting(key, _shown(value), *WORDS.get(prefix + key, UNKNOWN)) for key, value in found.items())


def _shown(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(str(one) for one in value)
    return str(value).lower() if isinstance(value, bool) else str(value)
