"""Pairs: a page that is there in French and in English says the same in both, as far as a program can tell."""

import re
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

import pytest

DOCS = Path(__file__).parents[2] / "docs"
FRENCH = ".fr.md"
PAIRS = sorted(path.relative_to(DOCS) for path in DOCS.rglob(f"*{FRENCH}"))
TOP = 12
"""Lines within which a page must say where it is in the other language."""

_FENCE = re.compile(r"^\s*(?P<fence>`{3,}|~{3,})(?P<language>[\w-]*)")
_HEADING = re.compile(r"^(?P<signs>#+) (?P<words>.+)$")
_ROW = re.compile(r"^\s*\|(?P<cells>.*)\|\s*$")
_ITEM = re.compile(r"^\s*(?P<sign>[-*]|\d+\.) ")
_LINK = re.compile(r"(?P<is_image>!?)\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_CODE = re.compile(r"`[^`]*`")


class Section(NamedTuple):
    """What lies below one heading, without its words."""

    heading: str
    level: int
    tables: tuple[tuple[int, int], ...]  # rows and columns of each
    blocks: tuple[tuple[str, int], ...]  # language and lines of each
    items: tuple[str, ...]  # of lists: numbered, or not
    images: tuple[str, ...]
    links: frozenset[str]

    def differences(self, other: "Section", twin: str) -> list[str]:
        """Return what is otherwise in another section."""
        found = (
            (name, getattr(self, name), getattr(other, name))
            for name in ("level", "tables", "blocks", "items", "images", "links")
        )
        return [
            f"« {self.heading} », {twin} « {other.heading} »: {name}: {_shown(one, two)}"
            for name, one, two in found
            if one != two
        ]


def _shown(one: object, two: object) -> str:
    if isinstance(one, frozenset) and isinstance(two, frozenset):
        return f"{sorted(one - two)} here alone, {sorted(two - one)} there alone"
    return f"{one}, {two}"


def sections(text: str, page: str) -> list[Section]:
    """Return a page's skeleton; links are compared without their language, and without a page's link to its twin."""
    prose, blocks = _without_blocks(text)
    found: list[Section] = []
    heading, lines = "(top)", list[tuple[int, str]]()
    level = 0
    for number, line in prose:
        if match := _HEADING.match(line):
            found.append(_section(heading, level, lines, blocks, page))
            heading, level, lines = match["words"], len(match["signs"]), []
        lines.append((number, line))
    return [*found, _section(heading, level, lines, blocks, page)]


def _without_blocks(text: str) -> tuple[list[tuple[int, str]], dict[int, tuple[str, int]]]:
    """Return the lines outside of fenced blocks, and each block's language and length by the line it begins on."""
    prose, blocks, opened, began = list[tuple[int, str]](), dict[int, tuple[str, int]](), "", 0
    for number, line in enumerate(text.splitlines()):
        match = _FENCE.match(line)
        if match and not opened:
            opened, began = match["fence"], number
            blocks[number] = (match["language"], 0)
            prose.append((number, ""))
        elif match and line.strip() == opened:
            blocks[began] = (blocks[began][0], number - began - 1)
            opened = ""
        elif not opened:
            prose.append((number, line))
    assert not opened, f"a block that begins on line {began + 1} has no end"
    return prose, blocks


def _section(
    heading: str, level: int, lines: list[tuple[int, str]], blocks: dict[int, tuple[str, int]], page: str
) -> Section:
    words = "\n".join(line for _, line in lines)
    links = [(bool(match["is_image"]), match["target"]) for match in _LINK.finditer(_CODE.sub("", words))]
    plain = {_plain(target) for is_image, target in links if not is_image}
    return Section(
        heading=heading,
        level=level,
        tables=tuple(_tables([line for _, line in lines])),
        blocks=tuple(blocks[number] for number, _ in lines if number in blocks),
        items=tuple((match["sign"][0].isdigit() and "1.") or "-" for _, line in lines if (match := _ITEM.match(line))),
        images=tuple(target for is_image, target in links if is_image),
        links=frozenset(plain - {page}),
    )


def _tables(lines: list[str]) -> list[tuple[int, int]]:
    found, rows, columns = list[tuple[int, int]](), 0, 0
    for line in [*lines, ""]:
        if match := _ROW.match(line):
            rows, columns = rows + 1, len(re.split(r"(?<!\\)\|", match["cells"]))
        elif rows:
            found.append((rows, columns))
            rows = 0
    return found


def _plain(target: str) -> str:
    """Return a link as it is in any language: which page, and whether a place on it."""
    page, mark, _ = target.partition("#")
    return page.replace(FRENCH, ".md") + mark


def english_of(french: Path) -> Path:
    """Return where a French page's English one must be."""
    return french.with_name(french.name.removesuffix(FRENCH) + ".md")


def test_what_a_duty_officer_and_an_analyst_read_is_there_in_french() -> None:
    names = {path.name.removesuffix(FRENCH) for path in PAIRS}
    assert {"analyst", "console", "duty-officer", "law", "messages", "scenarios"} <= names


@pytest.mark.parametrize("french", PAIRS, ids=str)
def test_a_page_in_french_has_the_same_skeleton_in_english(french: Path) -> None:
    english = english_of(french)
    assert (DOCS / english).is_file(), f"docs/{french} is not there in English, as docs/{english}"
    one, two = (sections((DOCS / path).read_text(encoding="utf-8"), english.name) for path in (french, english))
    wrong: list[str] = []
    for here, there in zip_longest(one, two):
        if here is None or there is None:
            wrong.append(f"there alone: « {there.heading} »" if here is None else f"here alone: « {here.heading} »")
        else:
            wrong += here.differences(there, english.name)
    assert not wrong, f"docs/{french}:\n" + "\n".join(wrong)


@pytest.mark.parametrize("french", PAIRS, ids=str)
def test_each_of_the_two_says_where_the_other_is(french: Path) -> None:
    english = english_of(french)
    for page, twin in ((french, english), (english, french)):
        top = "\n".join((DOCS / page).read_text(encoding="utf-8").splitlines()[:TOP])
        assert f"]({twin.name})" in top, f"docs/{page}: no link to {twin.name} within its first {TOP} lines"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        pytest.param("# A\n\n### B\n", "level", id="another level of heading"),
        pytest.param("# A\n\n## B\n\n| a | b | c |\n|---|---|---|\n", "tables", id="a table with one column more"),
        pytest.param("# A\n\n## B\n\n```\nx\n```\n", "blocks", id="a block of code"),
        pytest.param("# A\n\n## B\n\n- x\n", "items", id="an item of a list"),
        pytest.param("# A\n\n## B\n\n![x](x.png)\n", "images", id="a picture"),
        pytest.param("# A\n\n## B\n\n[x](y.md)\n", "links", id="a link"),
    ],
)
def test_what_only_one_of_two_pages_has_is_found(changed: str, said: str) -> None:
    plain = sections("# A\n\n## B\n", "a.md")
    found = [
        line for one, two in zip(plain, sections(changed, "a.md"), strict=True) for line in one.differences(two, "")
    ]
    assert len(found) == 1, found
    assert f": {said}: " in found[0]


def test_a_link_in_another_language_and_a_sign_in_a_block_make_no_difference() -> None:
    french = "# A\n\n[x](b.fr.md#un) [y](a.md)\n\n```sh\n# pas un titre\n| non |\n```\n"
    english = "# A\n\n[x](b.md#one) [y](a.fr.md)\n\n```sh\n# no heading\n| no |\n```\n"
    assert [one._replace(heading="") for one in sections(french, "a.md")] == [
        one._replace(heading="") for one in sections(english, "a.md")
    ]
