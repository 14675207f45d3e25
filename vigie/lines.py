"""JSON lines in, JSON lines out: what `classify` and `locate` share."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import msgspec

from records import SettingsError

BATCH = 64
SOME_BAD, NOTHING_READ = 1, 2  # exit status
_BOM = b"\xef\xbb\xbf"

Answer = Callable[[Sequence["Question"]], Iterable[dict[str, Any]]]


class _Unreadable(Exception):
    """The input cannot be read, or no further."""


class Question(msgspec.Struct, frozen=True):
    """One line of input; what else it holds is not looked at."""

    id: str | int
    text: str
    lang: str | None = None


def answer_lines(path: Path | None, answer: Answer, *, out: IO[bytes], errors: IO[str]) -> int:
    """Answer each line in order; name bad ones with file and line number; return the exit status."""
    name = str(path) if path else "standard input"
    good = bad = 0
    try:
        for batch in _batches(_lines(path)):
            questions: list[Question] = []
            for number, line in batch:
                try:
                    questions.append(msgspec.json.decode(line, type=Question))
                except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                    bad += 1
                    print(f"{name}: line {number}: {error}", file=errors)
            _write(out, answer(questions))
            good += len(questions)
    except _Unreadable as error:
        print(f"{name}: {error}", file=errors)
        return NOTHING_READ
    if bad:
        print(f"{name}: {bad} bad lines of {good + bad}", file=errors)
    elif not good:
        print(f"{name}: nothing to read", file=errors)
    return _status(good, bad)


def _write(out: IO[bytes], rows: Iterable[dict[str, Any]]) -> None:
    try:
        for row in rows:
            out.write(msgspec.json.encode(row) + b"\n")
        out.flush()
    except BrokenPipeError:
        raise  # nobody reads any more: click ends the command without a word
    except OSError as error:
        raise SettingsError(f"output: {error.strerror}: write it where there is room") from error


def _status(good: int, bad: int) -> int:
    if not good:
        return NOTHING_READ
    return SOME_BAD if bad else 0


def _lines(path: Path | None) -> Iterator[tuple[int, bytes]]:
    try:
        if path is None:
            yield from _numbered(sys.stdin.buffer)
            return
        with path.open("rb") as file:
            yield from _numbered(file)
    except OSError as error:
        raise _Unreadable(error.strerror) from error


def _numbered(file: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    for number, line in enumerate(file, 1):
        value = line.removeprefix(_BOM) if number == 1 else line
        if value.strip():
            yield number, value


def _batches(lines: Iterable[tuple[int, bytes]]) -> Iterator[list[tuple[int, bytes]]]:
    batch: list[tuple[int, bytes]] = []
    for line in lines:
        batch.append(line)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
