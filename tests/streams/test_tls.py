"""Towards a Kafka: every client of ours speaks as the settings say, and believes no server that it need not believe.

The servers here are real TLS without a Kafka behind it: whom we let in, and who lets us in, is decided before. On the
real Apache Kafka: tests/kafka/test_secured_on_apache_kafka.py.
"""

import ast
import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography import x509
from cryptography.x509.oid import NameOID

from records import SettingsError, SourceUnavailable
from streams import true_ends
from streams.app import make_app
from streams.declaring import declare_topics
from streams.settings import KafkaSecurity, StreamSettings

STREAMS = Path(true_ends.__file__).parent
CLIENTS = {"AIOKafkaConsumer", "AIOKafkaProducer", "AIOKafkaAdminClient"}
EMBEDDED_ALONE = {"true_ends.py"}
"""What is asked of the embedded broker alone, on the loopback."""
PAST = datetime(2020, 1, 1, tzinfo=UTC)


def clients() -> Iterator[tuple[str, ast.Call]]:
    """Give every place where a client of Kafka is made, and the file that it stands in."""
    for path in sorted(STREAMS.parent.glob("[!.]*/**/*.py")):
        if path.is_relative_to(STREAMS.parent / "tests"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = getattr(node.func, "attr", getattr(node.func, "id", "")) if isinstance(node, ast.Call) else ""
            if isinstance(node, ast.Call) and name in CLIENTS:
                yield path.name, node


def test_every_client_is_told_of_tls_and_of_the_password() -> None:
    made = list(clients())
    assert len(made) > 5
    bare = [name for name, call in made if not any("for_aiokafka" in ast.unparse(one) for one in call.keywords)]
    assert set(bare) <= EMBEDDED_ALONE


def test_what_is_for_the_embedded_broker_alone_is_asked_of_no_other() -> None:
    asked = {
        path.name: path.read_text(encoding="utf-8") for path in STREAMS.glob("*.py") if path.name != "true_ends.py"
    }
    lines = [line for text in asked.values() for line in text.splitlines() if "await true_end_offsets(" in line]
    assert [line for line in lines if "if settings.is_embedded" not in line.replace("self._settings", "settings")] == [
        line for line in asked["embedded.py"].splitlines() if "await true_end_offsets(" in line
    ]


@dataclass
class Door:
    """A server with a certificate, and whom it has seen."""

    port: int = 0
    seen: list[str] = field(default_factory=list)  # of each handshake that ended well: whose certificate it bore

    @property
    def url(self) -> str:
        return f"kafka://localhost:{self.port}"


@asynccontextmanager
async def door(certificate: trustme.LeafCert, *, asks: trustme.CA | None = None) -> AsyncIterator[Door]:
    """Open a door; `asks` is the authority whose certificates it wants to see."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.configure_cert(context)
    if asks is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        asks.configure_trust(context)
    opened = Door()

    async def let_in(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        opened.seen.append(_named(shown) if shown else "")
        await reader.read(4)
        writer.close()

    server = await asyncio.start_server(let_in, "127.0.0.1", 0, ssl=context)
    opened.port = server.sockets[0].getsockname()[1]
    async with server:
        yield opened


def _named(certificate: bytes) -> str:
    found = x509.load_der_x509_certificate(certificate).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value)


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ours(authority: trustme.CA, tmp_path: Path) -> KafkaSecurity:
    """Return what an operator sets: an authority's file, and our own certificate with its key."""
    leaf = authority.issue_cert("vigie.example", common_name="vigie")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    leaf.private_key_pem.write_to_path(tmp_path / "vigie.key")
    leaf.cert_chain_pems[0].write_to_path(tmp_path / "vigie.pem")
    return KafkaSecurity(
        is_tls=True,
        ca_file=tmp_path / "ca.pem",
        cert_file=tmp_path / "vigie.pem",
        key_file=tmp_path / "vigie.key",
    )


async def knock(opened: Door, security: KafkaSecurity, folder: Path) -> None:
    """Ask for the topics, which nobody answers here."""
    with pytest.raises(SourceUnavailable):
        await declare_topics(StreamSettings(kafka_url=opened.url, data_dir=folder, security=security))


async def test_a_server_of_our_authority_is_spoken_to_and_sees_our_certificate(
    authority: trustme.CA, ours: KafkaSecurity, tmp_path: Path
) -> None:
    async with door(authority.issue_cert("localhost"), asks=authority) as opened:
        await knock(opened, ours, tmp_path)
    assert set(opened.seen) == {"vigie"}


@pytest.mark.parametrize("wrong", ["another authority", "expired", "another name", "the system's authorities"])
async def test_a_server_that_is_not_ours_is_not_spoken_to(
    wrong: str, authority: trustme.CA, ours: KafkaSecurity, tmp_path: Path
) -> None:
    leaf = {
        "another authority": lambda: trustme.CA().issue_cert("localhost"),
        "expired": lambda: authority.issue_cert("localhost", not_before=PAST, not_after=PAST + timedelta(days=1)),
        "another name": lambda: authority.issue_cert("elsewhere.example"),
        "the system's authorities": lambda: authority.issue_cert("localhost"),
    }[wrong]()
    security = KafkaSecurity(is_tls=True) if wrong == "the system's authorities" else ours
    async with door(leaf) as opened:
        await knock(opened, security, tmp_path)
    assert opened.seen == []


async def test_without_our_certificate_a_server_that_asks_for_it_does_not_let_us_in(
    authority: trustme.CA, ours: KafkaSecurity, tmp_path: Path
) -> None:
    async with door(authority.issue_cert("localhost"), asks=authority) as opened:
        await knock(opened, KafkaSecurity(is_tls=True, ca_file=ours.ca_file), tmp_path)
    assert opened.seen == []


async def test_a_password_is_not_said_to_a_server_that_is_not_ours(authority: trustme.CA, tmp_path: Path) -> None:
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    security = KafkaSecurity(
        is_tls=True, ca_file=tmp_path / "ca.pem", sasl_mechanism="PLAIN", username="vigie", password="hunter2"
    )
    async with door(trustme.CA().issue_cert("localhost")) as opened:
        await knock(opened, security, tmp_path)
    assert opened.seen == []
    assert "hunter2" not in repr(security)


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_the_stream_program_speaks_as_the_other_clients_do(mechanism: str, ours: KafkaSecurity, tmp_path: Path) -> None:
    said: Any = {**vars(ours), "sasl_mechanism": mechanism, "username": "vigie", "password": "p"}
    security = KafkaSecurity(**said)
    app = make_app(StreamSettings(kafka_url="kafka://localhost:1", data_dir=tmp_path, security=security))
    credentials: Any = app.conf.broker_credentials
    assert (credentials.protocol.value, credentials.mechanism.value) == ("SASL_SSL", mechanism)
    assert credentials.ssl_context.verify_mode is ssl.CERT_REQUIRED
    assert credentials.ssl_context.check_hostname
    assert security.for_aiokafka()["sasl_mechanism"] == mechanism


@pytest.mark.parametrize(
    "content", [b"", b"no certificate", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_what_is_no_certificate_is_refused_in_words(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes(content)
    with pytest.raises(SettingsError, match="cannot use the certificates"):
        KafkaSecurity(is_tls=True, ca_file=tmp_path / "ca.pem").ssl_context()
