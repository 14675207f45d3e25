"""Recording shown: what there is of the past, for people, and the spans that they ask for."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from rich.table import Table

from records import Clock, SettingsError
from vigie.recordings import Kept, Recordings
from vigie.settings import RECORDING, Settings

MIB = 1 << 20


def recordings_of(settings: Settings) -> Recordings:
    """Return what was recorded on this machine."""
    return Recordings(settings.data.dir / RECORDING)


def moment_from(text: str | None, option: str) -> datetime | None:
    """Return the moment that was typed; without a zone of its own it is UTC.

    Errors  SettingsError when it is none
    """
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise SettingsError(f"{option} {text}: not a moment; write it as in 2026-11-30 or 2026-11-30T07:37Z") from error


def table_of(files: Iterable[Kept]) -> Table:
    """Return what there is, a line a file."""
    shown = list(files)
    size = sum(one.size for one in shown)
    signals = sum(one.signals for one in shown)
    table = Table(title=f"{signals} signals in {len(shown)} files, {size / MIB:.1f} MiB")
    for name in ("file", "from", "to", "signals", "rows", "bytes a row", "trouble"):
        table.add_column(name, overflow="fold")
    for one in shown:
        table.add_row(
            one.name,
            _said(one.oldest_at),
            _said(one.newest_at),
            str(one.signals),
            str(one.rows),
            f"{one.size / one.rows:.0f}" if one.rows else "",
            one.trouble,
        )
    return table


def take_in(recordings: Recordings, files: Iterable[Path], clock: Clock) -> list[str]:
    """Take files in; return what to say of each."""
    return [f"{path}: {recordings.take_in(path, clock.now())} rows, as {path.stem}" for path in files]


def let_go(settings: Settings, clock: Clock) -> list[str]:
    """Let go of what is kept for too long; return what to say of it: what went, and how old the oldest is."""
    recordings, now = recordings_of(settings), clock.now()
    said = [f"recording: {name} let go" for name in recordings.let_go(now, settings.recording.kept)]
    oldest = recordings.oldest_at()
    if oldest is not None:
        said.append(f"recording: {(now - oldest).days} days old, kept {settings.recording.keep_days} days at most")
    return said


def _said(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}" if moment else ""
