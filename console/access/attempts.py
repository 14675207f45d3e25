"""Attempts: how often a password may be tried, by whom, without letting a stranger lock somebody out.

Three buckets: of an account from one address, of an address, and of an account from everywhere. The last one, which
strangers could keep empty, does not count where the account has logged in from before.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime
from unicodedata import normalize

from console.access.pace import MOST_KEYS, Buckets, Pace

HERE = Pace(burst=5, per_second=1 / 30)  # one account from one address
FROM_ADDRESS = Pace(burst=20, per_second=1 / 10)
EVERYWHERE = Pace(burst=50, per_second=1 / 6)  # one account: at most 14 400 a day, from however many addresses


@dataclass
class Attempts:
    """What was tried so far; kept in memory alone."""

    _here: Buckets = field(default_factory=lambda: Buckets(HERE))
    _address: Buckets = field(default_factory=lambda: Buckets(FROM_ADDRESS))
    _everywhere: Buckets = field(default_factory=lambda: Buckets(EVERYWHERE))
    _known: OrderedDict[str, None] = field(default_factory=OrderedDict)

    def wait_before(self, name: str, address: str, now: datetime) -> float:
        """Count an attempt; return 0.0, or the seconds to wait before it may be made.

        Shape   whether there is an account of this name makes no difference
        """
        asked = self._buckets(name, address)
        wait = max(buckets.wait(key, now) for buckets, key in asked)
        if not wait:  # what is refused anyway takes nothing away from others
            for buckets, key in asked:
                buckets.take(key, now)
        return wait

    def succeeded(self, name: str, address: str, now: datetime) -> None:
        """Take note that it was the right password: it was no guess, and the address is one of the account's."""
        for buckets, key in self._buckets(name, address):
            buckets.give_back(key, now)
        self._known[_pair(name, address)] = None
        self._known.move_to_end(_pair(name, address))
        if len(self._known) > MOST_KEYS:
            self._known.popitem(last=False)

    def _buckets(self, name: str, address: str) -> list[tuple[Buckets, str]]:
        pair = _pair(name, address)
        found = [(self._here, pair), (self._address, address)]
        return found if pair in self._known else [*found, (self._everywhere, _plain(name))]


def _pair(name: str, address: str) -> str:
    return f"{address} {_plain(name)}"


def _plain(name: str) -> str:
    return " ".join(normalize("NFKC", name[:256]).split()).casefold()
