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
POINT = "point:"
"""Before a position that is a place of its own, far from any that has a name."""
BLURRED_DIGITS, BLURRED_KM = 2, 1.0
STAFF = ("decided_by", "proposed_by", "approved_by")
"""Where it stands who of the cell decided something."""
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
        return {_root_of(key): ROOT + name for key, name in self.posts.items()}

    def take(self, *, posts: Iterable[str] = (), authors: Iterable[str] = ()) -> None:
        """Give posts and authors names that mean nothing, where they have none yet."""
        for known, new in ((self.posts, posts), (self.authors, authors)):
            for name in new:
                if name and not name.startswith(NOBODY):
                    known.setdefault(name, nobody())


class Sought:
    """Names that many tables are looked through for."""

    def __init__(self, posts: Iterable[str], authors: Iterable[str]) -> None:
        self._keys = frozenset(posts) - {""}
        self._posts = _texts(self._keys)
        self._authors = _texts(frozenset(authors) - {""})
        self._roots = _texts(_root_of(key) for key in self._keys)

    def held_by(self, table: pa.Table) -> set[tuple[int, str]]:
        """Return which of them have rows in a table, as posts and as authors, each with the partition of the row."""
        found: set[tuple[int, str]] = set()
        for column, names in (("post_key", self._posts), ("author_id", self._authors)):
            rows = table.filter(pc.is_in(table[column], names))
            found.update(zip(rows["partition"].to_pylist(), rows[column].to_pylist(), strict=True))
        return found

    def posts_in(self, table: pa.Table) -> set[str]:
        """Return the posts of these authors."""
        return set(table.filter(pc.is_in(table["author_id"], self._authors))["post_key"].to_pylist()) - {"", None}

    def are_in(self, table: pa.Table) -> bool:
        """Tell whether a table holds any of them: as a post or author, or in what others share or decided."""
        shared = pc.list_flatten(table["cluster_ids"])
        return bool(
            pc.any(pc.is_in(table["post_key"], self._posts)).as_py()
            or pc.any(pc.is_in(table["author_id"], self._authors)).as_py()
            or pc.any(pc.is_in(shared, self._roots)).as_py()
            or any(_split_posts(said) & self._keys for said in _said_in(table))
        )


def unnamed(table: pa.Table, names: Names) -> pa.Table:
    """Return a whole table without some names, and without those of the authors of these posts."""
    here = Names(names.posts, dict(names.authors))
    of_posts = pc.is_in(table["post_key"], _texts(names.posts))
    here.take(authors=(one for one in table.filter(of_posts)["author_id"].to_pylist() if one))
    table = _blurred(table, pc.and_(of_posts, pc.equal(table["place.source"], "geotag")))
    table = _changed(table, "post_key", lambda column: _mapped(column, here.posts))
    table = _changed(table, "author_id", lambda column: _mapped(column, here.authors))
    table = _changed(table, "cluster_ids", lambda column: _mapped_lists(column, here.roots))
    return _changed(table, "said", lambda column: _mapped_said(column, here.posts))


def _blurred(table: pa.Table, rows: pa.ChunkedArray) -> pa.Table:
    """Return a table whose rows of some, which say where somebody stood, say so to a kilometre."""
    if not pc.any(rows).as_py():
        return table
    columns = {
        name: table[f"place.{name}"].to_pylist() for name in ("place_id", "name", "lat", "lon", "radius_km", "h3")
    }
    for row, is_of_somebody in enumerate(rows.to_pylist()):
        if not is_of_somebody:
            continue
        lat, lon = (round(columns[name][row], BLURRED_DIGITS) for name in ("lat", "lon"))
        said = {"lat": lat, "lon": lon, "radius_km": max(columns["radius_km"][row], BLURRED_KM), "h3": None}
        if columns["place_id"][row].startswith(POINT):
            said |= {"place_id": f"{POINT}{lat:.2f},{lon:.2f}", "name": f"{lat:.2f}, {lon:.2f}"}
        for name, value in said.items():
            columns[name][row] = value
    for name, values in columns.items():
        index = table.schema.get_field_index(f"place.{name}")
        column = table.schema.field(index)
        table = table.set_column(index, column, pa.array(values, column.type))
    return table


def for_others(table: pa.Table) -> pa.Table:
    """Return a table as others may have it: authors and staff have names that are good for this table alone."""
    names = Names()
    names.take(authors=(one for one in pc.unique(table["author_id"]).to_pylist() if one))
    staff: dict[str, str] = {}
    table = _changed(table, "author_id", lambda column: _mapped(column, names.authors))
    return _changed(
        table,
        "said",
        lambda column: pa.array([one and _said_by_staff(one, staff) for one in column.to_pylist()], column.type),
    )


def _said_by_staff(said: str, staff: dict[str, str]) -> str:
    """Return what was decided without who decided it, and why in their words."""
    record = msgspec.json.decode(said)
    for part in (record, record.get("said")):
        if not isinstance(part, dict):
            continue
        named = [one for one in STAFF if part.get(one)]
        for name in named:
            part[name] = staff.setdefault(part[name], f"somebody {len(staff) + 1}")
        if named:
            part["reason"] = ""
    return encode(decode(msgspec.json.encode(record), OnSignals)).decode()


def _root_of(post_key: str) -> str:
    return ROOT + post_key.partition(":")[2]


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
