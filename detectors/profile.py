"""Profile: what one crisis cell watches, how much it wants to be woken, and what it believes beforehand.

Shape   TOML text, a handful of tables; the home itself is given when loading, so one file serves every town of a size
Errors  SettingsError, naming the file, the key, what was found and what would do
Source  docs/detection.md 2.2-2.4; the rates believed beforehand are guesses until a place is watched for two weeks
"""

import tomllib
from collections.abc import Iterator
from functools import cached_property
from itertools import pairwise
from math import asin, cos, isclose, isfinite, radians, sin, sqrt
from pathlib import Path
from typing import Annotated, Any, get_args
from zoneinfo import ZoneInfo

import holidays
import msgspec

from detectors.corroboration import Gate
from detectors.evidence import Weights
from detectors.statistic import Rates, spaced_rates
from detectors.thresholds import Budget
from detectors.tree import path_of, population_of
from records import Place, SettingsError
from records.profile_setting import ProblemCode, ProfileProblem
from records.signal import Hazard

PROFILES = Path(__file__).parent / "profiles"

HOME_PARTS = (0.8, 0.15, 0.05)
"""Of the home's part of the budget, those of its own node, of its inter-communal body and of the whole area."""

LONGEST_SHOWN = 60
LONGEST_BITS = 64

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Population = Annotated[int, msgspec.Meta(ge=1, le=10_000_000)]
Kilometres = Annotated[float, msgspec.Meta(gt=0, le=500)]
Minutes = Annotated[float, msgspec.Meta(gt=0, le=10_080)]
Hours = Annotated[float, msgspec.Meta(gt=0, le=720)]
PostsAMinute = Annotated[float, msgspec.Meta(ge=0.000_01, le=1000)]
PostsAWeek = Annotated[float, msgspec.Meta(ge=0.001, le=100_000)]
IncidentsAWeek = Annotated[float, msgspec.Meta(ge=0.000_1, le=1000)]
FalseOnes = Annotated[float, msgspec.Meta(ge=0.000_1, le=10_000)]


class WeeklyBudget(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """False ones accepted a week, over everything watched."""

    watch: FalseOnes
    alert: FalseOnes


class Spread(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which part of the budget goes where. A key is one hazard at one place."""

    home_share: Share = 0.0
    surroundings_share: Share = 0.0
    surroundings_radius_km: Kilometres = 30.0
    surroundings_keys: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 400
    rest_share: Share = 0.0
    rest_keys: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 4000


class HazardProfile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How one hazard shows itself in posts."""

    posts_per_week: Annotated[
        float, msgspec.Meta(ge=0.001, le=100_000)
    ]  # usual ones, strong and weak, per 100,000 inhabitants
    least_rate: PostsAMinute  # posts a minute that an incident may bring
    most_rate: PostsAMinute
    rates: Annotated[int, msgspec.Meta(ge=1, le=32)] = 8
    evidence_share: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.8  # of an incident's posts
    eta: Annotated[float, msgspec.Meta(ge=0.01, le=1000)] = 1.0
    memory_hours: Hours = 6.0  # how long an author or a content counts only once
    pace_minutes: Minutes = 15.0  # window in which an incident's pace is measured
    hold_minutes: Minutes = 30.0  # how long it must have been quiet to be resolved
    reopen_hours: Hours = 6.0  # how long it may come back as itself; also the longest hold
    neighbour_km: Kilometres = 10.0  # a place so near to an incident, ...
    neighbour_minutes: Minutes = 30.0  # ... that speaks of it so soon after, takes part in it
    spreads: bool = False  # what drifts or rises: then counted from the last place that took part, not from the first


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, dict=True):
    """One way of watching. Two profiles on the same signals are two opinions; compare them with a backtest."""

    name: Annotated[str, msgspec.Meta(min_length=1)]
    version: Annotated[str, msgspec.Meta(min_length=1)]
    time_zone: str
    hazards: Annotated[tuple[Hazard, ...], msgspec.Meta(min_length=1)]
    budget: WeeklyBudget
    spread: Spread
    hazard: dict[Hazard, HazardProfile]
    incidents_per_week: Annotated[float, msgspec.Meta(ge=0.000_1, le=1000)] = (
        1.0  # real ones to expect, over everything watched
    )
    population_floor: Population = 10_000
    population_if_unknown: Population = 50_000
    weak_share: Annotated[float, msgspec.Meta(gt=0, lt=1)] = 0.8  # usual posts that are no evidence
    holidays: str = "FR"  # country whose public holidays are like Sundays, ISO 3166 alpha-2; "" for none
    gate: Gate = Gate()
    weights: Weights = Weights()
    home: Place | None = None

    @cached_property
    def zone(self) -> ZoneInfo:
        """The time zone that hours are told in."""
        return ZoneInfo(self.time_zone)

    @cached_property
    def reference_lon(self) -> float:
        """Where the zone's clock is right; elsewhere the hour of the day is shifted by the sun."""
        return self.home.lon if self.home else 0.0

    @cached_property
    def home_path(self) -> tuple[str, ...]:
        """The nodes of the home, finest first; none where there is no home."""
        return path_of(self.home) if self.home else ()

    def weight_of(self, node: str, area: str, lat: float, lon: float) -> float:
        """Return omega: the part of the budget that one hazard at this node may spend."""
        spread = self.spread
        if self.home is not None and spread.home_share + spread.surroundings_share > 0.0:
            if node in self.home_path:
                part = HOME_PARTS[0 if node == self.home_path[0] else -1 if node == self.home_path[-1] else 1]
                return part * spread.home_share / len(self.hazards)
            if spread.surroundings_share and self._is_around_home(area, lat, lon, self.home):
                return spread.surroundings_share / spread.surroundings_keys
        return max(spread.rest_share, 1e-6) / spread.rest_keys

    def _is_around_home(self, area: str, lat: float, lon: float, home: Place) -> bool:
        if home.level == "dep" and area == home.area:
            return True
        return kilometres_between(lat, lon, home.lat, home.lon) <= self.spread.surroundings_radius_km

    def budget_of(self, weight: float) -> Budget:
        """Return what a key of this weight may spend."""
        return Budget(watches=self.budget.watch * weight, alerts=self.budget.alert * weight)

    def usual_rate(self, hazard: Hazard, population: int) -> float:
        """Return the posts a minute to expect beforehand, weak ones included."""
        people = max(population, self.population_floor)
        return self.hazard[hazard].posts_per_week * people / 100_000 / 10_080

    def population_of(self, place: Place) -> int:
        """Return how many people may write from there."""
        return population_of(place, unknown=self.population_if_unknown)

    def rates_of(self, hazard: Hazard) -> Rates:
        """Return the rates that the statistic assumes."""
        of_hazard = self.hazard[hazard]
        return Rates(
            per_minute=spaced_rates(of_hazard.least_rate, of_hazard.most_rate, of_hazard.rates),
            evidence_share=of_hazard.evidence_share,
        )


def kilometres_between(lat_here: float, lon_here: float, lat_there: float, lon_there: float) -> float:
    """Return the great-circle distance."""
    lat, other_lat = radians(lat_here), radians(lat_there)
    half_lon = radians(lon_there - lon_here) / 2
    haversine = sin((other_lat - lat) / 2) ** 2 + cos(lat) * cos(other_lat) * sin(half_lon) ** 2
    return 12_742.0 * asin(min(1.0, sqrt(haversine)))


def load_profile(name_or_path: str | Path, home: Place | None) -> Profile:
    """Return a profile that comes with Vigie, by its name, or one from a TOML file, watching from this home.

    Errors  SettingsError when there is no such file, when it cannot be used, or when it needs a home and has none
    """
    return profile_at(profile_text(name_or_path), home, file=_file_of(name_or_path).name)


def profile_at(toml_text: str, home: Place | None, *, file: str) -> Profile:
    """Return the profile that a TOML text describes, watching from this home.

    Errors  SettingsError when it cannot be used, or when it needs a home and has none
    """
    profile = profile_from(toml_text, file=file)
    if home is None and profile.spread.home_share + profile.spread.surroundings_share > 0:
        raise SettingsError(
            f"{file}: spread.home_share and spread.surroundings_share need a home and none was given: "
            "name the commune to watch from, or use the profile 'world'"
        )
    return msgspec.structs.replace(profile, home=home)


def profile_text(name_or_path: str | Path) -> str:
    """Return a profile as it is written.

    Errors  SettingsError when there is no such file
    """
    try:
        return _file_of(name_or_path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        known = ", ".join(sorted(file.stem for file in PROFILES.glob("*.toml")))
        raise SettingsError(
            f"profile {str(name_or_path)!r} cannot be read ({error}): give one of {known}, or the path of a .toml file"
        ) from error


def _file_of(name_or_path: str | Path) -> Path:
    path = Path(name_or_path)
    return path if path.suffix == ".toml" else PROFILES / f"{name_or_path}.toml"


def profile_from(toml_text: str, *, file: str) -> Profile:
    """Return the profile that a TOML text describes, without a home."""
    try:
        found = loaded(toml_text)
    except ValueError as error:
        raise SettingsError(f"{file}: this is not TOML: {error}") from error
    if "home" in found:
        raise SettingsError(f"{file}: home: does not belong in a profile; give it when starting (--home INSEE)")
    infinite = _first_infinite(found)
    if infinite:
        raise SettingsError(f"{file}: {infinite.told()}")
    try:
        profile = msgspec.convert(found, Profile)
    except msgspec.ValidationError as error:
        raise SettingsError(f"{file}: {_told(error, found)}") from error
    problem = next(contradictions_in(profile), None)
    if problem:
        raise SettingsError(f"{file}: {problem.told()}")
    return profile


def loaded(toml_text: str) -> dict[str, Any]:
    """Return what a TOML text says.

    Errors  ValueError where it is none, or was made to hurt
    """
    try:
        return tomllib.loads(toml_text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def shown(value: object) -> str:
    """Return what stands there, as far as it is worth showing; no number is too long for a hexadecimal one."""
    if isinstance(value, dict):
        return "{…}"
    if isinstance(value, list):
        return "[…]"
    told = hex(value) if isinstance(value, int) and value.bit_length() > LONGEST_BITS else repr(value)
    return told if len(told) <= LONGEST_SHOWN else f"{told[:LONGEST_SHOWN]}…"


def _told(error: msgspec.ValidationError, found: dict[str, Any]) -> str:
    """Turn msgspec's words into: key = what was found: what would do."""
    reason, _, path = str(error).partition(" - at `")
    keys = path.replace("key` in `", "").rstrip("`").lstrip("$.").replace("[...]", "")
    reason = reason[0].lower() + reason[1:]
    if "enum" in reason:
        return f"{keys}: {reason}; the hazards are {', '.join(get_args(Hazard))}"
    if not keys:
        return reason
    value: Any = found
    for key in keys.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    if isinstance(value, dict):
        return f"{keys}: {reason}"
    return f"{keys} = {shown(value)}: {reason}"


def contradictions_in(profile: Profile) -> Iterator[ProfileProblem]:
    """Yield what cannot be together in a profile whose settings are each within their bounds."""
    yield from _problems_with_names(profile)
    yield from _problems_with_budget(profile)
    yield from _problems_with_gate(profile.gate)
    for hazard in profile.hazards:
        yield from _problems_with_hazard(hazard, profile.hazard.get(hazard))


def _first_infinite(value: Any, path: str = "", depth: int = 3) -> ProfileProblem | None:
    """Return the first number without an end; no setting lies deeper than in a table of a table."""
    if isinstance(value, dict) and depth:
        problems = (_first_infinite(inner, f"{path}.{key}".lstrip("."), depth - 1) for key, inner in value.items())
        return next((problem for problem in problems if problem), None)
    if isinstance(value, float) and not isfinite(value):
        return ProfileProblem(code="not_finite", key=path, found=str(value))
    return None


def _problems_with_names(profile: Profile) -> Iterator[ProfileProblem]:
    try:
        ZoneInfo(profile.time_zone)
    except (KeyError, OSError, ValueError):
        yield ProfileProblem(code="no_zone", key="time_zone", found=repr(profile.time_zone))
    try:
        holidays.country_holidays(profile.holidays or "FR")
    except NotImplementedError:
        yield ProfileProblem(code="no_country", key="holidays", found=repr(profile.holidays))
    if len(set(profile.hazards)) < len(profile.hazards):
        yield ProfileProblem(code="named_twice", key="hazards", found=", ".join(profile.hazards))


def _problems_with_budget(profile: Profile) -> Iterator[ProfileProblem]:
    budget, spread = profile.budget, profile.spread
    if budget.alert > budget.watch:
        code: ProblemCode = "alert_budget_above_watch_budget"
        yield ProfileProblem(
            code=code, key="budget.alert", found=str(budget.alert), values={"other": str(budget.watch)}
        )
    total = spread.home_share + spread.surroundings_share + spread.rest_share
    if not isclose(total, 1.0):
        yield ProfileProblem(code="shares_do_not_add_up", key="spread", values={"total": f"{total:g}"})


def _problems_with_gate(gate: Gate) -> Iterator[ProfileProblem]:
    """Yield where more support would ask for more witnesses, or anybody would count for more than a witness."""
    names = ("witnesses_with_strong_support", "witnesses_with_support", "witnesses_alone")
    for name, other in pairwise(names):
        least, most = getattr(gate, name), getattr(gate, other)
        if least > most:
            yield ProfileProblem(
                code="support_needs_more",
                key=f"gate.{name}",
                found=str(least),
                values={"name": other, "other": str(most)},
            )
    if gate.authors_alone < gate.witnesses_alone:
        yield ProfileProblem(
            code="crowd_needs_fewer",
            key="gate.authors_alone",
            found=str(gate.authors_alone),
            values={"other": str(gate.witnesses_alone)},
        )


def _problems_with_hazard(hazard: str, settings: HazardProfile | None) -> Iterator[ProfileProblem]:
    if settings is None:
        yield ProfileProblem(code="no_table", key="hazards", values={"hazard": hazard})
        return
    if settings.least_rate > settings.most_rate:
        yield ProfileProblem(
            code="least_above_most",
            key=f"hazard.{hazard}.least_rate",
            found=str(settings.least_rate),
            values={"other": str(settings.most_rate)},
        )
    if settings.hold_minutes > settings.reopen_hours * 60.0:
        yield ProfileProblem(
            code="hold_above_reopen",
            key=f"hazard.{hazard}.hold_minutes",
            found=str(settings.hold_minutes),
            values={"other": str(settings.reopen_hours)},
        )
