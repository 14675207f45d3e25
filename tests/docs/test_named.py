"""What the manual names is there: targets of make, variables, the files of the developer's book."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from tests.docs.building import ROOT
from vigie.settings import FILE_VARIABLE, Settings

CODE = re.compile(r"^```(?:sh)?\n(.*?)^```|`([^`\n]+)`", re.MULTILINE | re.DOTALL)
TARGET = re.compile(r"^make ([a-z]+)(?: |$)")
PATH = re.compile(r"`((?:[A-Za-z_.][\w.-]*/)+(?:[\w.-]+\.[a-z]+)?|[a-z_]+\.py)`")
VARIABLE = re.compile(r"\bVIGIE_[A-Z]+(?:_[A-Z]+)*\b")
OURS = ("README.md", "CONTRIBUTING.md", "docs/**/*.md", "deploy/README.md")
BOOK = sorted((ROOT / "docs" / "developer").glob("*.md"))
NOT_SETTINGS = {FILE_VARIABLE, "VIGIE_FUZZ", "VIGIE_FUZZ_EXAMPLES", "VIGIE_LABELLED_POSTS", "VIGIE_OIDC_PROVIDER"}
NOT_YET = re.compile(r"\b(board|lamp|es)\.(py|json|md|txt)$")  # what the book has the reader write


def pages() -> list[Path]:
    """Return the pages that people follow: not the decisions, which speak of their day."""
    found = {path for pattern in OURS for path in ROOT.glob(pattern)}
    return sorted(path for path in found if "decisions" not in path.parts)


def code_in(page: Path) -> Iterator[str]:
    """Return what stands as code on a page, a line each."""
    for fence, inline in CODE.findall(page.read_text(encoding="utf-8")):
        yield from (fence or inline).splitlines()


def test_every_target_of_make_that_a_page_names_is_there() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {target for page in pages() for line in code_in(page) for target in TARGET.findall(line)}
    assert named >= {"demo", "test", "check", "docs"}
    assert named <= targets


def test_every_variable_that_a_page_names_is_a_setting() -> None:
    known = set(NOT_SETTINGS)
    for table, described in Settings.model_fields.items():
        known.add(f"VIGIE_{table.upper()}")
        if isinstance(described.annotation, type) and issubclass(described.annotation, BaseModel):
            known |= {f"VIGIE_{table}_{key}".upper() for key in described.annotation.model_fields}
    wrong = [
        f"{page.relative_to(ROOT)}: {name}"
        for page in pages()
        for name in VARIABLE.findall(page.read_text(encoding="utf-8"))
        if name not in known
    ]
    assert not wrong


@pytest.mark.parametrize("page", BOOK, ids=lambda page: page.name)
def test_every_file_that_the_developer_s_book_names_is_there(page: Path) -> None:
    lines = [f"`{line}`" for line in code_in(page)]
    named = {name for line in lines for name in PATH.findall(line) if not NOT_YET.search(name) and "…" not in name}
    gone = [name for name in named if not (ROOT / name).exists() and not list(ROOT.glob(f"*/**/{name}"))]
    assert not gone
