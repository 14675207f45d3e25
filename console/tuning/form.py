"""Form: the settings of a profile as fields, and what somebody typed into them.

Shape   a field a setting that is a number or a switch; the rest is edited in the text itself
Errors  ProfileProblem, for what is no number or beyond its bounds
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from console.figures.profile_words import TABLES, UNKNOWN, WORDS
from console.tuning.editing import Value, values_in
from records.profile_setting import ProfileProblem, ProfileSetting

NUMBERS = ("number", "whole")
ANY_HAZARD = "hazard.*."
LONGEST = 40


class Field(NamedTuple):
    """One setting of one candidate."""

    key: str
    setting: ProfileSetting
    value: str  # as it is typed; "": not written down, and as Vigie has it by itself
    usual: str  # how Vigie has it by itself; "": it has to be written down
    words: str
    unit: str

    @property
    def name(self) -> str:
        """The name of the field in the form."""
        return f"set:{self.key}"

    @property
    def id(self) -> str:
        """What a problem leads to."""
        return f"set-{self.key.replace('.', '-')}"


class Group(NamedTuple):
    """The fields of one table."""

    key: str  # of the table; "": the head
    words: str
    fields: tuple[Field, ...]


def groups(settings: Sequence[ProfileSetting], toml: str, typed: Mapping[str, str]) -> list[Group]:
    """Return the fields of a text, by tables; `typed`: what somebody typed instead.

    Errors  NotTOML
    """
    values = values_in(toml)
    hazards = values.get("hazards")
    watched = [one for one in hazards if isinstance(one, str)] if isinstance(hazards, list) else []
    found: dict[str, list[Field]] = {}
    for key, setting in _keys(settings, watched):
        table = key.rpartition(".")[0]
        value = typed.get(f"set:{key}", shown(values[key]) if key in values else "")
        words, unit = WORDS.get(f"hazard.{key.split('.')[2]}" if key.startswith("hazard.") else key, UNKNOWN)
        field = Field(key, setting, value, "" if setting.usual is None else shown(setting.usual), words, unit)
        found.setdefault(table, []).append(field)
    return [Group(key, TABLES[key.partition(".")[0]], tuple(fields)) for key, fields in found.items()]


def _keys(settings: Sequence[ProfileSetting], hazards: Sequence[str]) -> Iterator[tuple[str, ProfileSetting]]:
    """Yield the settings that are fields, those of a hazard once a hazard."""
    fields = [one for one in settings if one.kind in {*NUMBERS, "switch"}]
    for one in fields:
        if not one.key.startswith(ANY_HAZARD):
            yield one.key, one
    for hazard in dict.fromkeys(hazards):
        yield from ((one.key.replace("*", hazard), one) for one in fields if one.key.startswith(ANY_HAZARD))


def shown(value: object) -> str:
    """Return a value as a field wants it."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


def typed_values(
    settings: Sequence[ProfileSetting], toml: str, typed: Mapping[str, str]
) -> tuple[dict[str, Value | None], list[ProfileProblem]]:
    """Return what somebody typed that differs from a text, and what of it cannot be.

    Errors  NotTOML
    """
    values: dict[str, Value | None] = {}
    problems: list[ProfileProblem] = []
    for group in groups(settings, toml, {}):
        for field in group.fields:
            said = typed.get(field.name, field.value).strip()[:LONGEST]
            if said == field.value:
                continue
            found = value_of(field, said)
            if isinstance(found, ProfileProblem):
                problems.append(found)
            else:
                values[field.key] = found
    return values, problems


def value_of(field: Field, said: str) -> Value | ProfileProblem | None:
    """Return what somebody typed into a field; None where he left it to Vigie."""
    if not said:
        return None if field.usual else ProfileProblem(code="missing", key=field.key)
    if field.setting.kind == "switch":
        return said == "true" if said in {"true", "false"} else _no(field, said, "true or false")
    try:
        number = float(said.replace(",", "."))
        whole = int(said) if field.setting.kind == "whole" else None
    except ValueError:
        return _no(field, said, "a whole number" if field.setting.kind == "whole" else "a number")
    value = number if whole is None else whole
    return value if _is_within(field.setting, value) else _out_of_bounds(field, said)


def _no(field: Field, said: str, kind: str) -> ProfileProblem:
    return ProfileProblem(code="wrong_kind", key=field.key, found=said, values={"kind": kind})


def _out_of_bounds(field: Field, said: str) -> ProfileProblem:
    least, most = bounds(field.setting)
    return ProfileProblem(code="out_of_bounds", key=field.key, found=said, values={"least": least, "most": most})


def bounds(setting: ProfileSetting) -> tuple[str, str]:
    """Return the least and the most that may stand there, as a field wants them."""
    return _figure(setting.least), _figure(setting.most)


def _figure(bound: float | None) -> str:
    return "" if bound is None else f"{bound:.0f}" if bound == int(bound) else f"{bound:.5f}".rstrip("0")


def _is_within(setting: ProfileSetting, value: float) -> bool:
    least, most = setting.least, setting.most
    is_enough = least is None or value > least or (value == least and not setting.is_above)
    return is_enough and (most is None or value < most or (value == most and not setting.is_below))
