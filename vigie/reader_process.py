"""The process that reads posts for a worker: one model, questions on standard input, answers on standard output.

Shape   frames of four bytes of length and MessagePack; first what it reads by, or why it cannot, then one answer a
        question. It ends when its input ends, and by no signal: the worker finishes what it has begun
"""

import signal
import struct
import sys
from collections.abc import Sequence
from os import dup, dup2, fdopen
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import BinaryIO

import msgspec

from models.reading import PostReading

LENGTH = struct.Struct(">I")


class Question(msgspec.Struct, array_like=True):
    """Texts to read, with the languages that their platforms name."""

    texts: Sequence[str]
    langs: Sequence[str | None]


class Answer(msgspec.Struct, array_like=True):
    """One reading a text; or what went wrong."""

    readings: list[PostReading] = []
    error: str = ""


class Greeting(msgspec.Struct, array_like=True):
    """By which model it reads; or why it cannot."""

    version: str = ""
    error: str = ""


def write_frame(file: BinaryIO, value: msgspec.Struct) -> None:
    """Write one value, whole."""
    body = msgspec.msgpack.encode(value)
    file.write(LENGTH.pack(len(body)) + body)
    file.flush()


def read_frame(file: BinaryIO) -> bytes | None:
    """Return the bytes of one value; None where the other side has ended."""
    head = file.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(head)
    body = file.read(length)
    return body if len(body) == length else None


def _take_in(asking: BinaryIO, questions: "SimpleQueue[bytes | None]") -> None:
    """Take in what is asked while something is read, so that whoever asks never waits for a pipe to have room."""
    while (body := read_frame(asking)) is not None:
        questions.put(body)
    questions.put(None)


def main(folder: str, is_exact: str) -> None:
    """Answer until there is nobody who asks."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    asking, answering = sys.stdin.buffer, fdopen(dup(1), "wb")
    dup2(2, 1)  # whatever else is printed is none of the answers
    from vigie.loading import loading  # noqa: PLC0415  signals first

    with loading():
        from models.hazard import HazardModel  # noqa: PLC0415  takes a second
        from records import BrokenInvariant  # noqa: PLC0415
        from vigie.one_by_one import OneByOne  # noqa: PLC0415
        from vigie.remembered import Remembered  # noqa: PLC0415

        try:
            model = HazardModel.load(Path(folder))
        except BrokenInvariant as error:
            write_frame(answering, Greeting(error=str(error)))
            return
        reader = Remembered(OneByOne(model) if is_exact == "exact" else model)
    write_frame(answering, Greeting(version=reader.version))
    questions: SimpleQueue[bytes | None] = SimpleQueue()
    Thread(target=_take_in, args=(asking, questions), daemon=True).start()
    while (body := questions.get()) is not None:
        asked = msgspec.msgpack.decode(body, type=Question)
        try:
            answer = Answer(reader.read(asked.texts, asked.langs))
        except Exception as error:  # noqa: BLE001  a bug in the model must not cost the worker
            answer = Answer(error=repr(error))
        write_frame(answering, answer)


if __name__ == "__main__":
    main(*sys.argv[1:])
