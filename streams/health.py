"""Whether the worker gets on: lag, progress, and a page that a supervisor reads."""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import faust
from faust.types import TP, EventT
from prometheus_client import make_wsgi_app
from prometheus_client.exposition import ThreadingWSGIServer

from streams import metrics
from streams.topics import ALERTS, CONTEXT, DECISIONS, POSTS, SIGNALS

WATCHED = frozenset({POSTS.name, SIGNALS.name, CONTEXT.name, DECISIONS.name, ALERTS.name})


class Health:
    """What the worker has handled, and since when nothing moved although something waits.

    Faust does not reliably come back from broker outages and commit gaps by itself: whoever started the worker reads
    `/healthz` and starts it anew when it answers 503.
    """

    def __init__(self, *, stall_secs: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.stall_secs = stall_secs
        self.monotonic = monotonic
        self.handled: Counter[str] = Counter()  # values read from a topic and done with
        self.sent: Counter[str] = Counter()  # records put on a topic
        self.is_ready = False
        self.lag = 0  # records not committed
        self.profile = ""  # by which is decided
        self.model = ""  # by which posts are read
        self.lacking = ""  # the model that should read them and cannot, with the reason
        self.waiting = 0  # records not handled: fewer, since Faust's commits may fall behind for good
        self._moved_at = monotonic()
        self._looked_at: float | None = None  # None: the loop has not come round yet
        self._committed = -1
        self._done: dict[TP, int] = {}  # the offset after the last one handled

    def moved(self, what: str, events: Sequence[EventT[Any]]) -> None:
        """Note that values were handled."""
        self.handled[what] += len(events)
        self._moved_at = self.monotonic()
        for event in events:
            message = event.message
            tp = TP(message.topic, message.partition)
            self._done[tp] = max(self._done.get(tp, 0), message.offset + 1)

    def look(self, app: faust.App) -> None:
        """Read lag and committed offsets from the consumer."""
        self._looked_at = self.monotonic()
        consumer: Any = app.consumer
        lags: dict[str, int] = dict.fromkeys(WATCHED, 0)
        committed = lag = 0
        for tp in consumer.assignment():
            if tp.topic not in WATCHED:
                continue
            done = consumer._committed_offset.get(tp) or 0
            committed += done
            end = consumer.highwater(tp) or 0
            lag += max(0, end - done)
            lags[tp.topic] += max(0, end - max(done, self._done.get(TP(*tp), 0)))
        for topic, waiting in lags.items():
            metrics.LAG.labels(topic).set(waiting)
        self.waiting = sum(lags.values())
        self.saw(lag=lag, committed=committed)
        self.is_ready = not app.rebalancing and bool(consumer.assignment())

    def saw(self, *, lag: int, committed: int) -> None:
        """Note lag and the sum of committed offsets."""
        if lag == 0 or committed != self._committed:
            self._moved_at = self.monotonic()
        self.lag, self._committed = lag, committed

    def still_secs(self) -> float:
        """Return for how long nothing has moved while something waits, or the loop has not come round."""
        now = self.monotonic()
        return max(self._silent_secs(now), now - self._moved_at if self.lag > 0 else 0.0)

    def _silent_secs(self, now: float) -> float:
        return 0.0 if self._looked_at is None else now - self._looked_at

    def why_unhealthy(self) -> str | None:
        """Return what is wrong, in words for the log, or None."""
        now = self.monotonic()
        if (silent := self._silent_secs(now)) > self.stall_secs:  # it may have frozen when nothing waited yet
            return f"the loop has not come round for {silent:.0f} s"
        still = now - self._moved_at
        if self.lag > 0 and still > self.stall_secs:
            return f"{self.lag} records wait and nothing was committed for {still:.0f} s"
        return None

    def page(self) -> tuple[str, dict[str, object]]:
        """Return the status line and body of `/healthz`."""
        wrong = self.why_unhealthy()
        body: dict[str, object] = {
            "ready": self.is_ready,
            "lag": self.lag,
            "waiting": self.waiting,
            "profile": self.profile,
            "model": self.model,
            "lacking": self.lacking,
            "handled": dict(self.handled),
            "sent": dict(self.sent),
            "wrong": wrong,
        }
        return ("503 Service Unavailable" if wrong else "200 OK"), body


class _Quiet(WSGIRequestHandler):
    timeout = 10.0  # one that connects and says nothing keeps its thread no longer

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the library's name
        """Say nothing: a request is no news."""


def serve(health: Health, host: str, port: int) -> None:
    """Serve `/metrics` and `/healthz` from a thread of their own."""
    prometheus = make_wsgi_app(metrics.served(metrics.WORKER))

    def page(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/healthz":
            return prometheus(environ, start_response)  # type: ignore[no-any-return]
        status, body = health.page()
        start_response(status, [("Content-Type", "application/json")])
        return [json.dumps(body).encode()]

    metrics.PROGRESS_AGE.set_function(health.still_secs)
    server = make_server(host, port, page, server_class=ThreadingWSGIServer, handler_class=_Quiet)
    threading.Thread(target=server.serve_forever, name="health", daemon=True).start()
