"""Runs a program of ours whose clock is wrong by as many seconds as a file says, which may change while it runs.

    python on_another_clock.py FILE PROGRAM|-m MODULE ARGUMENT…

`SystemClock` is where all of Vigie has the time of day from; what passes is measured by the machine's monotonic clock,
as ever. (libfaketime, which would lie to the whole process, breaks Python 3.11's `time.sleep`.)
"""

import runpy
import sys
from datetime import datetime, timedelta
from pathlib import Path

from records import SystemClock

if __name__ == "__main__":
    wrong_by, right = Path(sys.argv[1]), SystemClock.now

    def now(self: SystemClock) -> datetime:
        """Return what the wrong clock says."""
        return right(self) + timedelta(seconds=float(wrong_by.read_text()))

    SystemClock.now = now  # type: ignore[method-assign]
    if sys.argv[2] == "-m":
        sys.argv = sys.argv[3:]
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    else:
        sys.argv = sys.argv[2:]
        sys.path.insert(0, str(Path(sys.argv[0]).parent))
        runpy.run_path(sys.argv[0], run_name="__main__")
