"""`vigie settings`: every table and key with type, default and meaning, as the program reads them; docs/settings.md."""

import json
import types
from collections.abc import Iterator, Sequence
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import AwareDatetime, BaseModel
from pydantic.fields import FieldInfo

from records import SettingsError
from vigie.settings import Settings

INTRODUCTION = """\
# Settings

Every table of `vigie.toml`, with every key: what it takes, what holds where nothing is said, and what it means.
`vigie settings` prints this page, `vigie settings TABLE` one table of it; it is made from the code that reads the file.
`vigie init --commune INSEE` writes a file with comments to begin with, and `vigie check` says what is wrong with one.

- **A variable of the environment wins over the file**: `url` under `[kafka]` is `VIGIE_KAFKA_URL`; a whole table, and
  every list of tables, goes as JSON (`VIGIE_SOURCES`).
- **Paths** in the file start from its folder, those in variables from where the program runs.
- **Secrets** stand in files of their own, which the settings name.
- **A key that is not on this page is refused**, with its line and the nearest one that is.
- Settings are read at the start: start Vigie again after a change.

`[one]` is a table, which stands once; `[[many]]` begins one of as many as you like.
"""
NAMES: dict[Any, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    Path: "path",
    datetime: "time with its zone",
    AwareDatetime: "time with its zone",
}
MANY = {"text": "texts", "table": "tables"}
CONTAINERS: dict[Any, tuple[str, int]] = {
    tuple: ("list", 0),
    dict: ("table", 1),
}  # and where what is in it is annotated
BOUNDS = ("ge", "gt", "le", "min_length", "max_length")
Kinds = Sequence[type[BaseModel]]


def page() -> str:
    """Return the whole reference, in Markdown."""
    return "\n".join([INTRODUCTION, *(table(name) for name in sorted(Settings.model_fields))])


def table(name: str) -> str:
    """Return what one table of the file takes, in Markdown.

    Errors  SettingsError when there is no such table
    """
    if name not in Settings.model_fields:
        near = get_close_matches(name, Settings.model_fields, 1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(Settings.model_fields))}"
        raise SettingsError(f"{name}: is no table of the settings; {hint}")
    kinds, is_list = _kinds_of(Settings.model_fields[name])
    title = f"[[{name}]]" if is_list else f"[{name}]"
    if len(kinds) == 1:
        return "\n".join([f"## {title}\n", f"{_says(kinds[0])}\n", *_keys(kinds[0])])
    lines = [
        f"## {title}\n",
        f"What else is read depends on `kind`: {', '.join(f'`{_kind(one)}`' for one in kinds)}.\n",
    ]
    for one in sorted(kinds, key=_kind):
        lines += [f"### {name}, kind `{_kind(one)}`\n", f"{_says(one)}\n", *_keys(one)]
    return "\n".join(lines)


def _kinds_of(field: FieldInfo) -> tuple[Kinds, bool]:
    """Return by what a table is read, and whether there may be several."""
    annotation, is_list = field.annotation, get_origin(field.annotation) is tuple
    if is_list:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    found = get_args(annotation) if get_origin(annotation) in (Union, types.UnionType) else (annotation,)
    return [one for one in found if issubclass(one, BaseModel)], is_list


def _kind(model: type[BaseModel]) -> str:
    return str(get_args(model.model_fields["kind"].annotation)[0])


def _says(model: type[BaseModel]) -> str:
    return (model.__doc__ or "").strip().partition("\n")[0]


def _keys(model: type[BaseModel], above: str = "") -> Iterator[str]:
    yield "| key | takes | default | means |"
    yield "|---|---|---|---|"
    inner: dict[str, type[BaseModel]] = {}
    for name, field in model.model_fields.items():
        key = field.alias or name
        if key == "kind" and len(get_args(field.annotation)) == 1:
            continue
        yield f"| `{above}{key}` | {_takes(field.annotation, field.metadata)} | {_default(field)} | {_means(field)} |"
        inner |= {f"{above}{key}": one for one in _parts_in(field.annotation)}
    yield ""
    for key, one in inner.items():
        yield f"Each of `{key}`: {_says(one)[0].lower()}{_says(one)[1:]}\n"
        yield from _keys(one)


def _parts_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [part for inner in get_args(annotation) for part in _parts_in(inner)]


def _takes(annotation: Any, bounds: Sequence[object] = ()) -> str:
    """Return in words what a key takes."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _takes(inner[0], [*inner[1:], *bounds])
    if origin in (Union, types.UnionType):
        return _takes(next(one for one in inner if one is not type(None)), bounds)
    if origin is Literal:
        return "one of " + ", ".join(f"`{json.dumps(one)}`" for one in inner)
    if origin in CONTAINERS:
        name, position = CONTAINERS[origin]
        what = _takes(inner[position])
        return f"{name} of {MANY.get(what, what)}{_within(bounds)}"
    name = NAMES.get(annotation, "table")
    return name + _within(bounds, " characters" if annotation is str else "")


def _within(bounds: Sequence[object], unit: str = "") -> str:
    """Return the bounds of a value in words, nothing where there are none."""
    known: dict[str, Any] = {}
    for one in _flat(bounds):
        known |= {name: found for name in BOUNDS if (found := getattr(one, name, None)) is not None}
    low = known.get("ge", known.get("min_length"))
    high = known.get("le", known.get("max_length"))
    words = []
    if "gt" in known:
        words.append(f"more than {_number(known['gt'])}")
    if low is not None and high is not None:
        words.append(f"{_number(low)} to {_number(high)}{unit}")
    elif low is not None:
        words.append(f"at least {_number(low)}{unit}")
    elif high is not None:
        words.append(f"at most {_number(high)}{unit}")
    return "".join(f", {word}" for word in words)


def _flat(bounds: Sequence[object]) -> Iterator[object]:
    for one in bounds:
        if isinstance(one, FieldInfo):
            yield from one.metadata
        else:
            yield one


def _number(value: float) -> str:
    return f"{value:.12g}"


def _default(field: FieldInfo) -> str:
    """Return what holds where nothing is said, as it would stand in the file."""
    if field.is_required():
        return "*needed*"
    value = field.default
    if value is None or value in ("", (), {}):
        return "none"
    return f"`{_written(value)}`"


def _written(value: Any) -> str:
    if isinstance(value, str | Path):
        return json.dumps(str(value), ensure_ascii=False)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return f"[{', '.join(_written(one) for one in value)}]"
    return _number(value)


def _means(field: FieldInfo) -> str:
    """Return the meaning as it may stand in a table."""
    return (field.description or "").replace("|", r"\|").replace("<", "&lt;")
