"""The processes that Vigie starts: each is this program again, with one command and one log."""

import ctypes
import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any

STOP_SECS = 30.0
PR_SET_PDEATHSIG = 1  # prctl(2)
DIRECTLY = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""What runs on this machine is asked without the proxy that the environment may name for all others."""


def end_with_parent() -> None:
    """Have the kernel ask this process to end when the one that started it is gone, where the kernel can."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Child:
    """One process of ours.

    Shape   `start`, then `poll` now and then; `stop` asks it to finish and waits
    """

    def __init__(self, name: str, command: list[str], *, environ: Mapping[str, str], health_port: int = 0) -> None:
        self.name = name
        self.command = command
        self.environ = dict(environ)
        self.health_port = health_port
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; its log joins ours."""
        self.process = subprocess.Popen(  # noqa: S603  the program is ourselves
            [sys.executable, "-m", "vigie", *self.command],
            env={**os.environ, **self.environ},
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C reaches us; we stop our processes in their order
            preexec_fn=end_with_parent,  # noqa: PLW1509  no thread of ours runs before it
        )

    def poll(self) -> int | None:
        """Return its exit status, or None while it runs."""
        return None if self.process is None else self.process.poll()

    @property
    def is_running(self) -> bool:
        """Tell whether it is there."""
        return self.process is not None and self.process.poll() is None

    def health(self) -> dict[str, Any] | None:
        """Return what its health page says, or None when it does not answer."""
        if not self.health_port:
            return None
        try:
            with self._health_page() as answer:
                body: dict[str, Any] = json.load(answer)
        except (OSError, ValueError, HTTPException):  # killed in the middle of its answer, it has said half of it
            return None
        return body

    def _health_page(self) -> Any:
        try:
            return DIRECTLY.open(f"http://127.0.0.1:{self.health_port}/healthz", timeout=5)
        except urllib.error.HTTPError as error:
            return error  # an answer, too

    def metrics(self) -> str:
        """Return its metrics as Prometheus reads them.

        Errors  OSError when it does not answer
        """
        with DIRECTLY.open(f"http://127.0.0.1:{self.health_port}/metrics", timeout=5) as answer:
            page: bytes = answer.read()
        return page.decode()

    def tell(self, number: signal.Signals) -> None:
        """Send it a signal, if it is there."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)

    def stop(self, *, timeout_secs: float = STOP_SECS) -> None:
        """Ask it to finish what it has begun and end; end it by force when it does not."""
        process = self.process
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout_secs)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def kill(self) -> None:
        """End it at once."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
