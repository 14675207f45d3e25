"""Verdict lessons: what people decided of incidents, as lessons on what their posts say."""

from collections.abc import Sequence

from models.lessons import Lesson
from models.links import without_links
from records import HAZARDS
from records.decided_post import DecidedPost


def lessons_from_verdicts(posts: Sequence[DecidedPost]) -> list[Lesson]:
    """Return decided posts as lessons, in an order that does not depend on theirs.

    A confirmed incident says what its posts speak of, and nothing of what else they speak of; one that was rejected for
    what its posts say speaks of no danger at all.
    """
    return [_lesson_from(post) for post in sorted(posts, key=lambda one: (one.known_by, one.group))]


def _lesson_from(post: DecidedPost) -> Lesson:
    is_true = post.decided_as == "confirmed"
    return Lesson(
        text=without_links(post.text),
        group=f"verdict/{post.group}",
        weight=post.weight,
        hazards={hazard: _said(hazard == post.hazard) if is_true else False for hazard in HAZARDS},
        actuality=post.actuality,
    )


def _said(is_it: bool) -> bool | None:  # noqa: FBT001  what was compared
    return True if is_it else None
