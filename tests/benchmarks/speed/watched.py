"""Watched: `vigie run` in a folder of its own, seen from outside: processes, memory, metrics, files, state."""

import json
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families
from rocksdict import AccessType, Options, Rdict

from streams.restore import FAUST_KEYS
from streams.topics import STATE_TABLE
from vigie.bench import processes
from vigie.broker import free_port
from vigie.children import DIRECTLY, end_with_parent

NAMES = ("worker", "connect", "console", "broker")
SECRET = "whsec_" + "c29hazEy" * 4  # of this benchmark alone
STOP_SECS = 180.0
LATENCY = "vigie_post_to_decision_seconds_bucket"


class Ended(RuntimeError):
    """`vigie run` ended by itself."""


class Watched:
    """One run of `vigie run`, which reads one Bluesky and tells one webhook."""

    def __init__(self, folder: Path, *, source_port: int, cell_url: str, broker_mb: int) -> None:
        self.folder = folder
        self.health_port, self.edge_port = free_port(), free_port()
        (folder / "secret").write_text(SECRET)
        (folder / "vigie.toml").write_text(
            f"""
[territory]
profile = "world"
[data]
dir = "data"
[broker]
max_memory_mb = {broker_mb}
[worker]
health_port = {self.health_port}
[edge]
metrics_port = {self.edge_port}
[console]
port = {free_port()}
metrics_port = 0
[[sources]]
kind = "bluesky"
url = "ws://127.0.0.1:{source_port}"
[[receivers]]
kind = "jsonl"
path = "alerts.jsonl"
[[receivers]]
kind = "webhook"
name = "cell"
url = "{cell_url}"
secret_file = "secret"
""",
            encoding="utf-8",
        )
        with (folder / "run.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "vigie", "run"],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=end_with_parent,  # noqa: PLW1509  no thread of ours runs before it
            )

    @property
    def log(self) -> str:
        """Return what it has said."""
        return (self.folder / "run.log").read_text(errors="replace")

    def processes(self) -> dict[str, int]:
        """Return its processes by name.

        Errors  Ended when it is not there any more
        """
        if self.process.poll() is not None:
            raise Ended(f"vigie run ended with status {self.process.returncode}:\n{self.log[-4000:]}")
        found = {"supervisor": self.process.pid}
        for pid in Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split():
            with suppress(OSError):
                words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
                found |= {name: int(pid) for name in NAMES if name in words}
        return found

    def health(self) -> dict[str, Any]:
        """Return what the worker's health page says; nothing while it does not answer."""
        with suppress(OSError, ValueError), DIRECTLY.open(f"{self._worker}/healthz", timeout=30) as answer:
            found: dict[str, Any] = json.load(answer)
            return found
        return {}

    @property
    def _worker(self) -> str:
        return f"http://127.0.0.1:{self.health_port}"

    def counted(self, name: str, label: str = "") -> Counter[str]:
        """Return a metric of the worker's, by a label's value; nothing while it does not answer."""
        return counted(f"{self._worker}/metrics", name, label)

    def read(self) -> Counter[str]:
        """Return what became of what the edge read, by outcome."""
        return counted(f"http://127.0.0.1:{self.edge_port}/metrics", "vigie_read_total", "outcome")

    def told(self) -> Counter[tuple[str, int]]:
        """Return how often each revision stands in the receivers' file."""
        path = self.folder / "alerts.jsonl"
        whole = path.read_bytes().rpartition(b"\n")[0].splitlines() if path.exists() else []
        return Counter((line["incident_id"], line["revision"]) for line in map(json.loads, whole))

    def disk_bytes(self) -> int:
        """Return how much the data folder takes."""
        return sum(_size(path) for path in (self.folder / "data").rglob("*"))

    def state_keys(self) -> int | None:
        """Return how many keys the detectors' table has; None where it cannot be looked at just now."""
        try:
            return len(keys_below(self.folder / "data"))
        except Exception:  # noqa: BLE001  it is being rewritten: the store's own error has no name
            return None

    def stop(self) -> int:
        """Ask it to end; return its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_SECS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


def memory_mb(pid: int) -> float:
    """Return the memory of a process and of what it has started; of one that is gone, nothing."""
    with suppress(OSError):
        return sum(processes.memory_mb(one) for one in processes.family(pid))
    return 0.0


def own_memory_mb(pid: int) -> float:
    """Return the memory of a process alone."""
    with suppress(OSError):
        return processes.memory_mb(pid)
    return 0.0


def counted(url: str, name: str, label: str) -> Counter[str]:
    """Return the samples of a metric on a page, summed by the value of one of its labels."""
    with suppress(OSError), DIRECTLY.open(url, timeout=30) as answer:
        return samples(answer.read().decode(), name, label)
    return Counter()


def samples(page: str, name: str, label: str) -> Counter[str]:
    """Return the samples of a metric in a page's text, summed by the value of one of its labels."""
    found: Counter[str] = Counter()
    for metric in text_string_to_metric_families(page):
        for sample in metric.samples:
            if sample.name == name:
                found[sample.labels.get(label, "")] += int(sample.value)
    return found


def quantile(cumulative: Counter[str], share: float) -> float:
    """Return below which figure a share of a histogram's values lies, by a straight line within its bucket.

    Errors  none: not a number where there are no values
    """
    edges = sorted((float(edge), count) for edge, count in cumulative.items())
    wanted = share * edges[-1][1] if edges else 0.0
    for (low, before), (high, count) in pairwise([(0.0, 0.0), *edges]):
        if count >= wanted > before:
            return low if high == float("inf") else low + (high - low) * (wanted - before) / (count - before)
    return float("nan")


def _size(path: Path) -> int:
    with suppress(OSError):  # gone since it was listed
        return path.stat().st_size if path.is_file() else 0
    return 0


def keys_below(data_dir: Path) -> list[str]:
    """Return the keys of the detectors' table, beside whoever writes it."""
    found: list[str] = []
    for path in sorted((data_dir / "tables").glob(f"**/{STATE_TABLE}-*.db")):
        database: Any = Rdict(str(path), options=Options(raw_mode=True), access_type=AccessType.read_only())
        try:
            found += [key.decode() for key in database.keys() if not key.startswith(FAUST_KEYS)]  # noqa: SIM118
        finally:
            database.close()
    return found


def kinds_of(keys: Iterable[str]) -> Counter[str]:
    """Return how many keys of a table are of each kind: `hazard/area/kind/…`."""
    return Counter([*key.split("/"), "", ""][2] for key in keys)
