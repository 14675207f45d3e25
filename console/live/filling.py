"""Filling: whether the archive has all yet that stood on the topics when we began to read them; what is not, may be."""

from collections.abc import Iterable


class Filling:
    """Which topics are still read up to where they ended."""

    def __init__(self) -> None:
        self._behind: set[str] = set()

    def begin(self, topics: Iterable[str]) -> None:
        """Begin to read topics from their beginning."""
        self._behind = set(topics)

    def caught_up(self, topic: str) -> None:
        """Take note that one of them was read."""
        self._behind.discard(topic)

    @property
    def is_over(self) -> bool:
        """Whether all of them were read."""
        return not self._behind
