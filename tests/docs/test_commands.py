"""Commands and settings that pages show: each command is ours, with its options; each piece of settings loads."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from vigie.cli import main
from vigie.settings import Settings, load

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path.relative_to(ROOT)
    for pattern in ("*.md", "docs/**/*.md", "deploy/**/*.md")
    for path in ROOT.glob(pattern)
    if "decisions" not in path.parts
)
BLOCK = re.compile(r"^```(?P<language>\w*)\n(?P<lines>.*?)^```", re.MULTILINE | re.DOTALL)
IN_BLOCK = re.compile(r"^(?:[A-Z_]+=\S+ )*(?:\S*/)?vigie (?P<rest>[a-z].*)$|\| vigie (?P<piped>.+)$")
INLINE = re.compile(r"`vigie (?P<rest>[^`]+)`")
TABLE = re.compile(r"^\[\[?(?P<name>\w+)", re.MULTILINE)


def shown(page: Path) -> Iterator[list[str]]:
    """Yield the commands that a page shows, each as its words without `vigie`."""
    text = (ROOT / page).read_text(encoding="utf-8")
    blocks = [match for match in BLOCK.finditer(text) if match["language"] in ("", "sh", "bash", "shell")]
    for block in blocks:
        for line in block["lines"].splitlines():
            if match := IN_BLOCK.search(line.strip()):
                yield words(match["rest"] or match["piped"])
    for match in INLINE.finditer(BLOCK.sub("", text)):
        yield words(match["rest"])


def words(line: str) -> list[str]:
    """Return the words of a command line, up to its comment."""
    lexer = shlex.shlex(line.replace("'", " ").replace("…", " "), posix=True, punctuation_chars=False)
    lexer.whitespace_split = True
    return [word for word in lexer if word not in (">", "|")]


def fault_of(typed: list[str]) -> str | None:
    """Return what is wrong with a command as a page shows it, None where it is one of ours."""
    command: click.Command = main
    rest = list(typed)
    while isinstance(command, click.Group) and rest and re.fullmatch(r"[a-z][a-z-]*", rest[0]):
        found = command.commands.get(rest[0])
        if found is None:
            return f"there is no {rest[0]!r} in `vigie {' '.join(typed)}`"
        command, rest = found, rest[1:]
    known = {name for one in command.params for name in (*one.opts, *one.secondary_opts)} | {"--help", "-h"}
    given = {word.partition("=")[0].rstrip(".,;") for word in rest if word.startswith("--")}
    strange = sorted(given - known)
    return f"{', '.join(strange)}: not of `vigie {' '.join(typed)}`" if strange else None


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_command_that_a_page_shows_is_one_of_ours_with_its_options(page: Path) -> None:
    assert [fault for typed in shown(page) if (fault := fault_of(typed))] == []


def test_pages_show_many_commands_and_a_wrong_one_is_found() -> None:
    assert sum(1 for page in PAGES for _ in shown(page)) > len(PAGES)
    assert fault_of(words("profile promot x.toml")) is not None
    assert fault_of(words("trust --dayz 3")) is not None
    assert fault_of(words('silence add "hazard = fire" --for 2h  # for a while')) is None


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_piece_of_settings_that_a_page_shows_loads(page: Path, tmp_path: Path) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    for number, block in enumerate(match["lines"] for match in BLOCK.finditer(text) if match["language"] == "toml"):
        first = TABLE.search(block)
        if first and first["name"] in Settings.model_fields:
            file = tmp_path / f"{number}.toml"
            file.write_text(block, encoding="utf-8")
            load(file)
