"""What holds for all tests: those that wait for other programs begin first, and none fails for being slow.

Hypothesis fails no example for its time, for the machine may be busy.
"""

import gc
import os

import pytest
from hypothesis import settings

WAITING = ("broker", "apache_kafka", "browser")
"""Marks of tests that wait for other programs: last, they would be waited for while nothing else is left to do."""

# While everything is imported and collected there is no garbage, and looking for it takes a third of the time.
gc.disable()

# Hundreds of processes are started: they need not compile each module anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let whoever runs the long survival tests say how often they strike."""
    parser.addoption("--rounds", type=int, default=50, help="bursts of the long survival tests, 50 by default")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files with tests that wait before the others; the order within a file stays."""
    first = {item.path for item in items if any(item.get_closest_marker(mark) for mark in WAITING)}
    items.sort(key=lambda item: item.path not in first)


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop() -> None:
    """Look for garbage from here on, but not in all that was imported and collected: a million objects, which stay."""
    gc.freeze()
    gc.enable()
