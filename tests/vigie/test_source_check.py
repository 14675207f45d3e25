"""`vigie fake` and `vigie source check`: a platform's protocol served by hand, and a source read from it."""

import asyncio
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import Result

from connectors.contract import Capabilities
from records import MalformedRecord, Post
from vigie.broker import free_port
from vigie.fake import names
from vigie.source_check import Coverage

VIGIE = [sys.executable, "-m", "vigie"]
AT = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)


def run(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # noqa: S603  our own program
        [*VIGIE, *arguments], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.fixture
def jetstream(tmp_path: Path, eventually: Callable[..., None]) -> Iterator[int]:
    """Serve the demo's Jetstream server."""
    port = free_port()
    process = subprocess.Popen(  # noqa: S603  our own program
        [*VIGIE, "fake", "jetstream", "--port", str(port)], cwd=tmp_path, stderr=subprocess.DEVNULL
    )
    try:
        eventually(lambda: asyncio.run(listens(port)), "the server listens")
        yield port
    finally:
        process.terminate()
        process.wait(10)


async def listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


def test_a_source_is_read_from_a_server_that_stands_for_it(tmp_path: Path, jetstream: int) -> None:
    (tmp_path / "vigie.toml").write_text(f'[[sources]]\nkind = "bluesky"\nurl = "ws://127.0.0.1:{jetstream}"\n')
    done = run(tmp_path, "source", "check", "bluesky", "--seconds", "10", "--most", "6")
    assert done.returncode == 0, done.stderr
    assert re.search(r"bluesky: 6 frames in \d+\.\d s", done.stdout)
    assert re.search(r"outcomes: .*kept [2-5]", done.stdout)
    for field, share in (("text", "100%"), ("lang", "100%"), ("geo", "0%")):
        assert re.search(rf"{field}\b.*{share}", done.stdout), field
    assert "Concert" not in done.stdout + done.stderr, "what people wrote is not printed"


def test_a_source_that_cannot_be_read_says_why_and_fails(tmp_path: Path) -> None:
    (tmp_path / "vigie.toml").write_text(f'[[sources]]\nkind = "bluesky"\nurl = "ws://127.0.0.1:{free_port()}"\n')
    done = run(tmp_path, "source", "check", "bluesky", "--seconds", "5")
    assert done.returncode == 1
    assert "trouble: bluesky 127.0.0.1" in done.stdout


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("blusky", "no source has the name 'blusky'; did you mean bluesky?"),
        ("radio", "no source has the name 'radio'; the sources here are bluesky, staff"),
        ("staff", "sources.staff: waits to be told and cannot be read"),
    ],
)
def test_a_wrong_name_is_refused_with_what_would_do(
    name: str, said: str, vigie: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret").write_text("x" * 40)
    (tmp_path / "vigie.toml").write_text(
        '[[sources]]\nkind = "bluesky"\n'
        '[[sources]]\nkind = "webhook"\nname = "staff"\nscheme = "bearer"\nsecret_file = "secret"\n'
    )
    done = vigie("source", "check", name)
    assert done.exit_code == 2
    assert said in done.stderr
    if name != "staff":
        assert said in vigie("connect", name).stderr


def test_a_server_that_nobody_wrote_is_refused_with_those_that_are_there(vigie: Callable[..., Result]) -> None:
    done = vigie("fake", "minitel")
    assert done.exit_code == 2
    assert "no server stands for 'minitel'" in done.stderr
    assert all(name in done.stderr for name in names())
    assert "jetstream" in names()


def test_what_is_read_is_counted_by_what_it_fills() -> None:
    coverage = Coverage("made", Capabilities())
    post = Post(source="made", id="1", posted_at=AT, received_at=AT, author_id="", text="fumée", lang="fr")
    coverage.take(post, lambda _: True)
    coverage.take(post, lambda _: False)
    coverage.take(None, lambda _: True)
    coverage.take(MalformedRecord("no", reason="invalid"), lambda _: True)
    assert coverage.outcomes == {"kept": 1, "gated": 1, "not_a_post": 1, "refused": 1}
    assert (coverage.records, coverage.filled["text"], coverage.filled["lang"]) == (2, 2, 2)
    assert coverage.filled["author_id"] == 0
    assert coverage.refused == {"invalid": 1}
