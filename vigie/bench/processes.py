"""Processes: what processor time and memory a process of ours has used, with those that it started."""

import os
from pathlib import Path

TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


def family(pid: int) -> list[int]:
    """Return a process and all that it started, and they."""
    threads = Path(f"/proc/{pid}/task").glob("*/children")
    return [pid, *(one for path in threads for child in path.read_text().split() for one in family(int(child)))]


def cpu_secs(pid: int) -> float:
    """Return the processor time that one process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_A_SECOND  # utime, stime: proc(5)


def memory_mb(pid: int) -> float:
    """Return the memory that one process holds, in millions of bytes; what it shares with others counts in parts."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) * 1024 / 1e6
