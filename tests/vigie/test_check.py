"""`vigie check`: everything that stands in the way of a start is named, with what would do."""

import socket
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result

from detectors.profile import PROFILES
from models.places.local import COLUMNS
from records import SettingsError
from vigie import check
from vigie.check import problem_from, problems_with
from vigie.settings import Settings
from vigie.territory import profile_of

Finds = Callable[[str, str], list[str]]

NO_CONSOLE = "[console]\nport = 0\n"
TERRITORY, DATA, PORTS, GATE = "territory, profile and places", "data folder", "ports", "gate"
SECRET = "whsec_aHVudGVyMmh1bnRlcjJodW50ZXIyaHVudGVyMg=="
NOT_STANDARD = (
    'what it holds is no Standard Webhooks secret; write "whsec_" and base64 of 24 bytes or more there, '
    'as from: echo "whsec_$(openssl rand -base64 24)"'
)
RECORDED = '[[sources]]\nkind = "recorded"\nname = "drill"\npath = "posts.jsonl"\n'
CELL = '[[receivers]]\nkind = "webhook"\nname = "cell"\nurl = "{url}"\nsecret_file = "secret"\n'


@pytest.fixture
def listener() -> Iterator[int]:
    """Listen on a port of the loopback interface, and never answer."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def silent_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


@pytest.fixture
def webhook(tmp_path: Path, silent_port: int) -> str:
    """Write a secret and return a webhook source that would do."""
    (tmp_path / "secret").write_text(SECRET)
    return f'[[sources]]\nkind = "webhook"\nport = {silent_port}\nsecret_file = "secret"\n'


def test_an_unknown_commune_is_told_with_those_near_it(problems: Finds) -> None:
    (told,) = problems('[territory]\ncommune = "Le Avre"\n', TERRITORY)
    assert told.startswith("territory.commune: commune 'Le Avre': no commune has this INSEE code or name; near it: ")
    assert "Le Havre 76351" in told


def test_profile_places_and_sources_are_all_looked_at_in_one_go(problems: Finds, tmp_path: Path) -> None:
    (tmp_path / "places.csv").write_text(
        f"{','.join(COLUMNS)}\nDanton,,quarter,49.49,0.12,0.4,,76351\nDocks,,harbour,49.48,0.13,0.6,,76351\n"
    )
    told = problems(
        '[territory]\ncommune = "76351"\nprofile = "metropolis"\nlocal_places = "places.csv"\n'
        f'{RECORDED}place = "99999"\n',
        TERRITORY,
    )
    assert told[0].startswith("territory.profile: profile 'metropolis' cannot be read")
    assert told[0].endswith(": give one of city, commune, departement, world, or the path of a .toml file")
    assert told[1].startswith(
        "territory.local_places: places.csv:3: column kind: found 'harbour', needs one of quarter"
    )
    assert told[2].startswith("sources.drill.place: commune '99999': no commune has this INSEE code or name; ")
    assert len(told) == 3


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param(
            ("watch = 14.0", "watch = -1"),
            "territory.profile: mine.toml: budget.watch = -1: expected `float` >= 0.0001",
            id="a number out of range",
        ),
        pytest.param(("watch = 14.0", "watch ="), "territory.profile: mine.toml: this is not TOML", id="no TOML"),
        pytest.param(
            ("home_share = 0.5", "home_share = 0.6"),
            "territory.profile: mine.toml: spread: home_share + surroundings_share + rest_share = 1.1: "
            "they must add up to 1",
            id="shares that do not add up",
        ),
    ],
)
def test_a_broken_profile_file_is_told(
    change: tuple[str, str], expected: str, loaded: Callable[[str], Settings], tmp_path: Path
) -> None:
    profile = (PROFILES / "city.toml").read_text(encoding="utf-8")
    (tmp_path / "mine.toml").write_text(profile.replace(*change, 1), encoding="utf-8")
    with pytest.raises(SettingsError) as refused:
        profile_of(loaded('[territory]\nprofile = "mine.toml"\n'), None)
    assert str(refused.value).startswith(expected)


def test_a_profile_that_needs_a_home_is_told_without_one(loaded: Callable[[str], Settings]) -> None:
    with pytest.raises(SettingsError) as refused:
        profile_of(loaded('[territory]\nprofile = "city"\n'), None)
    told = str(refused.value)
    assert told.startswith("territory.profile: city.toml: spread.home_share and spread.surroundings_share need a home")
    assert told.endswith("name the commune to watch from, or use the profile 'world'")


@pytest.mark.parametrize(
    ("lexicon", "expected"),
    [
        pytest.param(None, "edge.lexicon: words.txt: cannot be read as UTF-8 text", id="no such file"),
        pytest.param(
            "[fire]\nfumerolle\n[volcano]\n",
            'edge.lexicon: words.txt: line 3: "[volcano]" is no section: '
            "use one of [fire] [flood] [industrial] [other] [help]",
            id="an unknown section",
        ),
        pytest.param(
            "[fire]\nx\n",
            'edge.lexicon: words.txt: line 2: "x": found "x" where a word of 2 letters or more belongs',
            id="a word too short",
        ),
    ],
)
def test_a_broken_lexicon_is_told_with_its_line(
    lexicon: str | None, expected: str, problems: Finds, tmp_path: Path
) -> None:
    if lexicon is not None:
        (tmp_path / "words.txt").write_text(lexicon)
    (told,) = problems('[edge]\nlexicon = "words.txt"\n', GATE)
    assert told.startswith(expected)


def test_a_data_folder_that_is_a_file_is_told(problems: Finds, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert problems('[data]\ndir = "file"\n', DATA) == ["data.dir: file is a file; give a folder"]
    assert problems('[data]\ndir = "file/under/it"\n', DATA) == ["data.dir: file is a file; give a folder"]


def test_a_data_folder_that_cannot_be_written_is_told(problems: Finds) -> None:
    (told,) = problems('[data]\ndir = "/proc/vigie"\n', DATA)
    assert told.startswith("data.dir: cannot write to /proc/vigie: ")
    assert told.endswith("; give a folder that this user may write")


def test_a_full_disk_is_told(problems: Finds, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(check, "LEAST_FREE_MB", 1 << 40)
    (told,) = problems("", DATA)
    assert told.endswith(f" MB are free at {tmp_path}; make room for {1 << 40} MB at least")


def test_a_port_that_is_taken_is_told(problems: Finds, listener: int) -> None:
    assert problems(f"[worker]\nhealth_port = {listener}\n[edge]\nmetrics_port = 0\n{NO_CONSOLE}", PORTS) == [
        f"worker.health_port: cannot listen on port {listener}: Address already in use; "
        "stop what listens there (Vigie itself, when it runs), or set another port"
    ]


def test_the_port_of_the_embedded_broker_is_looked_at_too(problems: Finds, listener: int) -> None:
    ports = f"[worker]\nhealth_port = 0\n[edge]\nmetrics_port = 0\n{NO_CONSOLE}"
    (told,) = problems(f"{ports}[broker]\nport = {listener}\n", PORTS)
    assert told.startswith(f"broker.port: cannot listen on port {listener}: ")
    assert problems(f'{ports}[broker]\nport = {listener}\n[kafka]\nurl = "kafka://broker:9092"\n', PORTS) == []


def test_one_port_given_twice_is_told(problems: Finds, silent_port: int, webhook: str) -> None:
    toml = f"[worker]\nhealth_port = {silent_port}\n[edge]\nmetrics_port = 0\n{NO_CONSOLE}{webhook}"
    assert problems(toml, PORTS) == [
        f"sources.webhook.port: port {silent_port} is that of worker.health_port too; give each a port of its own"
    ]


def test_no_source_and_no_receiver_are_told(problems: Finds) -> None:
    assert problems("", "sources") == [
        "sources: there is none, so nothing is read; add a [[sources]] table; kind is bluesky, webhook …"
    ]
    assert problems("", "receivers") == [
        "receivers: there is none, so nobody is told; add a [[receivers]] table; kind is terminal, jsonl …"
    ]


def test_a_recorded_file_that_is_missing_is_told(problems: Finds) -> None:
    assert problems(RECORDED, "sources") == [
        "sources.drill.path: no file posts.jsonl; give a .jsonl or .csv file, plain or .gz"
    ]


def test_two_sources_and_two_receivers_of_one_name_are_told(problems: Finds, tmp_path: Path) -> None:
    (tmp_path / "posts.jsonl").touch()
    assert problems(RECORDED * 2, "sources") == ["sources.drill: 2 sources have this name; give each a name of its own"]
    assert problems('[[receivers]]\nkind = "terminal"\n' * 3, "receivers") == [
        "receivers.terminal: 3 receivers have this name; give each a name of its own"
    ]


def test_a_server_that_cannot_be_reached_is_told(problems: Finds, silent_port: int) -> None:
    bluesky = f'[[sources]]\nkind = "bluesky"\nurl = "ws://127.0.0.1:{silent_port}"\n'
    assert problems(bluesky, "sources") == [
        f"sources.bluesky.url: 127.0.0.1:{silent_port} does not answer: Connection refused; "
        "see the address, the network, the proxy"
    ]


def test_behind_a_proxy_it_is_the_proxy_that_must_answer(
    problems: Finds, silent_port: int, listener: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    bluesky = '[[sources]]\nkind = "bluesky"\nurl = "wss://jetstream.invalid"\n'
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{listener}")
    assert problems(bluesky, "sources") == []
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{silent_port}")
    (told,) = problems(bluesky, "sources")
    assert told.startswith(
        f"sources.bluesky.url: 127.0.0.1:{silent_port}, the proxy of the environment, does not answer"
    )
    monkeypatch.setenv("no_proxy", "jetstream.invalid")
    (told,) = problems(bluesky, "sources")
    assert told.startswith("sources.bluesky.url: jetstream.invalid:443 does not answer")


def test_a_webhook_source_that_would_do_gives_no_problem(problems: Finds, webhook: str) -> None:
    assert problems(webhook, "sources") == []


@pytest.mark.parametrize(
    ("secret", "expected"),
    [
        pytest.param(None, "cannot read secret: No such file or directory; write the secret there", id="missing"),
        pytest.param("", "secret is empty; write the secret there", id="empty"),
        pytest.param("whsec_hunter2!", f"secret: {NOT_STANDARD}", id="not base64"),
        pytest.param("whsec_aHVudGVyMg==", f"secret: {NOT_STANDARD}", id="too short to be one"),
    ],
)
def test_a_webhook_secret_that_will_not_do_is_told_and_never_shown(
    secret: str | None, expected: str, problems: Finds, webhook: str, silent_port: int, tmp_path: Path
) -> None:
    (tmp_path / "secret").unlink()
    if secret is not None:
        (tmp_path / "secret").write_text(secret)
    (told,) = problems(webhook, "sources")
    assert told.startswith(f"sources.webhook.secret_file: {expected}")
    told_of_receiver, *_ = problems(CELL.format(url=f"http://127.0.0.1:{silent_port}"), "receivers")
    assert told_of_receiver.startswith(f"receivers.cell.secret_file: {expected}")
    assert "hunter2" not in told + told_of_receiver


def test_a_webhook_port_that_is_taken_is_told(problems: Finds, webhook: str, silent_port: int, listener: int) -> None:
    assert problems(webhook.replace(str(silent_port), str(listener)), "sources") == [
        f"sources.webhook: cannot listen on 127.0.0.1:{listener}: Address already in use; free that port or set another"
    ]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        pytest.param(
            "http://127.0.0.1:1",
            "receivers.cell.url: 127.0.0.1:1 does not answer: Connection refused; "
            "see the address, the network, the proxy",
            id="unreachable",
        ),
        pytest.param(
            "http://cell.example/vigie",
            "receivers.cell.url: http://cell.example can be read on the way; use https",
            id="not encrypted",
        ),
        pytest.param(
            "https://vigie:hunter2@cell.example/",
            "receivers.cell.url: an address must not hold a password; it would end up in logs",
            id="a password in the address",
        ),
        pytest.param(
            "https://127.0.0.1:99999/",
            "receivers.cell.url: 127.0.0.1 has a port that is none; give a TCP port from 1 to 65535",
            id="a port that is none",
        ),
    ],
)
def test_a_receiver_that_cannot_be_told_is_told(url: str, expected: str, problems: Finds, webhook: str) -> None:
    assert webhook
    assert problems(CELL.format(url=url), "receivers") == [expected]


def test_a_file_of_alerts_without_its_folder_is_told(problems: Finds, tmp_path: Path) -> None:
    told = problems('[[receivers]]\nkind = "jsonl"\npath = "out/alerts.jsonl"\n', "receivers")
    assert told == ["receivers.jsonl.path: no folder out; make it, or give another path"]
    (tmp_path / "alerts").mkdir()
    told = problems('[[receivers]]\nkind = "jsonl"\npath = "alerts"\n', "receivers")
    assert told == ["receivers.jsonl.path: alerts is a folder; give a file in it"]


def test_a_kafka_that_does_not_answer_is_told_broker_by_broker(problems: Finds, silent_port: int) -> None:
    url = f"kafka://127.0.0.1:{silent_port},127.0.0.1:1"
    assert problems(f'[kafka]\nurl = "{url}"\n', "broker") == [
        f"kafka.url: 127.0.0.1:{port} does not answer: Connection refused; "
        "start that broker, or set VIGIE_KAFKA_URL to one that answers"
        for port in (silent_port, 1)
    ]


def test_something_that_listens_and_is_no_kafka_is_told(
    problems: Finds, listener: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check, "KAFKA_SECS", 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # the library's own, when it is told to stop waiting
        told = problems(f'[kafka]\nurl = "kafka://127.0.0.1:{listener}"\n', "broker")
    assert told == [
        f"kafka.url: kafka://127.0.0.1:{listener} takes connections, but gives no answer as a Kafka in 1 s; "
        "see [kafka]: tls, sasl_mechanism, username"
    ]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        pytest.param(
            'tls = true\nca_file = "ca.pem"\n',
            "kafka: cannot use the certificates (ca_file=ca.pem, cert_file=None, key_file=None): "
            "[Errno 2] No such file or directory; give PEM files that this user may read",
            id="an authority's file that is missing",
        ),
        pytest.param(
            'tls = true\ncert_file = "no.pem"\nkey_file = "no.pem"\n',
            "kafka: cannot use the certificates (ca_file=None, cert_file=no.pem, key_file=no.pem): ",
            id="a certificate that is none",
        ),
        pytest.param(
            'sasl_mechanism = "PLAIN"\nusername = "vigie"\npassword_file = "password"\n',
            "kafka.password_file: cannot read password: No such file or directory; "
            "write the secret there, readable by this user",
            id="a password that is missing",
        ),
    ],
)
def test_what_is_wrong_with_tls_and_passwords_is_told(
    keys: str, expected: str, problems: Finds, listener: int, tmp_path: Path
) -> None:
    (tmp_path / "no.pem").write_text("no certificate")
    (told,) = problems(f'[kafka]\nurl = "kafka://127.0.0.1:{listener}"\n{keys}', "broker")
    assert told.startswith(expected)


def test_an_error_that_names_its_remedy_with_a_colon_keeps_its_words() -> None:
    error = SettingsError("words.txt: line 3: no section: use one of [fire]")
    assert str(problem_from(error)) == str(error)


def test_a_missing_settings_file_is_one_problem_and_nothing_else_is_looked_at(tmp_path: Path) -> None:
    said: list[str] = []
    (problem,) = problems_with(tmp_path / "none.toml", said.append)
    assert problem.hint == "`vigie init --commune INSEE` writes one"
    assert said == []


@pytest.mark.broker
def test_a_good_file_gives_status_0_from_any_folder(
    vigie: Callable[..., Result], written: Callable[[str], Path], tmp_path: Path, silent_port: int
) -> None:
    (tmp_path / "posts.jsonl").touch()
    settings = written(
        f'[territory]\ncommune = "76351"\n[worker]\nhealth_port = 0\n[edge]\nmetrics_port = 0\n{RECORDED}'
        f"[console]\nport = {silent_port}\nmetrics_port = 0\n"
        '[[receivers]]\nkind = "terminal"\n'
    )
    done = vigie("check", "--settings", settings)
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr.splitlines()[-1] == "nothing stands in the way"


def test_a_file_wrong_in_every_room_gives_status_1_and_a_line_each(
    vigie: Callable[..., Result], written: Callable[[str], Path], tmp_path: Path, silent_port: int
) -> None:
    (tmp_path / "words.txt").write_text("[volcano]\n")
    (tmp_path / "secret").write_text("whsec_hunter2")
    settings = written(
        '[territory]\ncommune = "99999"\nlocal_places = "none.csv"\n[data]\ndir = "words.txt"\n'
        '[kafka]\nurl = "kafka://127.0.0.1:1"\n[worker]\nhealth_port = 0\n'
        f"[console]\nport = {silent_port}\nmetrics_port = 0\nis_https = true\n"
        f'[edge]\nmetrics_port = 0\nlexicon = "words.txt"\n{RECORDED * 2}{CELL.format(url="http://127.0.0.1:1")}'
    )
    done = vigie("check", "--settings", settings)
    lines = done.stdout.splitlines()
    assert done.exit_code == 1
    assert [line.split(": ")[0] for line in lines] == [
        "territory.commune",
        "territory.local_places",
        "edge.lexicon",
        "data.dir",
        "console.names",
        "receivers.cell.secret_file",
        "receivers.cell.url",
        "sources.drill",
        "sources.drill.path",
        "sources.drill.path",
        "kafka.url",
    ]
    assert done.stderr.splitlines()[-1] == "11 problems"
    assert "hunter2" not in done.stdout + done.stderr


def test_a_folder_without_settings_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(check, "CHECKS", {})
    (problem,) = problems_with(None, lambda _: None)
    assert str(problem) == (
        f"vigie.toml: is not in {tmp_path}; "
        "go to its folder, name it with --settings, or write one with `vigie init --commune INSEE`"
    )


def test_settings_from_variables_alone_need_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(check, "CHECKS", {})
    monkeypatch.setenv("VIGIE_SOURCES", '[{"kind": "bluesky"}]')
    assert problems_with(None, lambda _: None) == []


CAP = '[[receivers]]\nkind = "cap"\nfolder = "cap"\nbase_url = "https://v.example/cap"\nsender = "vigie@v.example"\n'
FEEDS = '[[receivers]]\nkind = "feeds"\nfolder = "feeds"\n'


def test_folders_that_will_do_are_no_problem_and_are_left_as_they_are(problems: Finds, tmp_path: Path) -> None:
    assert problems(CAP + FEEDS, "receivers") == []
    assert not (tmp_path / "cap").exists()
    assert not (tmp_path / "feeds").exists()


def test_folders_that_are_none_are_told(problems: Finds, tmp_path: Path) -> None:
    (tmp_path / "cap").touch()
    (tmp_path / "feeds").touch()
    assert problems(CAP + FEEDS, "receivers")[:2] == [
        "receivers.cap.folder: cap is a file; give a folder",
        "receivers.feeds.folder: feeds is a file; give a folder",
    ]


def test_a_folder_with_incidents_of_somebody_else_is_told(problems: Finds, tmp_path: Path) -> None:
    (tmp_path / "feeds").mkdir()
    (tmp_path / "feeds" / "incidents.geojson").write_text("{}")
    (told,) = problems(FEEDS, "receivers")
    assert told.startswith("feeds/incidents.geojson: was not written by Vigie: ")
    assert told.endswith("; move it away, or give another folder")


def test_a_port_for_feeds_that_is_taken_or_given_twice_is_told(problems: Finds, listener: int, webhook: str) -> None:
    (told,) = problems(f"{FEEDS}port = {listener}\n", "receivers")
    assert told.startswith(f"receivers.feeds: cannot listen on 127.0.0.1:{listener}: ")
    port = webhook.partition("port = ")[2].partition("\n")[0]
    told = problems(f"{webhook}{FEEDS}port = {port}\n[worker]\nhealth_port = 0\n[edge]\nmetrics_port = 0\n", PORTS)[-1]
    assert told == (
        f"receivers.feeds.port: port {port} is that of sources.webhook.port too; give each a port of its own"
    )


ACCOUNT = '[[official_accounts]]\nplatform = "{}"\naccount = "{}"\nname = "Préfecture"\n'
DID = "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa"
BLUESKY = '[[sources]]\nkind = "bluesky"\n'


@pytest.mark.parametrize(
    ("platform", "account", "expected"),
    [
        ("bluesky", "prefet76.bsky.social", 'is no account of bluesky; give the DID, as "did:plc:" and 24 letters'),
        ("bluesky", "did:plc:tooshort", "is no account of bluesky; give the DID"),
        ("mastodon", "@prefet76@social.example", 'give the profile\'s address, as "https://mastodon.example/@name"'),
        ("facebook", "prefet76", "is no account of facebook; give the Page's number, not its name"),
        ("x", "@prefet76", "is no account of x; give the account's number, not its @name"),
        ("press", "https://www.somme.gouv.fr/rss", "is no account of press; give the host of the feed's address"),
    ],
)
def test_an_account_that_its_platform_would_not_name_so(
    platform: str, account: str, expected: str, problems: Finds
) -> None:
    told, *_ = problems(ACCOUNT.format(platform, account) + RECORDED, "official accounts")
    assert told.startswith(f"official_accounts.0.account: {account!r} ")
    assert expected in told


@pytest.mark.parametrize(
    ("platform", "account"),
    [
        ("bluesky", DID),
        ("bluesky", "did:web:prefecture.example"),
        ("mastodon", "https://social.example/@prefet76"),
        ("facebook", "1000000000001"),
        ("x", "910000000000000001"),
        ("press", "www.somme.gouv.fr"),
        ("forum", "anything"),
    ],
)
def test_an_account_as_its_platform_names_it(platform: str, account: str, problems: Finds) -> None:
    assert problems(ACCOUNT.format(platform, account) + RECORDED, "official accounts") == []


def test_an_account_that_stands_twice_and_one_that_no_source_reads_are_told(problems: Finds) -> None:
    twice = ACCOUNT.format("bluesky", DID) * 2 + ACCOUNT.format("mastodon", "https://social.example/@prefet76")
    assert problems(twice + BLUESKY, "official accounts") == [
        "official_accounts.1.account: is that of official_accounts.0 too; keep one of them",
        "official_accounts: no source reads mastodon; add that source, or take its accounts out",
    ]


def test_how_many_accounts_are_known_is_told_beside_the_check(
    written: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check, "CHECKS", {"official accounts": check.CHECKS["official accounts"]})
    said: list[str] = []
    assert problems_with(written(ACCOUNT.format("bluesky", DID) + BLUESKY), said.append) == []
    assert problems_with(written(BLUESKY), said.append) == []
    assert said == ["official accounts: bluesky 1", "official accounts: none is known"]


def test_texts_that_cannot_be_used_are_told(problems: Finds, tmp_path: Path) -> None:
    (tmp_path / "recycled.txt").write_text("Au feu !\n", encoding="utf-8")
    (told,) = problems('[rumours]\ntexts = "recycled.txt"\n', "rumours")
    assert told.startswith('rumours.texts: recycled.txt: line 1: "Au feu !" has fewer than 8 words')
    (told,) = problems('[rumours]\ntexts = "none.txt"\n', "rumours")
    assert told.startswith("rumours.texts: none.txt: cannot be read as UTF-8 text")
