"""The manual built as people build it."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def built(root: Path, into: Path) -> subprocess.CompletedProcess[str]:
    """Build a repository's manual into a folder; return what the program said."""
    return subprocess.run(  # noqa: S603  our own program
        [sys.executable, str(root / "docs" / "site" / "build.py"), str(into)],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
