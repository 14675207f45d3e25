"""The first hour: the commands of that page, executed as written, in order, and what it promises of them.

The French page is executed; the English one must have the same commands, but for the names of files. Nothing outside
this machine is asked: a server of ours stands for Bluesky, and then falls silent.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from tests.console.entering import csrf_of, flat
from tests.docs.building import ROOT
from vigie.broker import free_port
from vigie.settings import Settings

pytestmark = [pytest.mark.broker, pytest.mark.timeout(900)]

PAGES = {"fr": "first-hour.fr.md", "en": "first-hour.md"}
FENCES = re.compile(r"^```(sh|text)\n(.*?)^```", re.MULTILINE | re.DOTALL)
QUOTED = re.compile(r"^\| `([^`]+)` \|", re.MULTILINE)
IN_ENGLISH = {"ma-commune": "my-town", "alertes.jsonl": "exercise-alerts.jsonl", "exercice": "exercise", "FIN": "END"}
PASSWORD = "quatre mots sans aucun lien"
PATIENCE_SECS = 240.0


@dataclass
class Block:
    """A block of commands, and what the page says that it prints."""

    commands: str
    shown: list[str] = field(default_factory=list)


@dataclass
class Done:
    """What came of a block."""

    block: Block
    status: int
    printed: str
    files: set[str]


def page(language: str) -> str:
    """Return the page in one of its languages."""
    return (ROOT / "docs" / PAGES[language]).read_text(encoding="utf-8")


def blocks(language: str) -> list[Block]:
    """Return the blocks of a page, in its order."""
    found: list[Block] = []
    for kind, text in FENCES.findall(page(language)):
        if kind == "sh":
            found.append(Block(text))
        else:
            found[-1].shown += text.splitlines()
    return found


def wait_until(what: str, is_so: Callable[[], object]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + PATIENCE_SECS
    while not is_so():
        assert time.monotonic() < deadline, f"{what}: not so after {PATIENCE_SECS:.0f} s"
        time.sleep(0.2)


def answers(port: int) -> bool:
    """Tell whether something listens on a port of this machine."""
    with socket.socket() as asked:
        return asked.connect_ex(("127.0.0.1", port)) == 0


class Terminal:
    """A terminal in a fresh folder: each block goes on where the one before it ended."""

    def __init__(self, folder: Path, environ: dict[str, str]) -> None:
        self.folder, self.environ = folder, environ
        self.left = folder.parent / "left.sh"  # where the block before ended: its folder and its variables
        self.left.write_text("")

    def start(self, block: Block, log: Path) -> "subprocess.Popen[bytes]":
        """Start a block; what it prints goes into a file."""
        # As at a terminal, the shell outlives the Ctrl-C that ends what runs in it.
        script = f"""trap : INT
. "{self.left}"
{block.commands}
export -p > "{self.left}"; echo "cd '$PWD'" >> "{self.left}"
"""
        with log.open("wb") as out:
            return subprocess.Popen(  # noqa: S603  the page's own commands
                ["/bin/sh", "-e", "-c", script],
                cwd=self.folder,
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,  # Ctrl-C is for this block alone
            )

    def run(self, block: Block, meanwhile: Callable[[Path], None] | None = None) -> Done:
        """Run a block to its end; `meanwhile` is what a person does, before Ctrl-C."""
        log = self.folder.parent / "printed"
        process = self.start(block, log)
        try:
            if meanwhile is not None:
                meanwhile(log)
                os.killpg(process.pid, signal.SIGINT)
            status = process.wait(PATIENCE_SECS)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
                process.wait(60)
        files = {path.name for path in self.folder.glob("ma-commune/*")}
        return Done(block, status, log.read_text(encoding="utf-8"), files)


class Hour:
    """The French page, gone through by somebody who does what it says."""

    def __init__(self, folder: Path) -> None:
        self.bluesky, self.console = free_port(), free_port()
        self.seen: dict[str, str] = {}
        here = folder / "vigie"
        here.mkdir()
        (here / ".venv").symlink_to(sys.prefix)
        environ = {name: value for name, value in os.environ.items() if not name.startswith("VIGIE_")}
        environ |= {
            # Ports of its own: another Vigie may run on this machine. And nothing outside it is asked.
            "VIGIE_CONSOLE_PORT": str(self.console),
            "VIGIE_CONSOLE_METRICS_PORT": "0",
            "VIGIE_WORKER_HEALTH_PORT": str(free_port()),
            "VIGIE_EDGE_METRICS_PORT": str(free_port()),
            "VIGIE_SOURCES": f'[{{"kind": "bluesky", "url": "ws://127.0.0.1:{self.bluesky}"}}]',
        }
        self.terminal = Terminal(here, environ)
        self.server = subprocess.Popen(  # noqa: S603  our own program
            [sys.executable, "-m", "vigie", "fake", "jetstream", "--port", str(self.bluesky)],
            stderr=subprocess.DEVNULL,
            cwd=ROOT,
        )

    def close(self) -> None:
        """End what stands for Bluesky."""
        self.server.kill()
        self.server.wait(60)

    def go_through(self) -> list[Done]:
        """Run all blocks but the demo's."""
        wait_until("something stands for Bluesky", lambda: answers(self.bluesky))
        watching = [block for block in blocks("fr") if block.commands.startswith("vigie run")]
        assert len(watching) == 1
        return [
            self.terminal.run(block, self.look if block in watching else None)
            for block in blocks("fr")
            if not block.commands.startswith("make demo")
        ]

    def look(self, log: Path) -> None:
        """Do what the page says while `vigie run` runs: enter the console, choose a password, look at its strip."""
        wait_until("it watches", lambda: "event='watching'" in log.read_text(encoding="utf-8"))
        wait_until("the console has begun", lambda: "event='first start" in log.read_text(encoding="utf-8"))
        given = re.search(r"event='first start: log in once.*password='([^']+)'", log.read_text(encoding="utf-8"))
        assert given is not None
        with httpx.Client(
            base_url=f"http://127.0.0.1:{self.console}", follow_redirects=True, timeout=30, trust_env=False
        ) as client:
            fields = {"csrf": csrf_of(client.get("/login")), "name": "admin", "password": given[1], "next": "/"}
            self.seen["after the one-time password"] = client.post("/login", data=fields).url.path
            self.seen["another page before it is changed"] = client.get("/accounts").url.path
            fields = {"csrf": csrf_of(client.get("/password")), "old": given[1], "new": PASSWORD, "again": PASSWORD}
            self.seen["after another was chosen"] = client.post("/password", data=fields).url.path
            self.seen["accounts"] = flat(client.get("/accounts"))
            wait_until("it reads", lambda: "source écoutée." in flat(client.get("/")))
            alerts = self.terminal.folder / "ma-commune" / "alerts.jsonl"
            wait_until("somebody is told", lambda: alerts.exists() and alerts.stat().st_size)
            incident = json.loads(alerts.read_text(encoding="utf-8").splitlines()[0])["incident_id"]
            wait_until("the console shows it", lambda: f"/incidents/{incident}" in client.get("/").text)
            self.seen["the first incident"] = incident
            self.seen["while it reads"] = flat(client.get("/"))
            self.close()
            wait_until("it is blind", lambda: 'data-state="blind"' in client.get("/").text)
            self.seen["without a network"] = flat(client.get("/"))


@pytest.fixture(scope="module")
def hour(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hour]:
    """Return somebody's first hour, not begun yet."""
    found = Hour(tmp_path_factory.mktemp("hour"))
    yield found
    found.close()


@pytest.fixture(scope="module")
def done(hour: Hour) -> dict[str, Done]:
    """Go through it; return what came of each block, by its last command."""
    return {one.block.commands.splitlines()[-1].split(" --")[0]: one for one in hour.go_through()}


def test_every_block_ends_well_and_prints_what_the_page_shows(done: dict[str, Done]) -> None:
    assert list(done) == [
        "vigie init",
        "vigie check",
        "vigie run",
        """grep -o '"level":"[a-z]*","hazard":"[a-z]*"' alertes.jsonl""",
    ]
    for name, one in done.items():
        assert one.status == 0, f"{name}: {one.printed[-2000:]}"
        assert one.block.shown, f"{name}: the page does not show what is printed"
        for line in one.block.shown:
            wanted = ".*".join(re.escape(part) for part in line.split("…"))
            assert re.search(f"^{wanted}$", one.printed, re.MULTILINE), f"{name}: no line {line!r} in {one.printed}"


def test_two_files_are_written_for_a_commune(done: dict[str, Done]) -> None:
    assert done["vigie init"].files == {"vigie.toml", "places.csv"}


def test_the_one_time_password_opens_only_the_page_where_another_is_chosen(hour: Hour, done: dict[str, Done]) -> None:
    assert done
    assert hour.seen["after the one-time password"] == "/password"
    assert hour.seen["another page before it is changed"] == "/password"
    assert hour.seen["after another was chosen"] == "/"
    assert "<h1>Comptes</h1>" in hour.seen["accounts"]
    assert 'value="operator"' in hour.seen["accounts"]


def test_the_strip_on_top_says_whether_vigie_reads(hour: Hour, done: dict[str, Done]) -> None:
    assert done
    assert "1 source écoutée." in hour.seen["while it reads"]
    assert "<strong>AVEUGLE</strong>" in hour.seen["without a network"]


def test_alerts_are_on_the_screen_in_the_file_and_in_the_console(hour: Hour, done: dict[str, Done]) -> None:
    run = done["vigie run"]
    assert hour.seen["the first incident"] in run.printed
    assert "Ce qu'on ne sait pas" in run.printed


def test_ctrl_c_stops_all_of_it_and_leaves_what_vigie_must_remember(done: dict[str, Done]) -> None:
    run = done["vigie run"]
    assert "event='stopped'" in run.printed.splitlines()[-1]
    assert {"alerts.jsonl", "vigie-data"} <= run.files


def test_the_demo_is_what_make_runs() -> None:
    assert blocks("fr")[0].commands == "make demo\n"
    planned = subprocess.run(
        ["make", "--dry-run", "--no-print-directory", "demo"],  # noqa: S607  the one of this machine
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert planned.stdout.splitlines()[-1].split() == [".venv/bin/vigie", "demo"]


def test_both_languages_have_the_same_commands_and_show_the_same() -> None:
    french, english = blocks("fr"), blocks("en")
    assert len(french) == 5
    for ours, theirs in zip(french, english, strict=True):
        commands = ours.commands
        for here, there in IN_ENGLISH.items():
            commands = commands.replace(here, there)
        assert (commands, ours.shown) == (theirs.commands, theirs.shown)


def test_the_console_stands_where_the_page_says() -> None:
    address = f"http://127.0.0.1:{Settings.model_fields['console'].default.port}"
    assert all(f"`{address}`" in page(language) for language in ("fr", "en"))


@pytest.mark.parametrize("language", ["fr", "en"])
def test_what_people_are_stuck_on_is_told_in_the_words_of_the_program(language: str) -> None:
    quoted = [one for one in QUOTED.findall(page(language)) if "command not found" not in one]
    assert len(quoted) == 4
    said = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "vigie").rglob("*.py"))
    said = re.sub(r"\{[^{}\n]*\}", "…", said).replace('", "', "; ")  # a problem's parts: what was found, what would do
    said += (ROOT / "Makefile").read_text(encoding="utf-8")
    for one in quoted:
        for words in one.split("…"):
            assert words.strip(" :;") in said, f"nobody says {words!r}"
