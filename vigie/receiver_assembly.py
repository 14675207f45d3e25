"""The receivers: each kind of the settings with what makes its sink."""

from base64 import b64decode
from collections.abc import Callable, Generator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console

from connectors.sinks.alertmanager import Alertmanager
from connectors.sinks.apprise import AppriseSink
from connectors.sinks.cap import CapFolder, Office
from connectors.sinks.contract import Sink
from connectors.sinks.feeds import Feeds
from connectors.sinks.jsonl import JsonLines
from connectors.sinks.message import Voice
from connectors.sinks.terminal import Terminal
from connectors.sinks.webhook import WebhookSink, why_refused
from records import Clock, SettingsError
from vigie.receiver_settings import (
    AlertmanagerReceiver,
    AppriseReceiver,
    CapReceiver,
    FeedsReceiver,
    JsonlReceiver,
    ReceiverSettings,
    TerminalReceiver,
    WebhookReceiver,
)
from vigie.served_feeds import ServedFeeds
from vigie.settings import Settings, secret_from

LEAST_SECRET_BYTES = 24  # Standard Webhooks 1.0
NOT_STANDARD = (
    'what it holds is no Standard Webhooks secret; write "whsec_" and base64 of 24 bytes or more there, '
    'as from: echo "whsec_$(openssl rand -base64 24)"'
)


def sink_from(receiver: ReceiverSettings, settings: Settings, clock: Clock, console: Console | None = None) -> Sink:
    """Return one receiver's sink.

    Errors  SettingsError when its secret or address cannot be used
    """
    if isinstance(receiver, TerminalReceiver):
        return Terminal(console or Console(stderr=False), language=settings.territory.language, name=receiver.name)
    return MAKERS[type(receiver)](receiver, settings, clock)


def _jsonl_sink(receiver: JsonlReceiver, settings: Settings, clock: Clock) -> Sink:
    try:
        return JsonLines(receiver.path, name=receiver.name)
    except OSError as error:
        raise SettingsError(
            f"receivers.{receiver.name}.path: cannot write to {receiver.path}: {error.strerror}; "
            "give a file that this user may write"
        ) from error


def _folder_sink(receiver: CapReceiver | FeedsReceiver, settings: Settings, clock: Clock) -> Sink:
    try:
        if isinstance(receiver, CapReceiver):
            return cap_sink(receiver, clock)
        return feeds_sink(receiver, settings, clock)
    except OSError as error:
        where = f"receivers.{receiver.name}.folder"
        raise SettingsError(
            f"{where}: cannot write to {receiver.folder}: {error.strerror}; give a folder that this user may write"
        ) from error


def cap_sink(receiver: CapReceiver, clock: Clock) -> CapFolder:
    """Return what writes CAP documents."""
    office = Office(
        sender=receiver.sender,
        status=receiver.status,
        restriction=receiver.restriction,
        addresses=receiver.addresses,
        page_url=receiver.page_url,
    )
    return CapFolder(
        receiver.folder,
        office=office,
        base_url=receiver.base_url,
        clock=clock,
        name=receiver.name,
        keep=timedelta(days=receiver.keep_days),
    )


def feeds_sink(receiver: FeedsReceiver, settings: Settings, clock: Clock) -> Sink:
    """Return what writes feeds, and serves them where a port is given."""
    feeds = Feeds(
        receiver.folder,
        clock=clock,
        name=receiver.name,
        base_url=receiver.base_url,
        page_url=receiver.page_url,
        language=settings.territory.language,
        keep=timedelta(days=receiver.keep_days),
    )
    if not receiver.port:
        return feeds
    return ServedFeeds(feeds, host=receiver.host, port=receiver.port, allow_origin=receiver.allow_origin)


def _webhook_sink(receiver: WebhookReceiver, settings: Settings, clock: Clock) -> Sink:
    where = f"receivers.{receiver.name}"
    why = why_refused(receiver.url)
    if why:
        raise SettingsError(f"{where}.url: {why}")
    secret = standard_secret(receiver.secret_file, f"{where}.secret_file")
    return WebhookSink(receiver.url, secret=secret, clock=clock, name=receiver.name)


def _apprise_sink(receiver: AppriseReceiver, settings: Settings, clock: Clock) -> Sink:
    voice = Voice(
        language=settings.territory.language,
        page_url=receiver.page_url,
        with_quotes=receiver.with_quotes,
        is_exercise=receiver.is_exercise,
    )
    return AppriseSink(
        receiver.urls_file,
        kept=kept_file(receiver.name, settings),
        clock=clock,
        voice=voice,
        name=receiver.name,
        timeout_secs=receiver.timeout_secs,
    )


def alertmanager_from(receiver: AlertmanagerReceiver, settings: Settings, clock: Clock) -> Alertmanager:
    """Return an Alertmanager's sink, which reads and sets its silences too.

    Errors  SettingsError when its secret or address cannot be used
    """
    check_alertmanager(receiver)
    return Alertmanager(
        receiver.url,
        kept=kept_file(receiver.name, settings),
        clock=clock,
        name=receiver.name,
        language=settings.territory.language,
        page_url=receiver.page_url,
        auth=_auth_of(receiver),
    )


def check_alertmanager(receiver: AlertmanagerReceiver) -> None:
    """Look at an Alertmanager's settings.

    Errors  SettingsError when its secret or address cannot be used
    """
    where = f"receivers.{receiver.name}"
    why = why_refused(receiver.url)
    if why:
        raise SettingsError(f"{where}.url: {why}")
    if receiver.token_file and receiver.password_file:
        raise SettingsError(f"{where}.token_file: there is a password_file too; give one of them")
    if bool(receiver.username) != bool(receiver.password_file):
        raise SettingsError(f"{where}.username: goes with a password_file; give both or neither")
    _auth_of(receiver)


def _auth_of(receiver: AlertmanagerReceiver) -> httpx.Auth | None:
    where = f"receivers.{receiver.name}"
    if receiver.password_file:
        return httpx.BasicAuth(receiver.username, secret_from(receiver.password_file, f"{where}.password_file"))
    if receiver.token_file:
        return BearerAuth(secret_from(receiver.token_file, f"{where}.token_file"))
    return None


class BearerAuth(httpx.Auth):
    """A token in the header of each request."""

    def __init__(self, token: str) -> None:
        self._header = f"Bearer {token}"

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the header."""
        request.headers["authorization"] = self._header
        yield request


def kept_file(name: str, settings: Settings) -> Path:
    """Return where a receiver keeps what it has still to say."""
    return settings.data.dir / "receivers" / f"{name}.sqlite"


def standard_secret(path: Path, key: str) -> str:
    """Return a secret as Standard Webhooks wants it: base64, of 24 bytes or more."""
    secret = secret_from(path, key)
    try:
        is_standard = len(b64decode(secret.removeprefix("whsec_"), validate=True)) >= LEAST_SECRET_BYTES
    except ValueError:
        is_standard = False
    if not is_standard:
        raise SettingsError(f"{key}: {path}: {NOT_STANDARD}")
    return secret


MAKERS: Mapping[type[ReceiverSettings], Callable[[Any, Settings, Clock], Sink]] = {
    JsonlReceiver: _jsonl_sink,
    WebhookReceiver: _webhook_sink,
    AppriseReceiver: _apprise_sink,
    AlertmanagerReceiver: alertmanager_from,
    CapReceiver: _folder_sink,
    FeedsReceiver: _folder_sink,
}
"""A receiver's settings and what makes its sink; the terminal's is made with the console that it writes to."""
