"""The units of systemd: what they say is sound, and `vigie.service` is run as it says."""

import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest

from tests.deploy.supervising import Supervised, Unit, directives
from vigie import supervisor
from vigie.broker import STOP_SECS as BROKER_STOP_SECS
from vigie.broker import free_port
from vigie.children import STOP_SECS
from vigie.cli import main
from vigie.receiver_settings import JsonlReceiver
from vigie.settings import load

ROOT = Path(__file__).parents[2]
UNITS = ROOT / "deploy" / "systemd"
SERVICES = sorted(UNITS.glob("*.service"))
OURS = [file for file in SERVICES if file.name != "kafka.service"]
PROGRAM = "/opt/vigie/.venv/bin/vigie"
EXPOSED = 20  # tenths, of 100 at most: what `systemd-analyze security` may find
READY_SECS = 150.0
MDWE_KERNEL = (6, 3)
SETTINGS = """
[territory]
commune = "76351"
[data]
dir = "{data}"
[console]
port = {console}
metrics_port = 0
[worker]
health_port = {health}
[edge]
metrics_port = 0
[[sources]]
kind = "webhook"
name = "staff"
port = {webhook}
scheme = "bearer"
secret_file = "secret"
[[receivers]]
kind = "jsonl"
path = "{data}/alerts.jsonl"
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the units as systemd looks at them: their programs stand in for by one that is there."""
    if shutil.which("systemd-analyze") is None:
        missing = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        missing("systemd-analyze is not installed: Debian's package systemd has it")
    folder = tmp_path_factory.mktemp("units")
    for file in (*SERVICES, UNITS / "vigie.target"):
        lines = file.read_text(encoding="utf-8").splitlines()
        moved = ["ExecStart=/bin/true" if line.startswith("ExecStart=") else line for line in lines]
        name = file.name.replace("@.", "@1.")
        (folder / name).write_text("\n".join(moved), encoding="utf-8")
    return folder


def told_by(installed: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603
        ["/usr/bin/systemd-analyze", *command],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "SYSTEMD_UNIT_PATH": f"{installed}:"},
    )


def test_systemd_understands_all_that_they_say(installed: Path) -> None:
    files = sorted(str(file) for file in installed.iterdir())
    done = told_by(installed, "verify", "--man=no", *files)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_systemd_finds_them_little_exposed(installed: Path) -> None:
    for file in sorted(installed.glob("*.service")):
        done = told_by(installed, "security", "--offline=true", f"--threshold={EXPOSED}", str(file))
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("file", OURS, ids=lambda file: file.name)
def test_what_they_start_is_a_command_of_vigie_with_the_settings_of_the_machine(file: Path) -> None:
    unit = Unit.read(file, instance="1")
    program, name, *options = unit.command
    assert program == PROGRAM
    context = click.Context(main)
    command = main.get_command(context, name)
    assert command is not None, f"{file.name}: there is no command {name}"
    made = command.make_context(name, options, parent=context)
    assert made.params["settings_file"] == Path("/etc/vigie/vigie.toml")


@pytest.mark.parametrize("file", OURS, ids=lambda file: file.name)
def test_they_are_started_again_for_ever_and_write_to_one_folder(file: Path) -> None:
    said = directives(file)
    service = said["Service"]
    assert said["Unit"]["StartLimitIntervalSec"] == ["0"]
    assert (service["Restart"], service["User"], service["ProtectSystem"]) == (["always"], ["vigie"], ["strict"])
    assert service["StateDirectory"][0].split("/")[0] == "vigie"
    assert "ReadWritePaths" not in service
    data = Unit.read(file, instance="7").environ.get("VIGIE_DATA_DIR", "/var/lib/vigie")
    assert data == "/var/lib/" + service["StateDirectory"][0].replace("%i", "7")


def test_they_may_all_do_the_same_and_kafka_may_compile_besides() -> None:
    def sandbox(file: Path) -> set[str]:
        lines = file.read_text(encoding="utf-8").partition("\n# ")[2].splitlines()
        begin = lines.index("UMask=0077")
        return set(lines[begin : lines.index("", begin)])

    first, *others = [sandbox(file) for file in OURS]
    assert all(other == first for other in others)
    kafka = sandbox(UNITS / "kafka.service")
    assert first - kafka == {"MemoryDenyWriteExecute=yes", "LimitNOFILE=65536"}
    assert kafka - first == {"LimitNOFILE=100000"}


def test_the_settings_of_a_new_machine_are_made_as_the_readme_says(tmp_path: Path) -> None:
    readme = (ROOT / "deploy" / "README.md").read_text(encoding="utf-8")
    made = [
        line for line in readme.splitlines() if line.startswith(("/opt/vigie/.venv/bin/vigie init", "sed --in-place"))
    ]
    here = [
        line.replace(PROGRAM, f"{sys.executable} -m vigie").replace("/etc/vigie", str(tmp_path / "etc"))
        for line in made
    ]
    assert len(here) == 2
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run(["/bin/sh", "-ec", "\n".join(here)], check=True, capture_output=True, env=environ, timeout=60)  # noqa: S603
    settings = load(tmp_path / "etc" / "vigie.toml")
    written = [one.path for one in settings.receivers if isinstance(one, JsonlReceiver)]
    assert [settings.data.dir, *written] == [Path("/var/lib/vigie"), Path("/var/lib/vigie/alerts.jsonl")]


def test_they_are_given_the_time_that_an_orderly_end_takes() -> None:
    children = 3 * STOP_SECS  # edge, worker, console, one after the other
    whole = Unit.read(UNITS / "vigie.service")
    assert whole.stop_secs > children + supervisor.DRAIN_SECS + BROKER_STOP_SECS
    assert whole.kill_mode == "mixed", "`vigie run` stops its processes in their order: nobody else must ask them"
    assert all(Unit.read(file, instance="1").stop_secs > STOP_SECS for file in OURS)


def test_memory_that_a_unit_will_not_have_executed_is_not_executed_here_either(tmp_path: Path) -> None:
    """So that the run below says something of MemoryDenyWriteExecute."""
    if tuple(map(int, os.uname().release.split(".")[:2])) < MDWE_KERNEL:
        pytest.skip("this kernel cannot forbid memory that is written and executed: Linux 6.3 can")
    attempt = f"{sys.executable} -c 'import mmap; mmap.mmap(-1, 4096, prot=7)'"
    made = Supervised(Unit.read(UNITS / "vigie.service", moved={f"{PROGRAM} run": attempt}), tmp_path / "log")
    made.start()
    try:
        until(made, "refused", lambda: "PermissionError" in made.log)
    finally:
        made.close()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Supervised]:
    """Provide `vigie.service`, running on a machine of its own."""
    folder = tmp_path_factory.mktemp("machine")
    etc, data = folder / "etc", folder / "data"
    etc.mkdir()
    data.mkdir(mode=0o700)  # StateDirectory
    ports = {name: free_port() for name in ("console", "health", "webhook")}
    (etc / "vigie.toml").write_text(SETTINGS.format(data=data, **ports), encoding="utf-8")
    (etc / "secret").write_text("c3VwZXJ2aXNlZA" * 3, encoding="utf-8")
    unit = Unit.read(
        UNITS / "vigie.service",
        moved={PROGRAM: f"{sys.executable} -m vigie", "/etc/vigie": str(etc), "/var/lib/vigie": str(data)},
    )
    made = Supervised(unit, folder / "log", also={"PYTHONPATH": str(ROOT), "HEALTH": str(ports["health"])})
    yield made
    made.close()


def until(service: Supervised, what: str, is_so: Callable[[], object]) -> None:
    deadline = time.monotonic() + READY_SECS
    while not is_so():
        assert time.monotonic() < deadline, f"{what}: not so after {READY_SECS:.0f} s:\n{service.log[-4000:]}"
        time.sleep(0.2)


def is_ready(service: Supervised) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{service.also['HEALTH']}/healthz", timeout=5) as answer:
            return b'"ready": true' in answer.read()
    except OSError:
        return False


@pytest.mark.broker
def test_what_the_unit_says_runs_comes_back_after_a_kill_and_ends_well(service: Supervised) -> None:
    service.start()
    until(service, "run, broker, worker and console are there", lambda: len(service.left) >= 4)
    killed, family = service.pid, set(service.left)

    os.kill(killed, signal.SIGKILL)
    at = time.monotonic()
    until(service, "started again", lambda: service.starts == 2)
    assert time.monotonic() - at >= service.unit.restart_secs
    assert not family & set(service.left), "nothing of the first is left beside the second"
    until(service, "ready again", lambda: is_ready(service) and "edge starts" in service.log.rpartition("starting")[2])

    assert service.stop() == 0
    assert service.left == []
    assert service.log.rstrip().endswith("process='run' event='stopped'")
    assert service.starts == 2
