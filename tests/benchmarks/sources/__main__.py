"""Sources: how many posts a second each streaming source takes on one core, and whether its memory stays flat.

Run     `python tests/benchmarks/sources [POSTS] [--only NAME …]`; a million posts a source where nothing is said
Shape   first each source's wire is taken apart, without sockets: the pieces of `tests/connectors/conformance/`, over
        and over. Then posts come over the loopback from a process on the other core (`feeder.py`) and are read as the
        edge reads them (`reader.py`), beside the ceiling of the same run: the same wire through the same library, all
        of it thrown away. The publisher acknowledges at once: what Kafka costs is not in it
Units   posts a second by the wall's clock; microseconds of the reader's processor a post, all its threads together;
        megabytes of resident memory, after a tenth of the posts and at the end
"""

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, NamedTuple

from connectors.contract import Unobserved
from connectors.pseudonym import FixedPseudonyms
from records import ManualClock
from vigie.broker import free_port

HERE = Path(__file__).resolve().parent
CONNECTORS = HERE.parents[1] / "connectors"
TAKEN_APART = ("bluesky", "mastodon", "x", "facebook")
POSTS = 1_000_000
LEAST = 2_000
"""Posts a second that a source must be able to take."""

MOST_GROWTH_MB = 25.0
"""Between a tenth of the posts and their end. What a source remembers of the last posts has a limit, and may reach it
only then, as X's ids of the day do."""

PAGE, SECRET = "1000000000001", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
WIRES = {
    "bluesky": 'url = "ws://127.0.0.1:{port}"',
    "mastodon": 'base_url = "http://127.0.0.1:{port}"\ntoken_file = "secret"\nstreams = ["public"]',
    "x": 'bearer_token_file = "secret"\nrules = {{ bench = "lang:fr" }}\ngovernment_plan_acknowledged = true\n'
    "monthly_ceiling_usd = 1e9",
    "facebook": f'page_id = "{PAGE}"\ntoken_file = "secret"\napp_secret_file = "secret"\nverify_token_file = "secret"\n'
    "port = {port}",
    "webhook": 'secret_file = "secret"\nport = {port}',
    "jsonl": 'name = "jsonl"\npath = "posts.jsonl"',
    "csv": 'name = "csv"\npath = "posts.csv"',
}
"""The settings of each source, as in `vigie.toml`."""


class Run(NamedTuple):
    """One source over one wire."""

    name: str
    wire: str
    batch: int = 0  # posts a request, where they are sent to us
    is_aside: bool = False  # not how a flood comes: a tenth of the posts, and no verdict


RUNS = (
    Run("bluesky", "bluesky"),
    Run("mastodon", "mastodon"),
    Run("x", "x"),
    Run("facebook, 100 a request", "facebook", 100),
    Run("facebook, 1 a request", "facebook", 1, is_aside=True),
    Run("webhook, 100 a request", "webhook", 100),
    Run("webhook, 1 a request", "webhook", 1, is_aside=True),
    Run("recorded jsonl", "jsonl"),
    Run("recorded csv", "csv"),
)


def told(line: str) -> None:
    """Say one line on standard output, at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def loaded(path: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.replace("/", "_"), CONNECTORS / f"{path}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def taken_apart(name: str, frames: int, folder: Path) -> float:
    """Return the frames that are taken apart in a second of processor time."""
    entry: Any = loaded(f"conformance/{name}")
    tools = SimpleNamespace(
        corpus=CONNECTORS / "corpus",
        folder=folder,
        clock=ManualClock(datetime(2026, 11, 22, 7, 0, tzinfo=UTC)),
        witness=Unobserved(),
        pseudonyms=FixedPseudonyms(b"bench"),
        server=lambda server: loaded(f"servers/{server}"),
    )
    pieces = entry.frames(tools)
    began = time.process_time()
    for number in range(frames):
        entry.take_apart(tools, pieces[number % len(pieces)])
    return frames / (time.process_time() - began)


def cores() -> tuple[int, int]:
    """Return the core of the reader and that of the feeder: the same where there is but one."""
    found = sorted(os.sched_getaffinity(0))
    return found[0], found[-1]


def started(script: str, plan: dict[str, Any]) -> subprocess.Popen[str]:
    """Start the feeder or the reader, and wait until it is ready."""
    command = [sys.executable, str(HERE / script), json.dumps(plan)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603
    assert process.stdout
    if process.stdout.readline() != "ready\n":
        raise SystemExit(f"{script} did not begin: {plan}")
    return process


def over_the_wire(run: Run, posts: int, *, is_bare: bool) -> dict[str, Any]:
    """Return what the reader measured."""
    with tempfile.TemporaryDirectory() as folder:
        reader_core, feeder_core = cores()
        plan = run._asdict() | {"posts": posts, "is_bare": is_bare, "folder": folder, "port": free_port()}
        plan |= {"reader_core": reader_core, "feeder_core": feeder_core, "page_id": PAGE, "secret": SECRET}
        kind = "recorded" if run.wire in ("jsonl", "csv") else run.wire
        settings = WIRES[run.wire].format(port=plan["port"])
        Path(folder, "vigie.toml").write_text(
            f'[data]\ndir = "data"\n[[sources]]\nkind = "{kind}"\n{settings}\n', encoding="utf-8"
        )
        Path(folder, "secret").write_text(SECRET, encoding="ascii")
        feeder = started("feeder.py", plan)
        reader = started("reader.py", plan)
        try:
            if run.batch:
                feeder.communicate("go\n")
            answer, _ = reader.communicate()
        finally:
            for process in (reader, feeder):
                process.kill()
                process.communicate()
        if reader.returncode:
            raise SystemExit(f"{run.name}: the reader failed")
        found: dict[str, Any] = json.loads(answer)
    if found["fault"] or found["read"] < posts:
        raise SystemExit(f"{run.name}: {found['read']:,} of {posts:,} posts were read: {found['fault']}")
    return found


def measured(run: Run, posts: int) -> bool:
    """Measure one source and say so; tell whether it is as fast and as flat as it must be."""
    posts //= 10 if run.is_aside else 1
    bare = over_the_wire(run, max(posts // 10, run.batch), is_bare=True)
    found = over_the_wire(run, posts, is_bare=False)
    rate, ceiling = found["read"] / found["wall"], bare["read"] / bare["wall"]
    work, least_work = (one["work"] / one["read"] * 1e6 for one in (found, bare))
    early, late = found["early"], found["late"]
    told(
        f"{run.name}: {found['read']:,} posts, {found['kept'] / found['read']:.1%} kept, {found['letters']} refused; "
        f"{rate:,.0f} posts/s, {work:.0f} µs each; bare {ceiling:,.0f} posts/s, {least_work:.0f} µs; "
        f"{rate / ceiling:.2f} of the ceiling; {early:.0f} MB after a tenth, {late:.0f} MB at the end; "
        f"load {os.getloadavg()[0]:.1f}"
    )
    return run.is_aside or bool(rate >= LEAST and late - early <= MOST_GROWTH_MB)


def main() -> int:
    """Measure all and print a line each; status 1 where one is too slow, or grows."""
    asked = argparse.ArgumentParser(description="How fast the sources read.")
    asked.add_argument("posts", nargs="?", type=int, default=POSTS)
    asked.add_argument("--only", nargs="+", choices=list(WIRES), default=list(WIRES))
    options = asked.parse_args()
    told(f"load {os.getloadavg()[0]:.1f}; the reader on core {cores()[0]}, the feeder on core {cores()[1]}")
    goods: list[bool] = []
    with tempfile.TemporaryDirectory() as folder:
        for name in TAKEN_APART:
            if name in options.only:
                rate = taken_apart(name, options.posts // 10, Path(folder))
                goods.append(rate >= LEAST)
                told(f"{name}, taken apart: {rate:,.0f} frames/s")
    goods += [measured(run, options.posts) for run in RUNS if run.wire in options.only]
    return 0 if all(goods) else 1


if __name__ == "__main__":
    sys.exit(main())
