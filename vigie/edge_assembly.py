"""The edge's assembly: what reads sources needs a gate and pseudonyms, and no model."""

from collections.abc import Sequence
from pathlib import Path

import structlog

from connectors.contract import NotSaved, Outcome
from connectors.pseudonym import Pseudonyms, RotatingPseudonyms
from connectors.register import Register
from models.gate import Gate
from records import Clock, SourceUnavailable
from streams.metrics import start_at_zero
from vigie import metrics
from vigie.of_setting import of_setting
from vigie.rumour_settings import accounts_from
from vigie.settings import Settings

log = structlog.get_logger()

REASONS = ("empty", "invalid", "undecodable", "too_long")  # for which most values are refused


def gate(settings: Settings) -> Gate:
    """Return the gate, with the analyst's own words.

    Errors  SettingsError when these cannot be used
    """
    with of_setting("edge.lexicon"):
        return Gate.load(settings.edge.lexicon)


def register(settings: Settings, names: Pseudonyms) -> Register:
    """Return the register of official accounts.

    Errors  SettingsError when one cannot be an account of its platform
    """
    return Register(accounts_from(settings.official_accounts), names)


def pseudonyms(settings: Settings, clock: Clock) -> RotatingPseudonyms:
    """Return the pseudonyms of authors, under keys that stay on this machine."""
    return RotatingPseudonyms(settings.data.dir / "pseudonyms.json", clock)


class EdgeMetrics:
    """What happens at the edge, as metrics and log lines."""

    def __init__(self, sources: Sequence[str] = ()) -> None:
        """Take the sources that there are, so that each is counted from the start."""
        start_at_zero(metrics.READ, sources, ("kept", "gated", "not_a_post"), ("",))
        start_at_zero(metrics.READ, sources, ("refused",), REASONS)
        start_at_zero(metrics.UNAVAILABLE, sources)
        start_at_zero(metrics.GAP_SECONDS, sources)

    def counted(self, source: str, outcome: Outcome, values: int, *, reason: str = "") -> None:
        """Count values by outcome."""
        metrics.READ.labels(source, outcome, reason).inc(values)

    def lagged(self, source: str, seconds: float) -> None:
        """Note how old the last post was."""
        metrics.LAG.labels(source).set(max(seconds, 0.0))
        metrics.AHEAD.labels(source).set(max(-seconds, 0.0))

    def unavailable(self, source: str, error: SourceUnavailable, *, retry_secs: float) -> None:
        """Count and log a source that cannot be read."""
        metrics.UNAVAILABLE.labels(source).inc()
        log.warning("source unavailable", source=source, error=str(error), retry_secs=round(retry_secs, 1))

    def gap(self, source: str, seconds: float) -> None:
        """Count and log what nobody will ever have seen."""
        metrics.GAP_SECONDS.labels(source).inc(seconds)
        log.error("blind span: these posts cannot be read any more", source=source, seconds=round(seconds))

    def unsaved(self, source: str, error: NotSaved) -> None:
        """Log that a source's cursor cannot be saved."""
        log.error("cursor cannot be saved: it is tried again, and reading goes on", source=source, error=str(error))


def cursors_path(settings: Settings) -> Path:
    """Return the file with the sources' cursors."""
    return settings.data.dir / "cursors.sqlite"
