"""What the manual names is there: commands with their options, targets of make, files, settings."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from tests.docs.building import ROOT
from vigie.cli import main
from vigie.settings import Settings

CODE = re.compile(r"^```(?:sh)?\n(.*?)^```|`([^`\n]+)`", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"(?:^|[|;&]|bin/|[A-Z_]+=\S+|-m)\s*vigie ([^|;&#\n]*)")
WORD = re.compile(r"[a-z][a-z-]*")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
TARGET = re.compile(r"^make ([a-z]+)$|^make ([a-z]+) ")
PATH = re.compile(r"`((?:[A-Za-z_.][\w.-]*/)+(?:[\w.-]+\.[a-z]+)?|[a-z_]+\.py)`")
VARIABLE = re.compile(r"\bVIGIE_([A-Z]+)_[A-Z_]+\b")
OURS = ("README.md", "CONTRIBUTING.md", "docs/**/*.md", "deploy/README.md")
BOOK = sorted((ROOT / "docs" / "developer").glob("*.md"))
NOT_SETTINGS = {"VIGIE_LABELLED_POSTS", "VIGIE_OIDC_PROVIDER", "VIGIE_LOG_QUIET"}
NOT_YET = re.compile(r"\b(board|lamp|es)\.(py|json|md|txt)$")  # what the book has the reader write


def pages() -> list[Path]:
    """Return the pages that people follow: not the decisions, which speak of their day."""
    found = {path for pattern in OURS for path in ROOT.glob(pattern)}
    return sorted(path for path in found if "decisions" not in path.parts)


def code_in(page: Path) -> Iterator[str]:
    """Return what stands as code on a page, a line each."""
    for fence, inline in CODE.findall(page.read_text(encoding="utf-8")):
        yield from (fence or inline).splitlines()


def command_of(words: list[str]) -> click.Command | None:
    """Return the command that words begin with, None where there is none of that name."""
    found: click.Command = main
    for word in words:
        if not isinstance(found, click.Group) or not WORD.fullmatch(word):
            break
        inner = found.commands.get(word)
        if inner is None:
            return None
        found = inner
    return found


def faults_in(line: str) -> Iterator[str]:
    """Return what of the commands of a line is not there."""
    for rest in COMMAND.findall(line):
        command = command_of(rest.split())
        if command is None:
            yield f"no command: vigie {rest.strip()}"
            continue
        known = {option for one in command.params for option in (*one.opts, *one.secondary_opts)} | {"--help"}
        yield from (f"no {one}: vigie {rest.strip()}" for one in OPTION.findall(rest) if one not in known)


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_command_and_option_that_a_page_names_is_there(page: Path) -> None:
    faults = [fault for line in code_in(page) for fault in faults_in(line)]
    assert not faults


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("vigie replai x.jsonl", "no command: vigie replai x.jsonl"),
        ("  .venv/bin/vigie demo --langage en", "no --langage: vigie demo --langage en"),
        ("cat x | vigie classify --because", "no --because: vigie classify --because"),
        ("mkdir x && vigie scenario lisst", "no command: vigie scenario lisst"),
        ("VIGIE_CONSOLE_PORT=0 vigie ran", "no command: vigie ran"),
    ],
)
def test_a_command_that_is_none_is_found_wherever_it_stands(line: str, fault: str) -> None:
    assert list(faults_in(line)) == [fault]


def test_every_target_of_make_that_a_page_names_is_there() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    found = (pair for page in pages() for line in code_in(page) for pair in TARGET.findall(line))
    named = {target for pair in found for target in pair if target}
    assert named >= {"demo", "test", "check", "docs"}
    assert named <= targets


def test_every_variable_that_a_page_names_is_a_setting() -> None:
    tables = set(Settings.model_fields)
    variables = {f"VIGIE_{name.upper()}_" for name in tables} | {f"VIGIE_{name.upper()}" for name in tables}
    wrong = []
    for page in pages():
        text = page.read_text(encoding="utf-8")
        wrong += [
            f"{page.name}: {found[0]}"
            for found in VARIABLE.finditer(text)
            if found[0] not in NOT_SETTINGS and not any(found[0].startswith(name) for name in variables)
        ]
    assert not wrong


@pytest.mark.parametrize("page", BOOK, ids=lambda page: page.name)
def test_every_file_that_the_developer_s_book_names_is_there(page: Path) -> None:
    lines = [f"`{line}`" for line in code_in(page)]
    named = {name for line in lines for name in PATH.findall(line) if not NOT_YET.search(name) and "…" not in name}
    gone = [name for name in named if not (ROOT / name).exists() and not list(ROOT.glob(f"*/**/{name}"))]
    assert not gone
