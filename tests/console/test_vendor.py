"""Front-end files that are not ours: they are what npm has, all of them are listed, and they ask nothing of anybody."""

import base64
import hashlib
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from console import vendoring
from console.vendoring import PLACES, Package, faults, integrity_of, page_files, read_packages
from records import SettingsError

REMOTE_STYLE = re.compile(r"""(?:url\(\s*['"]?|@import\s+(?:url\()?['"]?)\s*(?:https?:)?//""")
SOURCE_MAP = re.compile(r"[#@]\s*sourceMappingURL=(\S+)")
EVALUATES = re.compile(r"\b(?:eval|importScripts)\(|\bimport\(\s*['\"]https?:")


def test_what_lies_there_is_what_is_listed_and_nothing_else() -> None:
    assert faults(read_packages()) == []


@pytest.mark.parametrize("package", read_packages(), ids=lambda package: package.folder)
def test_each_package_brings_its_licence(package: Package) -> None:
    texts = [path for path in package.files if path.upper().startswith("LICEN")]
    assert texts
    assert package.licence
    assert (PLACES[package.purpose] / package.local(texts[0])).stat().st_size > 100


@pytest.mark.parametrize("path", page_files(read_packages()), ids=str)
def test_no_file_for_the_page_makes_a_browser_ask_elsewhere(path: str) -> None:
    file = PLACES["page"].parent / path
    if file.suffix == ".png":
        return
    text = file.read_text(encoding="utf-8")
    assert not REMOTE_STYLE.search(text)
    assert not EVALUATES.search(text)
    assert all(re.fullmatch(r"[\w.-]+", found) for found in SOURCE_MAP.findall(text))  # beside it, on our own host


def test_integrity_is_what_browsers_reckon() -> None:
    assert integrity_of(b"alert(1)") == "sha384-" + base64.b64encode(hashlib.sha384(b"alert(1)").digest()).decode()


def test_files_for_tests_are_not_given_to_the_page() -> None:
    assert [package.name for package in read_packages() if package.purpose == "tests"] == ["axe-core"]
    assert not [path for path in page_files(read_packages()) if "axe" in path]


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        pytest.param(None, "No such file", id="no list"),
        pytest.param("[[packages]]\nname =", "vendor.toml: Invalid value", id="no TOML"),
        pytest.param('[[packages]]\nname = "a"\nhash = "b"', r"unknown field `hash`", id="a key it does not have"),
    ],
)
def test_a_list_that_cannot_be_read_says_where(toml: str | None, message: str, tmp_path: Path) -> None:
    path = tmp_path / "vendor.toml"
    if toml is not None:
        path.write_text(toml, encoding="utf-8")
    with pytest.raises(SettingsError, match=message) as refused:
        read_packages(path)
    assert str(path) in str(refused.value)


LISTED = """
[[packages]]
name = "here"
version = "1.0.0"
licence = "MIT"
for = "page"
[packages.files]
"dist/here.js" = ""
"LICENSE" = ""

[[packages]]
name = "there"
version = "2.0.0"
licence = "MIT"
for = "tests"
[packages.files]
"LICENSE" = ""
"""


class Shelf:
    """A list of its own, the places it fills, and what npm is to have."""

    def __init__(self, folder: Path) -> None:
        self.listed = folder / "vendor.toml"
        self.places = {"page": folder / "page", "tests": folder / "tests"}
        self.has: dict[str, bytes] = {"dist/here.js": b"here", "LICENSE": b"do what you like"}
        self.listed.write_text(LISTED, encoding="utf-8")

    def fetch(self, package: Package, _: Path) -> Mapping[str, bytes]:
        return {path: self.has[path] for path in package.files}

    def faults(self) -> list[str]:
        return [fault.rpartition("/")[2] for fault in faults(read_packages(self.listed), self.places)]


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    made = Shelf(tmp_path)
    packages = read_packages
    monkeypatch.setattr(vendoring, "read_packages", lambda: packages(made.listed))
    monkeypatch.setattr(vendoring, "fetch", made.fetch)
    monkeypatch.setattr(vendoring, "LISTED", made.listed)
    monkeypatch.setattr(vendoring, "PLACES", made.places)
    return made


@pytest.fixture
def vendor() -> Callable[..., Result]:
    return lambda *arguments: CliRunner().invoke(vendoring.main, arguments)


def test_files_come_when_renewed_and_then_stay_as_they_are(shelf: Shelf, vendor: Callable[..., Result]) -> None:
    assert vendor("--renew").exit_code == 0
    assert shelf.faults() == []
    before = shelf.listed.read_bytes()
    again = vendor()
    assert (again.exit_code, again.output) == (0, "3 files as listed\n")
    assert shelf.listed.read_bytes() == before


def test_a_file_that_differs_is_refused_and_nothing_is_touched(shelf: Shelf, vendor: Callable[..., Result]) -> None:
    vendor("--renew")
    before = shelf.listed.read_bytes()
    shelf.has["dist/here.js"] = b"something else"
    refused = vendor()
    assert refused.exit_code == 1
    assert "here-1.0.0: dist/here.js is sha384-" in refused.output
    assert "--renew" in refused.output
    assert shelf.faults() == []
    assert shelf.listed.read_bytes() == before
    assert vendor("--renew").exit_code == 0
    assert (shelf.places["page"] / "here-1.0.0" / "here.js").read_bytes() == b"something else"
    assert shelf.faults() == []


def test_a_new_version_takes_the_place_of_the_old(shelf: Shelf, vendor: Callable[..., Result]) -> None:
    vendor("--renew")
    shelf.listed.write_text(shelf.listed.read_text(encoding="utf-8").replace("1.0.0", "1.1.0"), encoding="utf-8")
    assert vendor().exit_code == 0
    assert shelf.faults() == []
    assert [folder.name for folder in shelf.places["page"].iterdir()] == ["here-1.1.0"]


def test_what_was_changed_taken_away_or_added_is_found(shelf: Shelf, vendor: Callable[..., Result]) -> None:
    vendor("--renew")
    folder = shelf.places["page"] / "here-1.0.0"
    (folder / "here.js").write_bytes(b"changed")
    (folder / "LICENSE").unlink()
    (folder / "more.js").write_bytes(b"added")
    assert shelf.faults() == [
        "LICENSE: is not there",
        "more.js: is not listed in vendor.toml",
        "here.js: is not what vendor.toml lists",
    ]
