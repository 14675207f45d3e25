"""The line of a key in a TOML text, however it is written."""

import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.messages.map_files import SHIPPED
from console.messages.toml_lines import Path, TomlLines

TEXT = '''# a comment with [brackets] and = signs
title = "one"

[situation.fire]
fr = "Incendie" # "quoted" in a comment
'en' = """
[not.a.table]
key = "in a text"
"""
"odd key" = 'single [quotes]'

[[message]]
id = "first"
fr.sms = "dotted"
en = { sms = "inline", cell = ["a", "b # no comment"] }

[[message]]
id = "second"
[message.fr]
cell = [
  "page one",
  # a comment between
  "page two ]",
  """page
three""",
]

  [message.en] # indented
sms = """ends in quotes"""""

[[message.fr.deep]]
x = 1
[[message.fr.deep]]
x = 2
'''


@pytest.mark.parametrize(
    ("path", "word", "line"),
    [
        (("title",), "", 2),
        (("situation", "fire"), "", 4),
        (("situation", "fire", "fr"), "", 5),
        (("situation", "fire", "en"), "", 6),
        (("situation", "fire", "en"), "in a text", 8),
        (("situation", "fire", "odd key"), "", 10),
        (("message", 0), "", 12),
        (("message", 0, "id"), "", 13),
        (("message", 0, "fr"), "", 14),
        (("message", 0, "fr", "sms"), "", 14),
        (("message", 0, "en", "cell", 1), "", 15),
        (("message", 1), "", 17),
        (("message", 1, "fr"), "", 19),
        (("message", 1, "fr", "cell", 0), "", 21),
        (("message", 1, "fr", "cell", 1), "", 23),
        (("message", 1, "fr", "cell", 2), "three", 25),
        (("message", 1, "en", "sms"), "", 29),
        (("message", 1, "fr", "deep", 1, "x"), "", 34),
        (("message", 1, "fr", "missing"), "", 19),
        (("message", 1, "en", "sms"), "not in it", 29),
        (("nothing",), "", 1),
    ],
)
def test_lines(path: Path, word: str, line: int) -> None:
    tomllib.loads(TEXT)
    assert TomlLines(TEXT).line_of(path, word) == line


def leaves(value: Any, path: Path = ()) -> Iterator[Path]:
    if isinstance(value, dict):
        for key, part in value.items():
            yield from leaves(part, (*path, key))
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from leaves(part, (*path, index))
    else:
        yield path


@pytest.mark.parametrize("file", sorted(SHIPPED.glob("*.toml")), ids=lambda file: file.name)
def test_every_key_of_the_shipped_files_stands_on_the_line_that_is_named(file: Any) -> None:
    text = file.read_text(encoding="utf-8")
    lines, rows = TomlLines(text), text.splitlines()
    found = list(leaves(tomllib.loads(text)))
    assert found
    for path in found:
        row = rows[lines.line_of(path) - 1].strip()
        key = next(part for part in reversed(path) if isinstance(part, str))
        assert row.startswith((f"{key} = ", '"') if isinstance(path[-1], int) else f"{key} = "), path


KEYS = st.text("abc", min_size=1, max_size=3)
SCALARS = st.one_of(
    st.integers(0, 9).map(str),
    st.sampled_from(
        ['"a # b"', "'[x]'", '"""\n[y]\n"""', "'''\nz = 1\n'''", '"\\" = "', "2012-01-30 08:20:00", "true"]
    ),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda parts: f"[ {', '.join(parts)} ]")
        | st.dictionaries(KEYS, inner.filter(lambda text: "\n" not in text), max_size=2).map(
            lambda pairs: f"{{ {', '.join(f'{key} = {value}' for key, value in pairs.items())} }}"
        )
    ),
    max_leaves=5,
)


@given(st.lists(st.dictionaries(KEYS, VALUES, max_size=4), max_size=5))
def test_every_leaf_of_any_text_has_a_place_of_its_own(tables: list[dict[str, str]]) -> None:
    rows = ["[[t]]\n" + "".join(f"{key} = {value}\n" for key, value in table.items()) for table in tables]
    text = "# head\n".join(["", *rows])
    said = tomllib.loads(text)
    lines = TomlLines(text)
    for path in leaves(said):
        row = text.splitlines()[lines.line_of(path) - 1]
        key = next(part for part in reversed(path[:3]) if isinstance(part, str))
        assert row.startswith(f"{key} = ") or "\n" in tables[int(path[1])][str(path[2])]
