"""The house: what every file that we hand on must keep to, and what the change log must say."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# In two parts each, so that this file keeps to its own rule.
LOCAL_PATHS = re.compile("|".join(("/wor" + "k/", "/roo" + "t/", "/hom" + r"e/[a-z]")))
INDEX = re.compile("|".join((r"(?<!no-emit-)index" + "[-_]url", "find" + "-links", r"https?://\S+/simple" + r"\b")))
HEADING = re.compile(r"^## \[?(Unreleased|\d+\.\d+\.\d+)\b", re.MULTILINE)


@pytest.fixture(scope="module")
def tracked() -> dict[str, str]:
    """Return the texts of all files that git knows."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"],  # noqa: S607  the one of this machine
        cwd=ROOT,
        capture_output=True,
        timeout=60,
        check=True,
    )
    paths = [ROOT / name.decode() for name in listed.stdout.split(b"\0") if name]
    contents = {str(path.relative_to(ROOT)): path.read_bytes() for path in paths if path.is_file()}
    return {name: content.decode("utf-8", "replace") for name, content in contents.items() if b"\0" not in content}


@pytest.mark.parametrize(
    "pattern", [pytest.param(LOCAL_PATHS, id="local paths"), pytest.param(INDEX, id="addresses of package indexes")]
)
def test_no_file_says_where_it_was_made(pattern: re.Pattern[str], tracked: dict[str, str]) -> None:
    assert tracked
    found = [
        f"{name}:{number}: {line.strip()[:100]}"
        for name, text in tracked.items()
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]
    assert not found, "\n".join(found)


def test_the_change_log_speaks_of_what_is_to_come_or_of_this_version() -> None:
    path = ROOT / "CHANGELOG.md"
    assert path.is_file(), "there is no CHANGELOG.md"
    headings = HEADING.findall(path.read_text(encoding="utf-8"))
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert headings, "CHANGELOG.md: no heading such as ## [Unreleased] or ## [0.1.0]"
    assert headings[0] in ("Unreleased", version), f"CHANGELOG.md begins with {headings[0]}, the version is {version}"
