"""What the stream program must be told: where the broker is and how to talk to it."""

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from records import SettingsError


@dataclass(frozen=True, kw_only=True)
class KafkaSecurity:
    """TLS and SASL towards a Kafka; all off for a broker on the loopback interface."""

    is_tls: bool = False
    ca_file: Path | None = None  # the system's authorities where not given
    cert_file: Path | None = None  # client certificate, with its key
    key_file: Path | None = None
    sasl_mechanism: Literal["", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = ""
    username: str = ""
    password: str = field(default="", repr=False)

    def ssl_context(self) -> ssl.SSLContext | None:
        """Return what TLS needs, or None without TLS.

        Errors  SettingsError when a file cannot be read as a certificate or a key
        """
        if not self.is_tls:
            return None
        try:
            context = ssl.create_default_context(cafile=str(self.ca_file) if self.ca_file else None)
            if self.cert_file:
                context.load_cert_chain(self.cert_file, self.key_file)
        except (OSError, ssl.SSLError) as error:
            raise SettingsError(
                f"kafka: cannot use the certificates (ca_file={self.ca_file}, cert_file={self.cert_file}, "
                f"key_file={self.key_file}): {error}; give PEM files that this user may read"
            ) from error
        return context

    @property
    def protocol(self) -> str:
        """Return Kafka's name for this combination."""
        if self.sasl_mechanism:
            return "SASL_SSL" if self.is_tls else "SASL_PLAINTEXT"
        return "SSL" if self.is_tls else "PLAINTEXT"

    def for_aiokafka(self) -> dict[str, Any]:
        """Return the keyword arguments that aiokafka's clients take."""
        settings: dict[str, Any] = {"security_protocol": self.protocol, "ssl_context": self.ssl_context()}
        if self.sasl_mechanism:
            settings |= {
                "sasl_mechanism": self.sasl_mechanism,
                "sasl_plain_username": self.username,
                "sasl_plain_password": self.password,
            }
        return settings


@dataclass(frozen=True, kw_only=True)
class StreamSettings:
    """The stream program's settings, read once in `vigie/settings.py`."""

    kafka_url: str  # "kafka://host:port[,host:port…]"
    data_dir: Path  # the tables' files
    app_id: str = "vigie"
    security: KafkaSecurity = KafkaSecurity()
    is_embedded: bool = False  # Tansu: heed its wrong end offsets (streams/embedded.py)
    partitions: int = 4  # of every topic, fixed from the first day
    replication_factor: int = 1
    batch_posts: int = 512  # read together when they queue; a quiet stream does not wait for so many
    batch_wait_secs: float = 0.03
    health_host: str = "127.0.0.1"
    health_port: int = 0  # /metrics and /healthz of the worker; 0: none
    stall_secs: float = 60.0  # lag without progress for so long: unhealthy
    has_ticks: bool = True  # time passes by our clock; False in replays, where records tell the time

    @property
    def bootstrap_servers(self) -> str:
        """Return the brokers as Kafka's clients want them."""
        return self.kafka_url.replace("kafka://", "")
