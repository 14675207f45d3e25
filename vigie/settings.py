"""The settings: `vigie.toml` for the domain, `VIGIE_*` variables for the machine, read once and passed on in parts.

A variable wins over the file: `VIGIE_KAFKA_URL` is `url` under `[kafka]`. Secrets stand in files of their own.
Relative paths in the file start from the file's folder, those in variables from where the program runs.
"""

import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel, Field, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings import SettingsError as UnreadableVariable

from records import SettingsError
from streams.settings import KafkaSecurity, StreamSettings
from vigie.console_settings import ConsoleSettings
from vigie.duty_settings import DutySettings
from vigie.receiver_settings import ReceiverSettings
from vigie.routing_settings import InhibitionSettings, IntervalSettings, RouteSettings, WindowSettings
from vigie.rumour_settings import OfficialAccount, RumourSettings
from vigie.source_settings import Part, SourceSettings

EMBEDDED = "embedded"
RECORDING = "recording"  # the folder of it in data.dir
DEFAULT_FILE = Path("vigie.toml")
FILE_VARIABLE = "VIGIE_SETTINGS"  # names the file where no option does


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
    tls: bool = Field(default=False, description="true when the brokers speak TLS")
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


class Metrics(Part):
    """Who may read `/metrics` of each process, and `/healthz` of the worker: neither asks for a password."""

    host: Literal["127.0.0.1", "0.0.0.0"] = Field(  # noqa: S104  both answer the supervisor on this machine
        default="127.0.0.1",
        description='"127.0.0.1": this machine alone; "0.0.0.0": all that reach it, as containers need',
    )


class Privacy(Part):
    """Who answers for what is read, for the papers that `vigie privacy report` writes."""

    controller: str = Field(default="", description='who is responsible, as in "Ville du Havre"')
    address: str = Field(default="", description="the postal address of who is responsible")
    contact: str = Field(default="", description="an address for people's requests")
    officer: str = Field(default="", description="the data protection officer's address")
    legal_basis: str = Field(default="", description="the legal basis, in words; empty: task in the public interest")


class DigestSettings(Part):
    """What whoever comes on duty is told, unasked."""

    times: tuple[Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")], ...] = Field(
        default=("07:00", "19:00"), description='when shifts change, as in ["07:00", "19:00"]; empty: never unasked'
    )
    zone: str = Field(default="Europe/Paris", description="the zone of the clock on the wall")
    receivers: tuple[str, ...] = Field(default=(), description="names of receivers; empty: all that can")


class SolidaritySettings(Part):
    """What people need and offer around an incident."""

    listed: bool = Field(
        default=True, description="whether needs and offers are read from posts, kept for 72 hours and listed"
    )


class RecordingSettings(Part):
    """The past, kept for backtests."""

    is_on: bool = Field(default=True, description="whether what was heard is kept, without words, for backtests")
    keep_days: int = Field(default=90, ge=1, le=400, description="days that it is kept, 1 to 400")

    @property
    def is_there(self) -> bool:
        """Tell whether it can be read and written: its library is installed."""
        return find_spec("pyarrow") is not None

    @property
    def kept(self) -> timedelta:
        """Return for how long it is kept."""
        return timedelta(days=self.keep_days)


class MessageSettings(Part):
    """What to say, agreed on beforehand."""

    map: Path | None = Field(
        default=None, description="a file or folder of message maps, which replaces by id and adds to the shipped one"
    )


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
    metrics: Metrics = Metrics()
    console: ConsoleSettings = ConsoleSettings()
    privacy: Privacy = Privacy()
    messages: MessageSettings = MessageSettings()
    solidarity: SolidaritySettings = SolidaritySettings()
    recording: RecordingSettings = RecordingSettings()
    sources: tuple[SourceSettings, ...] = ()
    receivers: tuple[ReceiverSettings, ...] = ()
    digest: DigestSettings = DigestSettings()
    routes: tuple[RouteSettings, ...] = ()
    intervals: tuple[IntervalSettings, ...] = ()
    inhibitions: tuple[InhibitionSettings, ...] = ()
    windows: tuple[WindowSettings, ...] = ()
    duty: tuple[DutySettings, ...] = ()
    rumours: RumourSettings = RumourSettings()
    official_accounts: tuple[OfficialAccount, ...] = ()

    def only(self, names: Sequence[str]) -> "Settings":
        """Return the settings with the sources named alone, all of them where none is named.

        Errors  SettingsError when there is no such source
        """
        known = {source.name: source for source in self.sources}
        for name in names:
            if name not in known:
                near = get_close_matches(name, known, 1)
                hint = f"did you mean {near[0]}?" if near else f"the sources here are {', '.join(known) or 'none'}"
                raise SettingsError(f"sources: no source has the name {name!r}; {hint}")
        return self.model_copy(update={"sources": tuple(known[name] for name in names)}) if names else self

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
                "give it a port under [broker] and start it again, or set VIGIE_KAFKA_URL to a broker, as kafka://host:9092"
            )
        return StreamSettings(
            kafka_url=url,
            data_dir=self.data.dir,
            security=self.security() if not self.is_embedded else KafkaSecurity(),
            is_embedded=self.is_embedded,
            partitions=self.kafka.partitions,
            replication_factor=self.kafka.replication_factor,
            health_host=self.metrics.host,
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
    except OSError as error:
        if any(part.startswith(_SECRET_PREFIX) for part in path.parts):
            raise SettingsError(
                f"{key}: holds the secret itself; write the secret to a file and give the file's name here"
            ) from None
        raise SettingsError(
            f"{key}: cannot read {path}: {error.strerror}; write the secret there, readable by this user"
        ) from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{key}: {path} is not text; write the secret there, as text") from error
    if not secret:
        raise SettingsError(f"{key}: {path} is empty; write the secret there")
    return secret


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with the settings: where, what was found, what would do."""

    where: str
    found: str
    hint: str  # empty where `found` says it already

    def __str__(self) -> str:
        return f"{self.where}: {self.found}; {self.hint}" if self.hint else f"{self.where}: {self.found}"


class UnusableSettings(SettingsError):
    """The settings have problems, each with its place and its cure."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


def load(path: Path | None = None) -> Settings:
    """Return the settings of a file and the environment.

    Errors  UnusableSettings, with all problems at once
    """
    file = path if path is not None else (DEFAULT_FILE if DEFAULT_FILE.exists() else None)
    text = _text_of(file) if file else ""
    said = _anchored(_tables_of(file, text), file.absolute().parent) if file else {}

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
            return (env_settings, InitSettingsSource(settings_cls, init_kwargs=said))

    try:
        return _Loaded()
    except ValidationError as error:
        lines = text.splitlines()
        problems = [_problem(details, file, lines) for details in error.errors(include_url=False)]
        raise UnusableSettings(problems) from error
    except UnreadableVariable as error:
        raise UnusableSettings([_variable_problem(str(error))]) from error
    except RecursionError as error:  # of the file's own depth it was told before
        found = Problem("VIGIE_*", "one of the variables is nested too deeply", "give JSON as its table needs it")
        raise UnusableSettings([found]) from error


def _text_of(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise UnusableSettings(
            [Problem(str(file), "there is no such file", "`vigie init --commune INSEE` writes one")]
        ) from error
    except OSError as error:
        raise UnusableSettings(
            [Problem(str(file), f"cannot be read: {error.strerror}", "give a file that this user may read")]
        ) from error
    except UnicodeDecodeError as error:
        raise UnusableSettings(
            [Problem(str(file), f"is not text in UTF-8: {error.reason}", "save it again as UTF-8")]
        ) from error


def _tables_of(file: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # a number of thousands of digits is no TOMLDecodeError
        what, _, place = str(error).removesuffix(")").partition(" (at ")
        where = f"{file}: {place}" if place else str(file)
        raise UnusableSettings(
            [Problem(where, f"is not TOML: {what}", "mend that line; texts need quotes, tables [brackets]")]
        ) from error


def _anchored(said: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return what a file says, with its paths starting from its folder; the default data folder stands there too."""
    data = said.setdefault("data", {})
    if isinstance(data, dict):
        data.setdefault("dir", str(Data.model_fields["dir"].default))
    for value in said.values():
        for table in value if isinstance(value, list) else [value]:
            if isinstance(table, dict):
                table.update({key: str(folder / path) for key, path in table.items() if _is_path(key, path)})
    return said


def _is_path(key: str, value: object) -> bool:
    if not isinstance(value, str):
        return False
    return key in _PATHS or (key == "profile" and value.endswith(".toml"))


def _choices(key: str) -> tuple[type[BaseModel], ...]:
    union = {"sources": SourceSettings, "receivers": ReceiverSettings}.get(key)
    return get_args(get_args(union)[0]) if union is not None else ()


_TABLES: tuple[type[BaseModel], ...] = (
    Territory,
    Data,
    Kafka,
    Broker,
    Worker,
    Edge,
    ConsoleSettings,
    MessageSettings,
    RumourSettings,
)
_PATHS = frozenset(
    name
    for model in (*_TABLES, *_choices("sources"), *_choices("receivers"))
    for name, field in model.model_fields.items()
    if Path in (field.annotation, *get_args(field.annotation))
)
_KINDS = frozenset(
    str(get_args(model.model_fields["kind"].annotation)[0]) for model in (*_choices("sources"), *_choices("receivers"))
)
_SECRET_PREFIX = "whsec_"  # noqa: S105  the beginning of all of them, and none itself
_SECRET = re.compile("secret|password|token|key", re.IGNORECASE)
_NAMES_IN_URL = re.compile(r"//[^/\s@]*@")
_LONGEST_SHOWN = 80


def _problem(details: ErrorDetails, file: Path | None, lines: list[str]) -> Problem:
    kind = next((str(part) for part in details["loc"] if part in _KINDS), None)
    keys = [part for part in details["loc"] if part not in _KINDS]
    return Problem(_where(keys, file, lines), _found(details, keys), _hint(details, keys, kind))


def _where(keys: list[Any], file: Path | None, lines: list[str]) -> str:
    name = ".".join(str(key) for key in keys)
    variable = _variable_of(keys)
    if variable is not None:
        return variable if variable.count("_") > 1 else f"{variable}: {name}"
    line = _line_of(keys, lines)
    if line is not None:
        return f"{file}: line {line}: {name}"
    return f"{file}: {name}" if file is not None else name


def _variable_of(keys: list[Any]) -> str | None:
    """Return the variable that gave a value, None where it came from the file."""
    names = ("VIGIE_" + "_".join(str(key) for key in keys[:depth]).upper() for depth in (2, 1))
    given = sorted(name.upper() for name in os.environ)
    table = f"VIGIE_{keys[0]}".upper() if keys else ""
    is_list = len(keys) == 1 and _is_list(str(keys[0]))  # which no variable gives key by key
    parts = [name for name in given if is_list and name.startswith(f"{table}_")]
    return next((name for name in (*names, *parts) if name in given), None)


def _variable_problem(error: str) -> Problem:
    table = error.partition('field "')[2].partition('"')[0]
    name = f"VIGIE_{table.upper()}"
    if _is_list(table):
        return Problem(name, "is not JSON", "give a JSON list of tables")
    model = _model_at([table], None)
    keys = ", ".join(f"{name}_{key.upper()}" for key in model.model_fields) if model else ""
    return Problem(name, "is not JSON", f"give the whole table as JSON, or its keys one by one: {keys}")


def _found(details: ErrorDetails, keys: list[Any]) -> str:
    if details["type"] == "missing":
        return "is missing"
    if details["type"] == "extra_forbidden":
        return "is not a setting"
    if details["type"].startswith("union_tag"):
        given = details["input"]
        kind = given.get("kind") if isinstance(given, Mapping) else given
        return f"kind {_shown(kind, keys)} is not known" if kind is not None else "has no kind"
    return f"found {_shown(details['input'], keys)}"


def _shown(value: object, keys: list[Any]) -> str:
    """Return a value as it may be printed: no secret, nothing long."""
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, list | tuple):
        return "a list"
    if any(_SECRET.search(str(key)) for key in keys):
        return "something that cannot be used"
    shown = value.isoformat() if isinstance(value, datetime) else _NAMES_IN_URL.sub("//…@", repr(value))
    return shown if len(shown) <= _LONGEST_SHOWN else f"{shown[:_LONGEST_SHOWN]}…"


def _hint(details: ErrorDetails, keys: list[Any], kind: str | None) -> str:
    if details["type"].startswith("union_tag"):
        return f"kind is one of {details.get('ctx', {}).get('expected_tags', _expected_tags(keys))}"
    names = [str(key) for key in keys if not isinstance(key, int)]
    model = _model_at(names[:-1], kind)
    if details["type"] == "extra_forbidden":
        known = sorted(field.alias or name for name, field in model.model_fields.items()) if model else []
        near = get_close_matches(names[-1], known, 1)
        return f"did you mean {near[0]}?" if near else f"the settings here are {', '.join(known)}"
    if len(names) == 1 and _variable_of(keys):
        return f"give VIGIE_{names[0].upper()}, the whole of it as JSON"
    if len(names) == 1:
        return f"write [[{names[0]}]] above its keys" if _is_list(names[0]) else f"write [{names[0]}] above its keys"
    field = model.model_fields.get("goes_on" if names[-1] == "continue" else names[-1]) if model else None
    return f"give {field.description}" if field and field.description else details["msg"].lower()


def _expected_tags(keys: list[Any]) -> str:
    return ", ".join(repr(_kind_of(model)) for model in _choices(str(keys[0]))) if keys else ""


def _kind_of(model: type[BaseModel]) -> str:
    return str(get_args(model.model_fields["kind"].annotation)[0])


def _model_at(names: list[str], kind: str | None) -> type[BaseModel] | None:
    if not names:
        return Settings
    choices = _choices(names[0])
    if choices:
        return next((model for model in choices if _kind_of(model) == kind), None)
    field = Settings.model_fields.get(names[0])
    annotation = field.annotation if field else None
    if get_origin(annotation) is tuple:
        annotation = get_args(annotation)[0]
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None


def _is_list(table: str) -> bool:
    field = Settings.model_fields.get(table)
    return field is not None and get_origin(field.annotation) is tuple


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
    name = next(str(key) for key in reversed(keys) if not isinstance(key, int))
    for number in range(start + 1, len(lines)):
        if lines[number].lstrip().startswith("["):
            break
        if lines[number].split("=")[0].strip() == name:
            return number + 1
    return start + 1


def _is_header(line: str, table: str) -> bool:
    return line.split("#", maxsplit=1)[0].strip() in (f"[{table}]", f"[[{table}]]")
