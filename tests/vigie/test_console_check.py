"""`vigie check` on the console: what keeps it from working, or people from reaching it safely."""

import json
import socket
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from joserfc.jwk import ECKey

from records import SettingsError, SystemClock
from vigie import console_settings
from vigie.broker import free_port
from vigie.console_process import run_console
from vigie.settings import Settings, load

Finds = Callable[[str, str], list[str]]
OIDC = '{issuer}oidc_client = "vigie"\noidc_secret_file = "secret"\noidc_roles = {{ "cell" = "operator" }}\n'


def console(more: str = "") -> str:
    return f"[console]\nport = {free_port()}\n{more}"


@pytest.fixture
def issuer() -> Iterator[str]:
    """Serve what a provider of OpenID Connect says of itself."""
    key = ECKey.generate_key("P-256").as_dict(private=False)

    class Provider(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            said = {"issuer": here, "jwks_uri": f"{here}/keys", "keys": [key]}
            said |= {"authorization_endpoint": f"{here}/go", "token_endpoint": f"{here}/token"}
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(said).encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the library's name
            pass

    with HTTPServer(("127.0.0.1", 0), Provider) as server:
        here = f"http://127.0.0.1:{server.server_port}"
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield here
        server.shutdown()
        serving.join()


@pytest.mark.parametrize(
    "more",
    [
        pytest.param("", id="on this machine alone"),
        pytest.param('is_https = true\nnames = ["vigie.example.org"]\n', id="behind a server with https"),
        pytest.param('host = "0.0.0.0"\nis_https = true\nnames = ["10.0.0.7"]\n', id="on another machine than it"),
    ],
)
def test_what_will_do_is_no_problem_and_nothing_is_made(more: str, problems: Finds, tmp_path: Path) -> None:
    assert problems(console(more), "console") == []
    assert [path.name for path in tmp_path.iterdir()] == ["vigie.toml"]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        pytest.param(
            'host = "0.0.0.0"\nnames = ["v.example"]\n', "console.host: on 0.0.0.0 others can reach it", id="no https"
        ),
        pytest.param("is_https = true\n", "console.names: is empty, so that browsers on other machines", id="no name"),
        pytest.param(
            'names = ["https://v.example"]\n', "console.names: 'https://v.example' is no host name", id="an address"
        ),
        pytest.param('names = ["v.example:443"]\n', "console.names: 'v.example:443' is no host name", id="a port"),
        pytest.param(
            'database = "sqlite:////none/here.sqlite"\n', "console.database: no folder /none; make it", id="no folder"
        ),
        pytest.param(
            'database = "postgresql://v@127.0.0.1:1/v"\n',
            "console.database: postgresql+psycopg://v@127.0.0.1:1/v?connect_timeout=5: connection failed: ",
            id="no server",
        ),
        pytest.param(
            'database_password_file = "none"\n', "console.database_password_file: cannot read none", id="no password"
        ),
        pytest.param('boundaries = "none"\n', "console.boundaries: none: cannot be read (", id="no boundaries"),
        pytest.param(
            OIDC.format(issuer='oidc_issuer = "https://127.0.0.1:1"\n'),
            "console.oidc_issuer: https://127.0.0.1:1 gives no answer of an OpenID Connect issuer (",
            id="no issuer",
        ),
        pytest.param(
            OIDC.format(issuer='oidc_issuer = "http://v.example"\n'),
            "console.oidc_issuer: 'http://v.example' is no https:// address; give one that is",
            id="an issuer in the clear",
        ),
    ],
)
def test_what_will_not_do_is_told(more: str, expected: str, problems: Finds, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("a secret")
    (told,) = problems(console(more), "console")
    assert told.startswith(expected)


def test_a_port_that_is_taken_is_told_but_not_where_there_is_no_console(problems: Finds) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert problems(f"[console]\nport = {port}\n", "console") == [
            f"console.port: cannot listen on 127.0.0.1:{port}: Address already in use; free that port or set another"
        ]
    assert problems('[console]\nport = 0\nboundaries = "none"\n', "console") == []


def test_a_port_that_is_another_ones_too_is_told(problems: Finds) -> None:
    port = free_port()
    toml = f"[worker]\nhealth_port = {port}\n[edge]\nmetrics_port = 0\n[console]\nport = {port}\n"
    assert problems(toml, "ports")[0].startswith(f"console.port: port {port} is that of worker.health_port too")


@pytest.mark.parametrize(
    ("gone", "expected"),
    [
        pytest.param("psycopg", "console.database: needs the library psycopg, which is not installed", id="postgresql"),
        pytest.param("sqlalchemy", "console: its libraries are not installed; pip install", id="all of them"),
    ],
)
def test_libraries_that_are_missing_are_told(
    gone: str, expected: str, problems: Finds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, gone, None)
    monkeypatch.setattr(console_settings, "find_spec", lambda name: None if name == gone else name)
    (told,) = problems(console('database = "postgresql://v@127.0.0.1:1/v"\n'), "console")
    assert told.startswith(expected)


def test_a_file_that_is_no_database_is_told(problems: Finds, tmp_path: Path) -> None:
    (tmp_path / "console.sqlite").write_text("this is no database, whatever it is called" * 50)
    (told,) = problems(console(f'database = "sqlite:///{tmp_path}/console.sqlite"\n'), "console")
    assert told.endswith(": file is not a database; see that it is there, and that its user may make tables in it")


def test_a_database_of_a_later_version_is_told(problems: Finds, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "console.sqlite") as connection:
        connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        connection.execute("INSERT INTO alembic_version VALUES ('9999')")
    connection.close()
    (told,) = problems(console(f'database = "sqlite:///{tmp_path}/console.sqlite"\n'), "console")
    assert told.startswith("console.database: has the shape of a later version of Vigie (9999); run that one")


def test_what_is_missing_for_a_login_service_is_told_all_at_once(problems: Finds) -> None:
    told = problems(console('oidc_issuer = "https://v.example"\n'), "console")
    assert [one.split(":")[0] for one in told] == [
        "console.oidc_client",
        "console.oidc_secret_file",
        "console.oidc_roles",
    ]


def test_a_login_service_that_answers_is_no_problem(problems: Finds, issuer: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("a secret")
    assert problems(console(OIDC.format(issuer=f'oidc_issuer = "{issuer}"\n')), "console") == []


def test_the_examples_of_settings_and_of_servers_in_front_fit_together() -> None:
    examples = Path(__file__).parents[2] / "deploy" / "examples"
    console = load(examples / "console.toml").console
    (name,) = console.names
    assert (console.is_https, console.is_local) == (True, True)
    for server in ("nginx.conf", "Caddyfile"):
        text = (examples / server).read_text(encoding="utf-8")
        assert name in text
        assert f"127.0.0.1:{console.port}" in text


def test_a_port_of_its_metrics_that_is_taken_is_told_before_anything_is_begun(
    loaded: Callable[[str], Settings], tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = f"port = {free_port()}\nmetrics_port = {server.getsockname()[1]}\n"
        settings = loaded(f'[kafka]\nurl = "kafka://127.0.0.1:1"\n[data]\ndir = "{tmp_path}"\n[console]\n{taken}')
        with pytest.raises(SettingsError, match=r"^console\.metrics_port: cannot listen on port"):
            run_console(settings, SystemClock())
    assert not (tmp_path / "console.sqlite").exists()
