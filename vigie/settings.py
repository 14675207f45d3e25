"""The settings: `vigie.toml` for the domain, `VIGIE_*` variables for the machine, read once and passed on in parts.

A variable wins over the file: `VIGIE_KAFKA_URL` is `url` under `[kafka]`. Secrets stand in files of their own.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from records import SettingsError
from streams.settings import KafkaSecurity, StreamSettings

EMBEDDED = "embedded"
DEFAULT_FILE = Path("vigie.toml")
FILE_VARIABLE = "VIGIE_SETTINGS"  # names the file where no option does


class Part(BaseModel):
    """A table of the file; a key that it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Territory(Part):
    """Where Vigie looks, and how readily it speaks."""

    commune: str = Field(default="", description='INSEE code of the home commune, as in "76351"; empty: no home')
    profile: str = Field(default="", description="a profile's name (world, commune, city, departement) or a TOML file")
    local_places: Path | None = Field(default=None, description="a CSV file of quarters, docks, sites and nicknames")
    language: Literal["fr", "en"] = Field(default="fr", description='"fr" or "en": the language of what people read')


class Data(Part):
    """Where Vigie keeps what must outlive it."""

    dir: Path = Field(default=Path("vigie-data"), description="a folder that this user may write")


class Kafka(Part):
    """The broker."""

    url: str = Field(
        default=EMBEDDED,
        pattern=r"^(embedded|kafka://[^\s/:,]+:\d+(,[^\s/:,]+:\d+)*)$",
        description='"embedded", or the brokers as "kafka://host:9092,host:9092"',
    )
    partitions: int = Field(
        default=4, ge=1, le=64, description="a number of partitions of every topic, 1 to 64; fixed from the first day"
    )
    replication_factor: int = Field(default=1, ge=1, le=5, description="copies of each topic; 3 on a cluster")
    tls: bool = Field(default=False, description="true or false")
    ca_file: Path | None = Field(default=None, description="a PEM file with the broker's authority")
    cert_file: Path | None = Field(default=None, description="a PEM file with our certificate")
    key_file: Path | None = Field(default=None, description="a PEM file with our key")
    sasl_mechanism: Literal["", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        default="", description='"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", or empty'
    )
    username: str = Field(default="", description="the SASL user")
    password_file: Path | None = Field(default=None, description="a file that holds the SASL password")


class Broker(Part):
    """The embedded broker, where no Kafka is given."""

    port: int = Field(default=0, ge=0, le=65535, description="a TCP port, or 0 for a free one")
    max_memory_mb: int = Field(
        default=1024, ge=64, description="megabytes at which it is replaced by a fresh one, at least 64"
    )


class Worker(Part):
    """The stream program."""

    health_port: int = Field(default=9101, ge=0, le=65535, description="a TCP port for /healthz and /metrics, or 0")
    stall_secs: float = Field(default=60.0, gt=0, description="seconds without progress that count as stuck")


class Edge(Part):
    """The process that reads the sources."""

    metrics_port: int = Field(default=9102, ge=0, le=65535, description="a TCP port for /metrics, or 0")
    lexicon: Path | None = Field(default=None, description="a file with more words for the gate")


class BlueskySource(Part):
    """Bluesky, live, from a Jetstream server; no account needed."""

    kind: Literal["bluesky"]
    name: str = Field(default="bluesky", pattern=r"^[a-z][a-z0-9_-]{0,31}$", description="a short name, a-z 0-9 _ -")
    url: str = Field(
        default="wss://jetstream.us-east.bsky.network",
        pattern=r"^wss?://[^\s/]+(/\S*)?$",
        description="a Jetstream server, as wss://host",
    )
    languages: tuple[str, ...] = Field(default=(), description='languages to keep, as in ["fr", "en"]; empty: all')
    place: str = Field(default="", description="INSEE code for posts that name no place; leave empty for Bluesky")


class RecordedSource(Part):
    """A file of posts, read once."""

    kind: Literal["recorded"]
    name: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$", description="a short name, a-z 0-9 _ -")
    path: Path = Field(description="a .jsonl or .csv file, plain or .gz")
    speed: float = Field(
        default=0, ge=0, description="1 for real time, 60 for an hour a minute, 0 for as fast as it goes"
    )
    place: str = Field(default="", description="INSEE code for posts that name no place; empty: they are left out")


class WebhookSource(Part):
    """Posts that other programs send us, signed."""

    kind: Literal["webhook"]
    name: str = Field(default="webhook", pattern=r"^[a-z][a-z0-9_-]{0,31}$", description="a short name, a-z 0-9 _ -")
    host: str = Field(default="127.0.0.1", description="the address to listen on")
    port: int = Field(default=8080, ge=1, le=65535, description="the TCP port to listen on")
    scheme: Literal["standard", "hub", "bearer"] = Field(
        default="standard", description='"standard" (Standard Webhooks), "hub" (X-Hub-Signature-256) or "bearer"'
    )
    secret_file: Path = Field(description="a file that holds the shared secret")
    is_trusted: bool = Field(default=False, description="true when only staff sends here: skips the gate")
    place: str = Field(default="", description="INSEE code for posts that name no place; empty: they are left out")


class JsonlReceiver(Part):
    """Alert revisions as lines of a file."""

    kind: Literal["jsonl"]
    name: str = Field(default="jsonl", pattern=r"^[a-z][a-z0-9_-]{0,31}$", description="a short name, a-z 0-9 _ -")
    path: Path = Field(description="the file to append to")


class WebhookReceiver(Part):
    """Alert revisions posted to another program, signed."""

    kind: Literal["webhook"]
    name: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$", description="a short name, a-z 0-9 _ -")
    url: str = Field(pattern=r"^https?://\S+$", description="where to post, as https://host/path")
    secret_file: Path = Field(description="a file that holds the shared secret (whsec_…)")


class TerminalReceiver(Part):
    """Alert revisions on the terminal that runs Vigie."""

    kind: Literal["terminal"]
    name: str = Field(default="terminal", pattern=r"^[a-z][a-z0-9_-]{0,31}$", description="a short name, a-z 0-9 _ -")


SourceSettings = Annotated[BlueskySource | RecordedSource | WebhookSource, Field(discriminator="kind")]
ReceiverSettings = Annotated[JsonlReceiver | WebhookReceiver | TerminalReceiver, Field(discriminator="kind")]


class Settings(BaseSettings):
    """All settings of all processes."""

    model_config = SettingsConfigDict(
        env_prefix="VIGIE_",
        env_nested_delimiter="_",
        env_nested_max_split=1,
        frozen=True,
        extra="forbid",
        nested_model_default_partial_update=True,
    )

    territory: Territory = Territory()
    data: Data = Data()
    kafka: Kafka = Kafka()
    broker: Broker = Broker()
    worker: Worker = Worker()
    edge: Edge = Edge()
    sources: tuple[SourceSettings, ...] = ()
    receivers: tuple[ReceiverSettings, ...] = ()

    @property
    def is_embedded(self) -> bool:
        """Tell whether Vigie brings its own broker."""
        return self.kafka.url == EMBEDDED

    def streams(self, *, has_ticks: bool = True) -> StreamSettings:
        """Return what the stream program must be told.

        Errors  SettingsError when a secret cannot be read, or when there is an embedded broker but no address of it
        """
        url = f"kafka://127.0.0.1:{self.broker.port}" if self.is_embedded and self.broker.port else self.kafka.url
        if url == EMBEDDED:
            raise SettingsError(
                "kafka.url: the embedded broker lives in `vigie run` only; "
                "set VIGIE_KAFKA_URL to the address of a broker, as kafka://host:9092"
            )
        return StreamSettings(
            kafka_url=url,
            data_dir=self.data.dir,
            security=self.security() if not self.is_embedded else KafkaSecurity(),
            is_embedded=self.is_embedded,
            partitions=self.kafka.partitions,
            replication_factor=self.kafka.replication_factor,
            health_port=self.worker.health_port,
            stall_secs=self.worker.stall_secs,
            has_ticks=has_ticks,
        )

    def security(self) -> KafkaSecurity:
        """Return how to talk to the Kafka.

        Errors  SettingsError when the password file cannot be read
        """
        kafka = self.kafka
        return KafkaSecurity(
            is_tls=kafka.tls,
            ca_file=kafka.ca_file,
            cert_file=kafka.cert_file,
            key_file=kafka.key_file,
            sasl_mechanism=kafka.sasl_mechanism,
            username=kafka.username,
            password=secret_from(kafka.password_file, "kafka.password_file") if kafka.password_file else "",
        )


def secret_from(path: Path, key: str) -> str:
    """Return the secret that a file holds.

    Errors  SettingsError when it cannot be read or is empty
    """
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"{key}: cannot read {path}: {error}; write the secret there, readable by this user"
        ) from error
    if not secret:
        raise SettingsError(f"{key}: {path} is empty; write the secret there")
    return secret


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with the settings: where, what was found, what would do."""

    where: str
    found: str
    hint: str

    def __str__(self) -> str:
        return f"{self.where}: {self.found}; {self.hint}"


class UnusableSettings(SettingsError):
    """The settings have problems, each with its place and its cure."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


def load(path: Path | None = None) -> Settings:
    """Return the settings of a file and the environment; paths in the file are relative to its folder.

    Errors  UnusableSettings, with all problems at once
    """
    file = path if path is not None else (DEFAULT_FILE if DEFAULT_FILE.exists() else None)
    if file is not None:
        _refuse_unreadable(file)

    class _Loaded(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            sources = (init_settings, env_settings)
            return sources if file is None else (*sources, TomlConfigSettingsSource(settings_cls, file))

    try:
        return _Loaded()
    except ValidationError as error:
        lines = file.read_text(encoding="utf-8").splitlines() if file else []
        problems = [_problem(details, file, lines) for details in error.errors(include_url=False)]
        raise UnusableSettings(problems) from error


def _refuse_unreadable(file: Path) -> None:
    try:
        tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UnusableSettings(
            [Problem(str(file), "there is no such file", "`vigie init --commune INSEE` writes one")]
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableSettings([Problem(str(file), f"cannot be read: {error}", "give a text file in UTF-8")]) from error
    except tomllib.TOMLDecodeError as error:
        raise UnusableSettings(
            [Problem(str(file), f"is not TOML: {error}", "mend that line; texts need quotes, tables [brackets]")]
        ) from error


def _problem(details: ErrorDetails, file: Path | None, lines: list[str]) -> Problem:
    keys = [part for part in details["loc"] if part not in _KINDS]
    where = ".".join(str(key) for key in keys)
    line = _line_of(keys, lines)
    if line is not None:
        where = f"{file}: line {line}: {where}"
    elif file is not None:
        where = f"{file}: {where}"
    return Problem(where, _found(details), _hint(details, keys))


_KINDS = frozenset({"bluesky", "recorded", "webhook", "jsonl", "terminal"})


def _found(details: ErrorDetails) -> str:
    if details["type"] == "missing":
        return "is missing"
    if details["type"] == "extra_forbidden":
        return "is not a setting"
    if details["type"].startswith("union_tag"):
        given = details["input"]
        kind = given.get("kind") if isinstance(given, Mapping) else given
        return f"kind {kind!r} is not known" if kind is not None else "has no kind"
    return f"found {details['input']!r}"


def _hint(details: ErrorDetails, keys: list[Any]) -> str:
    if details["type"].startswith("union_tag"):
        return f"kind is one of {details.get('ctx', {}).get('expected_tags', _expected_tags(keys))}"
    model = _model_at(keys[:-1])
    if details["type"] == "extra_forbidden":
        known = sorted(model.model_fields) if model else []
        near = get_close_matches(str(keys[-1]), known, 1)
        return f"did you mean {near[0]}?" if near else f"the settings here are {', '.join(known)}"
    field = model.model_fields.get(str(keys[-1])) if model else None
    described = field.description if field and field.description else details["msg"].lower()
    return f"give {described}"


def _expected_tags(keys: list[Any]) -> str:
    models = _choices(str(keys[0])) if keys else ()
    return ", ".join(str(get_args(model.model_fields["kind"].annotation)[0]) for model in models)


def _choices(key: str) -> tuple[type[BaseModel], ...]:
    union = {"sources": SourceSettings, "receivers": ReceiverSettings}.get(key)
    return get_args(get_args(union)[0]) if union is not None else ()


def _model_at(keys: list[Any]) -> type[BaseModel] | None:
    if not keys:
        return Settings
    choices = _choices(str(keys[0]))
    if choices:
        return max(choices, key=lambda model: len(model.model_fields))
    field = Settings.model_fields.get(str(keys[0]))
    annotation = field.annotation if field else None
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None


def _line_of(keys: list[Any], lines: list[str]) -> int | None:
    """Return the line that a key stands on: the nth table of its name, then the key in it."""
    if not keys or not lines:
        return None
    table, *rest = keys
    index = rest[0] if rest and isinstance(rest[0], int) else 0
    headers = [number for number, line in enumerate(lines) if _is_header(line, str(table))]
    if len(headers) <= index:
        return next((n + 1 for n, line in enumerate(lines) if line.split("=")[0].strip() == str(table)), None)
    start = headers[index]
    name = str(keys[-1])
    for number in range(start + 1, len(lines)):
        if lines[number].lstrip().startswith("["):
            break
        if lines[number].split("=")[0].strip() == name:
            return number + 1
    return start + 1


def _is_header(line: str, table: str) -> bool:
    return line.split("#", maxsplit=1)[0].strip() in (f"[{table}]", f"[[{table}]]")
