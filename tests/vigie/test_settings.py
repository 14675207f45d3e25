"""Settings: what a file says, what a variable says over it, and how each mistake is told."""

import json
import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from records import SettingsError
from vigie.settings import EMBEDDED, Settings, UnusableSettings, load, secret_from
from vigie.source_settings import RecordedSource, WebhookSource

RECORDED = '[[sources]]\nkind = "recorded"\nname = "drill"\npath = "posts.jsonl"\n'
WEBHOOK = '[[sources]]\nkind = "webhook"\nsecret_file = "webhook.secret"\n'
KINDS_OF_SOURCES = (
    "kind is one of 'bluesky', 'recorded', 'topic', 'webhook', 'mastodon', 'press', 'facebook', 'x', 'vigicrues', "
    "'hubeau', 'meteofrance', 'notices', 'cap'"
)
TABLES = (
    "broker, console, data, digest, duty, edge, inhibitions, intervals, kafka, messages, metrics, official_accounts, "
    "privacy, receivers, recording, routes, rumours, solidarity, sources, territory, windows, worker"
)


@pytest.mark.parametrize(
    ("toml", "expected"),
    [
        pytest.param(
            '[territory]\ncommune = "76351\n',
            "vigie.toml: line 2, column 17: is not TOML: Illegal character '\\n'; "
            "mend that line; texts need quotes, tables [brackets]",
            id="a quote that is not closed",
        ),
        pytest.param(
            '[territory]\ncommune = "76351"\ncomune = "Rouen"\n',
            "vigie.toml: line 3: territory.comune: is not a setting; did you mean commune?",
            id="a key with a near miss",
        ),
        pytest.param(
            "[broker]\ncolour = 3\n",
            "vigie.toml: line 2: broker.colour: is not a setting; the settings here are max_memory_mb, port",
            id="a key like no other",
        ),
        pytest.param(
            "[kafak]\npartitions = 4\n",
            "vigie.toml: line 1: kafak: is not a setting; did you mean kafka?",
            id="a table with a near miss",
        ),
        pytest.param(
            "\n[alerting]\n",
            f"vigie.toml: line 2: alerting: is not a setting; the settings here are {TABLES}",
            id="a table like no other",
        ),
        pytest.param(
            '[kafka]\npartitions = "four"\n',
            "vigie.toml: line 2: kafka.partitions: found 'four'; "
            "give a number of partitions of every topic, 1 to 64; fixed from the first day",
            id="a text where a number belongs",
        ),
        pytest.param(
            "[kafka]\npartitions = 1000\n",
            "vigie.toml: line 2: kafka.partitions: found 1000; "
            "give a number of partitions of every topic, 1 to 64; fixed from the first day",
            id="a number out of range",
        ),
        pytest.param(
            "[worker]\nhealth_port = 91010\n",
            "vigie.toml: line 2: worker.health_port: found 91010; give a TCP port for /healthz and /metrics, or 0",
            id="a port that is none",
        ),
        pytest.param(
            '[kafka]\nurl = "localhost:9092"\n',
            "vigie.toml: line 2: kafka.url: found 'localhost:9092'; "
            'give "embedded", or the brokers as "kafka://host:9092,host:9092"',
            id="brokers without kafka://",
        ),
        pytest.param(
            '[[sources]]\nkind = "blusky"\n',
            f"vigie.toml: line 1: sources.0: kind 'blusky' is not known; {KINDS_OF_SOURCES}",
            id="an unknown kind of source",
        ),
        pytest.param(
            '[[sources]]\nname = "x"\n',
            f"vigie.toml: line 1: sources.0: has no kind; {KINDS_OF_SOURCES}",
            id="a source without a kind",
        ),
        pytest.param(
            RECORDED + '\n[[sources]]\nkind = "webhook"\n',
            "vigie.toml: line 6: sources.1.secret_file: is missing; give a file that holds the shared secret",
            id="a webhook without a secret",
        ),
        pytest.param(
            '[[sources]]\nkind = "bluesky"\nlangages = ["fr"]\n',
            "vigie.toml: line 3: sources.0.langages: is not a setting; did you mean languages?",
            id="a near miss to a key of this kind of source only",
        ),
        pytest.param(
            RECORDED + 'speed = "fast"\n',
            "vigie.toml: line 5: sources.0.speed: found 'fast'; "
            "give 1 for real time, 60 for an hour a minute, 0 for as fast as it goes",
            id="a wrong type in a key of this kind of source only",
        ),
        pytest.param(
            '[[sources]]\nkind = "bluesky"\nlanguages = [3]\n',
            "vigie.toml: line 3: sources.0.languages.0: found 3; "
            'give languages to keep, as in ["fr", "en"]; empty: all',
            id="a wrong type in a list",
        ),
        pytest.param(
            '[sources]\nkind = "bluesky"\n',
            "vigie.toml: line 1: sources: found a table; write [[sources]] above its keys",
            id="single brackets for a source",
        ),
        pytest.param(
            '[[kafka]]\nurl = "embedded"\n',
            "vigie.toml: line 1: kafka: found a list; write [kafka] above its keys",
            id="double brackets for a table",
        ),
        pytest.param(
            RECORDED.replace("drill", "Drill du Havre"),
            "vigie.toml: line 3: sources.0.name: found 'Drill du Havre'; give a short name, a-z 0-9 _ -",
            id="a name that is no name",
        ),
        pytest.param(
            '[[receivers]]\nkind = "webhook"\nname = "cell"\nurl = "cell.example"\nsecret_file = "s"\n',
            "vigie.toml: line 4: receivers.0.url: found 'cell.example'; give where to post, as https://host/path",
            id="a receiver's address that is none",
        ),
        pytest.param(
            '[[receivers]]\nkind = "cap"\nfolder = "cap"\nbase_url = "http://v.example"\nsender = "v"\n',
            "vigie.toml: line 4: receivers.0.base_url: found 'http://v.example'; "
            "give where that folder can be read, as https://host/path",
            id="documents that could be read on the way",
        ),
        pytest.param(
            '[[receivers]]\nkind = "cap"\nfolder = "cap"\nbase_url = "https://v.example"\nsender = "la ville"\n',
            "vigie.toml: line 5: receivers.0.sender: found 'la ville'; "
            'give who drafts, as in "vigie@ville.example"; no blanks, commas, < or &',
            id="a sender with a blank",
        ),
        pytest.param(
            '[[receivers]]\nkind = "cap"\nfolder = "cap"\nbase_url = "https://v"\nsender = "v"\nstatus = "Actual"\n',
            'vigie.toml: line 6: receivers.0.status: found \'Actual\'; give "Draft", or "Exercise" for drills',
            id="a real alert",
        ),
        pytest.param(
            '[territory]\nlocal_places = "/a\\u0000.csv"\n',
            "vigie.toml: line 2: territory.local_places: found '/a\\x00.csv'; "
            "give a CSV file of quarters, docks, sites and nicknames",
            id="a path with a NUL",
        ),
        pytest.param(
            f'[territory]\nlocal_places = "/{"a" * 300}"\n',
            f"vigie.toml: line 2: territory.local_places: found '/{'a' * 78}…; "
            "give a CSV file of quarters, docks, sites and nicknames",
            id="a path that no file system holds",
        ),
        pytest.param(
            '[[receivers]]\nkind = "alertmanager"\nurl = "http://[::1"\n',
            "vigie.toml: line 3: receivers.0.url: found 'http://[::1'; "
            "give the Alertmanager, as https://host/path without /api",
            id="an address that is none",
        ),
        pytest.param(
            "[worker]\nstall_secs = inf\n",
            "vigie.toml: line 2: worker.stall_secs: found inf; give seconds without progress that count as stuck",
            id="a number without end",
        ),
        pytest.param(
            '[[sources]]\nkind = "notices"\npath = "n.csv"\nevery_secs = 1e300\n',
            "vigie.toml: line 4: sources.0.every_secs: found 1e+300; "
            "give seconds between two looks at the file, a day at most",
            id="a span longer than the calendar",
        ),
    ],
)
def test_a_mistake_is_told_with_its_line_what_was_found_and_what_would_do(
    toml: str, expected: str, refusals: Callable[[str], list[str]]
) -> None:
    assert refusals(toml) == [expected]


def test_all_mistakes_of_a_file_are_told_at_once(refusals: Callable[[str], list[str]]) -> None:
    told = refusals('[kafka]\nurl = "x"\npartitions = 0\n[edge]\nmetrics_port = -1\n[[sources]]\nkind = "rss"\n')
    assert [line.split(": ")[2] for line in told] == ["kafka.url", "kafka.partitions", "edge.metrics_port", "sources.0"]


def test_a_file_that_is_not_there_says_how_to_write_one(tmp_path: Path) -> None:
    with pytest.raises(UnusableSettings, match=r"none\.toml: there is no such file; `vigie init --commune INSEE` w"):
        load(tmp_path / "none.toml")


def test_a_folder_instead_of_a_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(UnusableSettings, match="cannot be read: Is a directory; give a file that this user may read"):
        load(tmp_path)


def test_a_file_that_is_not_utf8_is_told(tmp_path: Path) -> None:
    path = tmp_path / "vigie.toml"
    path.write_bytes('# réglages\n[territory]\nlanguage = "fr"\n'.encode("latin-1"))
    with pytest.raises(UnusableSettings, match=r"is not text in UTF-8: .*; save it again as UTF-8"):
        load(path)


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "vigie.toml"
    path.write_bytes(b'\xef\xbb\xbf[territory]\ncommune = "76351"\n')
    assert load(path).territory.commune == "76351"


def test_without_a_file_the_defaults_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load()
    assert settings.kafka.url == EMBEDDED
    assert settings.data.dir == Path("vigie-data")


def test_the_file_of_the_folder_is_found(written: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(written('[territory]\ncommune = "76351"\n').parent)
    assert load().territory.commune == "76351"


def test_paths_start_from_the_folder_of_the_file_wherever_the_program_runs(
    written: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    settings = load(
        written(
            '[territory]\nlocal_places = "places.csv"\nprofile = "mine.toml"\n[edge]\nlexicon = "../words.txt"\n'
            '[data]\ndir = "data"\n[kafka]\nca_file = "/etc/ca.pem"\n'
            f'{RECORDED}{WEBHOOK}[[receivers]]\nkind = "jsonl"\npath = "alerts.jsonl"\n'
        )
    )
    recorded, webhook = settings.sources
    assert isinstance(recorded, RecordedSource)
    assert isinstance(webhook, WebhookSource)
    assert settings.territory.local_places == tmp_path / "places.csv"
    assert settings.territory.profile == str(tmp_path / "mine.toml")
    assert settings.edge.lexicon == tmp_path / "../words.txt"
    assert settings.data.dir == tmp_path / "data"
    assert settings.kafka.ca_file == Path("/etc/ca.pem")
    assert (recorded.path, webhook.secret_file) == (tmp_path / "posts.jsonl", tmp_path / "webhook.secret")
    assert settings.receivers[0].model_dump()["path"] == tmp_path / "alerts.jsonl"


def test_the_default_data_folder_lies_beside_the_file_too(loaded: Callable[[str], Settings], tmp_path: Path) -> None:
    assert loaded("[data]\n").data.dir == tmp_path / "vigie-data"


def test_a_profile_by_name_is_no_path(loaded: Callable[[str], Settings]) -> None:
    assert loaded('[territory]\nprofile = "city"\n').territory.profile == "city"


@pytest.mark.parametrize(
    ("variable", "value", "table", "key", "expected"),
    [
        ("VIGIE_KAFKA_URL", "kafka://broker:9092", "kafka", "url", "kafka://broker:9092"),
        ("VIGIE_KAFKA_REPLICATION_FACTOR", "3", "kafka", "replication_factor", 3),
        ("VIGIE_KAFKA_TLS", "true", "kafka", "tls", True),
        ("VIGIE_DATA_DIR", "here", "data", "dir", Path("here")),
        ("VIGIE_WORKER_HEALTH_PORT", "0", "worker", "health_port", 0),
        ("VIGIE_TERRITORY_LOCAL_PLACES", "here.csv", "territory", "local_places", Path("here.csv")),
    ],
)
def test_a_variable_wins_over_the_file_and_leaves_the_rest_of_its_table(
    variable: str,
    value: str,
    table: str,
    key: str,
    expected: object,
    loaded: Callable[[str], Settings],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(variable, value)
    settings = loaded(
        '[kafka]\nurl = "kafka://file:1"\npartitions = 7\n[data]\ndir = "file"\n[worker]\nhealth_port = 7\n'
        '[territory]\nlocal_places = "file.csv"\n'
    )
    assert getattr(getattr(settings, table), key) == expected
    assert settings.kafka.partitions == 7


def test_a_variable_may_hold_all_sources(loaded: Callable[[str], Settings], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIGIE_SOURCES", json.dumps([{"kind": "recorded", "name": "x", "path": "x.jsonl"}]))
    assert [source.name for source in loaded(RECORDED).sources] == ["x"]


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        pytest.param(
            "VIGIE_KAFKA_URL",
            "broker",
            'VIGIE_KAFKA_URL: found \'broker\'; give "embedded", or the brokers as "kafka://host:9092,host:9092"',
            id="a value that will not do",
        ),
        pytest.param(
            "VIGIE_KAFKA_ULR",
            "kafka://broker:9092",
            "VIGIE_KAFKA_ULR: is not a setting; did you mean url?",
            id="a name that is none",
        ),
        pytest.param(
            "VIGIE_SOURCES",
            '[{"kind": "recorded", "name": "x"}]',
            "VIGIE_SOURCES: sources.0.path: is missing; give a .jsonl or .csv file, plain or .gz",
            id="JSON that lacks a key",
        ),
        pytest.param(
            "VIGIE_DATA",
            "/srv/vigie",
            "VIGIE_DATA: is not JSON; give the whole table as JSON, or its keys one by one: VIGIE_DATA_DIR",
            id="a table that is not JSON",
        ),
        pytest.param(
            "VIGIE_SOURCES",
            "bluesky",
            "VIGIE_SOURCES: is not JSON; give a JSON list of tables",
            id="a list that is not",
        ),
        pytest.param(
            "VIGIE_SOURCES_NAME",
            "bluesky",
            "VIGIE_SOURCES_NAME: found a table; give VIGIE_SOURCES, the whole of it as JSON",
            id="a key of a list, which goes as a whole",
        ),
    ],
)
def test_a_mistake_in_a_variable_is_not_laid_to_the_file(
    variable: str, value: str, expected: str, refusals: Callable[[str], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    assert refusals(f'[kafka]\nurl = "kafka://good:9092"\n{RECORDED}') == [expected]


@pytest.mark.parametrize(
    "toml",
    [
        pytest.param('[kafka]\npassword = "hunter2"\n', id="a password in the file"),
        pytest.param('[kafka]\npassword_file = ["hunter2"]\n', id="a list where the file's name belongs"),
        pytest.param('[kafka]\nurl = "kafka://vigie:hunter2@broker:9092"\n', id="a password in the address"),
        pytest.param('[[kafka]]\npassword = "hunter2"\n', id="a table that is a list"),
        pytest.param('[sources]\nsecret = "hunter2"\n', id="a source that is a table"),
        pytest.param('[[sources]]\nkind = "webhook"\nsecret = "hunter2"\n', id="a secret in a source"),
        pytest.param('[[sources]]\nkind = "x"\nsecret = "hunter2"\n', id="a secret in a source of no kind"),
    ],
)
def test_a_refusal_shows_no_secret(toml: str, refusals: Callable[[str], list[str]]) -> None:
    assert "hunter2" not in "\n".join(refusals(toml))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(
            None, "No such file or directory; write the secret there, readable by this user", id="no such file"
        ),
        pytest.param(b" \n", "secret is empty; write the secret there", id="empty"),
        pytest.param(b"\xff\xfe", "secret is not text; write the secret there, as text", id="no text"),
    ],
)
def test_a_secret_that_cannot_be_read_is_told(content: bytes | None, expected: str, tmp_path: Path) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsError) as refused:
        secret_from(path, "kafka.password_file")
    assert str(refused.value).startswith("kafka.password_file: ")
    assert str(refused.value).endswith(expected)


def test_a_secret_given_instead_of_its_file_is_told_and_not_shown(loaded: Callable[[str], Settings]) -> None:
    source = loaded('[[sources]]\nkind = "webhook"\nsecret_file = "whsec_aHVudGVy/Mg=="\n').sources[0]
    assert isinstance(source, WebhookSource)
    with pytest.raises(SettingsError) as refused:
        secret_from(source.secret_file, "sources.webhook.secret_file")
    assert str(refused.value) == (
        "sources.webhook.secret_file: holds the secret itself; write the secret to a file and give the file's name here"
    )


def test_the_white_space_around_a_secret_is_none_of_it(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("hunter2\n")
    assert secret_from(path, "kafka.password_file") == "hunter2"


def test_the_password_does_not_show_when_settings_are_printed(
    loaded: Callable[[str], Settings], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "password").write_text("hunter2")
    settings = loaded(
        '[kafka]\nurl = "kafka://broker:9092"\nsasl_mechanism = "PLAIN"\nusername = "vigie"\n'
        'password_file = "password"\n'
    )
    streams = settings.streams()
    logging.getLogger(__name__).warning("%s %r", settings, streams)
    assert streams.security.password == "hunter2"
    assert "hunter2" not in caplog.text


def test_the_embedded_broker_needs_no_address_but_one_process_alone_does(loaded: Callable[[str], Settings]) -> None:
    with pytest.raises(SettingsError, match=r"kafka\.url: the embedded broker lives in `vigie run` only; give it a p"):
        loaded("").streams()
    assert loaded("[broker]\nport = 9092\n").streams().kafka_url == "kafka://127.0.0.1:9092"


def test_the_texts_of_rumours_lie_beside_the_file(loaded: Callable[[str], Settings], tmp_path: Path) -> None:
    settings = loaded('[rumours]\ntexts = "recycled.txt"\ndomains = ["ma-ville.example"]\n')
    assert settings.rumours.texts == tmp_path / "recycled.txt"
    assert settings.rumours.domains == ("ma-ville.example",)


@pytest.mark.parametrize(
    ("toml", "expected"),
    [
        pytest.param(
            '[[official_accounts]]\nplatform = "bluesky"\naccount = "did:plc:a"\nname = "Mairie"\nkind = "mayor"\n',
            'vigie.toml: line 5: official_accounts.0.kind: found \'mayor\'; give "official", "operator" or "press"',
            id="a kind that is none",
        ),
        pytest.param(
            '[[official_accounts]]\nplatform = "x"\naccount = 1234\nname = "Préfecture"\n',
            "vigie.toml: line 3: official_accounts.0.account: found 1234; "
            "give the account as the platform names it, as text: see the template",
            id="a number that is no text",
        ),
        pytest.param(
            '[[official_accounts]]\nplatform = "bluesky"\naccount = "did:plc:abc"\n',
            "vigie.toml: line 1: official_accounts.0.name: is missing; give whose it is, a service and not a person",
            id="nobody's",
        ),
        pytest.param(
            '[[official_accounts]]\nplatform = "x"\nhandle = "@prefet"\naccount = "1"\nname = "Préfecture"\n',
            "vigie.toml: line 3: official_accounts.0.handle: is not a setting; "
            "the settings here are account, kind, name, platform",
            id="a key that is none",
        ),
        pytest.param(
            '[official_accounts]\nplatform = "x"\n',
            "vigie.toml: line 1: official_accounts: found a table; write [[official_accounts]] above its keys",
            id="single brackets",
        ),
        pytest.param(
            '[rumours]\ndomains = ["https://ma-ville.example/"]\n',
            "vigie.toml: line 2: rumours.domains.0: found 'https://ma-ville.example/'; "
            'give sites of authorities beside gouv.fr and the like, as in ["lehavre.fr"]',
            id="an address where a site belongs",
        ),
    ],
)
def test_a_mistake_in_what_rumours_are_told_by_is_told(
    toml: str, expected: str, refusals: Callable[[str], list[str]]
) -> None:
    assert refusals(toml) == [expected]


def test_who_may_read_metrics_is_said_once_for_all_processes(loaded: Callable[[str], Settings]) -> None:
    address = '[kafka]\nurl = "kafka://broker:9092"\n'
    assert loaded(address).streams().health_host == "127.0.0.1"
    assert loaded(f'{address}[metrics]\nhost = "0.0.0.0"\n').streams().health_host == "0.0.0.0"  # noqa: S104  what a container needs


def test_metrics_on_an_address_where_the_supervisor_would_not_find_them_are_refused(
    refusals: Callable[[str], list[str]],
) -> None:
    assert refusals('[metrics]\nhost = "10.0.0.5"\n') == [
        "vigie.toml: line 2: metrics.host: found '10.0.0.5'; "
        'give "127.0.0.1": this machine alone; "0.0.0.0": all that reach it, as containers need'
    ]
