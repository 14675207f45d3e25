"""Containers, which no test runs: what their files say is valid, pinned, closed, and about things that are there."""

import json
import re
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from importlib.metadata import files
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import click
import jsonschema
import pytest
import yaml

from vigie.cli import main
from vigie.settings import load

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
DOCKERFILE = DEPLOY / "docker" / "Dockerfile"
OURS = ("worker-1", "worker-2", "connect", "console")
ASKED = "check"  # runs only when somebody asks
EXACT = re.compile(r"[a-z0-9./-]+:v?\d+\.\d+(\.\d+)?(-[a-z]+)*(@sha256:[0-9a-f]{64})?")
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = compose["services"]
    return found


@pytest.fixture(scope="module")
def dockerfile() -> list[tuple[str, str]]:
    """Return the instructions of the Dockerfile, each with what follows it."""
    lines = [line for line in DOCKERFILE.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ").splitlines()
    pairs = (line.strip().partition(" ") for line in joined)
    return [(name, rest.strip()) for name, _, rest in pairs]


def test_compose_yaml_keeps_to_the_compose_specification(compose: dict[str, Any]) -> None:
    """The schema is the specification's own, as check-jsonschema carries it; only that file is read."""
    (schema,) = [file for file in files("check-jsonschema") or () if file.name == "compose-spec.json"]
    jsonschema.Draft7Validator(json.loads(schema.read_text())).validate(compose)


def test_that_schema_refuses_what_is_no_key_of_a_service(compose: dict[str, Any]) -> None:
    (schema,) = [file for file in files("check-jsonschema") or () if file.name == "compose-spec.json"]
    broken = {**compose, "services": {"kafka": {"image": "apache/kafka:4.1.1", "read_onyl": True}}}
    with pytest.raises(jsonschema.ValidationError, match="read_onyl"):
        jsonschema.Draft7Validator(json.loads(schema.read_text())).validate(broken)


def test_every_image_is_pinned(services: dict[str, dict[str, Any]], dockerfile: list[tuple[str, str]]) -> None:
    images = [service["image"] for service in services.values()]
    images += [rest.split()[0] for name, rest in dockerfile if name == "FROM"]
    assert len(images) > len(OURS)
    assert [image for image in images if not EXACT.fullmatch(image)] == []
    assert {services[name]["image"] for name in (*OURS, ASKED)} == {f"vigie:{VERSION}"}
    assert {services[name]["pull_policy"] for name in (*OURS, ASKED)} == {"never"}, "others may use that name"


def test_the_kafka_of_the_containers_is_the_one_that_is_tested(services: dict[str, dict[str, Any]]) -> None:
    pom = (ROOT / "tests" / "kafka" / "pom.xml").read_text(encoding="utf-8")
    (tested,) = re.findall(r"<artifactId>kafka_2\.13</artifactId>\s*<version>([^<]+)", pom)
    assert services["kafka"]["image"] == f"apache/kafka:{tested}"


def test_every_container_is_held_to_little(services: dict[str, dict[str, Any]]) -> None:
    for name, service in services.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert "cap_add" not in service, name
        assert "privileged" not in service, name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["mem_limit"], name
        is_asked = name == ASKED
        assert service["healthcheck"].get("test", ["CMD"])[0] == "CMD", name
        assert service["healthcheck"].get("disable", False) is is_asked, name
        assert service["restart"] == ("no" if is_asked else "always"), name
        assert service.get("profiles") == ([ASKED] if is_asked else None), name
        assert not any(mount.startswith("/") for mount in service["volumes"]), f"{name} mounts a folder of the host"


def test_only_the_console_and_grafana_are_published_and_only_on_the_loopback(
    services: dict[str, dict[str, Any]], compose: dict[str, Any]
) -> None:
    published = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert set(published) == {"console", "grafana"}
    assert all(port.startswith("127.0.0.1:") for ports in published.values() for port in ports)
    assert compose["networks"]["inside"]["internal"] is True
    for name in ("kafka", "postgres", "prometheus"):
        assert services[name]["networks"] == ["inside"], f"{name} needs no way out"


def test_who_waits_for_whom_is_there_and_can_be_healthy(services: dict[str, dict[str, Any]]) -> None:
    for service in services.values():
        for other in service.get("depends_on", ()):
            assert "healthcheck" in services[other]


def test_every_command_is_one_of_vigie(services: dict[str, dict[str, Any]], dockerfile: list[tuple[str, str]]) -> None:
    said = dict(dockerfile)
    assert json.loads(said["ENTRYPOINT"]) == ["vigie"]
    for words in (json.loads(said["CMD"]), *(services[name]["command"] for name in (*OURS, ASKED))):
        context = click.Context(main)
        command = main.get_command(context, words[0])
        assert command is not None, f"there is no command {words[0]}"
        command.make_context(words[0], list(words[1:]), parent=context)


def test_what_is_mounted_is_there_and_what_is_kept_has_a_volume(
    services: dict[str, dict[str, Any]], compose: dict[str, Any]
) -> None:
    kept = set()
    for service in services.values():
        for mount in service["volumes"]:
            source, target, *way = mount.split(":")
            if source.startswith("./"):
                assert (DEPLOY / source).exists(), f"{source} is mounted and not there"
                assert way == ["ro"], f"{source} is the repository's: nobody writes to it"
            else:
                kept.add(source)
            assert target.startswith("/")
    assert kept == set(compose["volumes"])
    own = [mount for name in OURS for mount in services[name]["volumes"] if mount.endswith(":/var/lib/vigie")]
    assert len(set(own)) == len(OURS), "each process has a folder of its own"


def test_every_secret_is_a_file_that_the_operator_makes(
    services: dict[str, dict[str, Any]], compose: dict[str, Any]
) -> None:
    assert {name for service in services.values() for name in service.get("secrets", ())} == set(compose["secrets"])
    readme = (DEPLOY / "README.md").read_text(encoding="utf-8")
    ignored = subprocess.run(  # noqa: S603
        ["git", "check-ignore", *(f"deploy/{secret['file']}" for secret in compose["secrets"].values())],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    for name, secret in compose["secrets"].items():
        assert secret == {"file": f"./secrets/{name}"}
        assert f"secrets/{name}" in readme, f"deploy/README.md does not say how {name} is made"
    assert len(ignored.stdout.splitlines()) == len(compose["secrets"]), "git must never take a secret in"


def test_the_settings_of_the_containers_load_and_fit_them(services: dict[str, dict[str, Any]]) -> None:
    settings = load(DEPLOY / "docker" / "vigie.toml")
    assert settings.metrics.host == "0.0.0.0"  # noqa: S104  no port of these is published
    assert settings.kafka.url == services["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"].replace(
        "PLAINTEXT", "kafka"
    )
    assert settings.kafka.partitions >= 2 * sum(name.startswith("worker-") for name in services)
    assert str(settings.console.database_password_file) == "/run/secrets/database.password"
    assert str(settings.data.dir) == "/var/lib/vigie"
    ports = {
        "worker-1": settings.worker.health_port,
        "worker-2": settings.worker.health_port,
        "connect": settings.edge.metrics_port,
        "console": settings.console.port,
    }
    for name, port in ports.items():
        assert f"http://127.0.0.1:{port}/" in services[name]["healthcheck"]["test"][-1]


def test_prometheus_in_a_container_differs_in_its_targets_alone(services: dict[str, dict[str, Any]]) -> None:
    def without_targets(name: str) -> tuple[Any, list[str]]:
        said = yaml.safe_load((DEPLOY / "prometheus" / name).read_text(encoding="utf-8"))
        targets: list[str] = []
        for job in (*said["scrape_configs"], *said["alerting"]["alertmanagers"]):
            for static in job["static_configs"]:
                targets += static.pop("targets")
        return said, targets

    plain, _ = without_targets("prometheus.yml")
    contained, targets = without_targets("prometheus.compose.yml")
    assert contained == plain
    assert {target.partition(":")[0] for target in targets} == {*OURS, "alertmanager"}
    assert {target.partition(":")[0] for target in targets} <= set(services)


def test_grafana_finds_its_dashboards_and_prometheus(services: dict[str, dict[str, Any]]) -> None:
    grafana = services["grafana"]
    mounts = {target: DEPLOY / source for source, target, *_ in (mount.split(":") for mount in grafana["volumes"])}
    provisioning = mounts["/etc/grafana/provisioning"]
    (board_file,), (source_file,) = (
        list((provisioning / name).glob("*.y*ml")) for name in ("dashboards", "datasources")
    )
    for provider in yaml.safe_load(board_file.read_text(encoding="utf-8"))["providers"]:
        folder, _, language = provider["options"]["path"].rpartition("/")
        assert list((mounts[folder] / language).glob("*.json")), provider
    (source,) = yaml.safe_load(source_file.read_text(encoding="utf-8"))["datasources"]
    asked = source["url"].replace("${PROMETHEUS_URL}", grafana["environment"]["PROMETHEUS_URL"])
    assert asked == "http://prometheus:9090"


def test_the_image_is_no_root_needs_no_shell_and_takes_nothing_from_the_network_but_locked_packages(
    dockerfile: list[tuple[str, str]],
) -> None:
    last = max(at for at, (name, _) in enumerate(dockerfile) if name == "FROM")
    stage = dockerfile[last:]
    assert ("USER", "10001:10001") in stage
    assert [name for name, _ in stage].index("USER") > [name for name, _ in stage].index("RUN")
    assert not [name for name, _ in dockerfile if name == "ADD"]
    installs = [rest for name, rest in dockerfile if name == "RUN" and "pip install" in rest]
    assert all("--require-hashes" in one or "--no-deps" in one for one in installs)
    assert not [rest for _, rest in dockerfile if re.search(r"\b(curl|wget|apt-get)\b", rest)]
    assert any(name == "HEALTHCHECK" for name, _ in stage)


def test_the_lock_of_the_image_has_the_versions_that_the_tests_run_on() -> None:
    def pinned(name: str) -> dict[str, str]:
        text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
        return dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", text, re.MULTILINE))

    server, dev = pinned("server.txt"), pinned("dev.txt")
    assert {name: version for name, version in server.items() if dev.get(name) != version} == {}
    assert {"psycopg", "apprise", "pyarrow", "sqlalchemy", "tweepy"} <= set(server)


@pytest.fixture(scope="module")
def sent(dockerfile: list[tuple[str, str]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with what, of the files that git knows, the builder is sent and the Dockerfile copies."""
    folder = tmp_path_factory.mktemp("context")
    listed = subprocess.run(
        ["git", "ls-files", "-z"],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        timeout=60,
        check=True,
    ).stdout.split(b"\0")
    copied = [words for name, rest in dockerfile if name == "COPY" for words in [rest.split()] if "--from" not in rest]
    rules = (DEPLOY / "docker" / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    let_in = [rule.removeprefix("!") for rule in rules if rule.startswith("!")]
    for name in filter(None, (name.decode() for name in listed)):
        asked = any(fnmatch(name, f"{source}*") for *sources, _ in copied for source in sources)
        if asked and any(name == rule or name.startswith(f"{rule}/") for rule in let_in):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).symlink_to(ROOT / name)
    return folder


def test_the_wheel_of_what_the_dockerfile_copies_has_every_file_of_the_rooms(sent: Path, tmp_path: Path) -> None:
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(tmp_path), "."],
        cwd=sent,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    packed = set(ZipFile(wheel).namelist())
    rooms = ("records", "connectors", "models", "detectors", "streams", "console", "vigie")
    tracked = {str(path.relative_to(sent)) for room in rooms for path in (sent / room).rglob("*") if path.is_file()}
    assert len(tracked) > 300
    assert tracked <= packed, f"lacking: {sorted(tracked - packed)[:10]}"
