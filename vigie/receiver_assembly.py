"""The receivers: each kind of the settings with what makes its sink."""

from base64 import b64decode
from pathlib import Path

from rich.console import Console

from connectors.sinks.contract import Sink
from connectors.sinks.jsonl import JsonLines
from connectors.sinks.terminal import Terminal
from connectors.sinks.webhook import WebhookSink, why_refused
from records import Clock, SettingsError
from vigie.receiver_settings import JsonlReceiver, ReceiverSettings, WebhookReceiver
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
    if isinstance(receiver, JsonlReceiver):
        return JsonLines(receiver.path, name=receiver.name)
    if isinstance(receiver, WebhookReceiver):
        return _webhook_sink(receiver, clock)
    return Terminal(console or Console(stderr=False), language=settings.territory.language, name=receiver.name)


def _webhook_sink(receiver: WebhookReceiver, clock: Clock) -> Sink:
    where = f"receivers.{receiver.name}"
    why = why_refused(receiver.url)
    if why:
        raise SettingsError(f"{where}.url: {why}")
    secret = standard_secret(receiver.secret_file, f"{where}.secret_file")
    return WebhookSink(receiver.url, secret=secret, clock=clock, name=receiver.name)


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
