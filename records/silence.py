"""Silence: which notifications somebody does not want for a while, and why. It closes nothing and hides nothing."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from records.post import NonEmpty
from records.time import Instant

LONGEST = timedelta(days=7)
"""A silence is to be looked at again after that: what is muted for longer was forgotten."""
MOST_WORDS = 300  # characters of a reason


class Matcher(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One condition on a label, as Alertmanager has it; a label that is not there counts as empty."""

    name: NonEmpty
    value: str
    is_regex: bool = False  # of the whole value
    is_equal: bool = True

    @property
    def sign(self) -> str:
        """How it compares: = or !=, =~ or !~."""
        first = "=" if self.is_equal else "!"
        return first + ("~" if self.is_regex else "" if self.is_equal else "=")

    def fits(self, labels: Mapping[str, str]) -> bool:
        """Tell whether labels fulfil it; a pattern that is none fits nothing."""
        found = labels.get(self.name, "")
        if not self.is_regex:
            return (found == self.value) == self.is_equal
        try:
            return (re.fullmatch(self.value, found) is not None) == self.is_equal
        except re.error:
            return False


class Silence(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, tag="silence"):
    """One silence; made again under the same id, the latest one holds, and one that ends at once ends it."""

    silence_id: NonEmpty
    matchers: tuple[Matcher, ...]
    author: NonEmpty  # a role or an account of the crisis cell
    reason: NonEmpty
    starts_at: Instant
    ends_at: Instant
    made_at: Instant
    origin: str = ""  # the receiver that it was read from, and that alone goes by it; "": ours

    @property
    def key(self) -> str:
        """What it is known by."""
        return f"silence/{self.silence_id}"

    def holds(self, labels: Mapping[str, str], now: datetime) -> bool:
        """Tell whether it keeps a notification with these labels back at a moment."""
        is_on = self.starts_at <= now < self.ends_at
        return is_on and bool(self.matchers) and all(matcher.fits(labels) for matcher in self.matchers)
