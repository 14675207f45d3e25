"""Whatever stands in a file that a person hands in: it is read, or refused in words; never a traceback.

Every file that a command takes and every file that a setting names has its reader here, or a reason why it has none.
"""

import gzip
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import cache, partial
from io import BytesIO, StringIO
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any, NamedTuple, get_args

import click
import msgspec
import pytest
import trustme
from hypothesis import given

from connectors.pseudonym import Keys, keys_in
from connectors.sinks.contract import line_from
from connectors.sinks.targets import targets_in
from connectors.sources.mapping import READY, mapping_from
from connectors.sources.notices import Sites, rows_from
from console.base_map.boundaries import read_boundaries
from console.messages.alert_lines import latest_alerts
from console.messages.map_files import SHIPPED, check_map
from console.record_file import Head, Said, chained, to_json, verify
from detectors.profile import load_profile, profile_text
from models.candidate import REPORT_FILE, CandidateReport, Measured, read_candidate
from models.gate import LEXICON, Gate, entries_from, points_from
from models.geoparse import Geoparser
from models.hazard import HazardModel
from models.known_texts import known_texts_in
from models.places import load_local_places, shipped_gazetteer
from records import MalformedRecord, ManualClock, SettingsError
from streams.settings import KafkaSecurity
from streams.topics import SIGNALS
from tests.connectors.conftest import CORPUS, NOW
from tests.console.made import a_signal, an_alert, minutes
from tests.fuzz.depth import fuzzing
from tests.fuzz.found import found, name_of
from tests.fuzz.mutating import hostile
from tests.fuzz.test_settings import tables
from tests.fuzz.told import values_of
from vigie.backtest import read_past, read_truth
from vigie.bench.load import Texts
from vigie.cli import main
from vigie.fr_alert import alert_in as alert_of_sheet
from vigie.fr_alert import html_from, sheet_from, text_from
from vigie.lines import answer_lines
from vigie.recording import Facts, Row, file_of, table_of
from vigie.recordings import Recordings
from vigie.scenarios.checking import problems_with
from vigie.settings import Settings, secret_from

ROOT = Path(__file__).parents[2]
MOST_SAID = 100_000


class Read(NamedTuple):
    """One kind of file: whole ones to begin with, the name that it has, and what reads it."""

    seeds: Callable[[], Sequence[bytes]]
    name: str
    reader: Callable[[Path], object]
    weight: int = 40  # how often it is tried: less where it takes long


def a_recording() -> list[bytes]:
    rows = [Row(a_signal(number, text=""), 0, number, NOW) for number in (1, 2, 3)]
    return [file_of(table_of(rows), Facts())]


def a_scenario() -> list[bytes]:
    return [path.read_bytes() for path in sorted((ROOT / "vigie/scenarios/library").glob("*/scenario.toml"))]


def scenario_posts() -> list[bytes]:
    return [path.read_bytes()[:4_000] for path in sorted((ROOT / "vigie/scenarios/library").glob("*/posts.tsv"))]


def beside_scenario(path: Path) -> object:
    """Check a scenario whose posts are in the file."""
    folder = path.parent
    (folder / "scenario.toml").write_bytes((ROOT / "vigie/scenarios/library/bot_flood/scenario.toml").read_bytes())
    return problems_with(folder)


def questions() -> list[bytes]:
    """Return lines for `classify` and `locate`."""
    texts = ("y a le feu au cabanon rue de Paris, au Havre", "l'eau monte à Harfleur 🌊", "Fire at the docks!", "#feu")
    lines = [msgspec.json.encode({"id": number, "text": text, "lang": "fr"}) for number, text in enumerate(texts)]
    return [b"\n".join(lines) + b"\n"]


def asked(answer: Callable[[Any], Any], path: Path) -> object:
    """Ask what a file asks; what is good and what is bad add up to its lines, and each good one has one answer."""
    out, errors = BytesIO(), StringIO()
    status = answer_lines(path, answer, out=out, errors=errors)
    lines = [line for line in path.read_bytes().split(b"\n") if line.strip()]
    answered = out.getvalue().splitlines()
    bad = [line for line in errors.getvalue().splitlines() if ": line " in line]
    assert len(answered) + len(bad) >= len([line for line in lines if line.strip(b" \t\r\x0b\x0c\xef\xbb\xbf")])
    assert status == (2 if not answered else 1 if bad else 0)
    return [msgspec.json.decode(line) for line in answered]


def classified(questions: Sequence[Any]) -> Iterator[dict[str, Any]]:
    readings = the_model().read([one.text for one in questions], [one.lang for one in questions])
    for one, reading in zip(questions, readings, strict=True):
        assert all(0 <= share <= 1 for share in (*reading.hazards.values(), reading.witness))
        yield {"id": one.id, "hazard": reading.hazard}


def placed(questions: Sequence[Any]) -> Iterator[dict[str, Any]]:
    for one in questions:
        places = the_geoparser().locate(one.text, lang=one.lang)
        assert all(-90 <= place.lat <= 90 and 0 <= place.confidence <= 1 for place in places)
        yield {"id": one.id, "places": [place.name for place in places]}


@cache
def the_model() -> HazardModel:
    return HazardModel.load()


@cache
def the_geoparser() -> Geoparser:
    return Geoparser(shipped_gazetteer())


@cache
def the_gate() -> Gate:
    return Gate.load()


def texts_of_load(path: Path) -> object:
    """Take a folder's texts into a load, beside the corpus."""
    return Texts(the_gate(), path.parent)


def the_sheet(path: Path) -> object:
    """Fill the sheet for a prefecture."""
    alert = alert_of_sheet(path.read_bytes())
    sheet = sheet_from(alert, "fr", now=NOW)
    assert "<script" not in html_from(sheet)
    return text_from(sheet)


def secured(path: Path) -> object:
    """Make what TLS needs of a file: it may be an authority's, and our own with its key."""
    with suppress(SettingsError):
        KafkaSecurity(is_tls=True, ca_file=path).ssl_context()
    return KafkaSecurity(is_tls=True, cert_file=path, key_file=path).ssl_context()


def private(path: Path) -> object:
    path.chmod(0o600)
    return keys_in(path)


def candidate(path: Path) -> object:
    """Read a candidate whose report is in the file, beside the weights that ship."""
    weights = path.parent / "weights"
    if not weights.exists():
        weights.mkdir()
        for file in (ROOT / "models/weights").iterdir():
            (weights / file.name).symlink_to(file)
    (weights / REPORT_FILE).unlink(missing_ok=True)
    (weights / REPORT_FILE).symlink_to(path)
    return read_candidate(weights)


BOUNDARIES = msgspec.json.encode(
    {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "properties": {"nom": "Quartier"},
                "geometry": {"type": "Polygon", "coordinates": [[[0.1, 49.4], [0.2, 49.4], [0.2, 49.5], [0.1, 49.4]]]},
            }
        ],
    }
)
REPORT = msgspec.json.encode(
    CandidateReport(
        version="hazard/4+0123456789ab",
        weights_sha256="0" * 64,
        shipped="hazard/4",
        lessons={"a cell": 3},
        lessons_known_by="x",
        weight=1.0,
        held_in_place_by=7,
        measured=(Measured(name="posts", posts=9, shipped=0.9, candidate=0.9, low=-0.1, high=0.1, is_="same"),),
        replayed=(),
    )
)
LOAD = '{"id": 1, "text": "le feu gagne les toits"}\n{"text": "bon appétit"}\n{"text": null}\n'.encode()
KEYS = msgspec.json.encode(Keys(post_key=b"0" * 32, author_key=b"1" * 32, made_at=NOW))
HEAD = Head(
    cell="Ville du Havre",
    incidents=("fire-1",),
    since=minutes(0),
    until=minutes(9),
    made_at=minutes(10),
    is_exercise=False,
    audit_number=3,
    audit_hash="ab",
    lines=2,
)
RECORD = to_json(
    chained(
        HEAD, [Said(at=minutes(n), kind="note", who="cadre", what={"reason": "\u00ab", "weight": 0.5}) for n in (1, 2)]
    )
)


def a_certificate() -> list[bytes]:
    """Return a certificate with its key, made by an authority of the test."""
    return [trustme.CA().issue_cert("broker.example").private_key_and_cert_chain_pem.bytes()]


def record_verified(path: Path) -> object:
    """Verify a record: it is whole only where it says what it said."""
    value = path.read_bytes()
    problems = verify(value)
    assert problems or json.loads(value) == json.loads(RECORD)
    return problems


READ: dict[str, Read] = {
    "alerts": Read(
        lambda: [msgspec.json.encode(line_from(an_alert()))],
        "alerts.jsonl",
        lambda path: latest_alerts(path.read_bytes().splitlines(), name="x"),
    ),
    "boundaries": Read(lambda: [BOUNDARIES], "own.geojson", read_boundaries),
    "certificate": Read(a_certificate, "ca.pem", secured),
    "known texts": Read(
        lambda: [b"# x\nun message qui tourne et revient toujours, avec des mots\n"], "texts.txt", known_texts_in
    ),
    "lexicon": Read(
        lambda: [path.read_bytes() for path in sorted(LEXICON.glob("*.txt"))],
        "own.txt",
        lambda path: (entries_from(path), points_from(path)),
    ),
    "local places": Read(
        lambda: [path.read_bytes() for path in sorted((ROOT / "models/places/local").glob("*.csv"))],
        "places.csv",
        lambda path: load_local_places(path, shipped_gazetteer()),
    ),
    "mapping": Read(lambda: [path.read_bytes() for path in sorted(READY.glob("*.toml"))], "own.toml", mapping_from),
    "message map": Read(
        lambda: [path.read_bytes()[:6_000] for path in sorted(SHIPPED.glob("*.toml"))], "map.toml", check_map
    ),
    "notices": Read(
        lambda: [(CORPUS / "notices.csv").read_bytes()],
        "notices.csv",
        lambda path: list(rows_from(path.read_bytes(), source="notices", received_at=NOW, sites=Sites(area="76"))),
    ),
    "past": Read(
        lambda: [b"\n".join(values_of(SIGNALS)) + b"\n"],
        "signals.jsonl",
        lambda path: read_past([path], Settings(), ManualClock(NOW)),
    ),
    "profile": Read(
        lambda: [profile_text(name).encode() for name in ("world",)],
        "own.toml",
        lambda path: load_profile(path, None),
    ),
    "pseudonym keys": Read(lambda: [KEYS], "pseudonyms.json", private),
    "questions to classify": Read(questions, "lines.jsonl", partial(asked, classified)),
    "questions to locate": Read(questions, "lines.jsonl", partial(asked, placed)),
    "receivers' addresses": Read(
        lambda: [b"mailto://u:p@h.example?to=x@h.example\njson://127.0.0.1:9/x\n# x\n"],
        "urls",
        lambda path: targets_in(path, "urls_file", timeout_secs=1),
    ),
    "record": Read(lambda: [RECORD], "record.json", record_verified),
    "recording": Read(a_recording, "past.parquet", lambda path: Recordings(path.parent / "own").take_in(path, NOW)),
    "report of a training": Read(lambda: [REPORT], "report.json", candidate, 4),
    "scenario": Read(a_scenario, "scenario.toml", lambda path: problems_with(path.parent)),
    "scenario's posts": Read(scenario_posts, "posts.tsv", beside_scenario),
    "secret": Read(
        lambda: [b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n"], "secret", lambda path: secret_from(path, "x.secret_file")
    ),
    "sheet": Read(lambda: [msgspec.json.encode(line_from(an_alert()))], "alerts.jsonl", the_sheet),
    "texts of a load": Read(lambda: [LOAD], "load.jsonl", texts_of_load, 8),
    "texts of a load, packed": Read(lambda: [gzip.compress(LOAD, mtime=0)], "load.jsonl.gz", texts_of_load, 8),
    "truth": Read(lambda: [(ROOT / "tests/golden/truth.json").read_bytes()], "truth.json", read_truth),
}
"""What reads each kind of file."""

POSTS = "read by the source `recorded`: tests/fuzz/test_sources.py"
WRITTEN, SETTINGS, SHIPPED_DATA = "written", "tests/fuzz/test_settings.py", "data of the maintainers, not of users"
PARAMETERS: dict[tuple[str, str], str] = {
    ("record verify", "file"): "record",
    ("messages check", "path"): "message map",
    ("messages next", "file"): "alerts",
    ("fr-alert", "file"): "sheet",
    ("fr-alert", "out"): WRITTEN,
    ("profile promote", "file"): "profile",
    ("model try", "folder"): "report of a training",
    ("model promote", "folder"): "report of a training",
    ("privacy report", "folder"): WRITTEN,
    ("recording export", "out"): WRITTEN,
    ("recording import", "files"): "recording",
    ("replay", "files"): POSTS,
    ("replay", "local_places"): "local places",
    ("replay", "out"): WRITTEN,
    ("backtest", "files"): "past",
    ("backtest", "local_places"): "local places",
    ("backtest", "truth_file"): "truth",
    ("backtest", "out"): WRITTEN,
    ("backtest", "plots"): WRITTEN,
    ("scenario new", "folder"): WRITTEN,
    ("scenario check", "folder"): "scenario",
    ("scenario write", "posts"): WRITTEN,
    ("scenario write", "truth"): WRITTEN,
    ("bench detection", "plots"): WRITTEN,
    ("bench throughput", "texts"): "texts of a load",
    ("bench throughput", "plots"): WRITTEN,
    ("bench latency", "texts"): "texts of a load",
    ("bench latency", "plots"): WRITTEN,
    ("bench scale", "texts"): "texts of a load",
    ("bench scale", "plots"): WRITTEN,
    ("classify", "file"): "questions to classify",
    ("locate", "file"): "questions to locate",
    ("locate", "local_places"): "local places",
    ("train", "public_data"): SHIPPED_DATA,
    ("train", "work"): WRITTEN,
    ("train", "out"): WRITTEN,
    ("evaluate", "public_data"): SHIPPED_DATA,
    ("evaluate", "work"): WRITTEN,
    ("evaluate", "diagram"): WRITTEN,
    ("build-places", "source"): SHIPPED_DATA,
    ("build-places", "out"): WRITTEN,
    ("init", "folder"): WRITTEN,
}
"""What reads each file or folder that a command takes, or why nothing does."""
PATHS: dict[str, str] = {
    "territory.local_places": "local places",
    "data.dir": "a folder of ours",
    "kafka.ca_file": "certificate",
    "kafka.cert_file": "certificate",
    "kafka.key_file": "certificate",
    "kafka.password_file": "secret",
    "edge.lexicon": "lexicon",
    "console.database_password_file": "secret",
    "console.boundaries": "boundaries",
    "console.oidc_secret_file": "secret",
    "messages.map": "message map",
    "sources.path": POSTS,
    "sources.secret_file": "secret",
    "sources.token_file": "secret",
    "sources.app_secret_file": "secret",
    "sources.verify_token_file": "secret",
    "sources.bearer_token_file": "secret",
    "sources.api_key_file": "secret",
    "receivers.path": WRITTEN,
    "receivers.secret_file": "secret",
    "receivers.folder": WRITTEN,
    "receivers.urls_file": "receivers' addresses",
    "receivers.token_file": "secret",
    "receivers.password_file": "secret",
    "rumours.texts": "known texts",
}
"""What reads each file that a setting names."""


def parameters(command: click.Command, name: str = "") -> Iterator[tuple[str, str]]:
    """Give every file or folder that a command, or one below it, takes; settings files have tests of their own."""
    if isinstance(command, click.Group):
        for below in command.commands.values():
            yield from parameters(below, f"{name} {below.name}".strip())
    for parameter in command.params:
        if isinstance(parameter.type, click.Path) and parameter.name != "settings_file":
            yield name, str(parameter.name)


def test_every_file_that_a_command_takes_is_fuzzed_or_says_why_not() -> None:
    assert set(parameters(main)) == set(PARAMETERS)
    assert set(PARAMETERS.values()) - set(READ) == {POSTS, WRITTEN, SHIPPED_DATA}


def test_every_file_that_a_setting_names_is_fuzzed_or_says_why_not() -> None:
    named = {
        f"{table}.{name}"
        for table, _, model in tables()
        for name, field in model.model_fields.items()
        if Path in (field.annotation, *get_args(field.annotation))
    }
    assert named == set(PATHS)
    assert set(PATHS.values()) - set(READ) == {POSTS, WRITTEN, "a folder of ours"}


UNFINISHED = {"report of a training": "is about other weights", "truth": "nothing could be found"}
"""Whole files that are refused all the same: they are not about what stands beside them."""


@pytest.mark.parametrize("kind", READ)
def test_a_whole_file_is_read(kind: str, tmp_path: Path) -> None:
    for number, seed in enumerate(READ[kind].seeds()):
        (tmp_path / str(number)).mkdir()
        path = tmp_path / str(number) / READ[kind].name
        path.write_bytes(seed)
        if kind in UNFINISHED:
            with pytest.raises(SettingsError, match=UNFINISHED[kind]):
                READ[kind].reader(path)
        else:
            READ[kind].reader(path)


@pytest.mark.parametrize("kind", READ)
def test_any_file_is_read_or_refused_in_words(kind: str, tmp_path: Path) -> None:
    read = READ[kind]

    @fuzzing(read.weight)
    @given(value=hostile(read.seeds()))
    def law(value: bytes) -> None:
        check_file(read, value, tmp_path)

    law()


@pytest.mark.parametrize(("kind", "path"), found("files"), ids=name_of)
def test_a_file_that_was_found_stays_mended(kind: str, path: Path, tmp_path: Path) -> None:
    check_file(READ[kind], path.read_bytes(), tmp_path)


def check_file(read: Read, value: bytes, tmp_path: Path) -> None:
    """Look at what is made of a file."""
    folder = Path(mkdtemp(dir=tmp_path))
    path = folder / read.name
    path.write_bytes(value)
    refused: Exception | None = None
    try:
        read.reader(path)
    except (SettingsError, MalformedRecord) as error:
        refused = error
    rmtree(folder)
    assert refused is None or 0 < len(str(refused)) <= MOST_SAID
