"""Weight: how much each post behind an incident weighs beside the others, and how far they have got together.

Units   contributions in nats; likelihood ratios have none; `of_alert` and `of_watch` in parts of a threshold
"""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from records import Alert, Evidence

MUCH, SOME = 0.5, 0.1  # of what the heaviest post weighs
STRENGTHS = ((30.0, "very_strong"), (10.0, "strong"), (3.0, "fair"), (1.0, "weak"))


@dataclass(frozen=True)
class Weighed:
    """One post, with what it weighs beside the others."""

    post: Evidence
    rank: str  # most, much, some, little, nothing
    strength: str  # of its likelihood ratio: very_strong, strong, fair, weak, none
    host: str  # of its link; "" where it has none that may be followed


@dataclass(frozen=True)
class Standing:
    """How high the statistic stands."""

    of_alert: float
    of_watch: float


def weighed(evidence: Iterable[Evidence]) -> tuple[Weighed, ...]:
    """Return posts in order of weight, the heaviest first."""
    posts = sorted(evidence, key=lambda post: (-post.contribution, post.event_time, post.post_key))
    most = posts[0].contribution if posts else 0.0
    return tuple(
        Weighed(post, _rank(post.contribution, most, is_first=number == 0), strength_of(post), host_of(post.url))
        for number, post in enumerate(posts)
    )


def standing(alert: Alert) -> Standing | None:
    """Return how high the statistic stands beside its thresholds; None where the alert does not bear them."""
    bound_watch, bound_alert = (alert.thresholds.get(level, 0.0) for level in ("watch", "alert"))
    if not bound_watch or not bound_alert:
        return None
    of_alert = 10.0**alert.score
    return Standing(of_alert, of_alert * bound_alert / bound_watch)


def strength_of(post: Evidence) -> str:
    """Return how much a post says, in a word's code."""
    return next((word for least, word in STRENGTHS if post.likelihood_ratio > least), "none")


def host_of(url: str | None) -> str:
    """Return the host that a link leads to; "" where it is no link of the web."""
    try:
        found = urlsplit(url or "")
    except ValueError:
        return ""
    return found.hostname or "" if found.scheme in ("http", "https") else ""


def _rank(contribution: float, most: float, *, is_first: bool) -> str:
    if contribution <= 0.0:
        return "nothing"
    if is_first:
        return "most"
    return "much" if contribution >= MUCH * most else "some" if contribution >= SOME * most else "little"
