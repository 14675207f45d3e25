"""The file `scenario.toml`: what a scenario says of itself, with all that is wrong in it told at once.

Shape   dates without a zone are those of the clock on the wall in the scenario's zone
Errors  none: problems are returned, each with file, line, key and what would do
"""

import tomllib
from collections.abc import Iterator, Sequence
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails

from records.signal import Hazard
from vigie.duty_settings import DutySettings
from vigie.rumour_settings import OfficialAccount
from vigie.settings import Problem
from vigie.source_settings import NAME, SHORT, Part, Site

INSEE = r"^(\d{2}|2[AB])\d{3}$"
DAYS_MOST = 7
LONGEST_SHOWN = 60

Expected = Literal["nothing", "watch", "alert"]
Path_ = tuple[str | int, ...]


class Words(Part):
    """Something said to people."""

    fr: str = Field(min_length=1, description="it in French")
    en: str = Field(default="", description="it in English; empty: the French words")

    def of(self, language: str) -> str:
        """Return it in a language."""
        return (self.en or self.fr) if language == "en" else self.fr


class EverydayTable(Part):
    """The ordinary posts around what happens."""

    town: str = Field(min_length=1, description="the home commune, as people there write it")
    around: tuple[str, ...] = Field(min_length=1, description='communes near by, as in ["Harfleur", "Montivilliers"]')
    posts_a_day: int = Field(default=3200, gt=0, le=100_000, description="how many a day, 1 to 100000")
    trap_share: float = Field(
        default=0.04, ge=0, le=1, description="the share that uses the words of a danger without one, 0 to 1"
    )
    platforms: dict[str, Annotated[float, Field(gt=0)]] = Field(
        default={"facebook": 0.4, "bluesky": 0.25, "twitter": 0.35},
        min_length=1,
        description="the share of each platform, as in { facebook = 0.4, twitter = 0.6 }",
    )
    seed: int = Field(default=1, description="a number; another one gives other posts of the same kind")
    has_emojis: bool = Field(default=True, description="true or false")
    sentences: str = Field(default="", description="a table of sentences in this folder; empty: those that ship")
    breaks: tuple[tuple[datetime, datetime], ...] = Field(
        default=(), description="stretches without them, as in [[2026-03-03T05:30:00, 2026-03-03T07:00:00]]"
    )


class WaveTable(Part):
    """A while in which many speak of one thing, besides."""

    letter: str = Field(pattern=r"^[ac-z]$", description="a letter for the ids of its posts, any but b")
    starts_at: datetime = Field(description="when it starts, as 2026-03-03T15:00:00")
    hours: float = Field(gt=0, le=24 * DAYS_MOST, description="how many hours it lasts")
    posts_a_day: int = Field(gt=0, le=100_000, description="how many a day, 1 to 100000")
    seed: int = Field(default=1, description="a number; another one gives other posts of the same kind")
    sentences: str = Field(
        default="", description="a table of sentences in this folder; empty: talk of a disaster far away"
    )


class HappeningTable(Part):
    """Something that happens in it, or that people believe."""

    id: str = Field(pattern=NAME, description=f"{SHORT}; posts.tsv names it in its column happening")
    hazard: Hazard = Field(description='"fire", "flood", "industrial" or "other"')
    name: Words = Field(description='what people call it, as in { fr = "L\'incendie", en = "The fire" }')
    is_true: bool = Field(default=True, description="false where it did not happen, and posts say it did")
    began_at: datetime = Field(description="when it began, as 2026-03-03T05:40:00")
    ended_at: datetime | None = Field(default=None, description="when it was over")
    official_at: datetime | None = Field(default=None, description="when an authority first spoke of it")
    insee: str = Field(default="", pattern=f"{INSEE}|^$", description="the INSEE code of the commune where it is")
    place: str = Field(default="", description="the name of the place, where lat and lon are given")
    lat: float | None = Field(default=None, ge=-90, le=90, description="its latitude in degrees")
    lon: float | None = Field(default=None, ge=-180, le=180, description="its longitude in degrees")
    radius_km: float = Field(default=1.0, gt=0, le=100, description="kilometres around it that are meant")
    expected: Expected = Field(default="alert", description='the most that should be said: "nothing", "watch", "alert"')

    @model_validator(mode="after")
    def _is_somewhere_once(self) -> "HappeningTable":
        if (self.lat is None) != (self.lon is None) or bool(self.insee) == (self.lat is not None):
            raise ValueError("give insee, or lat and lon")
        if self.lat is not None and not self.place:
            raise ValueError("give place, a name, with lat and lon")
        return self


class ScenarioFile(Part):
    """All that `scenario.toml` says."""

    name: Words = Field(description='what it is called, as in { fr = "Crue d\'avril", en = "The flood of April" }')
    summary: Words = Field(description="what it tells, in a sentence, as { fr = …, en = … }")
    home: str = Field(pattern=INSEE, description='the INSEE code of the town that it is told for, as in "76351"')
    starts_at: datetime = Field(description="when it starts, as 2026-03-03T05:00:00")
    hours: float = Field(gt=0, le=24 * DAYS_MOST, description=f"how many hours it lasts, {DAYS_MOST} days at most")
    zone: str = Field(default="Europe/Paris", description='the zone of its clock, as in "Europe/Paris"')
    profile: str = Field(default="", description="a profile's name, or a TOML file in this folder; empty: by size")
    local_places: str = Field(
        default="", description='a CSV file in this folder, or the name of one that ships ("le_havre")'
    )
    local_sources: tuple[str, ...] = Field(
        default=("facebook",), description="platforms whose posts are from the town where they name no place"
    )
    is_complete: bool = Field(default=True, description="whether nothing else happens in it: all else is false")
    everyday: EverydayTable | None = Field(default=None, description="[everyday] above its keys")
    waves: tuple[WaveTable, ...] = Field(default=(), description="[[waves]] above its keys")
    happenings: tuple[HappeningTable, ...] = Field(default=(), description="[[happenings]] above its keys")
    sites: dict[str, Site] = Field(default={}, description='sites that notices name, as tables [sites."NAME"]')
    duty: tuple[DutySettings, ...] = Field(default=(), description="[[duty]] above its keys, as in vigie.toml")
    official_accounts: tuple[OfficialAccount, ...] = Field(
        default=(), description="[[official_accounts]] above its keys, as in vigie.toml"
    )

    @field_validator("zone")
    @classmethod
    def _is_a_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (OSError, ValueError, KeyError) as error:
            raise ValueError("is no time zone") from error
        return value

    def moment(self, at: datetime) -> datetime:
        """Return a date of the file with its zone."""
        return at if at.tzinfo else at.replace(tzinfo=ZoneInfo(self.zone))


def read_file(path: Path) -> tuple[ScenarioFile | None, list[Problem]]:
    """Return what a scenario says of itself, or all that is wrong with it."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        hint = "`vigie scenario new` writes one"
        return None, [Problem(str(path), f"cannot be read: {error.strerror}", hint)]
    except UnicodeDecodeError as error:
        return None, [Problem(str(path), f"is not text in UTF-8: {error.reason}", "save it again as UTF-8")]
    try:
        said = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # a number of thousands of digits is no TOMLDecodeError
        what, _, place = str(error).removesuffix(")").partition(" (at ")
        where = f"{path}: {place}" if place else str(path)
        return None, [Problem(where, f"is not TOML: {what}", "mend that line; texts need quotes, tables [brackets]")]
    try:
        return ScenarioFile.model_validate(said), []
    except ValidationError as error:
        lines = text.splitlines()
        return None, [_problem(details, path, lines) for details in error.errors(include_url=False)]


def place_in(path: Path, keys: Sequence[str | int]) -> str:
    """Return where a key stands, for a problem that shows only once the file is read: file, line, key."""
    return _where(tuple(keys), path, path.read_text(encoding="utf-8-sig").splitlines())


def _problem(details: ErrorDetails, path: Path, lines: list[str]) -> Problem:
    keys = tuple(details["loc"])
    where = _where(keys, path, lines)
    if details["type"] == "missing":
        return Problem(where, "is missing", f"give {_description(keys)}")
    if details["type"] == "extra_forbidden":
        model = _model_at(keys[:-1])
        known = list(model.model_fields) if model else []
        near = get_close_matches(str(keys[-1]), known, 1)
        return Problem(
            where, "is no key here", f"did you mean {near[0]}?" if near else f"the keys are {', '.join(known)}"
        )
    if details["type"] == "value_error" and isinstance(details["input"], dict):
        return Problem(where, details["msg"].removeprefix("Value error, "), "")
    shown = repr(details["input"]) if not isinstance(details["input"], dict | list) else "a table or a list"
    shown = shown if len(shown) <= LONGEST_SHOWN else f"{shown[:LONGEST_SHOWN]}…"
    return Problem(where, f"found {shown}", f"give {_description(keys) or details['msg'].lower()}")


def _where(keys: Path_, path: Path, lines: list[str]) -> str:
    line = line_of(keys, lines)
    name = ".".join(map(str, keys))
    return f"{path}: line {line}: {name}" if line else f"{path}: {name}"


def line_of(keys: Path_, lines: Sequence[str]) -> int | None:
    """Return the line of a key: its own, else that of the nearest table around it."""
    stands = dict(_stands(lines))
    for length in range(len(keys), 0, -1):
        for found in (keys[:length], (*keys[:length], 0)):
            if found in stands:
                return stands[found]
    return None


def _stands(lines: Sequence[str]) -> Iterator[tuple[Path_, int]]:
    """Yield each key and table with its line."""
    table: Path_ = ()
    counted: dict[Path_, int] = {}
    for number, line in enumerate(lines, 1):
        found = _keys_in(line)
        if not found:
            continue
        if not line.lstrip().startswith("["):
            yield table + found, number
            continue
        table = found
        if line.lstrip().startswith("[["):
            counted[found] = counted.get(found, -1) + 1
            table = (*found, counted[found])
        yield table, number


def _keys_in(line: str) -> Path_:
    """Return the keys that a line names: a header's, or the one before the sign of equality."""
    bare = line.strip()
    if not bare.startswith("["):
        bare = f"{bare.partition('=')[0]}= 0" if "=" in bare else ""
    try:
        found: Any = tomllib.loads(bare)
    except (ValueError, RecursionError):
        return ()
    keys: list[str] = []
    while found and isinstance(found, dict | list):
        found = found[0] if isinstance(found, list) else found
        if found:
            keys.append(next(iter(found)))
            found = found[keys[-1]]
    return tuple(keys)


def _description(keys: Path_) -> str:
    model = _model_at(keys[:-1])
    field = model.model_fields.get(str(keys[-1])) if model else None
    if field is None and len(keys) > 1 and (isinstance(keys[-1], int) or model is None):
        return _description(keys[:-1])  # an element of a list or a table is described by what holds it
    return (field.description if field else None) or ""


def _model_at(keys: Path_) -> type[BaseModel] | None:
    """Return the table that keys lead to, None where they lead to something else."""
    found: Any = ScenarioFile
    for key in keys:
        if _is_table(found):
            field = found.model_fields.get(str(key))
            found = _given(field.annotation) if field else None
        else:
            found = (get_args(found) or (None,))[-1 if get_origin(found) is dict else 0]
    return found if _is_table(found) else None


def _given(annotation: Any) -> Any:
    """Return what a field holds where it is not left out."""
    arguments = get_args(annotation)
    return arguments[0] if type(None) in arguments else annotation


def _is_table(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
