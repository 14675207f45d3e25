"""Profile form: which settings a profile has, and all that is wrong with a text that is to become one.

Shape   settings come from the types of `Profile`, so that a form and the detectors never differ about a bound
Errors  none: problems are returned, all that can be told at once
"""

from collections.abc import Iterable, Iterator, Mapping
from math import isfinite
from typing import Any

import msgspec
from msgspec import inspect

from detectors.profile import Profile, contradictions_in, loaded, shown
from records.profile_change import MOST_TOML
from records.profile_setting import ProfileProblem, ProfileSetting, SettingKind

ANY_HAZARD = "hazard.*"
NOT_WRITTEN = frozenset({"home"})
"""What a profile has and no text says."""
KINDS: Mapping[type[inspect.Type], SettingKind] = {
    inspect.FloatType: "number",
    inspect.IntType: "whole",
    inspect.BoolType: "switch",
    inspect.StrType: "text",
    inspect.VarTupleType: "list",
    inspect.TupleType: "list",
}
KIND_WORDS: Mapping[SettingKind, str] = {
    "number": "a number",
    "whole": "a whole number",
    "switch": "true or false",
    "text": "a text",
    "list": "a list",
}


def settings() -> tuple[ProfileSetting, ...]:
    """Return every setting of a profile, in the order in which it is best written."""
    return tuple(_settings(inspect.type_info(Profile), ""))


def _settings(struct: inspect.Type, prefix: str) -> Iterator[ProfileSetting]:
    if not isinstance(struct, inspect.StructType):
        raise TypeError(f"{prefix or 'a profile'} is a table")
    for field in struct.fields:
        key = f"{prefix}{field.name}"
        if key in NOT_WRITTEN:
            continue
        if isinstance(field.type, inspect.StructType):
            yield from _settings(field.type, f"{key}.")
        elif isinstance(field.type, inspect.DictType):
            yield from _settings(field.type.value_type, f"{ANY_HAZARD}.")
        else:
            yield _setting(key, field)


def _setting(key: str, field: inspect.Field) -> ProfileSetting:
    kind = KINDS[type(field.type)]
    usual = field.default if isinstance(field.default, float | int | str) else None
    if not isinstance(field.type, inspect.FloatType | inspect.IntType):
        return ProfileSetting(key=key, kind=kind, usual=usual)
    bounds = field.type
    return ProfileSetting(
        key=key,
        kind=kind,
        least=bounds.gt if bounds.ge is None else bounds.ge,
        most=bounds.lt if bounds.le is None else bounds.le,
        is_above=bounds.gt is not None,
        is_below=bounds.lt is not None,
        usual=usual,
    )


def problems_with(toml_text: str, *, has_home: bool = True) -> tuple[ProfileProblem, ...]:
    """Return what is wrong with a profile's text: what cannot be, and what contradicts itself; none: it can be used."""
    if len(toml_text) > MOST_TOML:
        return (ProfileProblem(code="too_long", found=str(len(toml_text)), values={"most": str(MOST_TOML)}),)
    try:
        found = loaded(toml_text)
    except ValueError as error:
        return (ProfileProblem(code="no_toml", values={"why": str(error)}),)
    wrong = tuple(_misfits(found))
    if wrong:
        return wrong
    try:
        profile = msgspec.convert(found, Profile)
    except msgspec.ValidationError as error:
        return (ProfileProblem(code="other", values={"why": str(error)}),)
    return (*_problem_with_home(profile, has_home=has_home), *contradictions_in(profile))


def _problem_with_home(profile: Profile, *, has_home: bool) -> Iterator[ProfileProblem]:
    if not has_home and profile.spread.home_share + profile.spread.surroundings_share > 0:
        yield ProfileProblem(code="no_home", key="spread")


def _misfits(found: Mapping[str, Any]) -> Iterator[ProfileProblem]:
    """Yield each setting that is not there, is no setting, or is beyond its bounds."""
    known = {setting.key: setting for setting in settings()}
    tables = {key.rpartition(".")[0] for key in known} | {"hazard"}
    written = dict(_written(found, "", tables))
    for key, value in written.items():
        setting = known.get(_general(key))
        problem = _unknown(key, value) if setting is None else _misfit(setting, key, value)
        if problem:
            yield problem
    yield from _missing(known.values(), written)


def _written(table: Mapping[str, Any], prefix: str, tables: Iterable[str]) -> Iterator[tuple[str, Any]]:
    """Yield what a text says, by key; a table where none belongs is a value."""
    for name, value in table.items():
        key = f"{prefix}{name}"
        if isinstance(value, dict) and _general(f"{key}.") in {f"{one}." for one in tables}:
            yield from _written(value, f"{key}.", tables)
        else:
            yield key, value


def _general(key: str) -> str:
    """Return the key of a setting of whatever hazard."""
    head, _, rest = key.partition(".")
    _, dot, name = rest.partition(".")
    return f"{ANY_HAZARD}.{name}" if head == "hazard" and dot else key


def _unknown(key: str, value: object) -> ProfileProblem:
    return ProfileProblem(code="unknown_key", key=key, found=shown(value))


def _misfit(setting: ProfileSetting, key: str, value: Any) -> ProfileProblem | None:
    if not _is_of_kind(setting.kind, value):
        return ProfileProblem(code="wrong_kind", key=key, found=shown(value), values={"kind": KIND_WORDS[setting.kind]})
    if setting.kind not in {"number", "whole"}:
        return None
    if isinstance(value, float) and not isfinite(value):
        return ProfileProblem(code="not_finite", key=key, found=str(value))
    if is_within(setting, value):
        return None
    bounds = {"least": _figure(setting.least), "most": _figure(setting.most)}
    return ProfileProblem(code="out_of_bounds", key=key, found=shown(value), values=bounds)


def _figure(bound: float | None) -> str:
    return "any" if bound is None else f"{bound:.0f}" if bound == int(bound) else f"{bound:g}"


def is_within(setting: ProfileSetting, value: float) -> bool:
    """Tell whether a number is within a setting's bounds."""
    least, most = setting.least, setting.most
    is_enough = least is None or value > least or (value == least and not setting.is_above)
    return is_enough and (most is None or value < most or (value == most and not setting.is_below))


def _is_of_kind(kind: SettingKind, value: object) -> bool:
    is_switch = isinstance(value, bool)
    if kind == "number":
        return isinstance(value, int | float) and not is_switch
    if kind == "whole":
        return isinstance(value, int) and not is_switch
    return {"switch": is_switch, "text": isinstance(value, str), "list": isinstance(value, list)}[kind]


def _missing(known: Iterable[ProfileSetting], written: Mapping[str, Any]) -> Iterator[ProfileProblem]:
    """Yield what has to be written down and is not, for every hazard that has a table."""
    hazards = sorted({key.split(".")[1] for key in written if key.startswith("hazard.") and key.count(".") > 1})
    for setting in known:
        if setting.usual is not None or setting.key == "weights.account":
            continue
        is_general = setting.key.startswith(ANY_HAZARD)
        keys = [setting.key.replace("*", hazard) for hazard in hazards] if is_general else [setting.key]
        yield from (ProfileProblem(code="missing", key=key) for key in keys if key not in written)
