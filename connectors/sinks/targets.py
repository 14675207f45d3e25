"""Targets: the addresses of people in a file, one a line, each understood by apprise; none of them is ever shown.

Shape   a line is an address such as mailto://…, or a comment that begins with #
Errors  SettingsError, which names lines and services, and no address
Source  https://appriseit.com/services/
"""

import hashlib
import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from connectors.sinks.message import SEGMENT
from records import SettingsError

if TYPE_CHECKING:
    from apprise import Apprise, AppriseAsset, NotifyBase

MESSENGERS = frozenset(
    {"signal", "signals", "whatsapp", "awswhatsapp", "evolution", "evolutions", "whapi", "gupshup", "threema"}
)
"""Services that go by telephone numbers and have room for more than an SMS."""

_LOGGERS = ("apprise", "urllib3.connectionpool", "urllib3.util.retry")


@dataclass(frozen=True)
class Target:
    """One address."""

    id: str  # of the address's text: the same after a restart, and on another line
    line: int
    service: str
    room: int  # characters
    is_sms: bool
    has_subject: bool
    apprise: "Apprise" = field(repr=False, compare=False)

    def __str__(self) -> str:
        return f"line {self.line} ({self.service})"


def targets_in(path: Path, key: str, *, timeout_secs: float) -> list[Target]:
    """Return the targets of a file.

    Errors  SettingsError, beginning with `key`, when there is none, or a line that apprise does not understand
    """
    asset = _asset(key, timeout_secs)
    lines = _lines_of(path, key)
    first: dict[str, int] = {}
    for number, address in lines.items():
        if address in first:
            raise SettingsError(f"{key}: {path}: line {number} is line {first[address]} again; take one of them out")
        first[address] = number
    found = {number: _target(number, address, asset) for number, address in lines.items()}
    unusable = [str(number) for number, target in found.items() if target is None]
    if unusable:
        raise SettingsError(
            f"{key}: {path}: line {', '.join(unusable)}: no address that apprise understands; "
            "see https://appriseit.com/services/ for how it is written"
        )
    return [target for target in found.values() if target is not None]


def _lines_of(path: Path, key: str) -> dict[int, str]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise SettingsError(
            f"{key}: cannot read {path}: {error.strerror}; write the addresses there, one a line, for this user alone"
        ) from error
    except UnicodeDecodeError:
        raise SettingsError(f"{key}: {path} is not text; write the addresses there, one a line, in UTF-8") from None
    lines = {number: line.strip() for number, line in enumerate(text.splitlines(), 1)}
    addresses = {number: line for number, line in lines.items() if line and not line.startswith("#")}
    if not addresses:
        raise SettingsError(f"{key}: {path} holds no address; write one a line there, as in mailto://…")
    return addresses


def _asset(key: str, timeout_secs: float) -> "AppriseAsset":
    """Load apprise, and keep what it and its libraries log to themselves: addresses with their secrets stand in it."""
    try:
        from apprise import AppriseAsset  # noqa: PLC0415  an extra
    except ImportError as error:
        raise SettingsError(
            f"{key}: needs the library apprise, which is not installed; "
            "install the extra: pip install -e '.[notify]' in the checkout"
        ) from error
    for name in _LOGGERS:
        logging.getLogger(name).disabled = True
    return AppriseAsset(
        app_id="Vigie", app_desc="Vigie", storage_mode="memory", service_timeout=timeout_secs, secure_logging=True
    )


def _target(number: int, address: str, asset: "AppriseAsset") -> Target | None:
    from apprise import Apprise  # noqa: PLC0415  an extra

    try:
        service = Apprise.instantiate(address, asset=asset)
    except Exception:  # noqa: BLE001  a bug in one of two hundred plug-ins; its words may hold the address
        return None
    if service is None:
        return None
    _hold_down(service)
    room, subject_room = int(service.body_maxlen), int(service.title_maxlen)
    scheme = address.partition("://")[0].lower()
    has_number = any("phone" in token for token in service.template_tokens)
    return Target(
        id=hashlib.sha256(address.encode()).hexdigest()[:16],
        line=number,
        service=str(service.service_name),
        room=room,
        is_sms=room <= SEGMENT or (has_number and not subject_room and scheme not in MESSENGERS),
        has_subject=subject_room > 0,
        apprise=_one(service, asset),
    )


def _hold_down(service: "NotifyBase") -> None:
    """Cut what is too long instead of being refused; follow no redirect: a POST becomes a GET, and nobody is told."""
    from apprise import OverflowMode  # noqa: PLC0415  an extra

    if service.overflow_mode == OverflowMode.UPSTREAM:
        service.overflow_mode = OverflowMode.TRUNCATE
    service.redirects = False


def _one(service: "NotifyBase", asset: "AppriseAsset") -> "Apprise":
    from apprise import Apprise  # noqa: PLC0415  an extra

    alone = Apprise(asset=asset)
    alone.add(service)
    return alone
