"""Report: what somebody who fills in a report states (hazard, how sure, seen or not), as tags of its post."""

from typing import Literal, NamedTuple, cast, get_args

from records.post import Post
from records.signal import Hazard

Credibility = Literal["high", "medium", "low"]

CREDIBILITIES: tuple[Credibility, ...] = get_args(Credibility)
FIRST_HAND = "first_hand"
_SAID, _CREDIBILITY = "said:", "credibility:"


class Report(NamedTuple):
    """What a report states beside its words: nobody has to read that out of them."""

    hazard: Hazard
    credibility: Credibility = "medium"
    is_first_hand: bool = False  # whoever tells it saw, heard or smelt it

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags that its post bears."""
        seen = (FIRST_HAND,) if self.is_first_hand else ()
        return (f"{_SAID}{self.hazard}", f"{_CREDIBILITY}{self.credibility}", *seen)


def report_in(post: Post) -> Report | None:
    """Return what a post states as a report; None where it is none, or comes from who is not trusted.

    Shape   of tags that are there twice the first holds; those that nobody here makes say nothing
    """
    if not post.is_trusted:
        return None
    hazard = _first(post.rule_tags, _SAID, get_args(Hazard))
    if hazard is None:
        return None
    credibility = _first(post.rule_tags, _CREDIBILITY, CREDIBILITIES) or "medium"
    return Report(cast(Hazard, hazard), cast(Credibility, credibility), FIRST_HAND in post.rule_tags)


def _first(tags: tuple[str, ...], prefix: str, known: tuple[str, ...]) -> str | None:
    said = (tag.removeprefix(prefix) for tag in tags if tag.startswith(prefix))
    return next((one for one in said if one in known), None)
