"""Every error the program raises on purpose, named for what happens next.

VigieError
├── SettingsError       the program does not start; the operator changes a setting
├── SourceUnavailable   the connector waits, then reads again; nothing is lost
├── MalformedRecord     that one record goes to the dead letters; the stream goes on
└── BrokenInvariant     our own state is wrong; the process stops before it can do harm
"""


class VigieError(Exception):
    """The root of all errors raised on purpose."""


class SettingsError(VigieError):
    """The settings cannot be used; the message names the place, what was found and what would do."""


class SourceUnavailable(VigieError):
    """A source cannot be read now; the caller waits and reads again from its cursor."""

    def __init__(self, message: str, *, retry_after_secs: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_secs = retry_after_secs


class MalformedRecord(VigieError):
    """One record from outside cannot be read. `reason` is a metric label: few, fixed values.

    The message may quote what was found, and whoever sent that chose its length: what goes beyond `LONGEST` is cut.
    """

    LONGEST = 500  # characters

    def __init__(self, message: str, *, reason: str, value: bytes = b"") -> None:
        super().__init__(message if len(message) <= self.LONGEST else f"{message[: self.LONGEST - 1]}…")
        self.reason = reason
        self.value = value


class BrokenInvariant(VigieError):
    """Our own state contradicts itself; going on could hide or invent an incident."""
