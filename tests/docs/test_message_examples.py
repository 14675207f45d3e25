"""Message examples: what the pages on messages show can be copied as it stands."""

import re
from pathlib import Path

import pytest

from console.messages.map_files import check_map

DOCS = Path(__file__).parents[2] / "docs"
BLOCK = re.compile(r"^```toml\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", ["messages.fr.md", "messages.md"])
def test_the_examples_of_the_message_map_are_a_map_without_a_mistake(page: str, tmp_path: Path) -> None:
    blocks = [block for block in BLOCK.findall((DOCS / page).read_text(encoding="utf-8")) if "[messages]" not in block]
    assert len(blocks) == len(("a whole message", "a blank and a situation"))
    for number, block in enumerate(blocks):
        (tmp_path / f"{number}.toml").write_text(block, encoding="utf-8")
    assert [str(finding) for finding in check_map(tmp_path)] == []
