"""Whatever a settings file or a variable says: settings, or problems that name file, line and key; never a traceback.

Each key of each table is taken from the models themselves. What can be read is then used as far as that needs no
network: it works, or is refused in the same way.
"""

import json
import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args, get_origin

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from connectors.contract import Unobserved
from connectors.pseudonym import FixedPseudonyms
from records import SettingsError, SystemClock
from tests.fuzz.depth import fuzzing
from tests.fuzz.found import found, name_of
from tests.fuzz.mutating import WORDS, hostile
from vigie.check import CHECKS
from vigie.receiver_assembly import sink_from
from vigie.settings import Settings, UnusableSettings, load
from vigie.source_assembly import Workshop

ROOT = Path(__file__).parents[2]
SECRET = "hunter2-never-shown"
MOST_SHOWN = 2_000
"""Characters of all that is said of one problem: where, what was found, what would do."""


class Key(NamedTuple):
    """One key of one table, with a whole table around it."""

    table: str
    name: str
    is_many: bool
    around: dict[str, Any]

    def __str__(self) -> str:
        kind = self.around.get("kind", "")
        return ".".join(part for part in (self.table, kind, self.name) if part)


SAMPLES: dict[str, Any] = {
    "name": "n",
    "path": "posts.jsonl",
    "secret_file": "secret",
    "token_file": "secret",
    "app_secret_file": "secret",
    "verify_token_file": "secret",
    "bearer_token_file": "secret",
    "api_key_file": "secret",
    "urls_file": "urls",
    "topic": "posts.v1",
    "base_url": "https://127.0.0.1:9",
    "url": "https://127.0.0.1:9/x",
    "streams": ["public"],
    "feeds": [{"url": "https://127.0.0.1:9/feed.xml"}],
    "page_id": "17",
    "rules": {"feu": "fumée lang:fr"},
    "reaches": {"SA1": ["76"]},
    "stations": [{"code": "H320000101", "areas": ["76"]}],
    "areas": ["76"],
    "sites": {"usine": {"lat": 49.5, "lon": 0.1}},
    "folder": "folder",
    "sender": "vigie@ville.example",
    "receivers": ["n"],
    "times": ["22:00-07:00"],
    "source": ["hazard = fire"],
    "target": ["hazard = flood"],
    "kind": "maintenance",
    "starts_at": "2026-12-01T09:00:00+01:00",
    "ends_at": "2026-12-01T12:00:00+01:00",
    "author": "astreinte",
    "reason": "exercice",
    "number": "02 35 00 00 00",
    "platform": "facebook",
    "account": "17",
    "code": "H320000101",
    "lat": 49.5,
    "lon": 0.1,
}
"""What goes into keys that must be there."""


def tables() -> Iterator[tuple[str, bool, type[BaseModel]]]:
    """Give each table of the settings, with whether it stands many times, and each of its kinds."""
    for name, field in Settings.model_fields.items():
        annotation: Any = field.annotation
        is_many = get_origin(annotation) is tuple
        for model in models_in(get_args(annotation)[0] if is_many else annotation):
            yield name, is_many, model


def models_in(annotation: Any) -> list[type[BaseModel]]:
    """Return the models that an annotation names."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for inner in get_args(annotation) for model in models_in(inner)]


def sample(name: str, field: FieldInfo) -> Any:
    """Return what goes into a key that must be there."""
    if get_origin(field.annotation) is Literal and len(get_args(field.annotation)) == 1:
        return get_args(field.annotation)[0]
    return SAMPLES[name]


def keys() -> Iterator[Key]:
    """Give every key of every table."""
    for table, is_many, model in tables():
        around = {
            field.alias or name: sample(name, field)
            for name, field in model.model_fields.items()
            if field.is_required()
        }
        for name, field in model.model_fields.items():
            yield Key(table, field.alias or name, is_many, around)


KEYS = list(keys())
VALUES: tuple[str, ...] = (
    "true",
    "0",
    "-1",
    "9" * 30,
    "9" * 5000,
    "[" * 2000 + "]" * 2000,
    "{a=" * 2000 + "1" + "}" * 2000,
    "1e400",
    "nan",
    "-inf",
    "5e-324",
    '""',
    "[]",
    "{}",
    "[[[]]]",
    "[nan]",
    "{ a = 1 }",
    "{ name = {} }",
    "{ '' = '' }",
    "[{}]",
    "[true, 'x']",
    "2026-12-01",
    "07:00:00",
    "9999-12-31T23:59:59-23:59",
    "0001-01-01T00:00:00+23:59",
    "'Europe'",
    "'../../etc/passwd'",
    "'/dev/null'",
    "'.'",
    "'http://[::1'",
    "'https://127.0.0.1:99999/'",
    "'https://h..example/'",
    "'wss://[x/'",
    "'kafka://h:99999999999'",
    "'postgresql://u:p@[::1/x'",
    "'postgresql://u:p@127.0.0.1:9/x'",
    "'hazard =~ \"(a+)+$\"'",
    "['hazard =~ \"(a+)+$\"', 'hazard =~ [']",
    "['\"']",
    "'\u0661\u0662'",
    "'Ã©'",
)
"""What stands for a value in TOML."""
TEXTS = [json.dumps(word, ensure_ascii=False) for word in WORDS]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a folder with the files that the samples name, and without variables of Vigie."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.upper().startswith("VIGIE_")]:
        monkeypatch.delenv(name)
    (tmp_path / "secret").write_text(SECRET)
    (tmp_path / "urls").write_text(f"json://user:{SECRET}@127.0.0.1:9\n")
    (tmp_path / "posts.jsonl").write_text("")
    return tmp_path


def problems_of(file: Path | None) -> Settings | list[str]:
    """Read settings; return them, or what is said of them."""
    try:
        return load(file)
    except UnusableSettings as error:
        return [str(problem) for problem in error.problems]


def check_said(problems: list[str]) -> None:
    """Look whether what is said can be said: something, and no secret."""
    assert problems
    assert all(problems)
    assert not [problem for problem in problems if SECRET in problem]


def test_every_table_has_what_it_must_have(here: Path) -> None:
    for key in KEYS:
        file = written(here, key, None)
        assert isinstance(problems_of(file), Settings), (key, problems_of(file))


@pytest.mark.parametrize("key", KEYS, ids=str)
@fuzzing(6)
@given(value=st.one_of(st.sampled_from(VALUES), st.sampled_from(TEXTS)))
def test_any_value_of_a_key_is_a_setting_or_a_problem_that_names_it(here: Path, key: Key, value: str) -> None:
    file = written(here, key, value)
    read = problems_of(file)
    if isinstance(read, Settings):
        use(read, key.table)
        return
    check_said(read)
    assert all(problem.startswith((f"{file}: line ", f"{file}: is not TOML")) for problem in read), read
    assert all(len(problem) <= MOST_SHOWN for problem in read), read
    assert any(key.name in problem or key.table in problem or "is not TOML" in problem for problem in read), read


def written(folder: Path, key: Key, value: str | None) -> Path:
    """Write a settings file with one table, and one key of it as it stands; None: as it must be."""
    file = folder / "vigie.toml"
    rest = {name: given for name, given in key.around.items() if name != key.name or value is None}
    lines = [f"{name} = {toml(given)}" for name, given in rest.items()]
    if value is not None:
        lines.append(f"{key.name} = {value}")
    header = f"[[{key.table}]]" if key.is_many else f"[{key.table}]"
    file.write_text("\n".join(["# written by a test", header, *lines, ""]), encoding="utf-8")
    return file


def toml(value: Any) -> str:
    """Return a value as it stands in TOML, on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {toml(inner)}" for key, inner in value.items()) + "}"
    return f"[{', '.join(map(toml, value))}]" if isinstance(value, list) else json.dumps(value, ensure_ascii=False)


SEEDS = [
    path.read_bytes()
    for path in (
        ROOT / "vigie" / "template.toml",
        ROOT / "deploy" / "docker" / "vigie.toml",
        *sorted((ROOT / "deploy" / "examples").glob("*.toml")),
    )
]


@fuzzing(100)
@given(value=hostile(SEEDS))
def test_any_file_is_settings_or_problems_that_name_it(here: Path, value: bytes) -> None:
    check_file(here / "vigie.toml", value)


@pytest.mark.parametrize(("kind", "path"), found("settings"), ids=name_of)
def test_a_settings_file_that_was_found_stays_mended(here: Path, kind: str, path: Path) -> None:
    check_file(here / f"{kind}.toml", path.read_bytes())


def check_file(file: Path, value: bytes) -> None:
    """Look at what is made of a settings file."""
    file.write_bytes(value)
    read = problems_of(file)
    if isinstance(read, Settings):
        for table in read.model_fields_set:
            use(read, table)
        return
    check_said(read)
    assert all(problem.startswith(str(file)) for problem in read), read


@pytest.mark.parametrize("key", KEYS, ids=str)
@fuzzing(2)
@given(value=st.one_of(st.sampled_from(WORDS), st.sampled_from(VALUES), st.text(max_size=20)))
def test_any_variable_is_a_setting_or_a_problem_that_names_it(key: Key, value: str) -> None:
    name = f"VIGIE_{key.table}_{key.name}".upper()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(name, value.replace("\0", "").encode("utf-8", "replace").decode())
        read = problems_of(None)
    if not isinstance(read, Settings):
        check_said(read)
        assert all(problem.startswith("VIGIE_") for problem in read), read


CHECKED = {
    "territory": "territory, profile and places",
    "edge": "gate",
    "rumours": "rumours",
    "official_accounts": "official accounts",
    "data": "data folder",
    "messages": "message map",
    "console": "console",
    "recording": "recording",
    "receivers": "receivers",
    "routes": "receivers",
    "intervals": "receivers",
    "inhibitions": "receivers",
    "windows": "receivers",
    "duty": "receivers",
    "digest": "receivers",
    "sources": "sources",
    "worker": "ports",
    "metrics": "ports",
}
"""What `vigie check` looks at for each table; it asks nobody but this machine, and a name that nobody has."""
UNCHECKED = {"kafka": "asks a broker", "broker": "starts one", "privacy": "words", "solidarity": "a switch"}


def test_every_table_is_checked_or_says_why_not() -> None:
    assert set(CHECKED) | set(UNCHECKED) == set(Settings.model_fields)
    assert set(CHECKED.values()) <= set(CHECKS)


def use(settings: Settings, table: str) -> None:
    """Make of a table what `vigie check` and the processes make of it at their start."""
    if table in CHECKED:
        for problem in CHECKS[CHECKED[table]](settings):
            check_said([str(problem)])
    for attempt in attempts(settings, table):
        try:
            attempt()
        except SettingsError as error:
            check_said([str(error)])


def attempts(settings: Settings, table: str) -> Iterator[Callable[[], object]]:
    """Give what is made of settings, part by part."""
    if table == "sources":
        shop = Workshop(settings, SystemClock(), Unobserved(), FixedPseudonyms(b"fuzz"))
        yield shop.reading
    if table == "receivers":
        for receiver in settings.receivers:
            yield partial(sink_from, receiver, settings, SystemClock())
    yield settings.streams
