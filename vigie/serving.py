"""Serving: an application on an address of this machine, inside a process that has other work and its own signals."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from prometheus_client import CollectorRegistry, start_http_server
from starlette.applications import Starlette

from records import SettingsError
from streams.metrics import served


class _Server(uvicorn.Server):
    """A server that leaves the signals to us."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


async def serve(application: Starlette, listening: socket.socket, *, most_at_once: int | None = None) -> None:
    """Serve until cancelled; what is being answered then is answered first.

    With `most_at_once`, whoever comes beside so many connections is told to come again.
    """
    server = _Server(
        uvicorn.Config(
            application,
            log_level="warning",
            access_log=False,
            lifespan="on",
            ws="none",
            limit_concurrency=most_at_once,
        )
    )
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        await asyncio.shield(serving)
    except asyncio.CancelledError:
        server.should_exit = True
        await asyncio.wait({serving})
        raise


def listening_on(host: str, port: int, where: str) -> socket.socket:
    """Return a socket on an address; `where` is its table in the settings.

    Errors  SettingsError when the address cannot be listened on
    """
    try:
        server = socket.create_server((host, port), reuse_port=False)
    except OSError as error:
        raise SettingsError(
            f"{where}: cannot listen on {host}:{port}: {reason_of(error)}; free that port or set another"
        ) from error
    except (TypeError, UnicodeError) as error:  # which of them a name gets that is none hangs on the name
        raise SettingsError(f"{where}: {host!r} is no name of a machine; give an address as 127.0.0.1") from error
    # asyncio asks for this only on sockets made with the protocol's number; without it each answer waits 40 ms.
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return server


def reason_of(error: OSError) -> str:
    """Return the system's words for what went wrong, without what Python adds to them."""
    return (error.strerror or str(error)).partition(" (while ")[0]


def serve_metrics(own: CollectorRegistry, host: str, port: int, where: str) -> None:
    """Serve `/metrics` with what a process counts; do nothing without a port. `where`: the setting that names it.

    Errors  SettingsError when the port cannot be listened on
    """
    if not port:
        return
    try:
        start_http_server(port, addr=host, registry=served(own))
    except OSError as error:
        raise SettingsError(
            f"{where}: cannot listen on port {port}: {reason_of(error)}; free that port or set another"
        ) from error
