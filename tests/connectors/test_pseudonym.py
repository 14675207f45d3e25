"""Pseudonyms: stable while a key lasts, unlinkable after, and never for others to read."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from connectors.pseudonym import OBJECTED, FixedPseudonyms, RotatingPseudonyms
from connectors.sift import sifted
from records import ManualClock, Post, SettingsError

AT = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)


def test_is_short_stable_and_tells_platforms_apart() -> None:
    names = FixedPseudonyms(b"k")
    assert len(names.author("x", "a")) == 16
    assert names.author("x", "a") == FixedPseudonyms(b"k").author("x", "a")
    assert len({names.author("x", "a"), names.author("y", "a"), names.author("x", "b")}) == 3
    assert names.author("x", "") == ""
    assert not names.post("x", "a").startswith(names.author("x", "a"))


def test_the_file_is_ours_alone_and_lasts(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "data" / "keys"
    first = RotatingPseudonyms(path, clock)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert RotatingPseudonyms(path, clock).author("x", "a") == first.author("x", "a")


def test_author_keys_change_after_thirty_days_and_the_old_one_is_dropped(tmp_path: Path, clock: ManualClock) -> None:
    names = RotatingPseudonyms(tmp_path / "keys", clock)
    other_process = RotatingPseudonyms(tmp_path / "keys", clock)
    before, post = names.author("x", "a"), names.post("x", "p")
    clock.advance(timedelta(days=29, hours=23))
    assert names.author("x", "a") == before
    clock.advance(timedelta(hours=1))
    after = names.author("x", "a")
    assert after != before
    assert other_process.author("x", "a") == after
    assert names.earlier_author("x", "a") == before
    assert names.post("x", "p") == post
    clock.advance(timedelta(days=3))
    assert names.earlier_author("x", "a") is None
    assert names.author("x", "a") == after
    assert b'"earlier_author_key":null' in (tmp_path / "keys").read_bytes()


def test_a_key_not_used_for_long_is_dropped_at_once(tmp_path: Path, clock: ManualClock) -> None:
    RotatingPseudonyms(tmp_path / "keys", clock)
    clock.advance(timedelta(days=90))
    assert RotatingPseudonyms(tmp_path / "keys", clock).earlier_author("x", "a") is None


def test_refuses_a_file_that_others_may_read(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "keys"
    RotatingPseudonyms(path, clock)
    path.chmod(0o644)
    with pytest.raises(SettingsError, match="chmod 600"):
        RotatingPseudonyms(path, clock)


def test_refuses_a_file_of_something_else(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "keys"
    path.write_text("hello", encoding="utf-8")
    path.chmod(0o600)
    with pytest.raises(SettingsError, match="not a file of pseudonym keys"):
        RotatingPseudonyms(path, clock)


def test_who_objects_is_not_read_from_then_on_in_any_process(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "keys.json"
    mine, other = RotatingPseudonyms(path, clock), RotatingPseudonyms(path, clock)
    before = mine.author("bluesky", "did:plc:alice")
    assert other.author("bluesky", "did:plc:alice") == before != OBJECTED
    other.object("bluesky", "did:plc:alice")
    assert [one.author("bluesky", "did:plc:alice") for one in (mine, other)] == [OBJECTED, OBJECTED]
    assert mine.author("mastodon", "did:plc:alice") not in (OBJECTED, before)
    clock.advance(timedelta(days=100))
    assert mine.author("bluesky", "did:plc:alice") == OBJECTED
    kept = (tmp_path / "objections.txt").read_text()
    assert "alice" not in kept
    other.object("bluesky", "did:plc:bob")
    assert mine.author("bluesky", "did:plc:bob") == mine.author("bluesky", "did:plc:alice") == OBJECTED


def test_the_posts_of_who_objected_end_at_the_edge_and_his_deletions_do_not() -> None:
    post = Post(source="s", id="1", posted_at=AT, received_at=AT, author_id=OBJECTED, text="fumée")
    assert sifted(post, lambda _: True) is None
    assert sifted(msgspec.structs.replace(post, verb="update"), lambda _: True) is None
    assert sifted(msgspec.structs.replace(post, verb="delete", text=""), lambda _: True) is not None


def test_objections_that_cannot_be_read_are_never_taken_for_none(tmp_path: Path, clock: ManualClock) -> None:
    names = RotatingPseudonyms(tmp_path / "keys.json", clock)
    names.object("bluesky", "did:plc:alice")
    (tmp_path / "objections.txt").write_bytes(b"\xff\xfe")
    for _ in range(2):
        with pytest.raises(SettingsError, match=r"objections\.txt: cannot read who objected"):
            names.author("bluesky", "did:plc:alice")
