"""Message maps on disk: the one that comes with Vigie, one's own over it, and what is wrong with it."""

import tomllib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from console.messages.map_checking import findings_in
from console.messages.map_shape import Finding, MapFile, own_map, read_entries
from console.messages.message_map import MessageMap, map_of
from console.messages.toml_lines import TomlLines
from records import SettingsError

SHIPPED = Path(__file__).with_name("shipped")


class UnusableMap(SettingsError):
    """A message map has problems, each with its file, its line and its mend."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__("\n".join(str(finding) for finding in findings))
        self.findings = tuple(findings)


@cache
def shipped_map() -> MessageMap:
    """Return the map that comes with Vigie."""
    return _map_in(SHIPPED, map_of(()))


def load_map(own: Path | None = None) -> MessageMap:
    """Return the map that comes with Vigie, with what a file or folder of one's own replaces by id, or adds.

    Errors  UnusableMap, with all problems at once; SettingsError when there is nothing to read
    """
    return shipped_map() if own is None else shipped_map().with_own(_map_in(own, shipped_map()))


def check_map(path: Path) -> list[Finding]:
    """Return what is wrong with a map of one's own: a file, or all `.toml` files of a folder.

    Errors  SettingsError when there is nothing to read
    """
    base = map_of(()) if path.resolve() == SHIPPED else shipped_map()
    files, unread = _files_in(path)
    return unread + findings_in(files, base)


def _map_in(path: Path, base: MessageMap) -> MessageMap:
    files, unread = _files_in(path)
    findings = unread + findings_in(files, base)
    if findings:
        raise UnusableMap(findings)
    return own_map([entry for file in files for entry in read_entries(file)[0]])


def _files_in(path: Path) -> tuple[list[MapFile], list[Finding]]:
    names = sorted(path.glob("*.toml")) if path.is_dir() else [path]
    if not names:
        raise SettingsError(f"{path}: no file in it ends in .toml; put the map there, or name another folder")
    files: list[MapFile] = []
    unread: list[Finding] = []
    for name in names:
        read = _read(name)
        if isinstance(read, MapFile):
            files.append(read)
        else:
            unread.append(read)
    return files, unread


def _read(file: Path) -> MapFile | Finding:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        return Finding(str(file), line, "is not text in UTF-8", "save it again as UTF-8")
    except OSError as error:
        raise SettingsError(f"{file}: cannot be read: {error.strerror}; name a file or folder of a map") from error
    try:
        return MapFile(str(file), tomllib.loads(text), TomlLines(text))
    except (ValueError, RecursionError) as error:  # a number of thousands of digits is no TOMLDecodeError
        what, _, place = str(error).removesuffix(")").partition(" (at line ")
        line = int(place.partition(",")[0]) if place[:1].isdigit() else max(text.count("\n"), 1)
        return Finding(str(file), line, f"is not TOML: {what}", "mend that line; texts need quotes, tables [brackets]")
