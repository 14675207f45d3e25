"""What the tests of the command share: no variables of ours around, a folder with settings, the command itself."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
import structlog
from click.testing import CliRunner, Result

from models.places import Gazetteer, shipped_gazetteer
from vigie.check import CHECKS
from vigie.cli import main
from vigie.settings import Problem, Settings, UnusableSettings, load

WRITES_SETTINGS = Callable[[str], Path]


@pytest.fixture(autouse=True)
def no_variables_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.upper().startswith("VIGIE_"):
            monkeypatch.delenv(name)


@pytest.fixture
def written(tmp_path: Path) -> WRITES_SETTINGS:
    """Write a vigie.toml and return its path."""

    def write(toml: str) -> Path:
        path = tmp_path / "vigie.toml"
        path.write_text(toml, encoding="utf-8")
        return path

    return write


@pytest.fixture
def loaded(written: WRITES_SETTINGS) -> Callable[[str], Settings]:
    """Write a vigie.toml and load it."""
    return lambda toml: load(written(toml))


@pytest.fixture
def refusals(written: WRITES_SETTINGS, tmp_path: Path) -> Callable[[str], list[str]]:
    """Write a vigie.toml and return why it cannot be loaded, without the name of its folder."""

    def told(toml: str) -> list[str]:
        with pytest.raises(UnusableSettings) as refused:
            load(written(toml))
        return [str(problem).replace(f"{tmp_path}/", "") for problem in refused.value.problems]

    return told


@pytest.fixture
def problems(loaded: Callable[[str], Settings], tmp_path: Path) -> Callable[[str, str], list[str]]:
    """Write a vigie.toml and return what one of the checks finds, without the name of its folder."""

    def found(toml: str, check: str) -> list[str]:
        told: Iterator[Problem] = CHECKS[check](loaded(toml))
        return [str(problem).replace(f"{tmp_path}/", "") for problem in told]

    return found


@pytest.fixture(scope="session")
def vigie() -> Callable[..., Result]:
    """Run the command in this process: `vigie("locate", "posts.jsonl", input=b"…")`."""

    def run(*arguments: str | Path, input: bytes | None = None) -> Result:  # noqa: A002  click's name
        try:
            return CliRunner().invoke(main, [str(argument) for argument in arguments], input=input)
        finally:  # the command sets its log up on a standard error that is closed by now
            structlog.reset_defaults()
            structlog.contextvars.clear_contextvars()

    return run


@pytest.fixture(scope="session")
def gazetteer() -> Gazetteer:
    return shipped_gazetteer()


Started = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder with what our processes say: `<name>.out` and `<name>.err`."""
    return tmp_path_factory.mktemp("logs")


@pytest.fixture(scope="module")
def start_vigie(logs: Path) -> Iterator[Started]:
    """Start the command as a process of its own, its log in a file; whatever still runs is killed in the end."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str | Path, log: str = "log", **variables: str) -> "subprocess.Popen[bytes]":
        environ = {name: value for name, value in os.environ.items() if not name.upper().startswith("VIGIE_")}
        with (logs / f"{log}.out").open("wb") as out, (logs / f"{log}.err").open("wb") as err:
            process = subprocess.Popen(  # noqa: S603  the program is ourselves
                [sys.executable, "-m", "vigie", *map(str, arguments)],
                env={**environ, **variables},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                cwd=logs,
            )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()


@pytest.fixture(scope="module")
def run_vigie() -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Run the command as a process of its own, to its end."""

    def run(*arguments: str | Path, cwd: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
        environ = {name: value for name, value in os.environ.items() if not name.upper().startswith("VIGIE_")}
        return subprocess.run(  # noqa: S603  the program is ourselves
            [sys.executable, "-m", "vigie", *map(str, arguments)],
            env={**environ, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            cwd=cwd,
            timeout=120,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def eventually() -> Callable[..., None]:
    """Look at something again and again until it holds, for so long at most."""

    def wait(holds: Callable[[], bool], what: str, *, secs: float = 60.0) -> None:
        deadline = time.monotonic() + secs
        while not holds():
            assert time.monotonic() < deadline, f"not within {secs:.0f} s: {what}"
            time.sleep(0.05)

    return wait


@pytest.fixture(scope="session")
def named_lines() -> Callable[[str, Path | str, Sequence[int]], bool]:
    """Tell whether a text names each of these lines of a file."""

    def names(text: str, file: Path | str, numbers: Sequence[int]) -> bool:
        found = {int(number) for number in re.findall(rf"{re.escape(str(file))}:(?: line )?(\d+):", text)}
        return found == set(numbers)

    return names
