"""Loading: what a process reads at its start, and keeps as long as it lives, is not searched for garbage."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """Put garbage collection off, which would go through all of it again and again, and leave it out afterwards."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
