"""Reading apart: a reader in a process of its own, so that reading has a core of its own.

Reading is half of a worker's work, and most of it holds the interpreter. Its model is there and not here, so that both
together take hardly more memory than one.
"""

import subprocess
import sys
import weakref
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from threading import Lock
from typing import BinaryIO, cast

import msgspec

from models.hazard import WEIGHTS
from models.reading import PostReading
from records import BrokenInvariant
from vigie.reader_process import Answer, Greeting, Question, read_frame, write_frame


class ReadingApart:
    """A reader that asks another process, started at once and used once it is ready.

    Shape   as the hazard model: one reading a text, in the same order. It answers in the order in which it is asked
    Errors  BrokenInvariant where the model cannot be used, or the process has ended
    """

    def __init__(self, folder: Path = WEIGHTS, *, is_exact: bool = False) -> None:
        try:
            self._process = subprocess.Popen(  # noqa: S603  the program is ourselves
                [sys.executable, "-m", "vigie.reader_process", str(folder), "exact" if is_exact else "fast"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,  # Ctrl-C reaches the worker
            )
        except OSError as error:
            raise BrokenInvariant(f"the process that reads posts cannot be started: {error}") from error
        self._asking = cast(BinaryIO, self._process.stdin)
        self._answering = cast(BinaryIO, self._process.stdout)
        self._asking_lock, self._lock = Lock(), Lock()
        self._asked = self._answered = 0  # questions, in their order
        self._answers: dict[int, bytes] = {}
        self._version = ""
        self._end = weakref.finalize(self, _end, self._process)

    @property
    def version(self) -> str:
        """What signals name it by; waits until it is ready."""
        if not self._version:
            self.get_ready()
        return self._version

    def get_ready(self) -> None:
        """Wait until its model is there."""
        with self._lock:
            if self._version:
                return
            greeting = msgspec.msgpack.decode(self._answer(), type=Greeting)
            if greeting.error:
                self._end()
                raise BrokenInvariant(greeting.error)
            self._version = greeting.version

    def read(self, texts: Sequence[str], langs: Sequence[str | None]) -> list[PostReading]:
        """Return one reading a text, in the same order."""
        return self.begin(texts, langs)()

    def begin(self, texts: Sequence[str], langs: Sequence[str | None]) -> Callable[[], list[PostReading]]:
        """Ask at once; what is returned waits for the readings."""
        if not self._version:
            self.get_ready()
        with self._asking_lock:
            try:
                write_frame(self._asking, Question(texts, langs))
            except OSError as error:
                raise self._gone() from error
            self._asked += 1
            return partial(self._readings, self._asked)

    def _readings(self, number: int) -> list[PostReading]:
        """Return the answer to one question; those to others that come first are kept for who asked."""
        with self._lock:
            while number not in self._answers:
                self._answers[self._answered + 1] = self._answer()
                self._answered += 1
            body = self._answers.pop(number)
        answer = msgspec.msgpack.decode(body, type=Answer)
        if answer.error:
            raise RuntimeError(f"reading failed: {answer.error}")
        return answer.readings

    def check(self) -> None:
        """Raise where it has ended, though nobody asks it anything."""
        if self._process.poll() is not None:
            raise self._gone()

    def close(self) -> None:
        """Let the process end."""
        self._end()

    def _answer(self) -> bytes:
        body = read_frame(self._answering)
        if body is None:
            raise self._gone()
        return body

    def _gone(self) -> BrokenInvariant:
        return BrokenInvariant(f"the process that reads posts has ended, with status {self._process.wait()}")


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Let a process end, which it does when nobody can ask it any more."""
    for pipe in (process.stdin, process.stdout):
        with suppress(BrokenPipeError):  # it has ended, and something was left to be said
            cast(BinaryIO, pipe).close()
    process.wait()
