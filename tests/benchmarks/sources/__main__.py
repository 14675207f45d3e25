"""Sources: how many frames a second each streaming source takes apart on one core, and whether its memory stays flat.

Run     `python tests/benchmarks/sources [FRAMES]`; a million frames a source where nothing is said
Shape   the wire's own pieces of `tests/connectors/conformance/`, over and over, each made into what the source hands
        over. Sockets are not in it: what they cost is the platform's and the kernel's affair
Units   frames a second of processor time; megabytes of resident memory, after a tenth of the frames and at the end
"""

import importlib.util
import resource
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from connectors.contract import Unobserved
from connectors.pseudonym import FixedPseudonyms
from records import ManualClock

HERE = Path(__file__).resolve().parents[2] / "connectors"
SOURCES = ("bluesky", "mastodon", "x", "facebook")
FRAMES = 1_000_000
LEAST = 2_000
"""Posts a second that a source must be able to take."""


def loaded(path: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.replace("/", "_"), HERE / f"{path}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def megabytes() -> float:
    """Return the most memory that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measured(name: str, frames: int, folder: Path) -> tuple[float, float, float]:
    """Return frames a second, and the memory after a tenth of them and at the end."""
    entry: Any = loaded(f"conformance/{name}")
    tools = SimpleNamespace(
        corpus=HERE / "corpus",
        folder=folder,
        clock=ManualClock(datetime(2026, 11, 22, 7, 0, tzinfo=UTC)),
        witness=Unobserved(),
        pseudonyms=FixedPseudonyms(b"bench"),
        server=lambda server: loaded(f"servers/{server}"),
    )
    pieces = entry.frames(tools)
    began, early = time.process_time(), 0.0
    for number in range(frames):
        entry.take_apart(tools, pieces[number % len(pieces)])
        if number == frames // 10:
            early = megabytes()
    return frames / (time.process_time() - began), early, megabytes()


def main() -> int:
    """Measure all and print a line each; status 1 where one is too slow."""
    frames = int(sys.argv[1]) if len(sys.argv) > 1 else FRAMES
    slow = 0
    with tempfile.TemporaryDirectory() as folder:
        for name in SOURCES:
            rate, early, late = measured(name, frames, Path(folder))
            slow += rate < LEAST
            sys.stdout.write(f"{name}: {rate:,.0f} frames/s; {early:.0f} MB after a tenth, {late:.0f} MB at the end\n")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
