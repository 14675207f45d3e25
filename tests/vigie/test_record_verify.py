"""`vigie record verify`: a record of the console as a file."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from console.record_file import AfterAction, Head, Said, chained, to_json
from vigie.cli import main

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


@pytest.fixture
def record() -> AfterAction:
    said = [Said(at=NOON, kind="revision", who="vigie", what={"level": level}) for level in ("watch", "alert")]
    head = Head(
        cell="Ville du Havre",
        incidents=("fire-1",),
        since=NOON,
        until=NOON,
        made_at=NOON,
        is_exercise=False,
        audit_number=1,
        audit_hash="0" * 64,
        lines=len(said),
    )
    return chained(head, said)


@pytest.fixture
def verified(tmp_path: Path) -> Callable[..., Result]:
    def run(data: bytes, *options: str) -> Result:
        file = tmp_path / "record.json"
        file.write_bytes(data)
        return CliRunner().invoke(main, ["record", "verify", str(file), *options])

    return run


def test_a_record_as_it_was_exported_is_whole(record: AfterAction, verified: Callable[..., Result]) -> None:
    result = verified(to_json(record), "--hash", record.hash)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "whole\n")


def test_without_the_hash_it_says_what_it_cannot_know(record: AfterAction, verified: Callable[..., Result]) -> None:
    result = verified(to_json(record))
    assert result.exit_code == 0
    assert "give --hash" in result.stderr


def test_a_changed_line_is_named(record: AfterAction, verified: Callable[..., Result]) -> None:
    result = verified(to_json(record).replace(b'"alert"', b'"watch"'))
    assert result.exit_code == 1
    assert "line 2 was changed" in result.stdout


def test_another_record_is_not_the_one_that_was_exported(record: AfterAction, verified: Callable[..., Result]) -> None:
    result = verified(to_json(record), "--hash", "f" * 64)
    assert result.exit_code == 1
    assert "all of it may have been written anew" in result.stdout


def test_what_is_no_record_is_said_to_be_none(verified: Callable[..., Result]) -> None:
    result = verified(b"\xff\xfe not a record")
    assert result.exit_code == 1
    assert "this is no record" in result.stdout
