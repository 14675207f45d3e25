"""Alert lines: the incidents of a file that `vigie replay --alerts` wrote, each at its latest revision."""

from collections.abc import Iterable
from typing import Any

import msgspec

from records import Alert, MalformedRecord


def alert_from(line: bytes) -> Alert:
    """Return the alert of one line. The posts behind it are not looked at: a line has only their ids.

    Errors  MalformedRecord when it is no alert
    """
    try:
        said: Any = msgspec.json.decode(line)
        if isinstance(said, dict):
            said["evidence"] = []
        return msgspec.convert(said, Alert)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedRecord(f"is no alert: {error}", reason="invalid", value=line) from error


def latest_alerts(lines: Iterable[bytes], *, name: str) -> list[Alert]:
    """Return the latest revision of each incident, in the order in which the incidents appear.

    Errors  MalformedRecord, with the name of the file and the line
    """
    latest: dict[str, Alert] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            alert = alert_from(line.removeprefix(b"\xef\xbb\xbf"))
        except MalformedRecord as error:
            hint = "give lines as `vigie replay --alerts` writes them"
            raise MalformedRecord(f"{name}: line {number}: {error}; {hint}", reason=error.reason) from error
        known = latest.get(alert.incident_id)
        if known is None or alert.revision >= known.revision:
            latest[alert.incident_id] = alert
    return list(latest.values())
