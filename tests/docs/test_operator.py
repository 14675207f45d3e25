"""The operator's page: what it says that the log says is what the log says."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("connectors", "streams", "console", "detectors", "models", "vigie")
PAGE = (ROOT / "docs" / "operator.md").read_text(encoding="utf-8")
ERROR = re.compile(r"\blog\.(?:error|exception|critical)\(\s*f?\"([^\"]+)\"")
CODE = re.compile(r"(?<!`)(?:``(?P<double>.+?)``|`(?P<single>[^`]+)`)(?!`)")


def program() -> str:
    """Return all that the program is written in, as one text."""
    return "\n".join(path.read_text(encoding="utf-8") for room in ROOMS for path in sorted((ROOT / room).rglob("*.py")))


def lines_of_the_log() -> list[str]:
    """Return what the page quotes from the log, in the first column of its table."""
    table = PAGE.partition("| in the log | it means | do |")[2].partition("\n\n")[0]
    first = [row.split(" | ", 1)[0] for row in table.splitlines() if row.startswith("| `")]
    return [match["double"] or match["single"] for cell in first for match in CODE.finditer(cell)]


def test_every_error_that_the_log_may_tell_stands_in_the_page_with_what_would_do() -> None:
    told = set(ERROR.findall(program()))
    assert len(told) > len(ROOMS)
    assert not told - set(lines_of_the_log())


def test_every_line_of_the_log_that_the_page_quotes_is_one_of_the_program() -> None:
    text = program()
    quoted = lines_of_the_log()
    assert quoted
    assert not [line for line in quoted if f'"{line}"' not in text]
