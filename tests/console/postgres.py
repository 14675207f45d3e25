"""A PostgreSQL server of the tests' own: Debian's, started on a folder of its own, stopped at the end."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from vigie.broker import free_port

NOBODY = "nobody"  # PostgreSQL refuses to be run by root


def binaries() -> Path | None:
    """Return the folder with the server's programs, None where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    on_path = shutil.which("initdb")
    return found[0].parent if found else Path(on_path).parent if on_path else None


@contextmanager
def running(folder: Path, programs: Path) -> Iterator[str]:
    """Run a server; give the address of its first database, without a name of one."""
    data = folder / "data"
    user = _prepare(folder)
    _run([programs / "initdb", "-D", data, "-U", "vigie", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"], user)
    port = free_port()
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"
    control: list[Path | str] = [programs / "pg_ctl", "-D", data, "-w", "-l", folder / "log"]
    _run([*control, "-o", options, "start"], user)
    try:
        yield f"postgresql://vigie@127.0.0.1:{port}"
    finally:
        _run([*control, "-m", "immediate", "stop"], user)


def _prepare(folder: Path) -> str | None:
    """Return as whom the server is to run, None for ourselves; the folder is his then."""
    if os.geteuid() != 0:
        return None
    somebody = pwd.getpwnam(NOBODY)
    os.chown(folder, somebody.pw_uid, somebody.pw_gid)
    return NOBODY


def _run(command: Sequence[Path | str], user: str | None) -> None:
    with (Path(os.devnull)).open("w") as nothing:
        subprocess.run(command, check=True, stdout=nothing, user=user, cwd="/", timeout=60)  # noqa: S603
