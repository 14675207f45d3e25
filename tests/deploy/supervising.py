"""A unit of systemd's, run as systemd would run it: started, started again, stopped, held to what it may do.

Only what our units say is understood, and a directive that nobody knows of is an error: what is not looked at here must
not be taken for tested. Sandboxing by namespaces and cgroups needs systemd itself; what a process can be held to
without it (no new privileges, no memory both written and executed, file modes, open files) it is held to, by this
program, which then becomes the service: `python supervising.py UMASK FILES PRIVILEGES MEMORY COMMAND…`.
"""

import ctypes
import os
import resource
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

PR_SET_NO_NEW_PRIVS, PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN = 38, 65, 1  # prctl(2)
LOOK_SECS = 0.1
SIGNALS = {"SIGTERM": signal.SIGTERM, "SIGINT": signal.SIGINT}
SANDBOX = ("Protect", "Private", "Restrict", "SystemCall", "CapabilityBoundingSet", "RemoveIPC", "LockPersonality")
KNOWN = {
    *("Type", "User", "Group", "ExecStart", "Environment", "Restart", "RestartSec", "TimeoutStopSec", "KillMode"),
    *("KillSignal", "OOMPolicy", "StateDirectory", "StateDirectoryMode", "LogsDirectory", "MemoryMax", "UMask"),
    *(
        "NoNewPrivileges",
        "MemoryDenyWriteExecute",
        "LimitNOFILE",
        "SuccessExitStatus",
        "StandardOutput",
        "StandardError",
    ),
}


@dataclass(frozen=True, kw_only=True)
class Unit:
    """One service, as its file says."""

    name: str
    command: tuple[str, ...]
    environ: Mapping[str, str]
    restart: str
    restart_secs: float
    stop_secs: float
    kill_mode: str = "control-group"
    kill_signal: signal.Signals = signal.SIGTERM
    good_statuses: frozenset[int] = frozenset({0})
    umask: int = 0o022
    open_files: int | None = None
    has_no_new_privileges: bool = False
    has_no_written_code: bool = False

    @classmethod
    def read(cls, file: Path, *, instance: str = "", moved: Mapping[str, str] | None = None) -> "Unit":
        """Return the service of a file; `moved` says which paths stand where here, as in {"/etc/vigie": "/tmp/x"}."""
        said = directives(file)["Service"]
        unknown = {name for name in said if name not in KNOWN and not name.startswith(SANDBOX)}
        assert not unknown, f"{file.name}: nobody here knows {', '.join(sorted(unknown))}"

        def here(text: str) -> str:
            text = text.replace("%i", instance)
            for path, place in (moved or {}).items():
                text = text.replace(path, place)
            return text

        last = {name: values[-1] for name, values in said.items()}
        pairs = (word.partition("=") for line in said.get("Environment", ()) for word in shlex.split(here(line)))
        home = {"HOME": here("/var/lib/" + last["User"])} if "User" in last else {}  # as deploy/systemd/*.sysusers say
        return cls(
            name=file.name,
            command=tuple(shlex.split(here(last["ExecStart"]))),
            environ={**home, **{name: value for name, _, value in pairs}},
            restart=last.get("Restart", "no"),
            restart_secs=float(last.get("RestartSec", "0.1")),
            stop_secs=float(last.get("TimeoutStopSec", "90")),
            kill_mode=last.get("KillMode", "control-group"),
            kill_signal=SIGNALS[last.get("KillSignal", "SIGTERM")],
            good_statuses=frozenset({0, *map(int, last.get("SuccessExitStatus", "0").split())}),
            umask=int(last.get("UMask", "0022"), 8),
            open_files=int(last["LimitNOFILE"]) if "LimitNOFILE" in last else None,
            has_no_new_privileges=last.get("NoNewPrivileges") == "yes",
            has_no_written_code=last.get("MemoryDenyWriteExecute") == "yes",
        )

    @property
    def held_to(self) -> list[str]:
        """Return what this program is told to hold the service to."""
        return [
            str(self.umask),
            str(self.open_files or 0),
            str(int(self.has_no_new_privileges)),
            str(int(self.has_no_written_code)),
        ]


def directives(file: Path) -> dict[str, dict[str, list[str]]]:
    """Return what a unit says: section, directive, its values in their order."""
    found: dict[str, dict[str, list[str]]] = {}
    section = ""
    for line in file.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = line.strip("[]")
            found[section] = {}
        elif line and line[0] not in "#;":
            name, _, value = line.partition("=")
            found[section].setdefault(name, []).append(value)
    return found


@dataclass
class Supervised:
    """A unit that runs, watched from a thread: what ends unasked is started again, if the unit says so."""

    unit: Unit
    log_path: Path
    also: Mapping[str, str] = field(default_factory=dict)  # variables that this machine needs: systemd gives few
    starts: int = 0
    process: subprocess.Popen[bytes] | None = None
    _is_stopping: threading.Event = field(default_factory=threading.Event)
    _group: dict[int, str] = field(default_factory=dict)  # every process of it, by number, with when it began
    _watching: threading.Thread | None = None

    def start(self) -> None:
        """Start it and watch it."""
        self._start()
        self._watching = threading.Thread(target=self._watch, name=self.unit.name, daemon=True)
        self._watching.start()

    def _start(self) -> None:
        clean = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin", "LANG": "C.UTF-8"}
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603  what the unit says
                [sys.executable, __file__, *self.unit.held_to, *self.unit.command],
                cwd="/",
                env={**clean, **self.also, **self.unit.environ},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.starts += 1

    @property
    def pid(self) -> int:
        """Return the number of the process that the unit names."""
        assert self.process is not None, f"{self.unit.name} was never started"
        return self.process.pid

    @property
    def log(self) -> str:
        """Return what it has said."""
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    @property
    def left(self) -> list[int]:
        """Return the processes of it that are there: the one that the unit names, and all that came of it."""
        return [pid for pid, began in self._group.items() if _began(pid) == began]

    def _watch(self) -> None:
        while not self._is_stopping.is_set():
            self._group |= _family(self.pid)
            status = self.process.poll() if self.process else None
            if status is None:
                time.sleep(LOOK_SECS)
                continue
            self._end_the_rest()
            if self.unit.restart == "no" or (self.unit.restart == "on-failure" and status in self.unit.good_statuses):
                return
            if not self._is_stopping.wait(self.unit.restart_secs):
                self._start()

    def _end_the_rest(self) -> None:
        """End what is left of the unit, as systemd does when its process is gone, whatever the KillMode."""
        for pid in self.left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def stop(self) -> int:
        """Ask it to end, as `systemctl stop` does; return the status of the process that the unit names.

        Errors  AssertionError when it is still there after TimeoutStopSec: systemd would kill it then
        """
        process, watching = self.process, self._watching
        assert process is not None, f"{self.unit.name} was never started"
        assert watching is not None
        self._is_stopping.set()
        watching.join()
        self._group |= _family(process.pid)
        asked = self.left if self.unit.kill_mode == "control-group" else [process.pid]
        for pid in asked:
            with suppress(ProcessLookupError):
                os.kill(pid, self.unit.kill_signal)
        try:
            return process.wait(self.unit.stop_secs)
        except subprocess.TimeoutExpired as error:
            raise AssertionError(f"{self.unit.name}: still there after {self.unit.stop_secs} s:\n{self.log}") from error
        finally:
            self._end_the_rest()

    def close(self) -> None:
        """End it by force, whatever it is doing; for the end of a test."""
        self._is_stopping.set()
        if self._watching is not None:
            self._watching.join()
        if self.process is not None:
            self._group |= _family(self.process.pid)
            self.process.kill()
            self.process.wait()
        self._end_the_rest()


def _family(pid: int) -> dict[int, str]:
    """Return a process and all that it has started, and these in turn, with when each began."""
    found, asked = {}, [pid]
    while asked:
        one = asked.pop()
        began = _began(one)
        if began:
            found[one] = began
            asked += _children(one)
    return found


def _children(pid: int) -> list[int]:
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(child) for thread in threads for child in (thread / "children").read_text().split()]
    except OSError:
        return []


def _began(pid: int) -> str:
    """Return when a process began, in the kernel's own count, so that a number used again is not taken for it."""
    try:
        state, *rest = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if state == "Z" else rest[18]


def hold_and_become(umask: int, open_files: int, privileges: int, memory: int, command: list[str]) -> None:
    """Hold this process to what the unit lets it do, and become the service."""
    os.umask(umask)
    if open_files:
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(open_files, most), most))
    prctl = ctypes.CDLL(None).prctl
    if privileges:
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if memory:
        prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0)  # a kernel before 6.3 does not know it: it goes on
    os.execvp(command[0], command)  # noqa: S606  what the unit says


if __name__ == "__main__":
    umask, open_files, privileges, memory = map(int, sys.argv[1:5])
    hold_and_become(umask, open_files, privileges, memory, sys.argv[5:])
