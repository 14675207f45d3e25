"""Detection: the benchmark of the checkout, in a process of its own."""

import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from records import SettingsError

DETECTION = Path(__file__).resolve().parents[2] / "tests" / "benchmarks" / "detection"


def detection(arguments: Sequence[str], *, folder: Path = DETECTION) -> int:
    """Run the detection benchmark of the checkout in a process of its own; return its status.

    Errors  SettingsError where the benchmark or what it needs is not there
    """
    if not (folder / "__main__.py").is_file():
        raise SettingsError(f"{folder}: the detection benchmark is not there: it comes with a checkout, not a package")
    if find_spec("numba") is None:
        raise SettingsError(
            "the detection benchmark needs numba, which is not installed: pip install -e '.[bench]' in the checkout"
        )
    return subprocess.run([sys.executable, str(folder), *arguments], check=False).returncode  # noqa: S603  our own
