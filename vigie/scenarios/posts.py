"""The table `posts.tsv`: what people post in a scenario, a post a line, tabs between the cells.

Shape   columns time, source, author, text, and where they are of use id, marks and happening, in any order. Times are
        those of the clock, "12:15:00", with the day before them after the first: "+1 00:10". Marks: image or video,
        press, official, operator or volunteer; @x passes on, ~x quotes, >x answers, where x is a post's id, or an
        author whose last post is meant
Errors  none: problems are returned, each with file, line and what would do
"""

import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from records import SettingsError
from vigie.settings import Problem

Posts = list[dict[str, Any]]

NEEDED = ("time", "source", "author", "text")
COLUMNS = ("id", *NEEDED, "marks", "happening")
MEDIA = frozenset({"image", "video"})
KINDS = frozenset({"press", "official", "operator", "volunteer"})
LEADING = {"@": "repost_of", "~": "quote_of", ">": "reply_to"}
LONGEST = 10_000
LETTER = "e"  # the ids of posts that give none begin with it
SOURCE = re.compile(r"[a-z][a-z0-9_-]{0,31}")


class Written(NamedTuple):
    """A post as the table has it: in the plain shape of recordings, `happening` beside it."""

    line: int
    post: dict[str, Any]


def read_posts(path: Path, at: Callable[[str], datetime]) -> tuple[list[Written], list[Problem]]:
    """Return the posts of a table, and all that is wrong with the others."""
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except OSError as error:
        return [], [Problem(str(path), f"cannot be read: {error.strerror}", "give a file that this user may read")]
    except UnicodeDecodeError as error:
        return [], [Problem(str(path), f"is not text in UTF-8: {error.reason}", "save it again as UTF-8")]
    columns = lines[0].rstrip("\r").split("\t")
    unknown = [name for name in columns if name not in COLUMNS]
    if unknown or not set(NEEDED) <= set(columns) or len(set(columns)) < len(columns):
        hint = f"name {', '.join(NEEDED)}, and id, marks and happening where needed, with tabs between them"
        return [], [Problem(f"{path}: line 1", f"the columns are {' '.join(columns) or 'not named'}", hint)]
    posts: Posts = []
    found: list[Written] = []
    problems: list[Problem] = []
    for number, line in enumerate(lines[1:], 2):
        if line.strip():
            try:
                posts.append(_post_from(_row(line.rstrip("\r"), columns), number - 1, at, posts))
                found.append(Written(number, posts[-1]))
            except SettingsError as error:
                what, _, hint = str(error).partition("; ")
                problems.append(Problem(f"{path}: line {number}", what, hint))
    return found, problems


def _row(line: str, columns: list[str]) -> dict[str, str]:
    cells = line.split("\t")
    if len(cells) != len(columns):
        raise SettingsError(f"{len(cells)} cells; give {len(columns)}, with tabs between them: {', '.join(columns)}")
    return dict.fromkeys(COLUMNS, "") | dict(zip(columns, cells, strict=True))


def _post_from(row: dict[str, str], number: int, at: Callable[[str], datetime], before: Posts) -> dict[str, Any]:
    post_id = row["id"] or f"{LETTER}{number:04}"
    if any(post["id"] == post_id for post in before):
        raise SettingsError(f"id {post_id!r} stands twice; give each post one of its own, or none")
    if not SOURCE.fullmatch(row["source"]):
        raise SettingsError(f"source {row['source']!r}; give a platform's name, a-z 0-9 _ -")
    if not row["author"].strip():
        raise SettingsError("no author; give an invented name")
    if not 0 < len(row["text"].strip()) <= LONGEST:
        raise SettingsError(f"a text of {len(row['text'])} characters; give 1 to {LONGEST}")
    post: dict[str, Any] = {
        "id": post_id,
        "ts": at(row["time"]).isoformat(),
        **{name: row[name] for name in ("source", "author", "text")},
    }
    for mark in row["marks"].split():
        post |= _marked(mark, before)
    return post | ({"happening": row["happening"]} if row["happening"] else {})


def _marked(mark: str, before: Posts) -> dict[str, Any]:
    if mark in MEDIA:
        return {"media": [{"type": mark}]}
    if mark in KINDS:
        return {"author_kind": mark}
    if mark[0] not in LEADING:
        known = ", ".join((*sorted(MEDIA), *sorted(KINDS), *(f"{sign}x" for sign in LEADING)))
        raise SettingsError(f"mark {mark!r}; give one of {known}")
    other = mark[1:]
    found = next((post for post in before if post["id"] == other), None) or next(
        (post for post in reversed(before) if post["author"] == other), None
    )
    if found is None:
        raise SettingsError(f"mark {mark!r}: no post above has this id or author; name one that stands above")
    return {LEADING[mark[0]]: found["id"]}
