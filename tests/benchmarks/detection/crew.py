"""Crew: the processes that share the work; one is nobody but ourselves."""

from collections.abc import Callable, Iterator, Sequence
from multiprocessing import get_context
from typing import TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")


class Crew:
    """Does jobs, several at a time, and gives their results in order; the same ones however many share the work."""

    def __init__(self, processes: int = 1) -> None:
        self._pool = get_context("fork").Pool(processes) if processes > 1 else None

    def results(self, work: Callable[[Job], Result], jobs: Sequence[Job]) -> Iterator[Result]:
        """Return what the work makes of each job."""
        return map(work, jobs) if self._pool is None else self._pool.imap(work, jobs)

    def close(self) -> None:
        """Let the processes go."""
        if self._pool is not None:
            self._pool.close()
            self._pool.join()
