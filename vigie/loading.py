"""Loading: what a process reads at its start, and keeps as long as it lives, is not searched for garbage.

What is made afterwards is searched, less often than Python does: most of it is let go by itself.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

MADE = 10_000  # objects, after which it is searched; Python searches after 700


@contextmanager
def loading() -> Iterator[None]:
    """Put garbage collection off, which would go through all of it again and again, and leave it out afterwards."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.set_threshold(MADE)
        gc.enable()
