"""Facebook versions: as what posts were handed over, so that an edit is told as one and nothing comes back.

All is kept in memory: the oldest give way, and a restart forgets all.
"""

from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from records import Post

MAX_SEEN = 20_000
Change = Literal["new", "changed"]


class Memory:
    """What the two ways know of each other: what was taken down, and what the webhook has handed over.

    Facebook may tell that a post was put up after, or again after, it tells that it was taken down.
    """

    def __init__(self, *, keep: timedelta = timedelta(hours=36), limit: int = 10_000) -> None:
        self._keep = keep
        self._limit = limit
        self._gone: OrderedDict[str, datetime] = OrderedDict()
        self._heard: OrderedDict[str, int] = OrderedDict()

    def remove(self, post_id: str, now: datetime) -> None:
        """Note that a post is gone."""
        self._gone.pop(post_id, None)
        self._gone[post_id] = now
        while self._gone:
            oldest = next(iter(self._gone))
            if len(self._gone) <= self._limit and now - self._gone[oldest] <= self._keep:
                break
            del self._gone[oldest]

    def restore(self, post_id: str) -> None:
        """Note that a post is back."""
        self._gone.pop(post_id, None)

    def is_gone(self, post_id: str, now: datetime) -> bool:
        """Tell whether a post was taken down."""
        since = self._gone.get(post_id)
        return since is not None and now - since <= self._keep

    def note(self, post: Post) -> None:
        """Note that a post was handed over, or was none of the gate's concern."""
        self._heard.pop(post.id, None)
        self._heard[post.id] = mark_of(post)
        if len(self._heard) > self._limit:
            self._heard.popitem(last=False)

    def mark(self, post_id: str) -> int | None:
        """Return what a post looked like when it was handed over, or None where it was not."""
        return self._heard.get(post_id)


def mark_of(post: Post) -> int:
    """Return what a post looks like, to tell whether it has changed."""
    return hash((post.verb == "delete", post.text, post.media))


class Version(NamedTuple):
    """What a piece of a listing looked like when it was last found, and as what it was handed over then."""

    mark: int
    change: Change | None  # None: it was not handed over
    after: int  # the cursor that was read on from when it was first found so
    is_due: bool = False  # whether it has arrived is not known: to be handed over again


class Seen:
    """What the poll has found, across its failures, so that only news is handed over."""

    def __init__(self, limit: int = MAX_SEEN) -> None:
        self._limit = limit
        self._since = 0
        self._versions: OrderedDict[str, Version] = OrderedDict()

    def resume(self, *, after: int, since: int) -> None:
        """Read on from a cursor: what was found after it is due again, what was written before `since` is not new."""
        self._since = since
        for key, version in self._versions.items():
            self._versions[key] = version._replace(is_due=version.after >= after)

    def change(self, key: str, mark: int, *, written: int, after: int, told: int | None) -> Change | None:
        """Tell as what to hand over what was found; `told` is its mark as the webhook handed it over."""
        before = self._versions.pop(key, None)
        if before is not None and before.mark == mark:
            self._versions[key] = before._replace(is_due=False)
            return before.change if before.is_due else None
        change: Change | None = None
        if before is not None or told is not None:
            change = None if told == mark else "changed"
        elif written >= self._since:
            change = "new"
        self._versions[key] = Version(mark, change, after)
        if len(self._versions) > self._limit:
            self._versions.popitem(last=False)
        return change
