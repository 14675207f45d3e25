"""Sensor: what Faust knows of its own doings and nobody else does, as metrics: commits, rebalances, full buffers.

Only of what is rare. Faust's own monitor for Prometheus counts every message several times over, each by a label, which
our steps count already, by the batch.
"""

from time import monotonic
from typing import Any

from faust import Sensor
from faust.types import TP, AppT
from faust.types.transports import ConsumerT

from streams import metrics


class RareSensor(Sensor):
    """Notes what Faust tells of, as it happens."""

    def on_commit_initiated(self, consumer: ConsumerT) -> Any:
        """Note when offsets begin to be committed."""
        return monotonic()

    def on_commit_completed(self, consumer: ConsumerT, state: Any) -> None:
        """Note how long that took."""
        metrics.COMMIT_SECONDS.observe(monotonic() - state)

    def on_rebalance_start(self, app: AppT) -> dict[str, Any]:
        """Note that partitions are handed out anew: nothing is handled meanwhile."""
        metrics.REBALANCES.inc()
        metrics.REBALANCING.set(1)
        return {"time_start": monotonic()}

    def on_rebalance_end(self, app: AppT, state: dict[str, Any]) -> None:
        """Note that this is over, and the tables are restored."""
        metrics.REBALANCING.set(0)

    def on_topic_buffer_full(self, tp: TP) -> None:
        """Note that a partition has to wait, because what was read of it is not handled yet."""
        metrics.BUFFER_FULL.labels(tp.topic).inc()
