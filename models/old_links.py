"""Old links: whether an address that a post gives says itself that its page is of long ago.

Newspapers and weblogs write the day into the address. Read is only what cannot well be anything else: year, month and
day (or year and month) as folders of the path, a date with hyphens, eight digits with something behind them. An id that
happens to look like a date stands at the end of a path, or is longer.
"""

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from urllib.parse import unquote

from models.links import LINK

OLD = timedelta(days=7)
"""A page that is older is no news of what happens now. Newspapers tell of a fire for days, and of a flood for a week,
under the address of its first day; what is shared again wrongly is weeks, mostly years, old."""

_EARLIEST = 1995  # newspapers on the web
_DATES = (
    re.compile(r"(?<=/)(?P<y>(?:19|20)\d\d)/(?P<m>\d{1,2})/(?P<d>\d{1,2})(?=[/-]|$)"),
    re.compile(r"(?<![\w-])(?P<y>(?:19|20)\d\d)-(?P<m>\d\d)-(?P<d>\d\d)(?![\d])"),
    re.compile(r"(?<=[a-z]-)(?P<y>(?:19|20)\d\d)-(?P<m>\d\d)-(?P<d>\d\d)(?!-?\d)"),
    re.compile(r"(?<=/)(?P<y>(?:19|20)\d\d)(?P<m>\d\d)(?P<d>\d\d)(?=/\w|[-_][a-z])"),
)
_MONTH = re.compile(r"(?<=/)(?P<y>(?:19|20)\d\d)/(?P<m>\d{1,2})(?=/|$)(?!/\d{1,2}(?:[/-]|$))")


def has_old_link(links: list[str], at: datetime) -> bool:
    """Tell whether one of some links leads, by its own address, to a page of more than `OLD` before.

    Where an address bears several dates the newest counts; one with a date of the future says nothing.
    """
    newest = (max(dates_in(link), default=None) for link in links)
    return any(day is not None and at.date() - day > OLD for day in newest)


def links_in(text: str) -> list[str]:
    """Return the links of a text."""
    if "://" not in text and "www." not in text.lower():
        return []
    return [link.rstrip(".,;:!?)]…") for link in LINK.findall(text)]


def dates_in(link: str) -> Iterator[date]:
    """Yield the dates that an address bears; of a month, its last day."""
    _, _, rest = link.partition("://") if "://" in link else ("", "", link)
    _, _, path = rest.partition("/")
    path = unquote(f"/{path}").lower()
    for pattern in _DATES:
        for found in pattern.finditer(path):
            yield from _day(int(found["y"]), int(found["m"]), int(found["d"]))
    for found in _MONTH.finditer(path):
        yield from _last_day(int(found["y"]), int(found["m"]))


def _day(year: int, month: int, day: int) -> Iterator[date]:
    if year >= _EARLIEST:
        try:
            yield date(year, month, day)
        except ValueError:  # such as 30 February: an id, then
            return


def _last_day(year: int, month: int) -> Iterator[date]:
    for first in _day(year, month, 1):
        yield (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
