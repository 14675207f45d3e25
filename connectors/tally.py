"""Tally: counts what a source read, by minute, language and outcome, and makes the pulses of it."""

from collections import Counter
from datetime import datetime

from connectors.contract import Outcome
from records import Pulse

MAX_LANGUAGES = 40
"""Languages counted apart in one minute; what people claim to write in is theirs to choose, the rest is `other`."""

_CODE_LENGTHS = (2, 3)


def language_of(tag: str | None) -> str:
    """Return the primary language of a BCP 47 tag, "" where there is none to speak of."""
    if not tag:
        return ""
    code = tag.partition("-")[0].lower()
    return code if len(code) in _CODE_LENGTHS and code.isascii() and code.isalpha() else ""


class Tally:
    """The counts of one source.

    Shape   counts in, pulses out once their minute is over; their outcomes add up to all that was counted
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._minute: datetime | None = None
        self._counts: dict[str, Counter[str]] = {}

    def add(self, language: str, outcome: Outcome, values: int) -> None:
        """Count values that were read."""
        if language not in self._counts and len(self._counts) >= MAX_LANGUAGES:
            language = "other"
        self._counts.setdefault(language, Counter())[outcome] += values

    def turn(self, now: datetime, *, is_listening: bool) -> list[Pulse]:
        """Return the pulses of the minute that has ended, if one has.

        A quiet minute gives one empty pulse, a sign of life, unless the source could not be read.
        """
        minute = now.replace(second=0, microsecond=0)
        if self._minute is None:
            self._minute = minute
        if minute <= self._minute:
            return []
        pulses = self.rest(is_listening=is_listening)
        self._minute = minute
        return pulses

    def rest(self, *, is_listening: bool) -> list[Pulse]:
        """Return the pulses of the minute under way and start it anew."""
        if self._minute is None:
            return []
        counts, self._counts = self._counts, {}
        if not counts and is_listening:
            counts = {"": Counter()}
        return [
            Pulse(
                source=self._source,
                minute=self._minute,
                language=language,
                area="",
                outcomes=dict(sorted(outcomes.items())),
            )
            for language, outcomes in sorted(counts.items())
        ]
