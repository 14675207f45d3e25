"""A full disk under edge, worker and console in the middle of a burst: they say so, and go on when there is room."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.survival.burst import Burst
from vigie.broker import EmbeddedBroker

pytestmark = pytest.mark.broker
DISK_MB = 64
FULL = ("disk is full", "No space left on device")
BLOCK = b"\0" * (64 << 10)


def mounted() -> Path:
    """Return a folder of its own that is a small disk, which only root may mount; skip where that is not possible."""
    mount = shutil.which("mount")
    if os.geteuid() or mount is None:
        pytest.skip("a disk of 64 MB can be mounted by root alone")
    folder = Path(tempfile.mkdtemp(prefix="vigie-disk-"))
    command = [mount, "-t", "tmpfs", "-o", f"size={DISK_MB}m,mode=0700", "vigie-tests", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:  # noqa: S603
        folder.rmdir()
        pytest.skip("this machine lets nobody mount a disk of 64 MB")
    return folder


@pytest.fixture
def burst(tmp_path: Path) -> Iterator[Burst]:
    disk = mounted()
    (tmp_path / "data").symlink_to(disk)
    try:
        with EmbeddedBroker() as broker:
            made = Burst(tmp_path, kafka_url=broker.url, is_embedded=True)
            yield made
            made.close()
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)  # noqa: S603, S607
        disk.rmdir()


def fill(disk: Path) -> Path:
    """Write a file until the disk takes no more."""
    path = disk / "ballast"
    with suppress(OSError), path.open("wb", buffering=0) as ballast:
        while True:
            ballast.write(BLOCK)
    assert shutil.disk_usage(disk).free == 0
    return path


def says_so(burst: Burst, name: str) -> bool:
    log = (burst.folder / f"{name}.log").read_text(errors="replace")
    return any(words in log for words in FULL)


def test_all_say_so_and_nothing_is_lost_and_nobody_told_twice(burst: Burst) -> None:
    burst.start()
    ballast = fill(burst.folder / "data")
    burst.wait_until("all have met it", lambda: all(says_so(burst, name) for name in burst.kept))
    burst.wait_until("the edge has read on to the end", lambda: burst.kept["edge"].is_done)
    ballast.unlink()
    burst.kept["worker"].excuse()
    burst.wait_until_done()
    came = burst.assert_sound()
    print(came)  # noqa: T201  with pytest -s
    assert came.is_soon
