"""Unnaming: a recording forgets whose post something was, and keeps that somebody said it.

The author of a post that was taken back gets a name that means nothing, in the whole file that holds the post: so what
counted as one voice is one voice still, and nobody can tell whose. An author who has left gets one in all files.

Shape   a table in, the table without the names out; run again, it finds nothing
Source  the promise of docs/invariants.md 5
"""

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from msgspec.structs import replace

from records import Statement, Verdict, decode, encode
from streams.topics import OnSignals
from vigie.recording import SAID

COLUMNS = ("kind", "partition", "post_key", "author_id", "cluster_ids", "said")
"""What has to be looked at to know whether a table holds a name."""
NOBODY = "removed:"
"""What names begin with that mean nothing."""
ROOT = "r:"
"""Before the native id of a post in what another one shares with it, as `models.near_duplicate.content_ids` has it."""


def nobody() -> str:
    """Return a name that stands for one post or author, and for nobody who could be found."""
    return NOBODY + secrets.token_hex(8)


@dataclass
class Names:
    """What is to be forgotten, and what stands for it from then on."""

    posts: dict[str, str] = field(default_factory=dict)
    authors: dict[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.posts or self.authors)

    @property
    def roots(self) -> dict[str, str]:
        """Return how other posts name these, by the ids that their platforms gave them."""
        return {ROOT + key.partition(":")[2]: ROOT + name for key, name in self.posts.items()}

    def take(self, *, posts: Iterable[str] = (), authors: Iterable[str] = ()) -> None:
        """Give posts and authors names that mean nothing, where they have none yet."""
        for known, new in ((self.posts, posts), (self.authors, authors)):
            for name in new:
                if name and not name.startswith(NOBODY):
                    known.setdefault(name, nobody())


def holding(table: pa.Table, posts: Iterable[str], authors: Iterable[str]) -> set[tuple[int, str]]:
    """Return which of some posts and authors have rows in a table, each with the partition of the row."""
    found: set[tuple[int, str]] = set()
    for column, names in (("post_key", posts), ("author_id", authors)):
        rows = table.filter(pc.is_in(table[column], _texts(names)))
        found.update(zip(rows["partition"].to_pylist(), rows[column].to_pylist(), strict=True))
    return found


def posts_of(table: pa.Table, authors: Iterable[str]) -> set[str]:
    """Return the posts of some authors."""
    return set(table.filter(pc.is_in(table["author_id"], _texts(authors)))["post_key"].to_pylist()) - {"", None}


def is_named_in(table: pa.Table, names: Names) -> bool:
    """Tell whether a table holds any of some names: as a post or author, or in what others share or decided."""
    shared = pc.list_flatten(table["cluster_ids"])
    return bool(
        pc.any(pc.is_in(table["post_key"], _texts(names.posts))).as_py()
        or pc.any(pc.is_in(table["author_id"], _texts(names.authors))).as_py()
        or pc.any(pc.is_in(shared, _texts(names.roots))).as_py()
        or any(_split_posts(said) & names.posts.keys() for said in _said_in(table))
    )


def unnamed(table: pa.Table, names: Names) -> pa.Table:
    """Return a whole table without some names, and without those of the authors of these posts."""
    here = Names(names.posts, dict(names.authors))
    of_posts = table.filter(pc.is_in(table["post_key"], _texts(names.posts)))
    here.take(authors=(one for one in of_posts["author_id"].to_pylist() if one))
    table = _changed(table, "post_key", lambda column: _mapped(column, here.posts))
    table = _changed(table, "author_id", lambda column: _mapped(column, here.authors))
    table = _changed(table, "cluster_ids", lambda column: _mapped_lists(column, here.roots))
    return _changed(table, "said", lambda column: _mapped_said(column, here.posts))


def with_passing_authors(table: pa.Table) -> pa.Table:
    """Return a table whose authors have names that are good for this table alone."""
    names = Names()
    names.take(authors=(one for one in pc.unique(table["author_id"]).to_pylist() if one))
    return _changed(table, "author_id", lambda column: _mapped(column, names.authors))


def _texts(names: Iterable[str]) -> pa.Array:
    return pa.array(list(names), pa.string())


def _changed(table: pa.Table, name: str, change: Callable[[pa.Array], pa.Array]) -> pa.Table:
    index = table.schema.get_field_index(name)
    return table.set_column(index, table.schema.field(index), change(table[name].combine_chunks()))


def _mapped(column: pa.Array, names: Mapping[str, str]) -> pa.Array:
    if not names:
        return column
    alike = column.dictionary_encode()
    return pa.array([names.get(one, one) for one in alike.dictionary.to_pylist()], pa.string()).take(alike.indices)


def _mapped_lists(column: pa.Array, names: Mapping[str, str]) -> pa.Array:
    if not names:
        return column
    kept: list[Any] = [one and [names.get(name, name) for name in one] for one in column.to_pylist()]
    return pa.array(kept, column.type)


def _mapped_said(column: pa.Array, posts: Mapping[str, str]) -> pa.Array:
    said = column.to_pylist()
    if not any(one and _split_posts(one) & posts.keys() for one in said):
        return column
    return pa.array([one and _said_without(one, posts) for one in said], column.type)


def _said_in(table: pa.Table) -> list[str]:
    return list(table.filter(pc.equal(table["kind"], SAID))["said"].to_pylist())


def _said_without(said: str, posts: Mapping[str, str]) -> str:
    if not _split_posts(said) & posts.keys():
        return said
    statement: Statement = decode(said.encode(), OnSignals)
    verdict: Any = statement.said
    keys = tuple(posts.get(key, key) for key in verdict.post_keys)
    return encode(replace(statement, said=replace(verdict, post_keys=keys))).decode()


def _split_posts(said: str) -> set[str]:
    """Return the posts that a decision names: one that splits an incident does."""
    if '"post_keys"' not in said:
        return set()
    record = msgspec.json.decode(said, type=OnSignals)
    is_verdict = isinstance(record, Statement) and isinstance(record.said, Verdict)
    return set(record.said.post_keys) if is_verdict else set()
